/**
 * What the operations of the bit-level VT-d cost, read off its memory and caches: an allocation is a table that is put in place, a mapping
 * a right that the tables give now and did not give before, an invalidation a cached entry that is dropped. Requests and fills have none.
 */
import type { Bookkeeper } from '../ledger.js';
import { ALLOCATION, charge, INVALIDATION, MAPPING, UNMAPPING } from '../ledger.js';
import { READ_WRITE } from './entries.js';
import { entryRow } from './software.js';
import { A_LEVEL_2, type Vtd, wordRow } from './state.js';

/** What is noted before a step. Steps do not nest, so one set serves all machines. */
const noted = new Int32Array(3);
const TABLES = 0;
const RIGHTS = 1;
const CACHED = 2;

/** Directories that the tables name. */
const directories = (m: Vtd): number => (m.vtdMemory.word[wordRow(A_LEVEL_2, 0)] === 0 ? 0 : 1);

/** Rights that the entries of the mappings give. */
function givenRights(m: Vtd): number {
  let n = 0;
  for (let which = 0; which < m.meant.rows; which++) {
    const rights = m.vtdMemory.word[entryRow(which)] & READ_WRITE;
    n += (rights & 1) + (rights >> 1);
  }
  return n;
}

/** Entries that the unit's caches hold. */
function cached(m: Vtd): number {
  let n = m.pagingCache.rights[0] === 0 ? 0 : 1;
  for (let r = 0; r < m.contextCache.rows; r++) n += m.contextCache.valid[r];
  for (let w = 0; w < m.iotlb.rows; w++) if (m.iotlb.rights[w] !== 0) n++;
  return n;
}

export const vtdBook: Bookkeeper<Vtd> = {
  before: (m) => {
    noted[TABLES] = directories(m);
    noted[RIGHTS] = givenRights(m);
    noted[CACHED] = cached(m);
  },
  after: (m) => {
    if (directories(m) > noted[TABLES]) charge(m, ALLOCATION);
    const rights = givenRights(m);
    if (rights > noted[RIGHTS]) charge(m, MAPPING);
    if (rights < noted[RIGHTS]) charge(m, UNMAPPING);
    if (cached(m) < noted[CACHED]) charge(m, INVALIDATION);
  },
};
