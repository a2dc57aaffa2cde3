/** The fast path in the model at the default scope, and that the beginnings add no state of their own. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { propertiesOf } from '../suite.js';
import { fastpathDma, fastpathRing, fastpathSuites } from './fastpath.js';

describe('the fast path in the model, at the default scope', () => {
  const states = new Map([
    [fastpathRing.name, 128_618],
    [fastpathDma.name, 1_458],
  ]);

  it.each(fastpathSuites.map((s) => [s.name, s] as const))('%s holds in every state', (_name, s) => {
    const m = build(s.machine, { scope: s.scope.default, schedule: s.schedule ?? 'whole' });
    const mayStop = s.mayStop as ((m: never) => boolean) | undefined;
    const result = exploreExhaustively(m, { properties: propertiesOf(s), mayStop });
    expect(result).toMatchObject({ verdict: 'complete', findings: [], states: states.get(s.name) });
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
  });

  it('reaches every beginning of the ring from the first', () => {
    const modules = fastpathRing.machine.modules.filter((mod) => mod.name !== 'start of the ring');
    const m = build({ ...fastpathRing.machine, modules }, { scope: fastpathRing.scope.default, schedule: 'split' });
    expect(exploreExhaustively(m, { mayStop: () => true }).states).toBe(128_618);
  });
});
