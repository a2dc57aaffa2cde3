/** The IOMMU suites at their default scopes: exact counts, so that a change of the specification is seen. */
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
  'iommu-tables': [57_090, 704_757],
  'iommu-teardown': [26_954, 141_589],
};

describe.each(iommuSuites.map((s) => [s.name, s] as const))('suite %s, default scope', (name, s) => {
  it('is complete and holds, with every witness reached', { timeout: 120_000 }, () => {
    const machine = build(s.machine, {
      scope: s.scope.default,
      schedule: s.schedule ?? 'whole',
      failures: s.failures ?? 'none',
    });
    const result = exploreExhaustively(machine, { properties: propertiesOf(s) });
    expect(result.findings.map((f) => f.why)).toEqual([]);
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([result.verdict, result.states, result.transitions]).toEqual(['complete', ...(DEFAULT[name] ?? [])]);
  });
});
