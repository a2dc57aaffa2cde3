/**
 * Combolocks: a spin lock while only the kernel half wants it, a semaphore while the user half holds it or waits for it.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D5. The papers give the idea; the protocol is worked out here.
 *
 * State: spin lock, semaphore, mode, waiters; the shared data as each half has it; the line of the device, which the user half's lock
 * masks. Operations: a kernel thread takes the lock by spinning or by sleeping; the user half asks (the line is masked first), turns the
 * mode, takes the semaphore and with it the data; it gives back the data, the semaphore, the mode, the line. Then its death.
 *
 * Must keep: MD-S5, one holder, whatever the mode; interrupt context never sleeps, and never spins for a lock of the thread that it
 * interrupted; MD-S3, whoever takes the lock finds what the last holder wrote; MD-L1, no kernel thread waits for ever.
 * The mode returns to spinning only when no kernel thread waits on the semaphore either: otherwise that thread and a spinning one both
 * get in. Until then the line stays masked: its handler would have to sleep.
 */

import {
  type Machine,
  module,
  NONE,
  oneOf,
  operationOn,
  ref,
  type State,
  setOf,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { crossCall, LOCK } from '../../ledger.js';

/** Who may hold the lock for longer than a moment. */
export const context = sort('context', { members: ['thread A', 'thread B', 'user half'] });
export const USER = 2;

export const OUTSIDE = 0;
export const WAITS = 1;
export const HOLDS_SPIN = 2;
export const HOLDS_SEMAPHORE = 3;

export const SPIN_MODE = 0;
export const SEMAPHORE_MODE = 1;

export const ALIVE = 0;
export const HANGS = 1;
export const GONE = 2;

export const combolockTables = {
  combolock: table([], {
    spin: ref(context),
    semaphore: ref(context),
    mode: oneOf('spin', 'semaphore'),
    /** Who waits on the semaphore. */
    waiters: setOf(context),
  }),
  context: table([context], { state: oneOf('outside', 'waits', 'holds the spin lock', 'holds the semaphore') }),
  /** The data that the lock protects, as each half has it; and as the last writer left it. */
  shared: table([], { kernel: u8(), user: u8(), latest: u8() }),
  interrupt: table([], {
    raised: oneOf('no', 'yes'),
    masked: oneOf('no', 'yes'),
    /** The handler slept, or spun for a lock that could not come free. */
    slept: oneOf('no', 'yes'),
    stuck: oneOf('no', 'yes'),
  }),
  process: table([], { state: oneOf('alive', 'hangs', 'gone') }),
};

export type Combolock = Machine & State<typeof combolockTables>;
const operation = operationOn<Combolock>();

/** When nobody holds or wants the semaphore, the lock spins again, and the line is let go. */
export function backToSpin(m: Combolock): void {
  if (m.combolock.waiters[0] !== 0 || m.combolock.semaphore[0] !== NONE) return;
  m.combolock.mode[0] = SPIN_MODE;
  m.interrupt.masked[0] = 0;
}

/** A kernel thread takes the lock while it spins: at once, or not yet. */
export const spinLock = operation('lock.spin', {
  agent: context,
  says: 'takes the spin lock, interrupts off',
  source: 'D5: if the mode is spin, take the spin lock',
  where: {
    agent: (m, op) =>
      op.agent !== USER &&
      m.context.state[op.agent] === OUTSIDE &&
      m.combolock.mode[0] === SPIN_MODE &&
      m.combolock.spin[0] === NONE,
  },
  touches: (m, op, may) => {
    may.write(m.combolock);
    may.write(m.context, op.agent);
  },
  steps: {
    take: (m, op) => {
      m.charge(LOCK);
      m.combolock.spin[0] = op.agent;
      m.context.state[op.agent] = HOLDS_SPIN;
    },
  },
});

/** A kernel thread, in a context that may sleep, finds the mode turned. */
export const sleepLock = operation('lock.sleep', {
  agent: context,
  says: 'waits on the semaphore',
  source: 'D5: else block on the semaphore, only in a context that may sleep',
  where: {
    agent: (m, op) =>
      op.agent !== USER && m.context.state[op.agent] === OUTSIDE && m.combolock.mode[0] === SEMAPHORE_MODE,
  },
  touches: (m, op, may) => {
    may.write(m.combolock);
    may.write(m.context, op.agent);
  },
  steps: {
    wait: (m, op) => {
      m.combolock.waiters[0] |= 1 << op.agent;
      m.context.state[op.agent] = WAITS;
    },
  },
});

/** It is woken. */
export const wakeUp = operation('lock.wake', {
  agent: context,
  says: 'gets the semaphore',
  where: {
    agent: (m, op) => op.agent !== USER && m.context.state[op.agent] === WAITS && m.combolock.semaphore[0] === NONE,
  },
  touches: (m, op, may) => {
    may.write(m.combolock);
    may.write(m.context, op.agent);
  },
  steps: {
    take: (m, op) => {
      m.charge(LOCK);
      m.combolock.waiters[0] &= ~(1 << op.agent);
      m.combolock.semaphore[0] = op.agent;
      m.context.state[op.agent] = HOLDS_SEMAPHORE;
    },
  },
});

/** Whoever holds the lock in the kernel writes the shared data. */
export const kernelWritesShared = operation('lock.kernelWrites', {
  agent: context,
  says: 'writes the shared data',
  where: { agent: (m, op) => op.agent !== USER && m.context.state[op.agent] >= HOLDS_SPIN },
  touches: (m, _op, may) => may.write(m.shared),
  steps: {
    write: (m) => {
      m.shared.kernel[0] ^= 1;
      m.shared.latest[0] = m.shared.kernel[0];
    },
  },
});

/** A kernel thread lets the lock go, whichever way it got it. */
export const kernelUnlock = operation('lock.release', {
  agent: context,
  says: 'releases the lock',
  source: 'D5',
  where: { agent: (m, op) => op.agent !== USER && m.context.state[op.agent] >= HOLDS_SPIN },
  touches: (m, op, may) => {
    may.write(m.combolock);
    may.write(m.context, op.agent);
    may.write(m.interrupt);
  },
  steps: {
    release: (m, op) => {
      if (m.context.state[op.agent] === HOLDS_SPIN) m.combolock.spin[0] = NONE;
      else m.combolock.semaphore[0] = NONE;
    },
    'back to spinning': (m, op) => {
      if (m.context.state[op.agent] === HOLDS_SEMAPHORE) backToSpin(m);
      m.context.state[op.agent] = OUTSIDE;
    },
  },
});

/** The user half asks for the lock: the line whose handler takes it too is masked first. */
export const userAsks = operation('lock.userAsks', {
  agent: 'user half',
  says: 'asks for the lock',
  source:
    'D5: by XPC; code of high priority never needs the lock in semaphore mode, or the interrupt is disabled first',
  where: { agent: (m) => m.process.state[0] === ALIVE && m.context.state[USER] === OUTSIDE },
  touches: (m, _op, may) => {
    may.write(m.interrupt);
    may.write(m.combolock);
    may.write(m.context, USER);
  },
  steps: {
    'disable the interrupt': (m) => {
      crossCall(m);
      m.interrupt.masked[0] = 1;
    },
    ask: (m) => {
      m.combolock.waiters[0] |= 1 << USER;
      m.context.state[USER] = WAITS;
    },
  },
});

/** Under the spin lock, for a moment, the mode is turned: from here on kernel threads sleep. */
export const turnMode = operation('lock.turn', {
  agent: 'runtime',
  says: 'turns the mode for the user half',
  source: 'D5: set the mode to semaphore',
  where: {
    agent: (m) => m.context.state[USER] === WAITS && m.combolock.mode[0] === SPIN_MODE && m.combolock.spin[0] === NONE,
  },
  touches: (m, _op, may) => may.write(m.combolock),
  steps: {
    turn: (m) => {
      m.combolock.mode[0] = SEMAPHORE_MODE;
    },
  },
});

/** The user half has the semaphore, and the data as the kernel last wrote it. */
export const userTakes = operation('lock.userTakes', {
  agent: 'user half',
  says: 'gets the semaphore, with the shared data',
  source: 'D5: take the semaphore; shared data is copied at acquisition',
  where: {
    agent: (m) =>
      m.process.state[0] === ALIVE &&
      m.context.state[USER] === WAITS &&
      m.combolock.mode[0] === SEMAPHORE_MODE &&
      m.combolock.semaphore[0] === NONE,
  },
  touches: (m, _op, may) => {
    may.write(m.combolock);
    may.write(m.context, USER);
    may.write(m.shared);
  },
  steps: {
    take: (m) => {
      m.charge(LOCK);
      m.combolock.waiters[0] &= ~(1 << USER);
      m.combolock.semaphore[0] = USER;
      m.context.state[USER] = HOLDS_SEMAPHORE;
    },
    'copy the shared data up': (m) => {
      m.shared.user[0] = m.shared.kernel[0];
    },
  },
});

/** It writes its copy. */
export const userWritesShared = operation('lock.userWrites', {
  agent: 'user half',
  says: 'writes its copy of the shared data',
  where: { agent: (m) => m.process.state[0] === ALIVE && m.context.state[USER] === HOLDS_SEMAPHORE },
  touches: (m, _op, may) => may.write(m.shared),
  steps: {
    write: (m) => {
      m.shared.user[0] ^= 1;
      m.shared.latest[0] = m.shared.user[0];
    },
  },
});

/** It releases the lock: what it wrote is published before anybody can take the lock. */
export const userUnlock = operation('lock.userReleases', {
  agent: 'user half',
  says: 'releases the lock',
  source: 'D5: release by the user half publishes writes before the kernel half acquires',
  where: { agent: (m) => m.process.state[0] === ALIVE && m.context.state[USER] === HOLDS_SEMAPHORE },
  touches: (m, _op, may) => {
    may.write(m.shared);
    may.write(m.combolock);
    may.write(m.context, USER);
    may.write(m.interrupt);
  },
  steps: {
    'copy the shared data down': (m) => {
      crossCall(m);
      m.shared.kernel[0] = m.shared.user[0];
    },
    'release the semaphore': (m) => {
      m.combolock.semaphore[0] = NONE;
      m.context.state[USER] = OUTSIDE;
    },
    'back to spinning': (m) => backToSpin(m),
  },
});

/** The process is gone: its lock is broken, what it had not published is lost, the line is let go. */
export const breakLock = operation('lock.break', {
  agent: 'runtime',
  says: 'breaks the lock of the dead user half',
  source: 'D6, and MD-L1: combolocks held by the user half must be broken',
  where: { agent: (m) => m.process.state[0] === GONE && m.context.state[USER] !== OUTSIDE },
  touches: (m, _op, may) => {
    may.write(m.combolock);
    may.write(m.context, USER);
    may.write(m.shared);
    may.write(m.interrupt);
  },
  steps: {
    'forget what it wrote': (m) => {
      if (m.context.state[USER] === HOLDS_SEMAPHORE) m.shared.latest[0] = m.shared.kernel[0];
    },
    'break the lock': (m) => {
      m.combolock.waiters[0] &= ~(1 << USER);
      if (m.combolock.semaphore[0] === USER) m.combolock.semaphore[0] = NONE;
      m.context.state[USER] = OUTSIDE;
    },
    'back to spinning': (m) => backToSpin(m),
  },
});

/** One lock. No scope. */
export const combolocks = module<Combolock, typeof combolockTables>('combolocks', {
  tables: combolockTables,
  operations: [
    spinLock,
    sleepLock,
    wakeUp,
    kernelWritesShared,
    kernelUnlock,
    userAsks,
    turnMode,
    userTakes,
    userWritesShared,
    userUnlock,
    breakLock,
  ],
  initial: (m) => {
    m.combolock.spin[0] = NONE;
    m.combolock.semaphore[0] = NONE;
  },
  map: (m) => [
    `mode: ${m.combolock.mode[0] === SPIN_MODE ? 'spin' : 'semaphore'}, line ${m.interrupt.masked[0] ? 'masked' : 'open'}`,
    ...['thread A', 'thread B', 'user half'].map(
      (name, c) => `${name}: ${['outside', 'waits', 'holds the spin lock', 'holds the semaphore'][m.context.state[c]]}`,
    ),
  ],
});
