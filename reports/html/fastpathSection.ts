/** The fast-path sheet in the page: bytes that each operation allocates, in both gates, and who allocates them. */
import {
  controlHolds,
  type FastpathSheet,
  isGap,
  type OperationRow,
  type SuiteSheet,
  suiteAllocates,
} from '../../explore/fastpath/sheet.js';
import { fastpathSummary } from '../fastpath.js';
import { counted, grouped } from '../text.js';
import { bySuite } from './claimsSection.js';
import { html, type Markup } from './markup.js';

const HEAD = ['Operation', 'Gate A: interpreted', 'Gate B: default tiers', 'Verdict'];
/** Functions named for each operation that allocates. */
const MAX_ALLOCATIONS = 5;

export function fastpathSection(sheet: FastpathSheet): Markup {
  return html`<section id="fastpath"><h2>Fast path</h2><p class="lead">Bytes on the heap of V8 ${sheet.v8} (Node ${sheet.node}), measured exactly. The control must read 16, or the readings mean nothing.</p>
<p>${fastpathSummary(sheet)}</p>
${bySuite(
  sheet.suites.length,
  'suites, each operation in both gates',
  html`<div class="list">${sheet.suites.map(suiteTable)}</div>`,
  sheet.suites.some((s) => !isGood(s)),
)}</section>`;
}

/** What the gates read of a suite, in a line beside its claims. */
export function allocationLine(sheet: FastpathSheet, suite: string): Markup {
  const s = sheet.suites.find((x) => x.suite === suite);
  if (!s) return html`<b>Allocation gate</b> <span class="quiet">not measured</span>`;
  const words = controlHolds(s) ? wordsOf(s) : 'the control did not read 16 bytes: the readings mean nothing';
  return html`<b>Allocation gate</b> <span class="${isGood(s) ? 'good' : 'bad'}">operations: ${words}</span>`;
}

const isGood = (s: SuiteSheet): boolean => !suiteAllocates(s) && controlHolds(s) && !s.operations.some(isGap);

function suiteTable(s: SuiteSheet): Markup {
  const after = s.families
    .map((f) => `${f.fault === '' ? 'warmed up' : `after ${f.fault}`} ${grouped(f.bytes)}`)
    .join(', ');
  const fails = !isGood(s);
  const onPath = s.operations.filter((o) => o.role !== undefined).length;
  const summary = `${counted(s.operations.length, 'operation')}, ${grouped(onPath)} on the data path: ${wordsOf(s)}`;
  return html`<details class="suite" data-suite="${s.suite}"${fails && html` open`}><summary><b>${s.suite}</b> <span class="${fails ? 'breach' : 'quiet'}">${summary}</span></summary>
<p class="${controlHolds(s) ? 'quiet' : 'breach'}">control: ${s.controlA} and ${s.controlB} bytes; the whole mix of ${grouped(s.mix)} calls: ${after} bytes</p>
<div class="scroll"><table class="cards counts"><thead><tr>${HEAD.map((h, i) => html`<th scope="col" class="${i === 1 || i === 2 ? 'number' : ''}">${h}</th>`)}</tr></thead>
<tbody>${s.operations.map(row)}</tbody></table></div></details>`;
}

/** `19 allocate nothing, 2 cannot happen` */
function wordsOf(s: SuiteSheet): string {
  const words = {
    zero: 'allocate nothing',
    allocates: 'allocate',
    'cannot happen': 'cannot happen',
    'not exercised': 'not exercised',
  };
  return (Object.keys(words) as (keyof typeof words)[])
    .flatMap((verdict) => {
      const n = s.operations.filter((o) => o.verdict === verdict).length;
      return n > 0 ? [`${grouped(n)} ${words[verdict]}`] : [];
    })
    .join(', ');
}

function row(o: OperationRow): Markup {
  const tone = { zero: 'good', allocates: 'bad', 'cannot happen': '', 'not exercised': 'idle' }[o.verdict];
  const by = o.allocations.slice(0, MAX_ALLOCATIONS).map((a) => {
    const place = a.file === '' ? 'generated code' : `${a.file}:${a.line}`;
    return html`<div><code>${a.function}</code> ${place}: ${grouped(a.bytes)} bytes</div>`;
  });
  const reading = (r: OperationRow['gateA']): string =>
    `${grouped(r.bytes)} in ${grouped(r.calls)} calls, ${r.tier || 'no tier'}`;
  const name = html`<th scope="row"><code>${o.operation}</code>${o.role !== undefined && html` <span class="chip">${o.role}</span>`}${o.fault !== undefined && html` <span class="chip">${o.fault}</span>`}</th>`;
  if (o.why !== '' && o.verdict !== 'allocates') {
    return html`<tr>${name}<td data-label="${HEAD[3]}" class="${tone}" colspan="3"><b>${o.verdict}</b> ${o.why}</td></tr>`;
  }
  return html`<tr>${name}
<td data-label="${HEAD[1]}" class="number">${reading(o.gateA)}</td><td data-label="${HEAD[2]}" class="number">${reading(o.gateB)}</td>
<td data-label="${HEAD[3]}" class="${tone}"><b>${o.verdict === 'zero' ? 'allocates nothing' : o.verdict}</b>${by}</td></tr>`;
}
