/**
 * GNTTABOP_map_grant_ref, version 1. A handle may carry a host and a device mapping; each holds its own pin and references.
 * Source: Xen `xen/common/grant_table.c` (map_grant_ref, _set_status_v1).
 *
 * The active entry is locked against other calls; against the granter, who writes the shared entry as it likes, there is only the
 * compare-and-exchange of flags and domain in one word, tried at most five times.
 */
import { ABSENT, domain, runs } from './domains.js';
import {
  countMappings,
  countPins,
  DEVICE,
  dropReferences,
  flushOnGrantUnmap,
  flushUnbacked,
  freeHandle,
  GNTST,
  type Grants,
  GTF_READ_ONLY,
  grantRef,
  HOST,
  mapKind,
  mappingsIn,
  PERMIT,
  pinsFit,
  pinsOf,
  READ_ONLY,
  READING,
  releaseHandle,
  statusBits,
  TYPE_MASK,
  takeReferences,
  takesPart,
  touchDomainTlb,
  touchUse,
  WRITING,
  writePinsOf,
} from './grants.js';
import { AGAIN, failure, flag, jumpTo, OK, operationOn } from './kernel/index.js';

const operation = operationOn<Grants>();

export const hostMapping = failure('allocate a page table for a grant mapping');
export const deviceMapping = failure('enter a grant mapping into the IOMMU');

/** How often the compare-and-exchange is tried (retries++ == 4 gives up). */
const ATTEMPTS = 5;
const readAgain = jumpTo('read the entry');

/** Flags and domain of a shared entry in one word, as the compare-and-exchange sees them. */
export function sharedWord(m: Grants, row: number): number {
  return m.grant.flags[row] | (m.grant.domid[row] << 8);
}

/** Whether this use changes the in-use bits: the first pin, or the first writing one. */
function needsStatus(m: Grants, row: number, write: number): boolean {
  return pinsOf(m, row) === 0 || (write === 1 && writePinsOf(m, row) === 0);
}

/**
 * The checks of _set_status_v1 on a snapshot of the entry.
 * @returns OK or an error code
 */
export function checkEntry(m: Grants, row: number, seen: number, d: number, write: boolean): number {
  const flags = seen & 0xff;
  if (pinsOf(m, row) === 0 && ((flags & TYPE_MASK) !== PERMIT || seen >> 8 !== d)) return GNTST.GNTST_general_error;
  if (write && (flags & GTF_READ_ONLY) !== 0) return GNTST.GNTST_general_error;
  return OK;
}

/** Sets the in-use bits of an entry. */
export function setStatus(m: Grants, row: number, write: boolean): void {
  if (m.on(statusBits)) m.grant.flags[row] |= READING | (write ? WRITING : 0);
}

export const mapGrant = operation('grant.map', {
  agent: domain,
  says: 'maps {ref} of {granter} for {kind}, writable: {write}',
  source: 'grant_table.h, GNTTABOP_map_grant_ref',
  input: { granter: domain, ref: grantRef, kind: mapKind, write: flag },
  locals: ['handle', 'seen', 'tries', 'frame'],
  where: {
    agent: (m, op) => runs(m, op.agent) && takesPart(m, op.agent),
    granter: (m, op) => op.granter !== op.agent && takesPart(m, op.granter),
  },
  touches: (m, op, may) => {
    const row = m.grant.at(op.granter, op.ref);
    const f = pinsOf(m, row) > 0 ? m.active.frame[row] : m.grant.frame[row];
    touchUse(m, may, row, op.agent, f);
    if (f < m.frame.rows) touchDomainTlb(m, may, op.agent, f);
    may.write(m.maptrackFree, op.agent);
    for (let h = 0; h < m.maptrack.rows / m.domain.rows; h++) may.write(m.maptrack, m.maptrack.at(op.agent, h));
  },
  errors: GNTST,
  steps: {
    'find the granter, take a handle': (m, op) => {
      if (m.domain.life[op.granter] === ABSENT) return GNTST.GNTST_bad_domain;
      op.handle = freeHandle(m, op.agent);
      if (op.handle < 0) return GNTST.GNTST_no_device_space;
      m.maptrack.taken[m.maptrack.at(op.agent, op.handle)] = 1;
      m.maptrackFree.count[op.agent]--;
      return OK;
    },
    'check the pins, lock the entry': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      if (m.active.locked[row] === 1) return AGAIN;
      if (pinsOf(m, row) > 0 && m.active.domid[row] !== op.agent) return GNTST.GNTST_general_error;
      if (!pinsFit(m, row, op.kind + 1, op.write === 1)) return GNTST.GNTST_general_error;
      m.active.locked[row] = 1;
      return OK;
    },
    'read the entry': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      op.seen = sharedWord(m, row);
      return needsStatus(m, row, op.write) ? checkEntry(m, row, op.seen, op.agent, op.write === 1) : OK;
    },
    'set the status bits': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      if (!needsStatus(m, row, op.write)) return OK;
      if (sharedWord(m, row) !== op.seen) return ++op.tries >= ATTEMPTS ? GNTST.GNTST_general_error : readAgain;
      setStatus(m, row, op.write === 1);
      return OK;
    },
    'take the references': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      op.frame = pinsOf(m, row) > 0 ? m.active.frame[row] : m.grant.frame[row];
      const taken = takeReferences(m, op.frame, op.granter, mappingsIn(op.kind + 1), op.write === 1);
      return taken ? OK : GNTST.GNTST_general_error;
    },
    'count the pins': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      m.active.domid[row] = op.agent;
      m.active.frame[row] = op.frame;
      countPins(m, row, op.kind + 1, op.write === 1, 1);
    },
    'enter the host mapping': (m, op) => {
      if (((op.kind + 1) & HOST) === 0) return OK;
      if (m.fails(hostMapping)) return GNTST.GNTST_general_error;
      countMappings(m, op.agent, op.frame, HOST, op.write === 1, 1);
      return OK;
    },
    'enter the device mapping': (m, op) => {
      if (((op.kind + 1) & DEVICE) === 0) return OK;
      if (m.fails(deviceMapping)) return GNTST.GNTST_general_error;
      countMappings(m, op.agent, op.frame, DEVICE, op.write === 1, 1);
      return OK;
    },
    'unlock the entry': (m, op) => {
      m.active.locked[m.active.at(op.granter, op.ref)] = 0;
    },
    'write the handle': (m, op) => {
      const row = m.maptrack.at(op.agent, op.handle);
      m.maptrack.granter[row] = op.granter;
      m.maptrack.ref[row] = op.ref;
    },
    'write the flags of the handle': (m, op) => {
      m.maptrack.flags[m.maptrack.at(op.agent, op.handle)] = (op.kind + 1) | (op.write === 1 ? 0 : READ_ONLY);
    },
  },
  undo: {
    'find the granter, take a handle': (m, op) => releaseHandle(m, m.maptrack.at(op.agent, op.handle), op.agent),
    'check the pins, lock the entry': (m, op) => {
      m.active.locked[m.active.at(op.granter, op.ref)] = 0;
    },
    // Exactly the bits that this call added: a granter that rewrites its entry gets back what it wrote.
    'set the status bits': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      if (needsStatus(m, row, op.write)) m.grant.flags[row] &= ~((READING | WRITING) & ~op.seen);
    },
    'take the references': (m, op) => dropReferences(m, op.frame, mappingsIn(op.kind + 1), op.write === 1),
    'count the pins': (m, op) => countPins(m, m.active.at(op.granter, op.ref), op.kind + 1, op.write === 1, -1),
    // The domain may have used the mapping already (undo_out: gnttab_flush_tlb), and the pins go next.
    'enter the host mapping': (m, op) => {
      if (((op.kind + 1) & HOST) === 0) return;
      countMappings(m, op.agent, op.frame, HOST, op.write === 1, -1);
      if (m.on(flushOnGrantUnmap)) flushUnbacked(m, op.agent, op.frame);
    },
  },
});
