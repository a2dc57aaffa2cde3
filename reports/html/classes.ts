/** Operation x outcome x state class, packed for the page's script: only the cells that are not empty. */
import type { Report } from '../report.js';
import { clip } from './markup.js';

const MAX_TEXT = 200;

export interface PackedClasses {
  readonly suite: string;
  /** Names of the state classes; the last one is of states in none. */
  readonly classes: readonly string[];
  /** Operation, fault class or '', then class, ok, refused and blocked of each cell that is not empty. Attacks come first. */
  readonly operations: readonly (readonly [string, string, readonly number[]])[];
}

export function packClasses(report: Report): PackedClasses[] {
  return report.suites.flatMap((s): PackedClasses[] => {
    const classes = s.stateClasses ?? [];
    if (classes.length === 0) return [];
    const operations = s.operations.flatMap((o): PackedClasses['operations'][number][] => {
      const { inStates } = o;
      if (!inStates) return [];
      const cells = [...classes, ''].flatMap((_, i) => {
        const counts = [inStates.ok[i] ?? 0, inStates.refused[i] ?? 0, inStates.blocked[i] ?? 0];
        return counts.some((n) => n > 0) ? [i, ...counts] : [];
      });
      return [[clip(o.operation, MAX_TEXT), o.fault, cells]];
    });
    const attacksFirst = [...operations.filter(([, fault]) => fault !== ''), ...operations.filter(([, f]) => f === '')];
    return [
      {
        suite: clip(s.name, MAX_TEXT),
        classes: [...classes.map((name) => clip(name, MAX_TEXT)), 'none of these'],
        operations: attacksFirst,
      },
    ];
  });
}

/** Cells of attacks by state class, and how many of them are empty: attacks that never came when the premise held. */
export function emptyAttackCells(p: PackedClasses): { readonly all: number; readonly empty: number } {
  const attacks = p.operations.filter(([, fault]) => fault !== '');
  const named = p.classes.length - 1;
  const filled = attacks.reduce((n, [, , cells]) => n + cells.filter((c, i) => i % 4 === 0 && c < named).length, 0);
  return { all: attacks.length * named, empty: attacks.length * named - filled };
}
