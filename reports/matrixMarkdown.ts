/** The containment matrix and the costs as Markdown; a breach links to its trace in the viewer of the page beside it. */
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
import { ERAS, figure } from './matrixText.js';
import { recoveryMarkdown } from './recoveryText.js';

const ENTITIES: Readonly<Record<string, string>> = { '|': '\\|', '<': '&lt;', '>': '&gt;' };
const escaped = (s: string): string => s.replace(/[|<>]/g, (c) => ENTITIES[c] ?? c);

/** The trace of a breach in the page's viewer. */
const linked = (c: AnyCell, text: string): string =>
  c.breach ? `[${escaped(text)}](report.html#trace=${encodeURIComponent(c.breach.trace)})` : escaped(text);

/** Tables of both eras, where claim and finding differ, every cell with its evidence, costs, published figures. */
export function matrixMarkdown(m: Matrix): string {
  const parts: string[] = ['# Containment matrix', '', escaped(LEGEND), ''];
  for (const era of eras) {
    parts.push(`## ${ERAS[era]}`, '');
    for (const table of tablesOf(m, era)) {
      parts.push(`| ${table.title} | ${m.architectures.map((a) => escaped(a.title)).join(' | ')} |`);
      parts.push(`|---|${m.architectures.map(() => '---').join('|')}|`);
      for (const { title, cells } of table.rows)
        parts.push(`| ${escaped(title)} | ${cells.map((c) => linked(c, cellText(c))).join(' | ')} |`);
      parts.push('');
    }
  }
  parts.push('## Where claim and finding differ', '');
  for (const c of [...m.cells, ...m.faults].filter((x) => x.agrees === false)) {
    const head = `**${c.architecture}, ${rowTitle(c)}, ${c.era}**: claimed ${CLAIMED[c.claimed]}, found ${c.found}.`;
    parts.push(`- ${escaped(head)} ${escaped(c.note)}`);
  }
  parts.push('', ...mutantTable(m), '', ...evidenceTable(m), '', ...costTable(m));
  parts.push('', ...recoveryMarkdown(m, escaped));
  parts.push('', '## Published figures', '', '| architecture | what | value | source |', '|---|---|---|---|');
  for (const { architecture, figures } of m.costs) {
    for (const f of figures)
      parts.push(`| ${architecture} | ${escaped(f.what)} | ${escaped(f.value)} | ${escaped(f.source)} |`);
  }
  return `${parts.join('\n')}\n`;
}

function mutantTable(m: Matrix): string[] {
  const parts = ['## Mutants of published code', ''];
  parts.push('| | mutant | suite | claim | edit | breaks | steps | without it |', '|---|---|---|---|---|---|---|---|');
  for (const { number, says, verdict, finds } of m.mutants) {
    if (finds.length === 0) parts.push(`| ${number} | ${escaped(says)} | ${verdict} | | | | | |`);
    for (const f of finds) {
      const steps = f.trace === null ? f.outcome : `[${f.steps}](traces/${f.trace})`;
      const plain = [says, f.suite, f.claim, f.mutant, f.breaks].map(escaped).join(' | ');
      parts.push(`| ${number} | ${plain} | ${steps} | ${f.clean ? 'proved within scope' : 'not proved'} |`);
    }
  }
  return parts;
}

function evidenceTable(m: Matrix): string[] {
  const parts = ['## Evidence and scope of every cell', ''];
  parts.push('| fault | architecture | era | claimed | found | evidence | scope | shortest breach | injected |');
  parts.push('|---|---|---|---|---|---|---|---|---|');
  for (const c of [...m.cells, ...m.faults]) {
    const claimed = `${CLAIMED[c.claimed]}${c.inferred ? '†' : ''}`;
    const breach = c.breach ? linked(c, `${c.breach.property}, ${c.breach.length}`) : '';
    const counts = 'fault' in c ? countsText(c) : '';
    const plain = [rowTitle(c), c.architecture, c.era, claimed, c.found, evidenceText(c), scopeText(c)].map(escaped);
    parts.push(`| ${[...plain, breach, escaped(counts)].join(' | ')} |`);
  }
  return parts;
}

function costTable(m: Matrix): string[] {
  const parts = ['## Cost of a request', ''];
  parts.push('| architecture | request | batch | era | charges |', '|---|---|---|---|---|');
  for (const { architecture, costs } of m.costs) {
    for (const c of costs) {
      const told = Object.entries(c.perRequest).flatMap(([charge, n]) => (n === 0 ? [] : [`${figure(n)} ${charge}`]));
      parts.push(`| ${architecture} | ${c.what} | ${c.batch} | ${c.era} | ${escaped(told.join(', '))} |`);
    }
  }
  return parts;
}
