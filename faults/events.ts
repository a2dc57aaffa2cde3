/**
 * Attacks on event channels, and the mistakes that have been made in them: each fault with the gate that should stop it, each mutant
 * with what it leaves out or does in the wrong order.
 */

import { mutant } from '../drivers/suite.js';
import { CONTROL, domain, runs } from '../model/domains.js';
import { bindInterdomain, bindVirq, closeEvent, resetEvents } from '../model/eventBinding.js';
import {
  EVENT_ERRORS,
  type EventChannels,
  exists,
  FREE,
  INTERDOMAIN,
  isOpen,
  makeUnbound,
  mayActFor,
  port,
  portPermission,
  portsOf,
  privateSharedInfo,
  rowOf,
  TODO_EVENT,
  wordBit,
} from '../model/eventChannels.js';
import {
  handleEvents,
  letGo,
  type Signal,
  sendEvent,
  signal,
  touchesSignal,
  unmaskEvent,
} from '../model/eventDelivery.js';
import {
  blockedBy,
  DONE,
  insertBefore,
  jumpTo,
  NONE,
  omit,
  operationOn,
  reorder,
  replace,
  undoWith,
} from '../model/kernel/index.js';

const operation = operationOn<EventChannels>();
const STOPPED_BY_PAGE = blockedBy(privateSharedInfo);
const STOPPED_BY_PERMISSION = blockedBy(portPermission);
const RETURN = jumpTo('return');

/** Writes another domain's pending, selector and upcall words. */
export const forgeEvent = operation('event.forge', {
  agent: domain,
  says: 'writes an event into the shared-info page of {victim}',
  fault: 'F7',
  atomic: true,
  input: { victim: domain, port },
  where: {
    agent: (m, op) => runs(m, op.agent),
    victim: (m, op) => op.victim !== op.agent && exists(m, op.victim),
    port: (m, op) => isOpen(m, rowOf(m, op.victim, op.port)) && m.channel.pending[rowOf(m, op.victim, op.port)] === 0,
  },
  touches: (m, op, may) => touchesSignal(m, op.victim, op.port, may),
  steps: {
    'write the page': (m, op) => {
      if (m.on(privateSharedInfo)) return STOPPED_BY_PAGE;
      m.channel.pending[rowOf(m, op.victim, op.port)] = 1;
      m.vcpu.selector[op.victim] |= wordBit(m, op.port);
      m.vcpu.upcallPending[op.victim] = 1;
      return 0;
    },
  },
});

/** Takes another domain's event away. */
export const dropEvent = operation('event.drop', {
  agent: domain,
  says: 'erases an event in the shared-info page of {victim}',
  fault: 'F7',
  atomic: true,
  input: { victim: domain, port },
  where: {
    agent: (m, op) => runs(m, op.agent),
    victim: (m, op) => op.victim !== op.agent && exists(m, op.victim),
    port: (m, op) => m.channel.pending[rowOf(m, op.victim, op.port)] === 1,
  },
  touches: (m, op, may) => may.write(m.channel, rowOf(m, op.victim, op.port)),
  steps: {
    'write the page': (m, op) => {
      if (m.on(privateSharedInfo)) return STOPPED_BY_PAGE;
      m.channel.pending[rowOf(m, op.victim, op.port)] = 0;
      return 0;
    },
  },
});

/** Signals again and again, faster than the receiver takes a step: duplicates coalesce in the pending bit. */
export const stormEvents = operation('event.storm', {
  agent: domain,
  says: 'storms {port}',
  fault: 'F9',
  atomic: true,
  input: { port },
  where: {
    agent: (m, op) => runs(m, op.agent),
    port: (m, op) => m.channel.state[rowOf(m, op.agent, op.port)] === INTERDOMAIN,
  },
  touches: (m, op, may) => {
    const row = rowOf(m, op.agent, op.port);
    touchesSignal(m, m.channel.remote[row], m.channel.remotePort[row], may);
  },
  steps: {
    'signal at once': (m, op) => {
      const row = rowOf(m, op.agent, op.port);
      signal(m, m.channel.remote[row], m.channel.remotePort[row]);
    },
  },
});

/** An upcall for which there is no event: the handler must find nothing and go. (The control domain polls its ports here.) */
export const spuriousUpcall = operation('event.spurious', {
  agent: 'vmm',
  says: 'calls the handler of {victim} for nothing',
  fault: 'F7',
  atomic: true,
  input: { victim: domain },
  where: { victim: (m, op) => exists(m, op.victim) && op.victim !== CONTROL && m.vcpu.upcallPending[op.victim] === 0 },
  touches: (m, op, may) => may.write(m.vcpu, op.victim),
  steps: {
    'set the upcall flag': (m, op) => {
      m.vcpu.upcallPending[op.victim] = 1;
    },
  },
});

/** Opens every free port of a domain, its own or another's. */
export const exhaustPorts = operation('event.exhaust', {
  agent: domain,
  says: 'uses up the ports of {victim}',
  fault: 'F12',
  atomic: true,
  errors: EVENT_ERRORS,
  input: { victim: domain },
  where: {
    agent: (m, op) => runs(m, op.agent),
    victim: (m, op) => exists(m, op.victim) && hasFreePort(m, op.victim),
  },
  touches: (m, op, may) => {
    for (let p = 1; p < portsOf(m); p++) may.write(m.channel, rowOf(m, op.victim, p));
    may.read(m.domain, op.agent);
  },
  steps: {
    'open them all': (m, op) => {
      if (!mayActFor(m, op.agent, op.victim)) return STOPPED_BY_PERMISSION;
      for (let p = 1; p < portsOf(m); p++) {
        const row = rowOf(m, op.victim, p);
        if (m.channel.state[row] === FREE) makeUnbound(m, row, op.agent);
      }
      return 0;
    },
  },
});

function hasFreePort(m: EventChannels, d: number): boolean {
  for (let p = 1; p < portsOf(m); p++) if (m.channel.state[rowOf(m, d, p)] === FREE) return true;
  return false;
}

/** Attacks on machines with event channels and living domains. */
export const eventFaults = [forgeEvent, dropEvent, exhaustPorts];

const LATE = jumpTo('set pending late');
const UPCALL = jumpTo('set upcall');

export const maskBeforePending = mutant('mask looked at before pending is set', {
  says: 'the signaller looks at the mask first and sets pending afterwards, so an unmask in between finds nothing pending',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the order that it keeps',
  edits: [
    replace(sendEvent, 'set pending', (m, op) => {
      return m.channel.mask[rowOf(m, op.who, op.at)] === 1 ? LATE : 0;
    }),
    replace(sendEvent, 'check mask', (m, op) => {
      const row = rowOf(m, op.who, op.at);
      if (m.channel.pending[row] === 1) return letGo(m, op);
      m.channel.pending[row] = 1;
      return 0;
    }),
    replace(sendEvent, 'set selector', (m, op) => {
      const bit = wordBit(m, op.at);
      if ((m.vcpu.selector[op.who] & bit) !== 0) return letGo(m, op);
      m.vcpu.selector[op.who] |= bit;
      return UPCALL;
    }),
    insertBefore(sendEvent, 'set upcall', 'set pending late', (m, op) => {
      m.channel.pending[rowOf(m, op.who, op.at)] = 1;
      return letGo(m, op);
    }),
  ],
});

export const upcallBeforeSelector = mutant('upcall set before the selector', {
  says: 'the signaller raises the upcall first; a handler that runs in between finds an empty selector',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the order that it keeps',
  edits: [
    replace(sendEvent, 'set selector', (m, op) => {
      m.vcpu.upcallPending[op.who] = 1;
    }),
    replace(sendEvent, 'set upcall', (m, op) => {
      m.vcpu.selector[op.who] |= wordBit(m, op.at);
      return letGo(m, op);
    }),
  ],
});

export const upcallClearedLate = mutant('upcall flag cleared after the selector is taken', {
  says: 'the handler takes the selector and only then clears the upcall flag, with the flag of a later signal',
  source:
    'the barrier in the upcall handlers of guests (Linux drivers/xen/events/events_base.c, __xen_evtchn_do_upcall)',
  edits: [
    reorder(handleEvents, ['enter', 'take selector', 'clear upcall', 'find port', 'clear pending', 'handle', 'return']),
  ],
});

export const selectorNotExchanged = mutant('selector read and cleared apart', {
  says: 'the handler reads the selector and clears it in a second access, with the bits that came in between',
  source: 'Linux drivers/xen/events/events_2l.c: the exchange in evtchn_2l_handle_events',
  edits: [
    replace(handleEvents, 'take selector', (m, op) => {
      m.vcpu.words[op.agent] = m.vcpu.selector[op.agent];
    }),
    insertBefore(handleEvents, 'find port', 'clear selector', (m, op) => {
      if (m.vcpu.cursor[op.agent] === 0) m.vcpu.selector[op.agent] = 0;
      m.vcpu.todo[op.agent] = 0;
    }),
  ],
});

const FIND = jumpTo('find port');

export const handledBeforeCleared = mutant('pending cleared after the event is handled', {
  says: 'the handler runs first and clears the pending bit afterwards, with a signal that came during its run',
  source: 'xen/include/public/event_channel.h; Linux drivers/xen/events/events_base.c (ack before handle for edges)',
  edits: [
    replace(handleEvents, 'clear pending', (m, op) => {
      m.channel.owed[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
      m.vcpu.todo[op.agent] &= ~TODO_EVENT;
    }),
    replace(handleEvents, 'handle', (m, op) => {
      m.channel.pending[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
      return FIND;
    }),
  ],
});

export const pendingBeforeUnmask = mutant('pending looked at before the mask is cleared', {
  says: 'unmask looks for a pending event first and clears the mask afterwards; a signal in between sees the mask and leaves',
  source: 'xen/common/event_2l.c, evtchn_2l_unmask: the order that it keeps',
  edits: [
    replace(unmaskEvent, 'clear mask', (m, op) => {
      op.seen = m.channel.pending[rowOf(m, op.agent, op.port)];
    }),
    replace(unmaskEvent, 'check pending', (m, op) => {
      m.channel.mask[rowOf(m, op.agent, op.port)] = 0;
      return op.seen === 1 ? 0 : letGo(m, op);
    }),
  ],
});

export const unmaskForgetsPending = mutant('unmask does not look for a pending event', {
  says: 'unmask only clears the mask; an event that came while the port was masked is not raised again',
  source: 'xen/common/event_2l.c, evtchn_2l_unmask',
  edits: [replace(unmaskEvent, 'check pending', (m, op) => letGo(m, op as Signal))],
});

export const handlerScansAgain = mutant('handler starts again after each event', {
  says: 'the handler goes back to the first port after each event, so a peer that signals all the time keeps it there',
  source: 'XSA-332: event storms keep a handler from returning',
  edits: [
    replace(handleEvents, 'find port', (m, op) => {
      const d = op.agent;
      for (let p = 1; p < portsOf(m); p++) {
        const row = rowOf(m, d, p);
        if ((m.vcpu.words[d] & wordBit(m, p)) === 0 || m.channel.pending[row] === 0 || m.channel.mask[row] === 1)
          continue;
        m.vcpu.cursor[d] = p;
        m.vcpu.todo[d] |= TODO_EVENT;
        return 0;
      }
      m.vcpu.cursor[d] = 0;
      m.vcpu.words[d] = 0;
      return RETURN;
    }),
  ],
});

export const maskIgnored = mutant('signals ignore the mask', {
  says: 'a signaller wakes a domain for a port that it has masked, so masking is no defence against a storm',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the test of evtchn_mask',
  edits: [omit(sendEvent, 'check mask')],
});

export const upcallNotCleared = mutant('upcall flag never cleared', {
  says: 'the handler is entered again and again for one event',
  source: 'xen/include/public/xen.h, vcpu_info.evtchn_upcall_pending: cleared by the guest',
  edits: [omit(handleEvents, 'clear upcall')],
});

export const lockNotLetGo = mutant('channel lock not let go', {
  says: 'a signal that finds the port pending returns with the lock of the channel, and the port can never be closed',
  source: 'xen/common/event_channel.c, evtchn_send: the unlock on every way out',
  edits: [
    replace(sendEvent, 'set pending', (m, op) => {
      const row = rowOf(m, op.who, op.at);
      if (m.channel.pending[row] === 1) return DONE;
      m.channel.pending[row] = 1;
      return 0;
    }),
  ],
});

export const virqTwice = mutant('virtual interrupt bound twice', {
  says: 'a second port is given for a virtual interrupt that is bound already',
  source: 'xen/common/event_channel.c, evtchn_bind_virq: -EEXIST',
  edits: [omit(bindVirq, 'not bound yet')],
});

export const notRegistered = mutant('port without registration', {
  says: 'VIRQ_DOM_EXC is bound but its domain is never registered for domain states',
  source: 'xen/common/domain.c, domain_init_states',
  edits: [omit(bindVirq, 'register for domain states')],
});

export const anythingCloses = mutant('close does not look at the port', {
  says: 'the reserved port is closed, and handed out like any other',
  source: 'xen/common/event_channel.c, evtchn_close: ECS_FREE and ECS_RESERVED',
  edits: [omit(closeEvent, 'check port')],
});

export const noInitialPending = mutant('bind_interdomain does not mark its port pending', {
  says: 'signals sent while the other end was unbound were dropped, and the new end never learns of them',
  source: 'xen/common/event_channel.c, evtchn_bind_interdomain: the comment on lost notifications',
  edits: [omit(bindInterdomain, 'set pending')],
});

export const anyPortBindable = mutant('state of the other port not looked at', {
  says: 'a port that is linked already is linked again, and its old peer keeps a link to it',
  source: 'xen/common/event_channel.c, evtchn_bind_interdomain: the check for ECS_UNBOUND',
  edits: [
    replace(bindInterdomain, 'check the other side', (m, op) =>
      isOpen(m, rowOf(m, op.remote, op.remotePort)) ? 0 : -22,
    ),
  ],
});

export const closeLeavesPending = mutant('close leaves the pending bit', {
  says: 'a closed port keeps its pending bit, and whoever is given the port next finds an event that was not for it',
  source: 'xen/common/event_channel.c, evtchn_free: the pending bit is cleared against surprises on re-bind',
  edits: [omit(closeEvent, 'clear pending')],
});

export const closeLeavesPeer = mutant('close leaves the peer linked', {
  says: 'the peer of a closed port still signals it',
  source: 'xen/common/event_channel.c, evtchn_close, case ECS_INTERDOMAIN',
  edits: [omit(closeEvent, 'leave the binding')],
});

/** H14. */
export const xsa496 = mutant('XSA-496', {
  says: 'the error exit of bind_virq always takes the global registration back, whoever holds it',
  source: 'XSA-496, CVE-2026-42492; Xen d836145598',
  edits: [
    undoWith(bindVirq, 'register for domain states', (m) => {
      m.registration.holder[0] = NONE;
    }),
  ],
});

/** H13. */
export const xsa343 = mutant('XSA-343', {
  says: 'reset lets its lock go between ports and succeeds although another vCPU has opened one behind it',
  source: 'XSA-343; Xen 7f0793a428',
  edits: [omit(resetEvents, 'nothing is open')],
});
