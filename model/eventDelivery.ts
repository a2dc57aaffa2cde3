/**
 * Signals: from the sender's hypercall through pending bit, mask, selector and upcall flag to the guest's handler, each a step of its own.
 * Source: Xen `xen/common/event_2l.c` (evtchn_2l_set_pending, evtchn_2l_unmask), `xen/common/event_channel.c` (evtchn_send); the handler
 * as guests write it (Linux `drivers/xen/events/events_2l.c`).
 *
 * A signaller sets pending, and only then looks at the mask, sets the selector bit, sets the upcall flag; the handler takes them back in
 * the other order: upcall flag, selector, pending bit, and then it handles. Whoever finds a bit set already leaves the rest to who set it.
 */
import { domain, runs } from './domains.js';
import {
  EINVAL,
  EVENT_ERRORS,
  type EventChannels,
  exists,
  FREE,
  INTERDOMAIN,
  IPI,
  isOpen,
  port,
  portsOf,
  RESERVED,
  rowOf,
  TODO_EVENT,
  TODO_SELECTOR,
  TODO_UPCALL,
  UNBOUND,
  VIRQ,
  virq,
  wordBit,
} from './eventChannels.js';
import { DONE, type Footprint, jumpTo, operationOn } from './kernel/index.js';

const operation = operationOn<EventChannels>();

const FIND = jumpTo('find port');
const RETURN = jumpTo('return');

/** A signal under way: the port that is signalled. `who` is its domain. */
export interface Signal {
  who: number;
  at: number;
}

/** Takes the channel lock for a signal to port p of domain d. */
function beginSignal(m: EventChannels, op: Signal, d: number, p: number): void {
  op.who = d;
  op.at = p;
  m.channel.busy[rowOf(m, d, p)]++;
}

/** The same for a signal that its domain will be owed: what it tells of has happened before the call. */
function beginOwed(m: EventChannels, op: Signal, d: number, p: number): void {
  beginSignal(m, op, d, p);
  m.channel.owed[rowOf(m, d, p)] = 1;
}

/** Lets the channel lock go: the signal has done its part. */
export function letGo(m: EventChannels, op: Signal): number {
  m.channel.busy[rowOf(m, op.who, op.at)]--;
  return DONE;
}

/** evtchn_2l_set_pending, first: whoever finds the bit set leaves the rest to who set it. */
export function setPendingBit(m: EventChannels, op: Signal): number {
  const row = rowOf(m, op.who, op.at);
  if (m.channel.pending[row] === 1) return letGo(m, op);
  m.channel.pending[row] = 1;
  return 0;
}

/** Second: a masked port is left to whoever unmasks it. */
export function checkMask(m: EventChannels, op: Signal): number {
  return m.channel.mask[rowOf(m, op.who, op.at)] === 1 ? letGo(m, op) : 0;
}

/** Third: test and set of the port's bit in the selector. */
export function setSelector(m: EventChannels, op: Signal): number {
  const bit = wordBit(m, op.at);
  if ((m.vcpu.selector[op.who] & bit) !== 0) return letGo(m, op);
  m.vcpu.selector[op.who] |= bit;
  return 0;
}

/** Fourth: vcpu_mark_events_pending. */
export function setUpcall(m: EventChannels, op: Signal): number {
  m.vcpu.upcallPending[op.who] = 1;
  return letGo(m, op);
}

/** The whole of a signal at once, for hardware and for calls that are never split. */
export function signal(m: EventChannels, d: number, p: number): void {
  const row = rowOf(m, d, p);
  m.channel.owed[row] = 1;
  if (m.channel.pending[row] === 1) return;
  m.channel.pending[row] = 1;
  if (m.channel.mask[row] === 1) return;
  const bit = wordBit(m, p);
  if ((m.vcpu.selector[d] & bit) !== 0) return;
  m.vcpu.selector[d] |= bit;
  m.vcpu.upcallPending[d] = 1;
}

/** Rows that a signal to port p of domain d touches. */
export function touchesSignal(m: EventChannels, d: number, p: number, may: Footprint): void {
  may.write(m.channel, rowOf(m, d, p));
  may.write(m.vcpu, d);
}

/** EVTCHNOP_send. A signal on an unbound port is dropped, and that is success. */
export const sendEvent = operation('event.send', {
  agent: domain,
  path: 'notify',
  says: 'signals on {port}',
  source: 'xen/common/event_channel.c, evtchn_send; xen/common/event_2l.c, evtchn_2l_set_pending',
  input: { port },
  locals: ['who', 'at'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  touches: (m, op, may) => {
    const row = rowOf(m, op.agent, op.port);
    const state = m.channel.state[row];
    if (state === INTERDOMAIN) {
      may.read(m.channel, row);
      touchesSignal(m, m.channel.remote[row], m.channel.remotePort[row], may);
    } else if (state === IPI) touchesSignal(m, op.agent, op.port, may);
    else may.read(m.channel, row);
    // Once the signal is under way, its target is the one that was looked up.
    if (op.at !== 0) touchesSignal(m, op.who, op.at, may);
  },
  steps: {
    'look up port': (m, op) => {
      const row = rowOf(m, op.agent, op.port);
      switch (m.channel.state[row]) {
        case INTERDOMAIN:
          beginOwed(m, op, m.channel.remote[row], m.channel.remotePort[row]);
          return 0;
        case IPI:
          beginOwed(m, op, op.agent, op.port);
          return 0;
        case UNBOUND:
          return DONE;
        default:
          return EINVAL;
      }
    },
    'set pending': setPendingBit,
    'check mask': checkMask,
    'set selector': setSelector,
    'set upcall': setUpcall,
  },
});

/** send_guest_vcpu_virq, send_guest_global_virq: Xen signals a virtual interrupt to whoever has bound it. */
export const raiseVirq = operation('event.raiseVirq', {
  agent: 'vmm',
  path: 'notify',
  says: 'raises {virq} of {target}',
  source: 'xen/common/event_channel.c, send_guest_vcpu_virq, send_guest_global_virq',
  input: { target: domain, port, virq },
  locals: ['who', 'at'],
  where: {
    target: (m, op) => exists(m, op.target),
    port: (m, op) => m.channel.state[rowOf(m, op.target, op.port)] === VIRQ,
    virq: (m, op) => m.channel.virq[rowOf(m, op.target, op.port)] === op.virq,
  },
  touches: (m, op, may) => touchesSignal(m, op.target, op.port, may),
  steps: {
    'look up port': (m, op) => beginOwed(m, op, op.target, op.port),
    'set pending': setPendingBit,
    'check mask': checkMask,
    'set selector': setSelector,
    'set upcall': setUpcall,
  },
});

/** The guest masks a port: a store to its own shared-info page. */
export const maskEvent = operation('event.mask', {
  agent: domain,
  says: 'masks {port}',
  source: 'xen/include/public/xen.h, shared_info.evtchn_mask',
  input: { port },
  where: {
    agent: (m, op) => runs(m, op.agent),
    port: (m, op) => isOpen(m, rowOf(m, op.agent, op.port)) && m.channel.mask[rowOf(m, op.agent, op.port)] === 0,
  },
  touches: (m, op, may) => may.write(m.channel, rowOf(m, op.agent, op.port)),
  steps: {
    'set mask': (m, op) => {
      m.channel.mask[rowOf(m, op.agent, op.port)] = 1;
    },
  },
});

/** EVTCHNOP_unmask: the mask goes first, then pending is looked at: the mirror image of a signaller. */
export const unmaskEvent = operation('event.unmask', {
  agent: domain,
  says: 'unmasks {port}',
  source: 'xen/common/event_channel.c, evtchn_unmask; xen/common/event_2l.c, evtchn_2l_unmask',
  input: { port },
  locals: ['who', 'at', 'seen'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  touches: (m, op, may) => touchesSignal(m, op.agent, op.port, may),
  steps: {
    'look up port': (m, op) => {
      const state = m.channel.state[rowOf(m, op.agent, op.port)];
      if (state === FREE || state === RESERVED) return EINVAL;
      beginSignal(m, op, op.agent, op.port);
      return 0;
    },
    'clear mask': (m, op) => {
      const row = rowOf(m, op.agent, op.port);
      if (m.channel.mask[row] === 0) return letGo(m, op);
      m.channel.mask[row] = 0;
      return 0;
    },
    'check pending': (m, op) => (m.channel.pending[rowOf(m, op.agent, op.port)] === 1 ? 0 : letGo(m, op)),
    'set selector': setSelector,
    'set upcall': setUpcall,
  },
});

/** The guest's upcall: entered with upcalls masked, as Xen delivers them; looks at each port at most once, so its work has a bound. */
export const handleEvents = operation('event.handle', {
  agent: domain,
  path: 'notify',
  says: 'handles its events',
  source: 'xen/include/public/xen.h, vcpu_info (the guest side); Linux drivers/xen/events/events_2l.c',
  where: {
    agent: (m, op) => runs(m, op.agent) && m.vcpu.upcallPending[op.agent] === 1 && m.vcpu.upcallMask[op.agent] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.vcpu, op.agent);
    for (let p = 1; p < portsOf(m); p++) may.write(m.channel, rowOf(m, op.agent, p));
  },
  steps: {
    enter: (m, op) => {
      m.vcpu.upcallMask[op.agent] = 1;
      m.vcpu.todo[op.agent] = TODO_UPCALL | TODO_SELECTOR;
    },
    'clear upcall': (m, op) => {
      m.vcpu.upcallPending[op.agent] = 0;
      m.vcpu.todo[op.agent] &= ~TODO_UPCALL;
    },
    'take selector': (m, op) => {
      m.vcpu.words[op.agent] = m.vcpu.selector[op.agent];
      m.vcpu.selector[op.agent] = 0;
      m.vcpu.todo[op.agent] &= ~TODO_SELECTOR;
    },
    'find port': (m, op) => {
      const d = op.agent;
      const n = portsOf(m);
      for (let p = m.vcpu.cursor[d] + 1; p < n; p++) {
        const row = rowOf(m, d, p);
        if ((m.vcpu.words[d] & wordBit(m, p)) === 0) continue;
        if (m.channel.pending[row] === 0 || m.channel.mask[row] === 1) continue;
        m.vcpu.cursor[d] = p;
        m.vcpu.todo[d] |= TODO_EVENT;
        return 0;
      }
      m.vcpu.cursor[d] = 0;
      m.vcpu.words[d] = 0;
      return RETURN;
    },
    'clear pending': (m, op) => {
      m.channel.pending[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
    },
    handle: (m, op) => {
      m.channel.owed[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
      m.vcpu.todo[op.agent] &= ~TODO_EVENT;
      return FIND;
    },
    return: (m, op) => {
      m.vcpu.upcallMask[op.agent] = 0;
    },
  },
});
