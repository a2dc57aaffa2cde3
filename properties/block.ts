/** What a block backend and its neighbours must keep at every request: the disk, the mappings, the indices, the shares. */
import { segment, segmentInPage, segmentLength } from '../model/blockFormats.js';
import {
  ANSWER,
  type Block,
  CHECKED,
  DYING,
  deviceOf,
  deviceOfBackend,
  HONEST,
  lives,
  MAPPED,
  mask,
  NOTHING,
  page,
  pending,
  request,
  ringSize,
  SERVED,
  sectorWithin,
} from '../model/blockState.js';
import { entriesOf, quotaOf } from '../model/blockTake.js';
import { NONE } from '../model/kernel/index.js';
import { ahead } from '../model/ring.js';
import { usesRing } from '../model/xenbus.js';
import { anyPage } from './blockRecovery.js';
import { invariant, noninterference } from './property.js';

export * from './blockRecovery.js';

/** X-S8, seen at the disk and at the pages, not at what the backend believes that it checked. */
export const insideExtent = invariant<Block>('I8', 'source', {
  states:
    'no sector is written or read for a frontend but those of its own extent, and none is written where it may only be read',
  holds: (m) => {
    for (let s = 0; s < m.disk.rows; s++) {
      const f = m.disk.writer[s];
      if (f !== NONE && (!sectorWithin(m, f, s) || m.vbd.readOnly[f] === 1)) return false;
    }
    const pages = m.size(page);
    for (let f = 0; f < m.fe.rows; f++) {
      let from = 0;
      for (let p = 0; p < pages; p++) from |= m.page.from[f * pages + p];
      for (let s = 0; s < m.disk.rows; s++) if ((from >> s) & 1 && !sectorWithin(m, f, s)) return false;
    }
    return true;
  },
  witnesses: {
    'a sector was read': (m) => m.page.from.some((from) => from !== 0),
    'a request that writes was performed': (m) =>
      m.pool.stage.some((stage, row) => stage === SERVED && m.pool.op[row] === 1),
  },
});

/** I5 and I7: what the backend works on is what it has checked. */
export const checkedIsUsed = invariant<Block>('I5', 'once', {
  states: 'what a backend works on satisfies every check that it has passed',
  holds: (m) => {
    const segments = m.size(segment);
    for (let row = 0; row < m.pool.rows; row++) {
      const stage = m.pool.stage[row];
      if (stage < CHECKED || stage >= ANSWER) continue;
      const f = m.pool.frontend[row];
      if (m.pool.op[row] > 1 || m.pool.segments[row] === 0 || m.pool.segments[row] > segments) return false;
      if (m.pool.op[row] === 1 && m.vbd.readOnly[f] === 1) return false;
      let sectors = 0;
      for (let s = 0; s < m.pool.segments[row]; s++) {
        const part = row * segments + s;
        if (!segmentInPage(m.part.first[part], m.part.last[part])) return false;
        if (stage >= MAPPED && m.part.mapped[part] === 0) return false;
        sectors += segmentLength(m.part.first[part], m.part.last[part]);
      }
      if (m.pool.sector[row] + sectors > m.vbd.size[f]) return false;
    }
    return true;
  },
  witnesses: { 'a request has been mapped': (m) => m.pool.stage.includes(MAPPED) },
});

/** I2, for mappings: rings of live channels and pages of requests in work, and nothing else. */
export const mappingsCounted = invariant<Block>('I2', 'count', {
  states: 'a working backend has exactly the ring pages of its channels and the pages of its mapped requests mapped',
  holds: (m) => {
    const pages = m.size(page);
    const entries = m.size(pending);
    const segments = m.size(segment);
    for (let b = 0; b < m.be.rows; b++) {
      if (!lives(m, b) || m.be.hostile[b] === 1) continue;
      for (let f = 0; f < m.fe.rows; f++) {
        let wanted = m.chan.ring[m.chan.at(b, f)] === NONE ? 0 : 1 << m.chan.ring[m.chan.at(b, f)];
        for (let e = 0; e < entries; e++) {
          const row = b * entries + e;
          if (m.pool.frontend[row] !== f) continue;
          for (let s = 0; s < segments; s++) {
            if (m.part.mapped[row * segments + s] === 1) wanted |= 1 << m.part.gref[row * segments + s];
          }
        }
        for (let p = 0; p < pages; p++) {
          if (((m.page.readers[f * pages + p] >> b) & 1) !== ((wanted >> p) & 1)) return false;
        }
      }
    }
    return true;
  },
  witnesses: { 'a page is mapped': (m) => m.page.readers.some((r) => r !== 0) },
});

/** GT3 and the mode of mappings: a disk write only reads memory. */
export const mappedAsNeeded = invariant<Block>('I7', 'total', {
  states: 'a page is mapped writable only where its grant allows that',
  holds: (m) => {
    for (let row = 0; row < m.page.rows; row++) {
      if (m.page.writers[row] !== 0 && m.page.access[row] === 1) return false;
      if ((m.page.writers[row] & ~m.page.readers[row]) !== 0) return false;
    }
    return true;
  },
  witnesses: {
    'a page is mapped read-only': (m) => anyPage(m, (row) => m.page.readers[row] !== 0 && m.page.writers[row] === 0),
    'a page is mapped writable': (m) => m.page.writers.some((w) => w !== 0),
  },
});

/** RG4 and X-S6 at the private indices; and as many outstanding requests as the ring says. */
export const privateOrder = invariant<Block>('RG4', 'order', {
  states: 'private indices are in order, and the frontend has as many requests outstanding as lie between its indices',
  holds: (m) => {
    const size = ringSize(m);
    for (let c = 0; c < m.chan.rows; c++)
      if (ahead(m.chan.reqCons[c], m.chan.rspProdPvt[c], mask(m)) > size) return false;
    for (let f = 0; f < m.fe.rows; f++) {
      if (m.fe.hostile[f] !== HONEST) continue;
      let outstanding = 0;
      for (let s = 0; s < size; s++) {
        const entry = m.shadow.at(f, s);
        if (m.shadow.request[entry] !== NONE && m.shadow.epoch[entry] === m.fe.epoch[f]) outstanding++;
      }
      if (usesRing(m.fe.state[f]) && ahead(m.fe.reqProdPvt[f], m.fe.rspCons[f], mask(m)) !== outstanding) return false;
    }
    return true;
  },
  witnesses: { 'a request lies in the ring': (m) => m.sring.reqProd[0] !== m.fe.rspCons[0] },
});

/** I12: what is in work is bounded by the ring, whatever the indices say. */
export const workBounded = invariant<Block>('I12', 'end', {
  states: 'a backend has no more requests of a frontend in work than its ring has slots',
  holds: (m) => {
    for (let b = 0; b < m.be.rows; b++) {
      for (let f = 0; f < m.fe.rows; f++) if (entriesOf(m, b, f) > ringSize(m)) return false;
    }
    return true;
  },
  witnesses: { 'a request is in work': (m) => m.pool.stage.some((s) => s !== NOTHING) },
});

/** I14: the pool is shared. */
export const poolShared = invariant<Block>('I14', 'fair', {
  states: "no frontend takes up a backend's whole pool",
  holds: (m) => {
    for (let b = 0; b < m.be.rows; b++) {
      for (let f = 0; f < m.fe.rows; f++) if (entriesOf(m, b, f) > quotaOf(m, b)) return false;
    }
    return true;
  },
  witnesses: { 'a frontend has its whole share': (m) => entriesOf(m, 0, 0) === quotaOf(m, 0) },
});

/** What the last frontend can see: its own state, its client, its pages, its ring. */
export function viewOfLast(m: Block, out: Int32Array): number {
  const f = m.fe.rows - 1;
  let n = 0;
  out[n++] = m.fe.state[f];
  out[n++] = m.fe.epoch[f];
  out[n++] = m.node.back[f];
  out[n++] = m.node.epoch[f];
  out[n++] = m.sring.rspProd[f];
  out[n++] = m.sring.reqEvent[f];
  for (let r = 0; r < m.size(request); r++) out[n++] = m.client.state[m.client.at(f, r)];
  for (let p = 0; p < m.size(page); p++) out[n++] = m.page.secret[m.page.at(f, p)] | (m.page.use[m.page.at(f, p)] << 8);
  return n;
}

/** X-L2: of another device's backend. */
export const independentOfCrash = noninterference<Block>('X-L2', 'crash', {
  states: 'a frontend does not notice that the backend of another device crashes',
  view: viewOfLast,
  purge: (m, operation, agent) =>
    operation === 'backend.crash' && deviceOfBackend(agent) !== deviceOf(m, m.fe.rows - 1),
  witnesses: { 'a backend is dead': (m) => m.be.life[0] === DYING },
});

/** Secrets of another frontend's disk and pages. */
export const independentOfSecrets = noninterference<Block>('I11', 'bytes', {
  states: 'what a frontend sees does not depend on what is on the extent or in the pages of another',
  view: viewOfLast,
  vary: (m) => {
    for (let s = 0; s < m.vbd.size[0]; s++) m.disk.secret[m.vbd.start[0] + s] = 1;
    for (let p = 0; p < m.size(page); p++) m.page.secret[p] = 1;
  },
  witnesses: { 'the other frontend has read a sector': (m) => m.page.from[0] !== 0 },
});
