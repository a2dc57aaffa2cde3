/** `ringfence merge`: makes one report of the reports of all shards. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compactLines, fitsInFull } from '../reports/compact.js';
import { type Report, reportText } from '../reports/report.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { mergeReports } from '../reports/shards.js';
import { reportLines, summary } from '../reports/terminal.js';
import { Console } from './console.js';
import { failWith } from './exit.js';
import { reportAt, shown, tracesOf } from './folder.js';
import { hasArchitectures, writeMatrix } from './matrix.js';
import { type CommonOptions, DEFAULTS } from './options.js';
import { makeDocuments } from './report.js';
import { retell } from './retold.js';
import { exitCodeOfReport } from './verdict.js';

/** Runs the command; the exit code is that of the whole run. */
export async function merge(paths: readonly string[], o: CommonOptions): Promise<number> {
  const out = new Console(o);
  try {
    const parts = paths.map((path) => ({ name: shown(path), ...reportAt(path) }));
    const whole = mergeReports(parts);
    const traces = new Map(parts.flatMap((p) => [...tracesOf(p.report, p.folder)]));
    checkFolder(o.out);
    const text = reportText(whole);
    // As verify does: what was made of another run says nothing of this one.
    for (const name of ['fastpath.json', 'matrix.json', 'matrix.md']) rmSync(join(o.out, name), { force: true });
    if (hasArchitectures(whole)) writeMatrix(whole, o.out);
    const documents = makeDocuments(whole, traces, o.out, await retell(whole, traces, DEFAULTS));
    saveReport(o.out, { report: text, traces, timings: timingsOf(parts.map((p) => p.folder)), documents });
    const tell = fitsInFull(whole.suites) ? reportLines : compactLines;
    out.lines(tell(whole, out.page));
    out.always(['', paint(whole, out)]);
    out.json(text);
    return exitCodeOfReport(whole);
  } catch (thrown) {
    return failWith(thrown);
  }
}

function paint(report: Report, out: Console): string {
  const { style } = out.page;
  return (report.verdict === 'holds' ? style.green : style.red)(summary(report));
}

/** The jobs' times of all shards: the next run's time left is guessed from them. */
function timingsOf(folders: readonly string[]): string {
  const jobs = folders.flatMap((folder): unknown[] => {
    const path = join(folder, 'timings.json');
    if (!existsSync(path)) return [];
    try {
      const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
      return typeof read === 'object' && read !== null && 'jobs' in read && Array.isArray(read.jobs) ? read.jobs : [];
    } catch {
      return [];
    }
  });
  return `${JSON.stringify({ format: 'ringfence-timings', version: 1, jobs }, undefined, 2)}\n`;
}
