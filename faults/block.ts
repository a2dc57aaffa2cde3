/**
 * What fails in a split driver among honest ends: events lost (F7), backends that crash (F10), hang or are taken for hung (F11), and answers
 * of an older epoch (F14). Hostile peers are in blockHostile.ts; the historical bugs, as edits, in blockMutants.ts.
 */
import { idOf, segment } from '../model/blockFormats.js';
import { kill } from '../model/blockManager.js';
import {
  type Block,
  backend,
  connectedBackend,
  deviceOf,
  deviceOfBackend,
  epoch,
  frontend,
  HONEST,
  HUNG,
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
export const replaceable = (m: Block, b: number): boolean => m.device.epoch[deviceOfBackend(b)] + 1 < m.size(epoch);

/** All that is the backend's own, and what it shares with its frontends. */
export function touchBackend(m: Block, may: Footprint, b: number): void {
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
      m.killThreads(op.agent);
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

const lastDevice = (m: Block): number => deviceOf(m, m.fe.rows - 1);

const isStranger = (m: Block, b: number): boolean => deviceOfBackend(b) !== lastDevice(m);

const strangerCrashes = {
  ...crash,
  where: {
    agent: (m: Block, op: { agent: number }) => isStranger(m, op.agent) && (crash.where?.agent?.(m, op) ?? true),
  },
};
const strangerHangs = {
  ...hang,
  where: {
    agent: (m: Block, op: { agent: number }) => isStranger(m, op.agent) && (hang.where?.agent?.(m, op) ?? true),
  },
};
const strangerSuspected = {
  ...falseSuspicion,
  where: {
    target: (m: Block, op: { agent: number; target: number }) =>
      isStranger(m, op.target) && (falseSuspicion.where?.target?.(m, op) ?? true),
  },
};

/** Crashes, of other backends than the last frontend's. */
export const strangersCrash = module<Block, Record<never, never>>("strangers' backends crash", {
  tables: {},
  operations: [strangerCrashes],
});

/** All three failures, of other backends than the last frontend's. */
export const strangersFail = module<Block, Record<never, never>>("strangers' backends fail", {
  tables: {},
  operations: [strangerCrashes, strangerHangs, strangerSuspected],
});
