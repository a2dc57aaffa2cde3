/**
 * Transmission (M7): the guest names a packet in a descriptor; the driver domain copies the descriptor, checks it, maps the buffer,
 * copies the header and filters that copy, hands both to the card, and answers only when mapping and translations are gone.
 * Source: Xen 2.0 `public/io/netif.h`, netback and netfront; Fraser et al. 2004.
 *
 * Must keep: X-S2 (only frames offered for the channel are mapped), X-S7 (a packet goes out at most once), X-S9 (an answered buffer is
 * out of reach), I5 (what was filtered is what is sent), EV2 (nobody sleeps beside a request). The consumer leaves the index at which it
 * wants to be woken; the producer notifies when its new index equals that one.
 */
import { frame } from '../../frames.js';
import {
  AGAIN,
  blockedBy,
  DISABLED,
  type Footprint,
  flag,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { COPY, charge, GRANT_MAPPING, GRANT_UNMAPPING, hypercall, NOTIFICATION } from '../../ledger.js';
import { following, indexMask, ringSlot, slotOf } from '../../ring.js';
import {
  CHANGING,
  CONNECTED,
  cardReaches,
  connectedNet,
  flushBeforeResponse,
  flushTlb,
  foreignCheck,
  guest,
  guestDomain,
  guestRuns,
  HONEST,
  headerCopy,
  ioMap,
  ioUnmap,
  type Net,
  netIdTest,
  netMap,
  netTables,
  own,
  serves,
  sizeTest,
  startDma,
  stopCard,
  touchReach,
} from './netState.js';

/** Requests that the driver domain has in work. */
export const work = sort('work');
export const packetSize = sort('size', { members: ['fits', 'too long', 'crosses a page'] });
export const header = sort('header', { members: ['its own', 'spoofed'] });
/** What a response can name: a slot, or none of them. */
export const namedSlot = sort('named slot');

const EMPTY = 0;
const REQUEST = 1;
const RESPONSE = 2;

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
const operation = operationOn<Transmit>();

const slots = (m: Transmit): number => m.size(ringSlot);
const slotAt = (m: Transmit, index: number): number => slotOf(index, slots(m));

/** Whether the frame is lent to the driver domain by its owner, at this moment. */
export function isLent(m: Transmit, f: number): boolean {
  return m.sent.lent.includes(f);
}

/** A frame of the guest that it has not lent, or NONE. */
function freeBuffer(m: Transmit, g: number): number {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === guestDomain(g) && !isLent(m, f)) return f;
  return NONE;
}

function touchWork(m: Transmit, may: Footprint): void {
  for (let w = 0; w < m.txWork.rows; w++) may.write(m.txWork, w);
}

function clearWork(m: Transmit, w: number): void {
  m.txWork.stage[w] = NOTHING;
  m.txWork.guest[w] = NONE;
  m.txWork.slot[w] = 0;
  m.txWork.frame[w] = NONE;
  m.txWork.size[w] = 0;
  m.txWork.header[w] = 0;
}

/** An entry of the pool in this stage, or NONE. */
function inStage(m: Transmit, stage: number): number {
  for (let w = 0; w < m.txWork.rows; w++) if (m.txWork.stage[w] === stage) return w;
  return NONE;
}

/** The guest sends a packet: names a buffer, publishes the index, notifies if it has been asked to. */
export const send = operation('net.send', {
  agent: guest,
  says: 'sends a packet',
  source: 'Xen 2.0 netfront, network_start_xmit; public/io/netif.h',
  locals: ['slot'],
  where: {
    agent: (m, op) => {
      if (!guestRuns(m, op.agent) || m.link.state[op.agent] !== CONNECTED || m.link.hostile[op.agent] !== HONEST)
        return false;
      const at = m.txSlot.at(op.agent, slotAt(m, m.txRing.prod[op.agent]));
      return m.txSlot.state[at] === EMPTY && m.sent.lent[at] === NONE && freeBuffer(m, op.agent) !== NONE;
    },
  },
  touches: (m, op, may) => {
    may.write(m.txRing, op.agent);
    const at = m.txSlot.at(op.agent, slotAt(m, m.txRing.prod[op.agent]));
    may.write(m.txSlot, at);
    may.write(m.sent, at);
  },
  steps: {
    'write the descriptor': (m, op) => {
      op.slot = m.txSlot.at(op.agent, slotAt(m, m.txRing.prod[op.agent]));
      const f = freeBuffer(m, op.agent);
      m.txSlot.state[op.slot] = REQUEST;
      m.txSlot.frame[op.slot] = f;
      m.sent.lent[op.slot] = f;
      m.sent.wire[op.slot] = 0;
    },
    'publish the index': (m, op) => {
      m.txRing.prod[op.agent] = following(m.txRing.prod[op.agent], indexMask(m));
    },
    'notify if asked to': (m, op) => {
      if (m.txRing.prod[op.agent] !== m.txRing.event[op.agent]) return;
      m.txRing.kick[op.agent] = 1;
      charge(m, NOTIFICATION);
      hypercall(m);
    },
  },
});

/** The event reaches the driver domain. */
export const wake = operation('net.wake', {
  agent: 'driver domain',
  says: 'wakes up for {guest}',
  source: 'Xen 2.0 netback, netif_be_int',
  input: { guest },
  where: {
    guest: (m, op) => serves(m) && m.txRing.kick[op.guest] === 1 && m.txRing.backend[op.guest] === ASLEEP,
  },
  touches: (m, op, may) => may.write(m.txRing, op.guest),
  steps: {
    'acknowledge it': (m, op) => {
      m.txRing.kick[op.guest] = 0;
      m.txRing.backend[op.guest] = AWAKE;
    },
  },
});

/** Copies a descriptor out of the ring, and checks the copy. */
export const take = operation('net.take', {
  agent: 'driver domain',
  says: 'takes a descriptor of {guest}',
  source: 'Xen 2.0 netback, net_tx_action: memcpy of the request, then the tests',
  input: { guest },
  locals: ['work', 'slot'],
  where: {
    guest: (m, op) =>
      serves(m) &&
      m.link.state[op.guest] === CONNECTED &&
      m.txRing.backend[op.guest] === AWAKE &&
      inStage(m, NOTHING) !== NONE &&
      (m.link.hostile[op.guest] !== HONEST || m.txRing.prod[op.guest] !== m.txRing.cons[op.guest]),
  },
  touches: (m, op, may) => {
    may.write(m.txRing, op.guest);
    touchWork(m, may);
  },
  onFailure: 'safe',
  steps: {
    'copy the descriptor': (m, op) => {
      const hostile = m.link.hostile[op.guest] !== HONEST;
      op.work = inStage(m, NOTHING);
      op.slot = m.txSlot.at(op.guest, slotAt(m, m.txRing.cons[op.guest]));
      m.txRing.cons[op.guest] = following(m.txRing.cons[op.guest], indexMask(m));
      m.txWork.stage[op.work] = CHECKED;
      m.txWork.guest[op.work] = op.guest;
      m.txWork.slot[op.work] = op.slot;
      m.txWork.frame[op.work] = hostile ? m.choose(frame, 'frame') : m.txSlot.frame[op.slot];
      m.txWork.size[op.work] = hostile ? m.choose(packetSize, 'size') : 0;
    },
    'check the size': (m, op) => {
      if (m.txWork.size[op.work] === 0 || !m.on(sizeTest)) return OK;
      m.txWork.stage[op.work] = ANSWER;
      m.txWork.frame[op.work] = NONE;
      m.txWork.size[op.work] = 0;
      return blockedBy(sizeTest);
    },
  },
});

/** Maps the buffers of all checked requests: one multicall. The VMM maps only what the guest of the channel owns. */
export const map = operation('net.map', {
  agent: 'driver domain',
  says: 'maps the buffers that it was given',
  source: 'Xen 2.0 netback, net_tx_action (MULTI_update_va_mapping_otherdomain); xen/arch/x86/mm.c, get_page',
  locals: ['bad'],
  where: { agent: (m) => serves(m) && inStage(m, CHECKED) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
  },
  onFailure: 'safe',
  steps: {
    'the guest owns the frame': (m, op) => {
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== CHECKED) continue;
        if (m.frame.owner[m.txWork.frame[w]] === guestDomain(m.txWork.guest[w])) continue;
        m.txWork.stage[w] = ANSWER;
        m.txWork.frame[w] = NONE;
        op.bad = 1;
      }
    },
    'map each': (m, op) => {
      hypercall(m);
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== CHECKED) continue;
        m.reach.entry[m.txWork.frame[w]] = 1;
        m.reach.tlb[m.txWork.frame[w]] = 1;
        charge(m, GRANT_MAPPING);
        ioMap(m, m.txWork.frame[w]);
        m.txWork.stage[w] = MAPPED;
      }
      return op.bad === 1 ? blockedBy(foreignCheck) : OK;
    },
  },
});

/** Copies the header into private memory and looks at the copy: from here on the guest can change nothing that matters. */
export const filter = operation('net.filter', {
  agent: 'driver domain',
  says: 'copies a header and filters it',
  source: 'Xen 2.0 netback, net_tx_action: PKT_PROT_LEN bytes, then net_filter; the rest is mapped',
  locals: ['work'],
  where: { agent: (m) => serves(m) && inStage(m, MAPPED) !== NONE },
  touches: (m, _op, may) => touchWork(m, may),
  steps: {
    'copy the header': (m, op) => {
      op.work = inStage(m, MAPPED);
      charge(m, COPY);
      m.txWork.header[op.work] = facesHostile(m, op.work) ? m.choose(header, 'header') : 0;
    },
    'look at it': (m, op) => {
      m.txWork.stage[op.work] = m.txWork.header[op.work] === 0 ? FILTERED : SENT;
      m.txWork.header[op.work] = 0;
    },
  },
});

function facesHostile(m: Transmit, w: number): boolean {
  return m.link.hostile[m.txWork.guest[w]] !== HONEST;
}

/** Hands header and buffer to the card. */
export const transmit = operation('net.transmit', {
  agent: 'driver domain',
  says: 'hands a packet to the card',
  source: 'Xen 2.0 netback, dev_queue_xmit',
  locals: ['work'],
  where: { agent: (m) => serves(m) && inStage(m, FILTERED) !== NONE && m.nic.dma[0] === NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
    may.write(m.wire);
  },
  steps: {
    'write the descriptor of the card': (m, op) => {
      op.work = inStage(m, FILTERED);
      const w = op.work;
      if (!cardReaches(m, m.txWork.frame[w])) return AGAIN;
      m.txWork.stage[w] = SENDING;
      startDma(m, m.txWork.frame[w], 0, m.txWork.guest[w], m.txWork.slot[w]);
      return OK;
    },
    'send the header': (m, op) => {
      if (m.txWork.size[op.work] !== 0) m.wire.beyond[0] = 1;
      if (m.on(headerCopy) || m.link.hostile[m.txWork.guest[op.work]] !== CHANGING) return;
      if (m.choose(header, 'header, read again') === 1) m.wire.spoofed[0] = 1;
    },
  },
});

/** The card has read the buffer. */
export const complete = operation('net.complete', {
  agent: 'card',
  says: 'has sent a packet',
  where: { agent: (m) => m.nic.dma[0] !== NONE && m.nic.write[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.nic);
    touchWork(m, may);
    if (m.nic.guest[0] !== NONE) may.write(m.sent, m.nic.slot[0]);
  },
  atomic: true,
  steps: {
    'put it on the wire': (m) => {
      const g = m.nic.guest[0];
      if (g === NONE || m.link.hostile[g] !== HONEST) return;
      const row = m.nic.slot[0];
      if (m.sent.lent[row] !== NONE && m.sent.wire[row] < 2) m.sent.wire[row]++;
    },
    'tell the driver': (m) => {
      const w = inStage(m, SENDING);
      if (w !== NONE && m.txWork.frame[w] === m.nic.dma[0]) m.txWork.stage[w] = SENT;
      stopCard(m);
    },
  },
});

/** Takes the mappings of all sent packets back: one multicall, with one flush. */
export const unmap = operation('net.unmap', {
  agent: 'driver domain',
  says: 'unmaps what was sent',
  source: 'Xen 2.0 netback, net_tx_action (dealloc ring, UVMF_FLUSH_TLB)',
  where: { agent: (m) => serves(m) && inStage(m, SENT) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
  },
  steps: {
    'clear the entries': (m) => {
      hypercall(m);
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== SENT) continue;
        m.reach.entry[m.txWork.frame[w]] = 0;
        charge(m, GRANT_UNMAPPING);
        ioUnmap(m, m.txWork.frame[w]);
        m.txWork.stage[w] = ANSWER;
        m.txWork.frame[w] = NONE;
        m.txWork.size[w] = 0;
      }
    },
    'flush the TLB': (m) => {
      if (m.on(flushBeforeResponse)) flushTlb(m);
    },
  },
});

/** Posts the responses. */
export const respond = operation('net.respond', {
  agent: 'driver domain',
  says: 'answers what it has done with',
  source: 'Xen 2.0 netback, make_tx_response',
  locals: ['told'],
  where: { agent: (m) => serves(m) && inStage(m, ANSWER) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    for (let s = 0; s < m.txSlot.rows; s++) may.write(m.txSlot, s);
  },
  steps: {
    'post the responses': (m, op) => {
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== ANSWER) continue;
        if (!facesHostile(m, w)) m.txSlot.state[m.txWork.slot[w]] = RESPONSE;
        m.txSlot.frame[m.txWork.slot[w]] = NONE;
        clearWork(m, w);
        op.told = 1;
      }
    },
    notify: (m) => {
      charge(m, NOTIFICATION);
      hypercall(m);
    },
  },
});

/** The driver domain has found the ring empty... */
export const idle = operation('net.idle', {
  agent: 'driver domain',
  says: 'finds no request of {guest}',
  source: 'public/io/netif.h: event index',
  input: { guest },
  where: {
    guest: (m, op) =>
      serves(m) && m.txRing.backend[op.guest] === AWAKE && m.txRing.prod[op.guest] === m.txRing.cons[op.guest],
  },
  touches: (m, op, may) => may.write(m.txRing, op.guest),
  steps: {
    'note it': (m, op) => {
      m.txRing.backend[op.guest] = FOUND_EMPTY;
    },
  },
});

/** ...asks to be notified of the next one, and looks once more before it sleeps. */
export const sleep = operation('net.sleep', {
  agent: 'driver domain',
  says: 'asks to be woken for {guest}, looks again, and sleeps',
  source: 'public/io/netif.h: event index; xen/include/public/io/ring.h, FINAL_CHECK',
  input: { guest },
  where: { guest: (m, op) => serves(m) && m.txRing.backend[op.guest] === FOUND_EMPTY },
  touches: (m, op, may) => may.write(m.txRing, op.guest),
  steps: {
    'set the event index': (m, op) => {
      m.txRing.event[op.guest] = following(m.txRing.cons[op.guest], indexMask(m));
      m.txRing.backend[op.guest] = ASLEEP;
    },
    'look again': (m, op) => {
      if (m.txRing.prod[op.guest] !== m.txRing.cons[op.guest]) m.txRing.backend[op.guest] = AWAKE;
    },
  },
});

/** The guest takes a response; the buffer is its own again. */
export const collect = operation('net.collect', {
  agent: guest,
  says: 'collects a response in {slot}',
  source: 'Xen 2.0 netfront, network_tx_buf_gc',
  input: { slot: ringSlot },
  locals: ['named'],
  where: {
    agent: (m, op) => guestRuns(m, op.agent) && m.link.state[op.agent] === CONNECTED,
    slot: (m, op) => {
      const at = m.txSlot.at(op.agent, op.slot);
      return m.txSlot.state[at] === RESPONSE || (m.link.tainted[op.agent] === 1 && m.txSlot.state[at] === REQUEST);
    },
  },
  touches: (m, op, may) => {
    for (let s = 0; s < slots(m); s++) {
      may.write(m.txSlot, m.txSlot.at(op.agent, s));
      may.write(m.sent, m.sent.at(op.agent, s));
    }
    may.write(m.link, op.agent);
  },
  onFailure: 'safe',
  steps: {
    'read its id': (m, op) => {
      op.named = m.link.tainted[op.agent] === 1 ? m.choose(namedSlot, 'id') : op.slot;
      // A hostile answer for a request that is really in work: the guest cannot know.
      return m.link.tainted[op.agent] === 1 && m.link.hostile[op.agent] !== HONEST ? DISABLED : OK;
    },
    'it is outstanding': (m, op) => {
      if (op.named < slots(m) && m.sent.lent[m.sent.at(op.agent, op.named)] !== NONE) return OK;
      return m.on(netIdTest) ? blockedBy(netIdTest) : OK;
    },
    'take the buffer back': (m, op) => {
      const at = m.sent.at(op.agent, op.named);
      if (op.named >= slots(m) || m.sent.lent[at] === NONE) m.link.confused[op.agent] = 1;
      m.txSlot.state[m.txSlot.at(op.agent, op.slot)] = EMPTY;
      m.sent.lent[at] = NONE;
      m.sent.wire[at] = 0;
    },
  },
});

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
