/**
 * The unit at work: requests of devices through its caches, and caches that fill at any moment.
 * Source: VT-d Architecture Specification, 3.14 and 3.4 (requests), 6.2 (caches).
 *
 * Helpers first, then requests, then fills. Must keep: a request that is let through was allowed by what software
 * means, or was allowed and not covered by a completed invalidation since.
 */
import { blockedBy, DISABLED, flag, gate, OK, operationOn } from '../kernel/index.js';
import { leafMask, READ_WRITE } from './entries.js';
import { ioPage, memoryOf, pageNumber, requester, SOURCE_IDS, UNIT, type Vtd } from './state.js';
import { accessFault, beyondWidth, fetchContext, Walk, walkTables } from './walk.js';

const operation = operationOn<Vtd>();

export const dmaRemapping = gate('DMA remapping');

const BLOCKED = blockedBy(dmaRemapping);
const walk = new Walk();

/** Row of the context cache that holds this source id on the compared bits, or -1. Hardware compares all 16. */
export function cachedContext(m: Vtd, sourceId: number, compared: number): number {
  const { valid, source } = m.contextCache;
  for (let r = 0; r < valid.length; r++) if (valid[r] !== 0 && ((source[r] ^ sourceId) & compared) === 0) return r;
  return -1;
}

/** Way of the IOTLB that holds the page under the domain id, or -1. */
export function cachedTranslation(m: Vtd, did: number, page: number): number {
  const { rights, page: tag, level } = m.iotlb;
  for (let w = 0; w < rights.length; w++) {
    if (rights[w] !== 0 && m.iotlb.did[w] === did && ((tag[w] ^ page) & ~leafMask(level[w])) === 0) return w;
  }
  return -1;
}

/** What a request has found so far: the locals of the operations below. */
export interface Found {
  did: number;
  table: number;
  levels: number;
  frame: number;
  rights: number;
}

/** Finds the context of a source id: from the cache where it may be used, else from memory; false when there is none. */
export function findContext(m: Vtd, sourceId: number, cached: boolean, compared: number, op: Found): boolean {
  const row = cached ? cachedContext(m, sourceId, compared) : -1;
  if (row >= 0) {
    op.did = m.contextCache.did[row];
    op.table = m.contextCache.table[row];
    op.levels = m.contextCache.levels[row];
    return true;
  }
  if (fetchContext(UNIT, memoryOf(m), m.vtdUnit.root[0], sourceId, walk) !== 0) return false;
  op.did = walk.did;
  op.table = walk.table;
  op.levels = walk.levels;
  return true;
}

/** Walks to the page, from the paging-structure cache where it may be used; leaves the details in `walk`. */
export function findPage(m: Vtd, page: number, cached: boolean, op: Found): boolean {
  if (beyondWidth(UNIT, op.levels, page, 0)) return false;
  const short = cached && m.pagingCache.rights[0] !== 0 && m.pagingCache.did[0] === op.did;
  const broken = short
    ? walkTables(UNIT, memoryOf(m), m.pagingCache.frame[0], 1, page, 0, m.pagingCache.rights[0], walk)
    : walkTables(UNIT, memoryOf(m), op.table, op.levels, page, 0, READ_WRITE, walk);
  if (broken !== 0 || walk.rights === 0) return false;
  op.frame = walk.frame;
  op.rights = walk.rights;
  return true;
}

const FOUND = ['did', 'table', 'levels', 'frame', 'rights'] as const;
const NO_FRAME = 0xffff;

/** The page is used as an address: no translation. */
function untranslated(m: Vtd): boolean {
  return m.vtdUnit.translating[0] === 0 || !m.on(dmaRemapping);
}

/** A request whose entries hardware fetches anew: it may have dropped whatever it had cached. */
export const dmaWalked = operation('dma.walked', {
  agent: requester,
  path: 'translate',
  says: 'sends a request for {page} (write: {write}), which hardware walks',
  source: 'VT-d 3.4, 3.7',
  fault: 'F2',
  input: { page: ioPage, write: flag },
  locals: FOUND,
  where: { agent: (m) => m.vtdUnit.masters[0] === 1 },
  touches: reads,
  steps: {
    'find context': (m, op) => {
      op.frame = NO_FRAME;
      if (untranslated(m)) return OK;
      return findContext(m, SOURCE_IDS[op.agent], false, 0xffff, op) ? OK : BLOCKED;
    },
    'find translation': (m, op) => {
      if (untranslated(m)) {
        op.frame = pageNumber(op.page);
        op.rights = READ_WRITE;
        return OK;
      }
      return findPage(m, pageNumber(op.page), false, op) ? OK : BLOCKED;
    },
    'check rights': (_m, op) => (accessFault(op.rights, op.write === 1) !== 0 ? BLOCKED : OK),
  },
});

/** A request that uses whatever is cached for it. */
export const dmaCached = operation('dma.cached', {
  agent: requester,
  path: 'translate',
  says: 'sends a request for {page} (write: {write}), which uses what is cached',
  source: 'VT-d 6.2',
  fault: 'F3',
  input: { page: ioPage, write: flag },
  locals: FOUND,
  where: { agent: (m) => m.vtdUnit.masters[0] === 1 && m.vtdUnit.translating[0] === 1 && m.on(dmaRemapping) },
  touches: reads,
  steps: {
    'find context': (m, op) => {
      op.frame = NO_FRAME;
      return findContext(m, SOURCE_IDS[op.agent], true, 0xffff, op) ? OK : BLOCKED;
    },
    'find translation': (m, op) => {
      const page = pageNumber(op.page);
      const w = cachedTranslation(m, op.did, page);
      if (w < 0) return findPage(m, page, true, op) ? OK : BLOCKED;
      op.frame = (m.iotlb.frame[w] & ~leafMask(m.iotlb.level[w])) | (page & leafMask(m.iotlb.level[w]));
      op.rights = m.iotlb.rights[w];
      return OK;
    },
    'check rights': (_m, op) => (accessFault(op.rights, op.write === 1) !== 0 ? BLOCKED : OK),
  },
});

/** All that requests and fills look at. */
function reads(
  m: Vtd,
  _op: unknown,
  may: {
    readAll(t: Vtd['iotlb' | 'vtdMemory' | 'contextCache']): void;
    read(t: Vtd['vtdUnit' | 'pagingCache'], row?: number): void;
  },
): void {
  may.readAll(m.vtdMemory);
  may.readAll(m.contextCache);
  may.readAll(m.iotlb);
  may.read(m.vtdUnit);
  may.read(m.pagingCache);
}

/** Hardware caches a context entry, at any moment. */
export const cacheContext = operation('unit.cacheContext', {
  agent: 'unit',
  says: 'caches the context entry of {source}',
  source: 'VT-d 6.2.2',
  input: { source: requester },
  locals: FOUND,
  idle: true,
  where: { agent: (m) => m.vtdUnit.translating[0] === 1 },
  touches: (m, op, may) => {
    reads(m, op, may);
    may.write(m.contextCache, op.source);
  },
  steps: {
    fetch: (m, op) => (findContext(m, SOURCE_IDS[op.source], false, 0xffff, op) ? OK : DISABLED),
    keep: (m, op) => {
      const r = op.source;
      m.contextCache.valid[r] = 1;
      m.contextCache.source[r] = SOURCE_IDS[r];
      m.contextCache.did[r] = op.did;
      m.contextCache.table[r] = op.table;
      m.contextCache.levels[r] = op.levels;
    },
  },
});

/** Hardware caches the entry that points to the directory, at any moment. */
export const cacheDirectory = operation('unit.cacheDirectory', {
  agent: 'unit',
  says: 'caches the paging-structure entry of the first 2 MiB for {source}',
  source: 'VT-d 6.2.4',
  input: { source: requester },
  locals: FOUND,
  idle: true,
  where: { agent: (m) => m.vtdUnit.translating[0] === 1 },
  touches: (m, op, may) => {
    reads(m, op, may);
    may.write(m.pagingCache);
  },
  steps: {
    fetch: (m, op) => {
      if (!findContext(m, SOURCE_IDS[op.source], true, 0xffff, op) || op.levels < 2) return DISABLED;
      walkTables(UNIT, memoryOf(m), op.table, op.levels, 0, 0, READ_WRITE, walk);
      return walk.directory < 0 || walk.directoryRights === 0 ? DISABLED : OK;
    },
    keep: (m, op) => {
      m.pagingCache.did[0] = op.did;
      m.pagingCache.frame[0] = walk.directory;
      m.pagingCache.rights[0] = walk.directoryRights;
    },
  },
});

/** Hardware caches a translation, at any moment, from what its other caches or the tables say. */
export const cacheTranslation = operation('unit.cacheTranslation', {
  agent: 'unit',
  says: 'caches the translation of {page} for {source}',
  source: 'VT-d 6.2.3',
  input: { source: requester, page: ioPage },
  locals: FOUND,
  idle: true,
  where: { agent: (m) => m.vtdUnit.translating[0] === 1, page: (_m, op) => op.page < 2 },
  touches: (m, op, may) => {
    reads(m, op, may);
    for (let w = 0; w < m.iotlb.rows; w++) may.write(m.iotlb, w);
  },
  steps: {
    fetch: (m, op) => {
      const found =
        findContext(m, SOURCE_IDS[op.source], true, 0xffff, op) && findPage(m, pageNumber(op.page), true, op);
      return found ? OK : DISABLED;
    },
    keep: (m, op) => {
      const w = walk.leafLevel === 1 ? op.page : 2;
      const inside = leafMask(walk.leafLevel);
      m.iotlb.did[w] = op.did;
      m.iotlb.level[w] = walk.leafLevel;
      m.iotlb.page[w] = pageNumber(op.page) & ~inside;
      m.iotlb.frame[w] = op.frame & ~inside;
      m.iotlb.rights[w] = op.rights;
    },
  },
});

/** Requests of devices, and caches that fill. */
export const unitOperations = [dmaWalked, dmaCached, cacheContext, cacheDirectory, cacheTranslation];
