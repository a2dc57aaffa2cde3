/** `ringfence matrix`: the containment matrix of the five architectures, from the report of a run. */
import { join } from 'node:path';
import { costsOf } from '../drivers/architectures/cost.js';
import { architectures, costRuns } from '../drivers/architectures/index.js';
import { type Matrix, matrixOf } from '../reports/matrix.js';
import { matrixLines, matrixMarkdown } from '../reports/matrixText.js';
import { replaceFile } from '../reports/save.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { reportAt, shown } from './folder.js';
import type { CommonOptions } from './options.js';

export interface MatrixOptions extends CommonOptions {
  readonly markdown: boolean;
}

/** Runs the command; 1 when a cell is broken, 3 when one was not exercised. */
export async function matrix(o: MatrixOptions): Promise<number> {
  const out = new Console(o);
  try {
    const { report, folder } = reportAt(o.out);
    const costs = architectures.map((a) => ({
      architecture: a.id,
      costs: costsOf(costRuns.get(a.id) ?? []),
      figures: a.figures,
    }));
    const m = matrixOf(report, architectures, costs);
    const text = matrixMarkdown(m);
    replaceFile(join(folder, 'matrix.md'), text);
    replaceFile(join(folder, 'matrix.json'), matrixJson(m));
    if (o.markdown) out.always(text.trimEnd().split('\n'));
    else out.lines(matrixLines(m, out.page));
    out.json(matrixJson(m));
    out.lines(['', `written: ${shown(join(folder, 'matrix.md'))}, ${shown(join(folder, 'matrix.json'))}`]);
    return exitCode(m);
  } catch (thrown) {
    return failWith(thrown);
  }
}

const matrixJson = (m: Matrix): string => `${JSON.stringify(m, undefined, 2)}\n`;

function exitCode(m: Matrix): number {
  if (m.cells.some((c) => c.found === 'broken')) return EXIT.broken;
  return m.cells.some((c) => c.found === 'not exercised') ? EXIT.environment : EXIT.holds;
}
