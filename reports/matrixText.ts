/** The containment matrix and the costs, for a terminal. */
import { eras, type Matrix } from './matrix.js';
import {
  type AnyCell,
  CLAIMED,
  cellText,
  countsText,
  evidenceText,
  LEGEND,
  rowTitle,
  scopeText,
  tablesOf,
} from './matrixTable.js';
import { recoveryLines } from './recoveryText.js';
import type { Page, Style } from './terminal.js';
import { hang, printable } from './text.js';

export const ERAS = {
  then: 'the hardware of its time',
  now: 'today: per-device IOMMU, interrupt remapping, ACS',
} as const;

function paint(c: AnyCell, style: Style): (s: string) => string {
  if (c.found === 'broken' || c.found === 'not exercised') return style.red;
  if (c.agrees === false) return style.yellow;
  return c.found === 'contained' ? style.green : style.dim;
}

/** Tables of both eras, then every cell whose finding differs from the claim, in words; with `every`, each cell in words. */
export function matrixLines(m: Matrix, page: Page, every = false): string[] {
  const { style, width } = page;
  const lines: string[] = [];
  const names = m.architectures.map((a) => a.id);
  const column = Math.max(9, ...names.map((n) => n.length)) + 1;
  const wide = width >= 34 + names.length * column;
  for (const era of eras) {
    lines.push('', ...hang('', `CONTAINMENT, ${ERAS[era]}`, width).map(style.bold));
    for (const table of tablesOf(m, era)) {
      lines.push('', ...(wide ? [] : hang('', table.title, width)));
      if (wide) lines.push(`${table.title.padEnd(34)}${names.map((n) => n.padEnd(column)).join('')}`.trimEnd());
      for (const { title, cells } of table.rows) {
        if (wide) {
          const told = cells.map((c) => paint(c, style)(cellText(c).padEnd(column)));
          lines.push(`${title.slice(0, 33).padEnd(34)}${told.join('')}`.trimEnd());
        } else {
          lines.push(...hang('', title, width));
          for (const c of cells) lines.push(`  ${c.architecture.padEnd(column)}${paint(c, style)(cellText(c))}`);
        }
      }
    }
  }
  lines.push('', ...hang('', LEGEND, width).map(style.dim), '', ...differences(m, page));
  if (every) lines.push('', ...everyCell(m, page));
  return [...lines, '', ...mutantLines(m, page), '', ...costLines(m, page), '', ...recoveryLines(m, page)];
}

const head = (c: AnyCell): string => `${c.architecture}, ${rowTitle(c)}, ${c.era}`;
const claimedFound = (c: AnyCell): string =>
  `claimed ${CLAIMED[c.claimed]}${c.inferred ? ' (inferred)' : ''}, found ${c.found}`;

function differences(m: Matrix, page: Page): string[] {
  const different = [...m.cells, ...m.faults].filter((c) => c.agrees === false);
  const lines = [page.style.bold('WHERE CLAIM AND FINDING DIFFER')];
  for (const c of different) {
    const breach = c.breach
      ? ` Shortest breach: ${c.breach.length} steps, ${c.breach.why} (traces/${c.breach.trace}).`
      : '';
    lines.push(...hang('  - ', printable(`${head(c)}: ${claimedFound(c)}. ${c.note}.${breach}`), page.width));
  }
  return different.length > 0 ? lines : [...lines, '  nowhere'];
}

function everyCell(m: Matrix, page: Page): string[] {
  const lines = [page.style.bold('EVERY CELL')];
  for (const c of [...m.cells, ...m.faults]) {
    const counts = 'fault' in c ? ` ${countsText(c)}.` : '';
    const trace = c.breach ? ` Trace: traces/${c.breach.trace}.` : '';
    const text = `${head(c)}: ${claimedFound(c)}; ${evidenceText(c)}. Scope ${scopeText(c) || 'none'}.${counts}${trace}`;
    lines.push(...hang('  - ', printable(text), page.width));
  }
  return lines;
}

function mutantLines(m: Matrix, page: Page): string[] {
  const lines = [page.style.bold('MUTANTS OF PUBLISHED CODE')];
  for (const { number, says, verdict, finds } of m.mutants) {
    const [first] = finds;
    const told = first
      ? `${first.suite}: ${first.breaks} breaks in ${first.steps ?? '?'} steps${finds.length > 1 ? `, and ${finds.length - 1} more` : ''}`
      : 'no suite of this run has it';
    const text = hang('  ', printable(`${String(number).padStart(2)} ${says}: ${verdict}; ${told}`), page.width);
    lines.push(...(verdict === 'found' ? text : text.map(page.style.red)));
  }
  return lines;
}

function costLines(m: Matrix, page: Page): string[] {
  const lines = [page.style.bold('COST OF A REQUEST (steady state, from the ledger; alone, and in batches of 8)')];
  for (const { architecture, costs } of m.costs) {
    for (const c of costs) {
      const told = Object.entries(c.perRequest).flatMap(([charge, n]) => (n === 0 ? [] : [`${figure(n)} ${charge}`]));
      const head = `${architecture}, ${c.what}, by ${c.batch}${c.era === 'now' ? ' (today)' : ''}: `;
      lines.push(...hang('  ', `${head}${told.join(', ') || 'nothing charged'}`, page.width));
    }
  }
  return lines;
}

export const figure = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2));
