/** The fast-path sheet in the page: bytes that each operation allocates, in both gates, and who allocates them. */
import { controlHolds, type FastpathSheet, type OperationRow, type SuiteSheet } from '../../explore/fastpath/sheet.js';
import { fastpathSummary } from '../fastpath.js';
import { grouped } from '../text.js';
import { html, type Markup } from './markup.js';

const HEAD = ['Operation', 'Gate A: interpreted', 'Gate B: default tiers', 'Verdict'];
/** Functions named for each operation that allocates. */
const MAX_ALLOCATIONS = 5;

export function fastpathSection(sheet: FastpathSheet): Markup {
  return html`<section id="fastpath"><h2>Fast path</h2><p class="lead">Bytes on the heap of V8 ${sheet.v8} (Node ${sheet.node}), measured exactly. The control must read 16, or the readings mean nothing.</p>
<p>${fastpathSummary(sheet)}</p>
${sheet.suites.map(suiteTable)}</section>`;
}

function suiteTable(s: SuiteSheet): Markup {
  const after = s.families
    .map((f) => `${f.fault === '' ? 'warmed up' : `after ${f.fault}`} ${grouped(f.bytes)}`)
    .join(', ');
  return html`<article><h3>${s.suite}</h3>
<p class="${controlHolds(s) ? 'quiet' : 'breach'}">control: ${s.controlA} and ${s.controlB} bytes; the whole mix of ${grouped(s.mix)} calls: ${after} bytes</p>
<div class="scroll"><table class="cards counts"><thead><tr>${HEAD.map((h, i) => html`<th scope="col" class="${i === 1 || i === 2 ? 'number' : ''}">${h}</th>`)}</tr></thead>
<tbody>${s.operations.map(row)}</tbody></table></div></article>`;
}

function row(o: OperationRow): Markup {
  const tone = { zero: 'good', allocates: 'bad', 'cannot happen': '', 'not exercised': 'idle' }[o.verdict];
  const by = o.allocations.slice(0, MAX_ALLOCATIONS).map((a) => {
    const place = a.file === '' ? 'generated code' : `${a.file}:${a.line}`;
    return html`<div><code>${a.function}</code> ${place}: ${grouped(a.bytes)} bytes</div>`;
  });
  const reading = (r: OperationRow['gateA']): string =>
    `${grouped(r.bytes)} in ${grouped(r.calls)} calls, ${r.tier || 'no tier'}`;
  return html`<tr><th scope="row"><code>${o.operation}</code>${o.fault !== undefined && html` <span class="chip">${o.fault}</span>`}</th>
<td data-label="${HEAD[1]}" class="number">${reading(o.gateA)}</td><td data-label="${HEAD[2]}" class="number">${reading(o.gateB)}</td>
<td data-label="${HEAD[3]}" class="${tone}"><b>${o.verdict === 'zero' ? 'allocates nothing' : o.verdict}</b>${by}</td></tr>`;
}
