/** User-level drivers at the default scopes: complete, without findings, every witness reached, exact counts. */
import { describe, expect, it } from 'vitest';
import { type ExhaustiveOptions, exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { propertiesOf } from '../suite.js';
import { userLevelDrivers } from './userLevelDrivers.js';
import { stepSuites } from './userLevelSteps.js';

/** States and transitions. */
const DEFAULT: Readonly<Record<string, readonly [states: number, transitions: number]>> = {
  'user-level-drivers-dma-then': [43_152, 389_690],
  'user-level-drivers-pages': [14_404, 140_008],
  'user-level-drivers-calls': [27_008, 341_753],
  'user-level-drivers-interrupts': [5_768, 47_506],
  'user-level-drivers-clients': [14_322, 59_424],
  'user-level-drivers-races': [63_732, 422_334],
  'user-level-drivers-dma': [43_152, 389_690],
  'user-level-drivers-ats': [38_136, 363_660],
  'user-level-drivers-bus': [60, 679],
};

const suites = [...new Set([...userLevelDrivers.suites.then, ...userLevelDrivers.suites.now])].flatMap((s) => {
  if (stepSuites.includes(s)) return [];
  const claims = s.claims.filter((c) => c.expects === 'contained');
  return claims.length > 0 ? [[s.name, s, propertiesOf({ ...s, claims })] as const] : [];
});

describe.each(suites)('suite %s, default scope', (name, s, properties) => {
  it('is complete and holds, with every witness reached', { timeout: 120_000 }, () => {
    const machine = build(s.machine, {
      scope: s.scope.default,
      schedule: s.schedule ?? 'whole',
      gatesOff: s.gatesOff ?? [],
    });
    const result = exploreExhaustively(machine, { properties, mayStop: s.mayStop as ExhaustiveOptions['mayStop'] });
    expect(result.findings.map((f) => f.why)).toEqual([]);
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([name, result.verdict, result.states, result.transitions]).toEqual([
      name,
      'complete',
      ...(DEFAULT[name] ?? []),
    ]);
  });
});
