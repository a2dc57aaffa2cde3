/** `ringfence gate`: compares the report with the committed baseline; `--update` accepts what is. */
import { existsSync } from 'node:fs';
import { baselineOf, baselineText, readBaseline } from '../reports/baseline.js';
import { gate as compare, gateLines } from '../reports/gate.js';
import { ReportError } from '../reports/reportError.js';
import { replaceFile } from '../reports/save.js';
import { printable } from '../reports/text.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { reportAt, sheetAt, shown, textOf } from './folder.js';
import type { CommonOptions } from './options.js';

export interface GateOptions extends CommonOptions {
  readonly baseline: string;
  readonly update: boolean;
}

/** Runs the command; the exit code: 1 when something was lost or is newly wrong. */
export async function gate(o: GateOptions): Promise<number> {
  const out = new Console(o);
  try {
    const { report, folder } = reportAt(o.out);
    const sheet = sheetAt(folder);
    const name = shown(o.baseline);
    if (o.update) {
      if (report.partial !== 'no' || report.shard) {
        const what = report.shard ? 'the report is that of a shard' : 'the run did not end';
        throw new ReportError('RF-BASELINE', `${what}; a baseline is made of a whole run`);
      }
      const text = baselineText(baselineOf(report, sheet));
      const before = existsSync(o.baseline) ? textOf(o.baseline, 'RF-BASELINE', '') : undefined;
      if (before !== text) replaceFile(o.baseline, text);
      out.always([before === text ? `baseline: ${name} is up to date` : `baseline: ${name} written`]);
      out.json(text);
      return EXIT.holds;
    }
    const baseline = readBaseline(textOf(o.baseline, 'RF-BASELINE', "make it with 'ringfence gate --update'"), name);
    const result = compare(report, baseline, sheet);
    const { style } = out.page;
    const paint = result.ok ? style.green : style.red;
    out.always(gateLines(result, name).map((l) => paint(printable(l))));
    out.json(`${JSON.stringify(result, undefined, 2)}\n`);
    return result.ok ? EXIT.holds : EXIT.broken;
  } catch (thrown) {
    return failWith(thrown);
  }
}
