/** How far the way back to service is: a table of ways, each with its operations, steps, crossings and other charges. */
import type { Matrix } from '../matrix.js';
import { chargesOnTheWay, crossingsOf, RECOVERY_LEGEND } from '../recoveryText.js';
import { html, type Markup } from './markup.js';

/** The table, as part of the section of costs; nothing where no architecture has recoveries. */
export function recoveryTable(m: Matrix): Markup | undefined {
  const rows = m.costs.flatMap((a) => a.recoveries.map((r) => ({ architecture: a.architecture, r })));
  if (rows.length === 0) return undefined;
  return html`<h3>Recovery distance</h3><p>${RECOVERY_LEGEND}.</p>
<div class="scroll"><table class="counts"><thead><tr><th scope="col">Service, and what befell its driver</th><th scope="col">operations</th><th scope="col">shortest</th><th scope="col">steps</th><th scope="col">crossings</th><th scope="col">other charges</th></tr></thead><tbody>${rows.map(
    ({ architecture, r }) =>
      html`<tr><th scope="row">${architecture}, ${r.what}, ${r.from}${r.era === 'now' && ' (today)'}</th>${
        r.ends
          ? html`<td>${r.operations}</td><td>${r.shortest}</td><td>${r.steps}</td><td>${crossingsOf(r)}</td><td>${chargesOnTheWay(r)}</td>`
          : html`<td colspan="5">no way back (all states searched)</td>`
      }</tr>`,
  )}</tbody></table></div>`;
}
