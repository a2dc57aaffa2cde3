/**
 * Line and branch coverage of the specifications as the suites exercise them, from the lcov file that c8 writes. Branches that nothing
 * reaches are listed, each with the reason that somebody gave for it; a reason names the text of the line, so that it survives moves.
 */
import { z } from 'zod';
import { ReportError } from './reportError.js';

export interface FileCoverage {
  /** Path with '/', from the project's root. */
  readonly file: string;
  readonly lines: { readonly found: number; readonly hit: number };
  readonly branches: { readonly found: number; readonly hit: number };
  /** Lines that hold a branch which nothing took, ascending. */
  readonly missedBranches: readonly number[];
  readonly missedLines: readonly number[];
}

/** Why a line's branch is never taken. */
export interface Reason {
  readonly file: string;
  /** The line's text, without the space around it. */
  readonly line: string;
  readonly reason: string;
}

export interface Hole {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly reason: string | null;
}

export interface Coverage {
  readonly files: readonly FileCoverage[];
  readonly holes: readonly Hole[];
  /** In percent. */
  readonly lines: number;
  readonly branches: number;
}

/** Parses an lcov file; files that `keep` refuses are left out. Sorted by path. */
export function readLcov(text: string, keep: (file: string) => boolean): FileCoverage[] {
  const files: FileCoverage[] = [];
  let file = '';
  let lines = new Map<number, number>();
  let branches: { line: number; taken: boolean }[] = [];
  for (const row of text.split(/\r?\n/)) {
    const colon = row.indexOf(':');
    const [kind, rest] = colon < 0 ? [row, ''] : [row.slice(0, colon), row.slice(colon + 1)];
    const numbers = rest.split(',');
    if (kind === 'SF') file = rest.replaceAll('\\', '/');
    else if (kind === 'DA') lines.set(Number(numbers[0]), Number(numbers[1]));
    else if (kind === 'BRDA')
      branches.push({ line: Number(numbers[0]), taken: numbers[3] !== '-' && Number(numbers[3]) > 0 });
    else if (kind === 'end_of_record') {
      if (keep(file)) files.push(fileOf(file, lines, branches));
      lines = new Map();
      branches = [];
    }
  }
  return files.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function fileOf(
  file: string,
  lines: ReadonlyMap<number, number>,
  branches: readonly { line: number; taken: boolean }[],
): FileCoverage {
  const ascending = (list: Iterable<number>): number[] => [...new Set(list)].sort((a, b) => a - b);
  return {
    file,
    lines: { found: lines.size, hit: [...lines.values()].filter((n) => n > 0).length },
    branches: { found: branches.length, hit: branches.filter((b) => b.taken).length },
    missedBranches: ascending(branches.filter((b) => !b.taken).map((b) => b.line)),
    missedLines: ascending([...lines].filter(([, n]) => n === 0).map(([line]) => line)),
  };
}

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
    const source = sourceOf(f.file)?.split('\n') ?? [];
    return f.missedBranches.map((line): Hole => {
      const text = (source[line - 1] ?? '').trim();
      const known = reasons.find((r) => r.file === f.file && r.line === text);
      return { file: f.file, line, text, reason: known?.reason ?? null };
    });
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

/** What the coverage falls short of, one line each; none when it is good. Reasons that fit no line any more are named as well. */
export function shortcomings(c: Coverage, reasons: readonly Reason[]): string[] {
  const lines: string[] = [];
  if (c.lines < LEAST.lines)
    lines.push(`lines: ${c.lines.toFixed(2)} % are covered, at least ${LEAST.lines} % should be`);
  if (c.branches < LEAST.branches)
    lines.push(`branches: ${c.branches.toFixed(2)} % are covered, at least ${LEAST.branches} % should be`);
  for (const h of c.holes)
    if (h.reason === null)
      lines.push(`${h.file}:${h.line}: a branch is never taken, and no reason is given: ${h.text}`);
  for (const r of reasons) {
    const fits = c.holes.some((h) => h.file === r.file && h.text === r.line);
    if (!fits) lines.push(`${r.file}: the reason for '${r.line}' fits no line that is missed; take it out`);
  }
  return lines;
}

const reasonsFile = z.array(z.strictObject({ file: z.string(), line: z.string().min(1), reason: z.string().min(10) }));

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
