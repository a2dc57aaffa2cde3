/** Reading a report's folder back: the report, its traces, and the sheets beside it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { cwd } from 'node:process';
import type { FastpathSheet } from '../explore/fastpath/sheet.js';
import { MAX_TRACE_BYTES } from '../explore/traceFile.js';
import { type Coverage, coverageOf, readReasons, shortcomings } from '../reports/coverage.js';
import { type AttackReport, readAttackReport } from '../reports/html/targetSection.js';
import { readLcov } from '../reports/lcov.js';
import { MATRIX_VERSION, type Matrix } from '../reports/matrix.js';
import { readReport } from '../reports/readReport.js';
import type { Report } from '../reports/report.js';
import { ReportError } from '../reports/reportError.js';

/** A folder as a person would type it. */
export function shown(folder: string): string {
  return relative(cwd(), folder) || '.';
}

/** The text of a file. @throws ReportError with what is missing */
export function textOf(path: string, code: 'RF-REPORT' | 'RF-BASELINE', help: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    const why = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    throw new ReportError(code, `${shown(path)} cannot be read (${why === 'ENOENT' ? 'no such file' : why}); ${help}`);
  }
}

/** The report of a folder, or of a file that is one. @throws ReportError RF-REPORT */
export function reportAt(path: string): { report: Report; folder: string } {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder || !path.endsWith('.json') ? join(path, 'report.json') : path;
  const report = readReport(textOf(file, 'RF-REPORT', "make it with 'ringfence verify'"), shown(file));
  return { report, folder: dirname(file) };
}

/** Text of the traces that the report names; those that are gone are left out. */
export function tracesOf(report: Report, folder: string): Map<string, string> {
  const names = report.suites.flatMap((s) => [
    ...s.findings.map((f) => f.trace),
    ...s.claims.flatMap((c) => [
      ...c.counterparts.flatMap((p) => p.trace ?? []),
      ...(c.breach ? [c.breach.trace] : []),
    ]),
  ]);
  const traces = new Map<string, string>();
  for (const name of new Set(names)) {
    // Names come from a file: they must not lead out of the folder.
    const path = join(folder, 'traces', name);
    if (!/^[a-z0-9_-]+\.json$/.test(name) || !existsSync(path) || statSync(path).size > MAX_TRACE_BYTES) continue;
    traces.set(name, readFileSync(path, 'utf8'));
  }
  return traces;
}

/** The fast-path sheet beside a report, if there is one. @throws ReportError RF-REPORT */
export function sheetAt(folder: string): FastpathSheet | undefined {
  const path = join(folder, 'fastpath.json');
  if (!existsSync(path)) return undefined;
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (
      typeof read === 'object' &&
      read !== null &&
      'schema' in read &&
      read.schema === 2 &&
      'suites' in read &&
      Array.isArray(read.suites)
    ) {
      return read as FastpathSheet;
    }
  } catch {
    // Told below.
  }
  throw new ReportError(
    'RF-REPORT',
    `${shown(path)} is no fast-path sheet of this version; make it again with 'ringfence fastpath'`,
  );
}

/** The containment matrix beside a report, if there is one. @throws ReportError RF-REPORT */
export function matrixAt(folder: string): Matrix | undefined {
  const path = join(folder, 'matrix.json');
  if (!existsSync(path)) return undefined;
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const known = typeof read === 'object' && read !== null && 'format' in read && read.format === 'ringfence-matrix';
    if (known && 'version' in read && read.version === MATRIX_VERSION) return read as Matrix;
  } catch {
    // Told below.
  }
  throw new ReportError(
    'RF-REPORT',
    `${shown(path)} is no matrix of this version; make it again with 'ringfence matrix'`,
  );
}

/** Reports of attacks on real targets that lie beside a report. */
export function attacksAt(folder: string): AttackReport[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.startsWith('attack-'));
  return names.sort().flatMap((name) => {
    const path = join(folder, name, 'report.json');
    const read = existsSync(path) ? readAttackReport(readFileSync(path, 'utf8')) : undefined;
    return read ? [read] : [];
  });
}

/** Coverage of the specifications from c8's lcov file, and what it falls short of when reasons are given. @throws ReportError RF-REPORT */
export function coverageAt(
  lcov: string,
  reasons: string | undefined,
): { coverage: Coverage; short: readonly string[] } {
  const text = textOf(lcov, 'RF-REPORT', "make it with 'npm run coverage'");
  const files = readLcov(text, (f) => /(^|\/)model\//.test(f));
  const known =
    reasons === undefined ? [] : readReasons(textOf(reasons, 'RF-REPORT', 'give a list of reasons'), shown(reasons));
  const coverage = coverageOf(files, known, (f) => (existsSync(f) ? readFileSync(f, 'utf8') : undefined));
  return { coverage, short: reasons === undefined ? [] : shortcomings(coverage, known) };
}
