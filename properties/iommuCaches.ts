/**
 * I15 for the four caches of an IOMMU: once invalidations have completed they hold what memory says, and an invalidation removes what is in
 * its range and nothing else.
 */
import {
  ATC_OF_DEVICE,
  ATC_PAGE,
  abstractWalk,
  COMPLETED,
  CONFIG_ALL,
  CONFIG_OF_DEVICE,
  CONFIG_OF_DID,
  hasAtc,
  IDLE,
  IOTLB_ALL,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  type Iommu,
  LATE,
  processQueue,
  queued,
  READ,
  STRUCTURES_OF_DID,
  SUPERPAGE,
  TABLE,
  WRITE,
} from '../model/iommu/index.js';
import { NONE } from '../model/kernel/index.js';
import { somethingCached, tellStale } from './iommuPaths.js';
import { isQuiescent } from './paths.js';
import { invariant, relation } from './property.js';

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
