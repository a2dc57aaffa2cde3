/** Driver reuse at small scope: what is claimed holds, every counterpart breaks what it must, every breach has its trace; costs. */
import { describe, expect, it } from 'vitest';
import { checkBreach, checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { isMutant } from '../suite.js';
import { claimOf, type Era, matrixRows } from './architecture.js';
import { costsOf } from './cost.js';
import { costRuns, driverReuse } from './driverReuse.js';

const suites = [...new Set([...driverReuse.suites.then, ...driverReuse.suites.now])];
const contained = suites.filter((s) => s.claims.some((c) => c.expects === 'contained'));
const counterparts = suites.flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => ({ s, w }))));

/** States at small scope, every fault included. */
const SMALL: Readonly<Record<string, number>> = {
  'driver-reuse-mux': 60_672,
  'driver-reuse-mux-restart': 35_806,
  'driver-reuse-mux-steps': 36_443,
  'driver-reuse-channel': 994,
  'driver-reuse-receive': 36,
  'driver-reuse-interrupts': 20,
  'driver-reuse-lines': 11_475,
  'driver-reuse-commands': 93,
  'driver-reuse-bus': 7,
  'driver-reuse-restart': 811,
  'driver-reuse-restarts': 7835,
  'driver-reuse-strangers': 32_041,
  'driver-reuse-iommu': 392,
};

/** The longest way has a whole restart in it, and a reattachment of two steps. */
const GATE_STEPS = 9;
const MUTANT_STEPS = 10;

describe('what is claimed', () => {
  it.each(contained.map((s) => [s.name, s] as const))('%s holds at small scope', { timeout: 60_000 }, (name, s) => {
    const expected = { verdict: 'complete', states: SMALL[name], findings: [], unreached: [] };
    expect(checkScope(s, s.scope.small ?? s.scope.default)).toEqual(expected);
  });

  it.each(counterparts.map(({ s, w }) => [w.off.name, `${w.breaks.id} ${w.breaks.name}`, s, w] as const))(
    'without %s breaks %s',
    { timeout: 60_000 },
    (_off, breaks, s, w) => {
      const found = checkCounterpart(s, w);
      expect(found.property).toBe(breaks);
      expect(found.steps).toBeGreaterThan(0);
      // Where the work of the monitor is taken apart, the same breach takes more steps.
      const more = s.name === 'driver-reuse-restarts' || s.name === 'driver-reuse-mux-steps' ? 4 : 0;
      expect(found.steps).toBeLessThanOrEqual((isMutant(w.off) ? MUTANT_STEPS : GATE_STEPS) + more);
    },
  );

  it('every gap of the published code is a mutant', () => {
    const names = new Set(counterparts.flatMap(({ w }) => (isMutant(w.off) ? [w.off.name.slice(0, 6)] : [])));
    for (let n = 1; n <= 9; n++) expect(names).toContain(`GAP-V${n}`);
  });
});

describe('what is not claimed', () => {
  it.each(
    suites.flatMap((s) => s.claims.flatMap((c) => (c.expects === 'not contained' ? [[c.says, s, c] as const] : []))),
  )('breached: %s', (says, s, c) => {
    const found = checkBreach(s, says, s.scope.default);
    expect(found.steps).toBeGreaterThan(0);
    expect(found.steps).toBeLessThanOrEqual(GATE_STEPS);
    const faults = s.machine.modules.flatMap((mod) =>
      mod.operations.filter((o) => o.fault && c.against.includes(o.fault)),
    );
    // The breach is the fault's doing, where there is one: a published gap may need none.
    expect(faults.length === 0 || found.operations.some((o) => faults.some((f) => f.name === o))).toBe(true);
  });
});

describe('the matrix', () => {
  const isContained = (row: string, era: Era): boolean =>
    driverReuse.cells
      .filter((c) => c.row === row && c.era === era)
      .every((c) => c.claims.every((says) => claimOf(driverReuse, era, says).claim.expects === 'contained'));

  it('says which cells today\u2019s hardware closes', () => {
    const rows = Object.keys(matrixRows);
    expect(rows.filter((row) => isContained(row, 'then'))).toEqual([
      'wild-write-inside',
      'wild-write-outside',
      'interrupt-storm',
      'driver-crash',
    ]);
    expect(rows.filter((row) => !isContained(row, 'then') && isContained(row, 'now'))).toEqual([
      'dma-other-domain',
      'dma-vmm',
      'dma-stale',
      'interrupt-spoofing',
    ]);
  });
});

describe('costs', () => {
  const costs = costsOf(costRuns);
  it('has four requests, alone and in batches, in both eras', () => expect(costs).toHaveLength(16));

  it('no request allocates, maps, unmaps, invalidates or flips', () => {
    for (const { perRequest } of costs) {
      expect(perRequest).toMatchObject({ allocation: 0, mapping: 0, unmapping: 0, invalidation: 0, 'page flip': 0 });
    }
  });

  it('only reception copies, once a packet; a burst has one wake-up each way', () => {
    for (const { what, batch, perRequest } of costs) {
      const receives = what === 'net receive';
      expect(perRequest.copy).toBe(receives ? 1 : 0);
      expect(perRequest.notification).toBe((receives ? 1 : 2) / batch);
      expect(perRequest.hypercall).toBe(receives ? 1 : 2 / batch);
    }
  });
});
