/**
 * The block backend, from a checked request on: maps what it names, does the disk access, unmaps, answers. How a request gets from the ring
 * into the pool is in blockTake.ts.
 * Source: Linux `drivers/block/xen-blkback/blkback.c` (xen_blkbk_map, end_block_io_op, make_response).
 */
import { OP_READ, OP_WRITE, RSP_ERROR, RSP_OKAY, SECTORS_PER_PAGE, sectorAfter, segment } from './blockFormats.js';
import {
  ANSWER,
  type Block,
  backend,
  CHECKED,
  clearPending,
  clearSlot,
  deviceOfBackend,
  ENOMEM,
  errors,
  frontend,
  HONEST,
  MAPPED,
  mapPage,
  mask,
  page,
  pending,
  ringSize,
  SERVED,
  SERVED_TWICE,
  unmapPage,
} from './blockState.js';
import { reject, take, touchEntry, works } from './blockTake.js';
import { type Footprint, failure, NONE, OK, operationOn } from './kernel/index.js';
import { eventThreshold, following, mustNotify, slotOf } from './ring.js';

const operation = operationOn<Block>();

/** A page of a request. */
export const mapFailure = failure('map a segment');
/** What the block layer needs for the disk access. */
export const accessFailure = failure('allocate a disk access');

function touchPages(m: Block, may: Footprint, f: number): void {
  if (f === NONE) return;
  for (let p = 0; p < m.size(page); p++) may.write(m.page, m.page.at(f, p));
}

/** The channel's event handler starts. */
export const wake = operation('back.wake', {
  agent: backend,
  path: 'notify',
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

/** Maps the pages of a checked request, for a disk write read-only; if one cannot be mapped, none stays mapped. */
export const map = operation('back.map', {
  agent: backend,
  path: 'submit',
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
  path: 'translate',
  says: 'does the disk access of its {pending}',
  source: 'Linux drivers/block/xen-blkback/blkback.c, dispatch_rw_block_io (submit_bio)',
  input: { pending },
  locals: ['at'],
  onFailure: 'safe',
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
  errors,
  steps: {
    'move the sectors': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (m.fails(accessFailure)) {
        // Its pages are mapped: it takes the way of all requests, and is answered with an error.
        m.pool.stage[row] = SERVED;
        m.pool.status[row] = RSP_ERROR;
        return ENOMEM;
      }
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
      return OK;
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
  path: 'complete',
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
    'forget the request': (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      reject(m, row, m.pool.status[row]);
    },
  },
});

/** Writes the response and pushes it. */
export const respond = operation('back.respond', {
  agent: backend,
  path: 'complete',
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
  path: 'notify',
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
