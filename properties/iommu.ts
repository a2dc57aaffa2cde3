/**
 * What must hold of the IOMMU: I1 to I4, I8, I9, I13 to I15 of the invariants, as far as DMA reaches.
 * Bus mastering plays no part in them: a device whose bus mastering is off is one write away from having it on, so what it *could* reach
 * must be right all the time.
 */
import { DYING } from '../model/domains.js';
import { TYPE_PAGE_TABLE, TYPE_VMM } from '../model/frames.js';
import {
  attach,
  detach,
  hasAtc,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  issueDma,
  queued,
  READ,
  revokeWrite,
  SLOT_FREE,
  TABLE,
  unmapPage,
  WAITING,
  WRITE,
} from '../model/iommu/index.js';
import { isFailure, NONE } from '../model/kernel/index.js';
import {
  allWays,
  inFlight,
  iommuPageHolders,
  iommuTypeHolders,
  OWNED,
  somethingCached,
  somethingMapped,
  staleInFlight,
  TYPED,
  tell,
  tellStale,
} from './iommuPaths.js';
import { isQuiescent } from './paths.js';
import { invariant, noninterference, progress, relation } from './property.js';

export { dmaRange, dmaShadow } from './iommuCaches.js';
export { dmaDone, dmaNotForTheDying, dmaOwed } from './iommuDoing.js';
export { iommuPageHolders, iommuTypeHolders } from './iommuPaths.js';

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

/** I3: what a device can write is used as nothing else, and cannot come to be while it can: its writable type is counted at every step. */
export const dmaType = invariant<Iommu>('I3', 'type', {
  states:
    'what a device can write, by tables, caches or requests in flight, counts as writable: it is no page table, no IOMMU table and not the VMM\u2019s',
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

/** Frame f is a page table of its owner from the start: one reference and one of its type. */
const tableUse = (m: Iommu, f: number): number => (m.frame.type[f] === TYPE_PAGE_TABLE ? 1 : 0);

/** I2, for machines whose only holders are allocations, page tables that stay what they are, and the IOMMU. */
export const dmaCount = invariant<Iommu>('I2', 'count', {
  states:
    'with no call half done, page and type counts of a frame equal its allocation, mappings, tables and unfinished flushes',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] === TYPE_VMM) continue;
      const table = tableUse(m, f);
      if (m.frame.refs[f] !== m.frame.allocated[f] + table + iommuPageHolders(m, f)) return false;
      if (m.frame.types[f] !== table + iommuTypeHolders(m, f)) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] === TYPE_VMM) continue;
      const table = tableUse(m, f);
      const pages = m.frame.allocated[f] + table + iommuPageHolders(m, f);
      const types = table + iommuTypeHolders(m, f);
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

function detachedClean(m: Iommu, v: number): boolean {
  if (m.deviceEntry.valid[v] === 1 || m.configCache.did[v] !== NONE || m.device.busMaster[v] === 1) return false;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === v) return false;
  if (!hasAtc(m, v)) return true;
  for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) if (m.atc.rights[m.atc.at(v, p)] !== 0) return false;
  return true;
}

/** I4: a call that takes a right away and returns success has taken it away. */
export const dmaRevoke = relation<Iommu>('I4', 'revoke', {
  states:
    'when unmap, revocation of the write right or detach returns success, no cache and no request in flight has the right any more; and a detached device is silent',
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
    'a free DID tags no cached translation, no table and no flush, and an unassigned device has no entry, no cached entry and no translation of its own',
  holds: (m) => {
    const pages = m.ioEntry.rows / m.ioDirectory.rows;
    for (let d = 0; d < m.ioDomain.rows; d++) {
      if (m.ioDomain.owner[d] !== NONE) continue;
      if (m.flush.state[d] !== IDLE) return false;
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
