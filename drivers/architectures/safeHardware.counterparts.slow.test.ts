/** The Safe Hardware Interface at small scopes: what is claimed holds, each gate and mutant breaks it, and costs are what the paper says. */
import { describe, expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { exploreTwoRuns } from '../../explore/noninterference.js';
import { checkProgress } from '../../explore/progress.js';
import type { FaultId, MachineOptions, Scope } from '../../model/kernel/index.js';
import type { AnyProperty, Progress } from '../../properties/property.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { matrixRows } from './architecture.js';
import { costOf } from './cost.js';
import { safeHardware } from './safeHardware.js';
import { channelStepsSuite } from './safeHardwareChannelSteps.js';
import { controlStepsSuite } from './safeHardwareControl.js';
import { costRuns } from './safeHardwareCosts.js';
import { safeHardwarePublished } from './safeHardwarePublished.js';
import { stepsBoth, stepsNow, stepsThen } from './safeHardwareSteps.js';

/** Suites whose steps are taken apart need more of them to break: they are in recovery.slow.test.ts. */
const suites = [...new Set([...safeHardware.suites.then, ...safeHardware.suites.now])].filter(
  (s) => ![...stepsThen, ...stepsNow, ...stepsBoth, channelStepsSuite, controlStepsSuite].includes(s),
);
const isProgress = (p: AnyProperty): p is Progress<never> => p.kind === 'progress';
const small = (s: Suite): Scope => s.scope.small ?? s.scope.default;
const MOST_STEPS = 8;

/** Fault classes that are injected while claims are expected to hold: all but those of open claims alone. */
function faultsOf(s: Suite): readonly FaultId[] {
  const all = buildAt(s, small(s)).operations.flatMap(({ op }) => (op.fault ? [op.fault] : []));
  const held = s.claims.filter((c) => c.expects === 'contained').flatMap((c) => c.against);
  const open = s.claims.filter((c) => c.expects === 'not contained').flatMap((c) => c.against);
  return [...new Set(all)].filter((f) => held.includes(f) || !open.includes(f));
}

/** Progress is a matter of the whole graph; so it is built up in stages. */
const PROGRESS_DEPTHS = [2, 4, 6, MOST_STEPS];

/** Steps of a way to break the property, or undefined when it holds as far as it is looked at. */
function stepsTo(s: Suite, property: AnyProperty, scope: Scope, more: Partial<MachineOptions>): number | undefined {
  if (property.kind === 'noninterference') {
    const trace = exploreTwoRuns(buildAt(s, scope, more), property).finding?.trace;
    return trace && trace.length - 1;
  }
  for (const maxDepth of isProgress(property) ? PROGRESS_DEPTHS : [MOST_STEPS]) {
    const m = buildAt(s, scope, more);
    const options = { properties: [property], stopAtFirst: true, frameCondition: false, mayStop: () => true, maxDepth };
    const { findings, progressing, verdict } = exploreExhaustively(m, options);
    const cut = verdict === 'truncated';
    const late = isProgress(property)
      ? checkProgress(m, progressing.store, property, undefined, cut).finding
      : undefined;
    const finding = findings[0] ?? late;
    if (finding) return finding.trace.length - 1;
  }
  return undefined;
}

describe.each(suites.filter((s) => s.claims.some((c) => c.expects === 'contained')).map((s) => [s.name, s] as const))(
  '%s',
  (_name, s) => {
    it('holds what it claims, with every witness reached', () => {
      const m = buildAt(s, small(s), { faults: faultsOf(s) });
      const properties = propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
      const found = exploreExhaustively(m, { properties, mayStop: s.mayStop as (m: never) => boolean });
      expect(found.findings).toEqual([]);
      expect(found.witnesses.filter((w) => !w.reached)).toEqual([]);
      expect(found.verdict).toBe('complete');
      for (const p of properties.filter(isProgress)) {
        const answer = checkProgress(m, found.progressing.store, p);
        expect([p.name, answer.holds, answer.pendingStates > 0]).toEqual([p.name, true, true]);
      }
    });

    const counterparts = s.claims.flatMap((c) => c.without);
    it.each(counterparts.map((w) => [w.off.name, w.breaks.name, w] as const))(
      'without "%s", "%s" breaks',
      (_off, _breaks, w) => {
        const more = isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] };
        expect(stepsTo(s, w.breaks, w.scope ?? small(s), more)).toBeLessThanOrEqual(MOST_STEPS);
      },
    );
  },
);

const open = [...suites, ...safeHardwarePublished].flatMap((s) =>
  s.claims.filter((c) => c.expects === 'not contained').map((c) => [s.name, c.says, s, c] as const),
);

it.each(open)('%s does not contain: %s', (_suite, _says, s, c) => {
  const found = c.keeps.map((p) => stepsTo(s, p, small(s), { faults: c.against }));
  expect(Math.min(...found.map((n) => n ?? 99))).toBeLessThanOrEqual(MOST_STEPS);
});

it('has a cell for each row in both eras', () => {
  expect(safeHardware.cells.length).toBe(2 * Object.keys(matrixRows).length);
});

it('has each gap of the published code and each mutant that belongs here', () => {
  const names = suites.flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => w.off.name)));
  for (const gap of ['GAP-X1', 'double assignment', 'page-granular MMIO', 'GAP-X4', 'XSA-155 operation', 'GAP-X6'])
    expect(names).toContain(gap);
  for (const seeded of ['sharers compacted by bytes', 'no mb in the event index', 'XSA-396 net', 'manager time-out'])
    expect(names).toContain(seeded);
});

describe('costs', () => {
  const costs = costRuns.map(costOf);
  const cost = (what: string, batch: number, era: string) =>
    costs.find((c) => c.what === what && c.batch === batch && c.era === era)?.perRequest;

  it('payload is not copied but mapped or flipped, and nobody asks the controller', () => {
    for (const c of costs) expect(c.perRequest['control message']).toBe(0);
    expect(cost('net receive', 1, 'then')).toMatchObject({ copy: 0, 'page flip': 1 });
    expect(cost('net transmit', 1, 'then')).toMatchObject({ copy: 1, 'grant mapping': 1, 'grant unmapping': 1 });
    expect(cost('block write', 1, 'then')).toMatchObject({ copy: 0, 'grant mapping': 1, 'grant unmapping': 1 });
  });

  it('a batch shares its notifications, calls and flushes', () => {
    expect(cost('net transmit', 1, 'then')).toMatchObject({ notification: 2, hypercall: 4, 'TLB flush': 1 });
    expect(cost('net transmit', 8, 'then')).toMatchObject({ notification: 0.25, hypercall: 0.5, 'TLB flush': 0.125 });
    expect(cost('block read', 8, 'then')).toMatchObject({ notification: 0.25, 'grant mapping': 1 });
  });

  it('today’s hardware adds a mapping, an unmapping and an invalidation to each request', () => {
    for (const c of costs) {
      const n = c.era === 'now' ? 1 : 0;
      expect(c.perRequest).toMatchObject({ mapping: n, unmapping: n, invalidation: n });
    }
  });
});
