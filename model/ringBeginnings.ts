/** States of a ring from which races need few steps. */
import { sort } from './kernel/index.js';
import { BACK, REQUEST, RESPONSE, type Ring } from './ringState.js';

/** Beginnings in the middle of a run, from which races need few steps. All can be reached from the first. */
export const JUST_CONNECTED = 0;
export const FIRST_DONE = 1;
export const SECOND_TAKEN = 2;
export const ASLEEP = 3;
export const LATE_EVENT = 4;
export const beginning = sort('beginning', {
  members: [
    'just connected',
    'after the first exchange',
    'after the first exchange, second request taken',
    'after the first exchange, asleep',
    'after the second exchange, backend asleep with an event on its way',
  ],
});

/** Sets one of the beginnings, from the initial state. */
export function beginAt(m: Ring, from: number): void {
  if (from === JUST_CONNECTED) return;
  const taken = from === SECOND_TAKEN;
  const exchanged = from === LATE_EVENT ? 2 : 1;
  m.sring.reqProd[0] = exchanged + (taken ? 1 : 0);
  m.sring.rspProd[0] = exchanged;
  m.front.reqProdPvt[0] = m.sring.reqProd[0];
  m.front.rspCons[0] = exchanged;
  m.back.reqCons[0] = m.sring.reqProd[0];
  m.back.rspProdPvt[0] = exchanged;
  m.slot.holds[0] = RESPONSE;
  m.side.found.fill(1);
  if (taken) {
    m.front.outstanding[0] = 1;
    m.slot.holds[1] = REQUEST;
    m.taken.busy[0] = 1;
  }
  if (from === ASLEEP) {
    m.side.awake.fill(0);
    m.side.found.fill(0);
    m.sring.reqEvent[0] = 2;
    m.sring.rspEvent[0] = 2;
  }
  if (from === LATE_EVENT) {
    m.slot.holds[1] = RESPONSE;
    m.side.awake[BACK] = 0;
    m.side.found[BACK] = 0;
    m.side.pending[BACK] = 1;
    m.sring.reqEvent[0] = 3;
  }
}
