/**
 * Binding and closing event channels: the hypercalls that make ports, and what a domain's death does to them.
 * Source: Xen `xen/common/event_channel.c`; arguments and errors: `xen/include/public/event_channel.h`.
 *
 * Every call here holds the domain's event lock, so only `reset`, which lets it go between ports, is worth splitting.
 */
import { CONTROL, DYING, domain, domains, runs } from './domains.js';
import {
  consent,
  EAGAIN,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOSPC,
  EPERM,
  ESRCH,
  EVENT_ERRORS,
  type EventChannels,
  eventTables,
  exists,
  freeChannel,
  freePort,
  freshSharedInfo,
  hasWords,
  holdsPorts,
  INTERDOMAIN,
  IPI,
  isBusy,
  isOpen,
  leaveBinding,
  makeUnbound,
  mayActFor,
  noChannels,
  port,
  portMap,
  portsOf,
  rowOf,
  touchesClosing,
  UNBOUND,
  VIRQ,
  VIRQ_DOM_EXC,
  virq,
} from './eventChannels.js';
import {
  checkMask,
  handleEvents,
  maskEvent,
  raiseVirq,
  sendEvent,
  setPendingBit,
  setSelector,
  setUpcall,
  unmaskEvent,
} from './eventDelivery.js';
import { AGAIN, type Footprint, jumpTo, type MachineDef, module, NONE, operationOn } from './kernel/index.js';

const operation = operationOn<EventChannels>();
const CLOSE_NEXT = jumpTo('close next port');

/** Row of the lowest free port: what a binding call will write. Beyond the table when there is none. */
function mayTakePort(m: EventChannels, d: number, may: Footprint): void {
  const p = freePort(m, d);
  if (p > 0) may.write(m.channel, rowOf(m, d, p));
}

/** EVTCHNOP_alloc_unbound: opens a port of `target`, which `remote` may bind. */
export const allocUnbound = operation('event.allocUnbound', {
  agent: domain,
  says: 'opens a port of {target} for {remote}',
  source: 'xen/common/event_channel.c, evtchn_alloc_unbound',
  input: { target: domain, remote: domain },
  locals: ['port'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  atomic: true,
  touches: (m, op, may) => {
    mayTakePort(m, op.target, may);
    may.read(m.domain, op.remote);
  },
  steps: {
    'look up domain': (m, op) => (exists(m, op.target) ? 0 : ESRCH),
    'find a free port': (m, op) => {
      op.port = freePort(m, op.target);
      return op.port < 0 ? ENOSPC : 0;
    },
    'check permission': (m, op) => (mayActFor(m, op.agent, op.target) ? 0 : EPERM),
    'publish port': (m, op) => makeUnbound(m, rowOf(m, op.target, op.port), op.remote),
  },
});

/**
 * EVTCHNOP_bind_interdomain. Signals sent while the other side was unbound were dropped, and nobody has counted them: the new port is
 * marked pending once, whether or not there were any, so its domain looks once.
 */
export const bindInterdomain = operation('event.bindInterdomain', {
  agent: domain,
  says: 'binds {remotePort} of {remote}',
  source: 'xen/common/event_channel.c, evtchn_bind_interdomain',
  input: { remote: domain, remotePort: port },
  locals: ['who', 'at'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  atomic: true,
  touches: (m, op, may) => {
    mayTakePort(m, op.agent, may);
    may.write(m.channel, rowOf(m, op.remote, op.remotePort));
    may.write(m.vcpu, op.agent);
  },
  steps: {
    'look up domain': (m, op) => (exists(m, op.remote) ? 0 : ESRCH),
    'find a free port': (m, op) => {
      const p = freePort(m, op.agent);
      if (p < 0) return ENOSPC;
      op.who = op.agent;
      op.at = p;
      return 0;
    },
    'check the other side': (m, op) => {
      const other = rowOf(m, op.remote, op.remotePort);
      if (m.channel.state[other] !== UNBOUND) return EINVAL;
      return m.channel.remote[other] === op.agent || !m.on(consent) ? 0 : EINVAL;
    },
    link: (m, op) => {
      const here = rowOf(m, op.who, op.at);
      const other = rowOf(m, op.remote, op.remotePort);
      m.channel.state[here] = INTERDOMAIN;
      m.channel.remote[here] = op.remote;
      m.channel.remotePort[here] = op.remotePort;
      m.channel.owed[here] = 1;
      m.channel.busy[here]++;
      m.channel.state[other] = INTERDOMAIN;
      m.channel.remote[other] = op.agent;
      m.channel.remotePort[other] = op.at;
      m.channel.epoch[other] = 0;
    },
    'set pending': setPendingBit,
    'check mask': checkMask,
    'set selector': setSelector,
    'set upcall': setUpcall,
  },
});

/** EVTCHNOP_bind_virq. Binding VIRQ_DOM_EXC also registers for the whole machine's domain states. */
export const bindVirq = operation('event.bindVirq', {
  agent: domain,
  says: 'binds {virq}',
  source: 'xen/common/event_channel.c, evtchn_bind_virq; xen/common/domain.c, domain_init_states',
  input: { virq },
  locals: ['port'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  atomic: true,
  touches: (m, op, may) => {
    mayTakePort(m, op.agent, may);
    if (op.virq === VIRQ_DOM_EXC) may.write(m.registration);
  },
  steps: {
    'check permission': (_m, op) => (op.virq === VIRQ_DOM_EXC && op.agent !== CONTROL ? EPERM : 0),
    'not bound yet': (m, op) => {
      for (let p = 1; p < portsOf(m); p++) {
        const row = rowOf(m, op.agent, p);
        if (m.channel.state[row] === VIRQ && m.channel.virq[row] === op.virq) return EEXIST;
      }
      return 0;
    },
    'register for domain states': (m, op) => {
      if (op.virq !== VIRQ_DOM_EXC) return 0;
      if (m.registration.holder[0] !== NONE) return EBUSY;
      m.registration.holder[0] = op.agent;
      return 0;
    },
    'find a free port': (m, op) => {
      op.port = freePort(m, op.agent);
      return op.port < 0 ? ENOSPC : 0;
    },
    'publish port': (m, op) => {
      const row = rowOf(m, op.agent, op.port);
      m.channel.state[row] = VIRQ;
      m.channel.virq[row] = op.virq;
    },
  },
  undo: {
    'register for domain states': (m, op) => {
      if (op.virq === VIRQ_DOM_EXC) m.registration.holder[0] = NONE;
    },
  },
});

/** EVTCHNOP_bind_ipi: a port on which the domain signals itself. */
export const bindIpi = operation('event.bindIpi', {
  agent: domain,
  says: 'binds an inter-processor interrupt',
  source: 'xen/common/event_channel.c, evtchn_bind_ipi',
  locals: ['port'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  atomic: true,
  touches: (m, op, may) => mayTakePort(m, op.agent, may),
  steps: {
    'find a free port': (m, op) => {
      op.port = freePort(m, op.agent);
      return op.port < 0 ? ENOSPC : 0;
    },
    'publish port': (m, op) => {
      m.channel.state[rowOf(m, op.agent, op.port)] = IPI;
    },
  },
});

/** EVTCHNOP_close. The peer's port becomes unbound, open for the closer again. */
export const closeEvent = operation('event.close', {
  agent: domain,
  says: 'closes {port}',
  source: 'xen/common/event_channel.c, evtchn_close, evtchn_free',
  input: { port },
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  atomic: true,
  touches: (m, op, may) => touchesClosing(m, op.agent, op.port, may),
  steps: {
    'check port': (m, op) => {
      const row = rowOf(m, op.agent, op.port);
      if (!isOpen(m, row)) return EINVAL;
      return isBusy(m, row) ? AGAIN : 0;
    },
    'leave the binding': (m, op) => leaveBinding(m, op.agent, op.port),
    'clear pending': (m, op) => {
      m.channel.pending[rowOf(m, op.agent, op.port)] = 0;
    },
    'free port': (m, op) => freeChannel(m, rowOf(m, op.agent, op.port)),
  },
});

/**
 * EVTCHNOP_reset: closes all ports of a domain. The event lock is let go between ports, so others may open some meanwhile; the call
 * says so, and can be made again.
 */
export const resetEvents = operation('event.reset', {
  agent: domain,
  says: 'resets the ports of {target}',
  source: 'xen/common/event_channel.c, evtchn_reset (as of XSA-343)',
  input: { target: domain },
  locals: ['next'],
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: EVENT_ERRORS,
  onFailure: 'safe',
  touches: (m, op, may) => {
    for (let p = 1; p < portsOf(m); p++) touchesClosing(m, op.target, p, may);
  },
  steps: {
    'check caller': (m, op) => {
      if (!exists(m, op.target)) return ESRCH;
      op.next = 1;
      return mayActFor(m, op.agent, op.target) ? 0 : EPERM;
    },
    'close next port': (m, op) => {
      if (op.next >= portsOf(m)) return 0;
      const row = rowOf(m, op.target, op.next);
      if (isOpen(m, row)) {
        if (isBusy(m, row)) return AGAIN;
        leaveBinding(m, op.target, op.next);
        m.channel.pending[row] = 0;
        freeChannel(m, row);
      }
      op.next++;
      return CLOSE_NEXT;
    },
    'nothing is open': (m, op) => {
      for (let p = 1; p < portsOf(m); p++) if (isOpen(m, rowOf(m, op.target, p))) return EAGAIN;
      return 0;
    },
  },
});

/** evtchn_destroy: Xen closes the ports of a dying domain; its shared-info page goes with them. */
export const tearDownEvents = operation('event.tearDown', {
  agent: 'vmm',
  says: 'closes the ports of {target}, which is dying',
  source: 'xen/common/event_channel.c, evtchn_destroy',
  input: { target: domain },
  where: { target: (m, op) => m.domain.life[op.target] === DYING && hasTraces(m, op.target) },
  atomic: true,
  touches: (m, op, may) => {
    for (let p = 1; p < portsOf(m); p++) touchesClosing(m, op.target, p, may);
    may.write(m.vcpu, op.target);
  },
  steps: {
    'close all ports': (m, op) => {
      for (let p = 1; p < portsOf(m); p++) {
        const row = rowOf(m, op.target, p);
        leaveBinding(m, op.target, p);
        m.channel.pending[row] = 0;
        freeChannel(m, row);
      }
    },
    'free the shared-info page': (m, op) => {
      if (!m.on(freshSharedInfo)) return;
      for (let p = 1; p < portsOf(m); p++) m.channel.mask[rowOf(m, op.target, p)] = 0;
      m.vcpu.upcallPending[op.target] = 0;
      m.vcpu.upcallMask[op.target] = 0;
      m.vcpu.selector[op.target] = 0;
      m.vcpu.todo[op.target] = 0;
      m.vcpu.words[op.target] = 0;
      m.vcpu.cursor[op.target] = 0;
    },
  },
});

/** Whether a dying domain has an open port, or anything in its shared-info page. */
function hasTraces(m: EventChannels, d: number): boolean {
  for (let p = 1; p < portsOf(m); p++) if (isOpen(m, rowOf(m, d, p))) return true;
  return m.on(freshSharedInfo) && hasWords(m, d);
}

/** Ports and signals of all domains. */
export const eventChannels = module<EventChannels, typeof eventTables>('event channels', {
  tables: eventTables,
  operations: [
    allocUnbound,
    bindInterdomain,
    bindVirq,
    bindIpi,
    closeEvent,
    resetEvents,
    tearDownEvents,
    sendEvent,
    raiseVirq,
    maskEvent,
    unmaskEvent,
    handleEvents,
  ],
  initial: noChannels,
  holds: holdsPorts,
  map: portMap,
});

/** Domains and their event channels. Scope: `domain`, `generation`, `port` (port 0 included), `word`. */
export const eventMachine: MachineDef = { name: 'event channels', modules: [domains, eventChannels] };
