/**
 * A pool of bounce buffers, as drivers without an IOMMU of their own use them: a driver takes a buffer, tells its device about it, and the
 * device writes into it until the driver takes it back. What could go wrong: the device writes after the buffer was given to somebody
 * else. What should stop it: a buffer is revoked (its window is closed) before it goes back to the pool.
 *
 * Everything here comes from the public exports. Read it from top to bottom: state, operations, properties, mutants, suite.
 */
import {
  blockedBy,
  claim,
  failure,
  gate,
  invariant,
  type Machine,
  module,
  mutant,
  NONE,
  operationOn,
  ref,
  reorder,
  type State,
  setOf,
  sort,
  suite,
  table,
} from 'ringfence';

const driver = sort('driver');
const buffer = sort('buffer');

const tables = {
  /** Who has the buffer, whose devices may write it, and whose device wrote it last. */
  bounce: table([buffer], { owner: ref(driver), window: setOf(driver), writer: ref(driver) }),
};
type Pool = Machine & State<typeof tables>;
const operation = operationOn<Pool>();

/** Closing a window makes the device unable to write, at once. */
export const revocation = gate('revocation');
const windowTable = failure('window table');

const takeBuffer = operation('pool.take', {
  agent: driver,
  says: 'takes {buffer}',
  input: { buffer },
  where: { buffer: (m, op) => m.bounce.owner[op.buffer] === NONE },
  touches: (m, op, may) => may.write(m.bounce, op.buffer),
  errors: { ENOMEM: -12 },
  steps: {
    'find room for the window': (m) => (m.fails(windowTable) ? -12 : 0),
    'clean it': (m, op) => {
      m.bounce.writer[op.buffer] = NONE;
    },
    'hand it over': (m, op) => {
      m.bounce.owner[op.buffer] = op.agent;
    },
    'open the window': (m, op) => {
      m.bounce.window[op.buffer] |= 1 << op.agent;
    },
  },
});

const returnBuffer = operation('pool.return', {
  agent: driver,
  says: 'returns {buffer}',
  input: { buffer },
  where: { buffer: (m, op) => m.bounce.owner[op.buffer] === op.agent },
  touches: (m, op, may) => may.write(m.bounce, op.buffer),
  steps: {
    'close the window': (m, op) => {
      if (m.on(revocation)) m.bounce.window[op.buffer] &= ~(1 << op.agent);
    },
    'put it back': (m, op) => {
      m.bounce.owner[op.buffer] = NONE;
    },
  },
});

/** A device writes whatever buffer it likes: fault class F3, DMA after the mapping has gone. */
const deviceWrites = operation('device.write', {
  agent: driver,
  says: 'lets its device write {buffer}',
  fault: 'F3',
  input: { buffer },
  where: { buffer: (m, op) => m.bounce.owner[op.buffer] !== NONE && m.bounce.writer[op.buffer] !== op.agent },
  touches: (m, op, may) => may.write(m.bounce, op.buffer),
  steps: {
    'pass the window': (m, op) => ((m.bounce.window[op.buffer] >> op.agent) & 1 ? 0 : blockedBy(revocation)),
    write: (m, op) => {
      m.bounce.writer[op.buffer] = op.agent;
    },
  },
});

const untouched = invariant<Pool>('P1', 'untouched', {
  states: 'nobody but its owner has written a buffer',
  holds: (m) => {
    for (let b = 0; b < m.bounce.rows; b++) {
      const writer = m.bounce.writer[b];
      if (m.bounce.owner[b] !== NONE && writer !== NONE && writer !== m.bounce.owner[b]) return false;
    }
    return true;
  },
  explain: (m) => {
    const b = m.bounce.writer.findIndex((w, i) => w !== NONE && m.bounce.owner[i] !== NONE && w !== m.bounce.owner[i]);
    return `driver ${m.bounce.owner[b]} has buffer ${b}, and the device of driver ${m.bounce.writer[b]} has written it`;
  },
  witnesses: {
    'a device has written': (m) => m.bounce.writer.some((w) => w !== NONE),
    'two drivers have buffers': (m) => m.bounce.owner.includes(0) && m.bounce.owner.includes(1),
  },
});

const windowOfOwner = invariant<Pool>('P2', 'window', {
  states: 'a window is open for the owner of its buffer only',
  holds: (m) => m.bounce.window.every((w, b) => w === 0 || w === 1 << m.bounce.owner[b]),
  witnesses: { 'a window is open': (m) => m.bounce.window.some((w) => w !== 0) },
});

const openedFirst = mutant('window opened first', {
  says: 'the window is opened before it is known that there is room for it',
  source: 'a review that was too quick',
  edits: [reorder(takeBuffer, ['open the window', 'find room for the window', 'clean it', 'hand it over'])],
});

export const pool = suite('bounce-pool', {
  title: 'bounce buffers that change hands while devices write',
  machine: {
    name: 'bounce pool',
    modules: [
      module<Pool, typeof tables>('pool', {
        tables,
        operations: [takeBuffer, returnBuffer, deviceWrites],
        initial: (m) => {
          m.bounce.owner.fill(NONE);
          m.bounce.writer.fill(NONE);
        },
        map: (m) =>
          [...m.bounce.owner].map((o, b) => {
            const open = [0, 1, 2].filter((d) => (m.bounce.window[b] >> d) & 1).map((d) => `driver ${d}`);
            const who = o === NONE ? 'free' : `driver ${o}`;
            return `buffer ${b}: ${who}, ${open.length ? `window of ${open.join(', ')}` : 'no window'}`;
          }),
      }),
    ],
  },
  scope: { default: { driver: 2, buffer: 2 }, large: { driver: 3, buffer: 4 } },
  failures: 'any',
  claims: [
    claim('a device writes only what its driver has', {
      keeps: [untouched],
      against: ['F3'],
      without: [{ off: revocation, breaks: untouched }],
    }),
    claim('no window outlives its owner', {
      keeps: [windowOfOwner],
      against: ['F3'],
      without: [
        { off: revocation, breaks: windowOfOwner },
        { off: openedFirst, breaks: windowOfOwner },
      ],
    }),
  ],
  assumptions: ['a driver that has a buffer knows it', 'closing a window takes effect at once'],
});
