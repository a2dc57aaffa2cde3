/**
 * State of the control interface (M4): one page that a domain and the controller share, with two rings of messages on it. The domain asks
 * in `tx` and the controller in `rx`; who asks in a ring writes requests, the other end answers, and a response takes the place of a request.
 * Source: Xen 2.0 `public/io/domain_controller.h`, Linux 2.6 `arch/xen/kernel/ctrl_if.c`, Xend.
 *
 * Each end keeps its own copy of every index and believes the page for the other end's only. What a hostile domain has on the page is a
 * choice at each read: nothing of it needs to be state. A slot is empty again here when its response was read; that is for the state space.
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
} from '../../kernel/index.js';
import { charge, NOTIFICATION } from '../../ledger.js';
import { ringIndex, ringSlot } from '../../ring.js';

/** The two ends. An end has the number of the ring that it asks in. */
export const controlEnd = sort('end', { members: ['domain', 'controller'] });

export const DOMAIN = 0;

export const CONTROLLER = 1;

/** The two rings: in `tx` the domain asks, in `rx` the controller. */
export const controlRing = sort('ring', { members: ['tx', 'rx'] });

/** Ids of requests: as many as a ring has slots. */
export const messageId = sort('message id');

/** What can stand on the page for an id: one more, which is out of range. */
export const idByte = sort('id byte');

/** Lives of the domain. The page serves one after the other. */
export const domainLife = sort('life');

/** How many rings may be full at once. The rings share the events and the life of the domain, and nothing else. */
export const fullRing = sort('full ring');

/** What the length byte says: a message has room for 60. */
export const lengthByte = sort('length', { members: ['60 bytes at most', 'more than 60 bytes'] });

export const FITS = 0;

export const EMPTY = 0;

export const REQUEST = 1;

export const RESPONSE = 2;

/** A copied request that will be answered with an error. */
export const REFUSED = 2;

export const RUNNING = 0;

export const HUNG = 1;

export const DEAD = 2;

export const GONE = 3;

/** How far a request has come, as an observer sees it who looks at neither indices nor ids. */
export const ASKED = 1;

export const TAKEN = 2;

export const DONE_WITH = 3;

export const ANSWERED = 4;

export const controlTables = {
  page: table([controlRing], { reqProd: i32(), respProd: i32() }),
  slot: table([controlRing, ringSlot], {
    holds: oneOf('nothing', 'request', 'response'),
    id: u8(),
    length: oneOf('60 at most', 'more'),
    /** In which life of the domain it was written. */
    life: u8(),
  }),
  /** Private to the end that asks; `awaits`: the requests, by id, whose answer somebody waits for. */
  asker: table([controlRing], {
    reqProd: i32(),
    respCons: i32(),
    awaits: setOf(messageId),
    /** How many requests it has in the ring at most: a matter of the scope. */
    most: u8(),
  }),
  /** Private to the end that answers. */
  answerer: table([controlRing], { reqCons: i32(), respProd: i32() }),
  /** Requests that the answering end has copied out of the page and not answered yet. */
  copy: table([controlRing, ringSlot], {
    holds: oneOf('nothing', 'request', 'refused request'),
    id: u8(),
    length: oneOf('60 at most', 'more'),
    life: u8(),
  }),
  side: table([controlEnd], {
    /** Its event is pending. */
    pending: oneOf('no', 'yes'),
    /** Its handlers run. */
    awake: oneOf('no', 'yes'),
  }),
  domain: table([], {
    life: oneOf('running', 'hung', 'dead', 'gone'),
    number: u8(),
    hostile: oneOf('no', 'yes'),
    /** The controller has found it hostile, and touches its page no more. */
    accused: oneOf('no', 'yes'),
  }),
  /** For the properties: how far the request with an id has come, while both ends are honest. */
  request: table([controlRing, idByte], { is: oneOf('free', 'asked', 'taken', 'acted upon', 'answered') }),
  /** For the properties: what an end has done that it must never do. */
  done: table([controlEnd], {
    actedAgain: oneOf('no', 'yes'),
    believedUnasked: oneOf('no', 'yes'),
    usedDead: oneOf('no', 'yes'),
    readBeyond: oneOf('no', 'yes'),
    readUnwritten: oneOf('no', 'yes'),
  }),
};

export type Control = Machine & State<typeof controlTables>;

/** A producer index of the peer is believed as far as the ring, and what was asked, goes. */
export const indexTest = gate('control index test');

/** A response counts for the request whose id it has, if that is awaited. */
export const idMatch = gate('control message id match');

/** The length byte is held against the room of a message. */
export const lengthTest = gate('control length test');

/** A message is copied out of the page once; check and use are of the copy. */
export const copyFirst = gate('control message copy');

/** The VMM unmaps the page from the domain that it destroys. */
export const pageTakenBack = gate('control page taken back');

export const slots = (m: Control): number => m.size(ringSlot);

/** Whether an end does what it should. Nobody does while the domain is dead, or found hostile. */
export function works(m: Control, e: number): boolean {
  if (m.domain.accused[0] === 1 || m.domain.life[0] >= DEAD) return false;
  return e === CONTROLLER || (m.domain.life[0] === RUNNING && m.domain.hostile[0] === 0);
}

/** Whether the peer of `e` writes on the page what it likes. */
export const facesHostile = (m: Control, e: number): boolean => e === CONTROLLER && m.domain.hostile[0] === 1;

/** An index that the peer of `e` has written: what stands there, or, when the peer is hostile, anything. */
export function loadIndex(m: Control, e: number, shared: number, label: string): number {
  return facesHostile(m, e) ? m.choose(ringIndex, label) : shared;
}

/** The least id that nobody awaits an answer to, as ctrl_if.c looks for it. */
export function freeId(m: Control, ring: number): number {
  let id = 0;
  while (id < slots(m) - 1 && (m.asker.awaits[ring] >> id) & 1) id++;
  return id;
}

/** The first place for a copy; when all are taken, which the index test excludes, the last one is written over. */
export function freePlace(m: Control, ring: number): number {
  let place = 0;
  while (place < slots(m) - 1 && m.copy.holds[m.copy.at(ring, place)] !== EMPTY) place++;
  return place;
}

/** Sends an event to the other end; a domain that takes none any more is spared the state. */
export function notify(m: Control, to: number): void {
  charge(m, NOTIFICATION);
  if (works(m, to)) m.side.pending[to] = 1;
}

/** The controller gives the domain up: what stands on the page cannot come from an honest one. */
export function accuse(m: Control, by: Gate): number {
  m.domain.accused[0] = 1;
  return blockedBy(by);
}

/** Puts a message into a slot. A hostile domain writes over it as it likes, so then nothing is kept. */
export function writeSlot(m: Control, e: number, s: number, holds: number, id: number): void {
  if (facesHostile(m, e)) return;
  m.slot.holds[s] = holds;
  m.slot.id[s] = id;
  m.slot.length[s] = FITS;
  m.slot.life[s] = m.domain.number[0];
}

export function clearSlot(m: Control, s: number): void {
  m.slot.holds[s] = EMPTY;
  m.slot.id[s] = 0;
  m.slot.length[s] = FITS;
  m.slot.life[s] = 0;
}

export function clearCopy(m: Control, c: number): void {
  m.copy.holds[c] = EMPTY;
  m.copy.id[c] = 0;
  m.copy.length[c] = FITS;
  m.copy.life[c] = 0;
}

/** What an end keeps to itself, as asker of its own ring and answerer of the other. */
export function forgetEnd(m: Control, e: number): void {
  forgetIndices(m, e);
  m.asker.awaits[e] = 0;
  for (let place = 0; place < slots(m); place++) clearCopy(m, m.copy.at(1 - e, place));
  m.side.pending[e] = 0;
  m.side.awake[e] = 0;
}

export function forgetIndices(m: Control, e: number): void {
  m.asker.reqProd[e] = 0;
  m.asker.respCons[e] = 0;
  m.answerer.reqCons[1 - e] = 0;
  m.answerer.respProd[1 - e] = 0;
}

/** Rows that a step on one ring may write. */
export function touchRing(m: Control, may: Footprint, ring: number): void {
  may.write(m.page, ring);
  may.write(m.asker, ring);
  may.write(m.answerer, ring);
  for (let s = 0; s < slots(m); s++) {
    may.write(m.slot, m.slot.at(ring, s));
    may.write(m.copy, m.copy.at(ring, s));
  }
  for (let id = 0; id < m.size(idByte); id++) may.write(m.request, m.request.at(ring, id));
}
