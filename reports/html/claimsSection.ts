/** The claims table: a row for each isolation claim, a column for each kind of evidence. */
import { match } from 'ts-pattern';
import { type ClaimReport, type CounterpartReport, without } from '../claims.js';
import type { Report, SuiteReport } from '../report.js';
import { counted, grouped } from '../text.js';
import { EVIDENCE_COLUMNS, evidenceCells, type Worth } from './cells.js';
import { html, type Markup } from './markup.js';

/** Most lines of a list inside a cell. */
const MAX_LINES = 12;

/** Suites that are shown unfolded when there are no more of them. */
export const MAX_OPEN = 3;

/** Class of the colour that a worth has. */
export function toneOf(worth: Worth): string {
  return match(worth)
    .with('proved within scope', () => 'good')
    .with('sampled', () => 'part')
    .with('not exercised', () => 'idle')
    .with('broken', 'error', () => 'bad')
    .with('not contained', () => 'open')
    .with('no concern', () => 'none')
    .exhaustive();
}

/** A list cut to `MAX_LINES` entries, with the cut visible. */
export function cutList(lines: readonly Markup[], what: string, most = MAX_LINES): Markup {
  const left = lines.length - most;
  return html`<ul>${lines.slice(0, most).map((l) => html`<li>${l}</li>`)}${
    left > 0 && html`<li class="cut">and ${grouped(left)} more ${what} in report.json</li>`
  }</ul>`;
}

/** Blocks of suites: as they are when they are few, behind one heading when they are many and nothing in them is wrong. */
export function bySuite(blocks: number, what: string, inner: Markup, wrong = false): Markup {
  if (blocks === 0) return html``;
  if (blocks <= MAX_OPEN) return inner;
  return html`<details class="all"${wrong && html` open`}><summary>${grouped(blocks)} ${what}</summary>${inner}</details>`;
}

/** What stands beside the claims of suites. */
export interface Beside {
  /** Under whose headings their suites come: those whose names begin with the id. */
  readonly architectures: readonly { readonly id: string; readonly title: string }[];
  /** Evidence that is of a suite as a whole: what its operations allocate, the real target. */
  readonly beside: (suite: string) => readonly Markup[];
}

/** @param embedded names of the traces that the page carries */
export function claimsSection(
  report: Report,
  embedded: ReadonlySet<string>,
  { architectures, beside }: Beside,
): Markup {
  const worst = report.suites.filter(
    (s) => s.error !== null || s.claims.some((c) => ['broken', 'error', 'not exercised'].includes(c.verdict)),
  );
  const urgent = new Set(worst.slice(0, MAX_OPEN));
  return html`<section id="claims"><h2>Claims</h2>
<p class="lead">A claim is proved only within the scope named above its table: every reachable state of that scope was visited, nothing broke, and each check was shown to have teeth by switching its gate off.</p>
${groups(report, architectures).map(
  ({ title, suites }) =>
    html`${title !== '' && html`<h3>${title}</h3>`}<div class="list">${suites.map((s) => suiteTable(s, embedded, report.suites.length <= MAX_OPEN || urgent.has(s), beside(s.name)))}</div>`,
)}</section>`;
}

/** Suites by architecture; mechanisms by themselves come first. */
function groups(
  { suites }: Report,
  architectures: readonly { readonly id: string; readonly title: string }[],
): { title: string; suites: SuiteReport[] }[] {
  const ownerOf = (s: SuiteReport) => architectures.find((a) => s.name.startsWith(`${a.id}-`));
  const all = [undefined, ...architectures].map((a) => ({
    title: a?.title ?? (architectures.length > 0 ? 'Mechanisms' : ''),
    suites: suites.filter((s) => ownerOf(s) === a),
  }));
  return all.filter((g) => g.suites.length > 0);
}

/** `domain 3, frame 2` */
export function scopeText(scope: SuiteReport['scope']): string {
  return Object.entries(scope)
    .map(([sort, n]) => `${sort} ${n}`)
    .join(', ');
}

function suiteTable(s: SuiteReport, embedded: ReadonlySet<string>, open: boolean, beside: readonly Markup[]): Markup {
  const run = s.exhaustive;
  const cut = run && run.verdict !== 'complete' ? `truncated by ${run.truncatedBy}` : 'complete';
  const figures = run
    ? `${counted(run.states, 'state')}, ${counted(run.transitions, 'transition')}, depth ${run.depth}, ${cut}`
    : 'no exhaustive run';
  const head = ['Claim', ...EVIDENCE_COLUMNS, 'Gate off, mutant in', 'Verdict'];
  return html`<details class="suite" data-suite="${s.name}"${open && html` open`}><summary><b>${s.name}</b> ${verdictChips(s)} <span class="quiet">${s.title}</span></summary>
<p class="quiet">scope ${s.scopeName}: ${scopeText(s.scope)}; schedule ${s.schedule}; ${figures}</p>
${beside.map((line) => html`<p>${line}</p>`)}
${s.error && html`<p class="breach">${s.error.code}: ${s.error.says}</p>`}
<div class="scroll"><table class="cards claims"><thead><tr>${head.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead>
<tbody>${s.claims.map((c) => claimRow(s, c, embedded))}</tbody></table></div></details>`;
}

/** How many claims have which verdict. */
function verdictChips(s: SuiteReport): Markup[] {
  return VERDICTS.flatMap((v) => {
    const n = s.claims.filter((c) => c.verdict === v).length;
    return n > 0 ? [html`<span class="chip ${toneOf(v)}">${n} ${v}</span> `] : [];
  });
}

const VERDICTS = ['broken', 'error', 'not exercised', 'sampled', 'not contained', 'proved within scope'] as const;

function claimRow(s: SuiteReport, c: ClaimReport, embedded: ReadonlySet<string>): Markup {
  const cells = evidenceCells(s, c).map(
    ({ worth, detail }, i) =>
      html`<td data-label="${EVIDENCE_COLUMNS[i]}" class="${toneOf(worth)}">${
        worth === 'no concern' ? html`<span class="quiet">-</span>` : html`<b>${worth}</b> <small>${detail}</small>`
      }</td>`,
  );
  const faults = c.against.map((id) => {
    const f = s.faults.find((x) => x.id === id);
    const idle = !f || f.injected === 0;
    return html`<span class="chip ${idle ? 'idle' : ''}" title="${f?.title ?? ''}">${id}${idle && ' never injected'}</span> `;
  });
  return html`<tr><th scope="row" data-label="Claim"><span class="claim">${c.says}</span>
<small>${c.properties.join(', ')}</small> ${faults.length > 0 && html`<small>against ${faults}</small>`}</th>${cells}
<td data-label="Gate off, mutant in">${counterparts(c, embedded)}</td>
<td data-label="Verdict" class="${toneOf(c.verdict)}"><b>${c.verdict}</b>${
    c.because.length > 0 &&
    cutList(
      c.because.map((b) => html`${b}`),
      'reasons',
      4,
    )
  }</td></tr>`;
}

function counterparts(c: ClaimReport, embedded: ReadonlySet<string>): Markup {
  if (c.counterparts.length === 0) {
    return c.expects === 'contained' ? html`<b class="idle">not exercised</b>` : html`<span class="quiet">-</span>`;
  }
  return cutList(
    c.counterparts.map((p) => counterpart(p, embedded)),
    'counterparts',
  );
}

function counterpart(p: CounterpartReport, embedded: ReadonlySet<string>): Markup {
  const text = match(p.outcome)
    .with('broke', () => `${p.breaks} breaks in ${counted(p.length ?? 0, 'step')}`)
    .with('held', () => `${p.breaks} HOLDS: the check has no teeth`)
    .with('open', () => 'not run to its end')
    .exhaustive();
  const tone = match(p.outcome)
    .with('broke', () => '')
    .with('held', () => 'bad')
    .with('open', () => 'idle')
    .exhaustive();
  const told = html`<span class="${tone}">${text}</span>`;
  const about = p.source === '' ? p.says : `${p.says} (${p.source})`;
  return html`<span title="${about}">${without(p).replace(/^with /, '')}:</span> ${
    p.trace !== null && embedded.has(p.trace) ? html`<a href="#trace=${encodeURIComponent(p.trace)}">${text}</a>` : told
  }`;
}
