/**
 * Invalidation requests: how software encodes them (queued descriptors, registers), how hardware decodes them, and what they cover.
 * Source: VT-d Architecture Specification, 6.5.1 register-based and 6.5.2 queued invalidation; 10.4.7 CCMD, 10.4.8 IOTLB and IVA.
 *
 * Both directions are here so that a specification can let one side be wrong. Words are 32 bits, least significant first.
 */

export const CONTEXT = 1;
export const IOTLB = 2;
export const DEVICE_TLB = 3;
export const WAIT = 5;

export const GLOBAL = 1;
export const DOMAIN = 2;
/** Device-selective for the context cache, page-selective within a domain for the IOTLB. */
export const SELECTIVE = 3;

/** A decoded request. Made once and refilled. */
export class Request {
  /** CONTEXT, IOTLB, DEVICE_TLB, WAIT; anything else is an invalid descriptor (FSTS.IQE). */
  type = 0;
  granularity = 0;
  did = 0;
  sourceId = 0;
  /** FM: 0 to 3. */
  functionMask = 0;
  pageLo = 0;
  pageHi = 0;
  /** AM: 2^am pages, naturally aligned. */
  addressMask = 0;
  /** IH: only leaf entries have changed. */
  leafOnly = false;
  /** Device TLB: S, the size is in the address. */
  sized = false;
  /** Wait: SW, data and address of the status write. */
  statusWrite = false;
  statusData = 0;
  statusAddress = 0;
}

/** Reads address, mask and hint of a page-selective request: the second half of the descriptor, or IVA_REG. */
function decodeAddress(lo: number, hi: number, out: Request): void {
  out.addressMask = lo & 0x3f;
  out.leafOnly = (lo & 0x40) !== 0;
  out.pageLo = ((hi << 20) | (lo >>> 12)) >>> 0;
  out.pageHi = hi >>> 12;
}

/** 6.5.2: a 128-bit descriptor. */
export function decodeDescriptor(w0: number, w1: number, w2: number, w3: number, out: Request): void {
  out.type = w0 & 0xf;
  out.granularity = (w0 >>> 4) & 3;
  out.did = w0 >>> 16;
  switch (out.type) {
    case CONTEXT:
      out.sourceId = w1 & 0xffff;
      out.functionMask = (w1 >>> 16) & 3;
      break;
    case IOTLB:
      decodeAddress(w2, w3, out);
      break;
    case DEVICE_TLB:
      out.sourceId = w1 & 0xffff;
      out.sized = (w2 & 1) !== 0;
      out.pageLo = ((w3 << 20) | (w2 >>> 12)) >>> 0;
      out.pageHi = w3 >>> 12;
      break;
    case WAIT:
      out.statusWrite = (w0 & 0x20) !== 0;
      out.statusData = w1;
      out.statusAddress = w2 & ~3;
      break;
  }
}

/** 10.4.7: a context-cache request in CCMD_REG. */
export function decodeContextCommand(lo: number, hi: number, out: Request): void {
  out.type = CONTEXT;
  out.granularity = (hi >>> 29) & 3;
  out.did = lo & 0xffff;
  out.sourceId = lo >>> 16;
  out.functionMask = hi & 3;
}

/** 10.4.8: an IOTLB request in IOTLB_REG (high half) and IVA_REG. */
export function decodeIotlbCommand(commandHi: number, ivaLo: number, ivaHi: number, out: Request): void {
  out.type = IOTLB;
  out.granularity = (commandHi >>> 28) & 3;
  out.did = commandHi & 0xffff;
  decodeAddress(ivaLo, ivaHi, out);
}

/** Word 0 and 1 of a context-cache descriptor. */
export const contextDescriptor0 = (granularity: number, did: number): number =>
  (did << 16) | (granularity << 4) | CONTEXT;
export const contextDescriptor1 = (sourceId: number, functionMask: number): number => (functionMask << 16) | sourceId;
/** Word 0 of an IOTLB descriptor, both drains asked for; word 2 for a page below 2^20. */
export const iotlbDescriptor0 = (granularity: number, did: number): number =>
  (did << 16) | 0xc0 | (granularity << 4) | IOTLB;
export const addressWord = (page: number, addressMask: number, leafOnly: boolean): number =>
  (page << 12) | (leafOnly ? 0x40 : 0) | addressMask;
/** 6.5.2.5: words of a device-TLB descriptor for 2^size pages from `first` (size 52 and more: everything). */
export const deviceDescriptor0 = (): number => DEVICE_TLB;
export const deviceDescriptor1 = (sourceId: number): number => sourceId;
export const deviceAddressWord = (first: number, size: number): number => {
  if (size === 0) return first << 12;
  const ones = size >= 32 ? 0xfffff : (1 << (size - 1)) - 1;
  return ((first | ones) << 12) | 1;
};
/** High word of the address: with everything asked for, all ones but the highest bit. */
export const deviceAddressHigh = (size: number): number => (size >= 52 ? 0x7fffffff : 0);
/** Halves of CCMD_REG, and the high half of IOTLB_REG. */
export const contextCommandLow = (sourceId: number, did: number): number => (sourceId << 16) | did;
export const contextCommandHigh = (granularity: number, functionMask: number): number =>
  0x80000000 | (granularity << 29) | functionMask;
export const iotlbCommandHigh = (granularity: number, did: number): number =>
  0x80000000 | (granularity << 28) | (3 << 16) | did;

/** 6.5.1.1: FM leaves out the upper one, two or all three bits of the function number. */
export function functionBits(functionMask: number): number {
  switch (functionMask) {
    case 0:
      return 0xffff;
    case 1:
      return 0xfffb;
    case 2:
      return 0xfff9;
    default:
      return 0xfff8;
  }
}

/** Whether a context-cache request covers what is cached for `sourceId` under `did`. */
export function coversContext(q: Request, sourceId: number, did: number): boolean {
  if (q.type !== CONTEXT) return false;
  switch (q.granularity) {
    case GLOBAL:
      return true;
    case DOMAIN:
      return q.did === did;
    case SELECTIVE:
      return q.did === did && ((q.sourceId ^ sourceId) & functionBits(q.functionMask)) === 0;
    default:
      return false;
  }
}

/** Bits of the low word of a page number that are compared: those above the address mask. Signed: an unsigned word may be an object. */
function pageBits(addressMask: number): number {
  return addressMask >= 32 ? 0 : -1 << addressMask;
}

/**
 * Whether an IOTLB request covers a cached page of `span` + 1 pages (0, or 511 for 2 MiB, ...) that starts at `pageLo`, `pageHi`.
 * A superpage is covered when any page of it is asked for (6.5.1.2).
 */
export function coversPage(q: Request, did: number, pageLo: number, pageHi: number, span: number): boolean {
  if (q.type !== IOTLB) return false;
  switch (q.granularity) {
    case GLOBAL:
      return true;
    case DOMAIN:
      return q.did === did;
    case SELECTIVE:
      return q.did === did && q.pageHi === pageHi && ((q.pageLo ^ pageLo) & pageBits(q.addressMask) & ~span) === 0;
    default:
      return false;
  }
}

/** Whether an IOTLB request covers a paging-structure entry of `did` for `span` + 1 pages from `pageLo`: not with the hint (6.5.1.2). */
export function coversStructure(q: Request, did: number, pageLo: number, pageHi: number, span: number): boolean {
  if (q.type === IOTLB && q.granularity === SELECTIVE && q.leafOnly) return false;
  return coversPage(q, did, pageLo, pageHi, span);
}

/**
 * Whether a device-TLB request covers a page of device `sourceId` (PCI Express ATS, 10.3.2): with S, the number of pages is two to the
 * power of one plus the trailing ones of the page number.
 */
export function coversDevicePage(q: Request, sourceId: number, pageLo: number, pageHi: number): boolean {
  if (q.type !== DEVICE_TLB || q.sourceId !== sourceId) return false;
  if (!q.sized) return q.pageLo === pageLo && q.pageHi === pageHi;
  const ones = q.pageLo ^ (q.pageLo + 1);
  // All ones in the low word: everything that matters below 2^44 and above.
  if (q.pageLo >>> 0 === 0xffffffff) return true;
  return q.pageHi === pageHi && ((q.pageLo ^ pageLo) & ~ones) === 0;
}
