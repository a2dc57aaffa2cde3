/** The IOMMU suites at their default scopes (and the larger ones at their small ones): exact counts, so that a change is seen. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { propertiesOf } from '../suite.js';
import { iommuSuites } from './iommu.js';

const DEFAULT: Readonly<Record<string, readonly [states: number, transitions: number]>> = {
  iommu: [222_696, 5_408_485],
  'iommu-race': [88_614, 1_262_050],
  'iommu-timeout': [49_370, 559_024],
  'iommu-queue': [318_069, 3_765_685],
  'iommu-tables': [204_594, 2_699_905],
  'iommu-superpages': [14_704, 228_778],
  'iommu-teardown': [28_284, 149_169],
};

const SMALL: Readonly<Record<string, readonly [states: number, transitions: number]>> = {
  'iommu-queue': [132_597, 1_368_037],
  'iommu-tables': [57_090, 616_113],
};

const runs = iommuSuites.flatMap((s) => [
  [s.name, 'default', s, s.scope.default, DEFAULT[s.name]] as const,
  ...(s.scope.small && s.name in SMALL ? [[s.name, 'small', s, s.scope.small, SMALL[s.name]] as const] : []),
]);

describe.each(runs)('suite %s, %s scope', (_name, _which, s, scope, counts) => {
  it('is complete and holds, with every witness reached', { timeout: 300_000 }, () => {
    const machine = build(s.machine, {
      scope,
      schedule: s.schedule ?? 'whole',
      failures: s.failures ?? 'none',
    });
    const result = exploreExhaustively(machine, { properties: propertiesOf(s) });
    expect(result.findings.map((f) => f.why)).toEqual([]);
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([result.verdict, result.states, result.transitions]).toEqual(['complete', ...(counts ?? [])]);
  });
});
