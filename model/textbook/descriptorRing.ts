/**
 * The descriptor ring as a textbook model: independent rings, each with one producer and one consumer, and the event thresholds of
 * Xen's public/io/ring.h. Every access to shared memory is an operation of its own, so the macros are cut where another agent can move.
 * Responses are published with the request that they answer (req_cons and rsp_prod are one number), so "unconsumed" is `prod != cons`.
 * SPIN and Rumur versions with the same actions are in bench/peers/, the guard and effect table in bench/README.md.
 */
import {
  type Machine,
  type MachineDef,
  module,
  NONE,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../kernel/index.js';

export const ring = sort('ring', { symmetricFrom: 0 });
export const slot = sort('slot');
/** Free-running indices; its size must be a power of two, and at least the slots plus 2. */
export const ringIndex = sort('index');
/** What a request asks for; the model never looks inside. */
export const payload = sort('payload', { symmetricFrom: 0 });

const IDLE = 0;
const CHECK = 1;

const RUN = 0;
const HOLD = 1;
const ARM = 2;
const RECHECK = 3;
export const SLEEP = 4;

const tables = {
  /** `prodPvt`: requests written, not all pushed. `old`: req_prod before the push in progress, 0 outside it. */
  producer: table([ring], { prodPvt: u8(), old: u8(), state: oneOf('idle', 'check') }),
  /** `held`: the consumer's copy of the request in hand. */
  consumer: table([ring], { state: oneOf('run', 'hold', 'arm', 'recheck', 'sleep'), held: ref(payload) }),
  /** The shared page: req_prod; rsp_prod with req_cons; req_event. */
  prod: table([ring], { index: u8() }),
  cons: table([ring], { index: u8() }),
  event: table([ring], { index: u8() }),
  slots: table([ring, slot], { request: ref(payload) }),
  /** The event channel's pending bit. */
  line: table([ring], { pending: oneOf('no', 'yes') }),
};

export type DescriptorRing = Machine & State<typeof tables>;
const operation = operationOn<DescriptorRing>();

/** a - b, in free-running indices. */
function distance(m: DescriptorRing, a: number, b: number): number {
  return (a - b) & (m.size(ringIndex) - 1);
}

/** The slot that an index stands for. */
function slotAt(m: DescriptorRing, r: number, index: number): number {
  return m.slots.at(r, index & (m.size(slot) - 1));
}

export const put = operation('put', {
  agent: ring,
  says: 'its producer writes {request}',
  source: 'ring.h RING_FULL, RING_GET_REQUEST',
  where: {
    agent: (m, op) =>
      m.producer.state[op.agent] === IDLE &&
      distance(m, m.producer.prodPvt[op.agent], m.cons.index[op.agent]) < m.size(slot),
  },
  input: { request: payload },
  touches: (m, op, may) => {
    may.write(m.producer, op.agent);
    may.read(m.cons, op.agent);
    for (let s = 0; s < m.size(slot); s++) may.write(m.slots, m.slots.at(op.agent, s));
  },
  steps: {
    'write request': (m, op) => {
      m.slots.request[slotAt(m, op.agent, m.producer.prodPvt[op.agent])] = op.request;
      m.producer.prodPvt[op.agent] = distance(m, m.producer.prodPvt[op.agent] + 1, 0);
    },
  },
});

export const push = operation('push', {
  agent: ring,
  says: 'its producer publishes its index',
  source: 'ring.h RING_PUSH_REQUESTS_AND_CHECK_NOTIFY, up to the barrier',
  where: {
    agent: (m, op) => m.producer.state[op.agent] === IDLE && m.producer.prodPvt[op.agent] !== m.prod.index[op.agent],
  },
  touches: (m, op, may) => {
    may.write(m.producer, op.agent);
    may.write(m.prod, op.agent);
  },
  steps: {
    'write req_prod': (m, op) => {
      m.producer.old[op.agent] = m.prod.index[op.agent];
      m.prod.index[op.agent] = m.producer.prodPvt[op.agent];
      m.producer.state[op.agent] = CHECK;
    },
  },
});

export const checkEvent = operation('checkEvent', {
  agent: ring,
  says: 'its producer decides whether to notify',
  source: 'ring.h RING_PUSH_REQUESTS_AND_CHECK_NOTIFY, after the barrier',
  where: { agent: (m, op) => m.producer.state[op.agent] === CHECK },
  touches: (m, op, may) => {
    may.write(m.producer, op.agent);
    may.read(m.prod, op.agent);
    may.read(m.event, op.agent);
    may.write(m.line, op.agent);
  },
  steps: {
    'read req_event': (m, op) => {
      const r = op.agent;
      const made = m.prod.index[r];
      if (distance(m, made, m.event.index[r]) < distance(m, made, m.producer.old[r])) m.line.pending[r] = 1;
      m.producer.old[r] = 0;
      m.producer.state[r] = IDLE;
    },
  },
});

export const take = operation('take', {
  agent: ring,
  says: 'its consumer copies a request',
  source: 'ring.h RING_HAS_UNCONSUMED_REQUESTS, RING_COPY_REQUEST',
  where: { agent: (m, op) => m.consumer.state[op.agent] === RUN && m.prod.index[op.agent] !== m.cons.index[op.agent] },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.read(m.prod, op.agent);
    may.read(m.cons, op.agent);
    for (let s = 0; s < m.size(slot); s++) may.read(m.slots, m.slots.at(op.agent, s));
  },
  steps: {
    copy: (m, op) => {
      m.consumer.held[op.agent] = m.slots.request[slotAt(m, op.agent, m.cons.index[op.agent])];
      m.consumer.state[op.agent] = HOLD;
    },
  },
});

export const complete = operation('complete', {
  agent: ring,
  says: 'its consumer answers the request',
  source: 'ring.h RING_GET_RESPONSE, RING_PUSH_RESPONSES',
  where: { agent: (m, op) => m.consumer.state[op.agent] === HOLD },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.write(m.cons, op.agent);
    for (let s = 0; s < m.size(slot); s++) may.write(m.slots, m.slots.at(op.agent, s));
  },
  steps: {
    'write response': (m, op) => {
      m.slots.request[slotAt(m, op.agent, m.cons.index[op.agent])] = NONE;
      m.cons.index[op.agent] = distance(m, m.cons.index[op.agent] + 1, 0);
      m.consumer.held[op.agent] = NONE;
      m.consumer.state[op.agent] = RUN;
    },
  },
});

export const findNothing = operation('findNothing', {
  agent: ring,
  says: 'its consumer finds no request',
  source: 'ring.h RING_FINAL_CHECK_FOR_REQUESTS, first test',
  where: { agent: (m, op) => m.consumer.state[op.agent] === RUN && m.prod.index[op.agent] === m.cons.index[op.agent] },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.read(m.prod, op.agent);
    may.read(m.cons, op.agent);
  },
  steps: {
    'read req_prod': (m, op) => {
      m.consumer.state[op.agent] = ARM;
    },
  },
});

export const arm = operation('arm', {
  agent: ring,
  says: 'its consumer sets the threshold',
  source: 'ring.h RING_FINAL_CHECK_FOR_REQUESTS, up to the barrier',
  where: { agent: (m, op) => m.consumer.state[op.agent] === ARM },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.write(m.event, op.agent);
    may.read(m.cons, op.agent);
  },
  steps: {
    'write req_event': (m, op) => {
      m.event.index[op.agent] = distance(m, m.cons.index[op.agent] + 1, 0);
      m.consumer.state[op.agent] = RECHECK;
    },
  },
});

export const recheck = operation('recheck', {
  agent: ring,
  says: 'its consumer looks once more before it sleeps',
  source: 'ring.h RING_FINAL_CHECK_FOR_REQUESTS, after the barrier',
  where: { agent: (m, op) => m.consumer.state[op.agent] === RECHECK },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.read(m.prod, op.agent);
    may.read(m.cons, op.agent);
  },
  steps: {
    'read req_prod again': (m, op) => {
      m.consumer.state[op.agent] = m.prod.index[op.agent] === m.cons.index[op.agent] ? SLEEP : RUN;
    },
  },
});

export const wake = operation('wake', {
  agent: ring,
  says: 'its consumer is woken',
  where: { agent: (m, op) => m.consumer.state[op.agent] === SLEEP && m.line.pending[op.agent] === 1 },
  touches: (m, op, may) => {
    may.write(m.consumer, op.agent);
    may.write(m.line, op.agent);
  },
  steps: {
    'clear pending': (m, op) => {
      m.line.pending[op.agent] = 0;
      m.consumer.state[op.agent] = RUN;
    },
  },
});

/** SHARED_RING_INIT: all indices 0, the threshold 1; nothing in the slots, and the consumer waits for its first interrupt. */
function initial(m: DescriptorRing): void {
  m.slots.request.fill(NONE);
  m.consumer.held.fill(NONE);
  m.consumer.state.fill(SLEEP);
  m.event.index.fill(1);
}

/** Scope: `ring`, `slot` (a power of two), `index` (a power of two, at least `slot` + 2), `payload`. */
export const descriptorRing: MachineDef = {
  name: 'descriptor ring',
  modules: [
    module<DescriptorRing, typeof tables>('descriptor ring', {
      tables,
      operations: [put, push, checkEvent, take, complete, findNothing, arm, recheck, wake],
      initial,
    }),
  ],
};

/** What must hold: no consumer sleeps on unconsumed requests with no interrupt pending and none to come. */
export function noLostWakeUp(m: DescriptorRing): boolean {
  for (let r = 0; r < m.line.rows; r++) {
    const asleep = m.consumer.state[r] === SLEEP && m.line.pending[r] === 0 && m.producer.state[r] === IDLE;
    if (asleep && m.prod.index[r] !== m.cons.index[r]) return false;
  }
  return true;
}

/** What must hold: a consumer that holds a request holds one that was written. */
export function noEmptySlotTaken(m: DescriptorRing): boolean {
  for (let r = 0; r < m.consumer.rows; r++) {
    if (m.consumer.state[r] === HOLD && m.consumer.held[r] === NONE) return false;
  }
  return true;
}
