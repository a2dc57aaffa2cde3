/**
 * Translation: what the tables say (`abstractWalk`), what hardware may answer from its caches (`translate`), and the operations with
 * which caches refill at any moment. These functions are the interface that a bit-level IOMMU must refine (README.md).
 */
import { flag, NONE, operationOn } from '../kernel/index.js';
import {
  atsDevice,
  BY_ATC,
  BY_IOTLB,
  device,
  did,
  hasAtc,
  type Iommu,
  iova,
  READ,
  SUPERPAGE,
  TABLE,
  WRITE,
} from './state.js';

const operation = operationOn<Iommu>();

/** Right that a request needs. @param write 0 or 1 */
export function needs(write: number): number {
  return write !== 0 ? WRITE : READ;
}

/** The DID whose table is in frame f, as the walker sees it, or -1: that frame is no table. */
export function tableOf(m: Iommu, f: number): number {
  for (let d = 0; d < m.ioDirectory.rows; d++) {
    if (m.ioDirectory.walkedKind[d] === TABLE && m.ioDirectory.walkedTarget[d] === f) return d;
  }
  return -1;
}

/** Frame that the tables of DID d in memory map the page to, with the right, or -1. Caches play no part. */
export function walkTables(m: Iommu, d: number, page: number, write: number): number {
  const kind = m.ioDirectory.walkedKind[d];
  if (kind === SUPERPAGE) {
    return (m.ioDirectory.walkedRights[d] & needs(write)) !== 0 ? m.ioDirectory.walkedTarget[d] + page : -1;
  }
  if (kind !== TABLE) return -1;
  const e = m.ioEntry.at(d, page);
  return (m.ioEntry.walkedRights[e] & needs(write)) !== 0 ? m.ioEntry.walkedFrame[e] : -1;
}

/**
 * What the authoritative structures in memory say now.
 * @param write 0: read, 1: write
 * @returns frame, or -1: the request faults
 */
export function abstractWalk(m: Iommu, v: number, page: number, write: number): number {
  return m.deviceEntry.valid[v] === 1 ? walkTables(m, m.deviceEntry.did[v], page, write) : -1;
}

/** The DID that hardware takes the device's request to: from the config cache if it is there, else from memory; or NONE. */
export function configOf(m: Iommu, v: number): number {
  const cached = m.configCache.did[v];
  if (cached !== NONE) return cached;
  return m.deviceEntry.valid[v] === 1 ? m.deviceEntry.did[v] : NONE;
}

/** The walk as hardware does it for DID d: through the paging-structure cache if it holds the table, else through the directory; or -1. */
export function walkCached(m: Iommu, d: number, page: number, write: number): number {
  const cached = m.structureCache.table[d];
  if (cached === NONE) return walkTables(m, d, page, write);
  // A table that is no table any more would be read as whatever it contains now; that it is still pointed to is the breach (I1).
  const of = tableOf(m, cached);
  if (of < 0) return -1;
  const e = m.ioEntry.at(of, page);
  return (m.ioEntry.walkedRights[e] & needs(write)) !== 0 ? m.ioEntry.walkedFrame[e] : -1;
}

/** Frame that the IOTLB holds for the page of DID d with the right, or -1. */
export function cachedFrame(m: Iommu, d: number, page: number, write: number): number {
  const e = m.iotlb.at(d, page);
  if ((m.iotlb.rights[e] & needs(write)) !== 0) return m.iotlb.frame[e];
  return (m.iotlbSuper.rights[d] & needs(write)) !== 0 ? m.iotlbSuper.frame[d] + page : -1;
}

/**
 * The translation that hardware may use for a request, by the given path.
 * @param by member of the sort `path`
 * @returns frame, or -1: that path has none
 */
export function translate(m: Iommu, v: number, page: number, write: number, by: number): number {
  if (by === BY_ATC) {
    if (!hasAtc(m, v)) return -1;
    const e = m.atc.at(v, page);
    return (m.atc.rights[e] & needs(write)) !== 0 ? m.atc.frame[e] : -1;
  }
  const d = configOf(m, v);
  if (d === NONE) return -1;
  return by === BY_IOTLB ? cachedFrame(m, d, page, write) : walkCached(m, d, page, write);
}

/** The allowed-stale relation: whether hardware may take the device's request to this frame, by any path. */
export function mayTranslate(m: Iommu, v: number, page: number, write: number, f: number): boolean {
  for (let by = 0; by <= BY_ATC; by++) if (translate(m, v, page, write, by) === f) return true;
  return abstractWalk(m, v, page, write) === f;
}

/** Whether some device's requests are taken to DID d: only then does hardware walk its tables. */
function inUse(m: Iommu, d: number): boolean {
  for (let v = 0; v < m.device.rows; v++) if (configOf(m, v) === d) return true;
  return false;
}

/** Rights of both kinds that a path gives, and the frame; written by the functions below. */
function rightsByWalk(m: Iommu, d: number, page: number): number {
  return (walkCached(m, d, page, 0) >= 0 ? READ : 0) | (walkCached(m, d, page, 1) >= 0 ? WRITE : 0);
}

function rightsByIotlb(m: Iommu, d: number, page: number): number {
  return (cachedFrame(m, d, page, 0) >= 0 ? READ : 0) | (cachedFrame(m, d, page, 1) >= 0 ? WRITE : 0);
}

/** The config cache takes a device entry from memory. */
export const refillConfig = operation('cache.config', {
  agent: 'iommu',
  says: 'caches the entry of {device}',
  source: 'VT-d 6.2.2 context cache; AMD-Vi 2.2.2.2 device table entry caching; SMMUv3 3.17 configuration caches',
  idle: true,
  atomic: true,
  input: { device },
  where: {
    device: (m, op) =>
      m.deviceEntry.valid[op.device] === 1 && m.configCache.did[op.device] !== m.deviceEntry.did[op.device],
  },
  touches: (m, op, may) => {
    may.read(m.deviceEntry, op.device);
    may.write(m.configCache, op.device);
  },
  steps: {
    fill: (m, op) => {
      m.configCache.did[op.device] = m.deviceEntry.did[op.device];
    },
  },
});

/** The paging-structure cache takes a pointer to a table. */
export const refillStructure = operation('cache.structure', {
  agent: 'iommu',
  says: 'caches the pointer to the table of {did}',
  source: 'VT-d 6.2.4 paging-structure caches; AMD-Vi 2.4 page walk caching',
  idle: true,
  atomic: true,
  input: { did },
  where: {
    did: (m, op) =>
      m.ioDirectory.walkedKind[op.did] === TABLE &&
      m.structureCache.table[op.did] !== m.ioDirectory.walkedTarget[op.did] &&
      inUse(m, op.did),
  },
  touches: (m, op, may) => {
    may.read(m.ioDirectory, op.did);
    may.readAll(m.configCache);
    may.readAll(m.deviceEntry);
    may.write(m.structureCache, op.did);
  },
  steps: {
    fill: (m, op) => {
      m.structureCache.table[op.did] = m.ioDirectory.walkedTarget[op.did];
    },
  },
});

/** The IOTLB takes a small translation from a walk. */
export const refillIotlb = operation('cache.iotlb', {
  agent: 'iommu',
  says: 'caches the translation of {iova} for {did}',
  source: 'VT-d 6.2.3 IOTLB; AMD-Vi 2.4; SMMUv3 3.17 TLB',
  idle: true,
  atomic: true,
  input: { did, iova },
  where: {
    did: (m, op) =>
      (m.structureCache.table[op.did] !== NONE || m.ioDirectory.walkedKind[op.did] === TABLE) && inUse(m, op.did),
    iova: (m, op) => rightsByWalk(m, op.did, op.iova) !== 0,
  },
  touches: (m, op, may) => {
    may.readAll(m.ioDirectory);
    may.readAll(m.ioEntry);
    may.read(m.structureCache, op.did);
    may.readAll(m.configCache);
    may.readAll(m.deviceEntry);
    may.write(m.iotlb, m.iotlb.at(op.did, op.iova));
  },
  steps: {
    fill: (m, op) => {
      const e = m.iotlb.at(op.did, op.iova);
      const rights = rightsByWalk(m, op.did, op.iova);
      m.iotlb.frame[e] = walkCached(m, op.did, op.iova, rights === WRITE ? 1 : 0);
      m.iotlb.rights[e] = rights;
    },
  },
});

/** The IOTLB takes a superpage translation. */
export const refillIotlbSuper = operation('cache.iotlbSuper', {
  agent: 'iommu',
  says: 'caches the superpage of {did}',
  source: 'VT-d 6.2.3 IOTLB; AMD-Vi 2.4; SMMUv3 3.17 TLB',
  idle: true,
  atomic: true,
  input: { did },
  where: {
    did: (m, op) =>
      m.structureCache.table[op.did] === NONE &&
      m.ioDirectory.walkedKind[op.did] === SUPERPAGE &&
      m.iotlbSuper.frame[op.did] === NONE &&
      inUse(m, op.did),
  },
  touches: (m, op, may) => {
    may.read(m.ioDirectory, op.did);
    may.read(m.structureCache, op.did);
    may.readAll(m.configCache);
    may.readAll(m.deviceEntry);
    may.write(m.iotlbSuper, op.did);
  },
  steps: {
    fill: (m, op) => {
      m.iotlbSuper.frame[op.did] = m.ioDirectory.walkedTarget[op.did];
      m.iotlbSuper.rights[op.did] = m.ioDirectory.walkedRights[op.did];
    },
  },
});

/** A device asks for a translation and keeps it: answered from the IOTLB, or by a walk. */
export const refillAtc = operation('cache.atc', {
  agent: atsDevice,
  says: 'asks for the translation of {iova} and keeps it (from the IOTLB: {fromIotlb})',
  source: 'PCI Express ATS, translation requests; VT-d 4.1 device-TLB; SMMUv3 3.9 ATS',
  idle: true,
  atomic: true,
  input: { iova, fromIotlb: flag },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1 && configOf(m, op.agent) !== NONE,
    fromIotlb: (m, op) => {
      const d = configOf(m, op.agent);
      return (op.fromIotlb !== 0 ? rightsByIotlb(m, d, op.iova) : rightsByWalk(m, d, op.iova)) !== 0;
    },
  },
  touches: (m, op, may) => {
    may.readAll(m.ioDirectory);
    may.readAll(m.ioEntry);
    may.readAll(m.structureCache);
    may.readAll(m.iotlb);
    may.readAll(m.iotlbSuper);
    may.read(m.configCache, op.agent);
    may.read(m.deviceEntry, op.agent);
    may.read(m.device, op.agent);
    may.write(m.atc, m.atc.at(op.agent, op.iova));
  },
  steps: {
    fill: (m, op) => {
      const d = configOf(m, op.agent);
      const e = m.atc.at(op.agent, op.iova);
      const rights = op.fromIotlb !== 0 ? rightsByIotlb(m, d, op.iova) : rightsByWalk(m, d, op.iova);
      const write = rights === WRITE ? 1 : 0;
      m.atc.frame[e] = op.fromIotlb !== 0 ? cachedFrame(m, d, op.iova, write) : walkCached(m, d, op.iova, write);
      m.atc.rights[e] = rights;
    },
  },
});

/** All refill operations. */
export const refills = [refillConfig, refillStructure, refillIotlb, refillIotlbSuper, refillAtc];
