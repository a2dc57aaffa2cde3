/** What depends on the clock and the machine: kept apart from the report, so that reports can be compared byte by byte. */
import type { CampaignState, SuiteRun } from '../explore/campaign/campaign.js';

/** States a second of the suite's exhaustive run with all gates on; undefined when it did not run. */
export function ratesOf(run: SuiteRun): number | undefined {
  const a = run.answers.get(`${run.chosen.suite.name}/exhaustive`);
  if (a?.kind !== 'exhaustive' || a.resumed || a.tookMs <= 0) return undefined;
  return (a.states * 1000) / a.tookMs;
}

/** Text of timings.json: milliseconds. */
export function timingsText(state: CampaignState, workers: number, wallMs: number): string {
  const jobs = state.runs.flatMap((r) =>
    r.jobs.flatMap((j) => {
      const a = r.answers.get(j.id);
      return a && a.kind !== 'skipped' ? [{ id: j.id, tookMs: Math.round(a.tookMs) }] : [];
    }),
  );
  const rates = Object.fromEntries(
    state.runs.flatMap((r) => {
      const rate = ratesOf(r);
      return rate === undefined ? [] : [[r.chosen.suite.name, Math.round(rate)]];
    }),
  );
  const content = {
    format: 'ringfence-timings',
    version: 1,
    wallMs: Math.round(wallMs),
    workers,
    statesPerSecond: rates,
    jobs,
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
