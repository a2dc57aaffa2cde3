/** Reads lcov files: lines, branches and functions of each source file, with what nothing reached. */

/** How many there are, and how many were reached. */
export interface Share {
  readonly found: number;
  readonly hit: number;
}

export interface FileCoverage {
  /** Path with '/', from the project's root. */
  readonly file: string;
  readonly lines: Share;
  readonly branches: Share;
  readonly functions: Share;
  /** Lines that hold a branch which nothing took, ascending. */
  readonly missedBranches: readonly number[];
  /** Lines on which a function begins that nothing called, ascending. */
  readonly missedFunctions: readonly number[];
  readonly missedLines: readonly number[];
}

interface Counted {
  readonly line: number;
  readonly taken: boolean;
}

/** Parses an lcov file; files that `keep` refuses are left out. Sorted by path. */
export function readLcov(text: string, keep: (file: string) => boolean): FileCoverage[] {
  const files: FileCoverage[] = [];
  let file = '';
  let lines: Counted[] = [];
  let branches: Counted[] = [];
  // Names repeat within a file, so counts are joined to lines by their order.
  let begins: number[] = [];
  let calls: number[] = [];
  for (const row of text.split(/\r?\n/)) {
    const colon = row.indexOf(':');
    const [kind, rest] = colon < 0 ? [row, ''] : [row.slice(0, colon), row.slice(colon + 1)];
    const [first, second, , fourth] = rest.split(',');
    const line = Number(first);
    if (kind === 'SF') file = rest.replaceAll('\\', '/');
    else if (kind === 'DA') lines.push({ line, taken: Number(second) > 0 });
    else if (kind === 'BRDA') branches.push({ line, taken: fourth !== '-' && Number(fourth) > 0 });
    else if (kind === 'FN') begins.push(line);
    else if (kind === 'FNDA') calls.push(Number(first));
    else if (kind === 'end_of_record') {
      const functions = begins.map((at, i): Counted => ({ line: at, taken: (calls[i] ?? 0) > 0 }));
      if (keep(file)) files.push(fileOf(file, lines, branches, functions));
      [lines, branches, begins, calls] = [[], [], [], []];
    }
  }
  return files.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function fileOf(
  file: string,
  lines: readonly Counted[],
  branches: readonly Counted[],
  functions: readonly Counted[],
): FileCoverage {
  const share = (of: readonly Counted[]): Share => ({ found: of.length, hit: of.filter((x) => x.taken).length });
  const missed = (of: readonly Counted[]): number[] =>
    [...new Set(of.flatMap((x) => (x.taken ? [] : [x.line])))].sort((a, b) => a - b);
  return {
    file,
    lines: share(lines),
    branches: share(branches),
    functions: share(functions),
    missedBranches: missed(branches),
    missedFunctions: missed(functions),
    missedLines: missed(lines),
  };
}
