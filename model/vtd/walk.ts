/**
 * The walk of root, context and second-level tables (VT-d Architecture Specification, 3.4 and 3.7), over anything that can read a
 * 32-bit word of a frame: the packed state of a machine, or a mirror of a real guest's memory.
 *
 * First the memory and the result; then the two halves of the walk; then the whole. What it must keep: rights only shrink on the way
 * down, nothing that an entry reserves is overlooked, and the depth is the one that the context entry states.
 */
import {
  addressWidth,
  contextReserved,
  contextSupported,
  domainId,
  FAULT_DISABLE,
  frameOf,
  isLeaf,
  isPresent,
  leafMask,
  PASS_THROUGH,
  PRESENT,
  READ,
  READ_WRITE,
  rootReserved,
  secondLevelReserved,
  translationType,
  type UnitCapability,
  WRITE,
} from './entries.js';
import { REASON } from './reasons.js';

/** Memory as the unit's table walker sees it. */
export interface TableMemory {
  /** Word `index` (0 to 1023) of the frame. */
  word(frame: number, index: number): number;
  /** Whether the frame can be read at all; an address without memory behind it is `unreachable`. */
  reaches(frame: number): boolean;
}

/** First page-frame number and count of the interrupt window 0xfeexxxxx (3.14). */
export const INTERRUPT_FRAME = 0xfee00;
export const INTERRUPT_FRAMES = 0x100;

/** What a walk found. Made once and refilled: walks allocate nothing. */
export class Walk {
  /** Fault reason, or 0. */
  reason = 0;
  /** Bit n set: reason n would be right too, as the manual leaves the order of the checks open. */
  alternatives = 0;
  /** Context entry: domain id, table, levels, translation type, fault processing disabled. */
  did = 0;
  table = 0;
  levels = 0;
  type = 0;
  faultDisable = false;
  /** Translation: frame of the page asked for, combined rights, level of the leaf. */
  frame = 0;
  rights = 0;
  leafLevel = 0;
  /** The table of level 1 that the walk went through, or -1: what a paging-structure cache may keep. */
  directory = -1;
  directoryRights = 0;

  /** Answers with a fault. */
  fault(reason: number): number {
    this.reason = reason;
    this.alternatives |= 1 << reason;
    return reason;
  }
}

/** 3.4.1, 3.4.2: root entry of the bus, then context entry of device and function. The reason of a fault, or 0. */
export function fetchContext(
  unit: UnitCapability,
  memory: TableMemory,
  rootFrame: number,
  sourceId: number,
  out: Walk,
): number {
  out.reason = 0;
  out.alternatives = 0;
  out.faultDisable = false;
  if (!memory.reaches(rootFrame)) return out.fault(REASON.ROOT_UNREACHABLE);
  const r = (sourceId >>> 8) << 2;
  const r0 = memory.word(rootFrame, r);
  if ((r0 & PRESENT) === 0) return out.fault(REASON.ROOT_NOT_PRESENT);
  const r1 = memory.word(rootFrame, r + 1);
  if (rootReserved(unit, r0, r1, memory.word(rootFrame, r + 2), memory.word(rootFrame, r + 3))) {
    return out.fault(REASON.ROOT_RESERVED);
  }
  const contextFrame = frameOf(r0, r1);
  if (!memory.reaches(contextFrame)) return out.fault(REASON.CONTEXT_UNREACHABLE);
  const c = (sourceId & 0xff) << 2;
  const c0 = memory.word(contextFrame, c);
  const c1 = memory.word(contextFrame, c + 1);
  const c2 = memory.word(contextFrame, c + 2);
  return decodeContext(unit, c0, c1, c2, memory.word(contextFrame, c + 3), out);
}

/** 9.3: what a context entry says, or the reason why it cannot be used. */
export function decodeContext(unit: UnitCapability, w0: number, w1: number, w2: number, w3: number, out: Walk): number {
  out.reason = 0;
  out.alternatives = 0;
  out.faultDisable = (w0 & FAULT_DISABLE) !== 0;
  if ((w0 & PRESENT) === 0) return out.fault(REASON.CONTEXT_NOT_PRESENT);
  const supported = contextSupported(unit, w0, w2);
  if (contextReserved(unit, w0, w1, w2, w3)) {
    if (!supported) out.alternatives |= 1 << REASON.CONTEXT_INVALID;
    return out.fault(REASON.CONTEXT_RESERVED);
  }
  if (!supported) return out.fault(REASON.CONTEXT_INVALID);
  out.type = translationType(w0);
  out.did = domainId(w2);
  out.levels = addressWidth(w2) + 2;
  out.table = frameOf(w0, w1);
  return 0;
}

/** 3.7: whether a page number lies beyond the width of the table or of the unit. */
export function beyondWidth(unit: UnitCapability, levels: number, pageLo: number, pageHi: number): boolean {
  const bits = Math.min(unit.guestBits, 12 + 9 * levels) - 12;
  if (bits >= 32) return pageHi >>> (bits - 32) !== 0;
  return pageHi !== 0 || pageLo >>> bits !== 0;
}

/** Index of the entry at a level. */
export function indexAt(level: number, pageLo: number, pageHi: number): number {
  return level === 4 ? ((pageLo >>> 27) | (pageHi << 5)) & 511 : (pageLo >>> (9 * (level - 1))) & 511;
}

/**
 * 3.7: second-level walk of a page from a table of `levels`, starting with the rights `rights` (less than all when a paging-structure
 * cache has skipped levels). Finds frame, rights and leaf level in `out`; the reason of a fault, or 0.
 * An entry that allows nothing ends the walk with rights 0 and no reason: the access decides what the fault is called.
 */
export function walkTables(
  unit: UnitCapability,
  memory: TableMemory,
  table: number,
  levels: number,
  pageLo: number,
  pageHi: number,
  rights: number,
  out: Walk,
): number {
  let allowed = rights;
  let frame = table;
  out.reason = 0;
  out.alternatives = 0;
  out.directory = -1;
  for (let level = levels; ; level--) {
    out.rights = allowed;
    if (!memory.reaches(frame)) return out.fault(REASON.TABLE_UNREACHABLE);
    if (level === 1) {
      out.directory = frame;
      out.directoryRights = allowed;
    }
    const at = indexAt(level, pageLo, pageHi) << 1;
    const lo = memory.word(frame, at);
    const hi = memory.word(frame, at + 1);
    if (!isPresent(lo)) {
      out.rights = 0;
      return 0;
    }
    allowed &= lo;
    out.rights = allowed;
    if (secondLevelReserved(unit, lo, hi, level)) return out.fault(REASON.TABLE_RESERVED);
    frame = frameOf(lo, hi);
    if (isLeaf(lo, level)) {
      const inside = leafMask(level);
      out.frame = (frame & ~inside) | (pageLo & inside);
      out.leafLevel = level;
      // 3.14: no translation leads into the interrupt window.
      if ((out.frame & -INTERRUPT_FRAMES) === INTERRUPT_FRAME) return out.fault(REASON.INTERRUPT_WINDOW);
      return 0;
    }
  }
}

/** Reason of the fault that an access meets with these rights, or 0. */
export function accessFault(rights: number, write: boolean): number {
  if (write) return (rights & WRITE) === 0 ? REASON.NO_WRITE : 0;
  return (rights & READ) === 0 ? REASON.NO_READ : 0;
}

/**
 * A request from the tables alone, as hardware with empty caches sees it: fills `out`, and answers the reason of the fault or 0.
 * `alternatives` holds all reasons that the manual allows.
 */
export function translate(
  unit: UnitCapability,
  memory: TableMemory,
  rootFrame: number,
  sourceId: number,
  pageLo: number,
  pageHi: number,
  write: boolean,
  out: Walk,
): number {
  const reason = fetchContext(unit, memory, rootFrame, sourceId, out);
  return reason !== 0 ? reason : translateIn(unit, memory, pageLo, pageHi, write, out);
}

/** The rest of a request once the context entry in `out` is known. */
export function translateIn(
  unit: UnitCapability,
  memory: TableMemory,
  pageLo: number,
  pageHi: number,
  write: boolean,
  out: Walk,
): number {
  if (out.type === PASS_THROUGH) {
    if (beyondWidth(unit, out.levels, pageLo, pageHi)) return out.fault(REASON.ADDRESS_BEYOND_WIDTH);
    out.frame = pageLo;
    out.rights = READ_WRITE;
    out.leafLevel = 1;
    return 0;
  }
  if (beyondWidth(unit, out.levels, pageLo, pageHi)) return out.fault(REASON.ADDRESS_BEYOND_WIDTH);
  const broken = walkTables(unit, memory, out.table, out.levels, pageLo, pageHi, READ_WRITE, out);
  const denied = accessFault(out.rights, write);
  if (denied !== 0) {
    // Rights were lacking before the walk met something broken: either may be reported.
    out.alternatives |= 1 << denied;
    return broken !== 0 ? broken : out.fault(denied);
  }
  return broken;
}
