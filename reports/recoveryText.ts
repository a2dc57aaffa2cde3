/** Recovery distances, for a terminal and as Markdown. */
import type { RecoveryCost } from '../drivers/architectures/recovery.js';
import { CHARGES, type ChargeName } from '../model/ledger.js';
import type { Matrix } from './matrix.js';
import type { Page } from './terminal.js';
import { hang } from './text.js';

export const RECOVERY_LEGEND =
  'from the failure, with a request under way and DMA in flight, until it is answered (block) or the next frame is through (net), and nothing of the failed driver is left; shortest: fewest operations of any way, by search, which may leave out what the specification does not ask for';

/** What is charged on the way, but for crossings, which have a column of their own. */
export function chargesOnTheWay(r: RecoveryCost): string {
  const told = CHARGES.filter((name) => name !== CROSSING && r.charges[name] > 0);
  return told.map((name) => `${r.charges[name]} ${name}`).join(', ') || 'nothing else';
}

const CROSSING: ChargeName = 'domain crossing';

/** Domain crossings of the way back. */
export const crossingsOf = (r: RecoveryCost): number => r.charges[CROSSING];

/** Lines of the terminal. */
export function recoveryLines(m: Matrix, page: Page): string[] {
  const lines = [page.style.bold('RECOVERY DISTANCE'), ...hang('', RECOVERY_LEGEND, page.width).map(page.style.dim)];
  for (const { architecture, recoveries } of m.costs) {
    for (const r of recoveries) {
      const head = `${architecture}, ${r.what}, from ${r.from}${r.era === 'now' ? ' (today)' : ''}: `;
      const way = `${r.operations} operations (shortest ${r.shortest}), ${r.steps} steps, ${crossingsOf(r)} crossings; ${chargesOnTheWay(r)}`;
      lines.push(...hang('  ', `${head}${r.ends ? way : 'no way back (all states searched)'}`, page.width));
    }
  }
  return lines;
}

/** The table of the Markdown report. */
export function recoveryMarkdown(m: Matrix, cell: (s: string) => string): string[] {
  const lines = ['## Recovery distance', '', cell(`${RECOVERY_LEGEND}.`), ''];
  lines.push('| architecture | service | from | era | operations | shortest | steps | crossings | other charges |');
  lines.push('|---|---|---|---|---|---|---|---|---|');
  for (const { architecture, recoveries } of m.costs) {
    for (const r of recoveries) {
      const way = r.ends
        ? `${r.operations} | ${r.shortest} | ${r.steps} | ${crossingsOf(r)} | ${cell(chargesOnTheWay(r))}`
        : 'no way back | - | - | - | -';
      lines.push(`| ${architecture} | ${cell(r.what)} | ${r.from} | ${r.era} | ${way} |`);
    }
  }
  return lines;
}
