/**
 * The filter: only the suites that mention what was typed stay, in every section. And printing: what is folded would not be on paper.
 * One function, embedded as text: it must name nothing outside itself but built-in objects.
 */
import type { Doc, El, Ev, Win } from './dom.js';

export function filter(doc: Doc, win: Win): void {
  const box = doc.getElementById('filter-box');
  const input = doc.getElementById('filter');
  const count = doc.getElementById('filter-count');
  if (!box || !input || !count) return;
  const blocks = [...doc.querySelectorAll('[data-suite]')];
  const suites = new Set(blocks.map((b) => b.getAttribute('data-suite') ?? ''));
  box.hidden = suites.size < 4;

  let texts: Map<string, string> | undefined;
  /** What a suite says of itself, in all sections together; made when it is first asked for. */
  const textOf = (suite: string): string => {
    if (!texts) {
      texts = new Map();
      for (const b of blocks) {
        const name = b.getAttribute('data-suite') ?? '';
        texts.set(name, `${texts.get(name) ?? name} ${b.textContent}`.toLowerCase());
      }
    }
    return texts.get(suite) ?? '';
  };

  const apply = (): void => {
    const wanted = input.value
      .toLowerCase()
      .split(' ')
      .filter((w) => w !== '');
    const shown = new Set([...suites].filter((s) => wanted.every((w) => textOf(s).includes(w))));
    for (const b of blocks) b.hidden = !shown.has(b.getAttribute('data-suite') ?? '');
    count.textContent = wanted.length > 0 ? `${shown.size} of ${suites.size} suites` : '';
    if (wanted.length > 0) for (const all of doc.querySelectorAll('details.all')) all.open = true;
    // A few that are left are what was looked for.
    const few = wanted.length > 0 && shown.size <= 3;
    if (few) for (const b of doc.querySelectorAll('#claims [data-suite]')) b.open = !b.hidden;
  };
  let timer = 0;
  input.addEventListener('input', () => {
    win.clearTimeout(timer);
    timer = win.setTimeout(apply, 120);
  });
  doc.addEventListener('keydown', (e: Ev) => {
    const typing = ['INPUT', 'SELECT', 'TEXTAREA'].includes(e.target.tagName);
    if (e.key === 'Escape' && e.target === input) {
      input.value = '';
      apply();
    }
    if (e.key !== '/' || typing || e.ctrlKey || e.metaKey || e.altKey || box.hidden) return;
    e.preventDefault();
    input.focus();
  });
  for (const link of doc.querySelectorAll('[data-filter]')) {
    link.addEventListener('click', () => {
      input.value = link.getAttribute('data-filter') ?? '';
      apply();
    });
  }

  let opened: El[] = [];
  win.addEventListener('beforeprint', () => {
    opened = [...doc.querySelectorAll('#claims details, #untested details, #faults > details')].filter((d) => !d.open);
    for (const d of opened) d.open = true;
  });
  win.addEventListener('afterprint', () => {
    for (const d of opened) d.open = false;
  });
}
