/** Line coverage of the specifications in the page, beside the coverage of what they mean. */
import type { Coverage } from '../coverage.js';
import { html, type Markup } from './markup.js';

const MAX_HOLES = 300;
const HEAD = ['File', 'Lines', 'Branches'];

export function linesSection(c: Coverage): Markup {
  const percent = (n: { found: number; hit: number }): string =>
    n.found === 0 ? '-' : `${((100 * n.hit) / n.found).toFixed(1)} %`;
  const left = c.holes.length - MAX_HOLES;
  return html`<article><h3>Source lines of the specifications, as the suites exercise them</h3>
<p>${c.lines.toFixed(1)} % of lines, ${c.branches.toFixed(1)} % of branches</p>
<div class="scroll"><table class="cards counts"><thead><tr>${HEAD.map((h, i) => html`<th scope="col" class="${i > 0 ? 'number' : ''}">${h}</th>`)}</tr></thead>
<tbody>${c.files.map(
    (
      f,
    ) => html`<tr><th scope="row"><code>${f.file}</code></th><td data-label="Lines" class="number">${percent(f.lines)} <small>${f.lines.hit}/${f.lines.found}</small></td>
<td data-label="Branches" class="number">${percent(f.branches)} <small>${f.branches.hit}/${f.branches.found}</small></td></tr>`,
  )}</tbody></table></div>
${c.holes.length > 0 && html`<h4>Branches that no suite takes</h4>`}
<ul>${c.holes
    .slice(0, MAX_HOLES)
    .map(
      (h) =>
        html`<li><code>${h.file}:${h.line}</code> <code>${h.text}</code>: ${h.reason === null ? html`<span class="idle">no reason given</span>` : h.reason}</li>`,
    )}${left > 0 && html`<li class="cut">and ${left} more</li>`}</ul></article>`;
}
