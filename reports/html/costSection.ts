/** What safety costs: charges of a request in the steady state, and a plot of contained faults against what a request pays for them. */

import { matrixRows } from '../../drivers/architectures/architecture.js';
import type { Cost } from '../../drivers/architectures/cost.js';
import { CHARGES, type ChargeName } from '../../model/ledger.js';
import type { Matrix } from '../matrix.js';
import { RECOVERY_LEGEND } from '../recoveryText.js';
import { html, type Markup } from './markup.js';
import { recoveryTable } from './recoverySection.js';

/** Charges that cross a protection boundary or change a translation: what a request pays for isolation. */
const paid = (c: Cost): number =>
  (Object.entries(c.perRequest) as [ChargeName, number][]).reduce((n, [, count]) => n + count, 0);

const figure = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(2));

/** The section; nothing where no architecture has costs. */
export function costSection(m: Matrix): Markup | undefined {
  if (m.costs.every((a) => a.costs.length === 0)) return undefined;
  const titles = new Map<string, string>(m.architectures.map((a) => [a.id, a.title]));
  return html`<section id="cost"><h2>What it costs</h2><p class="lead">Charges of one request in the steady state, counted by the ledger of the specification, alone and in batches of eight; and how far the way back is when a driver fails. No clock is involved.</p>
${plot(m)}
<p class="quiet">Recovery distance: ${RECOVERY_LEGEND}.</p>
<div class="list">${m.costs.map((a) => {
    const [first] = a.costs;
    const words = first && `${figure(paid(first))} charges for one ${first.what}`;
    return html`<details class="suite"><summary><b>${titles.get(a.architecture) ?? a.architecture}</b> <span class="quiet">${words}</span></summary>
${a.costs.length > 0 && chargesTable(a.costs)}${recoveryTable(a.recoveries)}${
  a.figures.length > 0 &&
  html`<h4>Published figures</h4><ul>${a.figures.map((f) => html`<li>${f.what}, ${f.value} <small>(${f.source})</small></li>`)}</ul>`
}</details>`;
  })}</div></section>`;
}

const number = (n: number): Markup =>
  html`<td class="number ${n === 0 ? 'empty' : ''}">${n === 0 ? '\u00b7' : figure(n)}</td>`;

/** A row for each request, alone and in batches. */
function chargesTable(costs: readonly Cost[]): Markup {
  const used = CHARGES.filter((name) => costs.some((c) => c.perRequest[name] > 0));
  return html`<div class="scroll"><table class="plain"><thead><tr><th scope="col">Request</th><th scope="col" class="number">in all</th>${used.map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}</tr></thead><tbody>${costs.map(
    (c) =>
      html`<tr><th scope="row">${c.what}, ${c.batch === 1 ? 'alone' : `in batches of ${c.batch}`}${c.era === 'now' && ' (today)'}</th>${number(paid(c))}${used.map((name) => number(c.perRequest[name]))}</tr>`,
  )}</tbody></table></div>`;
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
<g font-size="12">${labelled(
    marks.map((p) => ({
      ...p,
      x: px(p.x),
      y: py(p.y),
      told: `${p.name}: ${figure(p.x)} charges (${p.what}), ${p.y} contained`,
    })),
  ).map(
    (p) =>
      html`<circle cx="${p.x}" cy="${p.y}" r="5" fill="${p.era === 'now' ? 'currentColor' : 'none'}" stroke="currentColor"><title>${p.told}</title></circle><text x="${p.at.x}" y="${p.at.y}" text-anchor="${p.at.anchor}" fill="currentColor">${p.name}</text>`,
  )}</g></svg><figcaption><small>filled: today's hardware; hollow: the hardware of its time</small></figcaption></figure>`;
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
}

/** Width of a letter and height of a line in the plot, about. */
const LETTER = 6.5;
const LINE = 13;

/** Puts each name where no other name is: right of its mark or left, above or below. */
function labelled<P extends { readonly name: string; readonly x: number; readonly y: number }>(
  marks: readonly P[],
): (P & { readonly at: Label })[] {
  const taken: { left: number; right: number; y: number }[] = marks.map((p) => ({
    left: p.x - 6,
    right: p.x + 6,
    y: p.y + 4,
  }));
  return marks.map((p) => {
    const places = [4, -6, 14].flatMap((dy): Label[] => [
      { x: p.x + 9, y: p.y + dy, anchor: 'start' },
      { x: p.x - 9, y: p.y + dy, anchor: 'end' },
    ]);
    const boxOf = (l: Label) => {
      const width = p.name.length * LETTER;
      return l.anchor === 'start'
        ? { left: l.x, right: l.x + width, y: l.y }
        : { left: l.x - width, right: l.x, y: l.y };
    };
    const free = (l: Label): boolean => {
      const box = boxOf(l);
      const clear = taken.every((t) => t.right < box.left || t.left > box.right || Math.abs(t.y - box.y) >= LINE);
      return clear && box.left >= LEFT && box.right <= WIDTH;
    };
    const at = places.find(free) ?? { x: p.x + 9, y: p.y + 4, anchor: 'start' };
    taken.push(boxOf(at));
    return { ...p, at };
  });
}
