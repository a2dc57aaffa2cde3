/**
 * R4 of "Reconstructing I/O": the I/O space that an IOMMU backs. A domain lends a frame to a driver domain, the driver domain maps it for
 * its device (DevMap), the device reaches it, the driver domain unmaps it (DevUnmap), and then the loan can be ended.
 * Source: UCAM-CL-TR-596 (2004), section on I/O spaces; the grant header of that year (device-map flag, device bus address, "out of I/O
 * MMU space"); the IOMMU itself is ../../iommu.
 *
 * Granularity is a parameter: by domain (the driver domain's own memory is mapped once, loans come on top), or by buffer (nothing is
 * mapped but for the time of a request). Must keep: R-S1 (confinement), R-S2 (no stale window), R-S7 (nothing of the VMM's), I2 (pins).
 */
import { domain, runs } from '../../domains.js';
import { frame, getPage, getType, isFree, putPage, putType, TYPE_IOMMU_TABLE, TYPE_WRITABLE } from '../../frames.js';
import {
  allocateTable,
  awaitCompletion,
  did,
  dropHeld,
  EMPTY,
  holdEntry,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  iova,
  LATE,
  mayDrop,
  mayFlush,
  READ,
  storeDirectory,
  storeEntry,
  strictInvalidation,
  submitAtcs,
  submitIotlbPage,
  submitWait,
  TABLE,
  WRITE,
} from '../../iommu/index.js';
import {
  bitsOf,
  DONE,
  type Footprint,
  flag,
  module,
  NONE,
  OK,
  operationOn,
  ref,
  type State,
  table,
  u8,
} from '../../kernel/index.js';

export const lendingTables = {
  /** What the owner of a frame lets another domain's devices do with it. */
  lent: table([frame], {
    to: ref(domain),
    rights: bitsOf('read', 'write'),
    /** Device mappings of the loan: while there are any, the owner cannot end it. */
    pins: u8(),
  }),
};

export type Lending = Iommu & State<typeof lendingTables>;
const operation = operationOn<Lending>();

/** The refusals of DevMap. */
export const DEVMAP_ERRNO = { ...IOMMU_ERRNO, EPERM: -1 } as const;

/** Rights of a mapping that may write or not. */
export const rightsOf = (write: number): number => (write !== 0 ? READ | WRITE : READ);

/** grantOK: whether domain d may let its devices do this with the frame: it is its own, or lent to it with these rights. */
export function grantOk(m: Lending, d: number, f: number, rights: number): boolean {
  if (d === NONE) return false;
  if (m.frame.owner[f] === d) return true;
  return m.lent.to[f] === d && (m.lent.rights[f] & rights) === rights;
}

/** Whether the frame is somebody else's, and needs a pin of its loan. */
export function isForeign(m: Lending, d: number, f: number): boolean {
  return m.frame.owner[f] !== m.ioDomain.owner[d];
}

/** Lowest frame of the heap, or -1. */
function heapFrame(m: Lending): number {
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) return f;
  return -1;
}

/** Gives DID d a table, if it has none. */
export function provideTable(m: Lending, d: number): number {
  if (m.ioDirectory.kind[d] !== EMPTY) return OK;
  if (m.fails(allocateTable)) return IOMMU_ERRNO.ENOMEM;
  const f = heapFrame(m);
  if (f < 0) return IOMMU_ERRNO.ENOMEM;
  m.frame.refs[f] = 1;
  m.frame.type[f] = TYPE_IOMMU_TABLE;
  m.frame.types[f] = 1;
  storeDirectory(m, d, TABLE, f, READ | WRITE);
  return OK;
}

/** Takes what a device mapping holds: a page reference of the frame's owner, and the writable type. */
export function takeMapping(m: Lending, f: number, rights: number): number {
  if (!getPage(m, f, m.frame.owner[f])) return IOMMU_ERRNO.EINVAL;
  if ((rights & WRITE) !== 0 && !getType(m, f, TYPE_WRITABLE)) {
    putPage(m, f);
    return IOMMU_ERRNO.EBUSY;
  }
  return OK;
}

function dropMapping(m: Lending, f: number, rights: number): void {
  if ((rights & WRITE) !== 0) putType(m, f);
  putPage(m, f);
}

function mayUseHeap(m: Lending, may: Footprint): void {
  const f = heapFrame(m);
  if (f >= 0) may.write(m.frame, f);
}

/** A domain lends one of its frames to a driver domain. */
export const lend = operation('loan.lend', {
  agent: domain,
  says: 'lends {frame} to {to} (writable: {write})',
  source: 'TR-596; grant tables of 2004 (device-map flag)',
  input: { frame, to: domain, write: flag },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.frame.owner[op.frame] === op.agent && m.lent.to[op.frame] === NONE,
    to: (m, op) => op.to !== op.agent && runs(m, op.to) && m.device.home.includes(op.to),
  },
  touches: (m, op, may) => may.write(m.lent, op.frame),
  atomic: true,
  steps: {
    publish: (m, op) => {
      m.lent.rights[op.frame] = rightsOf(op.write);
      m.lent.to[op.frame] = op.to;
    },
  },
});

/** R6: the owner ends a loan. While it is mapped for a device that is refused: only whoever maps it, or whoever destroys him, can end that. */
export const endLoan = operation('loan.end', {
  agent: domain,
  says: 'ends the loan of {frame}',
  source: 'TR-596 (revocation of pages in use: only by the controller); gnttab_end_foreign_access',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) =>
      m.frame.owner[op.frame] === op.agent && m.lent.to[op.frame] !== NONE && m.lent.pins[op.frame] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.lent, op.frame);
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  atomic: true,
  steps: {
    withdraw: (m, op) => {
      m.lent.to[op.frame] = NONE;
      m.lent.rights[op.frame] = 0;
    },
    // What was written into it while it was lent is the owner's now.
    'take the content': (m, op) => {
      m.content.writer[m.content.at(op.frame, 0)] = NONE;
      m.content.writer[m.content.at(op.frame, 1)] = NONE;
    },
  },
});

/** DevMap: a frame that is the driver domain's own, or lent to it, comes into its devices' address space. */
export const devMap = operation('device.map', {
  agent: 'vmm',
  says: 'maps {frame} at {iova} of {did}, as its domain asks (writable: {write})',
  source: 'TR-596; grant header of 2004: device-map flag, "out of I/O MMU space"',
  input: { did, iova, frame, write: flag },
  errors: DEVMAP_ERRNO,
  where: {
    did: (m, op) => m.ioDomain.owner[op.did] !== NONE && runs(m, m.ioDomain.owner[op.did]),
  },
  touches: (m, op, may) => {
    may.read(m.ioDomain, op.did);
    may.write(m.lent, op.frame);
    may.write(m.frame, op.frame);
    may.write(m.ioDirectory, op.did);
    may.write(m.ioEntry, m.ioEntry.at(op.did, op.iova));
    mayUseHeap(m, may);
  },
  steps: {
    // One step, as the compare-and-exchange on the grant is: were the loan ended in between, the pin would come too late.
    'check the grant and pin it': (m, op) => {
      if (!grantOk(m, m.ioDomain.owner[op.did], op.frame, rightsOf(op.write))) return DEVMAP_ERRNO.EPERM;
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]++;
      return OK;
    },
    'find device space': (m, op) =>
      m.ioDirectory.kind[op.did] === TABLE && m.ioEntry.rights[m.ioEntry.at(op.did, op.iova)] !== 0
        ? DEVMAP_ERRNO.ENOSPC
        : OK,
    'take references': (m, op) => takeMapping(m, op.frame, rightsOf(op.write)),
    'provide table': (m, op) => provideTable(m, op.did),
    'install entry': (m, op) => storeEntry(m, m.ioEntry.at(op.did, op.iova), op.frame, rightsOf(op.write)),
  },
  undo: {
    'check the grant and pin it': (m, op) => {
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]--;
    },
    'take references': (m, op) => dropMapping(m, op.frame, rightsOf(op.write)),
  },
});

/** A completion came after the wait of an unmap had timed out: reference and pin go only now. */
export const devReap = operation('device.reap', {
  agent: 'vmm',
  says: 'gives back what an unmap of {did} that timed out had held',
  source: 'TR-596, R4; Xen XSA-373 and its fixes',
  atomic: true,
  input: { did },
  where: { did: (m, op) => m.flush.state[op.did] === LATE },
  touches: (m, op, may) => {
    may.write(m.flush, op.did);
    mayDrop(m, may, m.flush.frame[op.did]);
    may.write(m.lent, m.flush.frame[op.did]);
  },
  steps: {
    'drop reference and pin': (m, op) => {
      const f = m.flush.frame[op.did];
      if (f !== NONE && m.flush.drop[op.did] !== 0 && isForeign(m, op.did, f)) m.lent.pins[f]--;
      m.flush.state[op.did] = IDLE;
      dropHeld(m, op.did);
    },
  },
});

/** DevUnmap: the entry goes, the IOTLB is invalidated, and only then does the call report that it is done. */
export const devUnmap = operation('device.unmap', {
  agent: 'vmm',
  says: 'unmaps {iova} of {did}, as its domain asks',
  source: 'TR-596; grant header of 2004: after a batch of unmappings neither device nor host TLB holds a stale entry',
  input: { did, iova },
  locals: ['frame', 'foreign'],
  errors: DEVMAP_ERRNO,
  onFailure: 'safe',
  where: {
    did: (m, op) => m.ioDirectory.kind[op.did] === TABLE && m.flush.state[op.did] === IDLE,
    iova: (m, op) => m.ioEntry.rights[m.ioEntry.at(op.did, op.iova)] !== 0,
  },
  touches: (m, op, may) => {
    const e = m.ioEntry.at(op.did, op.iova);
    may.write(m.ioEntry, e);
    mayDrop(m, may, m.ioEntry.frame[e]);
    may.write(m.lent, m.ioEntry.frame[e]);
    mayDrop(m, may, m.flush.frame[op.did]);
    may.write(m.lent, m.flush.frame[op.did]);
    mayFlush(m, may, op.did);
  },
  steps: {
    'clear entry': (m, op) => {
      const e = m.ioEntry.at(op.did, op.iova);
      op.frame = m.ioEntry.frame[e];
      op.foreign = isForeign(m, op.did, op.frame) ? 1 : 0;
      holdEntry(m, op.did, e);
      if (m.on(strictInvalidation)) return OK;
      // Deferred: whoever gets the frame next has it at once.
      if (op.foreign === 1) m.lent.pins[op.frame]--;
      dropHeld(m, op.did);
      return DONE;
    },
    'invalidate IOTLB': (m, op) => submitIotlbPage(m, op.did, op.iova),
    'invalidate ATC': (m, op) => submitAtcs(m, op.did, op.iova),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
    'drop reference and pin': (m, op) => {
      if (op.foreign === 1) m.lent.pins[op.frame]--;
      dropHeld(m, op.did);
    },
  },
});

/** Loans, as a module of a machine that has an IOMMU. */
export const lending = module<Lending, typeof lendingTables>('loans', {
  tables: lendingTables,
  operations: [lend, endLoan, devMap, devUnmap, devReap],
  initial: (m) => {
    m.lent.to.fill(NONE);
  },
  holds: (m, d) => {
    for (let f = 0; f < m.lent.rows; f++) if (m.lent.to[f] === d && m.lent.pins[f] > 0) return true;
    return false;
  },
  map: (m) =>
    [...m.lent.to].flatMap((to, f) =>
      to === NONE ? [] : [`frame ${f}: lent to domain ${to}, ${m.lent.pins[f]} device mappings`],
    ),
});
