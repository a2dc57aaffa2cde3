/**
 * One frontend and one backend around a single ring, step by step: publish, barrier, read the threshold; set the threshold, barrier, test
 * again. Source: Xen `xen/include/public/io/ring.h`; the loops are those of any driver that follows its comments.
 * State: ringState.ts; the ends: ringFront.ts, ringBack.ts; beginnings in the middle of a run: ringBeginnings.ts.
 * Here: what wakes the ends up, and the module of all. Properties: ../properties/ring.ts.
 */
import { type MachineDef, module, operationOn } from './kernel/index.js';
import { checkRingScope } from './ring.js';
import { backFinalCheck, respond, take } from './ringBack.js';
import { collect, frontFinalCheck, submit } from './ringFront.js';
import { BACK, drain, end, FRONT, type Ring, ringTables, works } from './ringState.js';

export { backFinalCheck, respond, take } from './ringBack.js';
export * from './ringBeginnings.js';
export { collect, frontFinalCheck, submit } from './ringFront.js';
export {
  BACK,
  drain,
  EMPTY,
  end,
  entry,
  FRONT,
  overflowTest,
  REQ_EVENT,
  REQ_PROD,
  REQUEST,
  RESPONSE,
  type Ring,
  RSP_EVENT,
  RSP_PROD,
  responseIdTest,
  ringTables,
  wireId,
} from './ringState.js';

const operation = operationOn<Ring>();

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
  path: 'notify',
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

/** The threads of the two ends under the schedule `split`. */
export const ringThreads: NonNullable<MachineDef['threads']> = () => ['frontend', 'backend'];
