/**
 * Slices of the time-multiplexed IO-MMU (V6): the tick that ends a turn, and the DD/OS that asks for the bus.
 * Source: LeVasseur et al. 2004; the authors' hypervisor patches of May 2004.
 * Must keep: DD-S3 (only devices of the current space have the bus), DD-S4 (the table is switched when nothing of the outgoing space is in
 * flight), DD-L2 (every space with a slice has its turn).
 */
import { device } from '../../iommu/index.js';
import { AGAIN, DONE, flag, NONE, OK, operationOn } from '../../kernel/index.js';
import {
  deferredEnable,
  drainBeforeSwitch,
  drainTimeout,
  flushGart,
  type Mux,
  masterSwitching,
  RUNNING,
  resetDevice,
  space,
  spaceInFlight,
} from './muxState.js';

const operation = operationOn<Mux>();

/** The next space with a slice after the current one, round robin. The current one itself, when there is no other. */
function nextSpace(m: Mux): number {
  const n = m.space.rows;
  for (let i = 1; i < n; i++) {
    const s = (m.northbridge.current[0] + i) % n;
    if (m.space.slice[s] > 0) return s;
  }
  return m.northbridge.current[0];
}

/**
 * Waits until the space's devices have completed, or resets those that do not.
 * @returns AGAIN while requests of working devices are in flight
 */
export function drainSpace(m: Mux, s: number): number {
  if (!spaceInFlight(m, s)) return OK;
  if (!m.on(drainTimeout)) return AGAIN;
  let waiting = false;
  for (let i = 0; i < m.flight.rows; i++) {
    const v = m.flight.device[i];
    if (v === NONE || m.master.home[v] !== s) continue;
    if (m.master.stuck[v] === 1) resetDevice(m, v);
    else waiting = true;
  }
  return waiting ? AGAIN : OK;
}

/** The timer: a turn ends, and the next space's table becomes the active one. */
export const tick = operation('mux.tick', {
  agent: 'hypervisor',
  says: 'lets a slice pass',
  source: 'LeVasseur et al. 2004, V6 Tick',
  locals: ['next'],
  where: { agent: (m) => m.northbridge.left[0] > 1 || nextSpace(m) !== m.northbridge.current[0] },
  touches: (m, _op, may) => {
    may.readAll(m.space);
    may.write(m.northbridge);
    may.writeAll(m.master);
    may.writeAll(m.flight);
    may.writeAll(m.gart);
  },
  steps: {
    'count down': (m, op) => {
      if (m.northbridge.left[0] > 1) {
        m.northbridge.left[0]--;
        return DONE;
      }
      op.next = nextSpace(m);
      m.northbridge.left[0] = 0;
      m.northbridge.switching[0] = 1;
      return OK;
    },
    'bus masters off': (m) => {
      if (!m.on(masterSwitching)) return;
      for (let v = 0; v < m.master.rows; v++) {
        if (m.master.table[v] === m.northbridge.current[0]) m.master.bus[v] = 0;
      }
    },
    'wait for drain': (m) => (m.on(drainBeforeSwitch) ? drainSpace(m, m.northbridge.current[0]) : OK),
    'switch base': (m, op) => {
      m.northbridge.current[0] = op.next;
    },
    'invalidate GART': (m) => flushGart(m),
    'bus masters on': (m, op) => {
      for (let v = 0; v < m.master.rows; v++) {
        if (m.master.table[v] === op.next && m.master.wanted[v] === 1) m.master.bus[v] = 1;
      }
      m.northbridge.left[0] = m.space.slice[op.next];
      m.northbridge.switching[0] = 0;
    },
  },
});

/** A DD/OS writes the command register of its device: bus mastering on or off. */
export const writeCommand = operation('config.command', {
  agent: space,
  says: 'writes the command register of {device} (bus master: {on})',
  source: 'LeVasseur et al. 2004, V6 CfgWrite; PCI 6.2.2',
  input: { device, on: flag },
  where: {
    agent: (m, op) => m.space.life[op.agent] === RUNNING,
    device: (m, op) => m.master.home[op.device] === op.agent && m.master.table[op.device] === op.agent,
    on: (m, op) => m.master.wanted[op.device] !== op.on || (op.on === 1 && m.master.bus[op.device] === 0),
  },
  touches: (m, op, may) => {
    may.read(m.northbridge);
    may.read(m.space, op.agent);
    may.write(m.master, op.device);
  },
  steps: {
    'note the wish': (m, op) => {
      m.master.wanted[op.device] = op.on;
    },
    'defer it, or grant it': (m, op) => {
      const mine = m.northbridge.current[0] === op.agent && m.northbridge.switching[0] === 0;
      if (op.on === 0) m.master.bus[op.device] = 0;
      else if (mine || !m.on(deferredEnable)) m.master.bus[op.device] = 1;
    },
  },
});
