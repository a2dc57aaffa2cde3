/**
 * Page ownership of a hypervisor that does not trust its host (pKVM): who owns a page, who borrows it, and what the host's devices reach.
 * Source: Linux `arch/arm64/kvm/hyp/nvhe/mem_protect.c` (enum pkvm_page_state, __pkvm_host_share_hyp and the other transitions: each
 * checks the state on the initiator's and on the completer's side); pKVM for x86 (pkvm-ia) for the shadow IOMMU tables.
 *
 * Every party has its own view of every page, as the software bits of its page table say. A transition checks both views, then changes
 * both. The host's devices map pages one by one, or two at once by a large entry; each mapping holds a count on its page, and a page
 * with a count cannot be given away.
 *
 * Must keep: I3 the views of one page fit together, I4 what was unshared is the owner's alone, I2 counts equal mappings, I1 no device of
 * the host reaches a page that is not the host's, I8 the unit's own interrupt goes to the interrupt window.
 */
import {
  failure,
  flag,
  type Machine,
  type MachineDef,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from './kernel/index.js';

export const pageParty = sort('page party', { members: ['host', 'hypervisor', 'guest', 'secure world'] });
export const ownedPage = sort('owned page', { members: ['page 0', 'page 1'] });
export const HOST = 0;

/** PKVM_PAGE_OWNED, _SHARED_OWNED, _SHARED_BORROWED, PKVM_NOPAGE. */
export const NO_PAGE = 0;
export const OWNED = 1;
export const SHARED = 2;
export const BORROWED = 3;

export const pageTables = {
  view: table([pageParty, ownedPage], { state: oneOf('none', 'owned', 'shared', 'borrowed') }),
  /** What the host's devices map, small entry by small entry, and how often the page is counted. */
  hostDma: table([ownedPage], { mapped: oneOf('no', 'yes'), count: u8() }),
  shadow: table([], {
    /** One large entry maps both pages. */
    large: oneOf('no', 'yes'),
    /** Where the unit's fault interrupt goes: the window, or memory. */
    faultWindow: oneOf('the window', 'page 0', 'page 1'),
    /** The unit has written its interrupt into this page (plus one). */
    struck: u8(),
  }),
};
export type Pages = Machine & State<typeof pageTables>;
const operation = operationOn<Pages>();

export const PAGE_ERRORS = { '-EPERM': -1, '-EBUSY': -16, '-EINVAL': -22, '-ENOMEM': -12 } as const;
const EPERM = -1;
const EBUSY = -16;
const EINVAL = -22;
const ENOMEM = -12;
export const splitEntry = failure('allocate a table to split a large entry of the IOMMU');

/** Both views of the pair. */
interface Pair {
  from: number;
  to: number;
  page: number;
}
const stateOf = (m: Pages, party: number, page: number): number => m.view.state[m.view.at(party, page)];
const isState = (m: Pages, party: number, page: number, state: number): number =>
  stateOf(m, party, page) === state ? OK : EPERM;
const set = (m: Pages, party: number, page: number, state: number): void => {
  m.view.state[m.view.at(party, page)] = state;
};
const twoParties = (_m: Pages, op: { from: number; to: number }): boolean => op.from !== op.to;
function touchPair(m: Pages, op: Pair, may: { write(t: Pages['view'], row: number): void }): void {
  may.write(m.view, m.view.at(op.from, op.page));
  may.write(m.view, m.view.at(op.to, op.page));
}
const pair = { from: pageParty, to: pageParty, page: ownedPage };

export const sharePage = operation('page.share', {
  agent: 'hypervisor call',
  says: '{from} shares {page} with {to}',
  source: 'mem_protect.c, __pkvm_host_share_hyp, __pkvm_guest_share_host',
  input: pair,
  where: { to: twoParties },
  touches: touchPair,
  errors: PAGE_ERRORS,
  steps: {
    'check the initiator': (m, op) => isState(m, op.from, op.page, OWNED),
    'check the completer': (m, op) => isState(m, op.to, op.page, NO_PAGE),
    initiate: (m, op) => set(m, op.from, op.page, SHARED),
    complete: (m, op) => set(m, op.to, op.page, BORROWED),
  },
});

export const unsharePage = operation('page.unshare', {
  agent: 'hypervisor call',
  says: '{from} takes {page} back from {to}',
  source: 'mem_protect.c, __pkvm_host_unshare_hyp, __pkvm_guest_unshare_host; Linux 985bb51f',
  input: pair,
  where: { to: twoParties },
  touches: touchPair,
  errors: PAGE_ERRORS,
  steps: {
    'check the initiator': (m, op) => isState(m, op.from, op.page, SHARED),
    'check the completer': (m, op) => isState(m, op.to, op.page, BORROWED),
    initiate: (m, op) => set(m, op.from, op.page, OWNED),
    complete: (m, op) => set(m, op.to, op.page, NO_PAGE),
  },
});

export const donatePage = operation('page.donate', {
  agent: 'hypervisor call',
  says: '{from} gives {page} to {to}',
  source: 'mem_protect.c, __pkvm_host_donate_hyp, __pkvm_hyp_donate_host',
  input: pair,
  where: { to: twoParties },
  touches: (m, op, may) => {
    touchPair(m, op, may);
    may.read(m.hostDma, op.page);
  },
  errors: PAGE_ERRORS,
  steps: {
    'check the initiator': (m, op) => isState(m, op.from, op.page, OWNED),
    'check the completer': (m, op) => isState(m, op.to, op.page, NO_PAGE),
    'check that no device maps it': (m, op) => (op.from === HOST && m.hostDma.count[op.page] > 0 ? EBUSY : OK),
    initiate: (m, op) => set(m, op.from, op.page, NO_PAGE),
    complete: (m, op) => set(m, op.to, op.page, OWNED),
  },
});

/** Whether the host may let its devices use the page. */
const isHosts = (m: Pages, page: number): boolean => {
  const state = stateOf(m, HOST, page);
  return state === OWNED || state === SHARED;
};

export const mapDma = operation('page.mapDma', {
  agent: 'host',
  says: 'maps {page} for a device (with its neighbour, by a large entry: {large})',
  source: 'pkvm-ia, shadow IOMMU tables',
  input: { page: ownedPage, large: flag },
  where: { large: (_m, op) => op.large === 0 || op.page === 0 },
  touches: touchDma,
  errors: PAGE_ERRORS,
  steps: {
    'check the pages': (m, op) => {
      for (let p = op.page; p <= op.page + op.large; p++) {
        if (!isHosts(m, p)) return EPERM;
        if (m.hostDma.mapped[p] === 1) return EBUSY;
      }
      return OK;
    },
    'count them': (m, op) => {
      for (let p = op.page; p <= op.page + op.large; p++) m.hostDma.count[p]++;
    },
    map: (m, op) => {
      for (let p = op.page; p <= op.page + op.large; p++) m.hostDma.mapped[p] = 1;
      if (op.large === 1) m.shadow.large[0] = 1;
    },
  },
});

/** Of a page in a large entry too: the entry is split, and the other page stays mapped. */
export const unmapDma = operation('page.unmapDma', {
  agent: 'host',
  says: 'unmaps {page} from its device',
  source: 'pkvm-ia issue 104: a small page within a large entry',
  input: { page: ownedPage },
  touches: touchDma,
  errors: PAGE_ERRORS,
  steps: {
    'find the entry': (m, op) => (m.hostDma.mapped[op.page] === 1 ? OK : EINVAL),
    'split a large entry': (m) => {
      if (m.shadow.large[0] === 0) return OK;
      if (m.fails(splitEntry)) return ENOMEM;
      m.shadow.large[0] = 0;
      return OK;
    },
    'clear the entry': (m, op) => {
      m.hostDma.mapped[op.page] = 0;
    },
    'drop the count': (m, op) => {
      m.hostDma.count[op.page]--;
    },
  },
});

function touchDma(m: Pages, _op: unknown, may: { write(t: Pages['hostDma' | 'shadow'], row?: number): void }): void {
  for (let p = 0; p < m.hostDma.rows; p++) may.write(m.hostDma, p);
  may.write(m.shadow);
}

/** The host writes the registers with the address of the unit's fault interrupt. */
export const setFaultInterrupt = operation('page.setFaultInterrupt', {
  agent: 'host',
  says: 'lets faults interrupt by a write to {page} (to the interrupt window instead: {window})',
  source: 'VT-d 10.4.12 (fault event address); pkvm-ia issue 94',
  input: { page: ownedPage, window: flag },
  where: { window: (_m, op) => op.window === 0 || op.page === 0 },
  touches: (m, _op, may) => may.write(m.shadow),
  errors: PAGE_ERRORS,
  steps: {
    'check the address': (_m, op) => (op.window === 1 ? OK : EPERM),
    write: (m, op) => {
      m.shadow.faultWindow[0] = op.window === 1 ? 0 : op.page + 1;
    },
  },
});

/** A device faults, and the unit writes its interrupt, which no table stops. */
export const raiseFault = operation('page.raiseFault', {
  agent: 'unit',
  says: 'writes its fault interrupt',
  source: 'VT-d 10.4.12',
  fault: 'F2',
  where: { agent: (m) => m.shadow.struck[0] === 0 },
  touches: (m, _op, may) => may.write(m.shadow),
  steps: {
    write: (m) => {
      m.shadow.struck[0] = m.shadow.faultWindow[0];
    },
  },
});

export const pageStateMachine: MachineDef = {
  name: 'page states',
  modules: [
    module<Pages, typeof pageTables>('page states', {
      tables: pageTables,
      operations: [sharePage, unsharePage, donatePage, mapDma, unmapDma, setFaultInterrupt, raiseFault],
      initial: (m) => {
        for (let p = 0; p < m.hostDma.rows; p++) set(m, HOST, p, OWNED);
      },
    }),
  ],
};
