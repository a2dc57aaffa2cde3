/**
 * Reception (V4): packets come into the DD/OS's own buffers, wait in a bounded queue for their client, and are copied by the hypervisor
 * (L4 string IPC) into a buffer that a receiver thread of the client waits with. Who does not wait loses packets; nobody else does.
 * Source: LeVasseur et al. 2004, V4: 8 receiver threads, 16 buffers of 1600 bytes, server queue of 256, drop when full.
 * Must keep: DD-S9 (the copy has the announced length, and both sides' mappings are checked), DD-L3 (no client blocks another's queue).
 */
import {
  DONE,
  gate,
  type Machine,
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
import { COPY, charge, hypercall, NOTIFICATION } from '../../ledger.js';
import { client } from './channelState.js';

/** Packets that wait for one client (paper: 256). */
export const queueLength = sort('queue length');

/** Receiver threads of one client (paper: up to 8). */
export const receiver = sort('receiver');

export const receiveTables = {
  rx: table([client], {
    /** Receiver threads that wait with a buffer. */
    waits: u8(),
    /** Packets that wait in the server. */
    queued: u8(),
    /** Packets that the client has and has not looked at. */
    received: u8(),
    /** Kept for properties: bytes beyond the buffer were written. */
    overrun: oneOf('no', 'yes'),
  }),
  /** The server's thread: in an IPC to a client that does not take it. */
  sender: table([], { blockedOn: ref(client) }),
};

export type Receive = Machine & State<typeof receiveTables>;
const operation = operationOn<Receive>();

/** The server's IPC does not wait for a receiver. */
export const noWaiting = gate('send without waiting');
/** The queue of a client is bounded: packets beyond it are dropped. */
export const queueBound = gate('bounded receive queue');
/** The hypervisor checks both sides of a string copy. */
export const copyBounds = gate('string copy bounds');

/** A packet arrives: the device has written it into a buffer of the DD/OS. */
export const arrive = operation('device.receive', {
  agent: 'device',
  path: 'submit',
  says: 'receives a packet for {client}',
  atomic: true,
  input: { client },
  where: { client: (m, op) => m.rx.queued[op.client] <= m.size(queueLength) },
  touches: (m, op, may) => may.write(m.rx, op.client),
  steps: {
    'drop it when the queue is full': (m, op) =>
      m.on(queueBound) && m.rx.queued[op.client] >= m.size(queueLength) ? DONE : OK,
    'queue it': (m, op) => {
      m.rx.queued[op.client]++;
    },
  },
});

/** A receiver thread waits with an empty buffer. Clients that read do so again and again; the last client need not. */
const waiting = (name: string, isLast: boolean) =>
  operation(name, {
    agent: client,
    path: 'submit',
    says: 'waits for a packet',
    where: {
      agent: (m, op) =>
        (op.agent === m.rx.rows - 1) === isLast && m.rx.waits[op.agent] + m.rx.received[op.agent] < m.size(receiver),
    },
    touches: (m, op, may) => {
      may.write(m.rx, op.agent);
      may.write(m.sender);
    },
    steps: {
      wait: (m, op) => {
        m.rx.waits[op.agent]++;
        if (m.sender.blockedOn[0] === op.agent) m.sender.blockedOn[0] = NONE;
      },
    },
  });
export const wait = waiting('client.wait', false);
export const waitLast = waiting('lastClient.wait', true);

/** The server sends the next packet: one string copy by the hypervisor, which is also the wake-up. */
export const deliver = operation('server.deliver', {
  agent: 'server',
  path: 'complete',
  says: 'delivers a packet to {client}',
  source: 'LeVasseur et al. 2004, V4',
  input: { client },
  where: {
    agent: (m) => m.sender.blockedOn[0] === NONE,
    client: (m, op) => m.rx.queued[op.client] > 0 && (m.rx.waits[op.client] > 0 || !m.on(noWaiting)),
  },
  touches: (m, op, may) => {
    may.write(m.rx, op.client);
    may.write(m.sender);
  },
  steps: {
    'find a receiver': (m, op) => {
      if (m.rx.waits[op.client] > 0) return OK;
      m.sender.blockedOn[0] = op.client;
      return DONE;
    },
    copy: (m, op) => {
      hypercall(m);
      charge(m, COPY);
      m.rx.queued[op.client]--;
    },
    // Each copy is a message to a thread; the client is woken by the first.
    'wake the receiver': (m, op) => {
      if (m.rx.received[op.client] === 0) charge(m, NOTIFICATION);
      m.rx.waits[op.client]--;
      m.rx.received[op.client]++;
    },
  },
});

/** The client looks at what it received. */
export const read = operation('client.read', {
  agent: client,
  path: 'complete',
  says: 'takes a packet',
  where: { agent: (m, op) => m.rx.received[op.agent] > 0 },
  touches: (m, op, may) => may.write(m.rx, op.agent),
  steps: {
    take: (m, op) => {
      m.rx.received[op.agent]--;
    },
  },
});

export const receive = module<Receive, typeof receiveTables>('receive', {
  tables: receiveTables,
  operations: [arrive, wait, waitLast, deliver, read],
  initial: (m) => {
    m.sender.blockedOn.fill(NONE);
  },
});
