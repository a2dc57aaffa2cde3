/** The memory map along traces, for the page: each trace is told again in a worker, so that no suite can hang or crash the command. */
import type { SuiteSource } from '../explore/campaign/described.js';
import type { ReplayJob } from '../explore/campaign/jobs.js';
import { Pool } from '../explore/campaign/pool.js';
import type { Report } from '../reports/report.js';

/** Traces that get a map, and the longest of them: the same for the same report, whatever the machine. */
const MAX_TRACES = 200;
const MAX_TRACE_BYTES = 2_000_000;

export type Maps = ReadonlyMap<string, readonly (readonly string[])[]>;

/** Lines of the memory map after each step, by trace file. A trace that cannot be told again has none. */
export async function mapsOf(
  report: Report,
  traces: ReadonlyMap<string, string>,
  options: { readonly workers: number; readonly patienceMs: number },
): Promise<Maps> {
  const jobs = jobsOf(report, traces);
  const maps = new Map<string, readonly (readonly string[])[]>();
  if (jobs.length === 0) return maps;
  const pool = new Pool({ ...options, workers: Math.max(1, Math.min(options.workers, 2, jobs.length)) });
  let next = 0;
  const one = async (): Promise<void> => {
    for (let job = jobs[next++]; job; job = jobs[next++]) {
      const answer = await pool.run(job);
      if (answer.kind === 'replay' && answer.applies)
        maps.set(
          job.id,
          answer.steps.map((s) => s.map),
        );
    }
  };
  try {
    await Promise.all([one(), ...(options.workers > 1 && jobs.length > 1 ? [one()] : [])]);
  } finally {
    await pool.end();
  }
  return maps;
}

function jobsOf(report: Report, traces: ReadonlyMap<string, string>): ReplayJob[] {
  const jobs = report.suites.flatMap((s) => {
    const source: SuiteSource = s.module === null ? { kind: 'embedded' } : { kind: 'module', path: s.module };
    const names = [
      ...s.findings.map((f) => f.trace),
      ...s.claims.flatMap((c) => c.counterparts.flatMap((p) => p.trace ?? [])),
    ];
    return [...new Set(names)].flatMap((name): ReplayJob[] => {
      const trace = traces.get(name);
      return trace === undefined || trace.length > MAX_TRACE_BYTES ? [] : [{ kind: 'replay', id: name, source, trace }];
    });
  });
  return jobs.slice(0, MAX_TRACES);
}
