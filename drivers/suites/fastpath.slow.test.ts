/** The fast path in the model at the default scope, and that the beginnings add no state of their own, of batches too. */
import { describe, expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { batchSuites } from '../architectures/safeHardwareFast.js';
import { propertiesOf } from '../suite.js';
import { fastpathDma, fastpathRing, fastpathSuites } from './fastpath.js';
import { fastpathBlock } from './fastpathBlock.js';
import { fastpathVtd } from './fastpathVtd.js';

describe('the fast path in the model, at the default scope', () => {
  const states = new Map([
    [fastpathRing.name, 128_618],
    [fastpathDma.name, 1_458],
    [fastpathBlock.name, 4_611],
    [fastpathVtd.name, 25_001],
  ]);

  it.each(fastpathSuites.map((s) => [s.name, s] as const))('%s holds in every state', (_name, s) => {
    const m = buildAt(s, s.scope.default);
    const mayStop = s.mayStop as ((m: never) => boolean) | undefined;
    const result = exploreExhaustively(m, { properties: propertiesOf(s), mayStop });
    expect(result).toMatchObject({ verdict: 'complete', findings: [], states: states.get(s.name) });
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
  });

  it.each(batchSuites.map((s) => [s.name, s] as const))('reaches the beginning of %s from the first', (_name, s) => {
    const modules = s.machine.modules.filter((mod) => mod.name !== 'start of a batch');
    expect(modules.length).toBe(s.machine.modules.length - 1);
    const states = (machine: typeof s.machine): number =>
      exploreExhaustively(buildAt({ ...s, machine }, s.scope.default), { mayStop: () => true }).states;
    expect(states({ ...s.machine, modules })).toBe(states(s.machine));
  });

  it('reaches every beginning of the ring from the first', () => {
    const modules = fastpathRing.machine.modules.filter((mod) => mod.name !== 'start of the ring');
    const m = build({ ...fastpathRing.machine, modules }, { scope: fastpathRing.scope.default, schedule: 'split' });
    expect(exploreExhaustively(m, { mayStop: () => true }).states).toBe(128_618);
  });
});
