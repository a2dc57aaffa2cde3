/**
 * Hostile peers of a split driver: they write anything into the ring (F5) or change it between two reads (F6), forge events (F7), and map
 * what they can and keep it (F12). What they leave in the ring is chosen as it is read.
 */
import {
  type Block,
  backend,
  CHANGING,
  clearPending,
  connectedBackend,
  frontend,
  HONEST,
  IDLE,
  LENT,
  MALFORMED,
  mapPage,
  page,
  pending,
  READ_ONLY,
  READ_WRITE,
  RUNNING,
  request,
  ringSize,
  serves,
  zeroRing,
} from '../model/blockState.js';
import { type Footprint, flag, module, NONE, operationOn } from '../model/kernel/index.js';
import { replaceable, touchBackend } from './block.js';

const operation = operationOn<Block>();

/** One frontend is hostile at a time. */
function allHonest(m: Block): boolean {
  for (let f = 0; f < m.fe.rows; f++) if (m.fe.hostile[f] !== HONEST) return false;
  return true;
}

function touchFrontend(m: Block, may: Footprint, f: number): void {
  may.write(m.fe, f);
  may.write(m.sring, f);
  for (let s = 0; s < ringSize(m); s++) {
    may.write(m.slot, m.slot.at(f, s));
    may.write(m.shadow, m.shadow.at(f, s));
  }
  for (let r = 0; r < m.size(request); r++) {
    may.write(m.client, m.client.at(f, r));
    may.write(m.page, m.page.at(f, r));
  }
}

/** Its own state matters to nobody any more: forget it, so that fewer states differ. Its buffers it grants as it likes. */
function becomeHostile(m: Block, f: number, how: number, access: number): void {
  m.fe.hostile[f] = how;
  m.fe.awake[f] = 0;
  m.fe.event[f] = 0;
  m.fe.reqProdPvt[f] = 0;
  m.fe.rspCons[f] = 0;
  zeroRing(m, f);
  for (let s = 0; s < ringSize(m); s++) {
    const entry = m.shadow.at(f, s);
    m.shadow.request[entry] = NONE;
    m.shadow.epoch[entry] = 0;
    m.shadow.first[entry] = 0;
  }
  for (let r = 0; r < m.size(request); r++) {
    m.client.state[m.client.at(f, r)] = IDLE;
    m.client.served[m.client.at(f, r)] = 0;
    const row = m.page.at(f, r);
    if (m.page.readers[row] !== 0) continue;
    m.page.use[row] = LENT;
    m.page.access[row] = access;
  }
}

/** F5: a frontend's indices and requests are anything. */
export const frontendMalforms = operation('frontend.malforms', {
  agent: frontend,
  says: 'turns hostile: its indices and requests hold anything',
  fault: 'F5',
  atomic: true,
  where: { agent: allHonest },
  touches: (m, op, may) => touchFrontend(m, may, op.agent),
  steps: {
    'stop being honest': (m, op) => {
      const writable = m.choose(flag, 'grants its buffers writable') === 1;
      becomeHostile(m, op.agent, MALFORMED, writable ? READ_WRITE : READ_ONLY);
    },
  },
});

/** F6: and they are something else at the next read. */
export const frontendRewrites = operation('frontend.rewrites', {
  agent: frontend,
  says: 'turns hostile: its requests change between two reads',
  fault: 'F6',
  atomic: true,
  where: { agent: allHonest },
  touches: (m, op, may) => touchFrontend(m, may, op.agent),
  steps: { 'stop being honest': (m, op) => becomeHostile(m, op.agent, CHANGING, READ_WRITE) },
});

/** F7: a hostile frontend sends its backend an event for nothing. */
export const forgeKick = operation('frontend.forgesEvent', {
  agent: frontend,
  says: 'sends {to} an event for nothing',
  fault: 'F7',
  input: { to: backend },
  atomic: true,
  where: {
    agent: (m, op) => m.fe.hostile[op.agent] !== HONEST,
    to: (m, op) => {
      const c = m.chan.at(op.to, op.agent);
      // While its handler runs, one more event changes nothing: it looks anyway.
      return m.chan.ring[c] !== NONE && m.chan.awake[c] === 0 && m.chan.event[c] === 0 && m.be.hostile[op.to] === 0;
    },
  },
  touches: (m, op, may) => may.write(m.chan, m.chan.at(op.to, op.agent)),
  steps: {
    'set it pending': (m, op) => {
      m.chan.event[m.chan.at(op.to, op.agent)] = 1;
    },
  },
});

/** F5: a backend's indices, ids and statuses are anything; it no longer unmaps what it has. */
export const backendMalforms = operation('backend.malforms', {
  agent: backend,
  says: 'turns hostile: its indices and responses hold anything',
  fault: 'F5',
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 0 && replaceable(m, op.agent),
  },
  touches: (m, op, may) => touchBackend(m, may, op.agent),
  steps: {
    // Its private state matters to nobody any more: forget it, so that fewer states differ.
    'stop being honest': (m, op) => {
      const b = op.agent;
      m.be.hostile[b] = 1;
      for (let e = 0; e < m.size(pending); e++) clearPending(m, m.pool.at(b, e));
      for (let f = 0; f < m.fe.rows; f++) {
        const c = m.chan.at(b, f);
        if (m.chan.ring[c] === NONE) continue;
        m.chan.awake[c] = 0;
        m.chan.event[c] = 0;
        m.chan.reqCons[c] = 0;
        m.chan.rspProdPvt[c] = 0;
        if (connectedBackend(m, f) !== b) continue;
        m.fe.tainted[f] = 1;
        zeroRing(m, f);
      }
    },
  },
});

/** F12: a hostile backend maps whatever is granted, and keeps it. */
export const holdMapping = operation('backend.holdsMapping', {
  agent: backend,
  says: 'maps {page} of {frontend} and keeps it',
  fault: 'F12',
  input: { frontend, page },
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 1,
    page: (m, op) => {
      const row = m.page.at(op.frontend, op.page);
      return (
        serves(m, op.agent, op.frontend) && m.page.access[row] > 0 && ((m.page.readers[row] >> op.agent) & 1) === 0
      );
    },
  },
  touches: (m, op, may) => may.write(m.page, m.page.at(op.frontend, op.page)),
  steps: {
    'map it': (m, op) => {
      mapPage(m, op.agent, op.frontend, op.page, false);
    },
  },
});

/** F7: a hostile backend sends its frontend an event for nothing. */
export const forgeInterrupt = operation('backend.forgesEvent', {
  agent: backend,
  says: 'sends {frontend} an event for nothing',
  fault: 'F7',
  input: { frontend },
  atomic: true,
  where: {
    agent: (m, op) => m.be.life[op.agent] === RUNNING && m.be.hostile[op.agent] === 1,
    frontend: (m, op) => m.chan.ring[m.chan.at(op.agent, op.frontend)] !== NONE && m.fe.event[op.frontend] === 0,
  },
  touches: (m, op, may) => may.write(m.fe, op.frontend),
  steps: {
    'set it pending': (m, op) => {
      m.fe.event[op.frontend] = 1;
    },
  },
});

/** Hostile frontends. */
export const hostileFrontends = module<Block, Record<never, never>>('hostile frontends', {
  tables: {},
  operations: [frontendMalforms, frontendRewrites, forgeKick],
});

/** A hostile frontend among others: what it writes is anything, and changes. */
export const hostileNeighbour = module<Block, Record<never, never>>('hostile neighbour', {
  tables: {},
  operations: [frontendRewrites, forgeKick],
});

/** Hostile backends; the manager destroys and replaces them. */
export const hostileBackends = module<Block, Record<never, never>>('hostile backends', {
  tables: {},
  operations: [backendMalforms, holdMapping, forgeInterrupt],
});
