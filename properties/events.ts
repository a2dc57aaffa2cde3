/**
 * What event channels must keep: links with two ends, signals only from those entitled, no lost wake-up, nothing left on ports that are
 * used again, and nobody's ports or registrations in a stranger's hands.
 */
import { ABSENT, CONTROL } from '../model/domains.js';
import { resetEvents } from '../model/eventBinding.js';
import {
  type EventChannels,
  FREE,
  INTERDOMAIN,
  isOpen,
  portsOf,
  RESERVED,
  rowOf,
  TODO_EVENT,
  TODO_SELECTOR,
  UNBOUND,
  VIRQ,
  VIRQ_DOM_EXC,
  wordBit,
} from '../model/eventChannels.js';
import { handleEvents, sendEvent } from '../model/eventDelivery.js';
import { NONE } from '../model/kernel/index.js';
import { invariant, progress, relation } from './property.js';

/** The agent of the last transition: a domain, or -1 when it was Xen or the control domain's own tools. */
function agentOf(m: EventChannels): number {
  return typeof m.current.op.agent === 'string' ? -1 : m.current.call.agent;
}

const someRow = (m: EventChannels, test: (row: number) => boolean): boolean => {
  for (let row = 0; row < m.channel.rows; row++) if (test(row)) return true;
  return false;
};

function linksAreSymmetric(m: EventChannels): boolean {
  const n = portsOf(m);
  for (let row = 0; row < m.channel.rows; row++) {
    if (m.channel.state[row] !== INTERDOMAIN) continue;
    const peer = rowOf(m, m.channel.remote[row], m.channel.remotePort[row]);
    if (m.channel.state[peer] !== INTERDOMAIN) return false;
    if (rowOf(m, m.channel.remote[peer], m.channel.remotePort[peer]) !== row) return false;
    if (m.channel.remotePort[peer] !== row % n) return false;
  }
  return true;
}

/** EV1. */
export const linksSymmetric = invariant<EventChannels>('I8', 'links', {
  states: 'the two ends of a channel name each other',
  holds: linksAreSymmetric,
  witnesses: {
    'two domains are linked': (m) => someRow(m, (r) => m.channel.state[r] === INTERDOMAIN),
  },
});

/** EV5: who may make an event pending at a port: its domain, its peer, Xen. */
export const signalsEntitled = relation<EventChannels>('I8', 'signals', {
  states: 'a port is signalled only by its peer, by Xen or by its own domain, and nobody else takes a signal away',
  holds: (before, after) => {
    const agent = agentOf(after);
    if (agent < 0) return true;
    const n = portsOf(after);
    for (let row = 0; row < after.channel.rows; row++) {
      const was = before.channel.pending[row];
      const is = after.channel.pending[row];
      if (was === is || agent === Math.floor(row / n)) continue;
      if (is === 0) {
        if (agent !== CONTROL) return false;
      } else if (before.channel.state[row] !== INTERDOMAIN || before.channel.remote[row] !== agent) return false;
    }
    return true;
  },
  explain: (_before, after) => `domain ${agentOf(after)} changes what is pending at a port that it has no part in`,
  witnesses: { 'an event is pending': (m) => someRow(m, (r) => m.channel.pending[r] === 1) },
});

/** A channel comes to be only with the domain that its first end was opened for. */
export const consentAsked = relation<EventChannels>('I8', 'consent', {
  states: 'a port is joined only by the domain that it was opened for',
  holds: (before, after) => {
    for (let row = 0; row < after.channel.rows; row++) {
      if (before.channel.state[row] !== UNBOUND || after.channel.state[row] !== INTERDOMAIN) continue;
      if (before.channel.remote[row] !== after.channel.remote[row]) return false;
    }
    return true;
  },
  witnesses: { 'a port waits to be joined': (m) => someRow(m, (r) => m.channel.state[r] === UNBOUND) },
});

/** What was promised to a domain is not redeemed by the next holder of its id. */
export const consentFresh = relation<EventChannels>('I9', 'consent', {
  states: 'a port that was opened for a domain is not joined by the next holder of its id',
  holds: (before, after) => {
    for (let row = 0; row < after.channel.rows; row++) {
      if (before.channel.state[row] !== UNBOUND || after.channel.state[row] !== INTERDOMAIN) continue;
      if (before.channel.epoch[row] !== after.domain.generation[after.channel.remote[row]]) return false;
    }
    return true;
  },
  witnesses: { 'an id lives its second life': (m) => m.domain.generation[1] > 0 && m.domain.life[1] !== ABSENT },
});

/** A free port, and an id that nobody has, carry nothing of their last use. */
export const portsFresh = invariant<EventChannels>('I9', 'ports', {
  states:
    'a port that can be used again has nothing pending, and an id that can be used again has nothing set in its shared-info page',
  holds: (m) => {
    const n = portsOf(m);
    for (let row = 0; row < m.channel.rows; row++) {
      const d = Math.floor(row / n);
      if (m.channel.state[row] === FREE && (m.channel.pending[row] === 1 || m.channel.owed[row] === 1)) return false;
      if (m.domain.life[d] === ABSENT && (isOpen(m, row) || m.channel.mask[row] === 1)) return false;
    }
    for (let d = 0; d < m.vcpu.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      if (m.vcpu.upcallPending[d] !== 0 || m.vcpu.selector[d] !== 0 || m.vcpu.upcallMask[d] !== 0) return false;
    }
    return true;
  },
  witnesses: { 'an event is pending': (m) => someRow(m, (r) => m.channel.pending[r] === 1) },
});

/** Whether anything that was signalled and is not masked has a way to the handler. */
function wakeUpIsSafe(m: EventChannels): boolean {
  const n = portsOf(m);
  for (let d = 0; d < m.vcpu.rows; d++) {
    let busyWords = 0;
    for (let p = 1; p < n; p++) {
      const row = d * n + p;
      const bit = wordBit(m, p);
      const inHand = m.vcpu.cursor[d] === p && (m.vcpu.todo[d] & TODO_EVENT) !== 0;
      if (m.channel.busy[row] > 0) {
        busyWords |= bit;
        continue;
      }
      if (m.channel.pending[row] === 0) {
        if (m.channel.owed[row] === 1 && !inHand && isOpen(m, row)) return false;
      } else if (m.channel.mask[row] === 0) {
        const scanned = (m.vcpu.words[d] & bit) !== 0 && m.vcpu.cursor[d] < p;
        if ((m.vcpu.selector[d] & bit) === 0 && !scanned && !inHand) return false;
      }
    }
    const waiting = m.vcpu.selector[d] & ~busyWords;
    const willTake = (m.vcpu.todo[d] & TODO_SELECTOR) !== 0;
    if (waiting !== 0 && m.vcpu.upcallPending[d] === 0 && !willTake) return false;
  }
  return true;
}

/** EV2 and EV3, as a state invariant: every link of the chain from the signal to the handler. */
export const noLostWakeUp = invariant<EventChannels>('EV2', 'wake-up', {
  states:
    'what was signalled is pending or in hand; what is pending and not masked is in the selector or being scanned; a selector has its upcall',
  holds: wakeUpIsSafe,
  witnesses: {
    'an event is pending': (m) => someRow(m, (r) => m.channel.pending[r] === 1),
    'an upcall is pending': (m) => m.vcpu.upcallPending.includes(1),
  },
});

/** An event that its domain has masked waits, and is found when the mask goes. */
export const maskedEdgeSeen = invariant<EventChannels>('EV2', 'masked edge', {
  states: 'an event that comes while its port is masked stays pending',
  holds: (m) => {
    for (let row = 0; row < m.channel.rows; row++) {
      const lost = m.channel.owed[row] === 1 && m.channel.pending[row] === 0 && m.channel.busy[row] === 0;
      if (lost && m.channel.mask[row] === 1 && isOpen(m, row)) {
        const d = Math.floor(row / portsOf(m));
        if (m.vcpu.cursor[d] !== row % portsOf(m) || (m.vcpu.todo[d] & TODO_EVENT) === 0) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a masked event is pending': (m) => someRow(m, (r) => m.channel.mask[r] === 1 && m.channel.pending[r] === 1),
  },
});

const waits = (m: EventChannels): boolean => someRow(m, (r) => m.channel.owed[r] === 1 && m.channel.mask[r] === 0);

/** EV2 as progress: nobody needs to signal, mask or unmask again. */
export const eventsArrive = progress<EventChannels>('EV2', 'arrival', {
  states: 'every event that is signalled and not masked is handled',
  pending: waits,
  goal: (m) => !waits(m),
  without: ['event.send', 'event.mask', 'event.unmask'],
  witnesses: { 'an event waits': waits },
});

/** The handler's work does not depend on how often others signal. */
export const handlerEnds = relation<EventChannels>('I12', 'handler', {
  states: 'one run of the handler looks at each port at most once',
  holds: (before, after) => {
    for (let d = 0; d < after.vcpu.rows; d++) {
      const starts = (after.vcpu.todo[d] & TODO_EVENT) !== 0 && (before.vcpu.todo[d] & TODO_EVENT) === 0;
      if (starts && after.vcpu.cursor[d] <= before.vcpu.cursor[d]) return false;
    }
    return true;
  },
  witnesses: { 'the handler has an event in hand': (m) => (m.vcpu.todo[1] & TODO_EVENT) !== 0 },
});

/** A domain's ports are used up by nobody but itself and the control domain. */
export const portsFair = relation<EventChannels>('I14', 'ports', {
  states: "a domain's ports are opened and closed only by itself, the control domain or Xen",
  holds: (before, after) => {
    const agent = agentOf(after);
    if (agent <= CONTROL) return true;
    const n = portsOf(after);
    for (let row = 0; row < after.channel.rows; row++) {
      if (Math.floor(row / n) === agent) continue;
      if (before.channel.state[row] > RESERVED !== after.channel.state[row] > RESERVED) return false;
    }
    return true;
  },
  witnesses: {
    'a domain has no port left': (m) => {
      for (let p = 1; p < portsOf(m); p++) if (!isOpen(m, rowOf(m, 1, p))) return false;
      return true;
    },
  },
});

/** A registration for the whole machine ends by who holds it, not by a stranger's failure. */
export const registrationFair = relation<EventChannels>('I14', 'registration', {
  states: 'the registration for domain states ends only by its holder',
  holds: (before, after) => {
    const holder = before.registration.holder[0];
    if (holder === NONE || after.registration.holder[0] === holder) return true;
    const agent = agentOf(after);
    return agent < 0 || agent === holder;
  },
  witnesses: {
    'the registration is held': (m) => m.registration.holder[0] !== NONE,
    'a domain binds its own virtual interrupt': (m) =>
      someRow(m, (r) => m.channel.state[r] === VIRQ && r >= portsOf(m)),
  },
});

/** When reset says that all ports are closed, they are. */
export const resetIsWhole = relation<EventChannels>('I4', 'reset', {
  states: 'when a reset succeeds, no port of its target is open',
  holds: (_before, after, status) => {
    if (status !== 0 || !after.finished || after.current.op.name !== resetEvents.name) return true;
    const target = after.current.call.target;
    for (let p = 1; p < portsOf(after); p++) if (isOpen(after, rowOf(after, target, p))) return false;
    return true;
  },
  witnesses: { 'a port is open': (m) => someRow(m, (r) => isOpen(m, r)) },
});

/** Locks are held by whoever is in a signal, and by nobody else. */
export const locksCounted = invariant<EventChannels>('I2', 'channel locks', {
  states: 'the locks of channels that are held are not more than the signals under way',
  holds: (m) => {
    const threads: Uint8Array | undefined = (m as EventChannels & { thread?: { op: Uint8Array } }).thread?.op;
    let underWay = 0;
    if (threads) for (let t = 0; t < threads.length; t++) if (threads[t] !== 0) underWay++;
    let held = 0;
    for (let row = 0; row < m.channel.rows; row++) held += m.channel.busy[row];
    return held <= underWay;
  },
  witnesses: { 'an event is pending': (m) => someRow(m, (r) => m.channel.pending[r] === 1) },
});

/** BindVirq: one port for each virtual interrupt, and the registration goes with its port. */
export const virqsCounted = invariant<EventChannels>('I2', 'virtual interrupts', {
  states:
    'a domain has at most one port for a virtual interrupt, and is registered for domain states while it has that one',
  holds: (m) => {
    const n = portsOf(m);
    for (let d = 0; d < m.vcpu.rows; d++) {
      let bound = 0;
      for (let p = 1; p < n; p++) {
        const row = d * n + p;
        if (m.channel.state[row] !== VIRQ) continue;
        const bit = 1 << m.channel.virq[row];
        if ((bound & bit) !== 0) return false;
        bound |= bit;
      }
      if (((bound >> VIRQ_DOM_EXC) & 1) !== (m.registration.holder[0] === d ? 1 : 0)) return false;
    }
    return true;
  },
  witnesses: { 'the registration is held': (m) => m.registration.holder[0] !== NONE },
});

/** Port 0. */
export const reservedStays = invariant<EventChannels>('I13', 'reserved port', {
  states: 'port 0 stays reserved',
  holds: (m) => {
    for (let d = 0; d < m.vcpu.rows; d++) if (m.channel.state[rowOf(m, d, 0)] !== RESERVED) return false;
    return true;
  },
  witnesses: { 'a port is open': (m) => someRow(m, (r) => isOpen(m, r)) },
});

/** Whole calls: a handler that nobody disturbs is done when it returns. */
export const handlerSettles = relation<EventChannels>('I12', 'upcall', {
  states: 'a handler that nobody disturbs leaves no upcall and no selector bit behind',
  holds: (_before, after) => {
    if (after.current.op.name !== handleEvents.name) return true;
    const d = after.current.call.agent;
    return after.vcpu.upcallPending[d] === 0 && after.vcpu.selector[d] === 0 && after.vcpu.upcallMask[d] === 0;
  },
  witnesses: { 'an upcall is pending': (m) => m.vcpu.upcallPending.includes(1) },
});

/** Whole calls: masking a port is a defence against storms. */
export const maskHolds = relation<EventChannels>('I14', 'mask', {
  states: 'a signal on a masked port does not wake its domain',
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.name !== sendEvent.name && op.fault !== 'F9') return true;
    const row = rowOf(before, call.agent, call.port);
    if (before.channel.state[row] !== INTERDOMAIN) return true;
    const peer = before.channel.remote[row];
    if (before.channel.mask[rowOf(before, peer, before.channel.remotePort[row])] === 0) return true;
    return (
      after.vcpu.upcallPending[peer] === before.vcpu.upcallPending[peer] &&
      after.vcpu.selector[peer] === before.vcpu.selector[peer]
    );
  },
  witnesses: {
    'a masked event is pending': (m) => someRow(m, (r) => m.channel.mask[r] === 1 && m.channel.pending[r] === 1),
  },
});
