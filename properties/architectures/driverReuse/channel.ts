/** What must hold of the channel of a DD/OS: DD-S6, DD-S7, DD-S9, DD-L3, and whose processor an interrupt storm takes. */
import {
  ASLEEP,
  BEYOND,
  type Channel,
  CLIENTS,
  IN_FLIGHT,
  inFlightOf,
  isHostileClient,
  NOTHING,
  PERFORMED,
  SERVERS,
  shareOf,
} from '../../../model/architectures/driverReuse/channelState.js';
import type { Interrupts } from '../../../model/architectures/driverReuse/interruptIpc.js';
import { queueLength, type Receive } from '../../../model/architectures/driverReuse/receive.js';
import { NONE } from '../../../model/kernel/index.js';
import { invariant, progress } from '../../property.js';

const works = (m: Channel): boolean => m.work.stage.includes(IN_FLIGHT);

/** DD-S6. */
export const ddOwner = invariant<Channel>('DD-S6', 'one owner', {
  states: 'a slot that is its client\u2019s again is in nobody\u2019s work',
  holds: (m) => {
    for (let r = 0; r < m.ring.rows; r++) {
      if (m.ring.owner[r] === CLIENTS && m.work.stage[r] !== NOTHING) return false;
    }
    return true;
  },
  witnesses: {
    'a DMA is in flight': works,
    'a slot was handed back': (m) => m.request.outstanding.some((o, r) => o === 1 && m.ring.owner[r] === CLIENTS),
  },
});

/** DD-S6, from the client's side. */
export const ddNotes = invariant<Channel>('DD-S6', 'own notes', {
  states: 'a client takes back only what it has handed over',
  holds: (m) => !m.seen.confused.includes(1),
  witnesses: { 'an answer was forged': (m) => m.ring.failed.some((f, r) => f === 1 && m.request.outstanding[r] === 0) },
});

/** DD-S7, however the address came to be wrong. */
const ownMemory = (name: string) =>
  invariant<Channel>('DD-S7', name, {
    states: 'a request that is in flight is about its own client\u2019s memory',
    holds: (m) => {
      for (let r = 0; r < m.work.rows; r++) {
        if (m.work.stage[r] >= IN_FLIGHT && m.work.address[r] === BEYOND) return false;
      }
      return true;
    },
    explain: () => 'the device was given an address beyond the client',
    witnesses: {
      'a DMA is in flight': works,
      'a slot names memory beyond its client': (m) => m.ring.address.includes(BEYOND),
    },
  });
export const ddOwnMemory = ownMemory('own memory');
export const ddSingleFetch = ownMemory('one look');

/** DD-S8: what is nobody else's business. */
export const ddRange = invariant<Channel>('DD-S8', 'physical range', {
  states: 'where a client\u2019s memory lies is known to its servers only',
  holds: (m) => !m.seen.exposed.includes(1),
  witnesses: { 'a DMA is in flight': works },
});

/** Whether an honest client's slot waits for the server. */
function waitingSlot(m: Channel): boolean {
  const slots = m.ring.rows / m.connection.rows;
  for (let c = 0; c < m.connection.rows; c++) {
    if (isHostileClient(m, c)) continue;
    for (let s = 0; s < slots; s++) {
      const r = m.ring.at(c, s);
      if (m.work.stage[r] === PERFORMED || (m.ring.owner[r] === SERVERS && m.work.stage[r] === NOTHING)) return true;
    }
  }
  return false;
}

/** DD-L3, as an invariant: no wake-up of an honest client is lost. */
export const ddWake = invariant<Channel>('DD-L3', 'wake-up', {
  states: 'the server does not sleep beside work of an honest client',
  holds: (m) => m.server.state[0] !== ASLEEP || !waitingSlot(m),
  witnesses: { 'the server is awake': (m) => m.server.state[0] !== ASLEEP, 'a slot waits': waitingSlot },
});

/** DD-L3: what one client can have of the server. */
export const ddShare = invariant<Channel>('DD-L3', 'share', {
  states: 'no client has more than its share of the DMA vector',
  holds: (m) => {
    for (let c = 0; c < m.connection.rows; c++) if (inFlightOf(m, c) > shareOf(m)) return false;
    return true;
  },
  witnesses: { 'a DMA is in flight': works },
});

/** DD-L3. */
export const ddServed = progress<Channel>('DD-L3', 'served', {
  states: 'a request of an honest client is answered, whatever the others do',
  pending: (m) => m.request.outstanding[0] === 1,
  goal: (m) => m.request.outstanding[0] === 0,
  without: ['client.submit'],
  witnesses: { 'a request is outstanding': (m) => m.request.outstanding[0] === 1 },
});

/** DD-S9. */
export const ddCopy = invariant<Receive>('DD-S9', 'copy', {
  states: 'a copy ends where the client\u2019s buffer ends',
  holds: (m) => !m.rx.overrun.includes(1),
  witnesses: { 'a packet was received': (m) => m.rx.received.some((n) => n > 0) },
});

/** DD-L3, for packets. */
export const ddQueue = invariant<Receive>('DD-L3', 'queue', {
  states: 'no client\u2019s queue grows beyond its bound',
  holds: (m) => m.rx.queued.every((n) => n <= m.size(queueLength)),
  witnesses: { 'a queue is full': (m) => m.rx.queued.includes(m.size(queueLength)) },
});

/** DD-L3, for packets: the first client reads, the others need not. */
export const ddDelivered = progress<Receive>('DD-L3', 'delivered', {
  states: 'packets of a client that reads are delivered, whether the others read or not',
  pending: (m) => m.rx.queued[0] > 0,
  goal: (m) => m.rx.received[0] > 0,
  // The last client never waits for a packet; the first one does.
  without: ['lastClient.wait', 'device.receive'],
  witnesses: { 'a packet is queued': (m) => m.rx.queued[0] > 0 },
});

/** Whom a storm takes the processor from. */
export const ddProcessor = progress<Interrupts>('DD-L3', 'processor', {
  states: 'clients get their turns, however often a device interrupts',
  pending: (m) => m.processor.ran[0] === 0,
  goal: (m) => m.processor.ran[0] === 1,
  witnesses: { 'a device storms': (m) => m.irq.storm[0] === 1, 'the handler is ready': (m) => m.irq.handler[0] === 1 },
});

/** The line stays masked while its thread has not answered. */
export const ddMasked = invariant<Interrupts>('DD-L3', 'masked', {
  states: 'the line of an interrupt that is being handled is masked',
  holds: (m) => m.irq.handler[0] === 0 || m.irq.masked[0] === 1,
  witnesses: { 'a device storms': (m) => m.irq.storm[0] === 1, 'a client has its turn': (m) => m.turn.of[0] !== NONE },
});
