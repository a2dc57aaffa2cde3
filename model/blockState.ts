/**
 * State of the block split driver, and what all its parts ask of it. Sources: Xen `xen/include/public/io/blkif.h`, Linux
 * `drivers/block/xen-blkfront.c` and `drivers/block/xen-blkback/`, and the Xen 2.0 tree (architectures of 2004) for the recovery.
 *
 * A frontend belongs to one device. A device has two places for backends: one lives, the other may still be dying. Pages are granted by a
 * table of their own here (which backend reads or writes through a mapping), with the rule that a grant cannot be ended while it is mapped;
 * grants.ts has the whole protocol.
 */

import { sector, segment } from './blockFormats.js';
import { failure, gate, type Machine, NONE, oneOf, ref, type State, setOf, sort, table, u8 } from './kernel/index.js';
import { backIndexFields, frontIndexFields, indexMask, ringSlot, sharedRingFields } from './ring.js';
import { XENBUS_STATES } from './xenbus.js';

export const device = sort('device');
export const frontend = sort('frontend');
/** Places for backends: two a device. */
export const backend = sort('backend');
/** Lives of a device's service. */
export const epoch = sort('epoch');
/** What a frontend's client asks for: even ones read, odd ones write. */
export const request = sort('request');
/** Pages of a frontend: one for each request, then those for rings. */
export const page = sort('page');
/** Requests that a backend can have in work: its pool. */
export const pending = sort('pending');

export const ABSENT = 0;
export const RUNNING = 1;
export const HUNG = 2;
export const DYING = 3;

export const FREE = 0;
export const LENT = 1;
export const RING = 2;
/** Its grant could not be ended: it is not used again before that succeeds. */
export const KEPT_BACK = 3;

export const READ_ONLY = 1;
export const READ_WRITE = 2;

export const IDLE = 0;
export const OUTSTANDING = 1;
export const DONE_OK = 2;
export const FAILED = 3;

/** Stages of a request in a backend. */
export const NOTHING = 0;
export const CHECKED = 1;
export const MAPPED = 2;
export const SERVED = 3;
export const ANSWER = 4;

/** Honest; the half of the page holds anything; and anything else at the next read. */
export const HONEST = 0;
export const MALFORMED = 1;
export const CHANGING = 2;

export const SERVED_TWICE = 1;
export const NOT_SERVED = 2;
export const COMPLETED_TWICE = 4;

/** Errors of the ends' own operating systems. */
export const ENOMEM = -12;
export const EBUSY = -16;
export const errors = { ENOMEM, EBUSY };

/** A mapping gets at most the rights of the grant. */
export const rightsTest = gate('grant rights test');
/** Ending a grant can fail although nobody maps the page: the other side may be about to. */
export const endFailure = failure('end access to a page');

const requestFields = { id: u8(), op: oneOf('read', 'write', 'unsupported'), segments: u8(), sector: u8() };

export const blockTables = {
  device: table([device], { epoch: u8() }),
  /** The backend's node in xenstore; it survives the backend. */
  node: table([frontend], { back: oneOf(...XENBUS_STATES), epoch: u8() }),
  fe: table([frontend], {
    ...frontIndexFields,
    state: oneOf(...XENBUS_STATES),
    epoch: u8(),
    ringPage: ref(page),
    recovering: oneOf('no', 'yes'),
    awake: oneOf('no', 'yes'),
    event: oneOf('no', 'yes'),
    hostile: oneOf('no', 'malformed', 'changing'),
    /** A hostile backend has had its ring: what is in it can be anything. */
    tainted: oneOf('no', 'yes'),
  }),
  sring: table([frontend], sharedRingFields),
  /** A slot holds a request of one segment, or a response. */
  slot: table([frontend, ringSlot], {
    ...requestFields,
    holds: oneOf('nothing', 'request', 'response'),
    gref: ref(page),
    status: u8(),
  }),
  /** The frontend's private copy of what it has in the ring; the row is the first part of the id. */
  shadow: table([frontend, ringSlot], {
    request: ref(request),
    /** Epoch of the ring that it is in, and of the ring that it was first in. */
    epoch: u8(),
    first: u8(),
  }),
  client: table([frontend, request], {
    state: oneOf('idle', 'outstanding', 'done', 'failed'),
    /** Epochs in which a backend performed it. */
    served: setOf(epoch),
    /** What must not happen to it. */
    wrongs: u8({ bits: ['served twice in an epoch', 'completed without service', 'completed twice'] }),
  }),
  page: table([frontend, page], {
    use: oneOf('free', 'lent', 'ring', 'kept back'),
    access: oneOf('none', 'read-only', 'read-write'),
    readers: setOf(backend),
    writers: setOf(backend),
    /** Sectors that were read into it since somebody has it mapped. */
    from: setOf(sector),
    secret: u8(),
  }),
  be: table([backend], { life: oneOf('absent', 'running', 'hung', 'dying'), hostile: oneOf('no', 'yes') }),
  chan: table([backend, frontend], {
    ...backIndexFields,
    ring: ref(page),
    awake: oneOf('no', 'yes'),
    event: oneOf('no', 'yes'),
  }),
  pool: table([backend, pending], {
    ...requestFields,
    stage: oneOf('nothing', 'checked', 'mapped', 'served', 'to be answered'),
    frontend: ref(frontend),
    status: u8(),
  }),
  part: table([backend, pending, segment], { gref: ref(page), first: u8(), last: u8(), mapped: oneOf('no', 'yes') }),
  /** Who wrote each sector last. */
  disk: table([sector], { writer: ref(frontend), secret: u8() }),
  vbd: table([frontend], { start: u8(), size: u8(), readOnly: oneOf('no', 'yes') }),
};

export type Block = Machine & State<typeof blockTables>;

/** Device of a frontend: one each where there are several devices, otherwise the only one. */
export function deviceOf(m: Block, f: number): number {
  return m.device.rows > 1 ? f : 0;
}

/** Device of a backend's place. */
export function deviceOfBackend(b: number): number {
  return b >> 1;
}

/** Whether the backend serves the frontend. */
export function serves(m: Block, b: number, f: number): boolean {
  return deviceOfBackend(b) === deviceOf(m, f);
}

/** The backend whose ring is the frontend's present one, or NONE. */
export function connectedBackend(m: Block, f: number): number {
  if (m.fe.ringPage[f] === NONE) return NONE;
  for (let b = 0; b < m.be.rows; b++) if (m.chan.ring[m.chan.at(b, f)] === m.fe.ringPage[f]) return b;
  return NONE;
}

/** Whether a backend owns its device: a hung one does. */
export function lives(m: Block, b: number): boolean {
  return m.be.life[b] === RUNNING || m.be.life[b] === HUNG;
}

export function ringSize(m: Block): number {
  return m.size(ringSlot);
}

export const mask = (m: Block): number => indexMask(m);

export function sectorWithin(m: Block, f: number, s: number): boolean {
  return s >= m.vbd.start[f] && s < m.vbd.start[f] + m.vbd.size[f];
}

/** Makes the frontend's ring memory empty: what a new page holds. */
export function zeroRing(m: Block, f: number): void {
  m.sring.reqProd[f] = 0;
  m.sring.rspProd[f] = 0;
  m.sring.reqEvent[f] = 1;
  m.sring.rspEvent[f] = 1;
  for (let s = 0; s < ringSize(m); s++) clearSlot(m, m.slot.at(f, s));
}

export function clearSlot(m: Block, row: number): void {
  m.slot.holds[row] = 0;
  m.slot.id[row] = 0;
  m.slot.op[row] = 0;
  m.slot.segments[row] = 0;
  m.slot.sector[row] = 0;
  m.slot.gref[row] = NONE;
  m.slot.status[row] = 0;
}

/** Empties an entry of a pool. */
export function clearPending(m: Block, row: number): void {
  m.pool.stage[row] = NOTHING;
  m.pool.id[row] = 0;
  m.pool.op[row] = 0;
  m.pool.segments[row] = 0;
  m.pool.sector[row] = 0;
  m.pool.status[row] = 0;
  m.pool.frontend[row] = NONE;
  for (let s = 0; s < m.size(segment); s++) clearPart(m, row * m.size(segment) + s);
}

export function clearPart(m: Block, row: number): void {
  m.part.gref[row] = NONE;
  m.part.first[row] = 0;
  m.part.last[row] = 0;
  m.part.mapped[row] = 0;
}

/** GNTTABOP_map_grant_ref in short: the mapping gets at most the rights of the grant. */
export function mapPage(m: Block, b: number, f: number, p: number, write: boolean): boolean {
  if (p >= m.size(page)) return false;
  const row = m.page.at(f, p);
  if (m.page.access[row] === 0) return false;
  if (write && m.page.access[row] !== READ_WRITE && m.on(rightsTest)) return false;
  m.page.readers[row] |= 1 << b;
  if (write) m.page.writers[row] |= 1 << b;
  return true;
}

/** GNTTABOP_unmap_grant_ref, translations flushed: what the backend still has of the page is what its channel and its pool say. */
export function unmapPage(m: Block, b: number, f: number, p: number): void {
  const row = m.page.at(f, p);
  const isRing = m.chan.ring[m.chan.at(b, f)] === p;
  let reads = isRing;
  let writes = isRing;
  const segments = m.size(segment);
  for (let e = 0; e < m.size(pending); e++) {
    const entry = m.pool.at(b, e);
    if (m.pool.frontend[entry] !== f) continue;
    for (let s = 0; s < segments; s++) {
      const at = entry * segments + s;
      if (m.part.mapped[at] === 0 || m.part.gref[at] !== p) continue;
      reads = true;
      if (m.pool.op[entry] === 0) writes = true;
    }
  }
  if (!reads) m.page.readers[row] &= ~(1 << b);
  if (!writes) m.page.writers[row] &= ~(1 << b);
  if (m.page.readers[row] === 0) m.page.from[row] = 0;
}

/** Ends a grant if nobody maps it: gnttab_end_foreign_access. On failure the right stays, and the page is kept back. */
export function endAccess(m: Block, row: number): boolean {
  if (m.page.readers[row] !== 0 || m.fails(endFailure)) {
    m.page.use[row] = KEPT_BACK;
    return false;
  }
  m.page.access[row] = 0;
  m.page.use[row] = FREE;
  return true;
}
