/**
 * The entries of Intel VT-d's legacy-mode tables, bit by bit, on 32-bit words (word 0 is the least significant).
 * Source: Intel Virtualization Technology for Directed I/O, Architecture Specification, rev. 3.x: 9.1 root entry, 9.3 context entry,
 * 9.8 second-level paging entries, 3.4.3 context entry and address width, 10.4.2 and 10.4.3 for what a unit supports.
 *
 * Addresses are page-frame numbers in 32 bits, so tables and data lie below 2^44; an entry that points above is unreachable.
 */

/** What a unit says that it supports: the fields of CAP and ECAP on which the meaning of an entry depends. */
export interface UnitCapability {
  /** HAW: width of host physical addresses in bits, 32 to 52. Address bits above it are reserved in every entry. */
  readonly hostBits: number;
  /** CAP.MGAW + 1: widest address of a DMA request in bits. */
  readonly guestBits: number;
  /** CAP.SAGAW: bit 1 for 3 levels (39 bits), bit 2 for 4 levels (48 bits). */
  readonly widths: number;
  /** CAP.SLLPS: bit 0 for 2 MiB, bit 1 for 1 GiB pages. */
  readonly superpages: number;
  /** ECAP.PT: context entries may pass requests through. */
  readonly passThrough: boolean;
  /** ECAP.DT: context entries may let a device keep translations. */
  readonly deviceTlb: boolean;
  /** ECAP.SC: leaf entries may force snooping (bit 11). */
  readonly snoopControl: boolean;
}

/** Second-level rights, in the places that they have in an entry. */
export const READ = 1;
export const WRITE = 2;
export const READ_WRITE = 3;
/** PS: an entry of level 2 or 3 that is a page itself. */
export const PAGE_SIZE = 0x80;

/** TT, bits 3:2 of a context entry. */
export const UNTRANSLATED_ONLY = 0;
export const ALL_REQUESTS = 1;
export const PASS_THROUGH = 2;

/** Present, in root and context entries. */
export const PRESENT = 1;
/** FPD: faults of this context entry's requests are not recorded. */
export const FAULT_DISABLE = 2;

/**
 * Page-frame number that address bits 51:12 of an entry name, as a signed 32-bit integer (an unsigned one of 2^31 or more would be an object
 * on the heap), or -1 above 2^44. The bits above are for software, or reserved.
 */
export function frameOf(lo: number, hi: number): number {
  return (hi & 0xff000) !== 0 ? -1 : ((hi & 0xfff) << 20) | (lo >>> 12);
}

/** Bits of the high word (addresses 63:32) at and above the host address width. */
function aboveHost(unit: UnitCapability): number {
  return ~((1 << (unit.hostBits - 32)) - 1);
}

/** 9.1: bits 11:1, the address above the host width, and the whole upper half are reserved. */
export function rootReserved(unit: UnitCapability, w0: number, w1: number, w2: number, w3: number): boolean {
  return ((w0 & 0xffe) | (w1 & aboveHost(unit)) | w2 | w3) !== 0;
}

/** 9.3: bits 11:4, the address above the host width, bit 71 and bits 127:88 are reserved. */
export function contextReserved(unit: UnitCapability, w0: number, w1: number, w2: number, w3: number): boolean {
  return ((w0 & 0xff0) | (w1 & aboveHost(unit)) | (w2 & 0xff000080) | w3) !== 0;
}

/** TT of a context entry. */
export const translationType = (w0: number): number => (w0 >>> 2) & 3;
/** AW of a context entry: 1 for 3 levels, 2 for 4 levels. */
export const addressWidth = (w2: number): number => w2 & 7;
/** DID of a context entry. */
export const domainId = (w2: number): number => (w2 >>> 8) & 0xffff;

/** 9.3: whether the unit supports the entry's translation type and width; width is ignored with pass-through only as far as 3.4.3 says. */
export function contextSupported(unit: UnitCapability, w0: number, w2: number): boolean {
  const width = addressWidth(w2);
  if (width > 4 || ((unit.widths >>> width) & 1) === 0) return false;
  switch (translationType(w0)) {
    case UNTRANSLATED_ONLY:
      return true;
    case ALL_REQUESTS:
      return unit.deviceTlb;
    case PASS_THROUGH:
      return unit.passThrough;
    default:
      return false;
  }
}

/** 9.8: an entry that allows neither is not present, and nothing else in it is looked at. */
export const isPresent = (lo: number): boolean => (lo & READ_WRITE) !== 0;

/** Whether an entry of this level is a page and not a table (levels count from 1, the lowest). */
export function isLeaf(lo: number, level: number): boolean {
  return level === 1 || ((lo & PAGE_SIZE) !== 0 && level <= 3);
}

/** 9.8: reserved bits of a present second-level entry of this level. */
export function secondLevelReserved(unit: UnitCapability, lo: number, hi: number, level: number): boolean {
  // Bits 61:52 and 63 are ignored; 62 (TM) belongs to device TLBs.
  const high = aboveHost(unit) & 0x000fffff;
  const transient = unit.deviceTlb && isLeaf(lo, level) ? 0 : 0x40000000;
  if ((hi & (high | transient)) !== 0) return true;
  const leaf = isLeaf(lo, level);
  if ((lo & 0x800) !== 0 && !(leaf && unit.snoopControl)) return true;
  if ((lo & PAGE_SIZE) === 0 || level === 1) return false;
  switch (level) {
    case 2:
      return (unit.superpages & 1) === 0 || (lo & 0x001ff000) !== 0;
    case 3:
      return (unit.superpages & 2) === 0 || (lo & 0x3ffff000) !== 0;
    default:
      return true;
  }
}

/** Pages (4 KiB) of a leaf of this level, minus one: what of the page number the leaf leaves as it is. */
export const leafMask = (level: number): number => (1 << (9 * (level - 1))) - 1;

/** Low word of an entry for a frame below 2^20; the frame's own high word is `frame >>> 20`. */
export const entryLow = (frame: number, bits: number): number => (frame << 12) | bits;

/** Word 2 of a context entry. */
export const contextHigh = (levels: number, did: number): number => (did << 8) | (levels - 2);
