/** The fast path in the model at the small scope: exact state counts, and each counterpart breaks in at most 8 steps. */
import { describe, expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import type { Edit, Scope } from '../../model/kernel/index.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { fastpathDma, fastpathRing, fastpathSuites } from './fastpath.js';
import { fastpathBlock } from './fastpathBlock.js';

function machineOf(s: Suite, scope: Scope | undefined, edits: readonly Edit[] = []) {
  return buildAt(s, scope ?? s.scope.default, { edits });
}

const stops = (s: Suite) => s.mayStop as ((m: never) => boolean) | undefined;
const counterparts = fastpathSuites.flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => [s, w] as const)));

describe('the fast path in the model', () => {
  it.each([
    [fastpathRing, 1114],
    [fastpathDma, 330],
    [fastpathBlock, 2511],
  ])('$name holds in every state of the small scope', (s, states) => {
    const result = exploreExhaustively(machineOf(s, s.scope.small), { properties: propertiesOf(s), mayStop: stops(s) });
    expect(result.findings).toEqual([]);
    expect(result.verdict).toBe('complete');
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect(result.states).toBe(states);
  });

  it.each(counterparts.map(([s, w]) => [w.off.name, s, w] as const))('breaks with %s', (_name, s, w) => {
    const m = machineOf(s, w.scope, isMutant(w.off) ? w.off.edits : []);
    const result = exploreExhaustively(m, {
      properties: [w.breaks],
      frameCondition: false,
      stopAtFirst: true,
      mayStop: stops(s),
    });
    const [found] = result.findings;
    expect(found?.property).toBe(w.breaks);
    expect((found?.trace.length ?? 99) - 1).toBeLessThanOrEqual(8);
  });
});
