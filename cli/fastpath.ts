/** `ringfence fastpath`: measures what the operations of suites allocate on V8's heap, prints the sheet, and writes it to fastpath.json. */
import { join, relative } from 'node:path';
import type { SuiteSource } from '../explore/campaign/described.js';
import { runFastpath } from '../explore/fastpath/run.js';
import { type FastpathSheet, sheetHolds } from '../explore/fastpath/sheet.js';
import { fastpathLines, fastpathSummary } from '../reports/fastpath.js';
import { checkFolder, replaceFile } from '../reports/save.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { onInterrupt } from './interrupt.js';
import type { CommonOptions } from './options.js';
import { checkName, isPath, moduleAt } from './suites.js';

export interface FastpathCommandOptions extends CommonOptions {
  readonly seed: number;
  /** Longest that one measuring process may take, in milliseconds. */
  readonly patience: number;
}

/** Runs the command; the exit code: 0 when nothing allocates, 1 when something does, or when the meter missed its control. */
export async function fastpath(args: readonly string[], o: FastpathCommandOptions): Promise<number> {
  const out = new Console(o);
  const aborted = new AbortController();
  const release = onInterrupt(() => aborted.abort());
  try {
    checkFolder(o.out);
    const sheet = await runFastpath({
      sources: sourcesOf(args),
      signal: aborted.signal,
      onProgress: (suite, stage) => out.progress(`${suite}: ${stage}`),
      seed: o.seed,
      timeoutMs: o.patience,
    });
    out.clear();
    return tell(sheet, out, o.out);
  } catch (thrown) {
    out.clear();
    return aborted.signal.aborted ? EXIT.interrupted : failWith(thrown);
  } finally {
    release();
  }
}

function tell(sheet: FastpathSheet, out: Console, folder: string): number {
  const holds = sheetHolds(sheet);
  const { style } = out.page;
  out.lines(fastpathLines(sheet, out.page));
  out.always([(holds ? style.green : style.red)(fastpathSummary(sheet))]);
  const text = `${JSON.stringify(sheet, undefined, 2)}\n`;
  out.json(text);
  replaceFile(join(folder, 'fastpath.json'), text);
  out.lines([`sheet: ${join(relative(process.cwd(), folder) || folder, 'fastpath.json')}`]);
  return holds ? EXIT.holds : EXIT.broken;
}

/** Names of embedded suites and paths of modules, as sources; all embedded suites when there are none. */
function sourcesOf(args: readonly string[]): { source: SuiteSource; names?: readonly string[] }[] {
  const names = args.filter((a) => !isPath(a));
  for (const name of names) checkName(name);
  const modules = [...new Set(args.filter(isPath))].map((path) => ({ source: moduleAt(path) }));
  if (args.length === 0) return [{ source: { kind: 'embedded' } }];
  return names.length > 0 ? [{ source: { kind: 'embedded' }, names: [...new Set(names)] }, ...modules] : modules;
}
