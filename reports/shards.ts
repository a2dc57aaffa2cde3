/** Shards: a run cut into parts that different machines perform, and their reports made one again. A part that is missing is no pass. */
import type { Report, SuiteReport } from './report.js';
import { ReportError } from './reportError.js';

/** Which part of a run this is. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/** Reads `2/5`. Undefined when it is no shard. */
export function parseShard(text: string): Shard | undefined {
  const found = /^(\d{1,4})\/(\d{1,4})$/.exec(text.trim());
  if (!found) return undefined;
  const [index, of] = [Number(found[1]), Number(found[2])];
  return index >= 1 && index <= of ? { index, of } : undefined;
}

/** The shard's share: every n-th, so that long suites that stand together are not all in one part. */
export function inShard<T>(all: readonly T[], { index, of }: Shard): T[] {
  return all.filter((_, i) => i % of === index - 1);
}

/** A part's report, with the file it came from for messages. */
export interface Part {
  readonly name: string;
  readonly report: Report;
}

/**
 * Makes one report of the reports of all shards.
 * @throws ReportError RF-SHARD when a part is missing, double, of another run, or not what it says
 */
export function mergeReports(parts: readonly Part[]): Report {
  const [first] = parts;
  if (!first) throw new ReportError('RF-SHARD', 'there is nothing to merge; name the reports of all shards');
  for (const { name, report } of parts) checkSameRun(first, name, report);
  const of = first.report.shard?.of ?? 0;
  const byIndex = new Map<number, Part>();
  for (const part of parts) {
    const index = part.report.shard?.index ?? 0;
    const other = byIndex.get(index);
    if (other) throw new ReportError('RF-SHARD', `${part.name} and ${other.name} are both shard ${index}/${of}`);
    byIndex.set(index, part);
  }
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((i) => !byIndex.has(i));
  if (missing.length > 0) {
    const which = missing
      .slice(0, 10)
      .map((i) => `${i}/${of}`)
      .join(', ');
    throw new ReportError('RF-SHARD', `shard ${which} is missing; a run is whole only with all ${of} parts`);
  }
  const ordered = [...byIndex].sort(([a], [b]) => a - b).map(([, part]) => part);
  const suites = new Map<string, SuiteReport>();
  for (const { name, report } of ordered) {
    for (const s of report.suites) {
      if (suites.has(s.name))
        throw new ReportError('RF-SHARD', `${name} has the suite '${s.name}', which another shard has too`);
      suites.set(s.name, s);
    }
  }
  const errors = ordered.flatMap((p) => p.report.errors);
  const wanted = first.report.shard?.suites ?? [];
  for (const name of wanted) {
    // Every part loads every module; a module that fails to load fails in all of them, and has no suites in any.
    if (!suites.has(name)) throw new ReportError('RF-SHARD', `no shard has the suite '${name}'`);
  }
  const extra = [...suites.keys()].find((name) => !wanted.includes(name));
  if (extra !== undefined) throw new ReportError('RF-SHARD', `the suite '${extra}' is not one of this run`);
  const { shard: _, ...whole } = first.report;
  return {
    ...whole,
    verdict: worst(ordered.map((p) => p.report.verdict)),
    partial: ordered.map((p) => p.report.partial).find((p) => p !== 'no') ?? 'no',
    suites: wanted.flatMap((name) => suites.get(name) ?? []),
    errors: [...new Map(errors.map((e) => [JSON.stringify(e), e])).values()],
  };
}

function checkSameRun(first: Part, name: string, r: Report): void {
  const a = first.report;
  if (!r.shard) throw new ReportError('RF-SHARD', `${name} is the report of a whole run, and not of a shard`);
  const differs = (what: string): never => {
    throw new ReportError('RF-SHARD', `${name} and ${first.name} differ in ${what}; they are not parts of one run`);
  };
  if (r.ringfence !== a.ringfence) differs('the version of ringfence');
  if (JSON.stringify(r.inputs) !== JSON.stringify(a.inputs)) differs('seed, runs or time');
  if (r.shard.of !== a.shard?.of) differs('the number of shards');
  if (JSON.stringify(r.shard.suites) !== JSON.stringify(a.shard?.suites)) differs('the suites of the whole run');
}

function worst(verdicts: readonly Report['verdict'][]): Report['verdict'] {
  return (['broken', 'error', 'partial'] as const).find((v) => verdicts.includes(v)) ?? 'holds';
}
