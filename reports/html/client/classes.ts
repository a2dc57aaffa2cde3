/**
 * The table of operations by outcome and state class, made when a reader unfolds a suite's coverage. One function, embedded as text: it
 * must name nothing outside itself but built-in objects.
 */
import type { PackedClasses } from '../classes.js';
import type { Doc, El } from './dom.js';

export function classTables(doc: Doc): void {
  const data = doc.getElementById('class-data');
  const packed = JSON.parse(data?.textContent ?? '[]') as PackedClasses[];
  const make = (tag: string, className: string, ...parts: (El | string)[]): El => {
    const el = doc.createElement(tag);
    if (className) el.className = className;
    el.append(...parts);
    return el;
  };
  const short = (n: number): string => {
    if (n < 1000) return String(n);
    const [size, unit] = n < 1e6 ? [n / 1e3, 'k'] : [n / 1e6, 'M'];
    return `${size < 10 ? size.toFixed(1) : Math.round(size)}${unit}`;
  };

  const cellOf = (counts: readonly number[] | undefined, attack: boolean): El => {
    if (!counts) {
      const cell = make('td', attack ? 'idle' : 'empty', attack ? 'never' : '\u00b7');
      if (!attack) cell.setAttribute('aria-label', 'never');
      return cell;
    }
    const [ok, refused, blocked] = counts;
    const parts = [];
    if (ok > 0) parts.push(make('div', '', short(ok)));
    if (refused > 0) parts.push(make('div', 'refused', `r ${short(refused)}`));
    if (blocked > 0) parts.push(make('div', 'blocked', `b ${short(blocked)}`));
    const cell = make('td', 'number', ...parts);
    cell.title = `${ok} succeeded, ${refused} refused, ${blocked} blocked`;
    return cell;
  };

  const tableOf = (p: PackedClasses): El => {
    const head = make('tr', '', make('th', '', 'in states where'));
    for (const [name, fault] of p.operations) {
      const label = make('span', '', name);
      head.append(make('th', 'op', ...(fault ? [make('b', 'attack', fault), ' '] : []), label));
    }
    const byClass = p.operations.map(([, fault, cells]) => {
      const of = new Map<number, readonly number[]>();
      for (let i = 0; i < cells.length; i += 4) of.set(cells[i], cells.slice(i + 1, i + 4));
      return { attack: fault !== '', of };
    });
    const rows = p.classes.map((name, c) => {
      const colon = name.indexOf(': ');
      const last = c === p.classes.length - 1;
      const says = last
        ? [make('span', 'quiet', 'no premise holds')]
        : [make('b', '', name.slice(0, colon)), name.slice(colon)];
      return make('tr', '', make('th', '', ...says), ...byClass.map((o) => cellOf(o.of.get(c), o.attack && !last)));
    });
    return make('table', 'grid', make('thead', '', head), make('tbody', '', ...rows));
  };

  for (const place of doc.querySelectorAll('[data-classes]')) {
    const found = packed.find((p) => p.suite === place.getAttribute('data-classes'));
    const suite = place.closest('details');
    if (!found || !suite) continue;
    let made = false;
    const fill = (): void => {
      if (made || !suite.open) return;
      made = true;
      place.replaceChildren(tableOf(found));
    };
    suite.addEventListener('toggle', fill);
    fill();
  }
}
