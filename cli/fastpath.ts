/** `ringfence fastpath`: measures what the operations of suites allocate on V8's heap, prints the sheet, and writes it to fastpath.json. */
import { join, relative } from 'node:path';
import type { SuiteSource } from '../explore/campaign/described.js';
import { runFastpath } from '../explore/fastpath/run.js';
import { type FastpathSheet, type SuiteSheet, sheetHolds, suiteAllocates } from '../explore/fastpath/sheet.js';
import { fastpathLines, fastpathSummary, suiteLines, suiteSummary } from '../reports/fastpath.js';
import { checkFolder, replaceFile } from '../reports/save.js';
import { counted } from '../reports/text.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { onInterrupt } from './interrupt.js';
import type { CommonOptions } from './options.js';
import { checkName, isPath, moduleAt } from './suites.js';

export interface FastpathCommandOptions extends CommonOptions {
  readonly seed: number;
  readonly workers: number;
  /** Longest that one measuring process may take, in milliseconds. */
  readonly patience: number;
  readonly verbose: boolean;
}

/** Up to so many suites are shown operation by operation; of more, only what is not as it should be. */
const FEW_SUITES = 5;

/** Runs the command; the exit code: 0 when nothing allocates, 1 when something does, or when the meter missed its control. */
export async function fastpath(args: readonly string[], o: FastpathCommandOptions): Promise<number> {
  const out = new Console(o);
  const aborted = new AbortController();
  const release = onInterrupt(() => aborted.abort());
  const began = performance.now();
  const measured: SuiteSheet[] = [];
  let all = 0;
  try {
    checkFolder(o.out);
    const sheet = await runFastpath({
      sources: sourcesOf(args),
      signal: aborted.signal,
      onProgress: (suite, stage, done, of) => {
        all = of;
        out.progress(`${done}/${of} suites | ${left(performance.now() - began, done, of)} left | ${suite}: ${stage}`);
      },
      onSuite: (s) => measured.push(s),
      seed: o.seed,
      workers: o.workers,
      timeoutMs: o.patience,
    });
    out.clear();
    return tell(sheet, out, o, performance.now() - began);
  } catch (thrown) {
    out.clear();
    return aborted.signal.aborted ? tellInterrupted(measured, all, out) : failWith(thrown);
  } finally {
    release();
  }
}

/** Time left, from the suites done so far. */
function left(elapsedMs: number, done: number, all: number): string {
  return done === 0 ? '?' : `${Math.round(((elapsedMs / done) * (all - done)) / 1000)} s`;
}

function tell(sheet: FastpathSheet, out: Console, o: FastpathCommandOptions, tookMs: number): number {
  const holds = sheetHolds(sheet);
  const { style } = out.page;
  const whole = o.verbose || sheet.suites.length <= FEW_SUITES;
  out.lines(fastpathLines(sheet, out.page, whole));
  out.always([(holds ? style.green : style.red)(fastpathSummary(sheet))]);
  const text = `${JSON.stringify(sheet, undefined, 2)}\n`;
  out.json(text);
  replaceFile(join(o.out, 'fastpath.json'), text);
  const file = join(relative(process.cwd(), o.out) || o.out, 'fastpath.json');
  const workers = counted(Math.min(o.workers, sheet.suites.length), 'worker');
  out.lines([`sheet: ${file}, took ${(tookMs / 1000).toFixed(1)} s on ${workers}`]);
  return holds ? EXIT.holds : EXIT.broken;
}

/** What is known when the run is cut short. No sheet is written: half of one must not pass for a whole. */
function tellInterrupted(measured: readonly SuiteSheet[], all: number, out: Console): number {
  const bad = measured.filter(suiteAllocates);
  out.lines(bad.flatMap((s) => suiteLines(s, 0, out.page, false)));
  out.always([
    `interrupted: ${measured.length} of ${counted(all, 'suite')} measured${suiteSummary(bad)}; no sheet is written`,
  ]);
  return bad.length > 0 ? EXIT.broken : EXIT.interrupted;
}

/** Names of embedded suites and paths of modules, as sources; all embedded suites when there are none. */
function sourcesOf(args: readonly string[]): { source: SuiteSource; names?: readonly string[] }[] {
  const names = args.filter((a) => !isPath(a));
  for (const name of names) checkName(name);
  const modules = [...new Set(args.filter(isPath))].map((path) => ({ source: moduleAt(path) }));
  if (args.length === 0) return [{ source: { kind: 'embedded' } }];
  return names.length > 0 ? [{ source: { kind: 'embedded' }, names: [...new Set(names)] }, ...modules] : modules;
}
