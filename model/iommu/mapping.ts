/**
 * The VMM's operations on IOMMU page tables: map, map a superpage, split it, change rights, unmap, free an empty table.
 * Source: Xen `xen/drivers/passthrough/iommu.c` (iommu_map, iommu_unmap), `vtd/iommu.c` (intel_iommu_map_page, dma_pte_clear_one,
 * addr_to_dma_page_maddr for the split), `x86/iommu.c`; design after XSA-321, 366, 373.
 * Must keep: references count mappings (I2); a frame that is device-writable has the writable type (I3); success means that nothing
 * stale is left (I4), and until then page and type references are held (I1).
 */
import { runs } from '../domains.js';
import {
  type Frames,
  frame,
  getPage,
  getType,
  isFree,
  putPage,
  putType,
  TYPE_IOMMU_TABLE,
  TYPE_WRITABLE,
} from '../frames.js';
import { DONE, type Footprint, flag, NONE, OK, operationOn } from '../kernel/index.js';
import {
  awaitCompletion,
  dropHeld,
  mayDrop,
  mayFlush,
  submitAtcs,
  submitIotlbDid,
  submitIotlbPage,
  submitStructures,
  submitWait,
} from './queue.js';
import {
  allocateTable,
  DROP_PAGE,
  DROP_TABLE,
  DROP_TYPE,
  did,
  EMPTY,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  iova,
  READ,
  SUPERPAGE,
  storeDirectory,
  storeEntry,
  strictInvalidation,
  TABLE,
  WRITE,
} from './state.js';

const operation = operationOn<Iommu>();

/** Lowest free frame, or -1. */
function heapFrame(m: Frames): number {
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) return f;
  return -1;
}

/** Takes a free frame for a table, or answers ENOMEM. The caller finds it with `builtTable`. */
function takeTable(m: Iommu): number {
  if (m.fails(allocateTable)) return -1;
  const f = heapFrame(m);
  if (f < 0) return -1;
  m.frame.refs[f] = 1;
  m.frame.type[f] = TYPE_IOMMU_TABLE;
  m.frame.types[f] = 1;
  return f;
}

/** Whether the domain of DID d may have the frame mapped for its devices: it owns it. */
function owns(m: Iommu, d: number, f: number): boolean {
  return m.frame.owner[f] === m.ioDomain.owner[d];
}

/** Takes what a mapping holds: a page reference, and the writable type if it gives that right. */
function takeReferences(m: Iommu, d: number, f: number, rights: number): number {
  if (!getPage(m, f, m.ioDomain.owner[d])) return IOMMU_ERRNO.EINVAL;
  if ((rights & WRITE) !== 0 && !getType(m, f, TYPE_WRITABLE)) {
    putPage(m, f);
    return IOMMU_ERRNO.EBUSY;
  }
  return OK;
}

/** Gives back what a mapping held. */
export function dropReferences(m: Iommu, f: number, rights: number): void {
  if ((rights & WRITE) !== 0) putType(m, f);
  putPage(m, f);
}

function mayUseHeap(m: Iommu, may: Footprint): void {
  const f = heapFrame(m);
  if (f >= 0) may.write(m.frame, f);
}

function isMapped(m: Iommu, d: number, page: number): boolean {
  return m.ioDirectory.kind[d] === TABLE && m.ioEntry.rights[m.ioEntry.at(d, page)] !== 0;
}

/** iommu_map of one small page. No invalidation: hardware caches no absent entries. */
export const mapPage = operation('iommu.map', {
  agent: 'vmm',
  says: 'maps {frame} at {iova} of {did} (writable: {write})',
  source: 'Xen iommu_map, intel_iommu_map_page',
  input: { did, iova, frame, write: flag },
  locals: ['table'],
  errors: IOMMU_ERRNO,
  where: {
    did: (m, op) => m.ioDomain.owner[op.did] !== NONE && runs(m, m.ioDomain.owner[op.did]),
    iova: (m, op) => m.ioDirectory.kind[op.did] !== SUPERPAGE && !isMapped(m, op.did, op.iova),
    frame: (m, op) => owns(m, op.did, op.frame),
  },
  touches: (m, op, may) => {
    may.read(m.ioDomain, op.did);
    may.write(m.frame, op.frame);
    may.write(m.ioDirectory, op.did);
    may.write(m.ioEntry, m.ioEntry.at(op.did, op.iova));
    mayUseHeap(m, may);
  },
  steps: {
    'take references': (m, op) => takeReferences(m, op.did, op.frame, op.write !== 0 ? READ | WRITE : READ),
    'provide table': (m, op) => {
      if (m.ioDirectory.kind[op.did] !== EMPTY) return OK;
      op.table = takeTable(m);
      if (op.table < 0) return IOMMU_ERRNO.ENOMEM;
      storeDirectory(m, op.did, TABLE, op.table, READ | WRITE);
      return OK;
    },
    'install entry': (m, op) => {
      storeEntry(m, m.ioEntry.at(op.did, op.iova), op.frame, op.write !== 0 ? READ | WRITE : READ);
    },
  },
  undo: {
    'take references': (m, op) => dropReferences(m, op.frame, op.write !== 0 ? READ | WRITE : READ),
  },
});

/** iommu_map of two frames side by side as one superpage. */
export const mapSuperpage = operation('iommu.mapSuperpage', {
  agent: 'vmm',
  says: 'maps {frame} and the next one as a superpage of {did} (writable: {write})',
  source: 'Xen iommu_map with order > 0',
  input: { did, frame, write: flag },
  errors: IOMMU_ERRNO,
  where: {
    did: (m, op) =>
      m.size(iova) === 2 &&
      m.ioDomain.owner[op.did] !== NONE &&
      runs(m, m.ioDomain.owner[op.did]) &&
      m.ioDirectory.kind[op.did] === EMPTY,
    // Whose the second page is, the call finds out by itself.
    frame: (m, op) => op.frame % 2 === 0 && op.frame + 1 < m.frame.rows && owns(m, op.did, op.frame),
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.frame, op.frame + 1);
    may.write(m.ioDirectory, op.did);
  },
  steps: {
    'take references to the first': (m, op) =>
      takeReferences(m, op.did, op.frame, op.write !== 0 ? READ | WRITE : READ),
    'take references to the second': (m, op) =>
      takeReferences(m, op.did, op.frame + 1, op.write !== 0 ? READ | WRITE : READ),
    'install entry': (m, op) => {
      storeDirectory(m, op.did, SUPERPAGE, op.frame, op.write !== 0 ? READ | WRITE : READ);
    },
  },
  undo: {
    'take references to the first': (m, op) => dropReferences(m, op.frame, op.write !== 0 ? READ | WRITE : READ),
  },
});

/**
 * A superpage becomes a table of small pages, so that one of them can be changed. The cached superpage must go: later page-selective
 * invalidations need not remove it.
 */
export const splitSuperpage = operation('iommu.split', {
  agent: 'vmm',
  says: 'splits the superpage of {did}',
  source: 'Xen dma_pte_clear_one / addr_to_dma_page_maddr; XSA-321, XSA-366',
  input: { did },
  locals: ['table'],
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: { did: (m, op) => m.ioDirectory.kind[op.did] === SUPERPAGE && m.flush.state[op.did] === IDLE },
  touches: (m, op, may) => {
    may.write(m.ioDirectory, op.did);
    for (let i = 0; i < m.size(iova); i++) may.write(m.ioEntry, m.ioEntry.at(op.did, i));
    mayUseHeap(m, may);
    mayFlush(m, may, op.did);
  },
  steps: {
    'build table': (m, op) => {
      op.table = takeTable(m);
      if (op.table < 0) return IOMMU_ERRNO.ENOMEM;
      const first = m.ioDirectory.target[op.did];
      const rights = m.ioDirectory.rights[op.did];
      for (let i = 0; i < m.size(iova); i++) storeEntry(m, m.ioEntry.at(op.did, i), first + i, rights);
      return OK;
    },
    'link table': (m, op) => {
      storeDirectory(m, op.did, TABLE, op.table, READ | WRITE);
    },
    'invalidate IOTLB': (m, op) => submitIotlbDid(m, op.did),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
  },
});

/** A mapping gains the right to write. Hardware may go on with the weaker cached right for a while: that refuses, and harms nobody. */
export const permitWrite = operation('iommu.permitWrite', {
  agent: 'vmm',
  says: 'makes {iova} of {did} writable',
  source: 'Xen iommu_map over a present entry',
  input: { did, iova },
  errors: IOMMU_ERRNO,
  where: {
    did: (m, op) => m.ioDirectory.kind[op.did] === TABLE && runs(m, m.ioDomain.owner[op.did]),
    iova: (m, op) => m.ioEntry.rights[m.ioEntry.at(op.did, op.iova)] === READ,
  },
  touches: (m, op, may) => {
    may.write(m.ioEntry, m.ioEntry.at(op.did, op.iova));
    may.write(m.frame, m.ioEntry.frame[m.ioEntry.at(op.did, op.iova)]);
  },
  steps: {
    'take the type': (m, op) =>
      getType(m, m.ioEntry.frame[m.ioEntry.at(op.did, op.iova)], TYPE_WRITABLE) ? OK : IOMMU_ERRNO.EBUSY,
    'set write right': (m, op) => {
      const e = m.ioEntry.at(op.did, op.iova);
      storeEntry(m, e, m.ioEntry.frame[e], READ | WRITE);
    },
  },
});

/** A mapping loses the right to write: as much a revocation as an unmap. */
export const revokeWrite = operation('iommu.revokeWrite', {
  agent: 'vmm',
  says: 'makes {iova} of {did} read-only',
  source: 'Xen iommu_map over a present entry; XSA-275',
  input: { did, iova },
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: {
    did: (m, op) => m.ioDirectory.kind[op.did] === TABLE && m.flush.state[op.did] === IDLE,
    iova: (m, op) => m.ioEntry.rights[m.ioEntry.at(op.did, op.iova)] === (READ | WRITE),
  },
  touches: (m, op, may) => {
    const e = m.ioEntry.at(op.did, op.iova);
    may.write(m.ioEntry, e);
    mayDrop(m, may, m.ioEntry.frame[e]);
    mayFlush(m, may, op.did);
  },
  steps: {
    'clear write right': (m, op) => {
      const e = m.ioEntry.at(op.did, op.iova);
      m.flush.frame[op.did] = m.ioEntry.frame[e];
      m.flush.drop[op.did] = DROP_TYPE;
      storeEntry(m, e, m.ioEntry.frame[e], READ);
    },
    'invalidate IOTLB': (m, op) => submitIotlbPage(m, op.did, op.iova),
    'invalidate ATC': (m, op) => submitAtcs(m, op.did, op.iova),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
    'drop type reference': (m, op) => dropHeld(m, op.did),
  },
});

/** iommu_unmap of one small page. The references stay with the flush until it has completed. */
export const unmapPage = operation('iommu.unmap', {
  agent: 'vmm',
  says: 'unmaps {iova} of {did}',
  source: 'Xen iommu_unmap, dma_pte_clear_one, iommu_flush_iotlb_psi; XSA-373',
  input: { did, iova },
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: {
    did: (m, op) => m.ioDirectory.kind[op.did] === TABLE && m.flush.state[op.did] === IDLE,
    iova: (m, op) => isMapped(m, op.did, op.iova),
  },
  touches: (m, op, may) => {
    const e = m.ioEntry.at(op.did, op.iova);
    may.write(m.ioEntry, e);
    mayDrop(m, may, m.ioEntry.frame[e]);
    mayDrop(m, may, m.flush.frame[op.did]);
    mayFlush(m, may, op.did);
  },
  steps: {
    'clear entry': (m, op) => {
      holdEntry(m, op.did, m.ioEntry.at(op.did, op.iova));
      if (m.on(strictInvalidation)) return OK;
      // Deferred: the caller goes on at once, and so does whoever gets the frame next.
      dropHeld(m, op.did);
      return DONE;
    },
    'invalidate IOTLB': (m, op) => submitIotlbPage(m, op.did, op.iova),
    'invalidate ATC': (m, op) => submitAtcs(m, op.did, op.iova),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
    'drop reference': (m, op) => dropHeld(m, op.did),
  },
});

/** Clears a leaf entry; what it held goes over to the flush. */
export function holdEntry(m: Iommu, d: number, e: number): void {
  m.flush.frame[d] = m.ioEntry.frame[e];
  m.flush.drop[d] = (m.ioEntry.rights[e] & WRITE) !== 0 ? DROP_PAGE | DROP_TYPE : DROP_PAGE;
  storeEntry(m, e, NONE, 0);
}

/** An empty table is unlinked and its frame freed, once no cache points to it. */
export const freeTable = operation('iommu.freeTable', {
  agent: 'vmm',
  says: 'frees the empty table of {did}',
  source: 'Xen dma_pte_free_pagetables, iommu_queue_free_pgtable; CVE-2025-71089',
  input: { did },
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: {
    did: (m, op) => {
      if (m.ioDirectory.kind[op.did] !== TABLE || m.flush.state[op.did] !== IDLE) return false;
      for (let i = 0; i < m.size(iova); i++) if (isMapped(m, op.did, i)) return false;
      return true;
    },
  },
  touches: (m, op, may) => {
    mayDrop(m, may, m.ioDirectory.target[op.did]);
    mayDrop(m, may, m.flush.frame[op.did]);
    may.write(m.ioDirectory, op.did);
    mayFlush(m, may, op.did);
  },
  steps: {
    'unlink table': (m, op) => {
      m.flush.frame[op.did] = m.ioDirectory.target[op.did];
      m.flush.drop[op.did] = DROP_TABLE;
      storeDirectory(m, op.did, EMPTY, NONE, 0);
    },
    'invalidate structures': (m, op) => submitStructures(m, op.did),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
    'free frame': (m, op) => dropHeld(m, op.did),
  },
});

/** All operations on page tables. */
export const mappings = [mapPage, mapSuperpage, splitSuperpage, permitWrite, revokeWrite, unmapPage, freeTable];
