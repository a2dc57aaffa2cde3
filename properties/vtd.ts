/**
 * What the bit-level VT-d must keep. The refinement relation ties words, caches and descriptors to what software means by them:
 *
 *   R  A request of requester r for page p with access a, let through to frame f, is one that the abstract IOMMU may let through:
 *      there is a mapping u of a space s in mayAttach(r) with f = frame(u, p) and a in may(u).
 *   C  Whatever the unit holds is within the abstract caches: a context entry of r is of a space in mayAttach(r); a translation is one of a
 *      mapping u with rights within may(u); a paging-structure entry is of the directory while mayDirectory.
 *   C is the simulation relation between the two states, R what it is for. The abstract IOMMU of model/iommu keeps the same account in its
 *   config cache, IOTLB and structure cache.
 *   may(u), mayAttach(r) and mayDirectory are the abstract IOMMU's account: what is meant now, and what was meant and has not been
 *      covered by a completed invalidation since. They never look at a word of a table, a tag or a descriptor.
 */

import { frameOf, PRESENT, READ, READ_WRITE, WRITE } from '../model/vtd/entries.js';
import { attach, entryRow } from '../model/vtd/software.js';
import {
  A_LEVEL_1,
  A_LEVEL_2,
  CONTEXT_0,
  contextLow,
  contextWord2,
  DOMAIN_IDS,
  FIRST_TABLE,
  isData,
  meantFrame,
  pageNumber,
  SOURCE_IDS,
  spaceOf,
  VMM_FRAME,
  type Vtd,
  wordRow,
} from '../model/vtd/state.js';
import { dmaCached, dmaWalked, type Found } from '../model/vtd/unit.js';
import { invariant, relation } from './property.js';

/** Where the directory of space A lies. */
const DIRECTORY_FRAME = FIRST_TABLE + A_LEVEL_1;

/** The call of a request that has just been let through, or undefined. */
function arrived(m: Vtd, status: number): (Found & { agent: number; page: number; write: number }) | undefined {
  const name = m.current.op.name;
  if (status !== 0 || (name !== dmaWalked.name && name !== dmaCached.name)) return undefined;
  return m.current.call as unknown as Found & { agent: number; page: number; write: number };
}

/** R: whether the abstract IOMMU may let this request through to this frame. */
export function allowed(m: Vtd, r: number, page: number, write: boolean, frame: number): boolean {
  const access = write ? WRITE : READ;
  for (let u = 0; u < m.may.rows; u++) {
    const attachedTo = (m.mayAttach.spaces[r] >>> spaceOf(u)) & 1;
    if (attachedTo === 1 && (m.may.rights[u] & access) !== 0 && meantFrame(u, page) === frame) return true;
  }
  return false;
}

const hex = (n: number): string => `${n.toString(16)}h`;

/** Some cache entry is used that the tables no longer bear out. */
const stale = (m: Vtd): boolean => {
  for (let u = 0; u < 2; u++) if (m.iotlb.rights[u] !== 0 && m.meant.rights[u] === 0) return true;
  return false;
};

/** R. */
export const refines = relation<Vtd>('I15', 'shadow', {
  states:
    'a request is let through only to what is meant, or was meant and not covered by a completed invalidation since',
  holds: (before, after, status) => {
    const call = arrived(after, status);
    return call === undefined || allowed(before, call.agent, pageNumber(call.page), call.write === 1, call.frame);
  },
  witnesses: {
    'a stale translation is cached': stale,
    'a stale context entry is cached': (m) => m.contextCache.valid[0] === 1 && m.attached.space[0] === 0,
    'a superpage is cached': (m) => m.iotlb.rights[2] !== 0 && m.iotlb.level[2] === 2,
    'a directory that was taken out is cached': (m) => m.pagingCache.rights[0] !== 0 && m.directory.present[0] === 0,
  },
  explain: (_before, after, status) => {
    const call = arrived(after, status);
    return call === undefined
      ? ''
      : `requester ${hex(SOURCE_IDS[call.agent])} ${call.write ? 'writes' : 'reads'} frame ${hex(call.frame)} at page ${hex(pageNumber(call.page))}, which nothing allows any more`;
  },
});

/** C. */
export const cachesWithin = invariant<Vtd>('I15', 'simulation', {
  states: 'what the unit holds is what is meant, or was meant and not covered by a completed invalidation since',
  holds: (m) => {
    if (m.vtdUnit.translating[0] === 0) return true;
    const c = m.contextCache;
    for (let r = 0; r < c.valid.length; r++) {
      if (c.valid[r] !== 0 && ((m.mayAttach.spaces[r] >>> (c.did[r] - 1)) & 1) === 0) return false;
    }
    for (let w = 0; w < m.iotlb.rows; w++) if (m.iotlb.rights[w] !== 0 && !withinMay(m, w)) return false;
    if (m.pagingCache.rights[0] === 0) return true;
    const directory = m.pagingCache.frame[0] === DIRECTORY_FRAME && m.pagingCache.did[0] === DOMAIN_IDS[0];
    return directory && m.mayDirectory.used[0] === 1;
  },
  witnesses: {
    'every cache holds something': (m) =>
      m.contextCache.valid[0] === 1 &&
      m.iotlb.rights[0] !== 0 &&
      m.iotlb.rights[2] !== 0 &&
      m.pagingCache.rights[0] !== 0,
  },
});

/** Whether a cached translation is one of a mapping, with rights that may still be used. */
function withinMay(m: Vtd, w: number): boolean {
  const { did, page, frame, rights } = m.iotlb;
  for (let u = 0; u < m.may.rows; u++) {
    if (
      did[w] === DOMAIN_IDS[spaceOf(u)] &&
      meantFrame(u, page[w]) === frame[w] &&
      (rights[w] & ~m.may.rights[u]) === 0
    ) {
      return true;
    }
  }
  return false;
}

/** No device reaches a table or the VMM, whoever it belongs to. */
export const tablesOutOfReach = relation<Vtd>('I3', 'type', {
  states: 'no request reaches a table frame or the VMM frame',
  holds: (_before, after, status) => {
    const call = arrived(after, status);
    return call === undefined || isData(call.frame);
  },
  witnesses: {
    "the directory's frame is a guest's": (m) => m.directory.recycled[0] === 1,
    '00:05.0 is attached': (m) => m.attached.space[0] !== 0 && m.vtdUnit.busy[0] === 0,
  },
  explain: (_before, after, status) => {
    const frame = arrived(after, status)?.frame ?? 0;
    return `the request reaches frame ${hex(frame)}, ${frame === VMM_FRAME ? "the VMM's" : "no guest's"}`;
  },
});

/** A request acts with the rights of its own source id. */
export const trueSource = relation<Vtd>('I8', 'source', {
  states: 'a request uses the address space of its own source id, and no other',
  holds: (before, after, status) => {
    const call = arrived(after, status);
    if (call === undefined || after.vtdUnit.translating[0] === 0) return true;
    for (let s = 0; s < DOMAIN_IDS.length; s++) {
      if (call.did === DOMAIN_IDS[s]) return ((before.mayAttach.spaces[call.agent] >>> s) & 1) === 1;
    }
    return false;
  },
  witnesses: {
    'both requesters are cached': (m) => m.contextCache.valid[0] === 1 && m.contextCache.valid[1] === 1,
    'the requesters are in different spaces': (m) => m.attached.space[0] === 1 && m.attached.space[1] === 2,
  },
});

/** Whether the words of the tables are those of what software means: 00:05.0's context entry, the directory, the mappings. */
function wordsMean(m: Vtd): boolean {
  const { word } = m.vtdMemory;
  const s = m.attached.space[0] - 1;
  const low = word[wordRow(CONTEXT_0, 0)];
  if (s < 0 ? (low & PRESENT) !== 0 : low !== contextLow(s) || word[wordRow(CONTEXT_0, 1)] !== contextWord2(s))
    return false;
  if ((word[wordRow(A_LEVEL_2, 0)] !== 0) !== (m.directory.present[0] === 1)) return false;
  for (let u = 0; u < m.meant.rows; u++) {
    if (u < 2 && m.directory.recycled[0] === 1) continue;
    if ((word[entryRow(u)] & READ_WRITE) !== m.meant.rights[u]) return false;
  }
  return true;
}

/** The other direction of C: what software means is there. */
export const tablesMean = invariant<Vtd>('I15', 'tables', {
  states: 'whenever software is not in the middle of a change, the tables say what it means',
  holds: (m) => m.vtdUnit.busy[0] === 1 || wordsMean(m),
  witnesses: {
    'a mapping is gone': (m) => m.meant.rights[2] === 0 && m.vtdUnit.busy[0] === 0,
    'the directory is back in place': (m) => m.directory.present[0] === 1 && m.meant.rights[0] === 0,
  },
});

/** A move that has returned is a move. */
export const moved = relation<Vtd>('I4', 'moved', {
  states: 'when 00:05.0 has been moved, the unit holds no context entry of where it was',
  holds: (_before, after) => {
    if (after.current.op.name !== attach.name || !after.finished) return true;
    const to = after.current.call.to ?? 0;
    if (after.attached.space[0] !== to + 1 || after.vtdUnit.busy[0] === 1) return false;
    return after.contextCache.valid[0] === 0 || after.contextCache.did[0] === DOMAIN_IDS[to];
  },
  witnesses: { '00:05.0 is cached while it is moved': (m) => m.vtdUnit.busy[0] === 1 && m.contextCache.valid[0] === 1 },
  explain: (_before, after) => `00:05.0 is moved, and the unit still has domain id ${after.contextCache.did[0]} for it`,
});

/** A context entry in the cache is one that software wrote as a whole. */
export const wholeEntries = invariant<Vtd>('I13', 'shut', {
  states: 'hardware never holds a context entry that is half of one and half of another',
  holds: (m) => {
    const c = m.contextCache;
    for (let r = 0; r < c.valid.length; r++) {
      if (c.valid[r] === 0) continue;
      const s = c.did[r] - 1;
      if (s < 0 || s > 1 || c.table[r] !== frameOf(contextLow(s), 0) || c.levels[r] !== (s === 0 ? 4 : 3)) return false;
    }
    return true;
  },
  witnesses: {
    'a context entry is cached while one is being written': (m) =>
      m.vtdUnit.busy[0] === 1 && m.contextCache.valid[1] === 1,
    '00:05.0 is cached in space A': (m) => m.contextCache.valid[0] === 1 && m.contextCache.did[0] === 1,
    '00:05.0 is cached in space B': (m) => m.contextCache.valid[0] === 1 && m.contextCache.did[0] === 2,
  },
});

/** Devices are silent whenever the unit does not translate. */
export const neverOpen = invariant<Vtd>('I13', 'default deny', {
  states: 'while devices may send, requests are translated',
  holds: (m) => m.vtdUnit.masters[0] === 0 || m.vtdUnit.translating[0] === 1,
  witnesses: {
    'translation is off': (m) => m.vtdUnit.translating[0] === 0,
    "an earlier kernel's translation is cached": (m) => m.iotlb.frame[2] === VMM_FRAME,
    'translation is on and devices are silent': (m) => m.vtdUnit.translating[0] === 1 && m.vtdUnit.masters[0] === 0,
  },
});
