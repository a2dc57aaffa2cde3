/** User-level drivers: small scopes complete and hold, every counterpart and every mutant breaks what it names, costs are steady. */
import { describe, expect, it } from 'vitest';
import { type ExhaustiveOptions, exploreExhaustively, type Finding } from '../../explore/exhaustive.js';
import { exploreTwoRuns } from '../../explore/noninterference.js';
import { checkProgress } from '../../explore/progress.js';
import { closeUnlocked, noDrain } from '../../faults/architectures/userLevelMutants.js';
import { drainOnWait } from '../../model/iommu/index.js';
import { build, type Edit, type FaultId, type Gate, type Machine, type Scope } from '../../model/kernel/index.js';
import { closedClean, pinned, reach } from '../../properties/architectures/userLevelDrivers.js';
import type { AnyProperty } from '../../properties/property.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { costsOf } from './cost.js';
import { costRuns, userLevelDrivers } from './userLevelDrivers.js';
import { stepSuites } from './userLevelSteps.js';
import { callRaces, dmaNow, dmaThen } from './userLevelSuites.js';

/** Suites whose steps are taken apart need more of them to break: they are in recovery.slow.test.ts. */
const suites = [...new Set([...userLevelDrivers.suites.then, ...userLevelDrivers.suites.now])].filter(
  (s) => !stepSuites.includes(s),
);
const contained = (s: Suite): AnyProperty[] =>
  propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });

interface Changes {
  readonly gatesOff?: readonly Gate[];
  readonly edits?: readonly Edit[];
  readonly faults?: readonly FaultId[];
}

const machineOf = (s: Suite, scope: Scope, { gatesOff = [], ...more }: Changes = {}): Machine =>
  build(s.machine, {
    scope,
    schedule: s.schedule ?? 'whole',
    gatesOff: [...(s.gatesOff ?? []), ...gatesOff],
    ...more,
  });

/** Progress is looked for in stages, as the campaign does. */
const DEPTHS = [3, 6, 9, 12];

/** What the property finds, or undefined. */
function findingOf(s: Suite, breaks: AnyProperty, scope: Scope, changes: Changes): Finding | undefined {
  if (breaks.kind === 'noninterference') return exploreTwoRuns(machineOf(s, scope, changes), breaks).finding;
  const options = { properties: [breaks], frameCondition: false, mayStop: () => true };
  if (breaks.kind !== 'progress') {
    return exploreExhaustively(machineOf(s, scope, changes), { ...options, stopAtFirst: true, maxDepth: 12 })
      .findings[0];
  }
  for (const maxDepth of DEPTHS) {
    const result = exploreExhaustively(machineOf(s, scope, changes), { ...options, maxDepth });
    const cut = result.verdict === 'truncated';
    const { finding } = checkProgress(machineOf(s, scope, changes), result.progressing.store, breaks, undefined, cut);
    if (finding) return finding;
  }
  return undefined;
}

const stepsOf = (f: Finding | undefined): number => (f?.trace.length ?? 99) - 1;
const smallOf = (s: Suite): Scope => s.scope.small ?? s.scope.default;

/** States and transitions at the small scope. */
const SMALL: Readonly<Record<string, readonly [states: number, transitions: number]>> = {
  'user-level-drivers-dma-then': [21_576, 194_690],
  'user-level-drivers-pages': [8_644, 72_624],
  'user-level-drivers-calls': [1_844, 20_573],
  'user-level-drivers-interrupts': [1_442, 11_750],
  'user-level-drivers-clients': [7_084, 26_104],
  'user-level-drivers-races': [63_732, 422_334],
  'user-level-drivers-dma': [21_576, 194_690],
  'user-level-drivers-ats': [38_136, 363_660],
  'user-level-drivers-bus': [60, 679],
};

const holding = suites.filter((s) => contained(s).length > 0);

describe.each(holding.map((s) => [s.name, s] as const))('suite %s, small scope', (name, s) => {
  it('is complete and holds, with exact counts', { timeout: 60_000 }, () => {
    const properties = contained(s);
    const result = exploreExhaustively(machineOf(s, smallOf(s)), {
      properties,
      mayStop: s.mayStop as ExhaustiveOptions['mayStop'],
    });
    expect(result.findings.map((f) => `${f.property.name}: ${f.why}`)).toEqual([]);
    expect([name, result.verdict, result.states, result.transitions]).toEqual([
      name,
      'complete',
      ...(SMALL[name] ?? []),
    ]);
    for (const p of properties) {
      if (p.kind === 'progress') {
        expect([p.name, checkProgress(machineOf(s, smallOf(s)), result.progressing.store, p).holds]).toEqual([
          p.name,
          true,
        ]);
      }
      if (p.kind === 'noninterference') {
        const runs = exploreTwoRuns(machineOf(s, smallOf(s)), p);
        expect([p.name, runs.finding, runs.differing > 0]).toEqual([p.name, undefined, true]);
      }
    }
  });
});

/** What only the era's name tells apart is looked at once. */
const distinct = suites.filter((s) => s !== dmaThen);

const counterparts = distinct.flatMap((s) =>
  s.claims.flatMap((c) => c.without.map((w) => [s.name, w.off.name, w.breaks.name, s, w] as const)),
);

describe('counterparts', () => {
  it.each(counterparts)(
    '%s: without %s breaks %s in at most 8 steps',
    { timeout: 60_000 },
    (_suite, _off, _breaks, s, w) => {
      const changes = isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] };
      const finding = findingOf(s, w.breaks, w.scope ?? s.scope.default, changes);
      expect(finding?.property).toMatchObject({ id: w.breaks.id, name: w.breaks.name });
      expect(stepsOf(finding)).toBeLessThanOrEqual(8);
    },
  );
});

const open = suites.flatMap((s) =>
  s.claims.flatMap((c) =>
    c.expects === 'contained' ? [] : c.keeps.map((p) => [s.name, c.says, s, p, c.against] as const),
  ),
);

describe('what is not contained', () => {
  it.each(open)('%s is breached: %s', { timeout: 60_000 }, (_suite, _says, s, p, faults) => {
    expect(stepsOf(findingOf(s, p, s.scope.default, { faults }))).toBeLessThanOrEqual(8);
  });
});

describe('what is found beyond the claims', () => {
  it('a close that waits for nobody is caught, beside a call that is under way', { timeout: 60_000 }, () => {
    const finding = findingOf(callRaces, closedClean, callRaces.scope.default, { edits: closeUnlocked.edits });
    expect(finding?.property).toMatchObject({ id: 'L-S4' });
  });

  it('the wait of close is needed only where the wait of an invalidation does not drain', { timeout: 60_000 }, () => {
    const without = { edits: noDrain.edits };
    expect(findingOf(dmaNow, pinned, smallOf(dmaNow), without)).toBeUndefined();
    expect(findingOf(dmaNow, reach, smallOf(dmaNow), without)).toBeUndefined();
    const neither = { ...without, gatesOff: [drainOnWait] };
    expect(stepsOf(findingOf(dmaNow, pinned, smallOf(dmaNow), neither))).toBeLessThanOrEqual(8);
  });
});

describe('costs', () => {
  const costs = costsOf(costRuns);
  const of = (what: string, batch: number) => costs.find((c) => c.what === what && c.batch === batch)?.perRequest;

  it('are those of the steady state, for every request, batch and era', () => {
    expect(costs.length).toBe(16);
    for (const { perRequest } of costs) expect(perRequest.allocation).toBe(0);
  });

  it('a block request maps and unmaps its buffer, whatever the batch; a frame is copied instead', () => {
    for (const batch of [1, 8]) {
      expect(of('block read', batch)).toMatchObject({ mapping: 1, unmapping: 1, invalidation: 1, copy: 0 });
      expect(of('net transmit', batch)).toMatchObject({ mapping: 0, unmapping: 0, invalidation: 0, copy: 1 });
    }
  });

  it('batches share the interrupt and the wake-ups', () => {
    expect(of('net receive', 1)?.notification).toBe(1);
    expect(of('net receive', 8)?.notification).toBe(1 / 8);
    expect(of('net receive', 8)?.hypercall).toBe(3 / 8);
  });
});
