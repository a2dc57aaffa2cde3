/**
 * The abstract IOMMU: state. What is in memory (device entries, page tables), what hardware has cached of it (four caches, each stale
 * until invalidated), the invalidation queue, DMA in flight and the fault log.
 * Follows what VT-d (sections 3, 6 and 7), AMD-Vi (sections 2.2 and 2.4) and SMMUv3 (chapters 3 and 4) have in common; README.md says
 * which structure is which. Torn multi-word entries belong to the bit level: here an entry changes as a whole.
 */
import { domain } from '../domains.js';
import { type Frames, frame } from '../frames.js';
import { bitsOf, failure, gate, NONE, oneOf, ref, type State, setOf, sort, table, u8 } from '../kernel/index.js';

/** Requester ids. The first `ats` of them have a translation cache of their own (ATC). */
export const device = sort('device');
/** Devices with an ATC: device 0 to this scope's size, less one. Trusted to keep to their ATC. */
export const atsDevice = sort('ats');
/** Small pages of a device's address space. Two of them make a superpage. */
export const iova = sort('iova');
/** IOMMU domain ids: the tag of cached translations. One for each domain that has a device. */
export const did = sort('did');
/** Places in the invalidation queue. */
export const queueSlot = sort('queue');
/** DMA requests in flight. */
export const dmaSlot = sort('dma');
/** Fault records. */
export const faultSlot = sort('record');
/** Where a request's translation comes from. */
export const path = sort('path', { members: ['the tables', 'the IOTLB', 'the ATC'] });
export const BY_TABLES = 0;
export const BY_IOTLB = 1;
export const BY_ATC = 2;

/** Rights bits. */
export const READ = 1;
export const WRITE = 2;

/** What a directory entry is. */
export const EMPTY = 0;
export const SUPERPAGE = 1;
export const TABLE = 2;

/** State of a domain's wait for the queue. */
export const IDLE = 0;
export const WAITING = 1;
/** The wait completed, and whoever waits has not looked yet. */
export const COMPLETED = 2;
/** The wait timed out; its completion is still to come. */
export const ABANDONED = 3;
/** It came, late. What was held back for it can go. */
export const LATE = 4;

/** What is given back once the flush has completed. */
export const DROP_PAGE = 1;
export const DROP_TYPE = 2;
export const DROP_TABLE = 4;

/** State of a DMA slot. */
export const SLOT_FREE = 0;
export const SLOT_READ = 1;
export const SLOT_WRITE = 2;

export const iommuTables = {
  /** Switched on at power-on (default deny); off: every request passes as it is. */
  iommu: table([], { translation: oneOf('off', 'on'), overflow: oneOf('no', 'yes') }),
  device: table([device], {
    /** Domain that answers for the device, from the start of its attachment to the end of its detachment. */
    home: ref(domain),
    busMaster: oneOf('off', 'on'),
    /** Domain whose device wrote this device's registers past the IOMMU (peer to peer). */
    barWriter: ref(domain),
    /** Domains that this device interrupted with vectors that are not its own. */
    forged: setOf(domain),
  }),
  /** Context entry, device table entry, stream table entry. */
  deviceEntry: table([device], { valid: oneOf('no', 'yes'), did: ref(did) }),
  /** The domain that a DID stands for; NONE: the number is free. */
  ioDomain: table([did], { owner: ref(domain) }),
  /** The directory: one entry, for two small pages; `walked*` is what the table walker sees (memory, without the CPU's cache). */
  ioDirectory: table([did], {
    kind: oneOf('empty', 'superpage', 'table'),
    /** First frame of the superpage, or the frame of the table. */
    target: ref(frame),
    rights: bitsOf('read', 'write'),
    walkedKind: oneOf('empty', 'superpage', 'table'),
    walkedTarget: ref(frame),
    walkedRights: bitsOf('read', 'write'),
  }),
  /** Leaf entries of a domain's one table. */
  ioEntry: table([did, iova], {
    frame: ref(frame),
    rights: bitsOf('read', 'write'),
    walkedFrame: ref(frame),
    walkedRights: bitsOf('read', 'write'),
  }),
  /** Cached device entries. */
  configCache: table([device], { did: ref(did) }),
  /** Cached directory entries that point to a table. */
  structureCache: table([did], { table: ref(frame) }),
  /** Cached small translations, tagged by DID. */
  iotlb: table([did, iova], { frame: ref(frame), rights: bitsOf('read', 'write') }),
  /** Cached superpage translations. */
  iotlbSuper: table([did], { frame: ref(frame), rights: bitsOf('read', 'write') }),
  /** Translations that the device itself keeps. */
  atc: table([atsDevice, iova], { frame: ref(frame), rights: bitsOf('read', 'write') }),
  /** The invalidation queue, head first. */
  queue: table([queueSlot], {
    command: oneOf(
      'none',
      'config of device',
      'config of DID',
      'config, all',
      'IOTLB page',
      'IOTLB of DID',
      'IOTLB, all',
      'structures of DID',
      'ATC page',
      'ATC of device',
      'wait',
    ),
    /** Device or DID. */
    target: u8(),
    page: ref(iova),
  }),
  /** One wait for each DID: the DID is the tag of its completion. */
  flush: table([did], {
    state: oneOf('idle', 'waiting', 'completed', 'abandoned', 'late'),
    /** Frame that is held back until the flush has completed. */
    frame: ref(frame),
    drop: bitsOf('page reference', 'type reference', 'table'),
  }),
  /** Requests whose translation is done and whose effect on memory is still to come. */
  dma: table([dmaSlot], {
    state: oneOf('free', 'read', 'write'),
    device: ref(device),
    frame: ref(frame),
    /** Domain that answered for the device at issue. */
    as: ref(domain),
    bypass: oneOf('no', 'yes'),
  }),
  faultRecord: table([faultSlot], { device: ref(device) }),
};

export type Iommu = Frames & State<typeof iommuTables>;

/** DMA is translated at all (chapter 3 of the VT-d manual). */
export const dmaRemapping = gate('DMA remapping');
/** Translation is on from power-on, and a device without an entry reaches nothing. */
export const defaultDeny = gate('default deny at power-on');
/** The config cache is invalidated when a device entry changes. */
export const configInvalidation = gate('config cache invalidation');
/** Cached translations are invalidated when an entry loses rights. */
export const iotlbInvalidation = gate('IOTLB invalidation');
/** Devices' own translations are invalidated too. */
export const atcInvalidation = gate('ATC invalidation');
/** Cached pointers to tables are invalidated before a table's frame is freed. */
export const structureInvalidation = gate('paging-structure cache invalidation');
/** A wait completes only after the requests that passed translation before it. */
export const drainOnWait = gate('drain on wait');
/** Unmap returns after the invalidation, not before. */
export const strictInvalidation = gate('strict invalidation');
/** What the CPU writes into tables is written back to memory, where the walker reads it. */
export const tableWriteBack = gate('table write-back');
/** Requests that claim to be translated are refused from devices without a trusted ATC. */
export const translatedRefused = gate('translated requests refused');
/** Access control services: requests between devices go up to the IOMMU. */
export const acsRedirect = gate('ACS redirect');
/** Interrupt remapping: a write to the interrupt window is looked up for its source. */
export const interruptRemapping = gate('interrupt remapping');
/** Every page of a request is translated, not only the first. */
export const everyPage = gate('every page of a request translated');
/** Addresses beyond what the tables cover fault. */
export const addressWidth = gate('address width check');

/** Places that can fail. */
export const allocateTable = failure('allocate IOMMU table');
export const waitTimeout = failure('wait for invalidation');

/** Error codes of the VMM's IOMMU operations (Linux/Xen errno). */
export const IOMMU_ERRNO = { ENOMEM: -12, EBUSY: -16, EINVAL: -22, ENOSPC: -28, ETIMEDOUT: -62 } as const;

/** Whether operations are split (other agents move between their steps). */
export function isSplit(m: Iommu): boolean {
  return m.threadAgents.length > 0;
}

/** Whether the device has a translation cache of its own. */
export function hasAtc(m: Iommu, v: number): boolean {
  return m.atc.at(v, 0) < m.atc.rows;
}

/** The DID of a domain, or NONE. */
export function didOf(m: Iommu, d: number): number {
  for (let i = 0; i < m.ioDomain.rows; i++) if (m.ioDomain.owner[i] === d) return i;
  return NONE;
}

/** The CPU writes a leaf entry, and writes it back to memory. */
export function storeEntry(m: Iommu, row: number, f: number, rights: number): void {
  m.ioEntry.frame[row] = f;
  m.ioEntry.rights[row] = rights;
  if (m.on(tableWriteBack)) {
    m.ioEntry.walkedFrame[row] = f;
    m.ioEntry.walkedRights[row] = rights;
  }
}

/** The CPU writes a directory entry, and writes it back to memory. */
export function storeDirectory(m: Iommu, d: number, kind: number, target: number, rights: number): void {
  m.ioDirectory.kind[d] = kind;
  m.ioDirectory.target[d] = target;
  m.ioDirectory.rights[d] = rights;
  if (m.on(tableWriteBack)) {
    m.ioDirectory.walkedKind[d] = kind;
    m.ioDirectory.walkedTarget[d] = target;
    m.ioDirectory.walkedRights[d] = rights;
  }
}

/** Nothing attached, nothing mapped, nothing cached, nothing queued. */
export function clearIommu(m: Iommu): void {
  m.iommu.translation[0] = m.on(defaultDeny) ? 1 : 0;
  m.device.home.fill(NONE);
  m.device.barWriter.fill(NONE);
  // Firmware leaves bus mastering on: only translation stands between a device that nobody owns and memory.
  m.device.busMaster.fill(1);
  m.deviceEntry.did.fill(NONE);
  m.ioDomain.owner.fill(NONE);
  m.ioDirectory.target.fill(NONE);
  m.ioDirectory.walkedTarget.fill(NONE);
  m.ioEntry.frame.fill(NONE);
  m.ioEntry.walkedFrame.fill(NONE);
  m.configCache.did.fill(NONE);
  m.structureCache.table.fill(NONE);
  m.iotlb.frame.fill(NONE);
  m.iotlbSuper.frame.fill(NONE);
  m.atc.frame.fill(NONE);
  m.queue.page.fill(NONE);
  m.flush.frame.fill(NONE);
  m.dma.device.fill(NONE);
  m.dma.frame.fill(NONE);
  m.dma.as.fill(NONE);
  m.faultRecord.device.fill(NONE);
}
