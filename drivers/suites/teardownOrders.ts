/**
 * Every order of the micro-steps of a tear-down (H25): machines in which a device is taken away in one given order, and the orders that
 * are documented as legal. `explore/teardownOrders.ts` finds out which the invariants accept.
 */

import { dmaStale } from '../../faults/dma.js';
import { domains } from '../../model/domains.js';
import { allocateFrame, frames, releaseFrame } from '../../model/frames.js';
import {
  awaitCompletion,
  device,
  didOf,
  drain,
  finishDma,
  freeTables,
  giveUp,
  type Iommu,
  iommu,
  issueDma,
  processQueue,
  refills,
  submitAtc,
  submitConfig,
  submitIotlbDid,
  submitWait,
} from '../../model/iommu/index.js';
import {
  type AnyOperation,
  type Call,
  type MachineDef,
  NONE,
  OK,
  operationOn,
  type Scope,
} from '../../model/kernel/index.js';
import { mapped } from './iommuMachines.js';

/** The micro-steps. `flush` is `invalidate` and `wait` in one. */
export const MICRO_STEPS = ['quiesce', 'clear entry', 'invalidate', 'wait', 'free', 'detach'] as const;
/** The five of the corpus: 120 orders. */
export const FIVE_STEPS = ['quiesce', 'clear entry', 'flush', 'free', 'detach'] as const;

export type MicroStep = (typeof MICRO_STEPS)[number] | 'flush';

/** One device with an ATC, one page. */
export const TEARDOWN_SCOPE: Scope = {
  domain: 2,
  generation: 1,
  frame: 4,
  device: 1,
  ats: 1,
  iova: 1,
  did: 1,
  queue: 4,
  dma: 1,
  record: 0,
};

const operation = operationOn<Iommu>();
type Running = Call<{ device: typeof device }, 'did'>;
type Step = (m: Iommu, op: Running) => number;

const invalidate: Readonly<Record<string, Step>> = {
  'invalidate config': (m, op) => submitConfig(m, op.device),
  'invalidate IOTLB': (m, op) => submitIotlbDid(m, op.did),
  'invalidate ATC': (m, op) => submitAtc(m, op.device),
};
const wait: Readonly<Record<string, Step>> = {
  'submit wait': (m, op) => submitWait(m, op.did),
  completed: (m, op) => awaitCompletion(m, op.did),
};

/** What each micro-step consists of. */
function stepsOf(micro: MicroStep): Readonly<Record<string, Step>> {
  switch (micro) {
    case 'quiesce':
      return {
        'bus mastering off': (m, op) => {
          m.device.busMaster[op.device] = 0;
          return OK;
        },
        drain: (m, op) => drain(m, op.device),
      };
    case 'clear entry':
      return {
        'clear device entry': (m, op) => {
          m.deviceEntry.valid[op.device] = 0;
          m.deviceEntry.did[op.device] = NONE;
          return OK;
        },
      };
    case 'invalidate':
      return invalidate;
    case 'wait':
      return wait;
    case 'flush':
      return { ...invalidate, ...wait };
    case 'free':
      return {
        'free tables': (m, op) => {
          freeTables(m, op.did);
          return OK;
        },
      };
    case 'detach':
      return {
        'give device up': (m, op) => {
          giveUp(m, op.device, op.did);
          return OK;
        },
      };
  }
}

/** The tear-down in this order. */
function teardown(order: readonly MicroStep[]): AnyOperation {
  const steps: Record<string, Step> = {
    begin: (m, op) => {
      op.did = didOf(m, m.device.home[op.device]);
      return OK;
    },
  };
  for (const micro of order) Object.assign(steps, stepsOf(micro));
  return operation('teardown', {
    agent: 'vmm',
    says: `tears {device} down: ${order.join(', ')}`,
    input: { device },
    locals: ['did'],
    where: { device: (m, op) => m.device.home[op.device] !== NONE },
    steps,
  });
}

/** The machine in which a device is torn down in this order, while caches refill and DMA goes on. */
export function teardownMachine(order: readonly MicroStep[]): MachineDef {
  return {
    name: `tear-down: ${order.join(', ')}`,
    modules: [
      { ...domains, operations: [] },
      { ...frames, operations: [allocateFrame, releaseFrame] },
      { ...iommu, operations: [...refills, processQueue, issueDma, finishDma, dmaStale, teardown(order)] },
      mapped,
    ],
    threads: () => ['vmm'],
  };
}

/** All orders of the steps. */
export function ordersOf(steps: readonly MicroStep[]): MicroStep[][] {
  if (steps.length === 0) return [[]];
  return steps.flatMap((first) => ordersOf(steps.filter((s) => s !== first)).map((rest) => [first, ...rest]));
}

/**
 * The documented orders: clear the entry, invalidate, wait, free, detach, in this order. Quiescing stands anywhere if the wait drains requests that
 * passed translation before it; otherwise it stands before the memory is freed.
 */
export function isLegal(order: readonly MicroStep[], waitDrains: boolean): boolean {
  const at = (s: MicroStep): number => order.indexOf(s);
  const chain = order.includes('flush')
    ? (['clear entry', 'flush', 'free', 'detach'] as const)
    : (['clear entry', 'invalidate', 'wait', 'free', 'detach'] as const);
  const inOrder = chain.every((s, i) => i === 0 || at(chain[i - 1] ?? s) < at(s));
  return inOrder && (waitDrains || at('quiesce') < at('free'));
}
