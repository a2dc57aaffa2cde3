/**
 * One frontend and one backend around a single ring, step by step: publish, barrier, read the threshold; set the threshold, barrier, test
 * again. Source: Xen `xen/include/public/io/ring.h`; the loops are those of any driver that follows its comments.
 *
 * A store to a shared index waits in the processor's store buffer (one entry, any length of time) until a full barrier or the hardware
 * drains it: that is what makes the two mb() necessary. Stores of one processor stay in order, as wmb() demands.
 *
 * What a hostile peer has written into shared memory is a choice at each read: nothing of it needs to be state.
 * State first; then the steps both ends share; then the frontend; then the backend. Properties: ../properties/ring.ts.
 */
import {
  AGAIN,
  blockedBy,
  DISABLED,
  DONE,
  type Footprint,
  flag,
  type Gate,
  gate,
  i32,
  type Machine,
  type MachineDef,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  setOf,
  sort,
  table,
  u8,
} from './kernel/index.js';
import {
  backIndexFields,
  checkRingScope,
  eventThreshold,
  following,
  frontIndexFields,
  indexMask,
  mustNotify,
  requestConsOverflow,
  requestProdOverflow,
  responseProdOverflow,
  ringFull,
  ringIndex,
  ringSlot,
  singleRing,
  slotOf,
  unconsumedRequests,
  unconsumedResponses,
} from './ring.js';

/** The two ends. */
export const end = sort('end', { members: ['frontend', 'backend'] });
export const FRONT = 0;
export const BACK = 1;
/** Requests that the backend can have in work: its pool. */
export const entry = sort('entry');
/** Request ids that can appear in shared memory: one more than there are slots. */
export const wireId = sort('wire id');

/** Words of the shared page, as the store buffer names them. */
export const REQ_PROD = 1;
export const REQ_EVENT = 2;
export const RSP_PROD = 3;
export const RSP_EVENT = 4;

export const EMPTY = 0;
export const REQUEST = 1;
export const RESPONSE = 2;

export const ringTables = {
  sring: singleRing,
  /** The frontend's private half, and which ids it has in the ring. */
  front: table([], { ...frontIndexFields, outstanding: setOf(wireId), bogus: oneOf('no', 'yes') }),
  back: table([], backIndexFields),
  side: table([end], {
    /** Its event handler runs. */
    awake: oneOf('no', 'yes'),
    /** Its event is pending. */
    pending: oneOf('no', 'yes'),
    /** The handler has found something since it woke up. */
    found: oneOf('no', 'yes'),
    /** Wake-ups in a row that found nothing, up to 2. */
    emptyWakes: u8(),
    /** It found its peer hostile, and has given the ring up. */
    broken: oneOf('no', 'yes'),
    hostile: oneOf('no', 'yes'),
  }),
  storeBuffer: table([end], { word: oneOf('nothing', 'req_prod', 'req_event', 'rsp_prod', 'rsp_event'), value: i32() }),
  slot: table([ringSlot], { holds: oneOf('nothing', 'request', 'response'), id: u8(), unread: oneOf('no', 'yes') }),
  /** The backend's pool; `stale`: it was copied from a slot that nobody had written. */
  taken: table([entry], { busy: oneOf('no', 'yes'), id: u8(), stale: oneOf('no', 'yes') }),
};

export type Ring = Machine & State<typeof ringTables>;
const operation = operationOn<Ring>();

/** The tests of the peer's producer index: overflow, and the bound of what is unconsumed. */
export const overflowTest = gate('ring overflow test');
/** The test that a response's id is in range and outstanding. */
export const responseIdTest = gate('response id test');

const size = (m: Ring): number => m.slot.rows;
const works = (m: Ring, e: number): boolean => m.side.broken[e] === 0 && m.side.hostile[e] === 0;

/** Puts a store into the end's store buffer; false while another one waits there. */
function store(m: Ring, e: number, word: number, value: number): boolean {
  if (m.storeBuffer.word[e] !== 0) return false;
  m.storeBuffer.word[e] = word;
  m.storeBuffer.value[e] = value;
  return true;
}

/** The end's own view of a word that only it writes: its store buffer first. */
function loadOwn(m: Ring, e: number, word: number, shared: number): number {
  return m.storeBuffer.word[e] === word ? m.storeBuffer.value[e] : shared;
}

/** What the end's buffered store does when it reaches memory. */
export function drain(m: Ring, e: number): void {
  const value = m.storeBuffer.value[e];
  switch (m.storeBuffer.word[e]) {
    case REQ_PROD:
      m.sring.reqProd[0] = value;
      break;
    case REQ_EVENT:
      m.sring.reqEvent[0] = value;
      break;
    case RSP_PROD:
      m.sring.rspProd[0] = value;
      break;
    case RSP_EVENT:
      m.sring.rspEvent[0] = value;
      break;
  }
  m.storeBuffer.word[e] = 0;
  m.storeBuffer.value[e] = 0;
}

/** A word that the peer of `e` writes: what stands there, or, when the peer is hostile, anything. */
function loadPeers(m: Ring, e: number, shared: number, label: string): number {
  return m.side.hostile[1 - e] !== 0 ? m.choose(ringIndex, label) : shared;
}

/** The end has found something to do. */
function found(m: Ring, e: number): void {
  m.side.found[e] = 1;
  m.side.emptyWakes[e] = 0;
}

/** The handler returns. */
function sleep(m: Ring, e: number): void {
  m.side.awake[e] = 0;
  if (m.side.found[e] === 0 && m.side.emptyWakes[e] < 2) m.side.emptyWakes[e]++;
  m.side.found[e] = 0;
}

/** Gives the ring up: the peer is hostile. */
function giveUp(m: Ring, e: number, by: Gate): number {
  m.side.broken[e] = 1;
  m.side.awake[e] = 0;
  m.side.found[e] = 0;
  return blockedBy(by);
}

/** The hardware writes a buffered store back, at any moment. */
export const drainStore = operation('cpu.drainStore', {
  agent: end,
  says: "processor's buffered store reaches memory",
  source: 'Intel SDM volume 3, 8.2.2 (stores may be delayed past later loads)',
  atomic: true,
  where: { agent: (m, op) => m.storeBuffer.word[op.agent] !== 0 },
  touches: (m, op, may) => {
    may.write(m.sring);
    may.write(m.storeBuffer, op.agent);
  },
  steps: { 'write it back': (m, op) => drain(m, op.agent) },
});

/** The event handler starts: the pending bit is cleared first. */
export const wakeUp = operation('ring.wakeUp', {
  agent: end,
  says: 'is woken up',
  source: 'xen/include/public/event_channel.h; the upcall handler of any guest',
  atomic: true,
  where: { agent: (m, op) => m.side.pending[op.agent] === 1 && m.side.awake[op.agent] === 0 && works(m, op.agent) },
  touches: (m, op, may) => may.write(m.side, op.agent),
  steps: {
    'clear the event': (m, op) => {
      m.side.pending[op.agent] = 0;
    },
    'run the handler': (m, op) => {
      m.side.awake[op.agent] = 1;
    },
  },
});

/** Writes a request and pushes it, or leaves the push to the next one (a batch). */
export const submit = operation('front.submit', {
  agent: 'frontend',
  says: 'submits a request (more to come: {more})',
  source: 'xen/include/public/io/ring.h, RING_GET_REQUEST, RING_PUSH_REQUESTS_AND_CHECK_NOTIFY',
  input: { more: flag },
  locals: ['id', 'at', 'old'],
  where: {
    // A batch is announced only while there is room for its next request.
    more: (m, op) => op.more === 0 || (m.front.outstanding[0] === 0 && size(m) > 1),
    agent: (m) =>
      works(m, FRONT) &&
      m.front.outstanding[0] !== (1 << size(m)) - 1 &&
      !ringFull(m.front.reqProdPvt[0], m.front.rspCons[0], size(m), indexMask(m)),
  },
  touches: (m, op, may) => {
    may.write(m.front);
    may.write(m.slot, slotOf(m.front.reqProdPvt[0], size(m)));
    may.write(m.slot, op.at);
    touchPush(m, may, FRONT);
  },
  steps: {
    'reserve a slot and an id': (m, op) => {
      while ((m.front.outstanding[0] >> op.id) & 1) op.id++;
      m.front.outstanding[0] |= 1 << op.id;
      op.at = slotOf(m.front.reqProdPvt[0], size(m));
      m.front.reqProdPvt[0] = following(m.front.reqProdPvt[0], indexMask(m));
    },
    'write the request': (m, op) => {
      m.slot.holds[op.at] = REQUEST;
      m.slot.id[op.at] = op.id;
      m.slot.unread[op.at] = 1;
      return op.more === 1 ? DONE : OK;
    },
    'publish the index': (m, op) => {
      op.old = loadOwn(m, FRONT, REQ_PROD, m.sring.reqProd[0]);
      return store(m, FRONT, REQ_PROD, m.front.reqProdPvt[0]) ? OK : AGAIN;
    },
    mb: (m) => drain(m, FRONT),
    'notify if the threshold was passed': (m, op) => {
      const event = loadPeers(m, FRONT, m.sring.reqEvent[0], 'req_event');
      if (mustNotify(m.front.reqProdPvt[0], op.old, event, indexMask(m))) m.side.pending[BACK] = 1;
    },
  },
});

/** Takes one response out of the ring. */
export const collect = operation('front.collect', {
  agent: 'frontend',
  says: 'collects a response',
  source: 'xen/include/public/io/ring.h, RING_COPY_RESPONSE; Linux drivers/block/xen-blkfront.c, blkif_interrupt',
  locals: ['id', 'at'],
  where: { agent: (m) => works(m, FRONT) && m.side.awake[FRONT] === 1 },
  touches: (m, op, may) => {
    may.write(m.front);
    may.write(m.side, FRONT);
    may.write(m.slot, slotOf(m.front.rspCons[0], size(m)));
    may.write(m.slot, op.at);
  },
  onFailure: 'safe',
  steps: {
    'read the producer index': (m, op) => {
      const mask = indexMask(m);
      const cons = m.front.rspCons[0];
      const producer = loadPeers(m, FRONT, m.sring.rspProd[0], 'rsp_prod');
      if (unconsumedResponses(producer, cons, mask) === 0) return DISABLED;
      if (m.on(overflowTest) && responseProdOverflow(producer, cons, size(m), mask))
        return giveUp(m, FRONT, overflowTest);
      op.at = slotOf(cons, size(m));
      return OK;
    },
    'copy the response': (m, op) => {
      op.id = m.side.hostile[BACK] ? m.choose(wireId, 'id') : m.slot.id[op.at];
    },
    'check the id': (m, op) => {
      if ((m.front.outstanding[0] >> op.id) & 1 || !m.on(responseIdTest)) return OK;
      return giveUp(m, FRONT, responseIdTest);
    },
    'complete the request': (m, op) => {
      m.slot.unread[op.at] = 0;
      m.front.rspCons[0] = following(m.front.rspCons[0], indexMask(m));
      found(m, FRONT);
      if (((m.front.outstanding[0] >> op.id) & 1) === 0) m.front.bogus[0] = 1;
      m.front.outstanding[0] &= ~(1 << op.id);
    },
  },
});

/** RING_FINAL_CHECK_FOR_RESPONSES: sets the threshold, looks again, and only then stops looking. */
export const frontFinalCheck = operation('front.finalCheck', {
  agent: 'frontend',
  says: 'looks a last time for responses',
  source: 'xen/include/public/io/ring.h, RING_FINAL_CHECK_FOR_RESPONSES',
  where: {
    agent: (m) =>
      works(m, FRONT) &&
      m.side.awake[FRONT] === 1 &&
      (m.side.hostile[BACK] === 1 || unconsumedResponses(m.sring.rspProd[0], m.front.rspCons[0], indexMask(m)) === 0),
  },
  touches: (m, _op, may) => {
    may.write(m.sring);
    may.write(m.storeBuffer, FRONT);
    may.write(m.side, FRONT);
  },
  steps: {
    'set the threshold': (m) =>
      store(m, FRONT, RSP_EVENT, eventThreshold(m.front.rspCons[0], indexMask(m))) ? OK : AGAIN,
    mb: (m) => drain(m, FRONT),
    'test again': (m) => {
      const producer = loadPeers(m, FRONT, m.sring.rspProd[0], 'rsp_prod');
      if (unconsumedResponses(producer, m.front.rspCons[0], indexMask(m)) > 0) return DONE;
      sleep(m, FRONT);
      return OK;
    },
  },
});

/** Copies one request out of the ring into the pool. */
export const take = operation('back.take', {
  agent: 'backend',
  says: 'takes a request',
  source:
    'xen/include/public/io/ring.h, RING_COPY_REQUEST; Linux drivers/block/xen-blkback/blkback.c, __do_block_io_op',
  locals: ['into', 'at'],
  where: { agent: (m) => works(m, BACK) && m.side.awake[BACK] === 1 && freeEntry(m) < m.taken.rows },
  touches: (m, op, may) => {
    may.write(m.back);
    may.write(m.side, BACK);
    may.write(m.slot, slotOf(m.back.reqCons[0], size(m)));
    may.write(m.slot, op.at);
    may.write(m.taken, freeEntry(m));
    may.write(m.taken, op.into);
  },
  onFailure: 'safe',
  steps: {
    'read the producer index': (m, op) => {
      const mask = indexMask(m);
      const cons = m.back.reqCons[0];
      const answered = m.back.rspProdPvt[0];
      const producer = loadPeers(m, BACK, m.sring.reqProd[0], 'req_prod');
      if (m.on(overflowTest)) {
        if (requestProdOverflow(producer, answered, size(m), mask)) return giveUp(m, BACK, overflowTest);
        if (requestConsOverflow(cons, answered, size(m), mask)) return DISABLED;
        if (unconsumedRequests(producer, cons, answered, size(m), mask) === 0) return DISABLED;
      } else if (producer === cons) return DISABLED;
      op.at = slotOf(cons, size(m));
      op.into = freeEntry(m);
      return OK;
    },
    'copy the request': (m, op) => {
      const hostile = m.side.hostile[FRONT] === 1;
      m.taken.busy[op.into] = 1;
      m.taken.id[op.into] = hostile ? m.choose(wireId, 'id') : m.slot.id[op.at];
      m.taken.stale[op.into] = hostile || m.slot.unread[op.at] ? 0 : 1;
      m.slot.unread[op.at] = 0;
      m.back.reqCons[0] = following(m.back.reqCons[0], indexMask(m));
      found(m, BACK);
    },
  },
});

/** Answers a request of the pool; any one, so responses come in any order. */
export const respond = operation('back.respond', {
  agent: 'backend',
  says: 'answers {entry}',
  source: 'xen/include/public/io/ring.h, RING_PUSH_RESPONSES_AND_CHECK_NOTIFY',
  input: { entry },
  locals: ['at', 'old'],
  where: { agent: (m) => works(m, BACK), entry: (m, op) => m.taken.busy[op.entry] === 1 },
  touches: (m, op, may) => {
    may.write(m.back);
    may.write(m.taken, op.entry);
    may.write(m.slot, slotOf(m.back.rspProdPvt[0], size(m)));
    may.write(m.slot, op.at);
    touchPush(m, may, BACK);
  },
  steps: {
    'reserve a slot': (m, op) => {
      op.at = slotOf(m.back.rspProdPvt[0], size(m));
      m.back.rspProdPvt[0] = following(m.back.rspProdPvt[0], indexMask(m));
    },
    'write the response': (m, op) => {
      m.slot.holds[op.at] = RESPONSE;
      m.slot.id[op.at] = m.taken.id[op.entry];
      m.slot.unread[op.at] = 1;
      m.taken.busy[op.entry] = 0;
      m.taken.id[op.entry] = 0;
    },
    'publish the index': (m, op) => {
      op.old = loadOwn(m, BACK, RSP_PROD, m.sring.rspProd[0]);
      return store(m, BACK, RSP_PROD, m.back.rspProdPvt[0]) ? OK : AGAIN;
    },
    mb: (m) => drain(m, BACK),
    'notify if the threshold was passed': (m, op) => {
      const event = loadPeers(m, BACK, m.sring.rspEvent[0], 'rsp_event');
      if (mustNotify(m.back.rspProdPvt[0], op.old, event, indexMask(m))) m.side.pending[FRONT] = 1;
    },
  },
});

/** RING_FINAL_CHECK_FOR_REQUESTS. */
export const backFinalCheck = operation('back.finalCheck', {
  agent: 'backend',
  says: 'looks a last time for requests',
  source: 'xen/include/public/io/ring.h, RING_FINAL_CHECK_FOR_REQUESTS',
  where: {
    agent: (m) => works(m, BACK) && m.side.awake[BACK] === 1 && (m.side.hostile[FRONT] === 1 || unread(m) === 0),
  },
  touches: (m, _op, may) => {
    may.write(m.sring);
    may.write(m.storeBuffer, BACK);
    may.write(m.side, BACK);
  },
  steps: {
    'set the threshold': (m) =>
      store(m, BACK, REQ_EVENT, eventThreshold(m.back.reqCons[0], indexMask(m))) ? OK : AGAIN,
    mb: (m) => drain(m, BACK),
    'test again': (m) => {
      const producer = loadPeers(m, BACK, m.sring.reqProd[0], 'req_prod');
      const mask = indexMask(m);
      if (unconsumedRequests(producer, m.back.reqCons[0], m.back.rspProdPvt[0], size(m), mask) > 0) return DONE;
      sleep(m, BACK);
      return OK;
    },
  },
});

function unread(m: Ring): number {
  return unconsumedRequests(m.sring.reqProd[0], m.back.reqCons[0], m.back.rspProdPvt[0], size(m), indexMask(m));
}

function freeEntry(m: Ring): number {
  let e = 0;
  while (e < m.taken.rows && m.taken.busy[e] === 1) e++;
  return e;
}

function touchPush(m: Ring, may: Footprint, e: number): void {
  may.write(m.sring);
  may.write(m.storeBuffer, e);
  may.write(m.side, 1 - e);
}

export const ringEnds = module<Ring, typeof ringTables>('ring ends', {
  tables: ringTables,
  operations: [submit, collect, frontFinalCheck, take, respond, backFinalCheck, wakeUp, drainStore],
  initial: (m) => {
    checkRingScope(m);
    m.sring.reqEvent[0] = 1;
    m.sring.rspEvent[0] = 1;
    // A handler runs once when the connection is made.
    m.side.awake.fill(1);
  },
  map: (m) => [
    `ring: req_prod ${m.sring.reqProd[0]}, req_event ${m.sring.reqEvent[0]}, rsp_prod ${m.sring.rspProd[0]}, rsp_event ${m.sring.rspEvent[0]}`,
    `frontend: req_prod_pvt ${m.front.reqProdPvt[0]}, rsp_cons ${m.front.rspCons[0]}${m.side.awake[FRONT] ? ', awake' : ''}`,
    `backend: rsp_prod_pvt ${m.back.rspProdPvt[0]}, req_cons ${m.back.reqCons[0]}${m.side.awake[BACK] ? ', awake' : ''}`,
  ],
});

/** Beginnings in the middle of a run, from which races need few steps. All can be reached from the first. */
export const JUST_CONNECTED = 0;
export const FIRST_DONE = 1;
export const SECOND_TAKEN = 2;
export const ASLEEP = 3;
export const LATE_EVENT = 4;
export const beginning = sort('beginning', {
  members: [
    'just connected',
    'after the first exchange',
    'after the first exchange, second request taken',
    'after the first exchange, asleep',
    'after the second exchange, backend asleep with an event on its way',
  ],
});

/** Sets one of the beginnings, from the initial state. */
export function beginAt(m: Ring, from: number): void {
  if (from === JUST_CONNECTED) return;
  const taken = from === SECOND_TAKEN;
  const exchanged = from === LATE_EVENT ? 2 : 1;
  m.sring.reqProd[0] = exchanged + (taken ? 1 : 0);
  m.sring.rspProd[0] = exchanged;
  m.front.reqProdPvt[0] = m.sring.reqProd[0];
  m.front.rspCons[0] = exchanged;
  m.back.reqCons[0] = m.sring.reqProd[0];
  m.back.rspProdPvt[0] = exchanged;
  m.slot.holds[0] = RESPONSE;
  m.side.found.fill(1);
  if (taken) {
    m.front.outstanding[0] = 1;
    m.slot.holds[1] = REQUEST;
    m.taken.busy[0] = 1;
  }
  if (from === ASLEEP) {
    m.side.awake.fill(0);
    m.side.found.fill(0);
    m.sring.reqEvent[0] = 2;
    m.sring.rspEvent[0] = 2;
  }
  if (from === LATE_EVENT) {
    m.slot.holds[1] = RESPONSE;
    m.side.awake[BACK] = 0;
    m.side.found[BACK] = 0;
    m.side.pending[BACK] = 1;
    m.sring.reqEvent[0] = 3;
  }
}

/** The threads of the two ends under the schedule `split`. */
export const ringThreads: NonNullable<MachineDef['threads']> = () => ['frontend', 'backend'];
