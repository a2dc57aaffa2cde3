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
  wordBit,
} from '../model/eventChannels.js';
import { sendEvent, signal, touchesSignal } from '../model/eventDelivery.js';
import { blockedBy, DONE, NONE, omit, operationOn, replace, undoWith } from '../model/kernel/index.js';

const operation = operationOn<EventChannels>();
const STOPPED_BY_PAGE = blockedBy(privateSharedInfo);
const STOPPED_BY_PERMISSION = blockedBy(portPermission);

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
