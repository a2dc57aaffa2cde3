/** What the shared ring must keep (RG1 to RG5 of the ring's own rules, with the invariants that they serve). */
import type { Machine } from '../model/kernel/index.js';
import { ahead, indexMask } from '../model/ring.js';
import { BACK, FRONT, RESPONSE, type Ring } from '../model/ringEnds.js';
import { invariant, progress, relation } from './property.js';

/** The kernel's table of threads, which exists under `split` only. */
function threadIdle(m: Machine, t: number): boolean {
  const threads = (m as Machine & { thread?: { op: Uint8Array } }).thread;
  return threads === undefined || threads.op[t] === 0;
}

/** Work is published to the end, nobody is on the way to tell it, and it sleeps without an event. */
function sleepsOnWork(m: Ring, e: number): boolean {
  if (m.side.awake[e] === 1 || m.side.pending[e] === 1 || m.side.broken[e] === 1) return false;
  if (m.side.hostile[FRONT] === 1 || m.side.hostile[BACK] === 1) return false;
  if (!threadIdle(m, 1 - e) || m.storeBuffer.word[FRONT] !== 0 || m.storeBuffer.word[BACK] !== 0) return false;
  return e === BACK ? m.sring.reqProd[0] !== m.back.reqCons[0] : m.sring.rspProd[0] !== m.front.rspCons[0];
}

/** RG1, as a state that must not be: final check and push have both finished, and nobody will look again. */
export const noLostNotification = invariant<Ring>('RG1', 'wake', {
  states: 'an end never sleeps while work is published for it and no event is pending',
  holds: (m) => !sleepsOnWork(m, BACK) && !sleepsOnWork(m, FRONT),
  explain: (m) =>
    `the ${sleepsOnWork(m, BACK) ? 'backend' : 'frontend'} sleeps, work is in the ring, and no event is pending`,
  witnesses: {
    'the backend sleeps': (m) => m.side.awake[BACK] === 0,
    'the frontend sleeps': (m) => m.side.awake[FRONT] === 0,
    'an event is pending for a sleeping backend': (m) => m.side.awake[BACK] === 0 && m.side.pending[BACK] === 1,
  },
});

/** RG1, as progress. */
export const everyRequestAnswered = progress<Ring>('RG1', 'answer', {
  states: 'every request that is in the ring is answered',
  pending: (m) => m.front.outstanding[0] !== 0 && m.side.broken[FRONT] === 0 && m.side.hostile.every((h) => h === 0),
  goal: (m) => m.front.outstanding[0] === 0,
  witnesses: {
    'the frontend sleeps while a request is outstanding': (m) =>
      m.front.outstanding[0] !== 0 && m.side.awake[FRONT] === 0,
  },
});

/** Whether the indices after `from` up to `to` contain the threshold; by enumeration, not by the macro's subtraction. */
function passes(from: number, to: number, event: number, mask: number): boolean {
  for (let i = from; i !== to; ) {
    i = (i + 1) & mask;
    if (i === event) return true;
  }
  return false;
}

/** RG2: an event is sent when a push passed the threshold that the peer set, and only then. */
export const eventsAsAsked = relation<Ring>('RG2', 'asked', {
  states: 'an event is sent only by a push that passed the threshold that its receiver had set',
  holds: (before, after) => {
    const mask = indexMask(after);
    const { old } = after.current.call;
    if (after.current.op.name === 'front.submit' && before.side.pending[BACK] === 0 && after.side.pending[BACK] === 1) {
      return after.side.hostile[BACK] === 1 || passes(old, after.front.reqProdPvt[0], before.sring.reqEvent[0], mask);
    }
    if (
      after.current.op.name === 'back.respond' &&
      before.side.pending[FRONT] === 0 &&
      after.side.pending[FRONT] === 1
    ) {
      return after.side.hostile[FRONT] === 1 || passes(old, after.back.rspProdPvt[0], before.sring.rspEvent[0], mask);
    }
    return true;
  },
  witnesses: {
    'the backend is told': (m) => m.side.pending[BACK] === 1,
    'the frontend is told': (m) => m.side.pending[FRONT] === 1,
  },
});

/** RG2: a spurious wake-up is possible (an event crosses a final check), but not twice in a row. */
export const spuriousBounded = invariant<Ring>('RG2', 'spurious', {
  states: 'an end is never woken up twice in a row for nothing',
  holds: (m) => m.side.emptyWakes[FRONT] < 2 && m.side.emptyWakes[BACK] < 2,
  witnesses: {
    'the backend was woken up for nothing': (m) => m.side.emptyWakes[BACK] === 1,
    'the frontend was woken up for nothing': (m) => m.side.emptyWakes[FRONT] === 1,
  },
});

/** RG3: a slot is not written while what is in it has not been read. */
export const notOverwritten = relation<Ring>('RG3', 'slot', {
  states: 'a slot is not written again before what it held has been consumed',
  holds: (before, after) => {
    if (
      after.side.hostile[FRONT] !== before.side.hostile[FRONT] ||
      after.side.hostile[BACK] !== before.side.hostile[BACK]
    )
      return true;
    for (let s = 0; s < after.slot.rows; s++) {
      if (before.slot.unread[s] === 0) continue;
      if (before.slot.holds[s] !== after.slot.holds[s] || before.slot.id[s] !== after.slot.id[s]) return false;
    }
    return true;
  },
  witnesses: { 'all slots hold something unread': (m) => m.slot.unread.every((u) => u === 1) },
});

/** RG4 and X-S6, judged at the private indices only: no peer can disturb them. */
export const indicesInOrder = invariant<Ring>('RG4', 'order', {
  states:
    'rsp_prod_pvt <= req_cons <= rsp_prod_pvt + size at the backend, rsp_cons <= req_prod_pvt <= rsp_cons + size at the frontend',
  holds: (m) => {
    const mask = indexMask(m);
    return (
      ahead(m.back.reqCons[0], m.back.rspProdPvt[0], mask) <= m.slot.rows &&
      ahead(m.front.reqProdPvt[0], m.front.rspCons[0], mask) <= m.slot.rows
    );
  },
  witnesses: {
    'the ring is full': (m) => ahead(m.front.reqProdPvt[0], m.front.rspCons[0], indexMask(m)) === m.slot.rows,
    'the backend has a request in work': (m) => ahead(m.back.reqCons[0], m.back.rspProdPvt[0], indexMask(m)) > 0,
  },
});

/** I12: requests in work are bounded by the ring, whatever producer index the peer shows. */
export const workBounded = invariant<Ring>('I12', 'end', {
  states: 'no more requests are in work than the ring has slots',
  holds: (m) => {
    let busy = 0;
    for (let e = 0; e < m.taken.rows; e++) busy += m.taken.busy[e];
    return busy <= m.slot.rows;
  },
  witnesses: {
    'as many requests are in work as the ring has slots': (m) => m.taken.busy[0] + m.taken.busy[1] === m.slot.rows,
  },
});

/** I5: what is consumed has been written first. */
export const writtenBeforeRead = invariant<Ring>('I5', 'once', {
  states: 'no request is copied out of a slot before its producer has written it, or twice',
  holds: (m) => m.taken.stale.every((s) => s === 0),
  witnesses: { 'a request has been copied': (m) => m.taken.busy[0] === 1 },
});

/** I6: a response completes a request that is outstanding. */
export const responseMatches = invariant<Ring>('I6', 'match', {
  states: 'a response is accepted only for a request that is outstanding',
  holds: (m) => m.front.bogus[0] === 0,
  witnesses: { 'a response has been posted': (m) => m.slot.holds[0] === RESPONSE },
});
