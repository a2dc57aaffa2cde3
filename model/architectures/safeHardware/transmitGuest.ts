/** Both ends of the transmission ring: the guest sends and collects, the driver domain is woken and goes to sleep (M7, event index). */
import { blockedBy, DISABLED, NONE, OK, operationOn } from '../../kernel/index.js';
import { charge, hypercall, NOTIFICATION } from '../../ledger.js';
import { following, indexMask, ringSlot } from '../../ring.js';
import { CONNECTED, guest, guestRuns, HONEST, netIdTest, serves } from './netState.js';
import {
  ASLEEP,
  AWAKE,
  EMPTY,
  FOUND_EMPTY,
  freeBuffer,
  namedSlot,
  REQUEST,
  RESPONSE,
  slotAt,
  slots,
  type Transmit,
} from './transmitState.js';

const operation = operationOn<Transmit>();

/** The guest sends a packet: names a buffer, publishes the index, notifies if it has been asked to. */
export const send = operation('net.send', {
  agent: guest,
  path: 'submit',
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
  path: 'notify',
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

/** The driver domain has found the ring empty... */
export const idle = operation('net.idle', {
  agent: 'driver domain',
  path: 'notify',
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
  path: 'notify',
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
  path: 'complete',
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
