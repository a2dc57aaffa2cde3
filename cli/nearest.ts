/** The nearest of some names, for "did you mean". */

/** Least number of insertions, deletions, replacements and swaps of neighbours that make `a` into `b`. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min((rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(d);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The name nearest to `wanted`, unless all are further away than half of its length. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  const key = wanted.slice(0, 64).toLowerCase();
  const ranked = names
    .map((name) => ({ name, d: name.startsWith(key) ? 0.5 : distance(key, name.toLowerCase()) }))
    .sort((a, b) => a.d - b.d);
  const best = ranked[0];
  return best && best.d <= Math.max(1, Math.ceil(key.length / 2)) ? best.name : undefined;
}
