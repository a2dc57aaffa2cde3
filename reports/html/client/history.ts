/**
 * What each part of the state was, over a trace. Runs in the page: the function is embedded as text, so it must name nothing outside itself.
 */
import type { PackedTrace } from '../pack.js';

/** One field of one row: what it was before the trace, and every step that changed it with what it became. */
export interface Cell {
  readonly row: number;
  readonly field: number;
  readonly first: number;
  readonly at: number[];
  readonly became: number[];
}

/** Every field that the trace changes, in the order of first change. */
export function historyOf(trace: PackedTrace): Cell[] {
  const cells = new Map<string, Cell>();
  trace.steps.forEach((s, i) => {
    for (let c = 7 + 2 * s[6]; c < s.length; c += 4) {
      const key = `${s[c]}/${s[c + 1]}`;
      let cell = cells.get(key);
      if (!cell) {
        cell = { row: s[c], field: s[c + 1], first: s[c + 2], at: [], became: [] };
        cells.set(key, cell);
      }
      cell.at.push(i);
      cell.became.push(s[c + 3]);
    }
  });
  return [...cells.values()];
}

/** The cell's value after a step, and whether that step changed it. */
export function valueAfter(cell: Cell, step: number): { value: number; changed: boolean } {
  let low = 0;
  let high = cell.at.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (cell.at[mid] <= step) low = mid + 1;
    else high = mid;
  }
  return low === 0
    ? { value: cell.first, changed: false }
    : { value: cell.became[low - 1], changed: cell.at[low - 1] === step };
}
