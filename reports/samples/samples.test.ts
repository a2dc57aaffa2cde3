/** The suites that tests of reports start from: one that holds, one that is broken. */
import { expect, it } from 'vitest';
import { brokenLendingSuite, lendingSuite } from './lendingSuite.js';
import { sampleReport } from './sampleReport.js';

it('has a suite that holds, with counterparts that break', async () => {
  const { report, traces } = await sampleReport([lendingSuite()]);
  expect(report.verdict).toBe('holds');
  expect(report.suites[0]?.claims.map((c) => c.verdict)).toEqual(['proved within scope']);
  expect(traces.size).toBeGreaterThanOrEqual(2);
});

it('has a suite that is broken', async () => {
  const { report } = await sampleReport([brokenLendingSuite()]);
  expect(report.verdict).toBe('broken');
  expect(report.suites[0]?.findings.map((f) => f.property)).toEqual(['I1 reach']);
});
