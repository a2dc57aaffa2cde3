/** Proof that the attacks arrived, and what of the specification was exercised how: the tables of counts. */
import type { FaultReport } from '../faultReports.js';
import type { Report, SuiteReport } from '../report.js';
import { counted, grouped } from '../text.js';
import { bySuite, MAX_OPEN } from './claimsSection.js';
import { emptyAttackCells, type PackedClasses, packClasses } from './classes.js';
import { html, type Markup, type Part } from './markup.js';

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts): number => Object.values(counts).reduce((n, m) => n + m, 0);

/** For each fault class: injected, reached the boundary, what stopped it, what let it through, what was never reached. */
export function faultsSection(report: Report): Markup {
  const suites = report.suites.filter((s) => s.faults.length > 0);
  return html`<section id="faults"><h2>Proof that the attacks arrived</h2>
<p class="lead">"No violation" means something only when the attack reached the boundary. These are transitions of the exhaustive runs with all gates on.</p>
${suites.length === 0 && html`<p class="idle">no fault was injected</p>`}
${suites.length > 1 && allFaults(suites)}
${bySuite(
  suites.length,
  'suites that inject faults',
  html`<div class="list">${suites.map(
    (s) => html`${unfold(s.name, suites.length, faultsWords(s))}${faultTable(HEAD, s.faults.map(faultRow))}</details>`,
  )}</div>`,
)}</section>`;
}

const faultTable = (head: readonly string[], rows: readonly Markup[]): Markup =>
  html`<div class="scroll"><table class="cards counts"><thead><tr>${head.map(
    (h) => html`<th scope="col" class="${NUMBERS.has(h) ? 'number' : ''}">${h}</th>`,
  )}</tr></thead><tbody>${rows}</tbody></table></div>`;

const HEAD_OF_ALL = ['Fault class', 'Suites', 'Injected', 'Blocked by', 'Refused', 'Let through'];
/** Gates that are named in the table over all suites. */
const MAX_GATES = 5;

/** All suites together, a row a class. */
function allFaults(suites: readonly SuiteReport[]): Markup {
  const byClass = new Map<string, FaultReport[]>();
  for (const f of suites.flatMap((s) => s.faults)) byClass.set(f.id, [...(byClass.get(f.id) ?? []), f]);
  const rows = [...byClass]
    .sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)))
    .map(([id, all]) => {
      const total = (of: (f: FaultReport) => number): number => all.reduce((n, f) => n + of(f), 0);
      const injected = total((f) => f.injected);
      const blocked = new Map<string, number>();
      for (const f of all)
        for (const [gate, n] of Object.entries(f.blocked)) blocked.set(gate, (blocked.get(gate) ?? 0) + n);
      const gates = [...blocked].sort((a, b) => b[1] - a[1]);
      const rest = gates.slice(MAX_GATES);
      const told = Object.fromEntries([
        ...gates.slice(0, MAX_GATES),
        ...(rest.length > 0
          ? [[counted(rest.length, 'other gate'), rest.reduce((n, [, m]) => n + m, 0)] as const]
          : []),
      ]);
      const cell = (label: string, n: number): Markup =>
        html`<td data-label="${label}" class="number"><span class="${n === 0 ? 'quiet' : ''}">${grouped(n)}</span></td>`;
      return html`<tr class="${injected === 0 ? 'idle' : ''}"><th scope="row"><b>${id}</b> ${all[0]?.title ?? ''}</th>
${cell('Suites', all.filter((f) => f.injected > 0).length)}${cell('Injected', injected)}<td data-label="Blocked by">${counts(told)}</td>
${cell(
  'Refused',
  total((f) => sum(f.refused)),
)}${cell(
  'Let through',
  total((f) => f.through),
)}</tr>`;
    });
  return html`${faultTable(HEAD_OF_ALL, rows)}
<p class="quiet">Refused: by the interface's own checks. Let through: within the rights of whoever did it, or harmless as long as the properties hold.</p>`;
}

/** The beginning of a suite's block, unfolded when there are few. */
function unfold(name: string, blocks: number, words: Part): Markup {
  return html`<details class="suite" data-suite="${name}"${blocks <= MAX_OPEN && html` open`}><summary><b>${name}</b> ${words}</summary>`;
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
const NUMBERS: ReadonlySet<string> = new Set([
  'Suites',
  'Injected',
  'Stopped at the boundary',
  'Refused',
  'Let through',
]);

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
  const packed = packClasses(report);
  const suites = report.suites.filter((s) => s.operations.length > 0);
  const cells = packed.map(emptyAttackCells);
  const total = (of: 'all' | 'empty'): number => cells.reduce((n, c) => n + c[of], 0);
  return html`<section id="coverage"><h2>Coverage</h2>
<p class="lead">How often each operation of the specification ended how in the exhaustive runs, and in which states: those in which the premise of a property held. An empty row, and an attack that never came when a premise held, is a hole.</p>
${total('all') > 0 && html`<p>Attacks by state: ${grouped(total('all') - total('empty'))} of ${counted(total('all'), 'cell')} filled, ${grouped(total('empty'))} empty.</p>`}
${bySuite(
  suites.length,
  'suites, operation by outcome and state',
  html`<div class="list">${suites.map((s) =>
    suiteCoverage(
      s,
      suites.length,
      packed.find((p) => p.suite === s.name),
    ),
  )}</div>`,
)}
${lines}</section>`;
}

/** Outcomes that get a column of their own; more are listed in the last one. */
const MAX_OUTCOMES = 8;

function suiteCoverage(s: SuiteReport, blocks: number, classes: PackedClasses | undefined): Markup {
  const never = s.operations.filter((o) => o.ok + sum(o.refused) + sum(o.blocked) === 0);
  const missing = new Set(s.claims.flatMap((c) => c.missingWitnesses));
  const words = html`<span class="quiet">${s.operations.length} operations</span>${
    never.length > 0 && html` <span class="chip idle">${never.length} never performed</span>`
  }${missing.size > 0 && html` <span class="chip idle">${missing.size} witnesses never reached</span>`}`;
  const empty = classes ? emptyAttackCells(classes) : undefined;
  const attacks =
    empty && empty.all > 0 && html` <span class="quiet">attacks by state: ${empty.empty} of ${empty.all} empty</span>`;
  return html`${unfold(s.name, blocks, html`${words}${attacks}`)}${operationTable(s)}${
    classes &&
    html`<h4>By state: where the premise of a property held when the operation ended</h4>
<p class="quiet">The number that succeeded; <span class="refused">r</span> refused by the interface, <span class="blocked">b</span> blocked by a gate.</p>
<div class="scroll" data-classes="${s.name}"><noscript>The table needs the script in this file; its numbers are in report.json.</noscript></div>`
  }${witnessTable(s)}</details>`;
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
    // Most cells are empty: they carry nothing, and the page stays small.
    const cell = (label: string, n: number, hole: boolean): Markup =>
      n === 0 && !hole
        ? html`<td class="empty"></td>`
        : html`<td data-label="${label}" class="number ${hole ? 'idle' : ''}">${hole ? 'never' : grouped(n)}</td>`;
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
  const lacking = [...properties].filter(([, missing]) => missing.size > 0);
  const whole = [...properties].filter(([, missing]) => missing.size === 0).map(([key]) => key);
  return html`${lacking.length > 0 && html`<ul>${lacking.map(([key, missing]) => html`<li>${key}: <span class="idle">never reached: ${[...missing].join('; ')}</span></li>`)}</ul>`}${
    whole.length > 0 && html`<p><span class="good">Every witness was reached</span> of ${whole.join(', ')}.</p>`
  }`;
}
