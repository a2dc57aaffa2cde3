/** Reports of real campaigns on small suites, made in this thread: what tests of reports start from. */
import { embeddedSuites } from '../../drivers/catalogue.js';
import type { Suite } from '../../drivers/suite.js';
import type { SuiteRun } from '../../explore/campaign/campaign.js';
import { Control } from '../../explore/campaign/control.js';
import { failNthJob, planJobs } from '../../explore/campaign/jobs.js';
import { describe } from '../../explore/campaign/loading.js';
import { perform } from '../../explore/campaign/perform.js';
import { performReplay } from '../../explore/campaign/replaying.js';
import { makeReport, type Report } from '../report.js';

export interface Sample {
  readonly report: Report;
  /** Text of the trace files, by name. */
  readonly traces: ReadonlyMap<string, string>;
  /** Lines of the memory map after each step of each trace. */
  readonly maps: ReadonlyMap<string, readonly (readonly string[])[]>;
}

/** Runs every job of the suites at a scope, and makes the report. */
export async function sampleReport(suites: readonly Suite[], scopeName = 'default', seed = 1): Promise<Sample> {
  const runs: SuiteRun[] = [];
  for (const s of suites) runs.push(await runOf(s, scopeName, seed));
  const inputs = { version: '0.0.0-sample', seed, runs: 20, timeMs: undefined };
  const { report, traces } = makeReport({ runs, stopped: 'no', checkpoints: [] }, [], inputs);
  const maps = new Map([...traces].map(([name, trace]) => [name, mapsOf(trace, suites)] as const));
  return { report, traces, maps };
}

async function runOf(s: Suite, scopeName: string, seed: number): Promise<SuiteRun> {
  const description = describe({ kind: 'embedded' }, s);
  const scope = s.scope[scopeName] ?? s.scope.default;
  const jobs = planJobs(description, scope, scopeName === 'default', { runs: 20, seed }, undefined);
  const run: SuiteRun = { chosen: { suite: description, scope, scopeName }, jobs, answers: new Map() };
  // Jobs name their suite; the catalogue is where they look it up.
  const catalogue = embeddedSuites as Suite[];
  catalogue.push(s);
  try {
    for (const job of jobs) {
      const { answer } = await perform(job, new Control());
      run.answers.set(job.id, answer);
      if (answer.kind === 'exhaustive' && answer.sites.length > 0 && job.kind === 'exhaustive') jobs.push(failNthJob(job));
    }
  } finally {
    catalogue.splice(catalogue.indexOf(s), 1);
  }
  return run;
}

function mapsOf(trace: string, suites: readonly Suite[]): readonly (readonly string[])[] {
  const job = { kind: 'replay', id: 'replay', source: { kind: 'embedded' }, trace } as const;
  return performReplay(job, suites).steps.map((s) => s.map);
}
