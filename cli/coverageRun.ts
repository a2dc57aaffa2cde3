/**
 * What `npm run coverage` measures: every embedded suite as `verify` runs it, but explored at its small scope where it has one, and in
 * processes of their own (see coverageChild.ts); and the costs of the matrix. Counterparts keep the scope that they break at. Random runs
 * are left out: what only chance reaches is not covered. Saves the report that `ringfence report --lcov` then puts the figures into.
 * Run: `node dist/cli/coverageRun.js <folder>`.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { argv, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { costsOf } from '../drivers/architectures/cost.js';
import { costRuns } from '../drivers/architectures/index.js';
import { embeddedSuites } from '../drivers/catalogue.js';
import type { CampaignState, SuiteRun } from '../explore/campaign/campaign.js';
import { CampaignError } from '../explore/campaign/errors.js';
import { makeReport, reportText } from '../reports/report.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { timingsText } from '../reports/timings.js';
import type { CoverageAnswer, CoverageJob } from './coverageChild.js';
import { EXIT, failWith } from './exit.js';
import { version } from './version.js';

const SEED = 1;
const CHILD = fileURLToPath(new URL('./coverageChild.js', import.meta.url));

/** Lets one process perform suites for as long as there are any. @throws CampaignError RF-WORKER-DIED */
async function inProcess(suites: Iterator<string>, done: Map<string, SuiteRun>): Promise<void> {
  const child = fork(CHILD, { serialization: 'advanced' });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (why) => resolve(why.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `exit code ${code ?? signal}`));
  });
  for (let next = suites.next(); next.done !== true; next = suites.next()) {
    const job: CoverageJob = { suite: next.value, seed: SEED };
    const answer = await Promise.race([
      ended,
      new Promise<CoverageAnswer>((resolve) => child.once('message', resolve).send(job)),
    ]);
    if (typeof answer === 'string')
      throw new CampaignError('RF-WORKER-DIED', `${next.value}: the process ended, ${answer}`);
    done.set(next.value, answer.run);
    stdout.write(`${next.value}: ${(answer.tookMs / 1000).toFixed(1)} s\n`);
  }
  // The engine writes its counters as the process ends.
  child.disconnect();
  const why = await ended;
  if (why !== '') throw new CampaignError('RF-WORKER-DIED', `a process of the coverage run ended with ${why}`);
}

/**
 * Runs every suite and saves the report into `folder`; the exit code. A witness that a small scope is too small for is no failure here:
 * `verify` judges the claims, and this run only has to have gone through.
 */
async function measure(folder: string): Promise<number> {
  checkFolder(folder);
  const began = performance.now();
  const workers = Math.min(availableParallelism(), 4);
  const suites = embeddedSuites.map((s) => s.name).values();
  const done = new Map<string, SuiteRun>();
  await Promise.all(Array.from({ length: workers }, () => inProcess(suites, done)));
  // The machines that the matrix takes its costs from are among what is exercised.
  for (const scripted of costRuns.values()) costsOf(scripted);
  const runs = embeddedSuites.flatMap((s) => done.get(s.name) ?? []);
  const state: CampaignState = { runs, stopped: 'no', checkpoints: [] };
  const { report, traces } = makeReport(state, [], { version, seed: SEED, runs: 0, timeMs: undefined });
  const timings = timingsText(state, workers, performance.now() - began);
  saveReport(folder, { report: reportText(report), traces, timings, documents: new Map() });
  const broken = report.suites.filter((x) => x.error !== null || x.findings.length > 0);
  for (const { name } of broken)
    stdout.write(`${name} broke, so nothing is measured: see 'npx ringfence verify ${name}'\n`);
  return report.errors.length > 0 || broken.length > 0 ? EXIT.broken : EXIT.holds;
}

let code: number;
try {
  code = await measure(argv[2] ?? 'coverage/report');
} catch (thrown) {
  code = failWith(thrown);
}
exit(code);
