/**
 * The ring (V3): the client fills a slot and hands it over, the server takes it into its own memory, validates it, starts the I/O, and
 * hands the slot back when the device is done. One wake-up a burst: whoever finds the peer told does not tell it again.
 * Source: LeVasseur et al. 2004, L4VMnet and block server; notification by status words that are swapped for 0 until they stay 0.
 * Must keep: DD-S6 (one owner, and no DMA into a slot that was handed back), DD-S7 (a request is about its own client's memory), DD-L3.
 */
import { AGAIN, DISABLED, module, OK, operationOn } from '../../kernel/index.js';
import { hypercall, NOTIFICATION } from '../../ledger.js';
import {
  ASLEEP,
  AWAKE,
  addressCheck,
  type Channel,
  CLIENTS,
  channelTables,
  client,
  IN_FLIGHT,
  inFlightOf,
  LOOKING,
  lastLook,
  NOTHING,
  OWN,
  ownNotes,
  PERFORMED,
  SERVERS,
  shareOf,
  slot,
  snapshot,
  TAKEN,
  vector,
  vectorInUse,
  vectorQuota,
} from './channelState.js';

const operation = operationOn<Channel>();

/** A signal: IPC to the peer, through the hypervisor. */
function signal(m: Channel): void {
  hypercall(m);
  m.charge(NOTIFICATION);
}

/** The client's request. */
export const submit = operation('client.submit', {
  agent: client,
  path: 'submit',
  says: 'hands {slot} over',
  source: 'LeVasseur et al. 2004, V3 client',
  input: { slot },
  where: {
    agent: (m, op) => m.connection.open[op.agent] === 1,
    slot: (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      return m.ring.owner[r] === CLIENTS && m.request.outstanding[r] === 0;
    },
  },
  touches: (m, op, may) => {
    const r = m.ring.at(op.agent, op.slot);
    may.write(m.ring, r);
    may.write(m.request, r);
    may.write(m.status, op.agent);
    may.write(m.server);
  },
  steps: {
    fill: (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      m.ring.address[r] = OWN;
      m.ring.failed[r] = 0;
      m.request.outstanding[r] = 1;
    },
    'hand over': (m, op) => {
      m.ring.owner[m.ring.at(op.agent, op.slot)] = SERVERS;
    },
    'signal if the server was not told': (m, op) => {
      if (m.status.serverTold[op.agent] === 1) return;
      m.status.serverTold[op.agent] = 1;
      signal(m);
      // A signal reaches a thread that waits for it; whoever is at work looks at the status words before it waits.
      if (m.server.state[0] === ASLEEP) m.server.state[0] = AWAKE;
    },
  },
});

/** Whether the client has been handed back a slot that it has not taken. */
export function answerWaits(m: Channel, c: number): boolean {
  for (let s = 0; s < m.size(slot); s++) {
    const r = m.ring.at(c, s);
    if (m.ring.owner[r] === CLIENTS && (m.request.outstanding[r] === 1 || m.ring.failed[r] === 1)) return true;
  }
  return false;
}

/** Whether a slot was handed over that the server has not taken. */
export function requestWaits(m: Channel, c: number): boolean {
  for (let s = 0; s < m.size(slot); s++) {
    const r = m.ring.at(c, s);
    if (m.ring.owner[r] === SERVERS && m.work.stage[r] === NOTHING) return true;
  }
  return false;
}

/** The client takes a slot back that the server has handed back. */
export const consume = operation('client.consume', {
  agent: client,
  path: 'complete',
  says: 'takes {slot} back',
  source: 'LeVasseur et al. 2004, V3 client',
  input: { slot },
  where: {
    slot: (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      return m.ring.owner[r] === CLIENTS && (m.request.outstanding[r] === 1 || m.ring.failed[r] === 1);
    },
  },
  touches: (m, op, may) => {
    may.write(m.request, m.ring.at(op.agent, op.slot));
    may.write(m.ring, m.ring.at(op.agent, op.slot));
    may.write(m.seen, op.agent);
    may.write(m.status, op.agent);
  },
  steps: {
    'ask the own notes': (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      if (m.request.outstanding[r] === 0 && !m.on(ownNotes)) m.seen.confused[op.agent] = 1;
    },
    'note completion': (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      m.request.outstanding[r] = 0;
      m.ring.failed[r] = 0;
      // It looks for more before it asks to be told again.
      if (!answerWaits(m, op.agent)) m.status.clientTold[op.agent] = 0;
    },
  },
});

/** The server takes a slot: reads it once, validates what it read, and answers what is not valid. */
export const take = operation('server.take', {
  agent: 'server',
  path: 'submit',
  says: 'takes {slot} of {client}',
  source: 'LeVasseur et al. 2004, V3 server; GAP-V3: the address was not checked',
  input: { client, slot },
  where: {
    client: (m) => m.server.state[0] === AWAKE,
    slot: (m, op) => {
      const r = m.ring.at(op.client, op.slot);
      return m.ring.owner[r] === SERVERS && m.work.stage[r] === NOTHING;
    },
  },
  touches: (m, op, may) => {
    const r = m.ring.at(op.client, op.slot);
    may.write(m.ring, r);
    may.write(m.work, r);
    may.readAll(m.work);
    may.read(m.connection, op.client);
    may.write(m.status, op.client);
  },
  steps: {
    'have room': (m, op) => {
      if (vectorInUse(m) >= m.size(vector)) return AGAIN;
      return m.on(vectorQuota) && inFlightOf(m, op.client) >= shareOf(m) ? AGAIN : OK;
    },
    'take the snapshot': (m, op) => {
      const r = m.ring.at(op.client, op.slot);
      m.work.address[r] = m.ring.address[r];
      m.work.stage[r] = TAKEN;
    },
    validate: (m, op) => {
      const r = m.ring.at(op.client, op.slot);
      const valid = m.connection.open[op.client] === 1 && (!m.on(addressCheck) || m.work.address[r] === OWN);
      if (valid) return;
      m.work.stage[r] = NOTHING;
      m.work.address[r] = OWN;
      m.ring.failed[r] = 1;
      m.ring.owner[r] = CLIENTS;
    },
  },
});

/** The device is given the address. */
export const start = operation('server.start', {
  agent: 'server',
  path: 'submit',
  says: 'starts the I/O of {slot} of {client}',
  source: 'LeVasseur et al. 2004, V3 server, V5',
  input: { client, slot },
  where: {
    client: (m) => m.server.state[0] === AWAKE,
    slot: (m, op) => m.work.stage[m.work.at(op.client, op.slot)] === TAKEN,
  },
  touches: (m, op, may) => {
    may.write(m.work, m.work.at(op.client, op.slot));
    may.read(m.ring, m.work.at(op.client, op.slot));
  },
  steps: {
    'use the snapshot': (m, op) => {
      const r = m.work.at(op.client, op.slot);
      if (!m.on(snapshot)) m.work.address[r] = m.ring.address[r];
    },
    'program the device': (m, op) => {
      m.work.stage[m.work.at(op.client, op.slot)] = IN_FLIGHT;
    },
  },
});

/** The device is done, and interrupts. */
export const finish = operation('device.finish', {
  agent: 'device',
  path: 'complete',
  says: 'finishes {slot} of {client}',
  atomic: true,
  input: { client, slot },
  where: { slot: (m, op) => m.work.stage[m.work.at(op.client, op.slot)] === IN_FLIGHT },
  touches: (m, op, may) => {
    may.write(m.work, m.work.at(op.client, op.slot));
    may.write(m.server);
  },
  steps: {
    'take effect': (m, op) => {
      m.work.stage[m.work.at(op.client, op.slot)] = PERFORMED;
    },
    interrupt: (m) => {
      m.server.state[0] = AWAKE;
    },
  },
});

/** The server hands a slot back. */
export const answer = operation('server.answer', {
  agent: 'server',
  path: 'complete',
  says: 'hands {slot} of {client} back',
  source: 'LeVasseur et al. 2004, V3 server: on completion write the error, barrier, owner',
  input: { client, slot },
  where: {
    client: (m) => m.server.state[0] === AWAKE,
    slot: (m, op) => m.work.stage[m.work.at(op.client, op.slot)] > TAKEN,
  },
  touches: (m, op, may) => {
    const r = m.work.at(op.client, op.slot);
    may.write(m.work, r);
    may.write(m.ring, r);
    may.write(m.status, op.client);
  },
  steps: {
    'be done': (m, op) => (m.work.stage[m.work.at(op.client, op.slot)] === PERFORMED ? OK : DISABLED),
    'forget the work': (m, op) => {
      const r = m.work.at(op.client, op.slot);
      if (m.work.stage[r] !== PERFORMED) return;
      m.work.stage[r] = NOTHING;
      m.work.address[r] = OWN;
    },
    'hand back': (m, op) => {
      m.ring.owner[m.ring.at(op.client, op.slot)] = CLIENTS;
    },
    'signal if the client was not told': (m, op) => {
      if (m.status.clientTold[op.client] === 1) return;
      m.status.clientTold[op.client] = 1;
      signal(m);
    },
  },
});

/** Whether the server has something to do that it knows of. */
function hasWork(m: Channel): boolean {
  for (let r = 0; r < m.ring.rows; r++) {
    if (m.work.stage[r] === TAKEN || m.work.stage[r] === PERFORMED) return true;
    if (m.ring.owner[r] === SERVERS && m.work.stage[r] === NOTHING) return true;
  }
  return false;
}

/** The server finds nothing, and swaps the status words for 0. */
export const swap = operation('server.swap', {
  agent: 'server',
  path: 'notify',
  says: 'finds nothing, and clears its status words',
  source: 'LeVasseur et al. 2004, V3 notification suppression',
  where: { agent: (m) => m.server.state[0] === AWAKE && !hasWork(m) },
  touches: (m, _op, may) => {
    may.readAll(m.ring);
    may.readAll(m.work);
    may.writeAll(m.status);
    may.write(m.server);
  },
  steps: {
    'clear the words': (m) => {
      m.status.serverTold.fill(0);
      m.server.state[0] = LOOKING;
    },
  },
});

/** It sleeps if the words stayed 0, and else begins again. */
export const sleep = operation('server.sleep', {
  agent: 'server',
  path: 'notify',
  says: 'looks at the status words once more, and sleeps if they are clear',
  source: 'LeVasseur et al. 2004, V3 notification suppression',
  where: { agent: (m) => m.server.state[0] === LOOKING },
  touches: (m, _op, may) => {
    may.readAll(m.status);
    may.readAll(m.work);
    may.write(m.server);
  },
  steps: {
    'look once more': (m) => {
      m.server.state[0] = m.on(lastLook) && m.status.serverTold.includes(1) ? AWAKE : ASLEEP;
    },
  },
});

export const channel = module<Channel, typeof channelTables>('channel', {
  tables: channelTables,
  operations: [submit, consume, take, start, finish, answer, swap, sleep],
  initial: (m) => {
    m.connection.open.fill(1);
  },
});
