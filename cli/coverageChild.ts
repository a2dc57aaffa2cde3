/**
 * A process of `npm run coverage`: performs the jobs of the suites that its parent names, one after the other, and tells their traces
 * again. A process and no worker thread, because the engine's counters of a worker are lost when the worker is ended.
 */
import { Session } from 'node:inspector';
import process, { exit } from 'node:process';
import { embeddedSuites } from '../drivers/catalogue.js';
import type { Suite } from '../drivers/suite.js';
import type { CampaignState, SuiteRun } from '../explore/campaign/campaign.js';
import { Control, type JobProgress } from '../explore/campaign/control.js';
import { InlineRun } from '../explore/campaign/inline.js';
import { performReplay } from '../explore/campaign/replaying.js';
import { makeReport } from '../reports/report.js';
import { failWith } from './exit.js';
import { replayJobs } from './retold.js';
import { version } from './version.js';

/** States that a job may see. The few jobs that have more at their small scopes reach no branch behind the first 70,000. */
const MAX_STATES = 70_000;

/** What the parent asks for: a suite by name, and the seed that the report will name. */
export interface CoverageJob {
  readonly suite: string;
  readonly seed: number;
}

/** What the child answers. */
export interface CoverageAnswer {
  readonly run: SuiteRun;
  readonly tookMs: number;
}

/**
 * Keeps the engine's counters. The harness asks the engine for the lines of steps (../explore/locations.ts), and when the last session
 * with a debugger ends, the engine forgets the branch counters of every function it has; so one session stays until the end.
 */
function keepCounters(): void {
  const session = new Session();
  session.connect();
  session.post('Debugger.enable');
}

/** Ends a job once it has seen enough states. States are counted and no clock is asked, so the same branches are taken every time. */
class Enough extends Control {
  override progress(p: Partial<JobProgress>): boolean {
    if ((p.states ?? 0) >= MAX_STATES) this.stop('interrupt');
    return super.progress(p);
  }
}

/** Performs all jobs of a suite. A small scope may be too small for a breach, so that of a counterpart is never made smaller. */
async function explored(suite: Suite, seed: number): Promise<SuiteRun> {
  const inline = new InlineRun(suite, suite.scope.small ? 'small' : 'default', { runs: 0, seed }, () => new Enough());
  const { jobs } = inline.run;
  jobs.forEach((job, i) => {
    if (job.kind !== 'counterpart') return;
    const scope = suite.claims[job.claim]?.without[job.without]?.scope ?? suite.scope.default;
    jobs[i] = { ...job, scope };
  });
  return inline.all();
}

/** Tells the traces of a suite's report again, as the page does: memory maps, and since when the breach was inevitable. */
function retold(suite: Suite, run: SuiteRun, seed: number): void {
  const state: CampaignState = { runs: [run], stopped: 'no', checkpoints: [] };
  const { report, traces } = makeReport(state, [], { version, seed, runs: 0, timeMs: undefined });
  for (const job of replayJobs(report, traces)) performReplay(job, [suite]);
}

async function answer({ suite: name, seed }: CoverageJob): Promise<CoverageAnswer> {
  const began = performance.now();
  const suite = embeddedSuites.find((s) => s.name === name);
  if (!suite) throw new RangeError(`there is no suite '${name}'`);
  const run = await explored(suite, seed);
  retold(suite, run, seed);
  return { run, tookMs: performance.now() - began };
}

keepCounters();
process.on('message', (job: CoverageJob) => {
  answer(job).then(
    (made) => process.send?.(made),
    (thrown: unknown) => exit(failWith(thrown)),
  );
});
// Not by a signal: the counters are written when the process ends by itself.
process.on('disconnect', () => exit());
