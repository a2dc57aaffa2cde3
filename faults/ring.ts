/**
 * What goes wrong at a shared ring: a peer whose half of the page holds anything (F5), events that are forged or lost (F7); and the ways
 * to get the macros wrong, as edits.
 */
import { mutant } from '../drivers/suite.js';
import {
  AGAIN,
  blockedBy,
  gate,
  guardWith,
  module,
  OK,
  omit,
  operationOn,
  reorder,
  replace,
} from '../model/kernel/index.js';
import { ahead, indexMask } from '../model/ring.js';
import {
  BACK,
  backFinalCheck,
  end,
  FRONT,
  frontFinalCheck,
  REQ_EVENT,
  type Ring,
  RSP_EVENT,
  respond,
  submit,
  wakeUp,
} from '../model/ringEnds.js';

const operation = operationOn<Ring>();

/** Pending bits are the hypervisor's: an event that was sent arrives. */
export const eventDelivery = gate('event delivery');

/** F5: from now on whatever this end has in shared memory holds anything at each read; the other end stays honest. */
export const turnHostile = operation('ring.turnHostile', {
  agent: end,
  says: 'turns hostile: its indices, ids and thresholds hold anything',
  fault: 'F5',
  atomic: true,
  where: { agent: (m, op) => m.side.hostile[op.agent] === 0 && m.side.hostile[1 - op.agent] === 0 },
  touches: (m, op, may) => {
    may.write(m.side, op.agent);
    may.write(m.storeBuffer, op.agent);
    may.write(m.front);
    may.write(m.back);
    may.writeAll(m.slot);
    may.writeAll(m.taken);
    may.write(m.sring);
  },
  steps: {
    // Its own state no longer matters to anybody: forget it, so that fewer states differ.
    'stop being honest': (m, op) => {
      const e = op.agent;
      m.side.hostile[e] = 1;
      m.side.awake[e] = 0;
      m.side.pending[e] = 0;
      m.side.found[e] = 0;
      m.side.emptyWakes[e] = 0;
      m.storeBuffer.word[e] = 0;
      m.storeBuffer.value[e] = 0;
      m.slot.unread.fill(0);
      if (e === FRONT) {
        m.front.reqProdPvt[0] = 0;
        m.front.rspCons[0] = 0;
        m.front.outstanding[0] = 0;
        m.sring.reqProd[0] = 0;
        m.sring.rspEvent[0] = 0;
      } else {
        m.back.reqCons[0] = 0;
        m.back.rspProdPvt[0] = 0;
        m.taken.busy.fill(0);
        m.taken.id.fill(0);
        m.sring.rspProd[0] = 0;
        m.sring.reqEvent[0] = 0;
      }
    },
  },
});

/** F7: a hostile peer sends events at will: its port allows that. */
export const forgeEvent = operation('event.forge', {
  agent: end,
  says: 'sends an event for nothing',
  fault: 'F7',
  atomic: true,
  where: { agent: (m, op) => m.side.hostile[op.agent] === 1 && m.side.pending[1 - op.agent] === 0 },
  touches: (m, op, may) => may.write(m.side, 1 - op.agent),
  steps: {
    'set it pending': (m, op) => {
      m.side.pending[1 - op.agent] = 1;
    },
  },
});

/** F7: an event that was sent is lost on its way. */
export const dropEvent = operation('event.drop', {
  agent: 'adversary',
  says: "drops the {to}'s event",
  fault: 'F7',
  input: { to: end },
  atomic: true,
  where: { to: (m, op) => m.side.pending[op.to] === 1 },
  touches: (m, op, may) => may.write(m.side, op.to),
  steps: {
    'clear the pending bit': (m, op) => {
      if (m.on(eventDelivery)) return blockedBy(eventDelivery);
      m.side.pending[op.to] = 0;
      return OK;
    },
  },
});

export const ringFaults = module<Ring, Record<never, never>>('ring faults', {
  tables: {},
  operations: [turnHostile, forgeEvent, dropEvent],
});

/** Losing events only: for the suite of two honest ends. */
export const eventLoss = module<Ring, Record<never, never>>('event loss', { tables: {}, operations: [dropEvent] });

const header = 'xen/include/public/io/ring.h';

export const pushWithoutBarrier = mutant('no mb in push of requests', {
  says: 'the frontend reads the threshold while its new producer index is still in the store buffer',
  source: header,
  edits: [omit(submit, 'mb')],
});

export const answerWithoutBarrier = mutant('no mb in push of responses', {
  says: 'the backend reads the threshold while its new producer index is still in the store buffer',
  source: header,
  edits: [omit(respond, 'mb')],
});

export const finalCheckWithoutBarrier = mutant('no mb in final check for requests', {
  says: 'the backend tests again while its new threshold is still in the store buffer',
  source: header,
  edits: [omit(backFinalCheck, 'mb')],
});

export const collectWithoutBarrier = mutant('no mb in final check for responses', {
  says: 'the frontend tests again while its new threshold is still in the store buffer',
  source: header,
  edits: [omit(frontFinalCheck, 'mb')],
});

export const noSecondTest = mutant('no test after the threshold', {
  says: 'the backend sets its threshold and sleeps without looking again',
  source: header,
  edits: [
    replace(backFinalCheck, 'test again', (m) => {
      m.side.awake[BACK] = 0;
      m.side.found[BACK] = 0;
    }),
  ],
});

/** Stores the consumer index itself as threshold: one too low. */
const lateThreshold = (m: Ring, e: number, word: number, cons: number): number => {
  if (m.storeBuffer.word[e] !== 0) return AGAIN;
  m.storeBuffer.word[e] = word;
  m.storeBuffer.value[e] = cons;
  return OK;
};

export const lowRequestThreshold = mutant('request threshold one too low', {
  says: 'the backend asks for an event at the request that it has already consumed',
  source: header,
  edits: [replace(backFinalCheck, 'set the threshold', (m) => lateThreshold(m, BACK, REQ_EVENT, m.back.reqCons[0]))],
});

export const lowResponseThreshold = mutant('response threshold one too low', {
  says: 'the frontend asks for an event at the response that it has already consumed',
  source: header,
  edits: [replace(frontFinalCheck, 'set the threshold', (m) => lateThreshold(m, FRONT, RSP_EVENT, m.front.rspCons[0]))],
});

export const eagerNotify = mutant('notification off by one', {
  says: 'a push sends an event also when the threshold was passed just before',
  source: header,
  edits: [
    replace(submit, 'notify if the threshold was passed', (m, op) => {
      const mask = indexMask(m);
      const producer = m.front.reqProdPvt[0];
      if (ahead(producer, m.sring.reqEvent[0], mask) <= ahead(producer, op.old, mask)) m.side.pending[BACK] = 1;
    }),
  ],
});

export const fullForgotten = mutant('no test for a full ring', {
  says: 'the frontend submits without looking whether the ring has room',
  source: header,
  edits: [guardWith(submit, 'agent', (m) => m.side.broken[FRONT] === 0)],
});

export const publishBeforeWrite = mutant('no wmb in push', {
  says: 'the producer index becomes visible before the request that it announces',
  source: header,
  edits: [
    reorder(submit, [
      'reserve a slot and an id',
      'publish the index',
      'mb',
      'write the request',
      'notify if the threshold was passed',
    ]),
  ],
});

export const eventNotCleared = mutant('event not acknowledged', {
  says: 'the handler does not clear its pending event, and is woken up for ever',
  source: 'Xen event channels; XSA-332',
  edits: [omit(wakeUp, 'clear the event')],
});
