/**
 * What must hold of the software of a microdriver: MD-S1 to MD-S7, MD-P1, MD-L1 of its design, and beside them what the design does not
 * promise (values, bounds, memory, service), so that it can be seen to break. DMA: microdriversDma.ts.
 */
import {
  type Combolock,
  GONE,
  HOLDS_SPIN,
  OUTSIDE,
  SEMAPHORE_MODE,
  SPIN_MODE,
  USER,
  WAITS,
} from '../../model/architectures/microdrivers/combolock.js';
import { ANSWERED, COMPLETE, type DataPath, FREE, QUEUED } from '../../model/architectures/microdrivers/dataPath.js';
import type { KernelHalf } from '../../model/architectures/microdrivers/kernelHalf.js';
import { HANDLER, IN_KERNEL, IN_USER, type Split, UNDECIDED } from '../../model/architectures/microdrivers/split.js';
import { FAIR_ROW, type Storm } from '../../model/architectures/microdrivers/storm.js';
import {
  CALLING,
  DEAD,
  depthOf,
  IDLE,
  KERNEL_SIDE,
  NO_MESSAGE,
  REPLY_UP,
  TOLD,
  USER_SIDE,
  WANTS,
  type Xpc,
} from '../../model/architectures/microdrivers/xpcState.js';
import { type Machine, NONE, OUTCOMES } from '../../model/kernel/index.js';
import { ALLOCATION, COPY, CROSSING, charged, chargesInWords, XPC } from '../../model/ledger.js';
import { invariant, noninterference, progress, relation } from '../property.js';

/** Functions that a critical root reaches: one bit each. */
function reachedFromHandler(m: Split): number {
  let reached = 1 << HANDLER;
  for (let round = 0; round < m.functions.rows; round++) {
    for (let a = 0; a < m.functions.rows; a++) {
      if (((reached >> a) & 1) === 0 || m.functions.hasBody[a] === 0) continue;
      for (let b = 0; b < m.functions.rows; b++) if (m.calls.exists[m.calls.at(a, b)] === 1) reached |= 1 << b;
    }
  }
  return reached;
}

export const criticalInKernel = invariant<Split>('MD-S2', 'critical', {
  states: 'what a critical root reaches is in the kernel half',
  holds: (m) => {
    if (m.functions.half[HANDLER] === UNDECIDED) return true;
    const reached = reachedFromHandler(m);
    for (let f = 0; f < m.functions.rows; f++) {
      if (((reached >> f) & 1) === 1 && m.functions.half[f] !== IN_KERNEL) return false;
    }
    return true;
  },
  explain: () => 'a function that the interrupt handler reaches is in the user half',
  witnesses: {
    'a function is in the user half': (m) => m.functions.half.includes(IN_USER),
    'what both roots reach is in the kernel half': (m) =>
      m.functions.half[HANDLER] !== UNDECIDED && m.functions.labels.includes(3),
  },
});

export const noCallUpFromAtomic = invariant<Split>('MD-S2', 'atomic', {
  states: 'where nothing may sleep, no function of the kernel half calls one of the user half',
  holds: (m) => {
    if (m.functions.half[HANDLER] === UNDECIDED) return true;
    const reached = reachedFromHandler(m);
    for (let a = 0; a < m.functions.rows; a++) {
      if (((reached >> a) & 1) === 0 || m.functions.half[a] !== IN_KERNEL || m.functions.hasBody[a] === 0) continue;
      for (let b = 0; b < m.functions.rows; b++) {
        if (m.calls.exists[m.calls.at(a, b)] === 1 && m.functions.half[b] === IN_USER) return false;
      }
    }
    return true;
  },
  explain: () => 'the interrupt handler reaches a call from the kernel half to the user half',
  witnesses: {
    'the handler calls something': (m) =>
      m.functions.half[HANDLER] === IN_KERNEL && m.calls.exists[m.calls.at(HANDLER, 2)] === 1,
  },
});

export const nestedInTurn = invariant<Xpc>('MD-S7', 'nesting', {
  states:
    'the activations are the lock owner\u2019s, user and kernel side in turn, the lock counts the calls up, and a reply answers the newest',
  holds: (m) => {
    const n = depthOf(m);
    let calls = 0;
    for (let i = 0; i < m.activation.rows; i++) {
      if (i >= n) {
        if (m.activation.side[i] !== 0) return false;
        continue;
      }
      if (m.activation.side[i] !== (i % 2 === 0 ? USER_SIDE : KERNEL_SIDE)) return false;
      if (m.activation.caller[i] !== m.reclock.owner[0]) return false;
      if (m.activation.side[i] === USER_SIDE) calls++;
    }
    if (n > 0 && m.reclock.depth[0] !== calls) return false;
    return m.message.kind[0] === NO_MESSAGE || m.message.answers[0] === n - 1;
  },
  explain: (m) =>
    `${depthOf(m)} activations, the lock is ${m.reclock.owner[0] === NONE ? 'free' : `caller ${m.reclock.owner[0]}'s`} and counts ${m.reclock.depth[0]}, the message answers ${m.message.answers[0]}`,
  witnesses: {
    'a call up within a call down within a call up': (m) => depthOf(m) >= 3,
    'a reply is on its way while another thread waits': (m) =>
      m.message.kind[0] === REPLY_UP && m.caller.state.includes(WANTS),
  },
});

export const repliesFresh = invariant<Xpc>('MD-S7', 'fresh reply', {
  states: 'what is taken for the reply to a call was sent after the user half had taken that call',
  holds: (m) => m.kernel.believed[0] === 0,
  explain: () => 'the reply to an earlier call was taken for that of a call which the user half has not even taken',
  witnesses: { 'a reply is on its way': (m) => m.message.kind[0] === REPLY_UP },
});

export const dispatchBounded = invariant<Xpc>('I7', 'dispatch', {
  states: 'the user half has the kernel call functions of the table only',
  holds: (m) => m.kernel.corrupt[0] === 0,
  explain: () => 'the kernel called what lies beyond the table of functions',
  witnesses: { 'the user half runs': (m) => m.userHalf.state[0] === 1 },
});

const isBlocked = (m: Xpc): boolean => m.caller.state[0] !== IDLE && m.caller.state[0] !== TOLD;

export const callersReturn = progress<Xpc>('MD-L1', 'callers return', {
  states: 'a kernel thread that calls the user half gets a reply or an error',
  pending: isBlocked,
  goal: (m) => !isBlocked(m),
  witnesses: {
    'the user half is dead with a call outstanding': (m) =>
      m.userHalf.state[0] === DEAD && m.caller.state.includes(CALLING),
    'a thread is told': (m) => m.caller.state.includes(TOLD),
  },
});

export const serviceReturns = progress<Xpc>('MD-L2', 'service returns', {
  states: 'after its death the user half serves again',
  pending: (m) => m.userHalf.state[0] === DEAD,
  goal: (m) => m.userHalf.state[0] !== DEAD,
  witnesses: { 'the user half is dead': (m) => m.userHalf.state[0] === DEAD },
});

export const oneHolder = invariant<Combolock>('MD-S5', 'exclusion', {
  states: 'one context holds the lock, whether it spun or slept for it',
  holds: (m) => {
    let holders = 0;
    for (let c = 0; c < m.context.rows; c++) if (m.context.state[c] >= HOLDS_SPIN) holders++;
    return holders <= 1;
  },
  explain: () => 'two contexts hold the lock',
  witnesses: {
    'the user half holds it and a kernel thread waits': (m) =>
      m.combolock.semaphore[0] === USER && m.context.state[0] === WAITS,
    'a kernel thread holds it and the user half waits': (m) =>
      m.context.state[0] >= HOLDS_SPIN && m.context.state[USER] === WAITS,
  },
});

export const interruptNeverSleeps = invariant<Combolock>('MD-S5', 'interrupt context', {
  states: 'interrupt context and the data path neither sleep nor spin for a lock of the thread that they interrupted',
  holds: (m) => m.interrupt.slept[0] === 0 && m.interrupt.stuck[0] === 0,
  explain: (m) =>
    m.interrupt.slept[0] === 1
      ? 'a path that must not sleep took the lock in semaphore mode'
      : 'the handler spins for a lock that the thread it interrupted holds',
  witnesses: {
    'an interrupt is pending while the line is masked': (m) =>
      m.interrupt.raised[0] === 1 && m.combolock.mode[0] === SEMAPHORE_MODE,
    'an interrupt is pending while a thread spins': (m) => m.interrupt.raised[0] === 1 && m.combolock.spin[0] !== NONE,
  },
});

export const copiesAgree = invariant<Combolock>('MD-S3', 'hand-over', {
  states: 'whoever may read the shared data under the lock has what its last holder wrote',
  holds: (m) => {
    const user = m.context.state[USER] >= HOLDS_SPIN;
    return (user ? m.shared.user[0] : m.shared.kernel[0]) === m.shared.latest[0];
  },
  explain: (m) =>
    `the last holder left ${m.shared.latest[0]}, the kernel half has ${m.shared.kernel[0]}, the user half ${m.shared.user[0]}`,
  witnesses: {
    'the copies differ': (m) => m.shared.kernel[0] !== m.shared.user[0],
  },
});

export const waitersWake = progress<Combolock>('MD-L1', 'lock', {
  states: 'a kernel thread that waits on the semaphore gets it',
  pending: (m) => m.context.state[0] === WAITS,
  goal: (m) => m.context.state[0] !== WAITS,
  witnesses: {
    'the user half is dead and holds the lock': (m) => m.process.state[0] === GONE && m.combolock.semaphore[0] === USER,
  },
});

export const pathGoesOn = progress<DataPath>('MD-L1', 'data path', {
  states: 'a request is answered, whatever became of the user half',
  pending: (m) => m.request.state[0] === QUEUED || m.request.state[0] === COMPLETE,
  goal: (m) => m.request.state[0] === ANSWERED || m.request.state[0] === FREE,
  witnesses: {
    'the user half dies with the line masked': (m) => m.process.state[0] === GONE && m.interrupt.masked[0] === 1,
  },
});

export const answeredOnce = invariant<DataPath>('I6', 'exactly once', {
  states: 'each request is answered exactly once, and its buffer is not mapped any more then',
  holds: (m) => {
    for (let r = 0; r < m.request.rows; r++) {
      if (m.request.answers[r] > 1) return false;
      if (m.request.state[r] === ANSWERED && (m.request.answers[r] !== 1 || m.request.mapped[r] === 1)) return false;
    }
    return true;
  },
  explain: () => 'a request was answered twice, not at all, or with its buffer still mapped',
  witnesses: {
    'a request is answered after the death of the user half': (m) =>
      m.request.state[0] === ANSWERED && m.process.state[0] === GONE,
  },
});

const DATA_PATH = ['path.submit', 'path.complete', 'path.interrupt', 'path.take'];

/** Whether the operation of that name has succeeded on this machine, at any time. */
function hasRun(m: Machine, name: string): boolean {
  for (let i = 0; i < m.operations.length; i++) {
    if (m.operations[i].op.name === name && m.outcomes[i * OUTCOMES] > 0) return true;
  }
  return false;
}

export const pathStaysInKernel = relation<DataPath>('MD-P1', 'no crossing', {
  states: 'the data path makes no XPC, no crossing, no copy and no allocation',
  holds: (_before, m) => {
    if (m.charged === 0 || !DATA_PATH.includes(m.current.op.name)) return true;
    return charged(m, XPC) + charged(m, CROSSING) + charged(m, COPY) + charged(m, ALLOCATION) === 0;
  },
  explain: (_before, m) => `${m.current.op.name} is on the data path and charges ${chargesInWords(m)}`,
  witnesses: {
    'a request was submitted': (m) => hasRun(m, DATA_PATH[0]),
    'an interrupt was handled': (m) => hasRun(m, DATA_PATH[2]),
    'an XPC off the data path': (m) => charged(m, XPC) > 0,
  },
});

export const lineFollowsMode = invariant<Combolock>('MD-S5', 'line', {
  states:
    'the lock is in semaphore mode only while somebody holds or wants it so, and then the line is masked; else the line is open',
  holds: (m) => {
    if (m.combolock.mode[0] === SEMAPHORE_MODE) {
      if (m.combolock.semaphore[0] === NONE && m.combolock.waiters[0] === 0) return false;
      return m.interrupt.masked[0] === 1;
    }
    return m.interrupt.masked[0] === 0 || m.context.state[USER] !== OUTSIDE;
  },
  explain: (m) => `mode ${m.combolock.mode[0] === SPIN_MODE ? 'spin' : 'semaphore'}, line ${m.interrupt.masked[0]}`,
  witnesses: {
    'a kernel thread holds the semaphore and nobody else wants it': (m) =>
      m.combolock.mode[0] === SEMAPHORE_MODE && m.combolock.waiters[0] === 0 && m.combolock.semaphore[0] !== USER,
  },
});

export const threadsRun = invariant<Storm>('I14', 'threads run', {
  states: `at most ${FAIR_ROW} interrupts are handled before a thread runs`,
  holds: (m) => m.processor.inARow[0] <= FAIR_ROW,
  explain: (m) => `${m.processor.inARow[0]} interrupts in a row, and no thread in between`,
  witnesses: { 'an interrupt was handled': (m) => m.processor.inARow[0] > 0 },
});

export const kernelServes = progress<KernelHalf>('MD-K1', 'kernel serves', {
  states: 'a process that has nothing to do with the driver is served',
  pending: (m) => m.client.state[0] === 1,
  goal: (m) => m.client.state[0] === 0,
  witnesses: { 'a process waits': (m) => m.client.state[0] === 1 },
});

export const strangerUnaware = noninterference<KernelHalf & Xpc>('I14', 'strangers', {
  states: 'what a process that has nothing to do with the driver sees does not depend on the death of the user half',
  view: (m, out) => {
    out[0] = m.client.state[0];
    out[1] = m.system.kernel[0];
    return 2;
  },
  purge: (_m, operation) => operation === 'user.crash',
  witnesses: {
    'the process waits, and the user half is dead': (m) => m.client.state[0] === 1 && m.userHalf.state[0] === DEAD,
  },
});
