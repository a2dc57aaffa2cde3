/**
 * Transmission (M7): the guest names a packet in a descriptor; the driver domain copies the descriptor, checks it, maps the buffer,
 * copies the header and filters that copy, hands both to the card, and answers only when mapping and translations are gone.
 * Source: Xen 2.0 `public/io/netif.h`, netback and netfront; Fraser et al. 2004.
 *
 * Must keep: X-S2 (only frames offered for the channel are mapped), X-S7 (a packet goes out at most once), X-S9 (an answered buffer is
 * out of reach), I5 (what was filtered is what is sent), EV2 (nobody sleeps beside a request). The consumer leaves the index at which it
 * wants to be woken; the producer notifies when its new index equals that one.
 */
import { flag, module, NONE } from '../../kernel/index.js';
import { following, indexMask } from '../../ring.js';
import { connectedNet, guestDomain, ioMap, netMap, netTables, own } from './netState.js';
import { complete, filter, map, respond, take, transmit, unmap } from './transmitDriver.js';
import { collect, idle, send, sleep, wake } from './transmitGuest.js';
import {
  AWAKE,
  clearTransmit,
  forgetWork,
  MAPPED,
  REQUEST,
  slots,
  type Transmit,
  transmitTables,
} from './transmitState.js';

/** Everybody connected, nothing sent or the first guest's first packet mapped; each guest has as many buffers as slots. */
function start(m: Transmit): void {
  connectedNet(m);
  m.sent.lent.fill(NONE);
  forgetWork(m);
  for (let g = 0; g < m.txRing.rows; g++) {
    clearTransmit(m, g);
    for (let s = 0; s < slots(m); s++) own(m, 1 + g * slots(m) + s, guestDomain(g));
  }
  if (m.choose(flag, 'a packet is in work') === 1) firstMapped(m);
}

/** What send, wake, take and map lead to. It makes counterexamples short. */
function firstMapped(m: Transmit): void {
  const buffer = 1;
  m.txSlot.state[0] = REQUEST;
  m.txSlot.frame[0] = buffer;
  m.sent.lent[0] = buffer;
  m.txRing.prod[0] = following(0, indexMask(m));
  m.txRing.cons[0] = m.txRing.prod[0];
  m.txRing.backend[0] = AWAKE;
  m.txWork.stage[0] = MAPPED;
  m.txWork.guest[0] = 0;
  m.txWork.frame[0] = buffer;
  m.reach.entry[buffer] = 1;
  m.reach.tlb[buffer] = 1;
  ioMap(m, buffer);
}

export const transmitOperations = [
  send,
  wake,
  take,
  map,
  filter,
  transmit,
  complete,
  unmap,
  respond,
  idle,
  sleep,
  collect,
];

/** Scope: `domain` (two more than guests), `generation`, `guest`, `slot`, `index`, `work`, `named slot` (one more than slots), `frame`. */
export const netTransmit = module<Transmit, typeof netTables & typeof transmitTables>('net transmission', {
  tables: { ...netTables, ...transmitTables },
  operations: transmitOperations,
  initial: start,
  map: netMap,
});

export * from './transmitDriver.js';
export * from './transmitGuest.js';
export * from './transmitState.js';
