/** Every attack arrives at its gate and is stopped there; with the gate off it passes. */
import { describe, expect, it } from 'vitest';
import { iommuMachine, iommuRaceMachine } from '../drivers/suites/iommuMachines.js';
import { exploreExhaustively } from '../explore/exhaustive.js';
import {
  acsRedirect,
  addressWidth,
  dmaRemapping,
  everyPage,
  interruptRemapping,
  translatedRefused,
} from '../model/iommu/index.js';
import { blockedBy, build, type Gate, OUTCOMES, outcomeIndex } from '../model/kernel/index.js';
import { dmaForgedTranslated, dmaInterrupt, dmaPeer, dmaStale, dmaStraddle, dmaToFrame, dmaWrap } from './dma.js';

const SCOPE = {
  domain: 2,
  generation: 1,
  frame: 4,
  device: 2,
  ats: 0,
  iova: 1,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
};

/** Times that the operation ended with this status within the first few thousand states. */
function count(operation: string, status: number, gatesOff: readonly Gate[]): number {
  const m = build(iommuMachine, { scope: SCOPE, gatesOff });
  exploreExhaustively(m, { maxStates: 3_000, frameCondition: false });
  const op = m.operations.find((o) => o.op.name === operation);
  return op ? m.outcomes[op.index * OUTCOMES + outcomeIndex(status)] : -1;
}

describe('attacks by DMA', () => {
  it.each([
    [dmaToFrame.name, dmaRemapping],
    [dmaStraddle.name, everyPage],
    [dmaWrap.name, addressWidth],
    [dmaForgedTranslated.name, translatedRefused],
    [dmaPeer.name, acsRedirect],
    [dmaInterrupt.name, interruptRemapping],
  ] as const)('%s is stopped by %o, and passes without', (operation, gate) => {
    expect(count(operation, blockedBy(gate), [])).toBeGreaterThan(0);
    expect(count(operation, 0, [])).toBe(0);
    expect(count(operation, 0, [gate])).toBeGreaterThan(0);
  });

  it('finds a stale translation only while a revocation is under way', () => {
    const m = build(iommuRaceMachine, { scope: { ...SCOPE, device: 1, ats: 1 }, schedule: 'split' });
    exploreExhaustively(m, { maxStates: 5_000 });
    const op = m.operations.find((o) => o.op.name === dmaStale.name);
    expect(m.outcomes[(op?.index ?? 0) * OUTCOMES]).toBeGreaterThan(0);
    expect(count(dmaStale.name, 0, [])).toBe(0);
  });
});
