/** The containment matrix in the page: for each fault and architecture what is claimed, what was found, and the trace behind a breach. */
import { match } from 'ts-pattern';
import { type Era, type MatrixRow, matrixRows } from '../../drivers/architectures/architecture.js';
import { eras, type Found, type FoundCell, type Matrix } from '../matrix.js';
import { counted } from '../text.js';
import { html, type Markup } from './markup.js';

const ERAS: Readonly<Record<Era, string>> = {
  then: 'On the hardware of its time',
  now: 'Today: an IOMMU for each device, interrupt remapping, ACS',
};
const CLAIMED: Readonly<Record<FoundCell['claimed'], string>> = {
  C: 'contained',
  N: 'not contained',
  I: 'only with an IOMMU',
  P: 'in part',
};

/** @param embedded names of the traces that the page carries */
export function matrixSection(m: Matrix, embedded: ReadonlySet<string>): Markup {
  const differ = m.cells.filter((c) => c.agrees === false).length;
  return html`<section id="matrix"><h2>Containment</h2><p class="lead">What each architecture claims, and below it what was found in this run. Nothing is written in by hand: a cell without a run is not exercised. ${differ > 0 && html`In ${counted(differ, 'cell')} the finding <span class="chip idle">differs</span> from the claim.`}</p>
${eras.map((era) => table(m, era, embedded))}</section>`;
}

function table(m: Matrix, era: Era, embedded: ReadonlySet<string>): Markup {
  const rows = Object.entries(matrixRows) as [MatrixRow, string][];
  return html`<article><h3>${ERAS[era]}</h3><div class="scroll"><table class="cards"><thead><tr><th scope="col">Fault</th>${m.architectures.map(
    (a) => html`<th scope="col" title="${a.source}">${a.title}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ([row, says]) =>
      html`<tr><th scope="row"><b>${says}</b></th>${m.architectures.map((a) => {
        const found = m.cells.find((c) => c.era === era && c.row === row && c.architecture === a.id);
        return found ? cell(found, a.title, embedded) : html`<td data-label="${a.title}" class="none">-</td>`;
      })}</tr>`,
  )}</tbody></table></div></article>`;
}

function cell(c: FoundCell, architecture: string, embedded: ReadonlySet<string>): Markup {
  const claimed = `claimed: ${CLAIMED[c.claimed]}${c.inferred ? ' (inferred)' : ''}`;
  const { breach } = c;
  const way = breach && `breached in ${counted(breach.length, 'step')}`;
  return html`<td data-label="${architecture}" class="${toneOf(c.found)}" title="${c.note}"><small>${claimed}</small><div><b>${c.found}</b>${
    c.agrees === false && html` <span class="chip idle">differs</span>`
  }</div>${
    breach &&
    (embedded.has(breach.trace)
      ? html`<a href="#trace=${encodeURIComponent(breach.trace)}">${way}</a>`
      : html`<small>${way}</small>`)
  }</td>`;
}

function toneOf(found: Found): string {
  return match(found)
    .with('contained', () => 'good')
    .with('sampled', () => 'part')
    .with('not contained', () => 'open')
    .with('partly', () => 'partly')
    .with('not exercised', () => 'idle')
    .with('broken', () => 'bad')
    .exhaustive();
}
