/**
 * What must hold of the IOMMU: I1 to I4, I8, I9, I13 to I15 of the invariants, as far as DMA reaches.
 * Bus mastering plays no part in them: a device whose bus mastering is off is one write away from having it on, so what it *could* reach
 * must be right all the time.
 */
import { DYING } from '../model/domains.js';
import { TYPE_IOMMU_TABLE, TYPE_VMM, TYPE_WRITABLE } from '../model/frames.js';
import {
  ATC_OF_DEVICE,
  ATC_PAGE,
  abstractWalk,
  attach,
  COMPLETED,
  CONFIG_ALL,
  CONFIG_OF_DEVICE,
  CONFIG_OF_DID,
  DROP_PAGE,
  DROP_TABLE,
  DROP_TYPE,
  detach,
  hasAtc,
  IDLE,
  IOMMU_ERRNO,
  IOTLB_ALL,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  type Iommu,
  isStale,
  issueDma,
  LATE,
  processQueue,
  queued,
  READ,
  revokeWrite,
  SLOT_FREE,
  SLOT_WRITE,
  STRUCTURES_OF_DID,
  SUPERPAGE,
  TABLE,
  tableOf,
  unmapPage,
  WAITING,
  WRITE,
  walkTables,
} from '../model/iommu/index.js';
import { isFailure, NONE } from '../model/kernel/index.js';
import { isQuiescent } from './paths.js';
import { invariant, noninterference, progress, relation } from './property.js';

/** Ways on which a device reaches a frame. */
const ENTRY = 0;
const DIRECTORY = 1;
const STRUCTURE = 2;
const IOTLB = 3;
const IOTLB_SUPER = 4;
const ATC = 5;
const FLIGHT = 6;

/** The way that the last check found broken; for `explain` only. */
const found = { way: 0, device: 0, did: 0, page: 0, frame: 0, rights: 0, home: NONE };

function note(way: number, v: number, d: number, page: number, f: number, rights: number, home: number): false {
  found.way = way;
  found.device = v;
  found.did = d;
  found.page = page;
  found.frame = f;
  found.rights = rights;
  found.home = home;
  return false;
}

/** Which of the two questions is asked of every way: does the frame belong to the device's home (I1), is it writable by type (I3). */
const OWNED = 0;
const TYPED = 1;

function good(m: Iommu, question: number, home: number, f: number, rights: number): boolean {
  if (question === OWNED) return home !== NONE && m.frame.owner[f] === home;
  return (rights & WRITE) === 0 || m.frame.types[f] === 0 || m.frame.type[f] === TYPE_WRITABLE;
}

/** Whether every frame that the device reaches by DID d is good. */
function didIsGood(m: Iommu, question: number, v: number, d: number): boolean {
  const home = m.device.home[v];
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  const kind = m.ioDirectory.walkedKind[d];
  if (kind === SUPERPAGE) {
    const rights = m.ioDirectory.walkedRights[d];
    for (let p = 0; p < pages; p++) {
      const f = m.ioDirectory.walkedTarget[d] + p;
      if (!good(m, question, home, f, rights)) return note(DIRECTORY, v, d, p, f, rights, home);
    }
  }
  for (let p = 0; p < pages; p++) {
    const e = m.ioEntry.at(d, p);
    const rights = m.ioEntry.walkedRights[e];
    const f = m.ioEntry.walkedFrame[e];
    if (kind === TABLE && rights !== 0 && !good(m, question, home, f, rights))
      return note(ENTRY, v, d, p, f, rights, home);
    const cached = m.iotlb.rights[e];
    if (cached !== 0 && !good(m, question, home, m.iotlb.frame[e], cached)) {
      return note(IOTLB, v, d, p, m.iotlb.frame[e], cached, home);
    }
  }
  const large = m.iotlbSuper.rights[d];
  if (large !== 0) {
    for (let p = 0; p < pages; p++) {
      const f = m.iotlbSuper.frame[d] + p;
      if (!good(m, question, home, f, large)) return note(IOTLB_SUPER, v, d, p, f, large, home);
    }
  }
  return question !== OWNED || tableIsGood(m, v, d);
}

/** Whether the table that the paging-structure cache points to is still a table of this DID, or at least not freed yet. */
function tableIsGood(m: Iommu, v: number, d: number): boolean {
  const t = m.structureCache.table[d];
  if (t === NONE) return true;
  const of = tableOf(m, t);
  if (m.frame.type[t] === TYPE_IOMMU_TABLE && m.frame.types[t] > 0 && (of < 0 || of === d)) return true;
  return note(STRUCTURE, v, d, 0, t, READ | WRITE, m.device.home[v]);
}

/** Asks the question of every way of every device. */
function allWays(m: Iommu, question: number): boolean {
  for (let v = 0; v < m.device.rows; v++) {
    const cached = m.configCache.did[v];
    const written = m.deviceEntry.valid[v] === 1 ? m.deviceEntry.did[v] : NONE;
    if (cached !== NONE && !didIsGood(m, question, v, cached)) return false;
    if (written !== NONE && written !== cached && !didIsGood(m, question, v, written)) return false;
    if (!hasAtc(m, v)) continue;
    const pages = m.ioEntry.rows / m.ioDirectory.rows;
    for (let p = 0; p < pages; p++) {
      const e = m.atc.at(v, p);
      const rights = m.atc.rights[e];
      if (rights === 0 || good(m, question, m.device.home[v], m.atc.frame[e], rights)) continue;
      return note(ATC, v, 0, p, m.atc.frame[e], rights, m.device.home[v]);
    }
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE) continue;
    const rights = m.dma.state[s] === SLOT_WRITE ? WRITE : READ;
    if (good(m, question, m.dma.as[s], m.dma.frame[s], rights)) continue;
    return note(FLIGHT, m.dma.device[s], 0, 0, m.dma.frame[s], rights, m.dma.as[s]);
  }
  return true;
}

/** The access path that the last check found, in words. */
function tell(m: Iommu): string {
  const { way, did, page, frame } = found;
  const by = [
    `by the entry of iova ${page} in the table of DID ${did}`,
    `by the superpage of DID ${did}`,
    `by a cached pointer of DID ${did} to a table`,
    `by the IOTLB entry of DID ${did} for iova ${page}`,
    `by the IOTLB superpage of DID ${did}`,
    `by its own translation of iova ${page}`,
    'by a DMA in flight',
  ][way];
  const does = way === STRUCTURE ? 'has walked as a table' : found.rights & WRITE ? 'writes' : 'reads';
  const owner = m.frame.owner[frame];
  const type = ['none', 'writable', 'a page table', 'an IOMMU table', 'the VMM', 'a status page'][m.frame.type[frame]];
  const whose =
    m.frame.types[frame] > 0 && m.frame.type[frame] !== TYPE_WRITABLE
      ? `in use as ${type}`
      : owner === NONE
        ? 'free'
        : `owned by domain ${owner}`;
  const home = found.home === NONE ? 'unassigned' : `of domain ${found.home}`;
  return `device ${found.device} (${home}), ${by}, ${does} frame ${frame}, ${whose}`;
}

const somethingCached = (m: Iommu): boolean => m.iotlb.rights.some((r) => r !== 0);
const somethingMapped = (m: Iommu): boolean => m.ioEntry.rights.some((r) => r !== 0);
const inFlight = (m: Iommu): boolean => m.dma.state.some((s) => s !== SLOT_FREE);

/** I1: whatever a device reaches, by whatever way, belongs to the domain that answers for it. */
export const dmaReach = invariant<Iommu>('I1', 'reach', {
  states: 'whatever a device reaches, by tables, caches or requests in flight, belongs to its domain',
  holds: (m) => allWays(m, OWNED),
  explain: (m) => {
    allWays(m, OWNED);
    return tell(m);
  },
  witnesses: {
    'a translation is cached': somethingCached,
    'a DMA is in flight': inFlight,
    'a page is mapped': somethingMapped,
  },
});

/** I3: what a device can write is used as nothing else. */
export const dmaType = invariant<Iommu>('I3', 'type', {
  states: 'a frame that is a page table, an IOMMU table or the VMM\u2019s is writable by no device',
  holds: (m) => allWays(m, TYPED),
  explain: (m) => {
    allWays(m, TYPED);
    return tell(m);
  },
  witnesses: {
    'a table is in use': (m) => m.ioDirectory.kind.some((k) => k === TABLE),
    'a page is mapped writable': (m) => m.ioEntry.rights.some((r) => (r & WRITE) !== 0),
  },
});

/** Page references that the IOMMU's mappings, tables and unfinished flushes hold on frame f. */
export function iommuPageHolders(m: Iommu, f: number): number {
  let n = 0;
  for (let d = 0; d < m.ioDirectory.rows; d++) {
    const kind = m.ioDirectory.kind[d];
    const target = m.ioDirectory.target[d];
    if (kind === TABLE && target === f) n++;
    if (kind === SUPERPAGE && (target === f || target + 1 === f)) n++;
    if (kind === TABLE) {
      const pages = m.ioEntry.rows / m.ioDirectory.rows;
      for (let p = 0; p < pages; p++) {
        const e = m.ioEntry.at(d, p);
        if (m.ioEntry.rights[e] !== 0 && m.ioEntry.frame[e] === f) n++;
      }
    }
    if (m.flush.frame[d] === f && (m.flush.drop[d] & (DROP_PAGE | DROP_TABLE)) !== 0) n++;
  }
  return n;
}

/** Type references that they hold. */
export function iommuTypeHolders(m: Iommu, f: number): number {
  let n = 0;
  for (let d = 0; d < m.ioDirectory.rows; d++) {
    const kind = m.ioDirectory.kind[d];
    const target = m.ioDirectory.target[d];
    if (kind === TABLE && target === f) n++;
    if (kind === SUPERPAGE && (target === f || target + 1 === f) && (m.ioDirectory.rights[d] & WRITE) !== 0) n++;
    if (kind === TABLE) {
      const pages = m.ioEntry.rows / m.ioDirectory.rows;
      for (let p = 0; p < pages; p++) {
        const e = m.ioEntry.at(d, p);
        if ((m.ioEntry.rights[e] & WRITE) !== 0 && m.ioEntry.frame[e] === f) n++;
      }
    }
    if (m.flush.frame[d] === f && (m.flush.drop[d] & (DROP_TYPE | DROP_TABLE)) !== 0) n++;
  }
  return n;
}

/** I2, for machines whose only holders are allocations and the IOMMU. */
export const dmaCount = invariant<Iommu>('I2', 'count', {
  states:
    'with no call half done, page and type counts of a frame equal its allocation, mappings, tables and unfinished flushes',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] === TYPE_VMM) continue;
      if (m.frame.refs[f] !== m.frame.allocated[f] + iommuPageHolders(m, f)) return false;
      if (m.frame.types[f] !== iommuTypeHolders(m, f)) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] === TYPE_VMM) continue;
      const pages = m.frame.allocated[f] + iommuPageHolders(m, f);
      const types = iommuTypeHolders(m, f);
      if (m.frame.refs[f] === pages && m.frame.types[f] === types) continue;
      return `frame ${f} counts ${m.frame.refs[f]} references and ${m.frame.types[f]} of type, and has ${pages} and ${types} holders`;
    }
    return '';
  },
  witnesses: { 'a page is mapped': somethingMapped },
});

/** Whether anything that hardware or device v's ATC holds for the page of DID d gives one of these rights. */
function anythingLeft(m: Iommu, d: number, page: number, rights: number): boolean {
  if ((m.iotlb.rights[m.iotlb.at(d, page)] & rights) !== 0) return true;
  if ((m.iotlbSuper.rights[d] & rights) !== 0) return true;
  for (let v = 0; v < m.device.rows; v++) {
    if (!hasAtc(m, v) || m.device.home[v] === NONE || m.device.home[v] !== m.ioDomain.owner[d]) continue;
    if ((m.atc.rights[m.atc.at(v, page)] & rights) !== 0) return true;
  }
  return false;
}

/** Whether a request is in flight that the tables no longer allow. */
function staleInFlight(m: Iommu): boolean {
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && isStale(m, s)) return true;
  return false;
}

function detachedClean(m: Iommu, v: number): boolean {
  if (m.deviceEntry.valid[v] === 1 || m.configCache.did[v] !== NONE) return false;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === v) return false;
  if (!hasAtc(m, v)) return true;
  for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) if (m.atc.rights[m.atc.at(v, p)] !== 0) return false;
  return true;
}

/** What is left over in caches or in flight that memory does not say any more, in words. */
function tellStale(m: Iommu): string {
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  const owner = (d: number): string => (m.ioDomain.owner[d] === NONE ? 'free' : `of domain ${m.ioDomain.owner[d]}`);
  for (let v = 0; v < m.device.rows; v++) {
    const home = m.device.home[v] === NONE ? 'which nobody has' : `of domain ${m.device.home[v]}`;
    const cached = m.configCache.did[v];
    if (cached !== NONE && (m.deviceEntry.valid[v] === 0 || m.deviceEntry.did[v] !== cached)) {
      return `the config cache still takes device ${v}, ${home}, to DID ${cached} (${owner(cached)})`;
    }
    if (m.deviceEntry.valid[v] === 1 && m.device.home[v] === NONE)
      return `the entry of device ${v}, ${home}, is still valid`;
    for (let p = 0; hasAtc(m, v) && p < pages; p++) {
      const e = m.atc.at(v, p);
      const write = (m.atc.rights[e] & WRITE) !== 0 ? 1 : 0;
      if (m.atc.rights[e] === 0 || abstractWalk(m, v, p, write) === m.atc.frame[e]) continue;
      return `device ${v}, ${home}, still ${write ? 'writes' : 'reads'} frame ${m.atc.frame[e]} at iova ${p} by its own translation`;
    }
  }
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const t = m.structureCache.table[d];
    if (t !== NONE && (m.ioDirectory.kind[d] !== TABLE || m.ioDirectory.target[d] !== t)) {
      return `a cached pointer of DID ${d} (${owner(d)}) still leads to frame ${t}`;
    }
    if (m.iotlbSuper.rights[d] !== 0 && m.ioDirectory.kind[d] !== SUPERPAGE) {
      return `the IOTLB still holds the superpage of frame ${m.iotlbSuper.frame[d]} for DID ${d} (${owner(d)})`;
    }
    for (let p = 0; p < pages; p++) {
      const e = m.iotlb.at(d, p);
      const write = (m.iotlb.rights[e] & WRITE) !== 0 ? 1 : 0;
      if (m.iotlb.rights[e] === 0 || walkTables(m, d, p, write) === m.iotlb.frame[e]) continue;
      return `the IOTLB entry of DID ${d} (${owner(d)}) for iova ${p} still ${write ? 'writes' : 'reads'} frame ${m.iotlb.frame[e]}`;
    }
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE || !isStale(m, s)) continue;
    return `device ${m.dma.device[s]} has a DMA to frame ${m.dma.frame[s]} in flight`;
  }
  return 'the CPU has written a table entry that memory does not have';
}

/** I4: a call that takes a right away and returns success has taken it away. */
export const dmaRevoke = relation<Iommu>('I4', 'revoke', {
  states:
    'when unmap, revocation of the write right or detach returns success, no cache and no request in flight has the right any more',
  holds: (_before, m, status) => {
    if (!m.finished || isFailure(status)) return true;
    const { op, call } = m.current;
    switch (op.name) {
      case unmapPage.name:
        return !anythingLeft(m, call.did, call.iova, READ | WRITE) && !staleInFlight(m);
      case revokeWrite.name:
        return !anythingLeft(m, call.did, call.iova, WRITE) && !staleInFlight(m);
      case detach.name:
        return detachedClean(m, call.device);
      default:
        return true;
    }
  },
  explain: (_before, m) => `${m.current.op.name} returned success, but ${tellStale(m)}`,
  witnesses: {
    'a translation is cached': somethingCached,
    'a table is empty': (m) => m.ioDirectory.kind.some((k) => k === TABLE) && !somethingMapped(m),
  },
});

/** I8: a device acts with the authority of its own domain. */
export const dmaSource = invariant<Iommu>('I8', 'source', {
  states:
    'entries and cached entries lead a device to a DID of its own domain; it writes no other device\u2019s registers and sends no other\u2019s interrupts',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) {
      const home = m.device.home[v];
      if (m.device.forged[v] !== 0 || m.device.barWriter[v] !== NONE) return false;
      const cached = m.configCache.did[v];
      if (cached !== NONE && (home === NONE || m.ioDomain.owner[cached] !== home)) return false;
      if (m.deviceEntry.valid[v] === 1 && (home === NONE || m.ioDomain.owner[m.deviceEntry.did[v]] !== home))
        return false;
    }
    return true;
  },
  explain: (m) => {
    for (let v = 0; v < m.device.rows; v++) {
      const home = m.device.home[v] === NONE ? 'nobody' : `domain ${m.device.home[v]}`;
      if (m.device.forged[v] !== 0) return `device ${v} of ${home} sent an interrupt that is not its own`;
      if (m.device.barWriter[v] !== NONE)
        return `device ${v} of ${home} was written by a device of domain ${m.device.barWriter[v]}`;
      const entry = m.deviceEntry.valid[v] === 1 ? m.deviceEntry.did[v] : NONE;
      for (const d of [m.configCache.did[v], entry]) {
        if (d === NONE || (m.device.home[v] !== NONE && m.ioDomain.owner[d] === m.device.home[v])) continue;
        const owner = m.ioDomain.owner[d] === NONE ? 'nobody' : `domain ${m.ioDomain.owner[d]}`;
        return `device ${v} of ${home} is taken to DID ${d} of ${owner}`;
      }
    }
    return '';
  },
  witnesses: {
    'a device entry is cached': (m) => m.configCache.did.some((d) => d !== NONE),
    'a device is attached': (m) => m.deviceEntry.valid.some((x) => x === 1),
  },
});

/** I9: a free number has no trace anywhere. */
export const dmaFresh = invariant<Iommu>('I9', 'fresh', {
  states:
    'a free DID tags no cached translation and no table, and an unassigned device has no entry, no cached entry and no translation of its own',
  holds: (m) => {
    const pages = m.ioEntry.rows / m.ioDirectory.rows;
    for (let d = 0; d < m.ioDomain.rows; d++) {
      if (m.ioDomain.owner[d] !== NONE) continue;
      if (m.iotlbSuper.rights[d] !== 0 || m.structureCache.table[d] !== NONE || m.ioDirectory.walkedKind[d] !== 0)
        return false;
      for (let p = 0; p < pages; p++) if (m.iotlb.rights[m.iotlb.at(d, p)] !== 0) return false;
    }
    for (let v = 0; v < m.device.rows; v++) {
      if (m.device.home[v] !== NONE) continue;
      if (m.deviceEntry.valid[v] === 1 || m.configCache.did[v] !== NONE) return false;
      if (!hasAtc(m, v)) continue;
      for (let p = 0; p < pages; p++) if (m.atc.rights[m.atc.at(v, p)] !== 0) return false;
    }
    return true;
  },
  explain: (m) => tellStale(m),
  witnesses: {
    'a DID is free': (m) => m.ioDomain.owner.some((d) => d === NONE),
    'a DID is in use': (m) => m.ioDomain.owner.some((d) => d !== NONE),
    'a translation is cached': somethingCached,
  },
});

/** I13: nothing passes untranslated, at no time. */
export const dmaShut = invariant<Iommu>('I13', 'shut', {
  states: 'no device has bus mastering while translation is off, and no request in flight was let through untranslated',
  holds: (m) => {
    for (let s = 0; s < m.dma.rows; s++) if (m.dma.bypass[s] === 1) return false;
    if (m.iommu.translation[0] === 1) return true;
    for (let v = 0; v < m.device.rows; v++) if (m.device.busMaster[v] === 1) return false;
    return true;
  },
  explain: (m) =>
    m.iommu.translation[0] === 1 ? 'a request passed untranslated' : 'translation is off, and a device is a bus master',
  witnesses: {
    'a device that nobody owns is a bus master': (m) =>
      m.device.home.some((h, v) => h === NONE && m.device.busMaster[v] === 1),
  },
});

/** I14: what one domain does to the fault log does not stop another's requests. */
export const dmaFair = relation<Iommu>('I14', 'fair', {
  states: 'a request that the tables allow is served, however full the fault log is',
  holds: (_before, m, status) => !(m.finished && isFailure(status) && m.current.op.name === issueDma.name),
  explain: (_before, m) => `${m.current.op.name} was refused`,
  witnesses: {
    'a page is mapped': somethingMapped,
    'the fault log has overflowed': (m) => m.iommu.overflow[0] === 1,
  },
});

/** I14: nor what it leaves in the invalidation queue. */
export const dmaQueueFair = relation<Iommu>('I14', 'queue', {
  states: 'an unmap fails only because its own wait timed out, whatever other domains left in the queue',
  holds: (_before, m, status) =>
    !(m.finished && isFailure(status) && m.current.op.name === unmapPage.name) || status === IOMMU_ERRNO.ETIMEDOUT,
  explain: (_before, m) => `${m.current.op.name} was refused`,
  witnesses: {
    'a page is mapped': somethingMapped,
    'the queue is full': (m) => queued(m) === m.queue.rows,
  },
});

/** Whether everything that is cached under DID d is in its tables, and memory is what the CPU wrote. */
function didShadow(m: Iommu, d: number): boolean {
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  const kind = m.ioDirectory.kind[d];
  const target = m.ioDirectory.target[d];
  if (kind !== m.ioDirectory.walkedKind[d] || target !== m.ioDirectory.walkedTarget[d]) return false;
  const t = m.structureCache.table[d];
  if (t !== NONE && (kind !== TABLE || target !== t)) return false;
  const large = m.iotlbSuper.rights[d];
  if (large !== 0) {
    if (kind !== SUPERPAGE || m.iotlbSuper.frame[d] !== target || (large & ~m.ioDirectory.rights[d]) !== 0)
      return false;
  }
  for (let p = 0; p < pages; p++) {
    const e = m.ioEntry.at(d, p);
    const f = kind === TABLE ? m.ioEntry.frame[e] : kind === SUPERPAGE ? target + p : NONE;
    const rights = kind === TABLE ? m.ioEntry.rights[e] : kind === SUPERPAGE ? m.ioDirectory.rights[d] : 0;
    if (kind === TABLE && (m.ioEntry.walkedFrame[e] !== f || m.ioEntry.walkedRights[e] !== rights)) return false;
    if (m.iotlb.rights[e] !== 0 && (m.iotlb.frame[e] !== f || (m.iotlb.rights[e] & ~rights) !== 0)) return false;
  }
  return true;
}

/** Whether what is cached of device v, and by it, is in memory. */
function deviceShadow(m: Iommu, v: number): boolean {
  const cached = m.configCache.did[v];
  if (cached !== NONE && (m.deviceEntry.valid[v] === 0 || m.deviceEntry.did[v] !== cached)) return false;
  if (!hasAtc(m, v)) return true;
  for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) {
    const e = m.atc.at(v, p);
    if ((m.atc.rights[e] & READ) !== 0 && abstractWalk(m, v, p, 0) !== m.atc.frame[e]) return false;
    if ((m.atc.rights[e] & WRITE) !== 0 && abstractWalk(m, v, p, 1) !== m.atc.frame[e]) return false;
  }
  return true;
}

/** Whether every cached thing of DID d and its devices is in memory; d NONE: of all. */
function shadowEqual(m: Iommu, d: number): boolean {
  for (let i = 0; i < m.ioDomain.rows; i++) if ((d === NONE || d === i) && !didShadow(m, i)) return false;
  for (let v = 0; v < m.device.rows; v++) {
    if (d !== NONE && (m.device.home[v] === NONE || m.device.home[v] !== m.ioDomain.owner[d])) continue;
    if (!deviceShadow(m, v)) return false;
  }
  return true;
}

/** Whether no invalidation is under way or owed: the queue is empty, no flush waits, no device is half detached. */
function settled(m: Iommu): boolean {
  if (!isQuiescent(m) || queued(m) > 0) return false;
  for (let d = 0; d < m.flush.rows; d++) if (m.flush.state[d] !== IDLE) return false;
  return true;
}

/** Whether the wait of every flush that has completed found the caches of its DID clean. */
function flushesDone(m: Iommu): boolean {
  for (let d = 0; d < m.flush.rows; d++) {
    const state = m.flush.state[d];
    if ((state === COMPLETED || state === LATE) && !shadowEqual(m, d)) return false;
  }
  return true;
}

/** I15, first half: once invalidations have completed, caches hold nothing that the tables do not. */
export const dmaShadow = invariant<Iommu>('I15', 'shadow', {
  states:
    'with its invalidations completed, no cache holds for a DID what its tables do not, and memory is what the CPU wrote',
  holds: (m) => flushesDone(m) && (!settled(m) || shadowEqual(m, NONE)),
  explain: (m) => tellStale(m),
  witnesses: { 'a translation is cached and nothing is under way': (m) => somethingCached(m) && settled(m) },
});

/** I15, second half: an invalidation removes what is in its range, and nothing outside it. */
export const dmaRange = relation<Iommu>('I15', 'range', {
  states: 'an invalidation command removes what is in its range and nothing else',
  holds: (before, m) => m.current.op.name !== processQueue.name || m.current.call.last !== 0 || inRangeOnly(before, m),
  explain: (before) =>
    `command ${before.queue.command[0]} for ${before.queue.target[0]} removed too much or too little`,
  witnesses: { 'a translation is cached': somethingCached, 'a command is queued': (m) => queued(m) > 0 },
});

/** Compares the caches before and after with the range of the command that was at the head. */
function inRangeOnly(before: Iommu, m: Iommu): boolean {
  const command = before.queue.command[0];
  const target = before.queue.target[0];
  const page = before.queue.page[0];
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const whole = command === IOTLB_ALL || (command === IOTLB_OF_DID && target === d);
    const structures = whole || (command === STRUCTURES_OF_DID && target === d);
    if (m.iotlbSuper.rights[d] !== (whole ? 0 : before.iotlbSuper.rights[d])) return false;
    if (m.structureCache.table[d] !== (structures ? NONE : before.structureCache.table[d])) return false;
    for (let p = 0; p < pages; p++) {
      const e = m.iotlb.at(d, p);
      const hit = whole || (command === IOTLB_PAGE && target === d && page === p);
      if (m.iotlb.rights[e] !== (hit ? 0 : before.iotlb.rights[e])) return false;
    }
  }
  for (let v = 0; v < m.device.rows; v++) {
    const was = before.configCache.did[v];
    const hit =
      command === CONFIG_ALL ||
      (command === CONFIG_OF_DEVICE && target === v) ||
      (command === CONFIG_OF_DID && target === was);
    if (m.configCache.did[v] !== (hit ? NONE : was)) return false;
    if (!hasAtc(m, v)) continue;
    for (let p = 0; p < pages; p++) {
      const e = m.atc.at(v, p);
      const gone = target === v && (command === ATC_OF_DEVICE || (command === ATC_PAGE && page === p));
      if (m.atc.rights[e] !== (gone ? 0 : before.atc.rights[e])) return false;
    }
  }
  return true;
}

/** I11, for devices: what shares a page with a buffer shares the buffer's fate, so nothing of others may. */
export const dmaBytes = invariant<Iommu>('I11', 'bytes', {
  states: 'no request in flight covers bytes that carry the secret of another domain',
  holds: (m) => {
    for (let s = 0; s < m.dma.rows; s++) {
      if (m.dma.state[s] === SLOT_FREE) continue;
      for (let p = 0; p < 2; p++) {
        const secret = m.content.secret[m.content.at(m.dma.frame[s], p)];
        if (secret !== NONE && secret !== m.dma.as[s]) return false;
      }
    }
    return true;
  },
  explain: () => 'a device reaches a page for the buffer in one half, and with it what lies in the other half',
  witnesses: { 'a DMA is in flight': inFlight },
});

/** Everything that a dead domain held comes back. */
export const dmaReturned = progress<Iommu>('I4', 'returned', {
  states: 'what a dead domain held (devices, DIDs, tables, frames) is returned, and its id is released',
  pending: (m) => m.domain.life.some((life) => life === DYING),
  goal: (m) => m.domain.life.every((life) => life !== DYING),
  without: ['domain.create', 'domain.destroy', attach.name],
  witnesses: { 'a domain is dying': (m) => m.domain.life.some((life) => life === DYING) },
});

/** A wait for an invalidation ends. */
export const waitEnds = progress<Iommu>('I12', 'wait ends', {
  states: 'a wait for an invalidation completes, or times out',
  pending: (m) => m.flush.state.some((s) => s === WAITING),
  goal: (m) => m.flush.state.every((s) => s !== WAITING),
  witnesses: { 'a flush waits': (m) => m.flush.state.some((s) => s === WAITING) },
});

/** What domain 0 sees of memory and of its own tables does not depend on a secret in the driver domain's frames. */
export const dmaStranger = noninterference<Iommu>('I11', 'stranger', {
  states: 'what the control domain sees of its frames does not depend on a secret of the driver domain',
  view: (m, out) => {
    let n = 0;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.owner[f] !== 0) continue;
      out[n++] = m.content.writer[m.content.at(f, 0)];
      out[n++] = m.content.secret[m.content.at(f, 0)];
      out[n++] = m.content.writer[m.content.at(f, 1)];
      out[n++] = m.content.secret[m.content.at(f, 1)];
    }
    return n;
  },
  vary: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.owner[f] === 1) m.content.secret[m.content.at(f, 0)] = 1;
    }
  },
  witnesses: { 'a page is mapped': somethingMapped },
});
