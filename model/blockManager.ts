/**
 * What goes on around the ring: the backend's side of the xenbus handshake, the device manager that destroys and restarts backends, and
 * the VMM that takes a dead backend's mappings back.
 * Sources: Linux `drivers/block/xen-blkback/xenbus.c`; Xen 2.0 Xend and blkfront (recovery); TR-596 of 2004 (fault recovery).
 */

import { segment } from './blockFormats.js';
import { channelFailure, storeFailure } from './blockFrontLife.js';
import {
  ABSENT,
  type Block,
  backend,
  clearPending,
  DYING,
  deviceOfBackend,
  ENOMEM,
  epoch,
  errors,
  frontend,
  HUNG,
  lives,
  mapPage,
  page,
  pending,
  RUNNING,
  serves,
  unmapPage,
} from './blockState.js';
import { AGAIN, type Footprint, failure, NONE, OK, operationOn } from './kernel/index.js';
import { CLOSED, CLOSING, CONNECTED, INIT_WAIT, INITIALISING, usesRing } from './xenbus.js';

const operation = operationOn<Block>();

/** The ring of a frontend, in the backend. */
export const ringMapFailure = failure('map the ring');
/** Memory for a new backend. */
export const domainFailure = failure('create a domain');

function touchBackend(m: Block, may: Footprint, b: number): void {
  may.write(m.be, b);
  for (let f = 0; f < m.fe.rows; f++) may.write(m.chan, m.chan.at(b, f));
  for (let e = 0; e < m.size(pending); e++) {
    may.write(m.pool, m.pool.at(b, e));
    for (let s = 0; s < m.size(segment); s++) may.write(m.part, m.part.at(b, e, s));
  }
}

/** Whether the backend's node is still of the present epoch, and the backend works. */
function mayServe(m: Block, b: number, f: number): boolean {
  return m.be.life[b] === RUNNING && serves(m, b, f);
}

/** The backend publishes its features. */
export const announce = operation('back.announce', {
  agent: backend,
  says: 'announces itself to {frontend}',
  source: 'Linux drivers/block/xen-blkback/xenbus.c, xen_blkbk_probe',
  input: { frontend },
  where: {
    frontend: (m, op) => mayServe(m, op.agent, op.frontend) && m.node.back[op.frontend] === INITIALISING,
  },
  touches: (m, op, may) => may.write(m.node, op.frontend),
  steps: {
    InitWait: (m, op) => {
      m.node.back[op.frontend] = INIT_WAIT;
    },
  },
});

/** The backend sees the frontend Initialised: maps its ring and is Connected. */
export const attach = operation('back.connect', {
  agent: backend,
  says: "maps {frontend}'s ring and connects",
  source: 'Linux drivers/block/xen-blkback/xenbus.c, frontend_changed, xen_blkif_map, connect',
  input: { frontend },
  locals: ['c'],
  where: {
    agent: (m, op) => m.be.hostile[op.agent] === 0,
    frontend: (m, op) =>
      mayServe(m, op.agent, op.frontend) &&
      (m.node.back[op.frontend] === INITIALISING || m.node.back[op.frontend] === INIT_WAIT) &&
      m.fe.epoch[op.frontend] === m.node.epoch[op.frontend] &&
      usesRing(m.fe.state[op.frontend]),
  },
  touches: (m, op, may) => {
    may.write(m.node, op.frontend);
    may.write(m.chan, m.chan.at(op.agent, op.frontend));
    if (m.fe.ringPage[op.frontend] !== NONE) may.write(m.page, m.page.at(op.frontend, m.fe.ringPage[op.frontend]));
  },
  errors,
  steps: {
    'map the ring': (m, op) => {
      op.c = m.chan.at(op.agent, op.frontend);
      if (m.fe.ringPage[op.frontend] === NONE) return AGAIN;
      if (m.fails(ringMapFailure)) return ENOMEM;
      if (!mapPage(m, op.agent, op.frontend, m.fe.ringPage[op.frontend], true)) return AGAIN;
      m.chan.ring[op.c] = m.fe.ringPage[op.frontend];
      return OK;
    },
    'bind the event channel': (m) => (m.fails(channelFailure) ? ENOMEM : OK),
    'write to xenstore': (m) => (m.fails(storeFailure) ? ENOMEM : OK),
    'set the private indices': (m, op) => {
      m.chan.rspProdPvt[op.c] = m.sring.rspProd[op.frontend];
      m.chan.reqCons[op.c] = m.sring.rspProd[op.frontend];
      m.chan.awake[op.c] = 1;
    },
    Connected: (m, op) => {
      m.node.back[op.frontend] = CONNECTED;
    },
  },
  undo: {
    'map the ring': (m, op) => {
      m.chan.ring[op.c] = NONE;
      unmapPage(m, op.agent, op.frontend, m.fe.ringPage[op.frontend]);
    },
  },
});

/** The frontend closes: when no request of it is in work any more, the backend unmaps its ring; once, and forgets that it had one. */
export const detach = operation('back.disconnect', {
  agent: backend,
  says: 'disconnects from {frontend}',
  source: 'Linux drivers/block/xen-blkback/xenbus.c, xen_blkif_disconnect',
  input: { frontend },
  locals: ['c'],
  where: {
    frontend: (m, op) =>
      mayServe(m, op.agent, op.frontend) &&
      m.node.epoch[op.frontend] === m.fe.epoch[op.frontend] &&
      m.fe.state[op.frontend] === CLOSING &&
      m.node.back[op.frontend] !== CLOSED,
  },
  touches: (m, op, may) => {
    touchBackend(m, may, op.agent);
    may.write(m.node, op.frontend);
    for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(op.frontend, p));
  },
  steps: {
    'drop its requests': (m, op) => {
      for (let e = 0; e < m.size(pending); e++) {
        const row = m.pool.at(op.agent, e);
        if (m.pool.frontend[row] === op.frontend) clearPending(m, row);
      }
    },
    'unmap the ring and what was mapped': (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      m.chan.ring[c] = NONE;
      m.chan.awake[c] = 0;
      m.chan.event[c] = 0;
      m.chan.reqCons[c] = 0;
      m.chan.rspProdPvt[c] = 0;
      for (let p = 0; p < m.size(page); p++) unmapPage(m, op.agent, op.frontend, p);
    },
    Closed: (m, op) => {
      m.node.back[op.frontend] = CLOSED;
    },
  },
});

/** A backend dies: its threads and its private state are gone, its mappings are the VMM's to take back. */
export function kill(m: Block, b: number): void {
  m.be.life[b] = DYING;
  m.be.hostile[b] = 0;
  m.killThreads(b);
  for (let e = 0; e < m.size(pending); e++) clearPending(m, m.pool.at(b, e));
  for (let f = 0; f < m.fe.rows; f++) {
    const c = m.chan.at(b, f);
    m.chan.ring[c] = NONE;
    m.chan.awake[c] = 0;
    m.chan.event[c] = 0;
    m.chan.reqCons[c] = 0;
    m.chan.rspProdPvt[c] = 0;
  }
}

/** The manager destroys a backend that it suspects to hang; it may be wrong, so it destroys before it restarts. */
export const destroy = operation('manager.destroy', {
  agent: 'manager',
  says: 'suspects {target} to hang and destroys it',
  source: 'TR-596, fault recovery: detection by time-out',
  input: { target: backend },
  where: {
    target: (m, op) =>
      m.be.life[op.target] === HUNG || (m.be.life[op.target] === RUNNING && m.be.hostile[op.target] === 1),
  },
  touches: (m, op, may) => touchBackend(m, may, op.target),
  steps: { 'destroy its domain': (m, op) => kill(m, op.target) },
});

/** The VMM takes one mapping of a dead backend back, its translations flushed. */
export const takeBack = operation('vmm.takeBack', {
  agent: 'vmm',
  says: 'takes {page} of {frontend} back from {dead}',
  source: 'xen/common/grant_table.c, gnttab_release_mappings',
  input: { dead: backend, frontend, page },
  where: {
    dead: (m, op) => m.be.life[op.dead] === DYING,
    page: (m, op) => ((m.page.readers[m.page.at(op.frontend, op.page)] >> op.dead) & 1) === 1,
  },
  touches: (m, op, may) => may.write(m.page, m.page.at(op.frontend, op.page)),
  atomic: true,
  steps: { 'unmap it': (m, op) => unmapPage(m, op.dead, op.frontend, op.page) },
});

/** Nothing of the dead backend is left: its place is free. */
export const bury = operation('vmm.bury', {
  agent: 'vmm',
  says: 'has taken everything back from {dead}',
  source: 'xen/common/domain.c, complete_domain_destroy',
  input: { dead: backend },
  where: { dead: (m, op) => m.be.life[op.dead] === DYING && holdsNothing(m, op.dead) },
  touches: (m, op, may) => may.write(m.be, op.dead),
  atomic: true,
  steps: {
    'free its place': (m, op) => {
      m.be.life[op.dead] = ABSENT;
    },
  },
});

/** Whether no page is mapped by the backend. */
export function holdsNothing(m: Block, b: number): boolean {
  for (let row = 0; row < m.page.rows; row++) if ((m.page.readers[row] >> b) & 1) return false;
  return true;
}

/** The manager starts a new backend, when no other one lives, and begins a new epoch. */
export const restart = operation('manager.restart', {
  agent: 'manager',
  says: 'starts {fresh}',
  source: 'TR-596, fault recovery; Xen 2.0 Xend',
  input: { fresh: backend },
  where: {
    fresh: (m, op) =>
      m.be.life[op.fresh] === ABSENT &&
      m.device.epoch[deviceOfBackend(op.fresh)] + 1 < m.size(epoch) &&
      !anyLives(m, deviceOfBackend(op.fresh)),
  },
  touches: (m, op, may) => {
    touchBackend(m, may, op.fresh);
    may.write(m.device, deviceOfBackend(op.fresh));
    for (let f = 0; f < m.fe.rows; f++) if (serves(m, op.fresh, f)) may.write(m.node, f);
  },
  errors,
  steps: {
    'start its domain': (m, op) => {
      if (m.fails(domainFailure)) return ENOMEM;
      m.be.life[op.fresh] = RUNNING;
      m.device.epoch[deviceOfBackend(op.fresh)]++;
      return OK;
    },
    'reset the nodes': (m, op) => {
      for (let f = 0; f < m.fe.rows; f++) {
        if (!serves(m, op.fresh, f)) continue;
        m.node.back[f] = INITIALISING;
        m.node.epoch[f] = m.device.epoch[deviceOfBackend(op.fresh)];
      }
    },
  },
});

/** Whether some backend owns the device. */
export function anyLives(m: Block, d: number): boolean {
  return lives(m, 2 * d) || lives(m, 2 * d + 1);
}

export const managerOperations = [announce, attach, detach, destroy, takeBack, bury, restart];
