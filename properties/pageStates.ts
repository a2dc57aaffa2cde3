/** What the page states of a hypervisor that does not trust its host must keep. */
import { BORROWED, HOST, NO_PAGE, OWNED, type Pages, SHARED, unsharePage } from '../model/pageStates.js';
import { invariant, relation } from './property.js';

const stateOf = (m: Pages, party: number, page: number): number => m.view.state[m.view.at(party, page)];
const parties = (m: Pages): number => m.view.rows / m.hostDma.rows;

/** Parties that see the page in this state. */
function count(m: Pages, page: number, state: number): number {
  let n = 0;
  for (let d = 0; d < parties(m); d++) if (stateOf(m, d, page) === state) n++;
  return n;
}

function page(m: Pages, holds: (page: number) => boolean): boolean {
  for (let p = 0; p < m.hostDma.rows; p++) if (holds(p)) return true;
  return false;
}

export const viewsFit = invariant<Pages>('I3', 'ownership', {
  states: 'a page has one owner; it has one borrower when the owner sees it shared, and none otherwise',
  holds: (m) => {
    for (let p = 0; p < m.hostDma.rows; p++) {
      const shared = count(m, p, SHARED);
      if (count(m, p, OWNED) + shared !== 1 || count(m, p, BORROWED) !== shared) return false;
    }
    return true;
  },
  witnesses: {
    'the guest shares a page with the host': (m) =>
      page(m, (p) => stateOf(m, 2, p) === SHARED && stateOf(m, HOST, p) === BORROWED),
    'pages of two owners': (m) =>
      count(m, 0, OWNED) === 1 && stateOf(m, HOST, 0) === OWNED && stateOf(m, 1, 1) === OWNED,
  },
});

export const unsharedAlone = relation<Pages>('I4', 'unshared', {
  states: 'when unsharing returns success, the page is the owner’s alone',
  holds: (_before, after, status) => {
    const { op, call } = after.current;
    if (op.name !== unsharePage.name || status !== 0) return true;
    return count(after, call.page ?? 0, NO_PAGE) === parties(after) - 1;
  },
  witnesses: { 'a page is shared': (m) => page(m, (p) => count(m, p, SHARED) === 1) },
});

export const dmaCounted = invariant<Pages>('I2', 'count', {
  states: 'a page is counted as often as devices map it',
  holds: (m) => {
    for (let p = 0; p < m.hostDma.rows; p++) if (m.hostDma.count[p] !== m.hostDma.mapped[p]) return false;
    return m.shadow.large[0] === 0 || !m.hostDma.mapped.includes(0);
  },
  witnesses: {
    'a large entry maps both pages': (m) => m.shadow.large[0] === 1,
    'one page is mapped and the other given away': (m) =>
      m.hostDma.mapped.includes(1) && page(m, (p) => stateOf(m, HOST, p) === NO_PAGE),
  },
});

export const devicesReachHost = invariant<Pages>('I1', 'reach', {
  states: 'a device of the host maps only pages that the host owns',
  holds: (m) => {
    for (let p = 0; p < m.hostDma.rows; p++) {
      const state = stateOf(m, HOST, p);
      if (m.hostDma.mapped[p] === 1 && state !== OWNED && state !== SHARED) return false;
    }
    return true;
  },
  witnesses: {
    'a guest owns a page beside a mapped one': (m) =>
      m.hostDma.mapped.includes(1) && page(m, (p) => stateOf(m, 2, p) === OWNED),
  },
});

export const faultsInWindow = invariant<Pages>('I8', 'fault interrupt', {
  states: 'the interrupt that the unit itself writes goes to the interrupt window',
  holds: (m) => m.shadow.struck[0] === 0,
  witnesses: { 'a page is the guest’s': (m) => stateOf(m, 2, 0) === OWNED },
});
