/** What safety costs: charges of a request in the steady state, and a plot of contained faults against what a request pays for them. */

import { matrixRows } from '../../drivers/architectures/architecture.js';
import type { Cost } from '../../drivers/architectures/cost.js';
import { CHARGES, type ChargeName } from '../../model/ledger.js';
import type { Matrix } from '../matrix.js';
import { html, type Markup } from './markup.js';
import { recoveryTable } from './recoverySection.js';

/** Charges that cross a protection boundary or change a translation: what a request pays for isolation. */
const paid = (c: Cost): number =>
  (Object.entries(c.perRequest) as [ChargeName, number][]).reduce((n, [, count]) => n + count, 0);

const figure = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2));

/** The section; nothing where no architecture has costs. */
export function costSection(m: Matrix): Markup | undefined {
  const rows = m.costs.flatMap((a) => a.costs.map((c) => ({ architecture: a.architecture, cost: c })));
  if (rows.length === 0) return undefined;
  const used = CHARGES.filter((name) => rows.some((r) => r.cost.perRequest[name] > 0));
  const figures = m.costs.flatMap((a) => a.figures.map((f) => ({ architecture: a.architecture, ...f })));
  return html`<section id="cost"><h2>What it costs</h2><p class="lead">Charges of one request in the steady state, counted by the ledger of the specification, alone and in batches of eight. No clock is involved.</p>
${plot(m)}
<div class="scroll"><table class="counts"><thead><tr><th scope="col">Request</th>${used.map(
    (name) => html`<th scope="col">${name}</th>`,
  )}</tr></thead><tbody>${rows.map(
    ({ architecture, cost }) =>
      html`<tr><th scope="row">${architecture}, ${cost.what}, by ${cost.batch}${cost.era === 'now' && ' (today)'}</th>${used.map(
        (name) => html`<td>${figure(cost.perRequest[name])}</td>`,
      )}</tr>`,
  )}</tbody></table></div>
${recoveryTable(m)}
${
  figures.length > 0 &&
  html`<h3>Published figures</h3><ul>${figures.map(
    (f) => html`<li>${f.architecture}: ${f.what}, ${f.value} <small>(${f.source})</small></li>`,
  )}</ul>`
}</section>`;
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 56;
const BOTTOM = 48;

/** One mark an architecture and era: all charges of a block read by itself, and faults contained of twelve. */
function plot(m: Matrix): Markup {
  const total = Object.keys(matrixRows).length;
  const marks = m.costs.flatMap((a) =>
    (['then', 'now'] as const).flatMap((era) => {
      const reads = a.costs.filter((c) => c.batch === 1 && c.what !== 'net receive');
      const cost = reads.find((c) => c.era === era) ?? reads[0];
      if (!cost) return [];
      const contained = m.cells.filter(
        (c) => c.architecture === a.architecture && c.era === era && c.found === 'contained',
      );
      return [{ name: `${a.architecture}, ${era}`, era, x: paid(cost), y: contained.length, what: cost.what }];
    }),
  );
  const most = Math.max(1, ...marks.map((p) => p.x));
  const px = (x: number): number => Math.round(LEFT + (x / most) * (WIDTH - LEFT - 150));
  const py = (y: number): number => Math.round(HEIGHT - BOTTOM - (y / total) * (HEIGHT - BOTTOM - 24));
  const ticks = [0, total / 4, total / 2, (3 * total) / 4, total];
  return html`<figure class="scroll"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="faults contained against charges of a request">
<g fill="none" stroke="currentColor" stroke-opacity="0.25">${ticks.map(
    (y) => html`<line x1="${LEFT}" y1="${py(y)}" x2="${WIDTH - 150}" y2="${py(y)}"/>`,
  )}</g>
<g fill="currentColor" font-size="12">${ticks.map((y) => html`<text x="${LEFT - 8}" y="${py(y) + 4}" text-anchor="end">${y}</text>`)}
<text x="${LEFT}" y="14">faults contained, of ${total}</text><text x="${LEFT}" y="${HEIGHT - 10}">charges of one request (0 to ${figure(most)})</text></g>
<g font-size="12">${marks.map(
    (p) =>
      html`<circle cx="${px(p.x)}" cy="${py(p.y)}" r="5" fill="${p.era === 'now' ? 'currentColor' : 'none'}" stroke="currentColor"><title>${p.name}: ${figure(p.x)} charges (${p.what}), ${p.y} contained</title></circle><text x="${px(p.x) + 9}" y="${py(p.y) + (p.era === 'now' ? -4 : 12)}" fill="currentColor">${p.name}</text>`,
  )}</g></svg><figcaption><small>filled: today's hardware; hollow: the hardware of its time</small></figcaption></figure>`;
}
