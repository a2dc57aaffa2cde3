/** What transfers of frames and swapped entries must keep, beside the books of frames (memory.ts) and grants (grantCounts.ts). */
import { RUNNING } from '../model/domains.js';
import { COMMITTED, COMPLETED, type Grants, TRANSFER, TYPE_MASK } from '../model/grants.js';
import {
  acceptTransfer,
  ownedBy,
  reservation,
  swapGrants,
  takeDelivered,
  transferFrame,
} from '../model/grantTransfer.js';
import { NONE } from '../model/kernel/index.js';
import { NO_RIGHT } from '../model/mmu.js';
import { granterOf } from './grantCounts.js';
import { isQuiescent, ownerOf, pathOf, reachable } from './paths.js';
import { invariant, relation } from './property.js';

const accepts = (m: Grants, row: number): boolean => (m.grant.flags[row] & TYPE_MASK) === TRANSFER;

/** A domain and a frame that it reaches though the frame is another's, or free; d * frames + f, or -1. A frame on its way is nobody's yet. */
function strayed(m: Grants): number {
  for (let f = 0; f < m.frame.rows; f++) {
    if (m.frame.owner[f] === NONE && m.frame.refs[f] > 0) continue;
    for (let d = 0; d < m.domain.rows; d++) {
      if (m.frame.owner[f] !== d && reachable(m, d, f) !== NO_RIGHT) return d * m.frame.rows + f;
    }
  }
  return -1;
}

export const reachTransferred = invariant<Grants>('I1', 'reach', {
  states: 'a frame that has changed hands is out of the reach of its former owner, by tables and by TLB',
  holds: (m) => strayed(m) < 0,
  witnesses: {
    'a frame is on its way while its donor still caches it': (m) => {
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] === NONE && m.frame.refs[f] > 0 && reachable(m, 1, f) !== NO_RIGHT) return true;
      }
      return false;
    },
  },
  explain: (m) => {
    const at = strayed(m);
    const f = at % m.frame.rows;
    return at < 0 ? '' : `${pathOf(m, Math.floor(at / m.frame.rows), f)} ${ownerOf(m, f)}`;
  },
});

export const deliveredWhole = invariant<Grants>('I6', 'delivered', {
  states: 'an entry that says that its frame has come names a frame that came: of its owner, unless it was given on',
  holds: (m) => {
    for (let row = 0; row < m.grant.rows; row++) {
      const flags = m.grant.flags[row];
      if (!accepts(m, row)) continue;
      if ((flags & COMPLETED) !== 0 && (flags & COMMITTED) === 0) return false;
      if ((flags & COMPLETED) === 0 && (flags & COMMITTED) !== 0 && isQuiescent(m)) return false;
      if (m.domain.life[granterOf(m, row)] !== RUNNING) continue;
      if ((flags & COMPLETED) !== 0 && isQuiescent(m) && m.frame.refs[m.grant.frame[row]] === 0) return false;
    }
    return true;
  },
  witnesses: {
    'a frame has come': (m) => m.grant.flags.some((f) => f === (TRANSFER | COMMITTED | COMPLETED)),
    'a frame is on its way': (m) => m.grant.flags.includes(TRANSFER | COMMITTED),
  },
});

export const transferredOnce = relation<Grants>('I6', 'match', {
  states: 'a frame comes to the entry that its donor names, once, and while the recipient accepts one from this donor',
  holds: (before, after) => {
    for (let f = 0; f < after.frame.rows; f++) {
      const to = after.frame.owner[f];
      if (to === NONE || to === before.frame.owner[f] || after.current.op.name !== transferFrame.name) continue;
      const { agent, recipient, ref } = after.current.call;
      const row = before.grant.at(recipient, ref);
      if (to !== recipient || before.domain.life[to] !== RUNNING || before.grant.domid[row] !== agent) return false;
      if (before.grant.inForce[row] !== 1 || (before.grant.flags[row] & COMPLETED) !== 0) return false;
    }
    return true;
  },
  witnesses: { 'an entry accepts a frame': (m) => m.grant.flags.includes(TRANSFER) },
});

export const committedStays = relation<Grants>('I4', 'withdrawn', {
  states: 'an entry to which a frame is on its way changes only by its coming, or by its not coming',
  holds: (before, after) => {
    for (let row = 0; row < before.grant.rows; row++) {
      if (before.grant.flags[row] !== (TRANSFER | COMMITTED)) continue;
      if (after.grant.flags[row] !== before.grant.flags[row] && after.current.op.name !== transferFrame.name)
        return false;
    }
    return true;
  },
  witnesses: { 'a frame is on its way': (m) => m.grant.flags.includes(TRANSFER | COMMITTED) },
});

export const takenOwn = relation<Grants>('I5', 'taken', {
  states:
    'an entry that accepts names its donor; the frame that a recipient takes is the one that came by it, and the entry is empty then',
  holds: (before, after, status) => {
    if (after.current.op.name === acceptTransfer.name && status === 0) {
      const accepted = after.grant.at(after.current.call.agent, after.current.call.ref);
      return after.grant.domid[accepted] === after.current.call.donor && accepts(after, accepted);
    }
    if (after.current.op.name !== takeDelivered.name || status !== 0) return true;
    const { agent, ref, frame } = after.current.call;
    const row = before.grant.at(agent, ref);
    if (frame !== before.grant.frame[row] || after.grant.flags[row] !== 0) return false;
    return (before.grant.flags[row] & COMPLETED) !== 0 && before.frame.owner[frame] === agent;
  },
  witnesses: { 'a frame has come': (m) => m.grant.flags.some((f) => (f & COMPLETED) !== 0) },
});

export const withinReservation = invariant<Grants>('I14', 'reservation', {
  states: 'no domain owns more frames than it may',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (ownedBy(m, d) > m.size(reservation)) return false;
    return true;
  },
  witnesses: {
    'a domain owns as many as it may': (m) => {
      for (let d = 0; d < m.domain.rows; d++) if (ownedBy(m, d) === m.size(reservation)) return true;
      return false;
    },
  },
});

export const swappedWhole = relation<Grants>('I4', 'swapped', {
  states: 'swapping moves entries as a whole, within one table, and never one that is in use',
  holds: (before, after, status) => {
    if (after.current.op.name !== swapGrants.name || status !== 0) return true;
    const { agent, ref, other } = after.current.call;
    const a = before.grant.at(agent, ref);
    const b = before.grant.at(agent, other);
    for (let row = 0; row < before.grant.rows; row++) {
      const from = row === a ? b : row === b ? a : row;
      if (granterOf(after, row) !== agent && from !== row) return false;
      const { flags, domid, frame } = before.grant;
      if (after.grant.flags[row] !== flags[from] || after.grant.domid[row] !== domid[from]) return false;
      if (after.grant.frame[row] !== frame[from]) return false;
    }
    return before.active.domid[a] === NONE && before.active.domid[b] === NONE;
  },
  witnesses: {
    'two entries are published': (m) => (m.grant.flags[m.grant.at(1, 0)] & m.grant.flags[m.grant.at(1, 1)] & 1) === 1,
  },
});
