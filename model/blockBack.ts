/**
 * The block backend: copies a request out of the ring, checks the copy, maps what it names, does the disk access, unmaps, answers.
 * Sources: Linux `drivers/block/xen-blkback/blkback.c` (__do_block_io_op, dispatch_rw_block_io, xen_blkbk_map, end_block_io_op),
 * Xen 2.0 `blkback/vbd.c` (vbd_translate) for the extents.
 */
import {
  OP_READ,
  OP_WRITE,
  operationCode,
  RSP_EOPNOTSUPP,
  RSP_ERROR,
  RSP_OKAY,
  SECTORS_PER_PAGE,
  sector,
  sectorAfter,
  sectorInPage,
  segment,
  segmentCount,
  segmentInPage,
  segmentLength,
} from './blockFormats.js';
import { overflowTest } from './blockFront.js';
import {
  ANSWER,
  type Block,
  backend,
  CHECKED,
  clearPart,
  clearPending,
  clearSlot,
  deviceOfBackend,
  frontend,
  HONEST,
  MAPPED,
  mapPage,
  mask,
  NOTHING,
  page,
  pending,
  RUNNING,
  ringSize,
  SERVED,
  SERVED_TWICE,
  unmapPage,
} from './blockState.js';
import { blockedBy, DISABLED, type Footprint, failure, gate, NONE, OK, operationOn } from './kernel/index.js';
import {
  eventThreshold,
  following,
  mustNotify,
  requestConsOverflow,
  requestProdOverflow,
  ringIndex,
  slotOf,
  unconsumedRequests,
} from './ring.js';

const operation = operationOn<Block>();

/** Operation code and number of segments are ones that the backend knows. */
export const formatTest = gate('request format test');
/** Each segment lies in its page, and ends after it begins. */
export const segmentTest = gate('segment test');
/** All sectors lie in the frontend's extent, and the sum does not wrap. */
export const extentTest = gate('extent test');
/** The extent may be written. */
export const modeTest = gate('permission test');
/** A frontend has at most its share of the pool. */
export const poolQuota = gate('pool quota');
/** A grant is mapped for one request. */
export const mapFailure = failure('map a segment');

const works = (m: Block, b: number): boolean => m.be.life[b] === RUNNING && m.be.hostile[b] === 0;

/** A free entry of the backend's pool, or NONE. */
function freeEntry(m: Block, b: number): number {
  for (let e = 0; e < m.size(pending); e++) if (m.pool.stage[m.pool.at(b, e)] === NOTHING) return e;
  return NONE;
}

/** Entries of the pool that work for the frontend. */
export function entriesOf(m: Block, b: number, f: number): number {
  let n = 0;
  for (let e = 0; e < m.size(pending); e++) {
    const row = m.pool.at(b, e);
    if (m.pool.stage[row] !== NOTHING && m.pool.frontend[row] === f) n++;
  }
  return n;
}

/** The most entries that one frontend may have: one is left for each other frontend of the device. */
export function quotaOf(m: Block, b: number): number {
  const others = m.device.rows > 1 ? 0 : m.fe.rows - 1;
  return Math.max(1, m.size(pending) - others * (deviceOfBackend(b) === 0 ? 1 : 0));
}

function touchEntry(m: Block, may: Footprint, b: number, e: number): void {
  may.write(m.pool, m.pool.at(b, e));
  for (let s = 0; s < m.size(segment); s++) may.write(m.part, m.part.at(b, e, s));
}

function touchPages(m: Block, may: Footprint, f: number): void {
  if (f === NONE) return;
  for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(f, p));
}

/** Rejects the request of an entry: it will be answered with an error, nothing of it is kept. */
function reject(m: Block, row: number, status: number): void {
  m.pool.stage[row] = ANSWER;
  m.pool.status[row] = status;
  m.pool.op[row] = 0;
  m.pool.segments[row] = 0;
  m.pool.sector[row] = 0;
  for (let s = 0; s < m.size(segment); s++) clearPart(m, row * m.size(segment) + s);
}

/** The channel's event handler starts. */
export const wake = operation('back.wake', {
  agent: backend,
  says: 'wakes up for {frontend}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, xen_blkif_be_int',
  input: { frontend },
  where: {
    agent: (m, op) => works(m, op.agent),
    frontend: (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      return m.chan.event[c] === 1 && m.chan.awake[c] === 0 && m.chan.ring[c] !== NONE;
    },
  },
  touches: (m, op, may) => may.write(m.chan, m.chan.at(op.agent, op.frontend)),
  steps: {
    'acknowledge it': (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      m.chan.event[c] = 0;
      m.chan.awake[c] = 1;
    },
  },
});

/** Copies one request out of the ring, and checks the copy. What a hostile frontend wrote is chosen as it is read. */
export const take = operation('back.take', {
  agent: backend,
  says: 'takes a request of {frontend}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, __do_block_io_op, dispatch_rw_block_io; Xen 2.0 vbd_translate',
  input: { frontend },
  locals: ['row', 'at', 'hostile', 'sectors'],
  where: {
    agent: (m, op) => works(m, op.agent) && freeEntry(m, op.agent) !== NONE,
    frontend: (m, op) => m.chan.awake[m.chan.at(op.agent, op.frontend)] === 1,
  },
  touches: (m, op, may) => {
    may.write(m.chan, m.chan.at(op.agent, op.frontend));
    touchEntry(m, may, op.agent, freeEntry(m, op.agent));
  },
  onFailure: 'safe',
  steps: {
    'leave the others their share': (m, op) =>
      m.on(poolQuota) && entriesOf(m, op.agent, op.frontend) >= quotaOf(m, op.agent) ? DISABLED : OK,
    'read the producer index': (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      op.hostile = m.fe.hostile[op.frontend] === HONEST ? 0 : 1;
      const producer = op.hostile ? m.choose(ringIndex, 'req_prod') : m.sring.reqProd[op.frontend];
      const cons = m.chan.reqCons[c];
      const answered = m.chan.rspProdPvt[c];
      if (m.on(overflowTest)) {
        if (requestProdOverflow(producer, answered, ringSize(m), mask(m))) {
          m.chan.awake[c] = 0;
          return blockedBy(overflowTest);
        }
        if (requestConsOverflow(cons, answered, ringSize(m), mask(m))) return DISABLED;
        if (unconsumedRequests(producer, cons, answered, ringSize(m), mask(m)) === 0) return DISABLED;
      } else if (producer === cons) return DISABLED;
      op.at = m.slot.at(op.frontend, slotOf(cons, ringSize(m)));
      op.row = m.pool.at(op.agent, freeEntry(m, op.agent));
      m.chan.reqCons[c] = following(cons, mask(m));
      return OK;
    },
    'copy the operation': (m, op) => {
      m.pool.stage[op.row] = CHECKED;
      m.pool.frontend[op.row] = op.frontend;
      m.pool.id[op.row] = op.hostile ? 0 : m.slot.id[op.at];
      m.pool.op[op.row] = op.hostile ? m.choose(operationCode, 'operation') : m.slot.op[op.at];
      m.pool.segments[op.row] = op.hostile ? m.choose(segmentCount, 'nr_segments') : m.slot.segments[op.at];
    },
    'check the operation': (m, op) => {
      if (!m.on(formatTest)) return OK;
      const code = m.pool.op[op.row];
      const segments = m.pool.segments[op.row];
      if (code === OP_READ || code === OP_WRITE) {
        if (segments > 0 && segments <= m.size(segment)) return OK;
      }
      reject(m, op.row, code === OP_READ || code === OP_WRITE ? RSP_ERROR : RSP_EOPNOTSUPP);
      return blockedBy(formatTest);
    },
    'copy and check the segments': (m, op) => {
      const count = Math.min(m.pool.segments[op.row], m.size(segment));
      op.sectors = 0;
      for (let s = 0; s < count; s++) {
        const part = op.row * m.size(segment) + s;
        m.part.first[part] = op.hostile ? m.choose(sectorInPage, 'first_sect') : 0;
        m.part.last[part] = op.hostile ? m.choose(sectorInPage, 'last_sect') : 0;
        if (m.on(segmentTest) && !segmentInPage(m.part.first[part], m.part.last[part])) {
          reject(m, op.row, RSP_ERROR);
          return blockedBy(segmentTest);
        }
        op.sectors += segmentLength(m.part.first[part], m.part.last[part]);
      }
      return OK;
    },
    'check the extent': (m, op) => {
      const first = op.hostile ? m.choose(sector, 'sector') : m.slot.sector[op.at];
      m.pool.sector[op.row] = first;
      const after = sectorAfter(m, first, op.sectors);
      if (!m.on(extentTest) || (after >= first && after <= m.vbd.size[op.frontend])) return OK;
      reject(m, op.row, RSP_ERROR);
      return blockedBy(extentTest);
    },
    'check the permission': (m, op) => {
      if (!m.on(modeTest) || m.pool.op[op.row] === OP_READ || m.vbd.readOnly[op.frontend] === 0) return OK;
      reject(m, op.row, RSP_ERROR);
      return blockedBy(modeTest);
    },
    'copy the grants': (m, op) => {
      const count = Math.min(m.pool.segments[op.row], m.size(segment));
      for (let s = 0; s < count; s++) {
        const part = op.row * m.size(segment) + s;
        m.part.gref[part] = op.hostile ? m.choose(page, 'gref') : m.slot.gref[op.at];
      }
    },
  },
});

/** Maps the pages of a checked request, for a disk write read-only; if one cannot be mapped, none stays mapped. */
export const map = operation('back.map', {
  agent: backend,
  says: 'maps the pages of its {pending}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, xen_blkbk_map',
  input: { pending },
  locals: ['bad'],
  where: {
    agent: (m, op) => works(m, op.agent),
    pending: (m, op) => m.pool.stage[m.pool.at(op.agent, op.pending)] === CHECKED,
  },
  touches: (m, op, may) => {
    touchEntry(m, may, op.agent, op.pending);
    touchPages(m, may, m.pool.frontend[m.pool.at(op.agent, op.pending)]);
  },
  onFailure: 'safe',
  steps: {
    'map each segment': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      const count = Math.min(m.pool.segments[row], m.size(segment));
      for (let s = 0; s < count; s++) {
        const part = row * m.size(segment) + s;
        const write = m.pool.op[row] === OP_READ;
        if (m.fails(mapFailure) || !mapPage(m, op.agent, m.pool.frontend[row], m.part.gref[part], write)) op.bad = 1;
        else m.part.mapped[part] = 1;
      }
    },
    'unmap all if one failed': (m, op) => {
      if (op.bad === 0) return;
      const row = m.pool.at(op.agent, op.pending);
      unmapEntry(m, op.agent, row);
    },
    'go on or reject': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (op.bad === 0) m.pool.stage[row] = MAPPED;
      else reject(m, row, RSP_ERROR);
    },
  },
});

function unmapEntry(m: Block, b: number, row: number): void {
  for (let s = 0; s < m.size(segment); s++) {
    const part = row * m.size(segment) + s;
    if (m.part.mapped[part] === 0) continue;
    m.part.mapped[part] = 0;
    unmapPage(m, b, m.pool.frontend[row], m.part.gref[part]);
  }
}

/** The disk access: each sector of each segment. */
export const access = operation('back.access', {
  agent: backend,
  says: 'does the disk access of its {pending}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, dispatch_rw_block_io (submit_bio)',
  input: { pending },
  locals: ['at'],
  where: {
    agent: (m, op) => works(m, op.agent),
    pending: (m, op) => m.pool.stage[m.pool.at(op.agent, op.pending)] === MAPPED,
  },
  touches: (m, op, may) => {
    const f = m.pool.frontend[m.pool.at(op.agent, op.pending)];
    touchEntry(m, may, op.agent, op.pending);
    touchPages(m, may, f);
    for (let s = 0; s < m.disk.rows; s++) may.write(m.disk, s);
    if (f !== NONE) for (let r = 0; r < m.client.rows / m.fe.rows; r++) may.write(m.client, m.client.at(f, r));
  },
  steps: {
    'move the sectors': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      const f = m.pool.frontend[row];
      const count = Math.min(m.pool.segments[row], m.size(segment));
      op.at = sectorAfter(m, m.vbd.start[f], m.pool.sector[row]);
      for (let s = 0; s < count; s++) {
        const part = row * m.size(segment) + s;
        const p = m.page.at(f, m.part.gref[part]);
        for (let i = m.part.first[part]; i <= m.part.last[part] && i <= SECTORS_PER_PAGE; i++) {
          if (m.pool.op[row] === OP_WRITE) {
            m.disk.writer[op.at] = f;
            m.disk.secret[op.at] = m.page.secret[p];
          } else {
            m.page.from[p] |= 1 << op.at;
            m.page.secret[p] = m.disk.secret[op.at];
          }
          op.at = sectorAfter(m, op.at, 1);
        }
      }
    },
    'note the service': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      const f = m.pool.frontend[row];
      m.pool.stage[row] = SERVED;
      m.pool.status[row] = RSP_OKAY;
      const r = m.part.gref[row * m.size(segment)];
      if (m.fe.hostile[f] !== HONEST || r >= m.client.rows / m.fe.rows) return;
      const bit = 1 << m.device.epoch[deviceOfBackend(op.agent)];
      if (m.client.served[m.client.at(f, r)] & bit) m.client.wrongs[m.client.at(f, r)] |= SERVED_TWICE;
      m.client.served[m.client.at(f, r)] |= bit;
    },
  },
});

/** Gives the pages back before anybody hears of the response. */
export const unmap = operation('back.unmap', {
  agent: backend,
  says: 'unmaps the pages of its {pending}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, xen_blkbk_unmap_and_respond',
  input: { pending },
  where: {
    agent: (m, op) => works(m, op.agent),
    pending: (m, op) => m.pool.stage[m.pool.at(op.agent, op.pending)] === SERVED,
  },
  touches: (m, op, may) => {
    touchEntry(m, may, op.agent, op.pending);
    touchPages(m, may, m.pool.frontend[m.pool.at(op.agent, op.pending)]);
  },
  steps: {
    'unmap each segment': (m, op) => unmapEntry(m, op.agent, m.pool.at(op.agent, op.pending)),
    'forget the request': (m, op) => reject(m, m.pool.at(op.agent, op.pending), RSP_OKAY),
  },
});

/** Writes the response and pushes it. */
export const respond = operation('back.respond', {
  agent: backend,
  says: 'answers its {pending}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, make_response',
  input: { pending },
  locals: ['f', 'c', 'old'],
  where: {
    agent: (m, op) => works(m, op.agent),
    pending: (m, op) => m.pool.stage[m.pool.at(op.agent, op.pending)] === ANSWER,
  },
  touches: (m, op, may) => {
    const f = m.pool.frontend[m.pool.at(op.agent, op.pending)];
    touchEntry(m, may, op.agent, op.pending);
    if (f === NONE) return;
    may.write(m.chan, m.chan.at(op.agent, f));
    may.write(m.sring, f);
    may.write(m.fe, f);
    may.write(m.slot, m.slot.at(f, slotOf(m.chan.rspProdPvt[m.chan.at(op.agent, f)], ringSize(m))));
  },
  steps: {
    'write the response': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      op.f = m.pool.frontend[row];
      op.c = m.chan.at(op.agent, op.f);
      // The frontend's page is a new one when it has dropped the ring: what is written into the old one, nobody reads.
      if (m.fe.hostile[op.f] !== HONEST || m.chan.ring[op.c] !== m.fe.ringPage[op.f]) return;
      const slot = m.slot.at(op.f, slotOf(m.chan.rspProdPvt[op.c], ringSize(m)));
      clearSlot(m, slot);
      m.slot.holds[slot] = 2;
      m.slot.id[slot] = m.pool.id[row];
      m.slot.status[slot] = m.pool.status[row];
    },
    push: (m, op) => {
      m.chan.rspProdPvt[op.c] = following(m.chan.rspProdPvt[op.c], mask(m));
      clearPending(m, m.pool.at(op.agent, op.pending));
      if (m.fe.hostile[op.f] !== HONEST || m.chan.ring[op.c] !== m.fe.ringPage[op.f]) return;
      op.old = m.sring.rspProd[op.f];
      m.sring.rspProd[op.f] = m.chan.rspProdPvt[op.c];
      if (mustNotify(m.chan.rspProdPvt[op.c], op.old, m.sring.rspEvent[op.f], mask(m))) m.fe.event[op.f] = 1;
    },
  },
});

/** RING_FINAL_CHECK_FOR_REQUESTS; ring.ts has its interleavings, here it is one step. */
export const backFinalCheck = operation('back.finalCheck', {
  agent: backend,
  says: 'looks a last time for requests of {frontend}',
  source: 'xen/include/public/io/ring.h, RING_FINAL_CHECK_FOR_REQUESTS',
  input: { frontend },
  where: {
    agent: (m, op) => works(m, op.agent),
    frontend: (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      return (
        m.chan.awake[c] === 1 &&
        (m.fe.hostile[op.frontend] !== HONEST || m.sring.reqProd[op.frontend] === m.chan.reqCons[c])
      );
    },
  },
  touches: (m, op, may) => {
    may.write(m.chan, m.chan.at(op.agent, op.frontend));
    may.write(m.sring, op.frontend);
  },
  steps: {
    'set the threshold': (m, op) => {
      const c = m.chan.at(op.agent, op.frontend);
      if (m.fe.hostile[op.frontend] !== HONEST || m.chan.ring[c] !== m.fe.ringPage[op.frontend]) return;
      m.sring.reqEvent[op.frontend] = eventThreshold(m.chan.reqCons[c], mask(m));
    },
    sleep: (m, op) => {
      m.chan.awake[m.chan.at(op.agent, op.frontend)] = 0;
    },
  },
});

export const backOperations = [wake, take, map, access, unmap, respond, backFinalCheck];
