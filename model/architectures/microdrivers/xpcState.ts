/**
 * The state of calls between the halves of a driver (XPC): the recursive lock, the user half's one thread, the activations of the logical
 * thread that crosses, the message on its way. Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D2. Operations: xpc.ts.
 */
import { gate, type Machine, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';

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

export const xpcTables = {
  caller: table([caller], { state: oneOf('idle', 'wants', 'holds the lock', 'calls', 'told of failure') }),
  /** The recursive lock of the driver: depth counts calls up. */
  reclock: table([], { owner: ref(caller), depth: u8() }),
  /** The one thread of the user half. */
  userHalf: table([], { state: oneOf('parked', 'running', 'hung', 'dead') }),
  /** What is active, oldest first. */
  activation: table([level], { side: oneOf('none', 'user', 'kernel'), caller: ref(caller) }),
  /** The message between the halves, and the activation that it is about. A call down is a trap and needs none. */
  message: table([], {
    kind: oneOf('none', 'call up', 'reply'),
    answers: ref(level),
  }),
  /** The kernel, as far as the user half could harm it here. */
  kernel: table([], {
    corrupt: oneOf('no', 'yes'),
    /** Kept for properties: a reply was taken for that of a call which the user half had not taken yet. */
    believed: oneOf('no', 'yes'),
  }),
};

export type Xpc = Machine & State<typeof xpcTables>;
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

/** Begins an activation. */
export function push(m: Xpc, side: number, c: number): void {
  const n = depthOf(m);
  m.activation.side[n] = side;
  m.activation.caller[n] = c;
}

/** Ends an activation. */
export function pop(m: Xpc, at: number): void {
  m.activation.side[at] = NO_SIDE;
  m.activation.caller[at] = NONE;
}

/** Puts a message on its way. */
export function send(m: Xpc, kind: number, answers: number): void {
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
export function serves(m: Xpc, c: number): boolean {
  const n = depthOf(m);
  return (
    n > 0 &&
    m.message.kind[0] === NO_MESSAGE &&
    m.activation.side[n - 1] === KERNEL_SIDE &&
    m.activation.caller[n - 1] === c
  );
}
