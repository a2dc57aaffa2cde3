/**
 * Devices and domains: attach, detach, and with them the life of DIDs and tables. A move is a detachment and then an attachment.
 * Source: Xen `xen/drivers/passthrough/vtd/iommu.c` (domain_context_mapping_one, domain_context_unmap_one, reassign_device_ownership),
 * XSA-386, XSA-400, XSA-442; order of the VFIO and UNSW close paths (disable, unmap, unpin).
 * Must keep: a device acts for its home only (I8); a free DID has no trace anywhere (I9); what is freed is out of reach (I1).
 */
import { domain, runs } from '../domains.js';
import { putPage, putType } from '../frames.js';
import { AGAIN, type Footprint, NONE, OK, operationOn } from '../kernel/index.js';
import { completeDma } from './dmaState.js';
import { dropReferences } from './mapping.js';
import { awaitCompletion, mayFlush, submitAtc, submitConfig, submitIotlbDid, submitWait } from './queue.js';
import {
  device,
  didOf,
  EMPTY,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  iova,
  isSplit,
  SLOT_FREE,
  SUPERPAGE,
  storeDirectory,
  storeEntry,
  TABLE,
} from './state.js';

const operation = operationOn<Iommu>();

function freeDid(m: Iommu): number {
  for (let d = 0; d < m.ioDomain.rows; d++) if (m.ioDomain.owner[d] === NONE && m.flush.state[d] === IDLE) return d;
  return -1;
}

/** Writes the device entry, and all that goes with it: the device is the domain's. */
export function attachNow(m: Iommu, v: number, to: number): number {
  let d = didOf(m, to);
  if (d === NONE) d = freeDid(m);
  if (d < 0) return IOMMU_ERRNO.ENOSPC;
  m.ioDomain.owner[d] = to;
  m.device.home[v] = to;
  return OK;
}

/** A device is given to a domain. Absent entries are not cached, so nothing needs invalidating. */
export const attach = operation('iommu.attach', {
  agent: 'vmm',
  says: 'attaches {device} to {domain}',
  source: 'Xen domain_context_mapping_one; VT-d 6.2.2.1',
  input: { device, domain },
  errors: IOMMU_ERRNO,
  where: {
    device: (m, op) => m.device.home[op.device] === NONE,
    domain: (m, op) => runs(m, op.domain) && m.iommu.translation[0] === 1,
  },
  touches: (m, op, may) => {
    may.write(m.device, op.device);
    may.write(m.deviceEntry, op.device);
    may.writeAll(m.ioDomain);
  },
  steps: {
    'take a DID': (m, op) => attachNow(m, op.device, op.domain),
    'write device entry': (m, op) => {
      m.deviceEntry.did[op.device] = didOf(m, op.domain);
      m.deviceEntry.valid[op.device] = 1;
    },
    'enable bus mastering': (m, op) => {
      m.device.busMaster[op.device] = 1;
    },
  },
});

/** Whether another device of the same home is attached. */
export function shared(m: Iommu, v: number): boolean {
  for (let o = 0; o < m.device.rows; o++) if (o !== v && m.device.home[o] === m.device.home[v]) return true;
  return false;
}

/** Whether the device has requests in flight. */
export function inFlight(m: Iommu, v: number): boolean {
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === v) return true;
  return false;
}

/** Step: wait for the device's requests to have their effect. */
export function drain(m: Iommu, v: number): number {
  if (isSplit(m)) return inFlight(m, v) ? AGAIN : OK;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === v) completeDma(m, s);
  return OK;
}

/** Frees all of a DID's tables, and gives back what their entries held. */
export function freeTables(m: Iommu, d: number): void {
  const kind = m.ioDirectory.kind[d];
  const target = m.ioDirectory.target[d];
  const rights = m.ioDirectory.rights[d];
  storeDirectory(m, d, EMPTY, NONE, 0);
  if (kind === SUPERPAGE) {
    for (let i = 0; i < m.size(iova); i++) dropReferences(m, target + i, rights);
  }
  if (kind !== TABLE) return;
  for (let i = 0; i < m.size(iova); i++) {
    const e = m.ioEntry.at(d, i);
    const f = m.ioEntry.frame[e];
    const was = m.ioEntry.rights[e];
    storeEntry(m, e, NONE, 0);
    if (was !== 0) dropReferences(m, f, was);
  }
  putType(m, target);
  putPage(m, target);
}

/** Gives the device up; with a domain's last device its DID becomes free. */
export function giveUp(m: Iommu, v: number, d: number): void {
  if (!shared(m, v)) m.ioDomain.owner[d] = NONE;
  m.device.home[v] = NONE;
}

function mayFreeTables(m: Iommu, may: Footprint, d: number): void {
  may.write(m.ioDirectory, d);
  for (let i = 0; i < m.size(iova); i++) may.write(m.ioEntry, m.ioEntry.at(d, i));
  may.writeAll(m.frame);
  may.writeAll(m.content);
}

/**
 * A device is taken from its domain. When the wait times out, the entry is cleared, device, DID and tables stay accounted to the domain,
 * and the call can be repeated.
 */
export const detach = operation('iommu.detach', {
  agent: 'vmm',
  says: 'detaches {device}',
  source: 'Xen domain_context_unmap_one, reassign_device_ownership; XSA-386, XSA-442',
  input: { device },
  locals: ['did'],
  errors: IOMMU_ERRNO,
  onFailure: 'safe',
  where: {
    device: (m, op) => m.device.home[op.device] !== NONE && m.flush.state[didOf(m, m.device.home[op.device])] === IDLE,
  },
  touches: (m, op, may) => {
    may.write(m.device, op.device);
    may.write(m.deviceEntry, op.device);
    may.writeAll(m.dma);
    may.writeAll(m.content);
    const d = didOf(m, m.device.home[op.device]);
    may.write(m.ioDomain, d);
    mayFreeTables(m, may, d);
    mayFlush(m, may, d);
  },
  steps: {
    quiesce: (m, op) => {
      op.did = didOf(m, m.device.home[op.device]);
      m.device.busMaster[op.device] = 0;
    },
    drain: (m, op) => drain(m, op.device),
    'clear device entry': (m, op) => {
      m.deviceEntry.valid[op.device] = 0;
      m.deviceEntry.did[op.device] = NONE;
    },
    'invalidate config': (m, op) => submitConfig(m, op.device),
    'invalidate IOTLB': (m, op) => submitIotlbDid(m, op.did),
    'invalidate ATC': (m, op) => submitAtc(m, op.device),
    wait: (m, op) => submitWait(m, op.did),
    completed: (m, op) => awaitCompletion(m, op.did),
    'free tables': (m, op) => {
      if (!shared(m, op.device)) freeTables(m, op.did);
    },
    'give device up': (m, op) => giveUp(m, op.device, op.did),
  },
});

/** All operations on the assignment of devices. */
export const assignments = [attach, detach];
