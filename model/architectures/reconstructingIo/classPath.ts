/**
 * A request on its way through the class interface of "Reconstructing I/O" (R1, R3): submitted, passed down, taken, performed, answered,
 * completed. Whoever takes, takes all that waits: a batch costs one call.
 * Must keep: R-S5 (the client sees an abstract device of the class), R-S6 (rights only narrow on the way down).
 */
import { type Footprint, operationOn } from '../../kernel/index.js';
import {
  charge,
  GRANT_MAPPING,
  GRANT_UNMAPPING,
  hypercall,
  INVALIDATION,
  MAPPING,
  NOTIFICATION,
  PAGE_FLIP,
  TLB_FLUSH,
  UNMAPPING,
} from '../../ledger.js';
import {
  ABOVE,
  BELOW,
  bottom,
  type ClassPath,
  COMPLETED_TWICE,
  clearSlot,
  DONE,
  DUPLICATED,
  epochTest,
  IDLE,
  LOST,
  mayLose,
  NET_RECEIVE,
  NOT_PERFORMED,
  NOTHING,
  OUTSTANDING,
  PERFORMED,
  place,
  REQUEST,
  RESPONSE,
  RUNNING,
  request,
  rightsFor,
  slotAt,
  TAKEN,
  waits,
} from './classState.js';

const operation = operationOn<ClassPath>();
const SOURCE = 'TR-596, unified device interfaces; block and net channels as in Xen 2.0';

/** An event on a channel that was empty. */
function notify(m: ClassPath): void {
  charge(m, NOTIFICATION);
  hypercall(m);
}

function touchLevel(m: ClassPath, may: Footprint, l: number): void {
  for (let r = 0; r < m.asked.rows; r++) may.write(m.slot, slotAt(m, l, r));
}

/** Puts a request into the client's channel. */
export function enqueue(m: ClassPath, r: number): void {
  const row = slotAt(m, ABOVE, r);
  m.slot.holds[row] = REQUEST;
  m.slot.epoch[row] = m.path.epoch[0];
  m.slot.rights[row] = rightsFor(m);
}

/** The client asks for something, and grants its page with the rights that it takes. */
export const submit = operation('client.submit', {
  agent: 'client',
  path: 'submit',
  says: 'submits {request}',
  source: SOURCE,
  input: { request },
  where: { request: (m, op) => m.asked.state[op.request] === IDLE && m.path.connected[0] === 1 },
  touches: (m, op, may) => {
    may.write(m.asked, op.request);
    may.write(m.slot, slotAt(m, ABOVE, op.request));
  },
  atomic: true,
  steps: {
    submit: (m, op) => {
      if (!waits(m, ABOVE, REQUEST)) notify(m);
      m.asked.state[op.request] = OUTSTANDING;
      m.asked.effect[op.request] = 0;
      enqueue(m, op.request);
    },
  },
});

/** R3: a soft device passes down what waits, with the rights that it has received. */
export const passDown = operation('soft.pass', {
  agent: 'soft device',
  path: 'submit',
  says: 'passes down what waits',
  source: 'TR-596, soft devices; transitive grants of today\u2019s grant tables',
  where: { agent: (m) => m.path.soft[0] === RUNNING && waits(m, ABOVE, REQUEST) },
  touches: (m, _op, may) => {
    touchLevel(m, may, ABOVE);
    touchLevel(m, may, BELOW);
    may.writeAll(m.passed);
  },
  atomic: true,
  steps: {
    'pass down': (m) => {
      if (!waits(m, BELOW, REQUEST)) notify(m);
      for (let r = 0; r < m.asked.rows; r++) {
        const above = slotAt(m, ABOVE, r);
        if (m.slot.holds[above] !== REQUEST) continue;
        const below = slotAt(m, BELOW, r);
        m.passed.on[r] = 1;
        m.passed.rights[r] = m.slot.rights[above];
        m.slot.holds[above] = NOTHING;
        m.slot.holds[below] = REQUEST;
        m.slot.epoch[below] = m.slot.epoch[above];
        m.slot.rights[below] = m.passed.rights[r];
      }
    },
  },
});

/** The backend takes what waits: maps the pages, in one call. */
export const take = operation('backend.take', {
  agent: place,
  path: 'submit',
  says: 'takes what waits',
  source: SOURCE,
  where: {
    agent: (m, op) =>
      m.backend.life[op.agent] === RUNNING &&
      m.path.connected[0] === 1 &&
      m.path.draining[0] === 0 &&
      waits(m, bottom(m), REQUEST),
  },
  touches: (m, op, may) => {
    touchLevel(m, may, bottom(m));
    for (let r = 0; r < m.asked.rows; r++) may.write(m.work, m.work.at(op.agent, r));
  },
  atomic: true,
  steps: {
    'map and take': (m, op) => {
      const flips = m.path.kind[0] === NET_RECEIVE;
      if (!flips) hypercall(m);
      for (let r = 0; r < m.asked.rows; r++) {
        const row = slotAt(m, bottom(m), r);
        if (m.slot.holds[row] !== REQUEST) continue;
        m.slot.holds[row] = NOTHING;
        m.work.stage[m.work.at(op.agent, r)] = TAKEN;
        m.work.epoch[m.work.at(op.agent, r)] = m.slot.epoch[row];
        if (!flips) charge(m, GRANT_MAPPING);
        if (m.path.granularity[0] === 1) charge(m, MAPPING);
      }
    },
  },
});

/** The device does it, once more or for the first time. */
export const perform = operation('backend.perform', {
  agent: place,
  path: 'complete',
  says: 'has its device perform {request}',
  source: SOURCE,
  input: { request },
  where: {
    agent: (m, op) => m.backend.life[op.agent] === RUNNING,
    request: (m, op) => m.work.stage[m.work.at(op.agent, op.request)] === TAKEN,
  },
  touches: (m, op, may) => {
    may.write(m.work, m.work.at(op.agent, op.request));
    may.write(m.asked, op.request);
  },
  atomic: true,
  steps: {
    perform: (m, op) => {
      m.work.stage[m.work.at(op.agent, op.request)] = PERFORMED;
      if (m.asked.effect[op.request] > 0 && mayLose(m)) m.asked.wrongs[op.request] |= DUPLICATED;
      m.asked.effect[op.request] = 1;
    },
  },
});

/** The backend answers what has been performed: gives the pages back (or away, when it received), in one call, and answers after that. */
export const answer = operation('backend.answer', {
  agent: place,
  path: 'complete',
  says: 'answers what it has performed',
  source: SOURCE,
  where: {
    agent: (m, op) => {
      if (m.backend.life[op.agent] !== RUNNING || m.path.connected[0] === 0) return false;
      for (let r = 0; r < m.asked.rows; r++) if (m.work.stage[m.work.at(op.agent, r)] === PERFORMED) return true;
      return false;
    },
  },
  touches: (m, op, may) => {
    touchLevel(m, may, bottom(m));
    for (let r = 0; r < m.asked.rows; r++) may.write(m.work, m.work.at(op.agent, r));
  },
  atomic: true,
  steps: {
    'unmap and answer': (m, op) => {
      const flips = m.path.kind[0] === NET_RECEIVE;
      hypercall(m);
      charge(m, TLB_FLUSH);
      if (m.path.granularity[0] === 1) charge(m, INVALIDATION);
      if (!waits(m, bottom(m), RESPONSE)) notify(m);
      for (let r = 0; r < m.asked.rows; r++) {
        const w = m.work.at(op.agent, r);
        if (m.work.stage[w] !== PERFORMED) continue;
        const row = slotAt(m, bottom(m), r);
        m.slot.holds[row] = RESPONSE;
        m.slot.epoch[row] = m.work.epoch[w];
        m.slot.rights[row] = 0;
        m.work.stage[w] = NOTHING;
        m.work.epoch[w] = 0;
        charge(m, flips ? PAGE_FLIP : GRANT_UNMAPPING);
        if (m.path.granularity[0] === 1) charge(m, UNMAPPING);
      }
    },
  },
});

/** R3: the soft device answers what has been answered below, and has the page no more. */
export const passUp = operation('soft.answer', {
  agent: 'soft device',
  path: 'complete',
  says: 'answers what was answered below',
  source: 'TR-596, soft devices',
  where: { agent: (m) => m.path.soft[0] === RUNNING && waits(m, BELOW, RESPONSE) },
  touches: (m, _op, may) => {
    touchLevel(m, may, ABOVE);
    touchLevel(m, may, BELOW);
    may.writeAll(m.passed);
  },
  atomic: true,
  steps: {
    answer: (m) => {
      if (!waits(m, ABOVE, RESPONSE)) notify(m);
      for (let r = 0; r < m.asked.rows; r++) {
        const below = slotAt(m, BELOW, r);
        if (m.slot.holds[below] !== RESPONSE) continue;
        const above = slotAt(m, ABOVE, r);
        m.slot.holds[above] = RESPONSE;
        m.slot.epoch[above] = m.slot.epoch[below];
        m.slot.rights[above] = 0;
        m.passed.on[r] = 0;
        m.passed.rights[r] = 0;
        clearSlot(m, below);
      }
    },
  },
});

/** The client looks at what was answered. Answers of another epoch are none. */
export const complete = operation('client.complete', {
  agent: 'client',
  path: 'complete',
  says: 'completes what was answered',
  source: 'XB3: epochs',
  where: { agent: (m) => m.path.connected[0] === 1 && waits(m, ABOVE, RESPONSE) },
  touches: (m, _op, may) => {
    touchLevel(m, may, ABOVE);
    may.writeAll(m.asked);
  },
  atomic: true,
  steps: {
    complete: (m) => {
      for (let r = 0; r < m.asked.rows; r++) {
        const row = slotAt(m, ABOVE, r);
        if (m.slot.holds[row] !== RESPONSE) continue;
        const fresh = m.slot.epoch[row] === m.path.epoch[0] || !m.on(epochTest);
        if (!fresh) {
          // The answer is dropped, and the request stays where it is.
          m.slot.holds[row] = NOTHING;
          m.slot.epoch[row] = m.path.epoch[0];
          continue;
        }
        clearSlot(m, row);
        if (m.asked.state[r] !== OUTSTANDING) m.asked.wrongs[r] |= COMPLETED_TWICE;
        if (m.asked.effect[r] === 0) m.asked.wrongs[r] |= NOT_PERFORMED;
        m.asked.state[r] = DONE;
      }
    },
  },
});

/** The client is through with a request, and can ask again. */
export const forget = operation('client.forget', {
  agent: 'client',
  path: 'complete',
  says: 'is through with {request}',
  input: { request },
  where: { request: (m, op) => m.asked.state[op.request] === DONE || m.asked.state[op.request] === LOST },
  touches: (m, op, may) => may.write(m.asked, op.request),
  atomic: true,
  steps: {
    forget: (m, op) => {
      m.asked.state[op.request] = IDLE;
      m.asked.effect[op.request] = 0;
    },
  },
});

export const pathOperations = [submit, passDown, take, perform, answer, passUp, complete, forget];
