/** The containment matrix and the costs, for a terminal and as Markdown. */
import { type MatrixRow, matrixRows } from '../drivers/architectures/architecture.js';
import { eras, type Found, type FoundCell, type Matrix } from './matrix.js';
import { recoveryLines, recoveryMarkdown } from './recoveryText.js';
import type { Page, Style } from './terminal.js';
import { hang, printable } from './text.js';

const MARKS: Readonly<Record<Found, string>> = {
  contained: 'C',
  'not contained': 'N',
  partly: 'P',
  sampled: '~',
  'not exercised': '?',
  broken: '!',
};
const ERAS = { then: 'the hardware of its time', now: 'today: per-device IOMMU, interrupt remapping, ACS' } as const;
export const LEGEND =
  'claimed/found: C contained, N not contained, I only with IOMMU, P in part, ~ sampled, ? not exercised, ! broken; * claim and finding differ; † claim inferred';

const cellText = (c: FoundCell): string =>
  `${c.claimed}${c.inferred ? '†' : ''}/${MARKS[c.found]}${c.agrees === false ? '*' : ''}`;

function paint(c: FoundCell, style: Style): (s: string) => string {
  if (c.found === 'broken' || c.found === 'not exercised') return style.red;
  if (c.agrees === false) return style.yellow;
  return c.found === 'contained' ? style.green : style.dim;
}

/** Two tables (eras), then every cell whose finding differs from the claim, or is breached, in words. */
export function matrixLines(m: Matrix, page: Page): string[] {
  const { style, width } = page;
  const lines: string[] = [];
  const rows = Object.keys(matrixRows) as MatrixRow[];
  const names = m.architectures.map((a) => a.id);
  const column = Math.max(8, ...names.map((n) => n.length)) + 1;
  const wide = width >= 34 + names.length * column;
  for (const era of eras) {
    lines.push('', ...hang('', `CONTAINMENT, ${ERAS[era]}`, width).map(style.bold));
    if (wide) lines.push(`${''.padEnd(34)}${names.map((n) => n.padEnd(column)).join('')}`.trimEnd());
    for (const row of rows) {
      const cells = m.cells.filter((c) => c.era === era && c.row === row);
      if (wide) {
        const told = cells.map((c) => paint(c, style)(cellText(c).padEnd(column)));
        lines.push(`${matrixRows[row].slice(0, 33).padEnd(34)}${told.join('')}`.trimEnd());
      } else {
        lines.push(...hang('', matrixRows[row], width));
        for (const c of cells) lines.push(`  ${c.architecture.padEnd(column)}${paint(c, style)(cellText(c))}`);
      }
    }
  }
  lines.push(
    '',
    ...hang('', LEGEND, width).map(style.dim),
    '',
    ...differences(m, page),
    '',
    ...costLines(m, page),
    '',
    ...recoveryLines(m, page),
  );
  return lines;
}

function differences(m: Matrix, page: Page): string[] {
  const different = m.cells.filter((c) => c.agrees === false);
  const lines = [page.style.bold('WHERE CLAIM AND FINDING DIFFER')];
  for (const c of different) {
    const breach = c.breach
      ? ` Shortest breach: ${c.breach.length} steps, ${c.breach.why} (traces/${c.breach.trace}).`
      : '';
    const head = `${c.architecture}, ${matrixRows[c.row]}, ${c.era}: claimed ${c.claimed}, found ${c.found}. `;
    lines.push(...hang('  - ', printable(`${head}${c.note}${breach}`), page.width));
  }
  return different.length > 0 ? lines : [...lines, '  nowhere'];
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

const figure = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2));

/** The same as Markdown. */
export function matrixMarkdown(m: Matrix): string {
  const cell = (s: string): string => s.replace(/[|<>]/g, (c) => ({ '|': '\\|', '<': '&lt;', '>': '&gt;' })[c] ?? c);
  const rows = Object.keys(matrixRows) as MatrixRow[];
  const parts: string[] = ['# Containment matrix', '', cell(LEGEND), ''];
  for (const era of eras) {
    parts.push(`## ${ERAS[era]}`, '', `| fault | ${m.architectures.map((a) => cell(a.title)).join(' | ')} |`);
    parts.push(`|---|${m.architectures.map(() => '---').join('|')}|`);
    for (const row of rows) {
      const cells = m.cells.filter((c) => c.era === era && c.row === row);
      const told = cells.map((c) => `${cellText(c)}${c.breach ? ` (${c.breach.length} steps)` : ''}`);
      parts.push(`| ${matrixRows[row]} | ${told.map(cell).join(' | ')} |`);
    }
    parts.push('');
  }
  parts.push('## Where claim and finding differ', '');
  for (const c of m.cells.filter((x) => x.agrees === false)) {
    const head = `**${c.architecture}, ${matrixRows[c.row]}, ${c.era}**: claimed ${c.claimed}, found ${c.found}.`;
    parts.push(`- ${head} ${cell(c.note)}`);
  }
  parts.push(
    '',
    '## Cost of a request',
    '',
    '| architecture | request | batch | era | charges |',
    '|---|---|---|---|---|',
  );
  for (const { architecture, costs } of m.costs) {
    for (const c of costs) {
      const told = Object.entries(c.perRequest).flatMap(([charge, n]) => (n === 0 ? [] : [`${figure(n)} ${charge}`]));
      parts.push(`| ${architecture} | ${c.what} | ${c.batch} | ${c.era} | ${cell(told.join(', '))} |`);
    }
  }
  parts.push('', ...recoveryMarkdown(m, cell));
  parts.push('', '## Published figures', '', '| architecture | what | value | source |', '|---|---|---|---|');
  for (const { architecture, figures } of m.costs) {
    for (const f of figures) parts.push(`| ${architecture} | ${cell(f.what)} | ${cell(f.value)} | ${cell(f.source)} |`);
  }
  return `${parts.join('\n')}\n`;
}
