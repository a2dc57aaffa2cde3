/**
 * Whose doing a change is (I14): what a running domain has of event channels, interrupt lines and devices is taken from it by itself, or by
 * the control domain; the VMM takes things back from the dying. And calls of Xen that return have done their work.
 */
import { CONTROL, DYING, domain, RUNNING } from '../model/domains.js';
import { allocUnbound, bindIpi, bindVirq, resetEvents, tearDownEvents } from '../model/eventBinding.js';
import {
  EAGAIN,
  type EventChannels,
  hasWords,
  IPI,
  isOpen,
  portsOf,
  rowOf,
  UNBOUND,
  VIRQ,
} from '../model/eventChannels.js';
import type { Interrupts } from '../model/interruptLines.js';
import { endHungDriver } from '../model/interrupts.js';
import { completeDma, holdsDevice, type IoSpace, usePorts, useRegisters } from '../model/ioSpace.js';
import { NONE } from '../model/kernel/index.js';
import { type MessageInterrupts, takeMessage } from '../model/messageInterrupts.js';
import { relation } from './property.js';

/** The acting domain, or -1 for the VMM, hardware and tools. */
const actorOf = (m: EventChannels | IoSpace | MessageInterrupts): number =>
  m.current.op.agent === domain ? m.current.call.agent : -1;

export const ownPorts = relation<EventChannels>('I14', 'own ports', {
  states: 'a port of a running domain is closed by its own calls, or by the control domain’s',
  ofChange: true,
  holds: (before, after) => {
    const actor = actorOf(after);
    if (actor === CONTROL) return true;
    const n = portsOf(after);
    for (let row = 0; row < after.channel.rows; row++) {
      const d = Math.floor(row / n);
      if (d === actor || before.domain.life[d] !== RUNNING) continue;
      if (isOpen(before, row) && !isOpen(after, row)) return false;
    }
    return true;
  },
  witnesses: {
    'a domain is dying, and another has a port': (m) =>
      m.domain.life.includes(DYING) && m.domain.life[0] === RUNNING && isOpen(m, 1),
  },
});

export const tornDown = relation<EventChannels>('I4', 'torn down', {
  states: 'when Xen has closed the ports of a dying domain, none is open and nothing is set in its shared-info page',
  holds: (_before, after) => {
    if (after.current.op.name !== tearDownEvents.name) return true;
    const target = after.current.call.target ?? 0;
    for (let p = 1; p < portsOf(after); p++) if (isOpen(after, rowOf(after, target, p))) return false;
    return !hasWords(after, target);
  },
  witnesses: { 'a dying domain has a port': (m) => m.domain.life[1] === DYING && isOpen(m, rowOf(m, 1, 1)) },
});

export const ownLines = relation<Interrupts>('I14', 'own lines', {
  states:
    'a running domain leaves a line by its own call only, and is ended by the manager only when it does not answer',
  holds: (before, after) => {
    const actor = actorOf(after);
    const { op, call } = after.current;
    for (let d = 0; d < after.domain.rows; d++) {
      if (before.domain.life[d] !== RUNNING || d === actor) continue;
      for (let l = 0; l < after.line.rows; l++) {
        const at = before.pirq.at(d, l);
        if (before.pirq.port[at] !== after.pirq.port[at]) return false;
      }
    }
    return op.name !== endHungDriver.name || before.driver.hung[call.target ?? 0] === 1;
  },
  witnesses: { 'one domain hangs, and another has a line': (m) => m.driver.hung.includes(1) && m.line.count[0] > 1 },
});

/** Whether a device that domain d holds is taken from it, silenced, or told something else. */
function deviceTouched(before: IoSpace, after: IoSpace, d: number): boolean {
  for (let dev = 0; dev < before.device.rows; dev++) {
    if (!holdsDevice(before, d, dev)) continue;
    if (!holdsDevice(after, d, dev) || before.device.busMaster[dev] !== after.device.busMaster[dev]) return true;
    if (before.device.program[dev] !== after.device.program[dev]) return true;
  }
  return false;
}

export const ownDevices = relation<IoSpace>('I14', 'own devices', {
  states:
    'what a running domain has of devices is given and taken by the control domain, from itself; what it maps and what its devices do, it says itself',
  ofChange: true,
  holds: (before, after) => {
    const actor = actorOf(after);
    const control = after.current.op.agent === 'control';
    for (let d = 0; d < after.domain.rows; d++) {
      if (before.domain.life[d] !== RUNNING || d === actor) continue;
      if (control && after.current.call.target === d) continue;
      if (before.access.ports[d] !== after.access.ports[d] || before.access.pages[d] !== after.access.pages[d])
        return false;
      if (deviceTouched(before, after, d)) return false;
    }
    return true;
  },
  witnesses: { 'two domains have ports': (m) => m.access.ports[1] !== 0 && m.access.ports[2] !== 0 },
});

export const ownVectors = relation<MessageInterrupts>('I14', 'own messages', {
  states: 'an interrupt that waits for a domain is handled by this domain, or goes when the VMM takes it back',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.agent !== domain) return true;
    for (let v = 0; v < after.vector.rows; v++) {
      if (before.vector.pending[v] === after.vector.pending[v]) continue;
      if (before.vector.target[v] !== call.agent) return false;
    }
    return true;
  },
  witnesses: { 'an interrupt waits': (m) => m.vector.pending.includes(1) },
});

/** A call that binds a port has bound it. */
export const portsBound = relation<EventChannels>('I4', 'bound', {
  states: 'when a call that opens a port returns success, the port that it names is open, as what was asked for',
  holds: (_before, after, status) => {
    const { op, call } = after.current;
    if (status !== 0) return true;
    const { port, target, agent } = call as unknown as { port: number; target: number; agent: number };
    if (op.name === allocUnbound.name) return after.channel.state[rowOf(after, target, port)] === UNBOUND;
    if (op.name === bindIpi.name) return after.channel.state[rowOf(after, agent, port)] === IPI;
    return op.name !== bindVirq.name || after.channel.state[rowOf(after, agent, port)] === VIRQ;
  },
  witnesses: { 'a domain has an inter-processor interrupt': (m) => m.channel.state.includes(IPI) },
});

/** A device does what it was told last. */
export const devicesTold = relation<IoSpace>('I4', 'told', {
  states: 'a store to a device’s ports or registers tells it, and a DMA that has completed is over',
  holds: (_before, after, status) => {
    const { op, call } = after.current;
    if (status !== 0) return true;
    if (op.name === completeDma.name) return after.device.dma[call.agent] === NONE;
    if (op.name !== usePorts.name && op.name !== useRegisters.name) return true;
    return after.device.program[call.device ?? 0] === call.agent;
  },
  witnesses: { 'a DMA is in flight': (m) => m.device.dma.some((d) => d !== NONE) },
});

/** Bus mastering is what stands between a device that was told something and memory. */
export const mastersOnly = relation<IoSpace>('I13', 'masters', {
  states: 'a DMA is issued only by a device that may master the bus',
  ofChange: true,
  holds: (before, after) => {
    for (let dev = 0; dev < after.device.rows; dev++) {
      if (before.device.dma[dev] !== NONE || after.device.dma[dev] === NONE) continue;
      if (before.device.busMaster[dev] === 0) return false;
    }
    return true;
  },
  witnesses: {
    'a device that may not master the bus is told what to do': (m) =>
      m.device.program.some((who, dev) => who !== NONE && m.device.busMaster[dev] === 0),
  },
});

/** An interrupt that is handled again and again is a storm of one's own. */
export const messagesHandled = relation<MessageInterrupts>('I4', 'handled', {
  states: 'an interrupt that its domain has handled does not wait any more',
  holds: (_before, after, status) => {
    const { op, call } = after.current;
    return op.name !== takeMessage.name || status !== 0 || after.vector.pending[call.vector ?? 0] === 0;
  },
  witnesses: { 'an interrupt waits': (m) => m.vector.pending.includes(1) },
});

/** Whole calls: nobody opens a port in between. */
export const resetDone = relation<EventChannels>('I4', 'reset done', {
  states: 'a reset that nobody disturbs closes every port',
  holds: (_before, after, status) => after.current.op.name !== resetEvents.name || status !== EAGAIN,
  witnesses: { 'a domain has a port': (m) => isOpen(m, rowOf(m, 1, 1)) },
});
