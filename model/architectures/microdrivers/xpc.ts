/**
 * Calls between the halves of a driver (XPC), in both directions, and what happens when the user half dies with one outstanding.
 * Source: Ganapathy et al., "Microdrivers" (HotOS 2007; ASPLOS 2008), D2 (stubs and XPC) and D6 (failure).
 *
 * State: one recursive lock for each driver; the activations of the logical thread that crosses, oldest first (user and kernel side in
 * turn); one message on its way; what each kernel thread waits for. Operations: a kernel thread asks, takes the lock, calls up; the one
 * user thread takes the call, replies, or calls down; the kernel's function returns. Then death, and what the runtime must clear away.
 *
 * Must keep: MD-S7, activations are those of the lock's owner, in turn, and a reply answers the newest; the table of functions bounds what
 * the user half can call; MD-L1, no kernel thread waits for ever. D6 leaves what follows a crash open; the clearing away is what MD-L1
 * asks of it. There is no restart, and no time-out: a hang is not noticed.
 */
import { module, NONE, operationOn } from '../../kernel/index.js';
import { crossCall, LOCK } from '../../ledger.js';
import {
  CALL_UP,
  CALLING,
  caller,
  DEAD,
  depthOf,
  HOLDING,
  IDLE,
  KERNEL_SIDE,
  NO_MESSAGE,
  PARKED,
  pop,
  push,
  REPLY_UP,
  RUNNING,
  release,
  send,
  serves,
  TOLD,
  taken,
  topSide,
  USER_SIDE,
  WANTS,
  type Xpc,
  xpcTables,
} from './xpcState.js';

const operation = operationOn<Xpc>();

/** A kernel thread, in a context that may sleep, wants something of the driver that the user half does. */
export const begin = operation('xpc.begin', {
  agent: caller,
  says: 'asks for what the user half does',
  source: 'D2: Up only from a context that may block',
  where: { agent: (m, op) => m.caller.state[op.agent] === IDLE || m.caller.state[op.agent] === TOLD },
  touches: (m, op, may) => may.write(m.caller, op.agent),
  steps: {
    ask: (m, op) => {
      m.caller.state[op.agent] = WANTS;
    },
  },
});

/** The recursive lock: one logical thread crosses at a time. */
export const acquire = operation('xpc.acquire', {
  agent: caller,
  says: 'takes the lock of the driver',
  source: 'D2: one recursive lock for each driver',
  where: { agent: (m, op) => m.caller.state[op.agent] === WANTS && m.reclock.owner[0] === NONE },
  touches: (m, op, may) => {
    may.write(m.caller, op.agent);
    may.write(m.reclock);
  },
  steps: {
    'take the lock': (m, op) => {
      m.charge(LOCK);
      m.reclock.owner[0] = op.agent;
      m.reclock.depth[0] = 1;
    },
    'note it': (m, op) => {
      m.caller.state[op.agent] = HOLDING;
    },
  },
});

/** Up: kernel half to user half; the first one, or one from within a call down. */
export const callUp = operation('xpc.up', {
  agent: caller,
  says: 'calls the user half',
  source: 'D2: Up(k to u)',
  where: {
    agent: (m, op) => {
      if (m.userHalf.state[0] === DEAD || depthOf(m) >= m.activation.rows || m.message.kind[0] !== NO_MESSAGE) {
        return false;
      }
      return m.caller.state[op.agent] === HOLDING || serves(m, op.agent);
    },
  },
  touches: (m, op, may) => {
    may.write(m.caller, op.agent);
    may.write(m.reclock);
    may.write(m.activation, depthOf(m));
    may.write(m.message);
  },
  steps: {
    'take the lock again': (m, op) => {
      if (m.caller.state[op.agent] === CALLING) m.reclock.depth[0]++;
    },
    'marshal and send': (m, op) => {
      crossCall(m);
      m.caller.state[op.agent] = CALLING;
      push(m, USER_SIDE, op.agent);
      send(m, CALL_UP, depthOf(m) - 1);
    },
  },
});

/** The user half is gone: a first call fails at once, and the lock is let go. */
export const refuse = operation('xpc.refuse', {
  agent: caller,
  says: 'finds the user half dead',
  source: 'D6, and MD-L1',
  where: { agent: (m, op) => m.caller.state[op.agent] === HOLDING && m.userHalf.state[0] === DEAD },
  touches: (m, op, may) => {
    may.write(m.caller, op.agent);
    may.write(m.reclock);
  },
  steps: {
    'release the lock': (m) => release(m),
    'tell the caller': (m, op) => {
      m.caller.state[op.agent] = TOLD;
    },
  },
});

/** The parked user thread takes a call: also while it waits in a call down. */
export const takeCall = operation('user.take', {
  agent: 'user half',
  says: 'takes a call of the kernel half',
  source: 'D2: wake parked user thread',
  where: { agent: (m) => m.userHalf.state[0] === PARKED && m.message.kind[0] === CALL_UP },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    demarshal: (m) => {
      taken(m);
      m.userHalf.state[0] = RUNNING;
    },
  },
});

/** The function that was called up returns. */
export const reply = operation('user.reply', {
  agent: 'user half',
  says: 'returns from the newest call',
  source: 'D2: wait reply',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING && topSide(m) === USER_SIDE },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    'marshal and send': (m) => {
      send(m, REPLY_UP, depthOf(m) - 1);
      m.userHalf.state[0] = PARKED;
    },
  },
});

/** The kernel thread gets its reply. */
export const takeReply = operation('xpc.return', {
  agent: caller,
  says: 'takes the reply of the user half',
  source: 'D2: demarshal back, release',
  where: {
    agent: (m, op) => {
      const at = m.message.answers[0];
      return m.message.kind[0] === REPLY_UP && at < m.activation.rows && m.activation.caller[at] === op.agent;
    },
  },
  touches: (m, op, may) => {
    may.write(m.activation, m.message.answers[0]);
    may.write(m.message);
    may.write(m.reclock);
    may.write(m.caller, op.agent);
  },
  steps: {
    'end the call': (m) => {
      pop(m, m.message.answers[0]);
      taken(m);
    },
    'release the lock once': (m) => release(m),
    'go on': (m, op) => {
      if (depthOf(m) === 0) m.caller.state[op.agent] = IDLE;
    },
  },
});

/** Down: the user half traps into the kernel with the number of a function; the same logical thread goes on there. */
export const callDown = operation('user.down', {
  agent: 'user half',
  says: 'calls a function of the kernel half',
  source: 'D2: Down(u to k), a call like ioctl with the number of the function: demarshal into kernel objects, run',
  where: {
    agent: (m) => m.userHalf.state[0] === RUNNING && topSide(m) === USER_SIDE && depthOf(m) < m.activation.rows,
  },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.activation, depthOf(m));
  },
  steps: {
    trap: (m) => {
      crossCall(m);
      m.userHalf.state[0] = PARKED;
    },
    'enter the function': (m) => push(m, KERNEL_SIDE, m.activation.caller[depthOf(m) - 1]),
  },
});

/** It returns, to a user half that may be dead by then. */
export const answer = operation('xpc.answer', {
  agent: 'runtime',
  says: 'returns to the user half',
  source: 'D2: marshal results, return',
  where: { agent: (m) => topSide(m) === KERNEL_SIDE && m.message.kind[0] === NO_MESSAGE },
  touches: (m, _op, may) => {
    may.write(m.activation, depthOf(m) - 1);
    may.write(m.userHalf);
  },
  steps: {
    'leave the function': (m) => pop(m, depthOf(m) - 1),
    'resume the user half': (m) => {
      if (m.userHalf.state[0] === PARKED) m.userHalf.state[0] = RUNNING;
    },
  },
});

/** The process is gone. What it owed is cleared away once no kernel function runs in its name. */
export const clearAway = operation('xpc.clearAway', {
  agent: 'runtime',
  says: 'clears away what the dead user half owed',
  source: 'D6, and MD-L1: the caller gets an error, the lock is broken',
  where: { agent: (m) => m.userHalf.state[0] === DEAD && topSide(m) === USER_SIDE },
  touches: (m, _op, may) => {
    may.write(m.message);
    may.writeAll(m.caller);
    may.writeAll(m.activation);
    may.write(m.reclock);
  },
  steps: {
    'drop the message': (m) => taken(m),
    'end the calls': (m) => {
      for (let i = depthOf(m) - 1; i >= 0; i--) pop(m, i);
    },
    'tell the callers': (m) => {
      for (let c = 0; c < m.caller.rows; c++) if (m.caller.state[c] === CALLING) m.caller.state[c] = TOLD;
    },
    'break the lock': (m) => {
      m.reclock.owner[0] = NONE;
      m.reclock.depth[0] = 0;
    },
  },
});

const SIDES = ['none', 'user', 'kernel'];

/** Scope: `caller`, `level`. */
export const xpc = module<Xpc, typeof xpcTables>('calls between the halves', {
  tables: xpcTables,
  operations: [begin, acquire, callUp, refuse, takeCall, reply, takeReply, callDown, answer, clearAway],
  initial: (m) => {
    m.reclock.owner.fill(NONE);
    m.activation.caller.fill(NONE);
    m.message.answers.fill(NONE);
  },
  map: (m) => [
    `lock: ${m.reclock.owner[0] === NONE ? 'free' : `caller ${m.reclock.owner[0]}, ${m.reclock.depth[0]} times`}`,
    ...[...m.activation.side].map((side, i) => `activation ${i}: ${SIDES[side]}`),
  ],
});
