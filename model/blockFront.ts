/**
 * The block frontend's data path: submits its client's requests, keeps a private copy of each, and believes nothing that it finds in the
 * ring. Connecting, recovering and closing are in blockFrontLife.ts.
 * Sources: Linux `drivers/block/xen-blkfront.c` (blkif_queue_rq, blkif_interrupt); Xen 2.0 blkfront.
 */
import { idOf, messageId, OP_READ } from './blockFormats.js';
import {
  type Block,
  COMPLETED_TWICE,
  clearSlot,
  connectedBackend,
  DONE_OK,
  ENOMEM,
  endAccess,
  errors,
  FAILED,
  FREE,
  frontend,
  HONEST,
  IDLE,
  LENT,
  mask,
  NOT_SERVED,
  OUTSTANDING,
  READ_ONLY,
  READ_WRITE,
  request,
  ringSize,
} from './blockState.js';
import { blockedBy, DISABLED, type Footprint, failure, flag, gate, NONE, OK, operationOn } from './kernel/index.js';
import {
  eventThreshold,
  following,
  mustNotify,
  responseProdOverflow,
  ringFull,
  ringIndex,
  slotOf,
  unconsumedResponses,
} from './ring.js';
import { CLOSING, CONNECTED } from './xenbus.js';

const operation = operationOn<Block>();

/** The id in a response is in range and outstanding. */
export const outstandingTest = gate('response id test');
/** The id in a response was given in this epoch. */
export const epochTest = gate('epoch test');
/** The index in the ring is at most the ring's size ahead. */
export const overflowTest = gate('ring overflow test');

/** A grant for a buffer or a ring. */
export const grantFailure = failure('allocate a grant');

/** Op code of a client's request. */
export const opOf = (r: number): number => r & 1;

/** Whether what the frontend reads in its ring can be anything; what it writes there then matters to nobody. */
function facesHostile(m: Block, f: number): boolean {
  return m.fe.tainted[f] === 1;
}

export function touchFront(m: Block, may: Footprint, f: number): void {
  may.write(m.fe, f);
  may.write(m.sring, f);
  for (let s = 0; s < ringSize(m); s++) {
    may.write(m.slot, m.slot.at(f, s));
    may.write(m.shadow, m.shadow.at(f, s));
  }
}

export function touchChannels(m: Block, may: Footprint, f: number): void {
  for (let b = 0; b < m.be.rows; b++) may.write(m.chan, m.chan.at(b, f));
}

/** Sends the connected backend its event. */
function notifyBackend(m: Block, f: number): void {
  const b = connectedBackend(m, f);
  if (b !== NONE && m.be.hostile[b] === 0) m.chan.event[m.chan.at(b, f)] = 1;
}

function freeShadow(m: Block, f: number): number {
  for (let s = 0; s < ringSize(m); s++) if (m.shadow.request[m.shadow.at(f, s)] === NONE) return s;
  return NONE;
}

/** Writes the request of a shadow entry into the next slot; not yet published. */
export function placeRequest(m: Block, f: number, s: number): void {
  const entry = m.shadow.at(f, s);
  const r = m.shadow.request[entry];
  const row = m.slot.at(f, slotOf(m.fe.reqProdPvt[f], ringSize(m)));
  m.shadow.epoch[entry] = m.fe.epoch[f];
  if (!facesHostile(m, f)) {
    clearSlot(m, row);
    m.slot.holds[row] = 1;
    m.slot.id[row] = idOf(s, m.fe.epoch[f], ringSize(m));
    m.slot.op[row] = opOf(r);
    m.slot.segments[row] = 1;
    m.slot.sector[row] = r & 1;
    m.slot.gref[row] = r;
  }
  m.fe.reqProdPvt[f] = following(m.fe.reqProdPvt[f], mask(m));
}

/** RING_PUSH_REQUESTS_AND_CHECK_NOTIFY. */
export function pushRequests(m: Block, f: number): void {
  if (facesHostile(m, f)) return;
  const old = m.sring.reqProd[f];
  m.sring.reqProd[f] = m.fe.reqProdPvt[f];
  if (mustNotify(m.fe.reqProdPvt[f], old, m.sring.reqEvent[f], mask(m))) notifyBackend(m, f);
}

/** A client's request goes into the ring. */
export const submit = operation('front.submit', {
  agent: frontend,
  path: 'submit',
  says: "submits its client's {request}",
  source: 'Linux drivers/block/xen-blkfront.c, blkif_queue_rq',
  input: { request },
  where: {
    agent: (m, op) =>
      m.fe.state[op.agent] === CONNECTED &&
      m.fe.recovering[op.agent] === 0 &&
      m.fe.hostile[op.agent] === HONEST &&
      freeShadow(m, op.agent) !== NONE &&
      !ringFull(m.fe.reqProdPvt[op.agent], m.fe.rspCons[op.agent], ringSize(m), mask(m)),
    request: (m, op) =>
      m.client.state[m.client.at(op.agent, op.request)] === IDLE &&
      m.page.use[m.page.at(op.agent, op.request)] === FREE,
  },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    touchChannels(m, may, op.agent);
    may.write(m.client, m.client.at(op.agent, op.request));
    may.write(m.page, m.page.at(op.agent, op.request));
  },
  errors,
  steps: {
    'grant the buffer': (m, op) => {
      if (m.fails(grantFailure)) return ENOMEM;
      const row = m.page.at(op.agent, op.request);
      m.page.use[row] = LENT;
      m.page.access[row] = opOf(op.request) === OP_READ ? READ_WRITE : READ_ONLY;
      return OK;
    },
    'keep a copy': (m, op) => {
      const entry = m.shadow.at(op.agent, freeShadow(m, op.agent));
      m.shadow.request[entry] = op.request;
      m.shadow.first[entry] = m.fe.epoch[op.agent];
      m.client.state[m.client.at(op.agent, op.request)] = OUTSTANDING;
    },
    'write the request': (m, op) => {
      for (let s = 0; s < ringSize(m); s++) {
        if (m.shadow.request[m.shadow.at(op.agent, s)] === op.request) placeRequest(m, op.agent, s);
      }
    },
    push: (m, op) => pushRequests(m, op.agent),
  },
});

/** The interrupt handler starts. Interrupts while the device is not connected, or recovers, are ignored. */
export const interrupt = operation('front.interrupt', {
  agent: frontend,
  path: 'notify',
  says: 'handles its interrupt',
  source: 'Linux drivers/block/xen-blkfront.c, blkif_interrupt',
  where: {
    agent: (m, op) =>
      m.fe.event[op.agent] === 1 &&
      m.fe.awake[op.agent] === 0 &&
      m.fe.state[op.agent] === CONNECTED &&
      m.fe.recovering[op.agent] === 0,
  },
  touches: (m, op, may) => may.write(m.fe, op.agent),
  steps: {
    'acknowledge it': (m, op) => {
      m.fe.event[op.agent] = 0;
      m.fe.awake[op.agent] = 1;
    },
  },
});

/** Gives the device up: what it finds in the ring cannot be true. */
export function giveUp(m: Block, f: number): void {
  m.fe.state[f] = CLOSING;
  m.fe.awake[f] = 0;
  m.fe.event[f] = 0;
}

/** Takes one response out of the ring and completes what it names, if that is outstanding and of this epoch. */
export const collect = operation('front.collect', {
  agent: frontend,
  path: 'complete',
  says: 'collects a response',
  source: 'Linux drivers/block/xen-blkfront.c, blkif_interrupt (commits 8f5a695d9900, b94e4b147fd1)',
  locals: ['id', 'at', 'status', 'entry', 'hostile'],
  where: { agent: (m, op) => m.fe.awake[op.agent] === 1 },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    for (let r = 0; r < m.size(request); r++) {
      may.write(m.client, m.client.at(op.agent, r));
      may.write(m.page, m.page.at(op.agent, r));
    }
  },
  onFailure: 'safe',
  steps: {
    'read the producer index': (m, op) => {
      const f = op.agent;
      op.hostile = facesHostile(m, f) ? 1 : 0;
      const producer = op.hostile ? m.choose(ringIndex, 'rsp_prod') : m.sring.rspProd[f];
      if (unconsumedResponses(producer, m.fe.rspCons[f], mask(m)) === 0) return DISABLED;
      if (m.on(overflowTest) && responseProdOverflow(producer, m.fe.rspCons[f], ringSize(m), mask(m))) {
        giveUp(m, f);
        return blockedBy(overflowTest);
      }
      op.at = m.slot.at(f, slotOf(m.fe.rspCons[f], ringSize(m)));
      return OK;
    },
    'copy the response': (m, op) => {
      // A response's id lies over a request's operation and handle: what is no response has no id of ours.
      const shown = m.slot.holds[op.at] === 2 ? m.slot.id[op.at] : m.size(messageId) - 1;
      op.id = op.hostile ? m.choose(messageId, 'id') : shown;
      op.status = op.hostile ? m.choose(flag, 'error status') : m.slot.status[op.at];
    },
    'check the id': (m, op) => {
      const size = ringSize(m);
      op.entry = m.shadow.at(op.agent, op.id & (size - 1));
      // Divides without a remainder: a fraction would be an object.
      const ofEpoch = (op.id - (op.id & (size - 1))) / size;
      if (m.on(epochTest) && ofEpoch !== m.fe.epoch[op.agent]) {
        giveUp(m, op.agent);
        return blockedBy(epochTest);
      }
      return OK;
    },
    'check that it is outstanding': (m, op) => {
      if (m.on(outstandingTest) && m.shadow.request[op.entry] === NONE) {
        giveUp(m, op.agent);
        return blockedBy(outstandingTest);
      }
      return OK;
    },
    'consume it': (m, op) => {
      m.fe.rspCons[op.agent] = following(m.fe.rspCons[op.agent], mask(m));
      if (!op.hostile) clearSlot(m, op.at);
    },
    complete: (m, op) => {
      const r = m.shadow.request[op.entry];
      finish(m, op.agent, r, op.status === 0 ? DONE_OK : FAILED, op.hostile === 1);
      m.shadow.request[op.entry] = NONE;
      m.shadow.epoch[op.entry] = 0;
      m.shadow.first[op.entry] = 0;
    },
    'end access to the buffer': (m, op) => endAccessTo(m, op.agent),
  },
});

/** Tells the client; what went wrong stays noted. A request that is not there is the first one: an array read out of bounds. */
export function finish(m: Block, f: number, r: number, state: number, hostile: boolean): void {
  const row = m.client.at(f, r === NONE ? 0 : r);
  if (m.client.state[row] !== OUTSTANDING) m.client.wrongs[row] |= COMPLETED_TWICE;
  else if (state === DONE_OK && !hostile && ((m.client.served[row] >> m.fe.epoch[f]) & 1) === 0) {
    m.client.wrongs[row] |= NOT_SERVED;
  }
  m.client.state[row] = state;
}

/** Ends the grants of buffers that no request needs any more. */
export function endAccessTo(m: Block, f: number): void {
  for (let r = 0; r < m.size(request); r++) {
    const row = m.page.at(f, r);
    const state = m.client.state[m.client.at(f, r)];
    if (m.page.use[row] === LENT && state !== OUTSTANDING) endAccess(m, row);
  }
}

/** RING_FINAL_CHECK_FOR_RESPONSES; ring.ts has its interleavings, here it is one step. */
export const frontFinalCheck = operation('front.finalCheck', {
  agent: frontend,
  path: 'notify',
  says: 'looks a last time for responses',
  source: 'xen/include/public/io/ring.h, RING_FINAL_CHECK_FOR_RESPONSES',
  where: {
    agent: (m, op) =>
      m.fe.awake[op.agent] === 1 &&
      (facesHostile(m, op.agent) ||
        unconsumedResponses(m.sring.rspProd[op.agent], m.fe.rspCons[op.agent], mask(m)) === 0),
  },
  touches: (m, op, may) => {
    may.write(m.fe, op.agent);
    may.write(m.sring, op.agent);
  },
  steps: {
    'set the threshold': (m, op) => {
      if (!facesHostile(m, op.agent)) m.sring.rspEvent[op.agent] = eventThreshold(m.fe.rspCons[op.agent], mask(m));
    },
    sleep: (m, op) => {
      m.fe.awake[op.agent] = 0;
    },
  },
});

export const frontOperations = [submit, interrupt, collect, frontFinalCheck];
