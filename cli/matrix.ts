/** `ringfence matrix`: the containment matrix of the five architectures, from the report of a run. */
import { join } from 'node:path';
import { costsOf } from '../drivers/architectures/cost.js';
import { architectureSuites, architectures, costRuns, recoveryRuns } from '../drivers/architectures/index.js';
import { recoveriesOf } from '../explore/recoveryDistance.js';
import { type Matrix, matrixOf } from '../reports/matrix.js';
import { matrixMarkdown } from '../reports/matrixMarkdown.js';
import { matrixLines } from '../reports/matrixText.js';
import type { Report } from '../reports/report.js';
import { replaceFile } from '../reports/save.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { reportAt, shown } from './folder.js';
import type { CommonOptions } from './options.js';

export interface MatrixOptions extends CommonOptions {
  readonly markdown: boolean;
  /** Each cell in words. */
  readonly verbose: boolean;
}

/** Runs the command; 1 when a cell is broken or a mutant was missed, 3 when one was not exercised. */
export async function matrix(o: MatrixOptions): Promise<number> {
  const out = new Console(o);
  try {
    const { report, folder } = reportAt(o.out);
    const m = writeMatrix(report, folder);
    if (o.markdown) out.always(matrixMarkdown(m).trimEnd().split('\n'));
    else out.lines(matrixLines(m, out.page, o.verbose));
    out.json(matrixJson(m));
    out.lines(['', `written: ${shown(join(folder, 'matrix.md'))}, ${shown(join(folder, 'matrix.json'))}`]);
    return exitCode(m);
  } catch (thrown) {
    return failWith(thrown);
  }
}

/** Makes the matrix of a report and writes it beside the report, as JSON and Markdown. */
export function writeMatrix(report: Report, folder: string): Matrix {
  const costs = architectures.map((a) => ({
    architecture: a.id,
    costs: costsOf(costRuns.get(a.id) ?? []),
    recoveries: recoveriesOf(recoveryRuns.get(a.id) ?? []),
    figures: a.figures,
  }));
  const m = matrixOf(report, architectures, costs);
  replaceFile(join(folder, 'matrix.md'), matrixMarkdown(m));
  replaceFile(join(folder, 'matrix.json'), matrixJson(m));
  return m;
}

/** Whether the report has suites of the architectures. */
export function hasArchitectures(report: Pick<Report, 'suites'>): boolean {
  const names = new Set(architectureSuites.map((s) => s.name));
  return report.suites.some((s) => names.has(s.name));
}

const matrixJson = (m: Matrix): string => `${JSON.stringify(m, undefined, 2)}\n`;

function exitCode(m: Matrix): number {
  const cells = [...m.cells, ...m.faults];
  if (cells.some((c) => c.found === 'broken') || m.mutants.some((x) => x.verdict === 'missed')) return EXIT.broken;
  const idle = cells.some((c) => c.found === 'not exercised') || m.mutants.some((x) => x.verdict === 'not exercised');
  return idle ? EXIT.environment : EXIT.holds;
}
