/**
 * What `npm run coverage` measures: every embedded suite as `verify` runs it, at its small scope where it has one, in one thread, because
 * the coverage of a worker is lost when the worker is ended. Random runs are left out: what only chance reaches is not covered.
 * Saves the report that `ringfence report --lcov` then puts the figures into. Run: `node dist/cli/coverageRun.js <folder>`.
 */
import { Session } from 'node:inspector';
import { argv, exit, stdout } from 'node:process';
import { embeddedSuites } from '../drivers/catalogue.js';
import type { CampaignState, SuiteRun } from '../explore/campaign/campaign.js';
import { InlineRun } from '../explore/campaign/inline.js';
import { makeReport, reportText } from '../reports/report.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { timingsText } from '../reports/timings.js';
import { failWith } from './exit.js';
import { exitCodeOfReport } from './verdict.js';
import { version } from './version.js';

const SEED = 1;

/** Suites explored at their default scope all the same: part of their specification needs more than the small one has. */
const AT_DEFAULT: ReadonlySet<string> = new Set<string>([]);

/**
 * Keeps the engine's counters. The harness asks the engine for the lines of steps (../explore/locations.ts), and when the last session
 * with a debugger ends, the engine forgets the branch counters of every function it has; so one session stays until the end.
 */
function keepCounters(): void {
  const session = new Session();
  session.connect();
  session.post('Debugger.enable');
}

/** Runs every suite and saves the report into `folder`; the exit code of `verify`. */
async function measure(folder: string): Promise<number> {
  checkFolder(folder);
  keepCounters();
  const began = performance.now();
  const runs: SuiteRun[] = [];
  for (const suite of embeddedSuites) {
    const scopeName = suite.scope.small && !AT_DEFAULT.has(suite.name) ? 'small' : 'default';
    const since = performance.now();
    runs.push(await new InlineRun(suite, scopeName, { runs: 0, seed: SEED }).all());
    stdout.write(`${suite.name} (${scopeName}): ${((performance.now() - since) / 1000).toFixed(1)} s\n`);
  }
  const state: CampaignState = { runs, stopped: 'no', checkpoints: [] };
  const { report, traces } = makeReport(state, [], { version, seed: SEED, runs: 0, timeMs: undefined });
  const timings = timingsText(state, 1, performance.now() - began);
  saveReport(folder, { report: reportText(report), traces, timings, documents: new Map() });
  stdout.write(`verdict: ${report.verdict}\n`);
  return exitCodeOfReport(report);
}

let code: number;
try {
  code = await measure(argv[2] ?? 'coverage/report');
} catch (thrown) {
  code = failWith(thrown);
}
exit(code);
