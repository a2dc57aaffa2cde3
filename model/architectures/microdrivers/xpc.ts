/**
 * Calls between the halves of a driver (XPC), in both directions, and what happens when the user half dies with one outstanding.
 * Source: Ganapathy et al., "Microdrivers" (HotOS 2007; ASPLOS 2008), D2 (stubs and XPC) and D6 (failure).
 *
 * State: one recursive lock for each driver; the activations of the logical thread that crosses, oldest first (user and kernel side in
 * turn); one message on its way; what each kernel thread waits for. Operations: a kernel thread asks, takes the lock, calls up; the one
 * user thread takes the call, replies, or calls down; the kernel serves, answers. Then death, and what the runtime must clear away.
 *
 * Must keep: MD-S7, activations are those of the lock's owner, in turn, and a reply answers the newest; the table of functions bounds what
 * the user half can call; MD-L1, no kernel thread waits for ever. D6 leaves what follows a crash open; the clearing away is what MD-L1
 * asks of it. There is no restart, and no time-out: a hang is not noticed.
 */
import { crossCall, LOCK } from '../../ledger.js';
import {
  blockedBy,
  gate,
  type Machine,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';

/** Kernel threads that call into the driver. */
export const caller = sort('caller');
/** Activations that may be outstanding: the depth of nesting. */
export const level = sort('level');

export const NO_SIDE = 0;
export const USER_SIDE = 1;
export const KERNEL_SIDE = 2;

export const IDLE = 0;
/** Wants the driver, and waits for the lock. */
export const WANTS = 1;
/** Has the lock, and no call outstanding. */
export const HOLDING = 2;
/** Has called up, and waits or serves. */
export const CALLING = 3;
/** Was told that its call failed. */
export const TOLD = 4;

export const PARKED = 0;
export const RUNNING = 1;
export const HUNG = 2;
export const DEAD = 3;

export const NO_MESSAGE = 0;
export const CALL_UP = 1;
export const REPLY_UP = 2;
export const CALL_DOWN = 3;
export const REPLY_DOWN = 4;

export const xpcTables = {
  caller: table([caller], { state: oneOf('idle', 'wants', 'holds the lock', 'calls', 'told of failure') }),
  /** The recursive lock of the driver: depth counts calls up. */
  reclock: table([], { owner: ref(caller), depth: u8() }),
  /** The one thread of the user half. */
  userHalf: table([], { state: oneOf('parked', 'running', 'hung', 'dead') }),
  /** What is active, oldest first. */
  activation: table([level], { side: oneOf('none', 'user', 'kernel'), caller: ref(caller) }),
  /** The message between the halves, and the activation that it answers. */
  message: table([], {
    kind: oneOf('none', 'call up', 'reply of user half', 'call down', 'reply of kernel half'),
    answers: ref(level),
  }),
  /** The kernel, as far as the user half could harm it here. */
  kernel: table([], { corrupt: oneOf('no', 'yes') }),
};

export type Xpc = Machine & State<typeof xpcTables>;
const operation = operationOn<Xpc>();

/** A call down names a function below the size of the table. */
export const functionIdCheck = gate('function id check');
/** A reply is taken only for the newest call. */
export const replyMatching = gate('reply matching');

/** Number of activations. */
export function depthOf(m: Xpc): number {
  let n = 0;
  while (n < m.activation.rows && m.activation.side[n] !== NO_SIDE) n++;
  return n;
}

/** Side of the newest activation. */
export function topSide(m: Xpc): number {
  const n = depthOf(m);
  return n === 0 ? NO_SIDE : m.activation.side[n - 1];
}

function push(m: Xpc, side: number, c: number): void {
  const n = depthOf(m);
  m.activation.side[n] = side;
  m.activation.caller[n] = c;
}

/** Ends an activation. */
export function pop(m: Xpc, at: number): void {
  m.activation.side[at] = NO_SIDE;
  m.activation.caller[at] = NONE;
}

function send(m: Xpc, kind: number, answers: number): void {
  m.message.kind[0] = kind;
  m.message.answers[0] = answers;
}

/** The message has been taken. */
export function taken(m: Xpc): void {
  m.message.kind[0] = NO_MESSAGE;
  m.message.answers[0] = NONE;
}

/** One holder fewer; the last one frees the lock. */
export function release(m: Xpc): void {
  m.reclock.depth[0]--;
  if (m.reclock.depth[0] === 0) m.reclock.owner[0] = NONE;
}

/** Whether the thread executes: the newest activation is its own, on the kernel's side, and no message is on its way. */
function serves(m: Xpc, c: number): boolean {
  const n = depthOf(m);
  return (
    n > 0 &&
    m.message.kind[0] === NO_MESSAGE &&
    m.activation.side[n - 1] === KERNEL_SIDE &&
    m.activation.caller[n - 1] === c
  );
}

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

/** Down: the user half calls a kernel function, by its number. */
export const callDown = operation('user.down', {
  agent: 'user half',
  says: 'calls a function of the kernel half',
  source: 'D2: Down(u to k), a call like ioctl with the number of the function',
  where: {
    agent: (m) => m.userHalf.state[0] === RUNNING && topSide(m) === USER_SIDE && depthOf(m) < m.activation.rows,
  },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    'marshal and send': (m) => {
      crossCall(m);
      send(m, CALL_DOWN, depthOf(m) - 1);
      m.userHalf.state[0] = PARKED;
    },
  },
});

/** The kernel's side of the call down: the same logical thread goes on in the kernel. */
export const serve = operation('xpc.serve', {
  agent: 'runtime',
  says: 'runs the function that the user half calls',
  source: 'D2: demarshal into kernel objects, run',
  where: { agent: (m) => m.message.kind[0] === CALL_DOWN },
  touches: (m, _op, may) => {
    may.write(m.message);
    may.write(m.activation, depthOf(m));
  },
  steps: {
    'enter the function': (m) => {
      const c = m.activation.caller[m.message.answers[0]];
      taken(m);
      push(m, KERNEL_SIDE, c);
    },
  },
});

/** It returns. */
export const answer = operation('xpc.answer', {
  agent: 'runtime',
  says: 'returns to the user half',
  source: 'D2: marshal results, return',
  where: { agent: (m) => topSide(m) === KERNEL_SIDE && m.message.kind[0] === NO_MESSAGE },
  touches: (m, _op, may) => {
    may.write(m.activation, depthOf(m) - 1);
    may.write(m.message);
  },
  steps: {
    'leave the function': (m) => pop(m, depthOf(m) - 1),
    'marshal and send': (m) => send(m, REPLY_DOWN, depthOf(m) - 1),
  },
});

/** The user half has its result, and goes on. */
export const takeAnswer = operation('user.resume', {
  agent: 'user half',
  says: 'takes the result of its call',
  where: { agent: (m) => m.userHalf.state[0] === PARKED && m.message.kind[0] === REPLY_DOWN },
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

/** A call down to a number beyond the table: an index that nobody checked is a jump to anywhere. */
export const callBeyondTable = operation('user.downBeyond', {
  agent: 'user half',
  says: 'calls a function with a number beyond the table',
  source: 'D2: guard, number below the size of the table',
  fault: 'F5',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.kernel),
  steps: {
    'look the function up': (m) => {
      if (m.on(functionIdCheck)) return blockedBy(functionIdCheck);
      m.kernel.corrupt[0] = 1;
      return OK;
    },
  },
});

/** A reply to an older call, while a newer one is outstanding. */
export const replyToOlder = operation('user.replyOlder', {
  agent: 'user half',
  says: 'replies to the oldest call while a newer one is outstanding',
  source: 'D2: nesting',
  fault: 'F5',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING && topSide(m) === USER_SIDE && depthOf(m) > 1 },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    'match the reply': (m) => {
      if (m.on(replyMatching)) return blockedBy(replyMatching);
      send(m, REPLY_UP, 0);
      m.userHalf.state[0] = PARKED;
      return OK;
    },
  },
});

/** The process dies, wherever it is. A message to it has no reader any more. */
export const crash = operation('user.crash', {
  agent: 'user half',
  says: 'dies',
  source: 'D6: exit or segmentation fault of the process',
  fault: 'F10',
  where: { agent: (m) => m.userHalf.state[0] !== DEAD },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    die: (m) => {
      m.userHalf.state[0] = DEAD;
      if (m.message.kind[0] !== CALL_DOWN) taken(m);
    },
  },
});

/** The process runs, and answers no more. */
export const hang = operation('user.hang', {
  agent: 'user half',
  says: 'hangs',
  source: 'D6: no time-out in the runtime',
  fault: 'F11',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.userHalf),
  steps: {
    hang: (m) => {
      m.userHalf.state[0] = HUNG;
    },
  },
});

const SIDES = ['none', 'user', 'kernel'];

/** Scope: `caller`, `level`. */
export const xpc = module<Xpc, typeof xpcTables>('calls between the halves', {
  tables: xpcTables,
  operations: [
    begin,
    acquire,
    callUp,
    refuse,
    takeCall,
    reply,
    takeReply,
    callDown,
    serve,
    answer,
    takeAnswer,
    clearAway,
    callBeyondTable,
    replyToOlder,
    crash,
    hang,
  ],
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
