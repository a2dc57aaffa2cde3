/**
 * What `npm run coverage` measures: every embedded suite as `verify` runs it, but explored at its small scope where it has one, and in one
 * thread, because the coverage of a worker is lost when the worker is ended. Counterparts keep the scope that they break at. Random runs are left out: what only chance reaches is not covered.
 * Saves the report that `ringfence report --lcov` then puts the figures into. Run: `node dist/cli/coverageRun.js <folder>`.
 */
import { Session } from 'node:inspector';
import { argv, exit, stdout } from 'node:process';
import { embeddedSuites } from '../drivers/catalogue.js';
import type { Suite } from '../drivers/suite.js';
import type { CampaignState, SuiteRun } from '../explore/campaign/campaign.js';
import { InlineRun } from '../explore/campaign/inline.js';
import { makeReport, reportText } from '../reports/report.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { timingsText } from '../reports/timings.js';
import { EXIT, failWith } from './exit.js';
import { version } from './version.js';

const SEED = 1;

/**
 * Keeps the engine's counters. The harness asks the engine for the lines of steps (../explore/locations.ts), and when the last session
 * with a debugger ends, the engine forgets the branch counters of every function it has; so one session stays until the end.
 */
function keepCounters(): void {
  const session = new Session();
  session.connect();
  session.post('Debugger.enable');
}

/** Performs all jobs of a suite. A small scope may be too small for a breach, so that of a counterpart is never made smaller. */
async function explored(suite: Suite): Promise<SuiteRun> {
  const inline = new InlineRun(suite, suite.scope.small ? 'small' : 'default', { runs: 0, seed: SEED });
  const { jobs } = inline.run;
  jobs.forEach((job, i) => {
    if (job.kind !== 'counterpart') return;
    const scope = suite.claims[job.claim]?.without[job.without]?.scope ?? suite.scope.default;
    jobs[i] = { ...job, scope };
  });
  return inline.all();
}

/**
 * Runs every suite and saves the report into `folder`; the exit code. A witness that a small scope is too small for is no failure here:
 * `verify` judges the claims, and this run only has to have gone through.
 */
async function measure(folder: string): Promise<number> {
  checkFolder(folder);
  keepCounters();
  const began = performance.now();
  const runs: SuiteRun[] = [];
  for (const suite of embeddedSuites) {
    const since = performance.now();
    runs.push(await explored(suite));
    stdout.write(`${suite.name}: ${((performance.now() - since) / 1000).toFixed(1)} s\n`);
  }
  const state: CampaignState = { runs, stopped: 'no', checkpoints: [] };
  const { report, traces } = makeReport(state, [], { version, seed: SEED, runs: 0, timeMs: undefined });
  const timings = timingsText(state, 1, performance.now() - began);
  saveReport(folder, { report: reportText(report), traces, timings, documents: new Map() });
  const failed = report.errors.length > 0 || report.suites.some((x) => x.error !== null || x.findings.length > 0);
  return failed ? EXIT.broken : EXIT.holds;
}

let code: number;
try {
  code = await measure(argv[2] ?? 'coverage/report');
} catch (thrown) {
  code = failWith(thrown);
}
exit(code);
