/**
 * Client memory under an IOMMU of its own for each DD/OS (today's hardware): a client's page is mapped into the DD/OS's I/O address space
 * and leaves it again. The IOMMU itself, its caches and its queue are those of model/iommu.
 * Source: LeVasseur et al. 2004, V1 request_client_pages and V5, on the hardware of VT-d and AMD-Vi.
 * Must keep: DD-S2, DD-S5: the page is pinned from before the entry is written until after the invalidation has completed.
 */
import { runs } from '../../domains.js';
import { frame, getPage, getType, TYPE_WRITABLE } from '../../frames.js';
import {
  awaitCompletion,
  dropHeld,
  holdEntry,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  LATE,
  mayDrop,
  mayFlush,
  READ,
  storeEntry,
  submitAtcs,
  submitIotlbPage,
  submitWait,
  TABLE,
  WRITE,
} from '../../iommu/index.js';
import { gate, module, NONE, OK, oneOf, operationOn, type State, table } from '../../kernel/index.js';
import { hypercall } from '../../ledger.js';

/** The client that the DD/OS of DID 0 serves, and the DD/OS. */
export const CLIENT = 2;
export const DD_OS = 1;
/** The page of the DD/OS's I/O address space at which client memory appears. */
export const CLIENT_WINDOW = 0;

export const lentTables = {
  /** Frames of the client that are mapped for the DD/OS. */
  lent: table([frame], { state: oneOf('never', 'lent', 'no longer') }),
};

export type ClientMemory = Iommu & State<typeof lentTables>;
const operation = operationOn<ClientMemory>();

/** A pinned page is neither moved nor taken back. */
export const pinnedStays = gate('pinned pages stay');

/** request_client_pages. */
export const mapClientPage = operation('monitor.mapClientPage', {
  agent: 'vmm',
  says: 'maps {frame} of the client for the DD/OS',
  source: 'LeVasseur et al. 2004, V1 request_client_pages',
  input: { frame },
  errors: IOMMU_ERRNO,
  where: {
    agent: (m) =>
      runs(m, CLIENT) && m.ioDirectory.kind[0] === TABLE && m.ioEntry.rights[m.ioEntry.at(0, CLIENT_WINDOW)] === 0,
    frame: (m, op) => m.frame.owner[op.frame] === CLIENT,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.lent, op.frame);
    may.write(m.ioEntry, m.ioEntry.at(0, CLIENT_WINDOW));
  },
  steps: {
    pin: (m, op) => {
      hypercall(m);
      if (!getPage(m, op.frame, CLIENT)) return IOMMU_ERRNO.EINVAL;
      return getType(m, op.frame, TYPE_WRITABLE) ? OK : IOMMU_ERRNO.EBUSY;
    },
    'install entry': (m, op) => {
      m.lent.state[op.frame] = 1;
      storeEntry(m, m.ioEntry.at(0, CLIENT_WINDOW), op.frame, READ | WRITE);
    },
  },
});

/** The client's frame of the start state is mapped, as by `mapClientPage`. */
export function lendAtStart(m: ClientMemory): void {
  const f = m.frame.owner.indexOf(CLIENT);
  getPage(m, f, CLIENT);
  getType(m, f, TYPE_WRITABLE);
  m.lent.state[f] = 1;
  storeEntry(m, m.ioEntry.at(0, CLIENT_WINDOW), f, READ | WRITE);
}

/** The page leaves the DD/OS's I/O address space; it stays pinned until the invalidation has completed. */
export const unmapClientPage = operation('monitor.unmapClientPage', {
  agent: 'vmm',
  says: 'unmaps the page of the client',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  input: { frame },
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: {
    agent: (m) => m.flush.state[0] === IDLE,
    frame: (m, op) => m.ioEntry.frame[m.ioEntry.at(0, CLIENT_WINDOW)] === op.frame,
  },
  touches: (m, op, may) => {
    may.write(m.ioEntry, m.ioEntry.at(0, CLIENT_WINDOW));
    may.write(m.lent, op.frame);
    mayDrop(m, may, op.frame);
    mayFlush(m, may, 0);
  },
  steps: {
    'clear entry': (m) => holdEntry(m, 0, m.ioEntry.at(0, CLIENT_WINDOW)),
    'invalidate IOTLB': (m) => submitIotlbPage(m, 0, CLIENT_WINDOW),
    'invalidate ATC': (m) => submitAtcs(m, 0, CLIENT_WINDOW),
    wait: (m) => submitWait(m, 0),
    completed: (m) => awaitCompletion(m, 0),
    unpin: (m, op) => {
      m.lent.state[op.frame] = 2;
      dropHeld(m, 0);
    },
  },
});

/** A completion came after its wait had timed out: only now is the page no longer lent, and what was held for it given back. */
export const reapLoan = operation('monitor.reapLoan', {
  agent: 'vmm',
  says: 'ends the loan whose flush had timed out',
  source: 'LeVasseur et al. 2004, V5 pin rule; Xen XSA-373',
  atomic: true,
  where: { agent: (m) => m.flush.state[0] === LATE },
  touches: (m, _op, may) => {
    may.write(m.flush, 0);
    if (m.flush.frame[0] !== NONE) may.write(m.lent, m.flush.frame[0]);
    mayDrop(m, may, m.flush.frame[0]);
  },
  steps: {
    'end the loan, unpin': (m) => {
      const f = m.flush.frame[0];
      // It may have been lent again meanwhile.
      if (f !== NONE && m.ioEntry.frame[m.ioEntry.at(0, CLIENT_WINDOW)] !== f) m.lent.state[f] = 2;
      m.flush.state[0] = IDLE;
      dropHeld(m, 0);
    },
  },
});

/** The balloon: the client gives a page back, which the monitor refuses while it is pinned. */
export const reclaimClientPage = operation('monitor.reclaim', {
  agent: 'monitor',
  says: 'takes {frame} back from the client',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  input: { frame },
  errors: IOMMU_ERRNO,
  where: { frame: (m, op) => m.frame.owner[op.frame] === CLIENT },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    'refuse a pinned page': (m, op) => (m.on(pinnedStays) && m.frame.refs[op.frame] > 1 ? IOMMU_ERRNO.EBUSY : OK),
    'take it': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      m.frame.owner[op.frame] = NONE;
      m.frame.refs[op.frame]--;
    },
  },
});

/** Whether the frame may be reached by the device's DD/OS: its own, or the client's and lent. */
export function mayHave(m: ClientMemory, home: number, f: number): boolean {
  if (home === NONE) return false;
  const owner = m.frame.owner[f];
  return owner === home || (home === DD_OS && owner === CLIENT && m.lent.state[f] === 1);
}

export const clientMemory = module<ClientMemory, typeof lentTables>('client memory', {
  tables: lentTables,
  operations: [mapClientPage, unmapClientPage, reapLoan, reclaimClientPage],
});
