/**
 * The entry 'ringfence/vitest': a suite's claims as tests of a project of one's own. Each claim is a test that runs what its verdict needs,
 * in this process; a failure tells the trace as a person would, and ends with the line that replays it.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import type { Suite } from './drivers/suite.js';
import { InlineRun } from './explore/campaign/inline.js';
import { findingLines } from './reports/junit.js';
import { type FindingReport, makeReport, type SuiteReport } from './reports/report.js';
import { replaceFile } from './reports/save.js';

export interface SuiteTestOptions {
  /** Scope to explore: `default` unless given; `small` is meant for quick tests. */
  readonly scope?: string;
  /** Random runs; 100 unless given. */
  readonly runs?: number;
  /** Where random runs start; 1 unless given. */
  readonly seed?: number;
  /** A claim must be proved within its scope; sampled ones fail. */
  readonly requireProof?: boolean;
  /** Milliseconds a claim may take; two minutes unless given. */
  readonly timeoutMs?: number;
  /** Folder that gets the traces of failures: `ringfence-report` unless given. */
  readonly out?: string;
  /** The module of the suite as `replay` needs it: a path of compiled JavaScript. Not needed for suites of the package. */
  readonly module?: string;
}

/** Declares the tests of a suite: one for each claim, and one for what the harness checks without being asked. */
export function suiteTests(suite: Suite, options: SuiteTestOptions = {}): void {
  const scope = options.scope ?? 'default';
  const timeout = options.timeoutMs ?? 120_000;
  describe(`${suite.name} (scope ${scope})`, () => {
    let inline: InlineRun | undefined;
    const start = (): InlineRun => {
      inline ??= new InlineRun(suite, scope, { runs: options.runs ?? 100, seed: options.seed ?? 1 });
      return inline;
    };
    afterAll(() => {
      inline = undefined;
    });
    suite.claims.forEach((claim, index) => {
      it(claim.says, { timeout }, async () => {
        await start().claim(index);
        checkClaim(reportOf(start(), options), index, options);
      });
    });
    it('operations change only what they name, failures change nothing, and nothing gets stuck', {
      timeout,
    }, async () => {
      const contained = suite.claims.findIndex((c) => c.expects === 'contained');
      if (contained >= 0) await start().claim(contained);
      const { report, traces } = reportOf(start(), options);
      const claimed = new Set(report.claims.flatMap((c) => c.properties));
      const found = report.findings.filter((f) => !claimed.has(f.property));
      if (found.length > 0) fail([`${found.length} checks of the harness broke`], found, traces, options);
    });
  });
}

interface Told {
  readonly report: SuiteReport;
  readonly traces: ReadonlyMap<string, string>;
}

function reportOf(inline: InlineRun, o: SuiteTestOptions): Told {
  const inputs = { version: '', seed: o.seed ?? 1, runs: o.runs ?? 100, timeMs: undefined };
  const { report, traces } = makeReport({ runs: [inline.run], stopped: 'no', checkpoints: [] }, [], inputs);
  const [suite] = report.suites;
  if (!suite) throw new RangeError('the report has no suite');
  return { report: suite, traces };
}

function checkClaim({ report, traces }: Told, index: number, o: SuiteTestOptions): void {
  const c = report.claims[index];
  if (!c) throw new RangeError(`${report.name} has no claim ${index}`);
  const fine =
    c.verdict === 'proved within scope' ||
    c.verdict === 'not contained' ||
    (c.verdict === 'sampled' && !o.requireProof);
  if (fine) return;
  const found = report.findings.filter((f) => c.properties.includes(f.property));
  // The findings say what broke in full.
  const because = found.length > 0 ? [] : c.because.map((b) => `  ${b}`);
  fail([`${c.verdict}: ${c.says}`, ...because], found, traces, o);
}

/** Saves the traces and throws what the reader needs, with a stack that leads to the specification and not into the harness. */
function fail(
  head: readonly string[],
  found: readonly FindingReport[],
  traces: ReadonlyMap<string, string>,
  o: SuiteTestOptions,
): never {
  const out = o.out ?? 'ringfence-report';
  const folder = join(out, 'traces');
  for (const { trace } of found) {
    const text = traces.get(trace);
    if (text === undefined) continue;
    mkdirSync(folder, { recursive: true });
    replaceFile(join(folder, trace), text);
  }
  const module = o.module === undefined ? '' : ` --module ${o.module}`;
  const lines = findingLines(found, `${folder}/`).map((l) => (l.startsWith('replay: ') ? `${l}${module}` : l));
  const error = new Error([...head, ...lines].join('\n'));
  error.name = 'RingfenceFailure';
  // The only frame is the step that completed the breach: that is where a reader should look.
  const at = found[0]?.at;
  const frame = at ? `\n    at ${found[0]?.mechanism} (${resolve(at.file)}:${at.line}:1)` : '';
  error.stack = `${error.name}: ${error.message}${frame}`;
  throw error;
}
