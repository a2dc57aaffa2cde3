/**
 * What the operations of the ring and of the abstract IOMMU cost, read off the state: an allocation is a frame with references that had
 * none before, a mapping is a right that a table gives now and did not give before. So the specifications need no charges of their own,
 * and whatever a step is replaced by is charged as well.
 */
import { type Iommu, queued, SUPERPAGE } from './iommu/index.js';
import type { MachineDef } from './kernel/index.js';
import {
  ALLOCATION,
  type Bookkeeper,
  becameNonEmpty,
  bookedOperation,
  charge,
  INVALIDATION,
  MAPPING,
  notified,
  UNMAPPING,
  type Wakes,
} from './ledger.js';
import { BACK, FRONT, type Ring } from './ringEnds.js';

/** What a bookkeeper notes before a step. Steps do not nest, so one set serves all machines. */
const noted = new Int32Array(4);
const FRAMES = 0;
const RIGHTS = 1;
const COMMANDS = 2;

/** Frames that somebody holds. */
function heldFrames(m: Iommu): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.refs[f] > 0) n++;
  return n;
}

const bits = (rights: number): number => (rights & 1) + ((rights >> 1) & 1);

/** Rights that the tables give, over all pages. */
function givenRights(m: Iommu): number {
  let n = 0;
  for (let e = 0; e < m.ioEntry.rows; e++) n += bits(m.ioEntry.rights[e]);
  for (let d = 0; d < m.ioDirectory.rows; d++) {
    if (m.ioDirectory.kind[d] === SUPERPAGE) n += bits(m.ioDirectory.rights[d]);
  }
  return n;
}

/** Allocations, mappings, unmappings and invalidation commands of machines with an IOMMU. */
export const iommuBook: Bookkeeper<Iommu> = {
  before: (m) => {
    noted[FRAMES] = heldFrames(m);
    noted[RIGHTS] = givenRights(m);
    noted[COMMANDS] = queued(m);
  },
  after: (m) => {
    if (heldFrames(m) > noted[FRAMES]) charge(m, ALLOCATION);
    const rights = givenRights(m);
    if (rights > noted[RIGHTS]) charge(m, MAPPING);
    if (rights < noted[RIGHTS]) charge(m, UNMAPPING);
    if (queued(m) > noted[COMMANDS]) charge(m, INVALIDATION);
  },
};

/** A ring whose notifications are accounted for; its two lines have the numbers of the ends that are woken. */
export type BookedRing = Ring & Wakes;

const PENDING_FRONT = 0;
const PENDING_BACK = 1;
const REQUESTS = 2;
const RESPONSES = 3;

/** Entries in memory that their reader has not consumed: what the reader would see. */
const requests = (m: Ring): number => (m.sring.reqProd[0] === m.back.reqCons[0] ? 0 : 1);
const responses = (m: Ring): number => (m.sring.rspProd[0] === m.front.rspCons[0] ? 0 : 1);

function touchWakes(m: BookedRing, may: { write(table: BookedRing['wakes'], row: number): void }): void {
  may.write(m.wakes, FRONT);
  may.write(m.wakes, BACK);
}

function noteLines(m: Ring): void {
  noted[REQUESTS] = requests(m);
  noted[RESPONSES] = responses(m);
}

function bookLines(m: BookedRing): void {
  if (requests(m) > noted[REQUESTS]) becameNonEmpty(m, BACK);
  if (responses(m) > noted[RESPONSES]) becameNonEmpty(m, FRONT);
}

/** For operations that may publish, but do not notify. */
export const lineBook: Bookkeeper<BookedRing> = { before: noteLines, after: bookLines, touches: touchWakes };

/**
 * For operations that push and notify. An event that is sent while one is pending changes nothing in the state, so the pending bits are
 * out of the way while the step runs.
 */
export const pushBook: Bookkeeper<BookedRing> = {
  before: (m) => {
    noteLines(m);
    noted[PENDING_FRONT] = m.side.pending[FRONT];
    noted[PENDING_BACK] = m.side.pending[BACK];
    m.side.pending[FRONT] = 0;
    m.side.pending[BACK] = 0;
  },
  after: (m) => {
    bookLines(m);
    if (m.side.pending[BACK] === 1) notified(m, BACK);
    if (m.side.pending[FRONT] === 1) notified(m, FRONT);
    m.side.pending[FRONT] |= noted[PENDING_FRONT];
    m.side.pending[BACK] |= noted[PENDING_BACK];
  },
  touches: touchWakes,
};

/** The machine with a bookkeeper at each of its operations. */
export function bookedMachine<M>(def: MachineDef, bookOf: (operation: string) => Bookkeeper<M>): MachineDef {
  const modules = def.modules.map((mod) => ({
    ...mod,
    operations: mod.operations.map((op) => bookedOperation(op, bookOf(op.name))),
  }));
  return { ...def, modules };
}
