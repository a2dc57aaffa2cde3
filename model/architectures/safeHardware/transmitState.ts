/** State of transmission (M7): the ring with its event index, the guest's notes of what it has lent, the requests that the driver domain has in work. */
import { frame } from '../../frames.js';
import { type Footprint, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import { ringSlot, slotOf } from '../../ring.js';
import { guest, guestDomain, HONEST, type Net } from './netState.js';

/** Requests that the driver domain has in work. */
export const work = sort('work');

export const packetSize = sort('size', { members: ['fits', 'too long', 'crosses a page'] });

export const header = sort('header', { members: ['its own', 'spoofed'] });

/** What a response can name: a slot, or none of them. */
export const namedSlot = sort('named slot');

export const EMPTY = 0;

export const REQUEST = 1;

export const RESPONSE = 2;

/** Stages of a request in the driver domain. */
export const NOTHING = 0;

export const CHECKED = 1;

export const MAPPED = 2;

export const FILTERED = 3;

export const SENDING = 4;

export const SENT = 5;

export const ANSWER = 6;

export const ASLEEP = 0;

export const AWAKE = 1;

export const FOUND_EMPTY = 2;

export const transmitTables = {
  txRing: table([guest], {
    prod: u8(),
    cons: u8(),
    /** Index at which the driver domain wants to be notified. */
    event: u8(),
    kick: oneOf('no', 'yes'),
    backend: oneOf('asleep', 'awake', 'has found nothing'),
  }),
  txSlot: table([guest, ringSlot], { state: oneOf('empty', 'request', 'response'), frame: ref(frame) }),
  /** The guest's own notes of what it has lent, and how often it went out on the wire. */
  sent: table([guest, ringSlot], { lent: ref(frame), wire: u8() }),
  txWork: table([work], {
    stage: oneOf('nothing', 'checked', 'mapped', 'filtered', 'sending', 'sent', 'to be answered'),
    guest: ref(guest),
    slot: u8(),
    frame: ref(frame),
    size: oneOf('fits', 'too long', 'crosses a page'),
    header: oneOf('its own', 'spoofed'),
  }),
  /** Kept for properties: what has been on the wire. */
  wire: table([], { spoofed: oneOf('no', 'yes'), beyond: oneOf('no', 'yes') }),
};

export type Transmit = Net & State<typeof transmitTables>;

export const slots = (m: Transmit): number => m.size(ringSlot);

export const slotAt = (m: Transmit, index: number): number => slotOf(index, slots(m));

/** Whether the frame is lent to the driver domain by its owner, at this moment. */
export function isLent(m: Transmit, f: number): boolean {
  return m.sent.lent.includes(f);
}

/** A frame of the guest that it has not lent, or NONE. */
export function freeBuffer(m: Transmit, g: number): number {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === guestDomain(g) && !isLent(m, f)) return f;
  return NONE;
}

export function touchWork(m: Transmit, may: Footprint): void {
  for (let w = 0; w < m.txWork.rows; w++) may.write(m.txWork, w);
}

export function clearWork(m: Transmit, w: number): void {
  m.txWork.stage[w] = NOTHING;
  m.txWork.guest[w] = NONE;
  m.txWork.slot[w] = 0;
  m.txWork.frame[w] = NONE;
  m.txWork.size[w] = 0;
  m.txWork.header[w] = 0;
}

/** An entry of the pool in this stage, or NONE. */
export function inStage(m: Transmit, stage: number): number {
  for (let w = 0; w < m.txWork.rows; w++) if (m.txWork.stage[w] === stage) return w;
  return NONE;
}

export function facesHostile(m: Transmit, w: number): boolean {
  return m.link.hostile[m.txWork.guest[w]] !== HONEST;
}

/** Rings as a new connection finds them. */
export function clearTransmit(m: Transmit, g: number): void {
  m.txRing.prod[g] = 0;
  m.txRing.cons[g] = 0;
  m.txRing.event[g] = 1;
  m.txRing.kick[g] = 0;
  m.txRing.backend[g] = ASLEEP;
  for (let s = 0; s < slots(m); s++) {
    m.txSlot.state[m.txSlot.at(g, s)] = EMPTY;
    m.txSlot.frame[m.txSlot.at(g, s)] = NONE;
  }
}

/** What a dead driver domain forgets. */
export function forgetWork(m: Transmit): void {
  for (let w = 0; w < m.txWork.rows; w++) clearWork(m, w);
}
