/**
 * The life of a frontend's connection: publishes a ring, connects, recovers from a crash of the backend (what was outstanding goes into the
 * new ring before anything new), and closes. The data path is in blockFront.ts.
 * Sources: Linux `drivers/block/xen-blkfront.c` (talk_to_blkback, blkfront_resume, blkif_recover, blkback_changed); Xen 2.0 blkfront.
 */
import {
  endAccessTo,
  finish,
  giveUp,
  grantFailure,
  placeRequest,
  pushRequests,
  touchChannels,
  touchFront,
} from './blockFront.js';
import {
  type Block,
  EBUSY,
  ENOMEM,
  endAccess,
  errors,
  FAILED,
  FREE,
  frontend,
  HONEST,
  KEPT_BACK,
  OUTSTANDING,
  page,
  READ_WRITE,
  RING,
  request,
  ringSize,
  zeroRing,
} from './blockState.js';
import { AGAIN, failure, NONE, OK, operationOn } from './kernel/index.js';
import { ringSlot } from './ring.js';
import { CLOSED, CLOSING, CONNECTED, INIT_WAIT, INITIALISED, INITIALISING } from './xenbus.js';

const operation = operationOn<Block>();

export const ringFailure = failure('allocate a page for the ring');
export const channelFailure = failure('allocate an event channel');
export const storeFailure = failure('write to xenstore');
export const copyFailure = failure('copy an outstanding request');

/** Row of the page that the frontend's ring is in. */
const ringRow = (m: Block, f: number): number => m.page.at(f, m.fe.ringPage[f]);

/** Waits for the backend's node, takes a page for the ring, grants it and publishes it. */
export const initialise = operation('front.initialise', {
  agent: frontend,
  says: 'publishes a ring',
  source: 'Linux drivers/block/xen-blkfront.c, talk_to_blkback, setup_blkring',
  where: {
    agent: (m, op) =>
      m.fe.state[op.agent] === INITIALISING &&
      m.fe.hostile[op.agent] === HONEST &&
      m.node.epoch[op.agent] === m.fe.epoch[op.agent] &&
      (m.node.back[op.agent] === INIT_WAIT || m.node.back[op.agent] === INITIALISING),
  },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(op.agent, p));
  },
  errors,
  steps: {
    'take a page that nobody maps': (m, op) => {
      const f = op.agent;
      for (let p = m.size(request); p < m.size(page); p++) {
        const row = m.page.at(f, p);
        if (m.page.use[row] !== FREE) continue;
        if (m.fails(ringFailure)) return ENOMEM;
        m.page.use[row] = RING;
        m.fe.ringPage[f] = p;
        return OK;
      }
      return AGAIN;
    },
    'empty it': (m, op) => {
      zeroRing(m, op.agent);
      m.fe.tainted[op.agent] = 0;
    },
    'reset the private indices': (m, op) => {
      m.fe.reqProdPvt[op.agent] = 0;
      m.fe.rspCons[op.agent] = 0;
    },
    'grant it': (m, op) => {
      if (m.fails(grantFailure)) return ENOMEM;
      m.page.access[ringRow(m, op.agent)] = READ_WRITE;
      return OK;
    },
    'allocate an event channel': (m) => (m.fails(channelFailure) ? ENOMEM : OK),
    publish: (m, op) => {
      if (m.fails(storeFailure)) return ENOMEM;
      m.fe.state[op.agent] = INITIALISED;
      return OK;
    },
  },
  // What was in the page, and the indices, mattered to nobody.
  undo: {
    'take a page that nobody maps': (m, op) => {
      m.page.use[ringRow(m, op.agent)] = FREE;
      m.fe.ringPage[op.agent] = NONE;
    },
    'grant it': (m, op) => {
      m.page.access[ringRow(m, op.agent)] = 0;
    },
  },
});

/** Puts one outstanding request of an older epoch into the new ring. */
export const replay = operation('front.replay', {
  agent: frontend,
  says: 'puts the outstanding request of {slot} into the new ring',
  source: 'Linux drivers/block/xen-blkfront.c, blkif_recover',
  input: { slot: ringSlot },
  where: {
    agent: (m, op) =>
      m.fe.state[op.agent] === INITIALISED &&
      m.node.back[op.agent] === CONNECTED &&
      m.node.epoch[op.agent] === m.fe.epoch[op.agent] &&
      m.fe.recovering[op.agent] === 1,
    slot: (m, op) => nextToReplay(m, op.agent) === op.slot,
  },
  touches: (m, op, may) => touchFront(m, may, op.agent),
  errors,
  steps: {
    'copy it': (m) => (m.fails(copyFailure) ? ENOMEM : OK),
    'write it again': (m, op) => placeRequest(m, op.agent, op.slot),
  },
});

/** First shadow entry that is not in the present ring, or NONE. */
export function nextToReplay(m: Block, f: number): number {
  for (let s = 0; s < ringSize(m); s++) {
    const entry = m.shadow.at(f, s);
    if (m.shadow.request[entry] !== NONE && m.shadow.epoch[entry] !== m.fe.epoch[f]) return s;
  }
  return NONE;
}

/** Sees the backend Connected; everything outstanding has been replayed. */
export const connect = operation('front.connect', {
  agent: frontend,
  says: 'connects',
  source: 'Linux drivers/block/xen-blkfront.c, blkfront_connect',
  where: {
    agent: (m, op) =>
      m.fe.state[op.agent] === INITIALISED &&
      m.node.back[op.agent] === CONNECTED &&
      m.node.epoch[op.agent] === m.fe.epoch[op.agent],
  },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    touchChannels(m, may, op.agent);
  },
  steps: {
    'wait for the replay': (m, op) => (nextToReplay(m, op.agent) === NONE ? OK : AGAIN),
    'publish what was replayed': (m, op) => pushRequests(m, op.agent),
    'open for requests': (m, op) => {
      m.fe.state[op.agent] = CONNECTED;
      m.fe.recovering[op.agent] = 0;
      m.fe.awake[op.agent] = 1;
    },
  },
});

/** Learns from xenstore that the backend is a new one: drops the old ring and starts to recover. */
export const suspend = operation('front.suspend', {
  agent: frontend,
  says: 'learns of the new backend and drops its ring',
  source: 'Linux drivers/block/xen-blkfront.c, blkfront_resume, blkif_free; Xen 2.0 blkfront, STATUS(DISCONNECTED)',
  where: {
    agent: (m, op) =>
      m.node.epoch[op.agent] !== m.fe.epoch[op.agent] &&
      m.fe.hostile[op.agent] === HONEST &&
      m.fe.state[op.agent] !== CLOSING &&
      m.fe.state[op.agent] !== CLOSED,
  },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(op.agent, p));
  },
  steps: {
    'stop using the ring': (m, op) => {
      const f = op.agent;
      m.fe.recovering[f] = 1;
      m.fe.awake[f] = 0;
      m.fe.event[f] = 0;
      m.fe.epoch[f] = m.node.epoch[f];
      m.fe.state[f] = INITIALISING;
    },
    'forget what is in it': (m, op) => {
      zeroRing(m, op.agent);
      m.fe.tainted[op.agent] = 0;
      m.fe.reqProdPvt[op.agent] = 0;
      m.fe.rspCons[op.agent] = 0;
    },
    'end access to its page': (m, op) => dropRingPage(m, op.agent),
  },
});

function dropRingPage(m: Block, f: number): void {
  if (m.fe.ringPage[f] !== NONE) endAccess(m, m.page.at(f, m.fe.ringPage[f]));
  m.fe.ringPage[f] = NONE;
}

/** Tries again to end a grant that was in use: deferred freeing. */
export const reclaim = operation('front.reclaim', {
  agent: frontend,
  says: 'takes {page} back, which was still mapped',
  source: 'Linux drivers/xen/grant-table.c, gnttab_handle_deferred',
  input: { page },
  where: {
    page: (m, op) => {
      const row = m.page.at(op.agent, op.page);
      return m.page.use[row] === KEPT_BACK && m.page.readers[row] === 0;
    },
  },
  touches: (m, op, may) => may.write(m.page, m.page.at(op.agent, op.page)),
  errors,
  steps: {
    'end access': (m, op) => (endAccess(m, m.page.at(op.agent, op.page)) ? OK : EBUSY),
  },
});

/** Closes the device, while nothing is outstanding. */
export const close = operation('front.close', {
  agent: frontend,
  says: 'closes the device',
  source: 'xen/include/public/io/xenbus.h, XenbusStateClosing',
  where: {
    agent: (m, op) => {
      if (m.fe.state[op.agent] !== CONNECTED || m.fe.hostile[op.agent] !== HONEST) return false;
      for (let r = 0; r < m.size(request); r++)
        if (m.client.state[m.client.at(op.agent, r)] === OUTSTANDING) return false;
      return true;
    },
  },
  touches: (m, op, may) => may.write(m.fe, op.agent),
  steps: { 'announce it': (m, op) => giveUp(m, op.agent) },
});

/** The backend has closed (or is gone): fails what is outstanding, ends all grants, and is Closed. */
export const closed = operation('front.closed', {
  agent: frontend,
  says: 'has closed the device and fails what is outstanding',
  source: 'Linux drivers/block/xen-blkfront.c, blkback_changed, blkfront_closing',
  where: {
    agent: (m, op) =>
      m.fe.state[op.agent] === CLOSING &&
      m.fe.hostile[op.agent] === HONEST &&
      (m.node.back[op.agent] === CLOSED || m.node.epoch[op.agent] !== m.fe.epoch[op.agent]),
  },
  touches: (m, op, may) => {
    touchFront(m, may, op.agent);
    for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(op.agent, p));
    for (let r = 0; r < m.size(request); r++) may.write(m.client, m.client.at(op.agent, r));
  },
  steps: {
    'fail what is outstanding': (m, op) => {
      const f = op.agent;
      for (let s = 0; s < ringSize(m); s++) {
        const entry = m.shadow.at(f, s);
        if (m.shadow.request[entry] !== NONE) finish(m, f, m.shadow.request[entry], FAILED, true);
        m.shadow.request[entry] = NONE;
        m.shadow.epoch[entry] = 0;
        m.shadow.first[entry] = 0;
      }
    },
    'end access to the buffers': (m, op) => endAccessTo(m, op.agent),
    'end access to the ring': (m, op) => {
      const f = op.agent;
      dropRingPage(m, f);
      zeroRing(m, f);
      m.fe.tainted[f] = 0;
      m.fe.reqProdPvt[f] = 0;
      m.fe.rspCons[f] = 0;
      m.fe.recovering[f] = 0;
      m.fe.state[f] = CLOSED;
    },
  },
});

export const frontLifeOperations = [initialise, replay, connect, suspend, reclaim, close, closed];
