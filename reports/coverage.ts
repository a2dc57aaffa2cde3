/**
 * Line and branch coverage of the specifications as the suites exercise them, from the lcov file that c8 writes. Branches that nothing
 * takes and functions that nothing calls are listed, each with the reason that somebody gave for it. A reason names the declarations around
 * the line and its text, so that it survives moves; it is refused once what it explains is reached, or is no longer there.
 */
import { z } from 'zod';
import type { FileCoverage } from './lcov.js';
import { ReportError } from './reportError.js';
import { type Place, placesOf } from './sourcePlace.js';

/** Why a branch is never taken, or a function never called. */
export interface Reason {
  readonly file: string;
  /** Declarations around the line, outermost first (see sourcePlace.ts). */
  readonly within: string;
  /** The line's text, with as many lines before it as it takes to be the only one within. */
  readonly text: string;
  readonly reason: string;
}

export interface Hole extends Place {
  readonly file: string;
  readonly line: number;
  readonly kind: 'branch' | 'function';
  readonly reason: string | null;
}

export interface Coverage {
  readonly files: readonly FileCoverage[];
  readonly holes: readonly Hole[];
  /** In percent. */
  readonly lines: number;
  readonly branches: number;
}

const isOf = (h: Pick<Hole, 'file' | 'within' | 'text'>, r: Reason): boolean =>
  h.file === r.file && h.within === r.within && h.text === r.text;

/**
 * Puts figures, holes and reasons together.
 * @param sourceOf text of a file, or undefined when it cannot be read
 */
export function coverageOf(
  files: readonly FileCoverage[],
  reasons: readonly Reason[],
  sourceOf: (file: string) => string | undefined,
): Coverage {
  const holes = files.flatMap((f) => {
    if (f.missedBranches.length === 0 && f.missedFunctions.length === 0) return [];
    const placeAt = placesOf(sourceOf(f.file) ?? '');
    const holeAt = (kind: Hole['kind'], line: number): Hole => {
      const place = placeAt(line);
      const known = reasons.find((r) => isOf({ file: f.file, ...place }, r));
      return { file: f.file, line, kind, ...place, reason: known?.reason ?? null };
    };
    // A function that begins where a branch does is one hole, and is looked at as a branch.
    const functions = f.missedFunctions.filter((line) => !f.missedBranches.includes(line));
    return [
      ...f.missedBranches.map((line) => holeAt('branch', line)),
      ...functions.map((line) => holeAt('function', line)),
    ].sort((a, b) => a.line - b.line);
  });
  const percent = (of: 'lines' | 'branches'): number => {
    const found = files.reduce((n, f) => n + f[of].found, 0);
    const hit = files.reduce((n, f) => n + f[of].hit, 0);
    return found === 0 ? 0 : (100 * hit) / found;
  };
  return { files, holes, lines: percent('lines'), branches: percent('branches') };
}

/** Least coverage of the specifications, in percent. */
export const LEAST = { lines: 95, branches: 90 } as const;

/** The answer on one line: `coverage of the specifications: 99.42 % of lines, 97.86 % of branches; 163 not reached, each with its reason` */
export function coverageAnswer(c: Coverage): string {
  const bare = c.holes.filter((h) => h.reason === null).length;
  const holes =
    c.holes.length === 0
      ? 'everything reached'
      : `${c.holes.length} not reached, ${bare === 0 ? 'each with its reason' : `${bare} of them without a reason`}`;
  return `coverage of the specifications: ${c.lines.toFixed(2)} % of lines, ${c.branches.toFixed(2)} % of branches; ${holes}`;
}

/** On one line, for messages. */
const oneLine = (text: string): string => text.replaceAll('\n', ' / ');

/**
 * What the coverage falls short of, one line each; none when it is good. What is missed needs a reason, and a reason needs something that
 * is missed: one for a branch that is taken, or is gone, is as wrong as none.
 */
export function shortcomings(c: Coverage, reasons: readonly Reason[]): string[] {
  const lines: string[] = [];
  if (c.files.length === 0) lines.push('the coverage has no file of model/');
  if (c.lines < LEAST.lines)
    lines.push(`lines: ${c.lines.toFixed(2)} % are covered, at least ${LEAST.lines} % should be`);
  if (c.branches < LEAST.branches)
    lines.push(`branches: ${c.branches.toFixed(2)} % are covered, at least ${LEAST.branches} % should be`);
  for (const h of c.holes)
    if (h.reason === null) {
      const what = h.kind === 'branch' ? 'a branch is never taken' : 'a function is never called';
      lines.push(`${h.file}:${h.line}: ${what}, and no reason is given: ${oneLine(h.text)}`);
    }
  reasons.forEach((r, i) => {
    const where = `${r.file}: ${r.within === '' ? '' : `${r.within}: `}the reason for '${oneLine(r.text)}'`;
    if (reasons.findIndex((other) => isOf(other, r)) < i) lines.push(`${where} is given twice`);
    else if (!c.holes.some((h) => isOf(h, r))) lines.push(`${where} fits nothing that is missed; take it out`);
  });
  return lines;
}

const reasonsFile = z.array(
  z.strictObject({ file: z.string(), within: z.string(), text: z.string().min(1), reason: z.string().min(10) }),
);

/** Reads a list of reasons. @throws ReportError RF-REPORT */
export function readReasons(json: string, name: string): Reason[] {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    throw new ReportError('RF-REPORT', `${name} is not JSON`);
  }
  const parsed = reasonsFile.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ReportError(
    'RF-REPORT',
    `${name} is no list of reasons, at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}
