/**
 * User-level drivers (Leslie and Heiser 2003; the Linux patches of 2005): state. The driver is a process; the kernel is what we call the
 * VMM: it alone writes I/O tables, masks interrupts and pins pages. A device's DID stands for its I/O page directory.
 *
 * Who holds which device, what is mapped for it and pinned, and what processors reach. A page counts a reference for each process that
 * maps it and one for each pin, so that neither munmap nor exit frees what a device may still write.
 */
import { domain } from '../../domains.js';
import { flushOnFreeing, frame, isFree, putPage, scrubbing, TYPE_VMM } from '../../frames.js';
import { clearIommu, device, type Iommu, iova, storeDirectory, TABLE } from '../../iommu/index.js';
import {
  bitsOf,
  type Footprint,
  gate,
  NONE,
  oneOf,
  ref,
  type State,
  setOf,
  sort,
  table,
  u8,
} from '../../kernel/index.js';

/** Client of the drivers: a process that has no device. */
export const CLIENT = 0;
/** The driver process under attack, and attacking. */
export const DRIVER = 1;
/** Another driver process, with device 1; or the driver's child. */
export const OTHER = 2;

/** Frame 0: the kernel's, its I/O page directories among it. */
export const KERNEL_FRAME = 0;
export const CLIENT_FRAME = 1;
export const BUFFER = 2;

/** Pins that a process may have (RLIMIT_MEMLOCK). */
export const pinLimit = sort('pin limit');

/** Kinds of mapping. */
export const NO_MAPPING = 0;
export const STREAMING = 1;
export const COHERENT = 2;

export const userTables = {
  /** Open handles; `device.home` is the process that claimed the device. */
  handle: table([device], {
    /** Processes that hold a handle: one at most. */
    opens: setOf(domain),
    /** A call on the handle is under way in the kernel. */
    locked: oneOf('no', 'yes'),
    /** Addresses that the driver has put into the device's own descriptors. */
    programmed: setOf(iova),
    /** Kept for properties: a well programmed device found its mapping gone. */
    lost: oneOf('no', 'yes'),
  }),
  /** The set M of a handle, by bus address. */
  mapping: table([device, iova], {
    kind: oneOf('none', 'streaming', 'coherent'),
    frame: ref(frame),
    rights: bitsOf('read', 'write'),
  }),
  /** Pins: what get_user_pages counts. */
  pin: table([frame], { count: u8() }),
  /** What processors reach: page tables and translation caches. */
  page: table([frame], {
    mapped: setOf(domain),
    writable: setOf(domain),
    cached: setOf(domain),
    /** Kept for properties: processes that wrote it without any right. */
    scribbled: setOf(domain),
  }),
  /** A machine check stops everything. */
  platform: table([], { state: oneOf('runs', 'stopped') }),
};

export type UserDrivers = Iommu & State<typeof userTables>;

/** Error codes of the calls. */
export const USER_ERRNO = {
  ENOENT: -2,
  EINTR: -4,
  EIO: -5,
  EBADF: -9,
  ENOMEM: -12,
  EFAULT: -14,
  EBUSY: -16,
  EINVAL: -22,
  ETIMEDOUT: -62,
} as const;

/** A page that is mapped for a device was mapped for its process first, with the right of the direction. */
export const accessCheck = gate('user access check');
/** A page that fork would share is the process’s alone before it is pinned, and pinned pages are not shared. */
export const unsharing = gate('unsharing of pinned pages');
/** Pins are bounded for each process. */
export const pinBound = gate('pin limit');
/** The list of bus addresses has room for the pages and two more. */
export const entryBound = gate('bound on list entries');
/** Arguments are copied into the kernel once, and the copy is what is used. */
export const argumentCopy = gate('arguments copied once');
/** A page leaves translation caches when it leaves a page table. */
export const tlbFlush = gate('TLB flush on unmapping');
/** Each device has an I/O page directory of its own. */
export const ownDirectory = gate('an I/O page directory for each device');
/** A DMA without an entry is recorded; without this it is a machine check. */
export const faultRecording = gate('I/O faults recorded');

export const bitOf = (d: number): number => 1 << d;

/** Members of a set of processes. */
export function members(set: number): number {
  let n = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) n++;
  return n;
}

/** Lowest free frame, or -1. */
export function heapFrame(m: UserDrivers): number {
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) return f;
  return -1;
}

/** Whether the process maps the page. */
export function maps(m: UserDrivers, d: number, f: number): boolean {
  return (m.page.mapped[f] & bitOf(d)) !== 0;
}

/** A free frame becomes the process’s, mapped and writable. */
export function givePage(m: UserDrivers, f: number, d: number): void {
  m.frame.owner[f] = d;
  m.frame.allocated[f] = 1;
  m.frame.refs[f] = 1;
  m.page.mapped[f] = bitOf(d);
  m.page.writable[f] = bitOf(d);
}

/** The page leaves the process’s page table, and its translation caches. The last reference frees it. */
export function takePage(m: UserDrivers, f: number, d: number): void {
  const others = ~bitOf(d);
  m.page.mapped[f] &= others;
  m.page.writable[f] &= others;
  if (m.on(tlbFlush)) m.page.cached[f] &= others;
  inherit(m, f, d);
  putPage(m, f);
}

/** A page that d no longer maps belongs to whoever still does. */
function inherit(m: UserDrivers, f: number, d: number): void {
  if (m.frame.owner[f] !== d || m.page.mapped[f] === 0) return;
  let next = 0;
  while (!maps(m, next, f)) next++;
  m.frame.owner[f] = next;
}

/**
 * The process gets the page for itself: as it is when nobody shares it, else a copy in its place.
 * @returns its frame, or -1 without memory
 */
export function unshare(m: UserDrivers, f: number, d: number): number {
  if (members(m.page.mapped[f]) === 1) {
    m.page.writable[f] |= bitOf(d);
    return f;
  }
  const copy = heapFrame(m);
  if (copy < 0) return -1;
  givePage(m, copy, d);
  takePage(m, f, d);
  return copy;
}

/** Pins of a process: its handles’ mappings. */
export function pinsOf(m: UserDrivers, d: number): number {
  const pages = m.mapping.rows / m.device.rows;
  let n = 0;
  for (let v = 0; v < m.device.rows; v++) {
    if (m.device.home[v] !== d) continue;
    for (let p = 0; p < pages; p++) if (m.mapping.kind[m.mapping.at(v, p)] !== NO_MAPPING) n++;
  }
  return n;
}

/** Whether the process may pin one page more. */
export function mayPin(m: UserDrivers, d: number): boolean {
  return !m.on(pinBound) || pinsOf(m, d) < m.size(pinLimit);
}

export function pinPage(m: UserDrivers, f: number): void {
  m.pin.count[f]++;
  m.frame.refs[f]++;
}

export function unpinPage(m: UserDrivers, f: number): void {
  m.pin.count[f]--;
  putPage(m, f);
}

/** Whether anything is left of a process: pages, devices, requests in flight. */
export function holdsUser(m: UserDrivers, d: number): boolean {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === d || maps(m, d, f)) return true;
  for (let v = 0; v < m.device.rows; v++) if (m.device.home[v] === d) return true;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== 0 && m.dma.as[s] === d) return true;
  return false;
}

/** Rows that a page may change when it comes, goes or is copied. */
export function touchPage(m: UserDrivers, may: Footprint, f: number): void {
  if (f < 0) return;
  may.write(m.frame, f);
  may.write(m.page, f);
  may.write(m.pin, f);
  may.write(m.content, m.content.at(f, 0));
  may.write(m.content, m.content.at(f, 1));
}

/** Power-on: nothing open, nothing mapped, bus mastering off, an empty I/O page directory for each device. */
export function clearUser(m: UserDrivers): void {
  clearIommu(m);
  m.iommu.translation[0] = 1;
  m.device.busMaster.fill(0);
  m.mapping.frame.fill(NONE);
  m.frame.type[KERNEL_FRAME] = TYPE_VMM;
  m.frame.types[KERNEL_FRAME] = 1;
  m.frame.refs[KERNEL_FRAME] = 1;
  for (let v = 0; v < m.device.rows; v++) {
    m.deviceEntry.valid[v] = 1;
    m.deviceEntry.did[v] = v;
    storeDirectory(m, v, TABLE, KERNEL_FRAME, 3);
    m.ioDirectory.walkedKind[v] = TABLE;
    m.ioDirectory.walkedTarget[v] = KERNEL_FRAME;
    m.ioDirectory.walkedRights[v] = 3;
  }
}

export { flushOnFreeing, scrubbing };
