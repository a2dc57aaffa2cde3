/** The VT-d suites at small scope, and every gate and mutant that must break them. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { vtd, vtdFaults, vtdWalk } from './vtd.js';
import { vtdAts, vtdTorn } from './vtdEntries.js';

const explore = (s: Suite, scope = s.scope.default) =>
  exploreExhaustively(build(s.machine, { scope, schedule: s.schedule ?? 'whole' }), { properties: propertiesOf(s) });

describe.each([
  ['vtd', vtd, vtd.scope.small, 31_938],
  ['vtd-walk', vtdWalk, vtdWalk.scope.default, 4_605],
  ['vtd-faults', vtdFaults, vtdFaults.scope.default, 928],
  ['vtd-torn', vtdTorn, vtdTorn.scope.default, 1_170],
  ['vtd-ats', vtdAts, vtdAts.scope.default, 10_951],
] as const)('suite %s', (_name, s, scope, states) => {
  it('holds, with every witness reached', () => {
    const result = explore(s, scope);
    expect(result.findings).toEqual([]);
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([result.verdict, result.states]).toEqual(['complete', states]);
  });

  it.each(s.claims.flatMap((c) => c.without.map((w) => [w.off.name, w.breaks.name, w] as const)))(
    'without %s breaks %s in at most 8 steps',
    (_off, _breaks, w) => {
      const edited = isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] };
      const machine = build(s.machine, { scope: s.scope.default, schedule: s.schedule ?? 'whole', ...edited });
      const [finding] = exploreExhaustively(machine, { properties: [w.breaks], stopAtFirst: true }).findings;
      expect(finding?.property).toMatchObject({ id: w.breaks.id, name: w.breaks.name });
      expect((finding?.trace.length ?? 99) - 1).toBeLessThanOrEqual(8);
    },
  );
});
