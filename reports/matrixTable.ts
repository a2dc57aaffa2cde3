/** The tables of the matrix as they are shown: the twelve faults and the fourteen fault classes, row by row, and a cell in words. */
import { type Claimed, type Era, type MatrixRow, matrixRows } from '../drivers/architectures/architecture.js';
import { faultClasses } from '../faults/classes.js';
import type { FaultCell } from './faultMatrix.js';
import type { FoundCell, Matrix } from './matrix.js';
import type { Settled } from './matrixCell.js';
import { counted, grouped } from './text.js';

export type AnyCell = FoundCell | FaultCell;

export interface MatrixTable {
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly cells: readonly AnyCell[] }[];
}

/** Both tables of an era. A cell stands in the order of the architectures. */
export function tablesOf(m: Matrix, era: Era): MatrixTable[] {
  const inOrder = <C extends AnyCell>(cells: readonly C[]): C[] =>
    m.architectures.flatMap((a) => cells.filter((c) => c.era === era && c.architecture === a.id));
  return [
    {
      title: 'twelve faults of a driver',
      rows: (Object.keys(matrixRows) as MatrixRow[]).map((row) => ({
        title: matrixRows[row],
        cells: inOrder(m.cells.filter((c) => c.row === row)),
      })),
    },
    {
      title: 'fault classes F1 to F14',
      rows: faultClasses.map((f) => ({
        title: `${f.id} ${f.title}`,
        cells: inOrder(m.faults.filter((c) => c.fault === f.id)),
      })),
    },
  ];
}

/** What a cell is about. */
export function rowTitle(c: AnyCell): string {
  if ('row' in c) return matrixRows[c.row];
  return `${c.fault} ${faultClasses.find((f) => f.id === c.fault)?.title ?? ''}`;
}

export const CLAIMED: Readonly<Record<Claimed, string>> = {
  C: 'contained',
  N: 'not contained',
  I: 'only with an IOMMU',
  P: 'in part',
};

const MARKS: Readonly<Record<Settled['found'], string>> = {
  contained: 'C',
  'not contained': 'N',
  partly: 'P',
  sampled: '~',
  'no such surface': '-',
  'not exercised': '?',
  broken: '!',
};
export const LEGEND =
  'claimed/found: C contained (proved within scope), N not contained, I only with IOMMU, P in part, ~ sampled, - no such surface, ? not exercised, ! broken; * claim and finding differ; † claim inferred; a number is the length of the shortest breach';

/** `N†/P3*`: claimed, found, steps of the shortest breach, whether they differ. */
export function cellText(c: AnyCell): string {
  const steps = c.breach ? String(c.breach.length) : '';
  return `${c.claimed}${c.inferred ? '†' : ''}/${MARKS[c.found]}${steps}${c.agrees === false ? '*' : ''}`;
}

/** Evidence in words: `proved within scope`, `breach of 4 steps, proved minimal`. */
export function evidenceText(c: AnyCell): string {
  if (c.found === 'no such surface') return 'no suite has an operation of this class';
  const words = c.worth.filter((w) => w !== 'breach').map(String);
  if (c.breach)
    words.push(`breach of ${counted(c.breach.length, 'step')}${c.breach.minimal ? ', proved minimal' : ''}`);
  return words.join('; ') || 'none';
}

/** Suites and scopes: `default: grants, events; small: ring`. */
export function scopeText(c: AnyCell): string {
  const byScope = new Map<string, string[]>();
  for (const s of c.scopes) {
    const space = s.indexOf(' ');
    const scope = s.slice(space + 1);
    byScope.set(scope, [...(byScope.get(scope) ?? []), s.slice(0, space)]);
  }
  return [...byScope].map(([scope, suites]) => `${scope}: ${suites.join(', ')}`).join('; ');
}

/** What the run did of a fault class: `1,234 injected: 1,000 blocked by MMU, 4 refused, 230 let through`. */
export function countsText(c: FaultCell): string {
  const parts = Object.entries(c.blocked).map(([gate, n]) => `${grouped(n)} blocked by ${gate}`);
  if (c.refused > 0) parts.push(`${grouped(c.refused)} refused`);
  if (c.through > 0) parts.push(`${grouped(c.through)} let through`);
  return parts.length === 0
    ? `${grouped(c.injected)} injected`
    : `${grouped(c.injected)} injected: ${parts.join(', ')}`;
}
