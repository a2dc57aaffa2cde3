/**
 * Ways of a device to a frame (tables, caches, requests in flight), what is stale among them, and who holds a frame; with the words for
 * findings. The properties are in iommu.ts and iommuCaches.ts.
 */
import { TYPE_IOMMU_TABLE, TYPE_WRITABLE } from '../model/frames.js';
import {
  abstractWalk,
  DROP_PAGE,
  DROP_TABLE,
  DROP_TYPE,
  hasAtc,
  type Iommu,
  isStale,
  READ,
  SLOT_FREE,
  SLOT_WRITE,
  SUPERPAGE,
  TABLE,
  tableOf,
  WRITE,
  walkTables,
} from '../model/iommu/index.js';
import { NONE } from '../model/kernel/index.js';

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

/** Which of the two questions is asked of every way: does the frame belong to the device's home (I1), is it counted as writable (I3). */
export const OWNED = 0;
export const TYPED = 1;

function good(m: Iommu, question: number, home: number, f: number, rights: number): boolean {
  if (question === OWNED) return home !== NONE && m.frame.owner[f] === home;
  return (rights & WRITE) === 0 || (m.frame.types[f] > 0 && m.frame.type[f] === TYPE_WRITABLE);
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
export function allWays(m: Iommu, question: number): boolean {
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
export function tell(m: Iommu): string {
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
        : `owned by domain ${owner}${m.frame.types[frame] === 0 && found.rights & WRITE ? ', which does not count as writable' : ''}`;
  const home = found.home === NONE ? 'unassigned' : `of domain ${found.home}`;
  return `device ${found.device} (${home}), ${by}, ${does} frame ${frame}, ${whose}`;
}

/** Whether a request is in flight that the tables no longer allow. */
export function staleInFlight(m: Iommu): boolean {
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && isStale(m, s)) return true;
  return false;
}

/** What is left over in caches or in flight that memory does not say any more, in words. */
export function tellStale(m: Iommu): string {
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

export const somethingCached = (m: Iommu): boolean => m.iotlb.rights.some((r) => r !== 0);
export const somethingMapped = (m: Iommu): boolean => m.ioEntry.rights.some((r) => r !== 0);
export const inFlight = (m: Iommu): boolean => m.dma.state.some((s) => s !== SLOT_FREE);
