/**
 * The trace viewer in the page. One function, embedded as text: it must name nothing outside itself but built-in objects.
 * Everything that a suite named goes in as text, never as markup.
 */
import type { Pack, PackedTrace } from '../pack.js';
import type { Doc, El, Ev, Win } from './dom.js';
import type { Cell, historyOf, valueAfter } from './history.js';

/** @param history, after the functions of history.ts */
export function viewer(doc: Doc, win: Win, history: typeof historyOf, after: typeof valueAfter): void {
  const ROW_HEIGHT = 34;
  /** Columns of the strip before and after the current step, and its rows. */
  const AROUND = 4;
  const MAX_CELLS = 60;
  const MAX_CHANGES = 200;
  const root = doc.getElementById('viewer');
  const data = doc.getElementById('trace-data');
  if (!root || !data) return;
  const pack = JSON.parse(data.textContent ?? '{"texts":[],"traces":[]}') as Pack;
  const { texts } = pack;
  let trace: PackedTrace | undefined;
  let cells: Cell[] = [];
  let at = 0;
  /** The address names the trace: from the first choice of the reader's on. */
  let named = false;
  let timer = 0;
  let unfolded = true;

  const get = (id: string): El => {
    const found = doc.getElementById(id);
    if (!found) throw new Error(`the page has no ${id}`);
    return found;
  };
  const make = (tag: string, className: string, ...parts: (El | string)[]): El => {
    const el = doc.createElement(tag);
    if (className) el.className = className;
    el.append(...parts);
    return el;
  };
  const chooser = get('trace-choice');
  const list = get('trace-steps');
  const rows = get('trace-rows');
  const spacer = get('trace-spacer');
  const detail = get('trace-detail');

  const laneOf = (agent: number): number => trace?.lanes.indexOf(agent) ?? -1;

  const row = (i: number): El => {
    const s = trace?.steps[i] ?? [];
    const el = make('div', `step${i === at ? ' current' : ''}`);
    el.id = `step-${i}`;
    el.setAttribute('role', 'option');
    el.setAttribute('aria-selected', String(i === at));
    el.setAttribute('data-step', String(i));
    const lanes = make('span', 'lanes');
    lanes.setAttribute('aria-hidden', 'true');
    const mine = laneOf(s[2]);
    trace?.lanes.forEach((_, lane) => {
      lanes.append(make('i', lane === mine ? `lane on lane-${lane % 6}` : 'lane'));
    });
    const says = make('span', 'says', texts[s[3]]);
    says.title = texts[s[3]];
    el.append(make('span', 'number', String(i)), lanes, says);
    if (trace && trace.inevitable > 0 && i === trace.inevitable)
      el.append(make('span', 'badge turn', 'inevitable from here'));
    if (texts[s[5]]) el.append(make('span', 'badge fault', texts[s[5]]));
    if (!['ok', 'goes on', ''].includes(texts[s[4]])) el.append(make('span', 'badge status', texts[s[4]]));
    return el;
  };

  /** Only the rows in sight exist. */
  const drawRows = (): void => {
    if (!trace) return;
    const from = Math.max(0, Math.floor(list.scrollTop / ROW_HEIGHT) - 5);
    const to = Math.min(trace.steps.length, from + Math.ceil(list.clientHeight / ROW_HEIGHT) + 10);
    rows.style.setProperty('transform', `translateY(${from * ROW_HEIGHT}px)`);
    const drawn: El[] = [];
    for (let i = from; i < to; i++) drawn.push(row(i));
    rows.replaceChildren(...drawn);
    list.setAttribute('aria-activedescendant', `step-${at}`);
  };

  const table = (className: string, head: readonly string[], body: readonly El[]): El => {
    const top = make('tr', '', ...head.map((h) => make('th', '', h)));
    return make('div', 'scroll', make('table', className, make('thead', '', top), make('tbody', '', ...body)));
  };

  const changes = (s: readonly number[]): El => {
    const body: El[] = [];
    const first = 7 + 2 * s[6];
    const last = Math.min(s.length, first + 4 * MAX_CHANGES);
    for (let c = first; c < last; c += 4) {
      const [name, field, from, to] = s.slice(c, c + 4).map((t) => texts[t]);
      const before = make('td', 'before', from);
      const now = make('td', 'after', to);
      before.setAttribute('data-label', 'before');
      now.setAttribute('data-label', 'after');
      body.push(make('tr', '', make('td', 'cell', name, ' ', make('b', '', field)), before, now));
    }
    const out = make('div', 'changes', make('h4', '', 'Changed by this step'));
    if (body.length === 0) out.append(make('p', 'quiet', at === 0 ? 'the trace starts here' : 'nothing'));
    else out.append(table('', ['field', 'before', 'after'], body));
    if (last < s.length) out.append(make('p', 'cut', `${(s.length - last) / 4} more changes are in the trace file`));
    return out;
  };

  /** The fields that the trace changes, from a few steps before this one to a few after it. */
  const strip = (): El => {
    const steps = trace?.steps.length ?? 0;
    const from = Math.max(0, Math.min(at - AROUND, steps - 2 * AROUND - 1));
    const to = Math.min(steps - 1, from + 2 * AROUND);
    const head = ['state'];
    for (let i = from; i <= to; i++) head.push(String(i));
    const recent = cells.length <= MAX_CELLS ? cells : cells.filter((c) => c.at.some((i) => i >= from && i <= to));
    const body = recent.slice(0, MAX_CELLS).map((cell) => {
      const line = make('tr', '', make('th', 'cell', texts[cell.row], ' ', make('b', '', texts[cell.field])));
      for (let i = from; i <= to; i++) {
        const { value, changed } = after(cell, i);
        line.append(
          make('td', `${changed ? 'changed' : ''}${i === at ? ' now' : ''}${i > at ? ' later' : ''}`, texts[value]),
        );
      }
      return line;
    });
    const out = make('div', 'strip', make('h4', '', 'State over time'), table('', head, body));
    const left = cells.length - Math.min(recent.length, MAX_CELLS);
    if (left > 0) out.append(make('p', 'cut', `${left} fields that do not change near this step are not shown`));
    return out;
  };

  const map = (): El => {
    const out = make('div', 'map');
    const now = trace?.maps[at];
    if (!now || now.length === 0) return out;
    const before = new Set(at > 0 ? (trace?.maps[at - 1] ?? []) : now);
    const lines = now.map((t) => make('div', before.has(t) ? '' : 'changed', texts[t]));
    out.append(make('h4', '', 'Memory map after this step'), make('div', 'lines', ...lines));
    return out;
  };

  /** Why what did not happen could not; folded, as the reader left it. */
  const disabled = (): El => {
    const out = make('details', 'disabled');
    const lines = trace?.disabled[at] ?? [];
    if (lines.length === 0) return make('div', '');
    out.open = unfolded;
    out.addEventListener('toggle', () => {
      unfolded = out.open;
    });
    const items = lines.map((t) => {
      const [name, ...why] = (texts[t] ?? '').split(': ');
      return make('li', '', make('b', '', name), ': ', why.join(': '));
    });
    out.append(make('summary', '', 'What could not happen here, and why'), make('ul', '', ...items));
    return out;
  };

  const drawDetail = (): void => {
    if (!trace) return;
    const s = trace.steps[at] ?? [];
    const last = trace.steps.length - 1;
    const [operation, step, agent, says, status, fault] = s.slice(0, 6).map((t) => texts[t]);
    const facts = make('dl', 'facts');
    const fact = (name: string, value: string): void => {
      if (value) facts.append(make('div', '', make('dt', '', name), make('dd', '', value)));
    };
    fact('agent', agent);
    // A thread that goes on names its step; the operation is the one that it began.
    if (operation !== 'continue') fact('operation', operation);
    fact('step', step);
    fact('result', status);
    fact('fault class', fault);
    for (let c = 0; c < s[6]; c++) {
      const name = texts[s[7 + 2 * c]];
      if (name !== 'agent' && name !== 'thread') fact(name, texts[s[8 + 2 * c]]);
    }
    const parts = [make('h3', '', `Step ${at} of ${last}: `, says), facts];
    if (trace.inevitable >= 0 && at === trace.inevitable) {
      parts.push(make('p', 'turn', 'From here the breach is inevitable: even the repaired machine would break.'));
    }
    if (at === last) parts.push(make('p', 'breach', 'Here it breaks: ', texts[trace.why] ?? ''));
    detail.replaceChildren(...parts, changes(s), map(), strip());
    get('trace-disabled').replaceChildren(disabled());
    // What has changed in a long map is in sight.
    const lines = detail.querySelector('.map .lines');
    const changed = detail.querySelector('.map .changed');
    if (lines && changed) lines.scrollTop = changed.offsetTop - lines.offsetTop - lines.clientHeight / 2;
    // A strip that is too wide shows the current step, and what led to it.
    const box = detail.querySelector('.strip .scroll');
    const columns = Math.min(last, 2 * AROUND) + 1;
    const column = at - Math.max(0, Math.min(at - AROUND, last - 2 * AROUND)) + 1;
    if (box) box.scrollLeft = box.scrollWidth * ((column + 1) / (columns + 1)) - box.clientWidth;
    for (const id of ['first', 'previous']) get(`trace-${id}`).disabled = at === 0;
    for (const id of ['next', 'last']) get(`trace-${id}`).disabled = at === last;
    get('trace-position').textContent = `${at} / ${last}`;
  };

  const go = (to: number): void => {
    if (!trace) return;
    at = Math.max(0, Math.min(trace.steps.length - 1, to));
    spacer.style.setProperty('height', `${trace.steps.length * ROW_HEIGHT}px`);
    const top = at * ROW_HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight)
      list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
    drawRows();
    drawDetail();
    remember();
  };

  /** The address follows with a delay: browsers refuse an address that changes too often. */
  const remember = (): void => {
    win.clearTimeout(timer);
    if (!named || !trace) return;
    const address = `#trace=${encodeURIComponent(trace.name)}&step=${at}`;
    timer = win.setTimeout(() => {
      try {
        win.history.replaceState(null, '', address);
      } catch {
        // The address is a convenience.
      }
    }, 250);
  };

  const stepTo = (to: number): void => {
    named = true;
    go(to);
  };

  const open = (name: string, step: number | undefined): boolean => {
    const found = pack.traces.find((t) => t.name === name);
    if (!found) return false;
    trace = found;
    cells = history(found);
    chooser.value = found.name;
    get('trace-why').textContent = texts[found.why] ?? '';
    get('trace-property').textContent = texts[found.property] ?? '';
    get('trace-machine').textContent = found.machine.map((t) => texts[t] ?? '').join(', ');
    const steps = found.steps.length - 1;
    const proof = found.minimal ? 'proved minimal: no shorter trace exists in this scope' : 'not proved minimal';
    get('trace-length').textContent = `${steps} ${steps === 1 ? 'step' : 'steps'}, ${proof}`;
    get('trace-replay').textContent = `npx ringfence replay ${root.getAttribute('data-folder') ?? ''}${found.name}`;
    const heads = found.lanes.map((l, i) => make('span', `lane-name lane-${i % 6}`, texts[l]));
    get('trace-lanes').replaceChildren(...heads);
    root.style.setProperty('--lanes', String(found.lanes.length));
    list.scrollTop = 0;
    go(step ?? steps);
    return true;
  };

  const fromHash = (): boolean => {
    const [, name, step] = /^#trace=([^&]+)(?:&step=(\d+))?$/.exec(win.location.hash) ?? [];
    if (name === undefined) return false;
    const wanted = pack.traces.find((t) => encodeURIComponent(t.name) === name)?.name ?? '';
    const opened = open(wanted, step === undefined ? undefined : Number(step));
    if (opened) {
      named = true;
      root.scrollIntoView({ block: 'start' });
      list.focus({ preventScroll: true });
    }
    return opened;
  };

  const page = (): number => Math.max(1, Math.floor(list.clientHeight / ROW_HEIGHT) - 1);
  const keys: Record<string, () => number> = {
    ArrowDown: () => at + 1,
    ArrowRight: () => at + 1,
    j: () => at + 1,
    ArrowUp: () => at - 1,
    ArrowLeft: () => at - 1,
    k: () => at - 1,
    PageDown: () => at + page(),
    PageUp: () => at - page(),
    Home: () => 0,
    End: () => Number.MAX_SAFE_INTEGER,
  };
  root.addEventListener('keydown', (e: Ev) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === 'SELECT') return;
    const to = Object.hasOwn(keys, e.key) ? keys[e.key] : undefined;
    if (!to) return;
    e.preventDefault();
    stepTo(to());
  });
  list.addEventListener('scroll', () => win.requestAnimationFrame(drawRows));
  win.addEventListener('resize', () => win.requestAnimationFrame(drawRows));
  rows.addEventListener('click', (e: Ev) => {
    const step = e.target.closest('.step')?.getAttribute('data-step');
    if (step !== null && step !== undefined) stepTo(Number(step));
  });
  chooser.addEventListener('change', () => {
    named = true;
    open(chooser.value, undefined);
  });
  get('trace-first').addEventListener('click', () => stepTo(0));
  get('trace-previous').addEventListener('click', () => stepTo(at - 1));
  get('trace-next').addEventListener('click', () => stepTo(at + 1));
  get('trace-last').addEventListener('click', () => stepTo(Number.MAX_SAFE_INTEGER));
  get('trace-copy').addEventListener('click', () => {
    const said = (text: string): void => {
      get('trace-copy').textContent = text;
    };
    const { clipboard } = win.navigator;
    if (!clipboard) said('select and copy');
    else
      clipboard.writeText(get('trace-replay').textContent ?? '').then(
        () => said('copied'),
        () => said('select and copy'),
      );
  });
  win.addEventListener('hashchange', fromHash);
  root.hidden = pack.traces.length === 0;
  if (!fromHash() && pack.traces[0]) open(pack.traces[0].name, undefined);
}
