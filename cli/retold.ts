/** Traces told again for the page: their memory maps, and since when the breach was inevitable. In workers, so that no suite can hang it. */
import type { SuiteSource } from '../explore/campaign/described.js';
import type { ReplayJob } from '../explore/campaign/jobs.js';
import { Pool } from '../explore/campaign/pool.js';
import type { Retold } from '../reports/html/pack.js';
import type { Report } from '../reports/report.js';

/** Traces that get a map, and the longest of them: the same for the same report, whatever the machine. */
const MAX_TRACES = 2000;
const MAX_TRACE_BYTES = 2_000_000;

/** Traces told again, by file. One that cannot be told again is left out. */
export async function retell(
  report: Report,
  traces: ReadonlyMap<string, string>,
  options: { readonly workers: number; readonly patienceMs: number },
): Promise<ReadonlyMap<string, Retold>> {
  const jobs = replayJobs(report, traces);
  const told = new Map<string, Retold>();
  if (jobs.length === 0) return told;
  const pool = new Pool({ ...options, workers: Math.max(1, Math.min(options.workers, 2, jobs.length)) });
  let next = 0;
  const one = async (): Promise<void> => {
    for (let job = jobs[next++]; job; job = jobs[next++]) {
      const answer = await pool.run(job);
      if (answer.kind !== 'replay' || !answer.applies) continue;
      told.set(job.id, {
        maps: answer.steps.map((s) => s.map),
        disabled: answer.steps.map((s) => s.disabled),
        inevitableSince: answer.inevitableSince,
      });
    }
  };
  try {
    await Promise.all([one(), ...(options.workers > 1 && jobs.length > 1 ? [one()] : [])]);
  } finally {
    await pool.end();
  }
  return told;
}

/** The replay jobs of a report: every trace that it names, in its order. */
export function replayJobs(report: Report, traces: ReadonlyMap<string, string>): ReplayJob[] {
  const jobs = report.suites.flatMap((s) => {
    const source: SuiteSource = s.module === null ? { kind: 'embedded' } : { kind: 'module', path: s.module };
    const names = [
      ...s.findings.map((f) => f.trace),
      ...s.claims.flatMap((c) => [
        ...c.counterparts.flatMap((p) => p.trace ?? []),
        ...(c.breach ? [c.breach.trace] : []),
      ]),
    ];
    return [...new Set(names)].flatMap((name): ReplayJob[] => {
      const trace = traces.get(name);
      return trace === undefined || trace.length > MAX_TRACE_BYTES ? [] : [{ kind: 'replay', id: name, source, trace }];
    });
  });
  return jobs.slice(0, MAX_TRACES);
}
