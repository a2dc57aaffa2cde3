/** How far the way back to service is: a table of ways, each with its operations, steps, crossings and other charges. */
import type { RecoveryCost } from '../../drivers/architectures/recovery.js';
import { chargesOnTheWay, crossingsOf } from '../recoveryText.js';
import { html, type Markup } from './markup.js';

/** The table of an architecture, as part of its costs; nothing where it has no recoveries. */
export function recoveryTable(recoveries: readonly RecoveryCost[]): Markup | undefined {
  if (recoveries.length === 0) return undefined;
  const number = (n: number | null): Markup => html`<td class="number">${n ?? '-'}</td>`;
  return html`<h4>Recovery distance</h4>
<div class="scroll"><table class="plain"><thead><tr><th scope="col">Service, and what befell its driver</th>${[
    'operations',
    'shortest',
    'steps',
    'crossings',
  ].map(
    (h) => html`<th scope="col" class="number">${h}</th>`,
  )}<th scope="col">other charges</th></tr></thead><tbody>${recoveries.map(
    (r) =>
      html`<tr><th scope="row">${r.what}, ${r.from}${r.era === 'now' && ' (today)'}</th>${
        r.ends
          ? html`${number(r.operations)}${number(r.shortest)}${number(r.steps)}${number(crossingsOf(r))}<td>${chargesOnTheWay(r)}</td>`
          : html`<td colspan="5">no way back (all states searched)</td>`
      }</tr>`,
  )}</tbody></table></div>`;
}
