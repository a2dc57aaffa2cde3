/**
 * What requests to the block split driver cost, read off the state: a page of a guest that a backend has mapped and had not before is a
 * grant mapped, an event that was not pending and is now is a notification. So the specification of the driver needs no charges of its own.
 *
 * A mapping and its end are calls into the VMM, one for each request, whatever its segments; so is a notification. Where there is an IOMMU
 * (gate `DMA remapping`), what the backend maps for the disk is entered there and taken out again, with an invalidation.
 */
import { type Block, DONE_OK, frontend, IDLE, request } from '../blockState.js';
import { dmaRemapping } from '../iommu/index.js';
import { type MachineDef, module, operationOn } from '../kernel/index.js';
import {
  type Bookkeeper,
  bookedOperation,
  charge,
  GRANT_MAPPING,
  GRANT_UNMAPPING,
  hypercall,
  INVALIDATION,
  MAPPING,
  NOTIFICATION,
  TLB_FLUSH,
  UNMAPPING,
} from '../ledger.js';

/** What the bookkeeper notes before a step. Steps do not nest. */
const noted = new Int32Array(4);
const MAPPED = 0;
const EVENTS = 1;
const FRONTENDS = 2;
const CHANNELS = 3;

/** Mappings of guests' pages in all backends. */
function mapped(m: Block): number {
  let n = 0;
  for (let row = 0; row < m.page.rows; row++) for (let bits = m.page.readers[row]; bits !== 0; bits &= bits - 1) n++;
  return n;
}

/** Events that are pending, in both directions. */
function events(m: Block): number {
  let n = 0;
  for (let f = 0; f < m.fe.rows; f++) n += m.fe.event[f];
  for (let c = 0; c < m.chan.rows; c++) n += m.chan.event[c];
  return n;
}

/** Mappings, notifications and the calls that they take. */
export const blockBook: Bookkeeper<Block> = {
  before: (m) => {
    noted[MAPPED] = mapped(m);
    noted[EVENTS] = events(m);
  },
  after: (m) => {
    const more = mapped(m) - noted[MAPPED];
    // What the VMM takes back by itself is nobody's call.
    if (more !== 0 && m.current.op.agent !== 'vmm') hypercall(m);
    for (let i = 0; i < more; i++) {
      charge(m, GRANT_MAPPING);
      if (m.on(dmaRemapping)) charge(m, MAPPING);
    }
    for (let i = 0; i > more; i--) {
      charge(m, GRANT_UNMAPPING);
      if (m.on(dmaRemapping)) charge(m, UNMAPPING);
    }
    if (more < 0) {
      charge(m, TLB_FLUSH);
      if (m.on(dmaRemapping)) charge(m, INVALIDATION);
    }
    for (let i = noted[EVENTS]; i < events(m); i++) {
      charge(m, NOTIFICATION);
      hypercall(m);
    }
  },
};

/**
 * The same for operations that push and notify: an event that is sent while one is pending changes nothing in the state, so the pending
 * bits are out of the way while the step runs. For machines of up to 31 frontends and channels.
 */
export const blockPushBook: Bookkeeper<Block> = {
  before: (m) => {
    noted[FRONTENDS] = 0;
    noted[CHANNELS] = 0;
    for (let f = 0; f < m.fe.rows; f++) noted[FRONTENDS] |= m.fe.event[f] << f;
    for (let c = 0; c < m.chan.rows; c++) noted[CHANNELS] |= m.chan.event[c] << c;
    m.fe.event.fill(0);
    m.chan.event.fill(0);
    blockBook.before(m);
  },
  after: (m) => {
    blockBook.after(m);
    for (let f = 0; f < m.fe.rows; f++) m.fe.event[f] |= (noted[FRONTENDS] >> f) & 1;
    for (let c = 0; c < m.chan.rows; c++) m.chan.event[c] |= (noted[CHANNELS] >> c) & 1;
  },
};

const operation = operationOn<Block>();

/** The client is done with a request, and has another one of the kind. */
export const clientAgain = operation('client.again', {
  agent: frontend,
  says: 'has another {request}',
  input: { request },
  where: { request: (m, op) => m.client.state[m.client.at(op.agent, op.request)] === DONE_OK },
  touches: (m, op, may) => may.write(m.client, m.client.at(op.agent, op.request)),
  steps: {
    'ask anew': (m, op) => {
      const row = m.client.at(op.agent, op.request);
      m.client.state[row] = IDLE;
      m.client.served[row] = 0;
      m.client.wrongs[row] = 0;
    },
  },
});

/** A machine with the split driver whose every operation is charged, and whose clients go on for ever. */
export function bookedBlock(def: MachineDef): MachineDef {
  const client = module<Block, Record<never, never>>('clients that go on', { tables: {}, operations: [clientAgain] });
  return {
    ...def,
    modules: [
      ...def.modules.map((mod) => ({
        ...mod,
        operations: mod.operations.map((op) => bookedOperation(op, blockBook)),
      })),
      client,
    ],
  };
}
