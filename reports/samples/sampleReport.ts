/** Reports of real campaigns on small suites, made in this thread: what tests of reports start from. */
import type { Suite } from '../../drivers/suite.js';
import type { SuiteRun } from '../../explore/campaign/campaign.js';
import { InlineRun } from '../../explore/campaign/inline.js';
import { performReplay } from '../../explore/campaign/replaying.js';
import type { Retold } from '../html/pack.js';
import { makeReport, type Report } from '../report.js';

export interface Sample {
  readonly report: Report;
  /** Text of the trace files, by name. */
  readonly traces: ReadonlyMap<string, string>;
  readonly retold: ReadonlyMap<string, Retold>;
}

/** Runs every job of the suites at a scope, and makes the report. */
export async function sampleReport(suites: readonly Suite[], scopeName = 'default', seed = 1): Promise<Sample> {
  const runs: SuiteRun[] = [];
  for (const s of suites) runs.push(await new InlineRun(s, scopeName, { runs: 20, seed }).all());
  const inputs = { version: '0.0.0-sample', seed, runs: 20, timeMs: undefined };
  const { report, traces } = makeReport({ runs, stopped: 'no', checkpoints: [] }, [], inputs);
  const retold = new Map([...traces].map(([name, trace]) => [name, retell(trace, suites)] as const));
  return { report, traces, retold };
}

function retell(trace: string, suites: readonly Suite[]): Retold {
  const job = { kind: 'replay', id: 'replay', source: { kind: 'embedded' }, trace } as const;
  const { steps, inevitableSince } = performReplay(job, suites);
  return { maps: steps.map((s) => s.map), disabled: steps.map((s) => s.disabled), inevitableSince };
}
