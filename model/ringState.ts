/**
 * State of one frontend and one backend around a single ring, and the steps that both ends share.
 *
 * A store to a shared index waits in the processor's store buffer (one entry, any length of time) until a full barrier or the hardware
 * drains it: that is what makes the two mb() necessary. Stores of one processor stay in order, as wmb() demands.
 *
 * What a hostile peer has written into shared memory is a choice at each read: nothing of it needs to be state.
 */
import {
  blockedBy,
  type Footprint,
  type Gate,
  gate,
  i32,
  type Machine,
  oneOf,
  type State,
  setOf,
  sort,
  table,
  u8,
} from './kernel/index.js';
import { backIndexFields, frontIndexFields, ringIndex, ringSlot, singleRing } from './ring.js';

/** The two ends. */
export const end = sort('end', { members: ['frontend', 'backend'] });
export const FRONT = 0;
export const BACK = 1;
/** Requests that the backend can have in work: its pool. */
export const entry = sort('entry');
/** Request ids that can appear in shared memory: one more than there are slots. */
export const wireId = sort('wire id');

/** Words of the shared page, as the store buffer names them. */
export const REQ_PROD = 1;
export const REQ_EVENT = 2;
export const RSP_PROD = 3;
export const RSP_EVENT = 4;

export const EMPTY = 0;
export const REQUEST = 1;
export const RESPONSE = 2;

export const ringTables = {
  sring: singleRing,
  /** The frontend's private half, and which ids it has in the ring. */
  front: table([], { ...frontIndexFields, outstanding: setOf(wireId), bogus: oneOf('no', 'yes') }),
  back: table([], backIndexFields),
  side: table([end], {
    /** Its event handler runs. */
    awake: oneOf('no', 'yes'),
    /** Its event is pending. */
    pending: oneOf('no', 'yes'),
    /** The handler has found something since it woke up. */
    found: oneOf('no', 'yes'),
    /** Wake-ups in a row that found nothing, up to 2. */
    emptyWakes: u8(),
    /** It found its peer hostile, and has given the ring up. */
    broken: oneOf('no', 'yes'),
    hostile: oneOf('no', 'yes'),
  }),
  storeBuffer: table([end], { word: oneOf('nothing', 'req_prod', 'req_event', 'rsp_prod', 'rsp_event'), value: i32() }),
  slot: table([ringSlot], { holds: oneOf('nothing', 'request', 'response'), id: u8(), unread: oneOf('no', 'yes') }),
  /** The backend's pool; `stale`: it was copied from a slot that nobody had written. */
  taken: table([entry], { busy: oneOf('no', 'yes'), id: u8(), stale: oneOf('no', 'yes') }),
};

export type Ring = Machine & State<typeof ringTables>;

/** The tests of the peer's producer index: overflow, and the bound of what is unconsumed. */
export const overflowTest = gate('ring overflow test');
/** The test that a response's id is in range and outstanding. */
export const responseIdTest = gate('response id test');

export const size = (m: Ring): number => m.slot.rows;
export const works = (m: Ring, e: number): boolean => m.side.broken[e] === 0 && m.side.hostile[e] === 0;

/** Puts a store into the end's store buffer; false while another one waits there. */
export function store(m: Ring, e: number, word: number, value: number): boolean {
  if (m.storeBuffer.word[e] !== 0) return false;
  m.storeBuffer.word[e] = word;
  m.storeBuffer.value[e] = value;
  return true;
}

/** The end's own view of a word that only it writes: its store buffer first. */
export function loadOwn(m: Ring, e: number, word: number, shared: number): number {
  return m.storeBuffer.word[e] === word ? m.storeBuffer.value[e] : shared;
}

/** What the end's buffered store does when it reaches memory. */
export function drain(m: Ring, e: number): void {
  const value = m.storeBuffer.value[e];
  switch (m.storeBuffer.word[e]) {
    case REQ_PROD:
      m.sring.reqProd[0] = value;
      break;
    case REQ_EVENT:
      m.sring.reqEvent[0] = value;
      break;
    case RSP_PROD:
      m.sring.rspProd[0] = value;
      break;
    case RSP_EVENT:
      m.sring.rspEvent[0] = value;
      break;
  }
  m.storeBuffer.word[e] = 0;
  m.storeBuffer.value[e] = 0;
}

/** A word that the peer of `e` writes: what stands there, or, when the peer is hostile, anything. */
export function loadPeers(m: Ring, e: number, shared: number, label: string): number {
  return m.side.hostile[1 - e] !== 0 ? m.choose(ringIndex, label) : shared;
}

/** The end has found something to do. */
export function found(m: Ring, e: number): void {
  m.side.found[e] = 1;
  m.side.emptyWakes[e] = 0;
}

/** The handler returns. */
export function sleep(m: Ring, e: number): void {
  m.side.awake[e] = 0;
  if (m.side.found[e] === 0 && m.side.emptyWakes[e] < 2) m.side.emptyWakes[e]++;
  m.side.found[e] = 0;
}

/** Gives the ring up: the peer is hostile. */
export function giveUp(m: Ring, e: number, by: Gate): number {
  m.side.broken[e] = 1;
  m.side.awake[e] = 0;
  m.side.found[e] = 0;
  return blockedBy(by);
}

export function touchPush(m: Ring, may: Footprint, e: number): void {
  may.write(m.sring);
  may.write(m.storeBuffer, e);
  may.write(m.side, 1 - e);
}
