/** `ringfence report`: makes the page, JUnit, SARIF and the summary from report.json, and opens the page if wanted. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cwd, env, platform, stdout } from 'node:process';
import { type Coverage, coverageAnswer } from '../reports/coverage.js';
import { documentsOf } from '../reports/documents.js';
import type { Retold } from '../reports/html/pack.js';
import { annotations } from '../reports/markdown.js';
import { type Roots, rootsAt } from '../reports/places.js';
import type { Report } from '../reports/report.js';
import { reportText } from '../reports/report.js';
import { saveDocuments } from '../reports/save.js';
import { summary } from '../reports/terminal.js';
import { printable } from '../reports/text.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { attacksAt, coverageAt, matrixAt, reportAt, sheetAt, shown, tracesOf } from './folder.js';
import type { CommonOptions } from './options.js';
import { DEFAULTS } from './options.js';
import { retell } from './retold.js';

export interface ReportOptions extends CommonOptions {
  readonly open: boolean;
  readonly annotations: boolean;
  readonly lcov?: string;
  readonly reasons?: string;
}

/** Runs the command; the exit code: 1 when reasons are given and coverage falls short. */
export async function report(o: ReportOptions): Promise<number> {
  const out = new Console(o);
  try {
    const read = reportAt(o.out);
    const told = o.lcov === undefined ? undefined : coverageAt(o.lcov, o.reasons);
    const traces = tracesOf(read.report, read.folder);
    const retold = await retell(read.report, traces, DEFAULTS);
    saveDocuments(o.out, makeDocuments(read.report, traces, o.out, retold, told?.coverage));
    out.json(reportText(read.report));
    if (o.annotations)
      stdout.write(
        annotations(read.report, here())
          .map((l) => `${l}\n`)
          .join(''),
      );
    const page = join(o.out, 'report.html');
    out.lines([summary(read.report), `report: ${shown(page)}`]);
    const short = told?.short ?? [];
    if (told !== undefined) out.always([coverageAnswer(told.coverage)]);
    out.always(short.map((l) => out.page.style.red(printable(l))));
    if (o.open) openPage(page, out);
    return short.length > 0 ? EXIT.broken : EXIT.holds;
  } catch (thrown) {
    return failWith(thrown);
  }
}

const here = (): Roots => rootsAt(cwd(), env.GITHUB_WORKSPACE);

/** Makes every document of a report. */
export function makeDocuments(
  r: Report,
  traces: ReadonlyMap<string, string>,
  folder: string,
  retold: ReadonlyMap<string, Retold> | undefined,
  coverage?: Coverage,
): ReadonlyMap<string, string> {
  const sheet = sheetAt(folder);
  const more = {
    fastpath: sheet,
    matrix: matrixAt(folder),
    attacks: attacksAt(folder),
    coverage,
    folder: shown(folder),
    roots: here(),
  };
  return documentsOf({ report: r, traces, retold: retold ?? new Map(), ...more });
}

/** Shows the page with whatever the system opens pages with. */
function openPage(path: string, out: Console): void {
  const opener = { darwin: 'open', win32: 'explorer' }[platform as string] ?? 'xdg-open';
  if (!existsSync(path)) return;
  const child = spawn(opener, [path], { stdio: 'ignore', detached: true });
  child.on('error', () => out.note(`${opener} is not there; open ${shown(path)} in a browser`));
  child.unref();
}
