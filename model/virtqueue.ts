/**
 * A split virtqueue between a driver and a device that do not trust one another. Source: Virtual I/O Device (VIRTIO) 1.2, 2.7 (split
 * virtqueues: 2.7.5 descriptor table, 2.7.6 available ring, 2.7.8 used ring); Linux `drivers/virtio/virtio_ring.c` (desc_extra: the
 * driver's own copy of each descriptor) and `drivers/vhost/vhost.c` (vhost_get_vq_desc) for what each side checks.
 *
 * Descriptors, available and used ring lie in memory that both write. Each side keeps for itself what it needs to judge the other: the
 * driver which buffers are outstanding with which length, the device how far it has read and how many requests it has in flight. Indices
 * run freely, modulo a power of two that the scope gives (2^16 on a real queue).
 *
 * Must keep: for the driver I6 a completion matches one outstanding request and its length, I5 what is unmapped is what was mapped; for the
 * device I12 the walk of a chain ends, I14 no more requests in flight than the ring has entries, I7 a request has a length that fits.
 */
import {
  flag,
  gate,
  i32,
  type Machine,
  type MachineDef,
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
} from './kernel/index.js';
import { checkScope, descriptor, indexDistance, nextIndex, queueIndex } from './virtqueueScope.js';

/** Two ids that are some, and the first that is none. */
export const wildId = sort('wild id', { members: ['0', '1', 'past the end'] });
export const wildLength = sort('wild length', { members: ['0', '1', '3'] });
const LENGTHS = [0, 1, 3] as const;
/** Chains that a hostile driver writes. */
export const shape = sort('chain', {
  members: [
    ...['one buffer', 'no length', 'itself again', 'two that lead to each other', 'two buffers'],
    ...['too long', 'a head that is none', 'a link that leads nowhere'],
  ],
});
/** By shape: head, lengths of descriptors 0 and 1, and what follows them. PAST_END stands for the first that is none. */
const PAST_END = 254;
const HEADS = [0, 0, 0, 0, 0, 0, PAST_END, 0] as const;
const LENGTH_0 = [1, 0, 1, 1, 2, 3, 1, 1] as const;
const LENGTH_1 = [0, 0, 0, 1, 1, 3, 0, 0] as const;
const NEXT_0 = [NONE, NONE, 0, 1, 1, 1, NONE, PAST_END] as const;
const NEXT_1 = [NONE, NONE, NONE, 0, NONE, NONE, NONE, NONE] as const;
export const side = sort('hostile side', { members: ['nobody', 'the device', 'the driver'] });
/** Longest request that the device takes, in units of a buffer. */
export const MOST = 3;

export const queueTables = {
  /** Shared: the descriptor table. `next` NONE: the last of its chain. */
  desc: table([descriptor], { buffer: ref(descriptor), length: u8(), next: ref(descriptor) }),
  avail: table([descriptor], { head: u8() }),
  used: table([descriptor], { id: u8(), length: u8() }),
  indices: table([], { avail: u8(), used: u8() }),
  /** The driver's own: buffer (0, 1, ...) and length of each outstanding head, and how far it has read the used ring. */
  request: table([descriptor], { state: oneOf('free', 'outstanding'), buffer: ref(descriptor), length: u8() }),
  driver: table([], {
    seen: u8(),
    broken: oneOf('no', 'yes'),
    /** Buffers that are mapped for the device; the last unmapped one, and what was told of it. */
    mapped: u8(),
    told: i32(),
  }),
  /** The device's own. */
  deviceSide: table([], {
    seen: u8(),
    broken: oneOf('no', 'yes'),
    /** Steps of the last walk of a chain, and the total length that it found. */
    walked: u8(),
    total: u8(),
  }),
  inFlight: table([descriptor], { head: u8() }),
  flights: table([], { count: u8() }),
  hostile: table([], { who: oneOf('nobody', 'the device', 'the driver') }),
};
export type Queue = Machine & State<typeof queueTables>;
const operation = operationOn<Queue>();

/** The driver checks completions against what it has outstanding. */
export const completionCheck = gate('completion check');
/** The device bounds its walk of a chain. */
export const chainBound = gate('chain bound');
/** The device looks how far the available index is ahead. */
export const distanceCheck = gate('index distance check');

export const QUEUE_ERRORS = { '-ENOSPC': -28, '-EIO': -5 } as const;
const ENOSPC = -28;
const EIO = -5;
/** How far a walk without a bound is followed here. */
const ENDLESS = 7;

function touchQueue(
  m: Queue,
  _op: unknown,
  may: {
    writeAll(
      t: Queue['desc' | 'avail' | 'used' | 'indices' | 'request' | 'driver' | 'deviceSide' | 'inFlight' | 'flights'],
    ): void;
  },
): void {
  may.writeAll(m.desc);
  may.writeAll(m.avail);
  may.writeAll(m.used);
  may.writeAll(m.indices);
  may.writeAll(m.request);
  may.writeAll(m.driver);
  may.writeAll(m.deviceSide);
  may.writeAll(m.inFlight);
  may.writeAll(m.flights);
}

/** virtqueue_add: one buffer, one descriptor. */
export const addBuffer = operation('queue.add', {
  agent: 'driver',
  says: 'offers a buffer of length {long} + 1',
  source: 'VIRTIO 2.7.13; virtio_ring.c, virtqueue_add_split',
  input: { long: flag },
  locals: ['head'],
  where: { agent: (m) => m.driver.broken[0] === 0 && m.hostile.who[0] !== 2 },
  touches: touchQueue,
  errors: QUEUE_ERRORS,
  steps: {
    'find a descriptor': (m, op) => {
      op.head = m.request.state.indexOf(0);
      return op.head < 0 ? ENOSPC : OK;
    },
    'map the buffer': (m, op) => {
      m.driver.mapped[0] |= 1 << op.head;
    },
    'write the descriptor': (m, op) => {
      m.desc.buffer[op.head] = op.head;
      m.desc.length[op.head] = op.long + 1;
      m.desc.next[op.head] = NONE;
    },
    'note it': (m, op) => {
      m.request.state[op.head] = 1;
      m.request.buffer[op.head] = op.head;
      m.request.length[op.head] = op.long + 1;
    },
    publish: (m, op) => {
      m.avail.head[m.indices.avail[0] % m.avail.rows] = op.head;
      m.indices.avail[0] = nextIndex(m, m.indices.avail[0]);
    },
  },
});

/** virtqueue_get_buf: the completion is judged by the driver's own notes, never by the shared descriptor. */
export const collect = operation('queue.collect', {
  agent: 'driver',
  says: 'takes a completion',
  source: 'VIRTIO 2.7.14; virtio_ring.c, virtqueue_get_buf_ctx_split, detach_buf_split',
  locals: ['id', 'length'],
  where: { agent: (m) => m.driver.broken[0] === 0 && m.hostile.who[0] !== 2 && m.indices.used[0] !== m.driver.seen[0] },
  touches: touchQueue,
  errors: QUEUE_ERRORS,
  onFailure: 'safe',
  steps: {
    'read it once': (m, op) => {
      const at = m.driver.seen[0] % m.used.rows;
      op.id = m.used.id[at];
      op.length = m.used.length[at];
    },
    'check it': (m, op) => {
      if (!m.on(completionCheck)) return OK;
      const known = op.id < m.request.rows && m.request.state[op.id] === 1 && op.length <= m.request.length[op.id];
      if (known) return OK;
      m.driver.broken[0] = 1;
      return EIO;
    },
    'unmap the buffer': (m, op) => {
      m.driver.mapped[0] &= ~(1 << m.request.buffer[op.id]);
      m.driver.told[0] = op.length;
    },
    'forget it': (m, op) => {
      m.request.state[op.id] = 0;
      m.request.buffer[op.id] = NONE;
      m.request.length[op.id] = 0;
    },
    'go on': (m) => {
      const at = m.driver.seen[0] % m.used.rows;
      m.used.id[at] = 0;
      m.used.length[at] = 0;
      m.driver.seen[0] = nextIndex(m, m.driver.seen[0]);
    },
  },
});

/** The device reads the next request: index, head, and the chain from it. */
export const take = operation('queue.take', {
  agent: 'device',
  says: 'takes a request',
  source: 'VIRTIO 2.7.7, 2.7.5.3.2; vhost.c, vhost_get_vq_desc',
  locals: ['head', 'at', 'steps', 'total'],
  where: {
    agent: (m) => m.deviceSide.broken[0] === 0 && m.hostile.who[0] !== 1 && m.indices.avail[0] !== m.deviceSide.seen[0],
  },
  touches: touchQueue,
  errors: QUEUE_ERRORS,
  onFailure: 'safe',
  steps: {
    'check the distance': (m) => {
      const ahead = indexDistance(m, m.indices.avail[0], m.deviceSide.seen[0]);
      return ahead > m.avail.rows && m.on(distanceCheck) ? breakDevice(m) : OK;
    },
    'check what is in flight': (m) => (m.flights.count[0] >= m.inFlight.rows ? breakDevice(m) : OK),
    'read the head': (m, op) => {
      op.head = m.avail.head[m.deviceSide.seen[0] % m.avail.rows];
      return op.head < m.desc.rows ? OK : breakDevice(m);
    },
    'walk the chain': (m, op) => {
      const bound = m.on(chainBound) ? m.desc.rows : ENDLESS;
      op.at = op.head;
      m.deviceSide.walked[0] = 0;
      for (op.steps = 0; op.at !== NONE; op.steps++) {
        if (op.steps >= bound || op.at >= m.desc.rows) return breakDevice(m);
        m.deviceSide.walked[0]++;
        op.total += m.desc.length[op.at];
        op.at = m.desc.next[op.at];
      }
      return OK;
    },
    'check the length': (m, op) => (op.total > 0 && op.total <= MOST ? OK : breakDevice(m)),
    'note it': (m, op) => {
      m.deviceSide.total[0] = op.total;
      m.inFlight.head[m.flights.count[0]] = op.head;
      m.flights.count[0]++;
    },
    'go on': (m) => {
      m.deviceSide.seen[0] = nextIndex(m, m.deviceSide.seen[0]);
    },
  },
});

function breakDevice(m: Queue): number {
  m.deviceSide.broken[0] = 1;
  return EIO;
}

/** The device is done with the oldest request. */
export const complete = operation('queue.complete', {
  agent: 'device',
  says: 'completes a request with length {long}',
  source: 'VIRTIO 2.7.8.1; vhost.c, vhost_add_used',
  input: { long: flag },
  locals: ['head'],
  where: { agent: (m) => m.hostile.who[0] !== 1 && m.flights.count[0] > 0 },
  touches: touchQueue,
  steps: {
    'forget it': (m, op) => {
      op.head = m.inFlight.head[0];
      for (let i = 1; i < m.inFlight.rows; i++) m.inFlight.head[i - 1] = m.inFlight.head[i];
      m.flights.count[0]--;
      m.inFlight.head[m.flights.count[0]] = 0;
    },
    'write the entry': (m, op) => {
      const at = m.indices.used[0] % m.used.rows;
      m.used.id[at] = op.head;
      m.used.length[at] = Math.min(op.long, m.desc.length[op.head]);
    },
    publish: (m) => {
      m.indices.used[0] = nextIndex(m, m.indices.used[0]);
    },
  },
});

/** F6: a hostile device completes what it likes. */
export const wildCompletion = operation('fault.complete', {
  agent: 'device',
  says: 'completes {id} with length {length}',
  fault: 'F6',
  input: { id: wildId, length: wildLength },
  // One at a time: the driver takes them one by one.
  where: { agent: (m) => m.hostile.who[0] === 1 && m.indices.used[0] === m.driver.seen[0] },
  touches: touchQueue,
  atomic: true,
  steps: {
    write: (m, op) => {
      const at = m.indices.used[0] % m.used.rows;
      m.used.id[at] = op.id < 2 ? op.id : m.request.rows;
      m.used.length[at] = LENGTHS[op.length];
      m.indices.used[0] = nextIndex(m, m.indices.used[0]);
    },
  },
});

/** F6: it rewrites a descriptor that is in use. */
export const rewriteDescriptor = operation('fault.rewriteDescriptor', {
  agent: 'device',
  says: 'lets {which} name the buffer {buffer}',
  fault: 'F6',
  input: { which: descriptor, buffer: descriptor },
  where: { agent: (m) => m.hostile.who[0] === 1, buffer: (m, op) => op.which === 0 && m.desc.buffer[0] !== op.buffer },
  touches: touchQueue,
  atomic: true,
  steps: {
    write: (m, op) => {
      m.desc.buffer[op.which] = op.buffer;
    },
  },
});

/** F6: a hostile driver makes a chain available, and moves the index as far as it likes. */
export const wildAvailable = operation('fault.available', {
  agent: 'driver',
  says: 'makes a chain available: {chain}, and moves the index to {to}',
  fault: 'F6',
  input: { chain: shape, to: queueIndex },
  where: { agent: (m) => m.hostile.who[0] === 2 && m.deviceSide.broken[0] === 0 },
  touches: touchQueue,
  atomic: true,
  steps: {
    write: (m, op) => {
      m.desc.length[0] = LENGTH_0[op.chain];
      m.desc.length[1] = LENGTH_1[op.chain];
      m.desc.next[0] = NEXT_0[op.chain] === PAST_END ? m.desc.rows : NEXT_0[op.chain];
      m.desc.next[1] = NEXT_1[op.chain];
      m.avail.head[m.deviceSide.seen[0] % m.avail.rows] = HEADS[op.chain] === PAST_END ? m.desc.rows : HEADS[op.chain];
      m.indices.avail[0] = op.to;
    },
  },
});

/** Scope: `descriptor` (a power of two), `index` (a power of two, at least twice the descriptors). */
export const queueMachine: MachineDef = {
  name: 'virtqueue',
  modules: [
    module<Queue, typeof queueTables>('virtqueue', {
      tables: queueTables,
      operations: [addBuffer, collect, take, complete, wildCompletion, rewriteDescriptor, wildAvailable],
      initial: (m) => {
        checkScope(m);
        m.hostile.who[0] = m.choose(side);
        m.desc.buffer.fill(NONE);
        m.desc.next.fill(NONE);
        m.request.buffer.fill(NONE);
      },
    }),
  ],
};
