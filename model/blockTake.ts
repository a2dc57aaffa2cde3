/**
 * How a request gets from the ring into the backend's pool: copied once, and checked in the copy. What is done with it then is in
 * blockBack.ts.
 * Sources: Linux `drivers/block/xen-blkback/blkback.c` (__do_block_io_op, dispatch_rw_block_io); Xen 2.0 `blkback/vbd.c` (vbd_translate).
 */
import {
  OP_READ,
  OP_WRITE,
  operationCode,
  RSP_EOPNOTSUPP,
  RSP_ERROR,
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
  deviceOfBackend,
  ENOMEM,
  errors,
  frontend,
  HONEST,
  mask,
  NOTHING,
  page,
  pending,
  RUNNING,
  ringSize,
} from './blockState.js';
import { blockedBy, DISABLED, type Footprint, failure, gate, NONE, OK, operationOn } from './kernel/index.js';
import { following, requestConsOverflow, requestProdOverflow, ringIndex, slotOf, unconsumedRequests } from './ring.js';

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
/** An entry of the pool, for the copy. */
export const entryFailure = failure('allocate an entry of the pool');

export const works = (m: Block, b: number): boolean => m.be.life[b] === RUNNING && m.be.hostile[b] === 0;

/** A free entry of the backend's pool, or NONE. */
export function freeEntry(m: Block, b: number): number {
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

export function touchEntry(m: Block, may: Footprint, b: number, e: number): void {
  may.write(m.pool, m.pool.at(b, e));
  for (let s = 0; s < m.size(segment); s++) may.write(m.part, m.part.at(b, e, s));
}

/** Rejects the request of an entry: it will be answered with an error, nothing of it is kept. */
export function reject(m: Block, row: number, status: number): void {
  m.pool.stage[row] = ANSWER;
  m.pool.status[row] = status;
  m.pool.op[row] = 0;
  m.pool.segments[row] = 0;
  m.pool.sector[row] = 0;
  for (let s = 0; s < m.size(segment); s++) clearPart(m, row * m.size(segment) + s);
}

/** Copies one request out of the ring, and checks the copy. What a hostile frontend wrote is chosen as it is read. */
export const take = operation('back.take', {
  agent: backend,
  path: 'submit',
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
    // Which entry it is to be is known only once the first steps are taken.
    for (let e = 0; e < m.size(pending); e++) touchEntry(m, may, op.agent, e);
  },
  onFailure: 'safe',
  errors,
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
      if (m.fails(entryFailure)) return ENOMEM;
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
