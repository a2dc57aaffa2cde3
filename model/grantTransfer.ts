/**
 * GNTTABOP_transfer and GNTTABOP_swap_grant_ref, version 1. A recipient publishes an entry that accepts a frame, the donor gives one, and
 * the VMM moves it: taken from the donor, the entry committed, owned by the recipient, the frame's number written, the entry completed.
 * Source: Xen `xen/include/public/grant_table.h` (GTF_accept_transfer and what follows it), `xen/common/grant_table.c` (gnttab_transfer,
 * gnttab_prepare_for_transfer, swap_grant_ref), `xen/arch/x86/mm.c` (steal_page).
 *
 * Must keep: I1 the donor reaches the frame no more, I2 a frame changes hands with one reference and no type, I6 an entry is completed once,
 * by the donor that it names, I4 an entry that was withdrawn receives nothing, I14 nobody is given more than its reservation.
 */
import { domain, RUNNING, runs } from './domains.js';
import { flushFrame, frame, isShared, putPage, TYPE_NONE, touchFrame } from './frames.js';
import { forget } from './grantGuest.js';
import {
  COMMITTED,
  COMPLETED,
  GNTST,
  type Grants,
  grantRef,
  pinsOf,
  TRANSFER,
  TYPE_MASK,
  takesPart,
} from './grants.js';
import { gate, jumpTo, NONE, OK, operationOn, sort } from './kernel/index.js';

const operation = operationOn<Grants>();

/** As many frames as this sort has members may a domain own (max_pages). */
export const reservation = sort('reservation');

/** The donor's processors forget a frame before it is the recipient's. */
export const flushOnTransfer = gate('TLB flush on transfer');

const ERRNO = { EBUSY: -16 } as const;
const readAgain = jumpTo('read the flags');

/** Frames that a domain owns. */
export function ownedBy(m: Grants, d: number): number {
  let count = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === d) count++;
  return count;
}

export const acceptTransfer = operation('grant.accept', {
  agent: domain,
  says: 'accepts a frame from {donor} by its {ref}',
  source: 'grant_table.h, introducing an entry of type GTF_accept_transfer',
  input: { ref: grantRef, donor: domain },
  where: {
    agent: (m, op) => runs(m, op.agent) && takesPart(m, op.agent),
    ref: (m, op) => m.grant.flags[m.grant.at(op.agent, op.ref)] === 0,
    donor: (m, op) => op.donor !== op.agent && takesPart(m, op.donor),
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  steps: {
    'write the domain': (m, op) => {
      m.grant.domid[m.grant.at(op.agent, op.ref)] = op.donor;
    },
    'write the flags': (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      m.grant.inForce[row] = 1;
      m.grant.flags[row] = TRANSFER;
    },
  },
});

/** The recipient no longer wants a frame: by compare-and-exchange, and only as long as none is on its way. */
export const withdrawTransfer = operation('grant.withdraw', {
  agent: domain,
  says: 'withdraws its {ref}',
  source: 'grant_table.h, invalidating an unused GTF_accept_transfer entry',
  input: { ref: grantRef },
  locals: ['seen'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    ref: (m, op) => (m.grant.flags[m.grant.at(op.agent, op.ref)] & TYPE_MASK) === TRANSFER,
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  errors: ERRNO,
  steps: {
    'read the flags': (m, op) => {
      op.seen = m.grant.flags[m.grant.at(op.agent, op.ref)];
      return (op.seen & COMMITTED) === 0 ? OK : ERRNO.EBUSY;
    },
    'clear by compare-and-exchange': (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      if (m.grant.flags[row] !== op.seen) return readAgain;
      forget(m, row);
      return OK;
    },
  },
});

/** The recipient finds its frame and takes the entry for something else. */
export const takeDelivered = operation('grant.takeDelivered', {
  agent: domain,
  says: 'takes the frame that came by its {ref}',
  source: 'grant_table.h, GTF_transfer_completed; Linux gnttab_end_foreign_transfer',
  input: { ref: grantRef },
  locals: ['frame'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    ref: (m, op) => {
      const flags = m.grant.flags[m.grant.at(op.agent, op.ref)];
      return (flags & TYPE_MASK) === TRANSFER && (flags & COMPLETED) !== 0;
    },
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  atomic: true,
  steps: {
    'read the frame': (m, op) => {
      op.frame = m.grant.frame[m.grant.at(op.agent, op.ref)];
    },
    'clear the entry': (m, op) => forget(m, m.grant.at(op.agent, op.ref)),
  },
});

/** When it fails after the frame was taken from the donor, the frame is freed (unlock_and_copyback): the safe state. */
export const transferFrame = operation('grant.transfer', {
  agent: domain,
  says: 'transfers {frame} to {recipient} by its {ref}',
  source: 'grant_table.h, GNTTABOP_transfer',
  input: { frame, recipient: domain, ref: grantRef },
  where: {
    agent: (m, op) => runs(m, op.agent) && takesPart(m, op.agent),
    recipient: (m, op) => op.recipient !== op.agent && takesPart(m, op.recipient),
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.grant, m.grant.at(op.recipient, op.ref));
  },
  errors: GNTST,
  onFailure: 'safe',
  steps: {
    'steal the page': (m, op) => {
      const f = op.frame;
      if (m.frame.owner[f] !== op.agent || m.frame.allocated[f] === 0 || isShared(m, f)) return GNTST.GNTST_bad_page;
      // No reference but the allocation's own: no mapping, no pin, no table.
      if (m.frame.refs[f] !== 1 || m.frame.types[f] !== 0) return GNTST.GNTST_bad_page;
      m.frame.owner[f] = NONE;
      m.frame.allocated[f] = 0;
      m.frame.type[f] = TYPE_NONE;
      return OK;
    },
    'flush the TLBs': (m, op) => {
      if (m.on(flushOnTransfer)) flushFrame(m, op.frame);
    },
    'find the recipient': (m, op) => (m.domain.life[op.recipient] === RUNNING ? OK : GNTST.GNTST_bad_domain),
    'commit the entry': (m, op) => {
      const row = m.grant.at(op.recipient, op.ref);
      const free = m.grant.flags[row] === TRANSFER && m.grant.domid[row] === op.agent;
      if (!free) return GNTST.GNTST_bad_gntref;
      m.grant.flags[row] |= COMMITTED;
      return OK;
    },
    'assign the page': (m, op) => {
      const there = m.domain.life[op.recipient] === RUNNING && ownedBy(m, op.recipient) < m.size(reservation);
      if (!there) return GNTST.GNTST_general_error;
      m.frame.owner[op.frame] = op.recipient;
      m.frame.allocated[op.frame] = 1;
      return OK;
    },
    'write the frame': (m, op) => {
      m.grant.frame[m.grant.at(op.recipient, op.ref)] = op.frame;
    },
    'complete the entry': (m, op) => {
      m.grant.flags[m.grant.at(op.recipient, op.ref)] |= COMPLETED;
    },
  },
  undo: {
    'steal the page': (m, op) => putPage(m, op.frame),
    'commit the entry': (m, op) => {
      m.grant.flags[m.grant.at(op.recipient, op.ref)] &= ~COMMITTED;
    },
  },
});

/** GNTTABOP_swap_grant_ref: two entries of the caller's own table change places, unless one is in use. */
export const swapGrants = operation('grant.swap', {
  agent: domain,
  says: 'swaps its {ref} and {other}',
  source: 'xen/common/grant_table.c, swap_grant_ref (GNTST_eagain while an entry is pinned)',
  input: { ref: grantRef, other: grantRef },
  where: { agent: (m, op) => runs(m, op.agent), other: (_m, op) => op.ref < op.other },
  touches: (m, op, may) => {
    may.write(m.grant, m.grant.at(op.agent, op.ref));
    may.write(m.grant, m.grant.at(op.agent, op.other));
  },
  errors: GNTST,
  atomic: true,
  steps: {
    'neither is in use': (m, op) => {
      const used = pinsOf(m, m.grant.at(op.agent, op.ref)) + pinsOf(m, m.grant.at(op.agent, op.other));
      return used === 0 ? OK : GNTST.GNTST_eagain;
    },
    swap: (m, op) => {
      const a = m.grant.at(op.agent, op.ref);
      const b = m.grant.at(op.agent, op.other);
      exchange(m.grant.flags, a, b);
      exchange(m.grant.domid, a, b);
      exchange(m.grant.frame, a, b);
      exchange(m.grant.inForce, a, b);
      exchange(m.grant.meant, a, b);
    },
  },
});

function exchange(of: Uint8Array, a: number, b: number): void {
  const was = of[a];
  of[a] = of[b];
  of[b] = was;
}
