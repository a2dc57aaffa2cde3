/**
 * Grant tables, version 1: a domain lets another one use a frame of its own, and the VMM keeps account of every use.
 * Source: Xen `xen/include/public/grant_table.h`, `xen/common/grant_table.c`.
 *
 * State: the entries that guests write, the active entries with four pin counters that the VMM keeps beside them, the handles of each
 * mapping domain, and what the IOMMU of a domain is told (an abstract one-to-one entry a frame). Here: tables, codes and the counting
 * that map, unmap and copy share. Operations: grantGuest.ts, grantMap.ts, grantUnmap.ts, grantCopy.ts.
 */
import type { Memory } from './access.js';
import { domain } from './domains.js';
import { frame, getPage, getType, putPage, putType, TYPE_WRITABLE, touchFrame } from './frames.js';
import { bitsOf, type Footprint, gate, NONE, oneOf, ref, type State, sort, table, u8 } from './kernel/index.js';
import { vcpu, walk } from './mmu.js';

/** Entries of a domain's grant table. */
export const grantRef = sort('grant');
/** Entries of a domain's maptrack table. */
export const handle = sort('handle');
/** As many pins of one kind as this sort has members can an entry carry (255 in Xen). */
export const pin = sort('pin');

/** How many domains take part in grants: the last ones. */
export const party = sort('party');

/** How many of these keep grant tables: the first ones. The adversary's own entries are written by a fault. */
export const granting = sort('granting');

/** What a handle maps for, as bits: GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly. */
export const DEVICE = 1;
export const HOST = 2;
export const READ_ONLY = 4;
/** A choice of kinds: member k stands for the bits k + 1. */
export const mapKind = sort('kind', { members: ['device', 'host', 'device and host'] });

/** Flags of an entry: GTF_permit_access, GTF_accept_transfer, GTF_readonly, GTF_reading, GTF_writing. */
export const PERMIT = 1;
export const TRANSFER = 2;
export const GTF_READ_ONLY = 4;
export const READING = 8;
export const WRITING = 16;
export const TYPE_MASK = PERMIT | TRANSFER;
/** Flags of an entry that accepts a frame: GTF_transfer_committed, GTF_transfer_completed. They are other bits in other entries. */
export const COMMITTED = 4;
export const COMPLETED = 8;

/** Results of grant-table operations (grant_table.h). */
export const GNTST = {
  GNTST_general_error: -1,
  GNTST_bad_domain: -2,
  GNTST_bad_gntref: -3,
  GNTST_bad_handle: -4,
  GNTST_bad_virt_addr: -5,
  GNTST_bad_dev_addr: -6,
  GNTST_no_device_space: -7,
  GNTST_permission_denied: -8,
  GNTST_bad_page: -9,
  GNTST_bad_copy_arg: -10,
  GNTST_address_too_big: -11,
  GNTST_eagain: -12,
  GNTST_no_space: -13,
} as const;

export const grantTables = {
  /** The shared table: guest memory, which the VMM only adds and clears in-use bits in. */
  grant: table([domain, grantRef], {
    flags: bitsOf('permit access', 'accept transfer', 'read-only', 'reading', 'writing'),
    domid: ref(domain),
    frame: ref(frame),
    /** What the owner's driver believes: published, and not ended. */
    inForce: oneOf('no', 'yes'),
    /** Which life of the grantee's id its owner meant. No part of the entry: nothing checks it. */
    meant: u8(),
  }),
  /** The VMM's account of each entry: pins by kind, and for whom and which frame while there are any. */
  active: table([domain, grantRef], {
    hostReads: u8(),
    hostWrites: u8(),
    devReads: u8(),
    devWrites: u8(),
    domid: ref(domain),
    frame: ref(frame),
    /** The active entry's lock. */
    locked: oneOf('no', 'yes'),
  }),
  /** Handles of a mapping domain. Flags are written last. */
  maptrack: table([domain, handle], {
    taken: oneOf('free', 'taken'),
    granter: ref(domain),
    ref: ref(grantRef),
    flags: bitsOf('device', 'host', 'read-only'),
  }),
  /** Length of the list of free handles. */
  maptrackFree: table([domain], { count: u8() }),
  /** What a domain's devices may reach by grants: live device mappings of the frame. Rights of the one-to-one IOMMU entry. */
  grantDma: table([domain, frame], { reads: u8(), writes: u8() }),
};

export type Grants = Memory & State<typeof grantTables>;

/** Every use of a grant holds references to the frame. */
export const pinning = gate('grant pinning');
/** The VMM marks entries in use, so that a granter cannot end them. */
export const statusBits = gate('status bits');
/** A mapper's TLBs are flushed before an unmapped frame's references are dropped. */
export const flushOnGrantUnmap = gate('TLB flush on grant unmap');

/** Whether the domain takes part in grants, in this scope. */
export function takesPart(m: Grants, d: number): boolean {
  return d >= m.domain.rows - m.size(party);
}

/** Whether the domain publishes grants, in this scope. */
export function grantsAccess(m: Grants, d: number): boolean {
  const first = m.domain.rows - m.size(party);
  return d >= first && d < first + m.size(granting);
}

/** All pins of an active entry. */
export function pinsOf(m: Grants, row: number): number {
  return m.active.hostReads[row] + m.active.hostWrites[row] + m.active.devReads[row] + m.active.devWrites[row];
}

/** Its writing pins. */
export function writePinsOf(m: Grants, row: number): number {
  return m.active.hostWrites[row] + m.active.devWrites[row];
}

/** Whether one more pin of the given kinds fits. */
export function pinsFit(m: Grants, row: number, kinds: number, write: boolean): boolean {
  const most = m.size(pin);
  const { hostReads, hostWrites, devReads, devWrites } = m.active;
  if ((kinds & HOST) !== 0 && (write ? hostWrites[row] : hostReads[row]) >= most) return false;
  return (kinds & DEVICE) === 0 || (write ? devWrites[row] : devReads[row]) < most;
}

/** Adds `by` (1 or -1) to the counters of the given kinds; the last unpin forgets domain and frame. */
export function countPins(m: Grants, row: number, kinds: number, write: boolean, by: number): void {
  if ((kinds & HOST) !== 0) {
    if (write) m.active.hostWrites[row] += by;
    else m.active.hostReads[row] += by;
  }
  if ((kinds & DEVICE) !== 0) {
    if (write) m.active.devWrites[row] += by;
    else m.active.devReads[row] += by;
  }
  if (pinsOf(m, row) === 0) {
    m.active.domid[row] = NONE;
    m.active.frame[row] = NONE;
  }
}

/** Clears the in-use bits that no pin stands for any more. */
export function clearStatus(m: Grants, row: number): void {
  if (writePinsOf(m, row) === 0) m.grant.flags[row] &= ~WRITING;
  if (pinsOf(m, row) === 0) m.grant.flags[row] &= ~READING;
}

/** Whether a frame is on its way to the entry (grantTransfer.ts). */
export function isAwaited(m: Grants, row: number): boolean {
  return (m.grant.flags[row] & (TYPE_MASK | COMMITTED | COMPLETED)) === (TRANSFER | COMMITTED);
}

/** How many mappings the kinds stand for: each holds its own reference. */
export function mappingsIn(kinds: number): number {
  return (kinds & 1) + ((kinds >> 1) & 1);
}

/** Takes the references of so many mappings of the granter's frame; false, and none taken, when it is not the granter's or of another type. */
export function takeReferences(m: Grants, f: number, granter: number, mappings: number, write: boolean): boolean {
  if (!m.on(pinning)) return true;
  for (let i = 0; i < mappings; i++) {
    // Only the first can fail: what holds for one mapping holds for the next.
    if (!getPage(m, f, granter)) return false;
    if (write && !getType(m, f, TYPE_WRITABLE)) {
      putPage(m, f);
      return false;
    }
  }
  return true;
}

/** Drops them; the last reference frees the frame. */
export function dropReferences(m: Grants, f: number, mappings: number, write: boolean): void {
  if (!m.on(pinning)) return;
  for (let i = 0; i < mappings; i++) {
    if (write) putType(m, f);
    putPage(m, f);
  }
}

/** Adds `by` (1 or -1) entries of the given kinds to what domain d maps of frame f. */
export function countMappings(m: Grants, d: number, f: number, kinds: number, write: boolean, by: number): void {
  const row = d * m.frame.rows + f;
  if ((kinds & HOST) !== 0) {
    if (write) m.pte.grantWrites[row] += by;
    else m.pte.grantReads[row] += by;
  }
  if ((kinds & DEVICE) !== 0) {
    if (write) m.grantDma.writes[row] += by;
    else m.grantDma.reads[row] += by;
  }
}

/** Removes the translations of a frame from the TLBs of a domain's vCPUs. */
export function flushDomain(m: Grants, d: number, f: number): void {
  const step = m.domain.rows * m.frame.rows;
  for (let row = d * m.frame.rows + f; row < m.tlb.rows; row += step) m.tlb.rights[row] = 0;
}

/**
 * The same after a mapping was undone, where the call as a whole must leave no trace: a translation that a mapping still backs is spared,
 * for it would be back with the next access; what no mapping backs any more goes.
 */
export function flushUnbacked(m: Grants, d: number, f: number): void {
  const backed = walk(m, d, f);
  const step = m.domain.rows * m.frame.rows;
  for (let row = d * m.frame.rows + f; row < m.tlb.rows; row += step)
    if (m.tlb.rights[row] > backed) m.tlb.rights[row] = 0;
}

/** Names what flushing does. */
export function touchDomainTlb(m: Grants, may: Footprint, d: number, f: number): void {
  for (let v = d; v < m.size(vcpu); v += m.domain.rows) may.write(m.tlb, m.tlb.at(v, f));
}

/** Names all rows that a use of the grant in row `row` of the tables by domain d touches. */
export function touchUse(m: Grants, may: Footprint, row: number, d: number, f: number): void {
  may.write(m.grant, row);
  may.write(m.active, row);
  if (f >= m.frame.rows) return;
  touchFrame(m, may, f);
  may.write(m.pte, d * m.frame.rows + f);
  may.write(m.grantDma, d * m.frame.rows + f);
}

/** A free handle of domain d, or -1. */
export function freeHandle(m: Grants, d: number): number {
  const count = m.size(handle);
  for (let h = 0; h < count; h++) if (m.maptrack.taken[d * count + h] === 0) return h;
  return -1;
}

/** Puts a handle back on the free list. */
export function releaseHandle(m: Grants, row: number, d: number): void {
  m.maptrack.taken[row] = 0;
  m.maptrack.granter[row] = NONE;
  m.maptrack.ref[row] = NONE;
  m.maptrack.flags[row] = 0;
  m.maptrackFree.count[d]++;
}
