/** The fast path in the model at the small scope: exact state counts, and one counterpart each that breaks in at most 8 steps. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { fastpathDma, fastpathRing, fastpathSuites } from './fastpath.js';

function machineOf(s: Suite, edits: Parameters<typeof build>[1]['edits'] = []) {
  return build(s.machine, { scope: s.scope.small ?? s.scope.default, schedule: s.schedule ?? 'whole', edits });
}

const counterparts = fastpathSuites.flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => [s, w] as const)));

describe('the fast path in the model', () => {
  it.each([
    [fastpathRing, 0],
    [fastpathDma, 0],
  ])('$name holds in every state of the small scope', (s, states) => {
    const result = exploreExhaustively(machineOf(s), { properties: propertiesOf(s), mayStop: s.mayStop });
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe('complete');
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect(result.states).toBe(states);
  });

  it.each(counterparts.map(([s, w]) => [w.off.name, s, w] as const))('breaks with %s', (_name, s, { off, breaks }) => {
    const m = machineOf(s, isMutant(off) ? off.edits : []);
    const result = exploreExhaustively(m, { properties: [breaks], frameCondition: false, stopAtFirst: true });
    const [found] = result.findings;
    expect(found?.property).toBe(breaks);
    expect((found?.trace.length ?? 99) - 1).toBeLessThanOrEqual(8);
  });
});
