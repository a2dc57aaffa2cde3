/**
 * The command ring inside a DD/OS: the server thread, which clients call by IPC, hands commands to threads of its Linux and takes the next
 * client. Where the ring is full the server waits: clients are held back, and if Linux is dead they are held for ever.
 * Source: LeVasseur et al. 2004, V8 (8 entries between the L4 server thread and the Linux half-threads).
 *
 * State: slots, the command that the server has in hand, what each client waits for. Must keep: a command is in one place from the call to
 * the answer; with a restart every call ends (DD-L1), and a client whose command waits takes no place from another (DD-L3).
 */
import {
  AGAIN,
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
} from '../../kernel/index.js';
import { client } from './channelState.js';
import { hangDetection } from './restartState.js';

/** Entries of the ring: 8 in the code. */
export const command = sort('command');

export const FREE = 0;
export const QUEUED = 1;
export const IN_WORK = 2;

export const IDLE = 0;
/** In its call, which the server has not received. */
export const CALLS = 1;
/** Its command is with the server or in the ring. */
export const WAITS = 2;
/** The call ended with an error: Linux died under it. */
export const FAILED = 3;

export const LINUX_RUNS = 0;
export const LINUX_HANGS = 1;
export const LINUX_DEAD = 2;

export const commandTables = {
  entry: table([command], { state: oneOf('free', 'queued', 'in work'), of: ref(client) }),
  /** The server thread: the client whose command it has in hand. */
  server: table([], { has: ref(client) }),
  caller: table([client], { state: oneOf('idle', 'calls', 'waits', 'told of failure') }),
  linux: table([], { life: oneOf('runs', 'hangs', 'dead') }),
};

export type Commands = Machine & State<typeof commandTables>;
const operation = operationOn<Commands>();

/** The server waits for a free slot, and overwrites none. */
export const waitWhenFull = gate('wait for a free slot');
/** A call by IPC blocks its caller until it is answered: one command for each client. */
export const blockingCall = gate('a call blocks its caller');

/** A free slot, or -1. */
function freeSlot(m: Commands): number {
  for (let s = 0; s < m.entry.rows; s++) if (m.entry.state[s] === FREE) return s;
  return -1;
}

export const callServer = operation('client.call', {
  agent: client,
  says: 'calls the server',
  where: { agent: (m, op) => m.caller.state[op.agent] === IDLE || m.caller.state[op.agent] === FAILED },
  touches: (m, op, may) => may.write(m.caller, op.agent),
  steps: {
    call: (m, op) => {
      m.caller.state[op.agent] = CALLS;
    },
  },
});

/** The server thread receives the next call. */
export const receiveCall = operation('server.receive', {
  agent: 'server',
  says: 'receives the call of {client}',
  input: { client },
  where: { agent: (m) => m.server.has[0] === NONE, client: (m, op) => m.caller.state[op.client] === CALLS },
  touches: (m, op, may) => {
    may.write(m.server);
    may.write(m.caller, op.client);
  },
  steps: {
    receive: (m, op) => {
      m.server.has[0] = op.client;
      m.caller.state[op.client] = WAITS;
    },
  },
});

/** It puts the command into the ring. */
export const putCommand = operation('server.put', {
  agent: 'server',
  says: 'puts its command into the ring',
  source: 'V8: the server thread blocks when the ring is full',
  where: { agent: (m) => m.server.has[0] !== NONE && (freeSlot(m) >= 0 || !m.on(waitWhenFull)) },
  touches: (m, _op, may) => {
    may.write(m.server);
    may.write(m.entry, Math.max(0, freeSlot(m)));
  },
  steps: {
    'find a free slot': (m) => (freeSlot(m) < 0 && m.on(waitWhenFull) ? AGAIN : OK),
    'write the command': (m) => {
      const s = Math.max(0, freeSlot(m));
      m.entry.state[s] = QUEUED;
      m.entry.of[s] = m.server.has[0];
    },
    'take the next call': (m) => {
      m.server.has[0] = NONE;
    },
  },
});

/** A thread of Linux takes a command. */
export const takeCommand = operation('linux.take', {
  agent: 'linux',
  says: 'takes {command}',
  input: { command },
  where: {
    agent: (m) => m.linux.life[0] === LINUX_RUNS,
    command: (m, op) => m.entry.state[op.command] === QUEUED,
  },
  touches: (m, op, may) => may.write(m.entry, op.command),
  steps: {
    take: (m, op) => {
      m.entry.state[op.command] = IN_WORK;
    },
  },
});

/** ...and answers its client; the slot is free. */
export const finishCommand = operation('linux.finish', {
  agent: 'linux',
  says: 'finishes {command}, and answers its client',
  input: { command },
  where: {
    agent: (m) => m.linux.life[0] === LINUX_RUNS,
    command: (m, op) => m.entry.state[op.command] === IN_WORK,
  },
  touches: (m, op, may) => {
    may.write(m.entry, op.command);
    may.write(m.caller, m.entry.of[op.command]);
  },
  steps: {
    'answer the client': (m, op) => {
      m.caller.state[m.entry.of[op.command]] = IDLE;
    },
    'free the slot': (m, op) => {
      m.entry.state[op.command] = FREE;
      m.entry.of[op.command] = NONE;
    },
  },
});

/** The monitor boots the DD/OS again: whoever had a command under way is told that it failed, and may call again. */
export const bootAgain = operation('monitor.bootAgain', {
  agent: 'monitor',
  says: 'boots the DD/OS again',
  source: 'LeVasseur et al. 2004, V7',
  where: { agent: (m) => m.on(hangDetection) && m.linux.life[0] !== LINUX_RUNS },
  touches: (m, _op, may) => {
    may.writeAll(m.entry);
    may.write(m.server);
    may.writeAll(m.caller);
    may.write(m.linux);
  },
  steps: {
    'empty the ring': (m) => {
      m.entry.state.fill(FREE);
      m.entry.of.fill(NONE);
      m.server.has[0] = NONE;
    },
    'tell the callers': (m) => {
      for (let c = 0; c < m.caller.rows; c++) if (m.caller.state[c] === WAITS) m.caller.state[c] = FAILED;
    },
    run: (m) => {
      m.linux.life[0] = LINUX_RUNS;
    },
  },
});

/** Scope: `client`, `command`. */
export const commandRing = module<Commands, typeof commandTables>('command ring', {
  tables: commandTables,
  operations: [callServer, receiveCall, putCommand, takeCommand, finishCommand, bootAgain],
  initial: (m) => {
    m.entry.of.fill(NONE);
    m.server.has.fill(NONE);
  },
  map: (m) => [...m.entry.state].map((s, i) => `entry ${i}: ${s === FREE ? 'free' : `of client ${m.entry.of[i]}`}`),
});
