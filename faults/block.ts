/**
 * What goes wrong with a split driver: peers that write anything into the ring (F5) or change it between two reads (F6), events forged and
 * lost (F7), backends that crash (F10), hang or are taken for hung (F11), and answers of an older epoch (F14).
 * The historical bugs, as edits, are in blockMutants.ts.
 */

import { idOf, segment } from '../model/blockFormats.js';
import { kill } from '../model/blockManager.js';
import {
  type Block,
  backend,
  CHANGING,
  clearPending,
  connectedBackend,
  deviceOfBackend,
  epoch,
  frontend,
  HONEST,
  HUNG,
  MALFORMED,
  mapPage,
  page,
  pending,
  RUNNING,
  ringSize,
  serves,
} from '../model/blockState.js';
import { blockedBy, type Footprint, module, NONE, OK, operationOn } from '../model/kernel/index.js';
import { following, indexMask, ringSlot, slotOf } from '../model/ring.js';
import { CONNECTED } from '../model/xenbus.js';
import { eventDelivery } from './ring.js';

const operation = operationOn<Block>();

/** Faults that take a backend away happen only while another life is in scope. */
const replaceable = (m: Block, b: number): boolean => m.device.epoch[deviceOfBackend(b)] + 1 < m.size(epoch);

function touchBackend(m: Block, may: Footprint, b: number): void {
  may.write(m.be, b);
  for (let f = 0; f < m.fe.rows; f++) {
    may.write(m.chan, m.chan.at(b, f));
    if (!serves(m, b, f)) continue;
    may.write(m.fe, f);
    may.write(m.sring, f);
    for (let s = 0; s < ringSize(m); s++) may.write(m.slot, m.slot.at(f, s));
  }
  for (let e = 0; e < m.size(pending); e++) {
    may.write(m.pool, m.pool.at(b, e));
    for (let s = 0; s < m.size(segment); s++) may.write(m.part, m.part.at(b, e, s));
  }
}

/** F10: the backend's domain dies, between any two steps of its work. */
export const crash = operation('backend.crash', {
  agent: backend,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => m.be.life[op.agent] === RUNNING && replaceable(m, op.agent) },
  touches: (m, op, may) => touchBackend(m, may, op.agent),
  steps: { stop: (m, op) => kill(m, op.agent) },
});

/** F11: the backend does nothing any more, and holds what it has. */
export const hang = operation('backend.hang', {
  agent: backend,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 0 && replaceable(m, op.agent),
  },
  touches: (m, op, may) => may.write(m.be, op.agent),
  steps: {
    stop: (m, op) => {
      m.be.life[op.agent] = HUNG;
    },
  },
});

/** F11: the manager's time-out strikes a backend that is only slow. It is destroyed all the same. */
export const falseSuspicion = operation('manager.suspectFalsely', {
  agent: 'manager',
  says: 'takes {target} for hung and destroys it',
  fault: 'F11',
  input: { target: backend },
  atomic: true,
  where: { target: (m, op) => m.be.life[op.target] === RUNNING && replaceable(m, op.target) },
  touches: (m, op, may) => touchBackend(m, may, op.target),
  steps: { 'destroy its domain': (m, op) => kill(m, op.target) },
});

function becomeHostile(m: Block, f: number, how: number): void {
  m.fe.hostile[f] = how;
  m.fe.awake[f] = 0;
  m.fe.event[f] = 0;
}

/** F5: a frontend's indices and requests are anything. */
export const frontendMalforms = operation('frontend.malforms', {
  agent: frontend,
  says: 'turns hostile: its indices and requests hold anything',
  fault: 'F5',
  atomic: true,
  where: { agent: (m, op) => m.fe.hostile[op.agent] === HONEST },
  touches: (m, op, may) => may.write(m.fe, op.agent),
  steps: { 'stop being honest': (m, op) => becomeHostile(m, op.agent, MALFORMED) },
});

/** F6: and they are something else at the next read. */
export const frontendRewrites = operation('frontend.rewrites', {
  agent: frontend,
  says: 'turns hostile: its requests change between two reads',
  fault: 'F6',
  atomic: true,
  where: { agent: (m, op) => m.fe.hostile[op.agent] === HONEST },
  touches: (m, op, may) => may.write(m.fe, op.agent),
  steps: { 'stop being honest': (m, op) => becomeHostile(m, op.agent, CHANGING) },
});

/** F5: a backend's indices, ids and statuses are anything; it no longer unmaps what it has. */
export const backendMalforms = operation('backend.malforms', {
  agent: backend,
  says: 'turns hostile: its indices and responses hold anything',
  fault: 'F5',
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 0 && replaceable(m, op.agent),
  },
  touches: (m, op, may) => touchBackend(m, may, op.agent),
  steps: {
    // Its private state matters to nobody any more: forget it, so that fewer states differ.
    'stop being honest': (m, op) => {
      const b = op.agent;
      m.be.hostile[b] = 1;
      for (let e = 0; e < m.size(pending); e++) clearPending(m, m.pool.at(b, e));
      for (let f = 0; f < m.fe.rows; f++) {
        const c = m.chan.at(b, f);
        if (m.chan.ring[c] === NONE) continue;
        m.chan.awake[c] = 0;
        m.chan.event[c] = 0;
        m.chan.reqCons[c] = 0;
        m.chan.rspProdPvt[c] = 0;
        if (connectedBackend(m, f) === b) m.fe.tainted[f] = 1;
      }
    },
  },
});

/** F12: a hostile backend maps whatever is granted, and keeps it. */
export const holdMapping = operation('backend.holdsMapping', {
  agent: backend,
  says: 'maps {page} of {frontend} and keeps it',
  fault: 'F12',
  input: { frontend, page },
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 1,
    page: (m, op) => {
      const row = m.page.at(op.frontend, op.page);
      return (
        serves(m, op.agent, op.frontend) && m.page.access[row] > 0 && ((m.page.readers[row] >> op.agent) & 1) === 0
      );
    },
  },
  touches: (m, op, may) => may.write(m.page, m.page.at(op.frontend, op.page)),
  steps: {
    'map it': (m, op) => {
      mapPage(m, op.agent, op.frontend, op.page, false);
    },
  },
});

/** F7: a hostile backend sends its frontend an event for nothing. */
export const forgeInterrupt = operation('backend.forgesEvent', {
  agent: backend,
  says: 'sends {frontend} an event for nothing',
  fault: 'F7',
  input: { frontend },
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 1,
    frontend: (m, op) => m.chan.ring[m.chan.at(op.agent, op.frontend)] !== NONE && m.fe.event[op.frontend] === 0,
  },
  touches: (m, op, may) => may.write(m.fe, op.frontend),
  steps: {
    'set it pending': (m, op) => {
      m.fe.event[op.frontend] = 1;
    },
  },
});

/** F7: a hostile frontend sends its backend an event for nothing. */
export const forgeKick = operation('frontend.forgesEvent', {
  agent: frontend,
  says: 'sends {to} an event for nothing',
  fault: 'F7',
  input: { to: backend },
  atomic: true,
  where: {
    agent: (m, op) => m.fe.hostile[op.agent] !== HONEST,
    to: (m, op) => {
      const c = m.chan.at(op.to, op.agent);
      return m.chan.ring[c] !== NONE && m.chan.event[c] === 0 && m.be.hostile[op.to] === 0;
    },
  },
  touches: (m, op, may) => may.write(m.chan, m.chan.at(op.to, op.agent)),
  steps: {
    'set it pending': (m, op) => {
      m.chan.event[m.chan.at(op.to, op.agent)] = 1;
    },
  },
});

/** F7: an event on its way to a backend is lost. */
export const dropKick = operation('event.drop', {
  agent: 'adversary',
  says: 'drops the event of {to} from {frontend}',
  fault: 'F7',
  input: { to: backend, frontend },
  atomic: true,
  where: { frontend: (m, op) => m.chan.event[m.chan.at(op.to, op.frontend)] === 1 },
  touches: (m, op, may) => may.write(m.chan, m.chan.at(op.to, op.frontend)),
  steps: {
    'clear the pending bit': (m, op) => {
      if (m.on(eventDelivery)) return blockedBy(eventDelivery);
      m.chan.event[m.chan.at(op.to, op.frontend)] = 0;
      return OK;
    },
  },
});

/** F14: an answer of the epoch before lands in the new ring: a store of the old backend that was still on its way. */
export const lateResponse = operation('backend.answersLate', {
  agent: 'old backend',
  says: 'answers {slot} of {frontend}, of the epoch before',
  fault: 'F14',
  input: { frontend, slot: ringSlot },
  atomic: true,
  where: {
    frontend: (m, op) => {
      const b = connectedBackend(m, op.frontend);
      return (
        m.fe.state[op.frontend] === CONNECTED &&
        m.fe.hostile[op.frontend] === HONEST &&
        m.fe.epoch[op.frontend] > 0 &&
        m.fe.tainted[op.frontend] === 0 &&
        b !== NONE &&
        m.sring.rspProd[op.frontend] === m.fe.rspCons[op.frontend] &&
        m.sring.reqProd[op.frontend] === m.chan.reqCons[m.chan.at(b, op.frontend)]
      );
    },
  },
  touches: (m, op, may) => {
    may.write(m.sring, op.frontend);
    may.write(m.fe, op.frontend);
    may.write(m.slot, m.slot.at(op.frontend, slotOf(m.fe.rspCons[op.frontend], ringSize(m))));
  },
  steps: {
    'write the response': (m, op) => {
      const row = m.slot.at(op.frontend, slotOf(m.fe.rspCons[op.frontend], ringSize(m)));
      m.slot.holds[row] = 2;
      m.slot.id[row] = idOf(op.slot, m.fe.epoch[op.frontend] - 1, ringSize(m));
      m.slot.status[row] = 0;
      m.sring.rspProd[op.frontend] = following(m.sring.rspProd[op.frontend], indexMask(m));
      m.fe.event[op.frontend] = 1;
    },
  },
});

/** Crashes, hangs, lost events and late answers, among honest ends. */
export const backendFailures = module<Block, Record<never, never>>('backend failures', {
  tables: {},
  operations: [crash, hang, falseSuspicion, dropKick, lateResponse],
});

/** Crashes only. */
export const crashesOnly = module<Block, Record<never, never>>('backend crashes', { tables: {}, operations: [crash] });

/** Hostile frontends. */
export const hostileFrontends = module<Block, Record<never, never>>('hostile frontends', {
  tables: {},
  operations: [frontendMalforms, frontendRewrites, forgeKick],
});

/** Hostile backends; the manager destroys and replaces them. */
export const hostileBackends = module<Block, Record<never, never>>('hostile backends', {
  tables: {},
  operations: [backendMalforms, holdMapping, forgeInterrupt],
});
