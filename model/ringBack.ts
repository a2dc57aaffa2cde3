/** The backend of a ring: takes requests, answers them, looks a last time. Source: Xen `xen/include/public/io/ring.h`. */
import { AGAIN, DISABLED, DONE, OK, operationOn } from './kernel/index.js';
import {
  eventThreshold,
  following,
  indexMask,
  mustNotify,
  requestConsOverflow,
  requestProdOverflow,
  slotOf,
  unconsumedRequests,
} from './ring.js';
import {
  BACK,
  drain,
  entry,
  FRONT,
  found,
  giveUp,
  loadOwn,
  loadPeers,
  overflowTest,
  REQ_EVENT,
  RESPONSE,
  type Ring,
  RSP_PROD,
  size,
  sleep,
  store,
  touchPush,
  wireId,
  works,
} from './ringState.js';

const operation = operationOn<Ring>();

/** Copies one request out of the ring into the pool. */
export const take = operation('back.take', {
  agent: 'backend',
  path: 'submit',
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
  path: 'complete',
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
  path: 'notify',
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
