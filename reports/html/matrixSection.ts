/**
 * The containment matrix in the page: for each fault and architecture what is claimed, what was found, on which evidence and in which scope,
 * and the trace behind a breach.
 */
import { match } from 'ts-pattern';
import type { Era } from '../../drivers/architectures/architecture.js';
import { eras, type Matrix } from '../matrix.js';
import {
  type AnyCell,
  CLAIMED,
  countsText,
  evidenceText,
  type MatrixTable,
  scopeText,
  tablesOf,
} from '../matrixTable.js';
import { counted } from '../text.js';
import { html, type Markup } from './markup.js';

const ERAS: Readonly<Record<Era, string>> = {
  then: 'On the hardware of its time',
  now: 'Today: an IOMMU for each device, interrupt remapping, ACS',
};

/** @param embedded names of the traces that the page carries */
export function matrixSection(m: Matrix, embedded: ReadonlySet<string>): Markup {
  const differ = [...m.cells, ...m.faults].filter((c) => c.agrees === false && c.found !== 'not exercised').length;
  return html`<section id="matrix"><h2>Containment</h2><p class="lead">What each architecture claims, and below it what was found in this run. Nothing is written in by hand: a cell without a run is not exercised. ${differ > 0 && html`In ${counted(differ, 'cell')} the finding <span class="chip idle">differs</span> from the claim.`}</p>
${eras.map((era) => tablesOf(m, era).map((t) => table(m, era, t, embedded)))}${mutants(m, embedded)}</section>`;
}

/** The shortest find of each mutant; how many more there are. */
function mutants(m: Matrix, embedded: ReadonlySet<string>): Markup {
  return html`<details class="all" open><summary>Mutants of published code</summary><div class="scroll"><table class="cards"><thead><tr>${[
    'Mutant',
    'Found by',
    'Breaks',
    'Steps',
  ].map((h) => html`<th scope="col">${h}</th>`)}</tr></thead><tbody>${m.mutants.map(
    ({ number, says, verdict, finds }) => {
      const [first] = finds;
      const tone = verdict === 'found' ? 'good' : verdict === 'missed' ? 'bad' : 'idle';
      const steps = first?.steps === null || first === undefined ? verdict : counted(first.steps, 'step');
      const way =
        first?.trace && embedded.has(first.trace)
          ? html`<a href="#trace=${encodeURIComponent(first.trace)}">${steps}</a>`
          : steps;
      return html`<tr><th scope="row">${number}. ${says}</th><td data-label="Found by">${first?.suite ?? '-'}${
        finds.length > 1 && html` <small>and ${finds.length - 1} more</small>`
      }</td><td data-label="Breaks">${first?.breaks ?? '-'}</td><td data-label="Steps" class="${tone}">${way}</td></tr>`;
    },
  )}</tbody></table></div></details>`;
}

function table(m: Matrix, era: Era, t: MatrixTable, embedded: ReadonlySet<string>): Markup {
  return html`<details class="all" open><summary>${ERAS[era]}: ${t.title}</summary><div class="scroll"><table class="cards"><thead><tr><th scope="col">Fault</th>${m.architectures.map(
    (a) => html`<th scope="col" title="${a.source}">${a.title}</th>`,
  )}</tr></thead><tbody>${t.rows.map(
    ({ title, cells }) =>
      html`<tr><th scope="row"><b>${title}</b></th>${m.architectures.map((a) => {
        const found = cells.find((c) => c.architecture === a.id);
        return found ? cell(found, a.title, embedded) : html`<td data-label="${a.title}" class="none">-</td>`;
      })}</tr>`,
  )}</tbody></table></div></details>`;
}

function cell(c: AnyCell, architecture: string, embedded: ReadonlySet<string>): Markup {
  const claimed = `claimed: ${CLAIMED[c.claimed]}${c.inferred ? ' (inferred)' : ''}`;
  return html`<td data-label="${architecture}" class="${toneOf(c.found)}" title="${c.note}"><small>${claimed}</small><div><b>${c.found}</b>${
    c.agrees === false && html` <span class="chip idle">differs</span>`
  }</div>${evidence(c)}${breachLink(c, embedded)}${c.agrees === false && html`<details><summary><small>why</small></summary><small>${c.note}</small></details>`}</td>`;
}

/** Evidence and number of suites; their names, scopes and what was injected on pointing. */
function evidence(c: AnyCell): Markup {
  const counts = 'fault' in c ? `. ${countsText(c)}` : '';
  const proofs = c.worth.filter((w) => w !== 'breach').join(', ');
  const words = proofs === '' && c.breach === null ? evidenceText(c) : proofs;
  const suites = c.scopes.length > 0 ? counted(c.scopes.length, 'suite') : '';
  const scopes = [...new Set(c.scopes.map((s) => s.slice(s.indexOf(' ') + 1)))].join(', ');
  const scope = suites === '' ? '' : `${suites} at ${scopes}`;
  return html`<small title="${scopeText(c)}${counts}">${[words, scope].filter((s) => s !== '').join('; ')}</small> `;
}

function breachLink(c: AnyCell, embedded: ReadonlySet<string>): Markup | null {
  const { breach } = c;
  if (!breach) return null;
  const way = `breached in ${counted(breach.length, 'step')}`;
  return embedded.has(breach.trace)
    ? html`<div><a href="#trace=${encodeURIComponent(breach.trace)}">${way}</a></div>`
    : html`<div><small>${way}</small></div>`;
}

function toneOf(found: AnyCell['found']): string {
  return match(found)
    .with('contained', () => 'good')
    .with('sampled', () => 'part')
    .with('not contained', () => 'open')
    .with('partly', () => 'partly')
    .with('not exercised', 'no such surface', () => 'idle')
    .with('broken', () => 'bad')
    .exhaustive();
}
