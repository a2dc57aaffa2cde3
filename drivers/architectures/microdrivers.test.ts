/** Microdrivers at small scope: what is claimed holds, every counterpart breaks what it must, every breach has its trace; costs. */
import { describe, expect, it } from 'vitest';
import { checkBreach, checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { raisesAgain, unknownPointer } from '../../faults/architectures/microdrivers.js';
import { strayPointer, wildId } from '../../faults/architectures/microdriversPointers.js';
import type { Storm } from '../../model/architectures/microdrivers/storm.js';
import { ARRAY, bothRun } from '../../model/architectures/microdrivers/trackerState.js';
import { DEAD, HUNG, type Xpc } from '../../model/architectures/microdrivers/xpcState.js';
import { add, guardWith, operationOn } from '../../model/kernel/index.js';
import type { Suite } from '../suite.js';
import { claimOf, matrixRows } from './architecture.js';
import { costsOf } from './cost.js';
import { costRuns, microdrivers } from './microdrivers.js';
import { kernelDmaNow } from './microdriversDma.js';
import { trackerSuite } from './microdriversObjects.js';
import { functionsSuite, POINTERS_SAY, rangesSuite } from './microdriversPointers.js';
import { locksHangSuite, stormSuite, xpcHangSuite } from './microdriversSuites.js';

const suites = [...new Set([...microdrivers.suites.then, ...microdrivers.suites.now])];
const contained = suites.filter((s) => s.claims.some((c) => c.expects === 'contained'));

/** Suites that take calls apart: their small scopes are too small for all witnesses, and their breaches are more steps away. */
const isApart = (s: Suite): boolean => s.schedule === 'split';
const MOST_STEPS = 8;
const MOST_STEPS_APART = 12;

/** States at small scope (taken apart: at default scope), every fault included. */
const SMALL: Readonly<Record<string, number>> = {
  'microdrivers-split': 2093,
  'microdrivers-xpc': 63,
  'microdrivers-strangers': 34,
  'microdrivers-objects': 32_184,
  'microdrivers-tracker': 1398,
  'microdrivers-ranges': 1398,
  'microdrivers-functions': 1232,
  'microdrivers-locks': 1400,
  'microdrivers-interrupts': 4,
  'microdrivers-dma-now': 9865,
  'microdrivers-xpc-steps': 255,
  'microdrivers-locks-steps': 2208,
};

describe('what is claimed', () => {
  it.each(contained.map((s) => [s.name, s] as const))('%s holds at small scope, under every fault', (name, s) => {
    const expected = { verdict: 'complete', states: SMALL[name], findings: [], unreached: [] };
    const scope = isApart(s) ? s.scope.default : (s.scope.small ?? s.scope.default);
    expect(checkScope(s, scope)).toEqual(expected);
  });

  it.each(
    suites.flatMap((s) =>
      s.claims.flatMap((c) => c.without.map((w) => [w.off.name, `${w.breaks.id} ${w.breaks.name}`, s, w] as const)),
    ),
  )('without %s breaks %s within few steps', (_off, breaks, s, w) => {
    const found = checkCounterpart(s, w);
    expect(found.property).toBe(breaks);
    expect(found.steps).toBeGreaterThan(0);
    expect(found.steps).toBeLessThanOrEqual(isApart(s) ? MOST_STEPS_APART : MOST_STEPS);
  });
});

describe('what is not claimed', () => {
  it.each(
    suites.flatMap((s) => s.claims.flatMap((c) => (c.expects === 'not contained' ? [[c.says, s, c] as const] : []))),
  )('breached: %s', (says, s, c) => {
    const found = checkBreach(s, says, s.scope.default);
    expect(found.steps).toBeGreaterThan(0);
    expect(found.steps).toBeLessThanOrEqual(8);
    const { machine } = s;
    const faults = machine.modules.flatMap((mod) =>
      mod.operations.filter((o) => o.fault && c.against.includes(o.fault)),
    );
    // The breach is the fault's doing: it is in the trace.
    expect(found.operations.some((o) => faults.some((f) => f.name === o))).toBe(true);
  });

  const operation = operationOn<Xpc>();
  const timeOut = operation('xpc.timeOut', {
    agent: 'runtime',
    where: { agent: (m) => m.userHalf.state[0] === HUNG },
    steps: {
      kill: (m) => {
        m.userHalf.state[0] = DEAD;
      },
    },
  });

  it('a time-out would contain the hang of the user half', () => {
    const { says } = xpcHangSuite.claims[0];
    expect(checkBreach(xpcHangSuite, says, xpcHangSuite.scope.small, [add(timeOut)]).steps).toBe(0);
  });

  it('a quota would contain misses of the tracker', () => {
    const [says] = trackerSuite.claims.filter((c) => c.against.includes('F12')).map((c) => c.says);
    const quota = guardWith(unknownPointer, 'agent', (m) => bothRun(m) && m.kernelObject.live.includes(0));
    expect(checkBreach(trackerSuite, says, trackerSuite.scope.small, [quota]).steps).toBe(0);
  });

  it('kinds in the ranges would contain pointers into other objects', () => {
    const kinds = guardWith(strayPointer, 'pointer', (m, op) => m.toKernel.kind[op.pointer] === ARRAY);
    expect(checkBreach(rangesSuite, POINTERS_SAY.kinds, rangesSuite.scope.small, [kinds]).steps).toBe(0);
  });

  it('callbacks that are not copied back would contain their replacement', () => {
    const notCopied = guardWith(wildId, 'callback', (m, op) => m.callback.own[op.callback] === 0);
    expect(checkBreach(functionsSuite, POINTERS_SAY.own, functionsSuite.scope.small, [notCopied]).steps).toBe(0);
  });

  it('a line that is masked until a thread has run would contain the storm', () => {
    const { says } = stormSuite.claims[0];
    const isOpen = (m: Storm): boolean => m.processor.inARow[0] === 0 && m.deviceLine.raised[0] === 0;
    const masked = guardWith(raisesAgain, 'agent', isOpen);
    expect(checkBreach(stormSuite, says, stormSuite.scope.default, [masked]).steps).toBe(0);
  });

  it('a hang with the lock held stops the data path', () => {
    const found = checkBreach(locksHangSuite, 'the data path goes on when the user half hangs', { request: 1 });
    expect(found.operations).toContain('lock.userAsks');
  });

  it('what the kernel half maps is reached in one step', () => {
    for (const c of kernelDmaNow.claims.filter((x) => x.against.includes('F2'))) {
      expect(checkBreach(kernelDmaNow, c.says, kernelDmaNow.scope.default).steps).toBe(1);
    }
  });
});

describe('the matrix', () => {
  it('has a cell for each row in both eras, which claims settle', () => {
    for (const row of Object.keys(matrixRows)) {
      for (const era of ['then', 'now'] as const) {
        const [cell] = microdrivers.cells.filter((c) => c.row === row && c.era === era);
        for (const says of cell.claims) expect(claimOf(microdrivers, era, says).claim.says).toBe(says);
      }
    }
  });

  it('says which cells today\u2019s hardware closes', () => {
    const isContained = (row: string, era: 'then' | 'now') =>
      microdrivers.cells
        .filter((c) => c.row === row && c.era === era)
        .every((c) => c.claims.every((says) => claimOf(microdrivers, era, says).claim.expects === 'contained'));
    const closed = Object.keys(matrixRows).filter((row) => !isContained(row, 'then') && isContained(row, 'now'));
    expect(closed).toEqual(['dma-stale', 'interrupt-spoofing']);
    const held = Object.keys(matrixRows).filter((row) => isContained(row, 'then'));
    expect(held).toEqual(['double-fetch']);
  });
});

describe('costs', () => {
  const costs = costsOf(costRuns);
  it('has four requests, alone and in batches, in both eras', () => expect(costs).toHaveLength(16));

  it('the data path makes no XPC, no crossing, no copy and no allocation', () => {
    for (const { perRequest } of costs) {
      expect(perRequest).toMatchObject({ XPC: 0, 'domain crossing': 0, copy: 0, allocation: 0, hypercall: 0 });
    }
  });

  it('an IOMMU adds a mapping, an unmapping and an invalidation; a batch shares its interrupt', () => {
    for (const { era, batch, perRequest } of costs) {
      const n = era === 'now' ? 1 : 0;
      expect(perRequest).toMatchObject({ mapping: n, unmapping: n, invalidation: n, notification: 1 / batch });
    }
  });
});
