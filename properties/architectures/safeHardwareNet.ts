/**
 * What the net channel of the Safe Hardware Interface must keep: X-S2, X-S3, X-S7, X-S9, X-L1 and X-L3 of the architecture's invariants,
 * where its DMA goes, and what is left of a driver domain that died. Properties of transmission first, then those of reception.
 */

import { FULL, ownedBy, type Receive, SPARE, TOLD } from '../../model/architectures/safeHardware/netReceive.js';
import {
  CONNECTED,
  DRIVER,
  guestDomain,
  HONEST,
  type Net,
  serves,
  stillReached,
} from '../../model/architectures/safeHardware/netState.js';
import { ASLEEP, isLent, SENDING, type Transmit } from '../../model/architectures/safeHardware/netTransmit.js';
import { ABSENT, DYING, generation, RUNNING } from '../../model/domains.js';
import { TYPE_VMM } from '../../model/frames.js';
import { NONE } from '../../model/kernel/index.js';
import { following, indexMask, ringSlot, slotOf } from '../../model/ring.js';
import { invariant, progress } from '../property.js';

const RESPONSE = 2;

/** The guest that owns a frame, or NONE. */
function guestOf(m: Net, f: number): number {
  const owner = m.frame.owner[f];
  return owner === NONE || owner < guestDomain(0) ? NONE : owner - guestDomain(0);
}

const cpuReaches = (m: Net, f: number): boolean => m.reach.entry[f] === 1 || m.reach.tlb[f] === 1;

/** A frame that the driver domain has mapped without being entitled to it, or -1. */
function strayMapping(m: Transmit): number {
  for (let f = 0; f < m.frame.rows; f++) {
    if (!cpuReaches(m, f) || m.frame.owner[f] === DRIVER || isLent(m, f)) continue;
    const g = guestOf(m, f);
    // A hostile guest may name any frame of its own; a guest that believed a forged answer uses its buffer too early.
    if (g !== NONE && (m.link.hostile[g] !== HONEST || m.link.tainted[g] === 1)) continue;
    return f;
  }
  return -1;
}

export const mapsOnlyOffered = invariant<Transmit>('X-S2', 'mapped frames', {
  states: 'the driver domain maps only its own frames and those that a guest has offered in its channel',
  holds: (m) => strayMapping(m) < 0,
  explain: (m) => {
    const f = strayMapping(m);
    const whose = m.frame.type[f] === TYPE_VMM ? 'the VMM’s' : `domain ${m.frame.owner[f]}’s`;
    return `the driver domain maps frame ${f}, which is ${whose} and was not offered`;
  },
  witnesses: { 'a buffer is mapped': (m) => m.reach.entry.includes(1) },
});

/** Whether some buffer that was answered fails the test. */
function someAnswered(m: Transmit, test: (f: number) => boolean): boolean {
  for (let row = 0; row < m.txSlot.rows; row++) {
    if (m.txSlot.state[row] !== RESPONSE || m.sent.lent[row] === NONE) continue;
    const g = guestOf(m, m.sent.lent[row]);
    if (g === NONE || m.link.tainted[g] === 1 || m.link.hostile[g] !== HONEST) continue;
    if (test(m.sent.lent[row])) return true;
  }
  return false;
}

export const answeredUnmapped = invariant<Transmit>('X-S9', 'answered buffers', {
  states: 'when a transmission is answered, no page table and no TLB of the driver domain has the buffer any more',
  holds: (m) => !someAnswered(m, (f) => cpuReaches(m, f)),
  witnesses: { 'a packet is answered': (m) => someAnswered(m, () => true) },
});

export const answeredOutOfDma = invariant<Transmit>('X-S9', 'answered buffers and DMA', {
  states: 'when a transmission is answered, the card reaches the buffer by no translation and no DMA in flight',
  holds: (m) => !someAnswered(m, (f) => m.reach.io[f] === 1 || m.reach.iotlb[f] === 1 || m.nic.dma[0] === f),
  witnesses: { 'a packet is answered': (m) => someAnswered(m, () => true) },
});

/** Whether the frame that a DMA is in flight for passes the test. */
const dmaAt = (m: Net, test: (f: number) => boolean): boolean => m.nic.dma[0] !== NONE && test(m.nic.dma[0]);
const isVmm = (m: Net, f: number): boolean => m.frame.type[f] === TYPE_VMM;
const dmaInFlight = { 'a DMA is in flight': (m: Net) => m.nic.dma[0] !== NONE };

export const dmaSparesVmm = invariant<Net>('X-N1', 'DMA to the VMM', {
  states: 'no DMA of the driver domain’s card is in flight to memory of the VMM',
  holds: (m) => !dmaAt(m, (f) => isVmm(m, f)),
  witnesses: dmaInFlight,
});

export const dmaSparesOthers = invariant<Transmit>('X-N2', 'DMA to other domains', {
  states: 'no DMA of the card is in flight to a frame of another domain that was not lent',
  holds: (m) =>
    !dmaAt(m, (f) => {
      const g = guestOf(m, f);
      return g !== NONE && !isLent(m, f) && m.link.hostile[g] === HONEST && m.link.tainted[g] === 0;
    }),
  witnesses: dmaInFlight,
});

export const filteredIsSent = invariant<Transmit>('I5', 'header', {
  states: 'the header on the wire is the one that was filtered',
  holds: (m) => m.wire.spoofed[0] === 0,
  witnesses: {
    'a guest changes what it has written': (m) => m.link.hostile.includes(2) && m.txWork.stage.includes(SENDING),
  },
});

export const withinPage = invariant<Transmit>('I7', 'packet size', {
  states: 'no packet is sent whose size or page boundaries break the rules',
  holds: (m) => m.wire.beyond[0] === 0,
  witnesses: { 'a malformed guest is served': (m) => m.link.hostile.includes(1) && m.txWork.stage.includes(SENDING) },
});

/** A packet that has been out on the wire and waits to be taken from the ring again, or has been out twice. */
function repeats(m: Transmit): boolean {
  const slots = m.size(ringSlot);
  for (let g = 0; g < m.txRing.rows; g++) {
    if (m.link.hostile[g] !== HONEST || m.link.tainted[g] === 1) continue;
    for (let i = m.txRing.cons[g]; i !== m.txRing.prod[g]; i = following(i, indexMask(m))) {
      const row = m.sent.at(g, slotOf(i, slots));
      if (m.sent.lent[row] !== NONE && m.sent.wire[row] > 0) return true;
    }
  }
  return m.sent.wire.includes(2);
}

export const sentOnce = invariant<Transmit>('X-S7', 'packets', {
  states: 'a packet goes out at most once, and one that is out is not offered again',
  holds: (m) => !repeats(m),
  witnesses: {
    'a packet is out': (m) => m.sent.wire.includes(1),
    'a packet is outstanding with its driver dead': (m) =>
      m.domain.life[DRIVER] === DYING && m.sent.lent.some((f) => f !== NONE),
  },
});

export const responsesMatch = invariant<Transmit>('X-S7', 'responses', {
  states: 'a guest acts only on responses that answer a request of its own that is outstanding',
  holds: (m) => !m.link.confused.includes(1),
  witnesses: { 'a ring is tainted': (m) => m.link.tainted.includes(1) },
});

/** EV2 and RG1, for the event index. */
export const noSleepBesideWork = invariant<Transmit>('RG1', 'event index', {
  states: 'the driver domain does not sleep beside a request that it was not notified of',
  holds: (m) => {
    for (let g = 0; g < m.txRing.rows; g++) {
      if (m.link.state[g] !== CONNECTED || m.link.hostile[g] !== HONEST || m.link.tainted[g] === 1) continue;
      if (m.domain.life[DRIVER] !== RUNNING || m.txRing.backend[g] !== ASLEEP || m.txRing.kick[g] === 1) continue;
      if (m.txRing.prod[g] !== m.txRing.cons[g]) return false;
    }
    return true;
  },
  witnesses: {
    'it sleeps after work': (m) => m.txRing.backend.includes(ASLEEP) && m.txRing.cons.some((c) => c !== 0),
  },
});

/** I9, for the id of the driver domain. */
export const deadReachesNothing = invariant<Net>('I9', 'driver domain', {
  states: 'a driver domain that is gone reaches nothing: no mapping, no translation, no DMA in flight',
  holds: (m) => {
    if (m.domain.life[DRIVER] !== ABSENT) return true;
    for (let f = 0; f < m.reach.rows; f++) if (stillReached(m, f)) return false;
    return true;
  },
  witnesses: { 'it is gone': (m) => m.domain.life[DRIVER] === ABSENT },
});

/** A buffer that its guest uses as its own is in nobody's reach, whether its driver lives or died. */
export const reusedWhenSafe = invariant<Transmit>('XB4', 'buffers after a failure', {
  states: 'a guest that has taken its buffers back shares them with no driver domain, dead or alive',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const g = guestOf(m, f);
      if (g === NONE || m.link.hostile[g] !== HONEST || m.link.tainted[g] === 1 || isLent(m, f)) continue;
      if (cpuReaches(m, f) || m.reach.io[f] === 1 || m.reach.iotlb[f] === 1) return false;
    }
    return true;
  },
  witnesses: { 'a guest has discarded its packets': (m) => m.link.state.includes(0) },
});

const nothingLent = (m: Transmit): boolean =>
  m.sent.lent.every((f) => f === NONE) && m.txWork.stage.every((s) => s === 0);

/** k restarts leak nothing: at rest the machine has what it had in the beginning. */
export const censusTransmit = invariant<Transmit>('X-R1', 'census of transmission', {
  states:
    'with nothing under way, a restarted driver domain has no more mappings, translations and DMA than the first one had',
  holds: (m) => {
    if (!nothingLent(m) || m.nic.dma[0] !== NONE || m.domain.life[DRIVER] !== RUNNING) return true;
    for (let f = 0; f < m.frame.rows; f++) if (stillReached(m, f) || m.frame.refs[f] !== 1) return false;
    return true;
  },
  witnesses: {
    'the last life of the driver domain is at rest': (m) =>
      m.domain.generation[DRIVER] + 1 === m.size(generation) && nothingLent(m) && m.domain.life[DRIVER] === RUNNING,
  },
});

const waits = (m: Transmit): boolean => {
  for (let row = 0; row < m.sent.rows; row++) {
    if (m.sent.lent[row] === NONE) continue;
    const g = guestOf(m, m.sent.lent[row]);
    if (g !== NONE && m.link.tainted[g] === 0 && m.link.hostile[g] === HONEST) return true;
  }
  return false;
};

export const packetsEnd = progress<Transmit>('X-L1', 'packets', {
  states:
    'every packet of a guest is sent or given up, whatever happens to the driver domain, and its buffer comes back',
  pending: waits,
  goal: (m) => !waits(m),
  witnesses: {
    'a packet waits for a hung driver': (m) => waits(m) && m.driver.hung[0] === 1,
    'a packet waits for a dead driver': (m) => waits(m) && m.domain.life[DRIVER] === DYING,
  },
});

/** The same without the controller: a hang is its time-out's business alone. */
export const packetsEndUnaided = progress<Transmit>('X-L1', 'packets unaided', {
  states: 'every packet is sent or given up although the driver domain hangs and nobody ends it',
  pending: waits,
  goal: (m) => !waits(m),
  without: ['manager.destroy', 'manager.suspect'],
  witnesses: { 'a packet waits for a hung driver': (m) => waits(m) && m.driver.hung[0] === 1 },
});

export const serviceReturns = progress<Net>('X-L1', 'restart', {
  states:
    'a driver domain that died or hangs is replaced as long as it has another life, and every guest is connected again',
  pending: (m) => !serves(m) && m.domain.generation[DRIVER] + 1 < m.size(generation),
  goal: (m) => m.domain.life[DRIVER] === RUNNING && everyoneConnected(m),
  witnesses: { 'service is down': (m) => !serves(m) },
});

function everyoneConnected(m: Net): boolean {
  for (let g = 0; g < m.link.rows; g++) {
    if (m.domain.life[guestDomain(g)] === RUNNING && m.link.state[g] !== CONNECTED) return false;
  }
  return true;
}

/** Whether the guest that owns the frame knows that it does. */
function isKnown(m: Receive, f: number): boolean {
  return guestOf(m, f) !== NONE && (m.rxFrame.stage[f] === SPARE || m.rxFrame.stage[f] === TOLD);
}

export const flippedOutOfReach = invariant<Receive>('X-S3', 'flipped frames', {
  states: 'a frame that a guest was told of is in no page table and no TLB of the driver domain',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (isKnown(m, f) && (cpuReaches(m, f) || m.rxFrame.second[f] === 1)) return false;
    }
    return true;
  },
  witnesses: { 'a packet is delivered': (m) => m.rxFrame.stage.includes(TOLD) },
});

export const flippedOutOfDma = invariant<Receive>('X-S3', 'flipped frames and DMA', {
  states: 'a frame that was given away is reached by no translation of the card and no DMA in flight',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (guestOf(m, f) === NONE) continue;
      if (m.reach.io[f] === 1 || m.reach.iotlb[f] === 1 || m.nic.dma[0] === f) return false;
    }
    return true;
  },
  witnesses: { 'a packet is delivered': (m) => m.rxFrame.stage.includes(TOLD) },
});

export const dmaSparesGuests = invariant<Receive>('X-N2', 'DMA to other domains', {
  states: 'no DMA of the card is in flight to a frame that is a guest’s or nobody’s',
  holds: (m) => !dmaAt(m, (f) => !isVmm(m, f) && m.frame.owner[f] !== DRIVER),
  witnesses: dmaInFlight,
});

/** X-S3: owners are unique by the table; what can go wrong is the number. */
export const framesConserved = invariant<Receive>('X-S3', 'conservation', {
  states: 'a guest never owns more than its reservation, the gone own nothing, and references equal holders',
  holds: (m) => {
    for (let g = 0; g < m.rx.rows; g++) if (ownedBy(m, guestDomain(g)) > m.rx.reservation[g]) return false;
    for (let f = 0; f < m.frame.rows; f++) {
      const owner = m.frame.owner[f];
      if (isVmm(m, f)) continue;
      if (owner !== NONE && m.domain.life[owner] === ABSENT) return false;
      if (m.frame.refs[f] !== (owner === NONE ? 0 : 1 + m.rxFrame.second[f])) return false;
    }
    return true;
  },
  witnesses: {
    'a frame is on the heap': (m) => m.frame.refs.includes(0),
    'a guest is gone': (m) => m.domain.life.indexOf(ABSENT, guestDomain(0)) >= 0,
  },
});

export const rightGuest = invariant<Receive>('X-S7', 'delivery', {
  states: 'a packet is delivered to the guest that it is for, and to no other',
  holds: (m) => !m.rx.misdelivered.includes(1),
  witnesses: { 'a packet is delivered': (m) => m.rxFrame.stage.includes(TOLD) },
});

const blocked = (m: Receive): boolean => serves(m) && m.rxFrame.stage.includes(FULL);

export const receptionGoesOn = progress<Receive>('X-L3', 'reception', {
  states: 'a packet does not wait for its guest: it is delivered or dropped although the guest posts nothing',
  pending: blocked,
  goal: (m) => !blocked(m),
  without: ['rx.post', 'rx.receive', 'manager.suspect'],
  witnesses: { 'a packet has come for a guest without room': (m) => blocked(m) && m.rx.credits.every((c) => c === 0) },
});

export const censusReceive = progress<Receive>('X-R1', 'census of reception', {
  states: 'however often the driver domain dies, guests and driver domain come to own what they owned in the beginning',
  pending: (m) => m.domain.generation[DRIVER] > 0,
  goal: (m) => {
    if (m.domain.life[DRIVER] !== RUNNING) return m.domain.generation[DRIVER] + 1 >= m.size(generation);
    for (let g = 0; g < m.rx.rows; g++) {
      if (m.domain.life[guestDomain(g)] === RUNNING && ownedBy(m, guestDomain(g)) === 0 && m.rx.credits[g] === 0)
        return false;
    }
    return ownedBy(m, DRIVER) > 0;
  },
  witnesses: {
    'it is the last life of the driver domain': (m) => m.domain.generation[DRIVER] + 1 === m.size(generation),
  },
});
