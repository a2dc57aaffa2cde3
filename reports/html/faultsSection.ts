/** Proof that the attacks arrived, and what of the specification was exercised how: the tables of counts. */
import type { FaultReport } from '../faultReports.js';
import type { Report, SuiteReport } from '../report.js';
import { grouped } from '../text.js';
import { MAX_OPEN } from './claimsSection.js';
import { html, type Markup, type Part } from './markup.js';

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((n, m) => n + m, 0);

/** For each fault class: injected, reached the boundary, what stopped it, what let it through, what was never reached. */
export function faultsSection(report: Report): Markup {
  const suites = report.suites.filter((s) => s.faults.length > 0);
  return html`<section id="faults"><h2>Proof that the attacks arrived</h2>
<p class="lead">"No violation" means something only when the attack reached the boundary. These are transitions of the exhaustive run with all gates on.</p>
${
  suites.length === 0
    ? html`<p class="idle">no fault was injected</p>`
    : suites.map(
        (s) => html`${unfold(s.name, suites.length, faultsWords(s))}<div class="scroll"><table class="cards counts">
<thead><tr>${HEAD.map((h, i) => html`<th scope="col" class="${NUMBERS.has(i) ? 'number' : ''}">${h}</th>`)}</tr></thead><tbody>${s.faults.map(faultRow)}</tbody></table></div></details>`,
      )
}</section>`;
}

/** The beginning of a suite's block, unfolded when there are few. */
function unfold(name: string, blocks: number, words: Part): Markup {
  return html`<details class="suite"${blocks <= MAX_OPEN && html` open`}><summary><b>${name}</b> ${words}</summary>`;
}

function faultsWords(s: SuiteReport): Markup {
  const total = (of: 'injected' | 'reached'): string => grouped(s.faults.reduce((n, f) => n + f[of], 0));
  const never = s.faults.filter((f) => f.injected === 0).map((f) => f.id);
  return html`<span class="quiet">${s.faults.map((f) => f.id).join(' ')}: ${total('injected')} injected, ${total('reached')} stopped at the boundary</span>${
    never.length > 0 && html` <span class="chip idle">never injected: ${never.join(' ')}</span>`
  }`;
}

const HEAD = [
  'Fault class',
  'Injected',
  'Stopped at the boundary',
  'Blocked by',
  'Refused with',
  'Let through',
  'Never reached',
];
/** Columns of numbers, which stand right. */
const NUMBERS: ReadonlySet<number> = new Set([1, 2, 5]);

function faultRow(f: FaultReport): Markup {
  const number = (n: number): Markup => html`<span class="${n === 0 ? 'quiet' : ''}">${grouped(n)}</span>`;
  const never = f.modelled ? (f.injected === 0 ? ['never enabled'] : f.never) : ['the machine has no operation for it'];
  return html`<tr class="${f.injected === 0 ? 'idle' : ''}"><th scope="row"><b>${f.id}</b> ${f.title}${
    !f.claimed && html` <small>(no claim names it)</small>`
  }</th>
<td data-label="${HEAD[1]}" class="number">${number(f.injected)}${f.sampled > 0 && html` <small>+${grouped(f.sampled)} random</small>`}</td>
<td data-label="${HEAD[2]}" class="number">${number(f.reached)}</td>
<td data-label="${HEAD[3]}">${counts(f.blocked)}</td><td data-label="${HEAD[4]}">${counts(f.refused)}</td>
<td data-label="${HEAD[5]}" class="number">${number(f.through)}</td>
<td data-label="${HEAD[6]}">${never.length > 0 ? html`<span class="idle">${never.join(', ')}</span>` : html`<span class="quiet">-</span>`}</td></tr>`;
}

function counts(of: Counts): Markup {
  const entries = Object.entries(of);
  if (entries.length === 0) return html`<span class="quiet">-</span>`;
  return html`${entries.map(([name, n]) => html`<div>${name} <b>${grouped(n)}</b></div>`)}`;
}

/** Operation x outcome and property x witness, with the empty cells visible. */
export function coverageSection(report: Report, lines: Markup | undefined): Markup {
  return html`<section id="coverage"><h2>Coverage</h2>
<p class="lead">How often each operation of the specification ended how, in the exhaustive run. An empty row or an outcome that no run reached is a hole.</p>
${report.suites.map((s) => suiteCoverage(s, report.suites.length))}
${lines}</section>`;
}

/** Outcomes that get a column of their own; more are listed in the last one. */
const MAX_OUTCOMES = 8;

function suiteCoverage(s: SuiteReport, blocks: number): Markup {
  const never = s.operations.filter((o) => o.ok + sum(o.refused) + sum(o.blocked) === 0);
  const missing = new Set(s.claims.flatMap((c) => c.missingWitnesses));
  const words = html`<span class="quiet">${s.operations.length} operations</span>${
    never.length > 0 && html` <span class="chip idle">${never.length} never performed</span>`
  }${missing.size > 0 && html` <span class="chip idle">${missing.size} witnesses never reached</span>`}`;
  return html`${unfold(s.name, blocks, words)}${s.operations.length > 0 && operationTable(s)}${witnessTable(s)}</details>`;
}

function operationTable(s: SuiteReport): Markup {
  const totals = new Map<string, number>();
  for (const o of s.operations) {
    for (const [name, n] of [...Object.entries(o.blocked), ...Object.entries(o.refused)]) {
      totals.set(name, (totals.get(name) ?? 0) + n);
    }
  }
  const gates = new Set(s.operations.flatMap((o) => Object.keys(o.blocked)));
  const outcomes = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name);
  const shown = outcomes.slice(0, MAX_OUTCOMES);
  const rest = outcomes.slice(MAX_OUTCOMES);
  const row = (o: SuiteReport['operations'][number]): Markup => {
    const all: Counts = { ...o.refused, ...o.blocked };
    const never = o.ok + sum(all) === 0;
    const cell = (label: string, n: number, hole: boolean): Markup =>
      html`<td data-label="${label}" class="number ${hole ? 'idle' : n === 0 ? 'empty' : ''}">${
        n > 0 ? grouped(n) : hole ? 'never' : html`<span aria-label="none">·</span>`
      }</td>`;
    const more = rest.filter((name) => all[name]).map((name) => `${name} ${grouped(all[name] ?? 0)}`);
    return html`<tr><th scope="row"><code>${o.operation}</code>${o.fault !== '' && html` <span class="chip">${o.fault}</span>`}</th>
${cell('succeeded', o.ok, o.ok === 0 && (never || o.fault === ''))}${shown.map((name) => cell(name, all[name] ?? 0, false))}
${rest.length > 0 && html`<td data-label="other">${more.join(', ')}</td>`}</tr>`;
  };
  return html`<div class="scroll"><table class="cards counts matrix"><thead><tr><th scope="col">Operation</th>
<th scope="col" class="number">succeeded</th>${shown.map((name) => html`<th scope="col" class="number">${gates.has(name) ? html`blocked by ${name}` : name}</th>`)}${
    rest.length > 0 && html`<th scope="col">other</th>`
  }</tr></thead><tbody>${s.operations.map(row)}</tbody></table></div>`;
}

function witnessTable(s: SuiteReport): Markup | undefined {
  const properties = new Map<string, Set<string>>();
  for (const c of s.claims) {
    for (const p of c.properties) if (!properties.has(p)) properties.set(p, new Set());
    for (const w of c.missingWitnesses) {
      const key = c.properties.find((p) => w.startsWith(`${p}: `));
      if (key) properties.get(key)?.add(w.slice(key.length + 2));
    }
  }
  if (properties.size === 0) return undefined;
  return html`<div class="scroll"><table class="cards counts"><thead><tr>
<th scope="col">Property</th><th scope="col" class="number">Claims</th><th scope="col">Witnesses never reached</th></tr></thead><tbody>${[
    ...properties,
  ].map(
    ([key, missing]) => html`<tr><th scope="row">${key}</th>
<td data-label="Claims" class="number">${s.claims.filter((c) => c.properties.includes(key)).length}</td>
<td data-label="Witnesses never reached">${
      missing.size > 0
        ? html`<span class="idle">${[...missing].join('; ')}</span>`
        : html`<span class="good">none: all were reached</span>`
    }</td></tr>`,
  )}</tbody></table></div>`;
}
