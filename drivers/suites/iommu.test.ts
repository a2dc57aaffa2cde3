/** The IOMMU suites at their small scopes: complete, without findings, every witness reached, exact counts; and every counterpart. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively, type Finding } from '../../explore/exhaustive.js';
import { exploreTwoRuns } from '../../explore/noninterference.js';
import { checkProgress } from '../../explore/progress.js';
import { atcFirst } from '../../faults/iommuMutants.js';
import { detachLeaks, neverReaped } from '../../faults/iommuQueueMutants.js';
import { build, type Edit, type Gate, type Machine, type Scope } from '../../model/kernel/index.js';
import { dmaReturned, dmaShadow } from '../../properties/iommu.js';
import { type Counterpart, isMutant, propertiesOf, type Suite } from '../suite.js';
import { iommuRace, iommuSuites, iommuTeardown } from './iommu.js';

interface Changes {
  readonly gatesOff?: readonly Gate[];
  readonly edits?: readonly Edit[];
}

const machineOf = (s: Suite, scope: Scope, changes: Changes = {}): Machine =>
  build(s.machine, { scope, schedule: s.schedule ?? 'whole', failures: s.failures ?? 'none', ...changes });

const smallOf = (s: Suite): Scope => s.scope.small ?? s.scope.default;

/** The finding that the counterpart's property yields, or undefined. */
function findingOf(s: Suite, w: Counterpart): Finding | undefined {
  const changes = isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] };
  const make = (): Machine => machineOf(s, w.scope ?? smallOf(s), changes);
  if (w.breaks.kind === 'noninterference') return exploreTwoRuns(make(), w.breaks).finding;
  const result = exploreExhaustively(make(), {
    properties: [w.breaks],
    stopAtFirst: true,
    frameCondition: false,
    mayStop: () => true,
  });
  return w.breaks.kind === 'progress'
    ? checkProgress(make(), result.progressing.store, w.breaks).finding
    : result.findings[0];
}

/** The others are looked at in the slow tests. */
const SMALL: Readonly<Record<string, readonly [states: number, transitions: number]>> = {
  iommu: [9_572, 150_005],
  'iommu-race': [31_878, 368_242],
  'iommu-timeout': [14_618, 140_016],
  'iommu-teardown': [11_842, 59_747],
};

const quick = iommuSuites.filter((s) => s.name in SMALL);

describe.each(quick.map((s) => [s.name, s] as const))('suite %s, small scope', (name, s) => {
  it('is complete and holds, with every witness reached', { timeout: 60_000 }, () => {
    const result = exploreExhaustively(machineOf(s, smallOf(s)), { properties: propertiesOf(s) });
    expect(result.findings.map((f) => f.why)).toEqual([]);
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([result.verdict, result.states, result.transitions]).toEqual(['complete', ...(SMALL[name] ?? [])]);
    for (const p of propertiesOf(s)) {
      if (p.kind === 'progress') {
        const progress = checkProgress(machineOf(s, smallOf(s)), result.progressing.store, p);
        expect([progress.holds, progress.pendingStates > 0]).toEqual([true, true]);
      }
      if (p.kind === 'noninterference') {
        const runs = exploreTwoRuns(machineOf(s, smallOf(s)), p);
        expect([runs.verdict, runs.finding, runs.differing > 0]).toEqual(['complete', undefined, true]);
      }
    }
  });
});

describe.each(iommuSuites.map((s) => [s.name, s] as const))('suite %s, counterparts', (_name, s) => {
  it.each(s.claims.flatMap((c) => c.without.map((w) => [w.off.name, w.breaks.name, w] as const)))(
    'without %s breaks %s in at most 8 steps',
    { timeout: 60_000 },
    (_off, _breaks, w) => {
      const finding = findingOf(s, w);
      expect(finding?.property).toMatchObject({ id: w.breaks.id, name: w.breaks.name });
      expect((finding?.trace.length ?? 99) - 1).toBeLessThanOrEqual(8);
    },
  );
});

describe('what findings tell', () => {
  it('names the cache, the device and the domain', () => {
    const finding = findingOf(iommuRace, { off: atcFirst, breaks: dmaShadow });
    expect(finding?.why).toBe('device 0, of domain 1, still writes frame 2 at iova 0 by its own translation');
  });

  it.each([detachLeaks, neverReaped])('finds what is never given back: $name', (off) => {
    expect(findingOf(iommuTeardown, { off, breaks: dmaReturned })?.property.name).toBe('returned');
  });
});
