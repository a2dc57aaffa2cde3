/**
 * The data path of a microdriver: submission and completion of requests, entirely in the kernel half.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D1 (critical roots stay in the kernel) and section 3d of the fast path: no XPC, no
 * sleeping, no combolock in semaphore mode, no marshalling, no entry of the object tracker.
 *
 * State: requests, each with its buffer's mapping (where there is an IOMMU). Operations: the kernel's own client submits; the device
 * completes and raises the line; the handler answers everything that is complete; the client takes the answer.
 * Must keep: MD-P1, none of them crosses, copies or allocates; I6, every request is answered exactly once, with its buffer unmapped.
 */

import { dmaRemapping } from '../../iommu/index.js';
import { module, NONE, oneOf, operationOn, type State, sort, table, u8 } from '../../kernel/index.js';
import { INVALIDATION, LOCK, MAPPING, NOTIFICATION, UNMAPPING } from '../../ledger.js';
import { type Combolock, SPIN_MODE } from './combolock.js';

export const request = sort('request');

export const FREE = 0;
export const QUEUED = 1;
export const COMPLETE = 2;
export const ANSWERED = 3;

export const dataPathTables = {
  request: table([request], {
    state: oneOf('free', 'queued', 'complete', 'answered'),
    /** The buffer is mapped for the device. */
    mapped: oneOf('no', 'yes'),
    /** Answers that the client has been given; two means more than one. */
    answers: u8(),
  }),
};

export type DataPath = Combolock & State<typeof dataPathTables>;
const operation = operationOn<DataPath>();

/** The kernel's own client (file system, network stack) submits, in a context that must not sleep: it takes the lock by spinning only. */
export const submitRequest = operation('path.submit', {
  agent: 'client',
  path: 'submit',
  says: 'submits {request}',
  source: 'D1: performance-critical roots',
  input: { request },
  where: {
    agent: (m) => m.combolock.mode[0] === SPIN_MODE && m.combolock.spin[0] === NONE,
    request: (m, op) => m.request.state[op.request] === FREE,
  },
  touches: (m, op, may) => {
    may.write(m.request, op.request);
    may.write(m.interrupt);
  },
  steps: {
    'take the lock': (m) => {
      m.charge(LOCK);
      if (m.combolock.mode[0] !== SPIN_MODE) m.interrupt.slept[0] = 1;
    },
    'map the buffer': (m, op) => {
      if (!m.on(dmaRemapping)) return;
      m.charge(MAPPING);
      m.request.mapped[op.request] = 1;
    },
    'queue it': (m, op) => {
      m.request.state[op.request] = QUEUED;
      m.request.answers[op.request] = 0;
    },
  },
});

/** The device has done it, and raises its line if that is not raised already. */
export const completeRequest = operation('path.complete', {
  agent: 'device',
  path: 'complete',
  says: 'completes {request}',
  atomic: true,
  input: { request },
  where: { request: (m, op) => m.request.state[op.request] === QUEUED },
  touches: (m, op, may) => {
    may.write(m.request, op.request);
    may.write(m.interrupt);
  },
  steps: {
    transfer: (m, op) => {
      m.request.state[op.request] = COMPLETE;
    },
    'raise the line': (m) => {
      if (m.interrupt.raised[0] === 0) m.charge(NOTIFICATION);
      m.interrupt.raised[0] = 1;
    },
  },
});

/** The handler: in interrupt context, on a processor whose interrupts are on: no thread there holds the spin lock. */
export const handleInterrupt = operation('path.interrupt', {
  agent: 'interrupt',
  path: 'notify',
  says: 'answers what is complete',
  source: 'D5: interrupt code never needs a lock in semaphore mode',
  atomic: true,
  where: {
    agent: (m) => m.interrupt.raised[0] === 1 && m.interrupt.masked[0] === 0 && m.combolock.spin[0] === NONE,
  },
  touches: (m, _op, may) => {
    may.write(m.interrupt);
    for (let r = 0; r < m.request.rows; r++) if (m.request.state[r] === COMPLETE) may.write(m.request, r);
  },
  steps: {
    'take the lock': (m) => {
      m.charge(LOCK);
      if (m.combolock.mode[0] !== SPIN_MODE) m.interrupt.slept[0] = 1;
      else if (m.combolock.spin[0] !== NONE) m.interrupt.stuck[0] = 1;
    },
    acknowledge: (m) => {
      m.interrupt.raised[0] = 0;
    },
    'unmap the buffers': (m) => {
      for (let r = 0; r < m.request.rows; r++) {
        if (m.request.state[r] !== COMPLETE || m.request.mapped[r] === 0) continue;
        m.charge(UNMAPPING);
        m.charge(INVALIDATION);
        m.request.mapped[r] = 0;
      }
    },
    answer: (m) => {
      for (let r = 0; r < m.request.rows; r++) {
        if (m.request.state[r] === COMPLETE && m.request.answers[r] < 2) m.request.answers[r]++;
      }
    },
    retire: (m) => {
      for (let r = 0; r < m.request.rows; r++) if (m.request.state[r] === COMPLETE) m.request.state[r] = ANSWERED;
    },
  },
});

/** The client takes its answer. */
export const takeAnswered = operation('path.take', {
  agent: 'client',
  path: 'complete',
  says: 'takes the answer to {request}',
  input: { request },
  where: { request: (m, op) => m.request.state[op.request] === ANSWERED },
  touches: (m, op, may) => may.write(m.request, op.request),
  steps: {
    take: (m, op) => {
      m.request.state[op.request] = FREE;
      m.request.answers[op.request] = 0;
    },
  },
});

/** Scope: `request`. */
export const dataPath = module<DataPath, typeof dataPathTables>('data path', {
  tables: dataPathTables,
  operations: [submitRequest, completeRequest, handleInterrupt, takeAnswered],
  map: (m) => [...m.request.state].map((s, r) => `request ${r}: ${['free', 'queued', 'complete', 'answered'][s]}`),
});
