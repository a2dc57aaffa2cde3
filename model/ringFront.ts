/** The frontend of a ring: submits requests, collects responses, looks a last time. Source: Xen `xen/include/public/io/ring.h`. */
import { AGAIN, DISABLED, DONE, flag, OK, operationOn } from './kernel/index.js';
import {
  eventThreshold,
  following,
  indexMask,
  mustNotify,
  responseProdOverflow,
  ringFull,
  slotOf,
  unconsumedResponses,
} from './ring.js';
import {
  BACK,
  drain,
  FRONT,
  found,
  giveUp,
  loadOwn,
  loadPeers,
  overflowTest,
  REQ_PROD,
  REQUEST,
  type Ring,
  RSP_EVENT,
  responseIdTest,
  size,
  sleep,
  store,
  touchPush,
  wireId,
  works,
} from './ringState.js';

const operation = operationOn<Ring>();

/** Writes a request and pushes it, or leaves the push to the next one (a batch). */
export const submit = operation('front.submit', {
  agent: 'frontend',
  path: 'submit',
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
  path: 'complete',
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
  path: 'notify',
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
