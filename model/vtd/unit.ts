/**
 * The unit at work: requests of devices through its caches, caches that fill at any moment, and invalidation in both forms.
 * Source: VT-d Architecture Specification, 3.14 and 3.4 (requests), 6.2 (caches), 6.5 (invalidation).
 *
 * Helpers first, then requests, then fills, then invalidation. Must keep: a request that is let through was allowed by what software
 * means, or was allowed and not covered by a completed invalidation since.
 */
import { blockedBy, DISABLED, flag, gate, OK, operationOn, sort } from '../kernel/index.js';
import { leafMask, READ_WRITE } from './entries.js';
import {
  addressWord,
  CONTEXT,
  contextCommandHigh,
  contextCommandLow,
  contextDescriptor0,
  contextDescriptor1,
  coversContext,
  coversPage,
  coversStructure,
  DOMAIN,
  decodeContextCommand,
  decodeDescriptor,
  decodeIotlbCommand,
  GLOBAL,
  IOTLB,
  iotlbCommandHigh,
  iotlbDescriptor0,
  Request,
  SELECTIVE,
} from './invalidation.js';
import { ioPage, memoryOf, pageNumber, requester, SOURCE_IDS, UNIT, type Vtd } from './state.js';
import { accessFault, beyondWidth, fetchContext, Walk, walkTables } from './walk.js';

const operation = operationOn<Vtd>();

export const dmaRemapping = gate('DMA remapping');
export const iotlbInvalidation = gate('IOTLB invalidation');
export const contextInvalidation = gate('context-cache invalidation');
export const invalidationWait = gate('invalidation wait');

const BLOCKED = blockedBy(dmaRemapping);
const walk = new Walk();
const request = new Request();

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

/** Every kind of invalidation that this machine can tell apart. */
export const kind = sort('invalidation', {
  members: [
    'the whole context cache',
    'the context cache of domain id 1',
    'the context cache of domain id 2',
    'the context cache of 00:05.0, domain id 1',
    'the context cache of 00:05.0, domain id 2, by function mask from 00:05.6',
    'the context cache of 00:05.4, domain id 1',
    'the whole IOTLB',
    'the IOTLB of domain id 1',
    'the IOTLB of domain id 2',
    'page 0 of domain id 1',
    'page 1 of domain id 1',
    'pages 0 and 1 of domain id 1',
    'page 0 of domain id 1, leaf only',
    'pages 0 and 1 of domain id 1, leaf only',
    'page 1 of domain id 2',
  ],
});
export const FIRST_IOTLB_KIND = 6;
/** Granularity, domain id, source id, function mask; page, address mask, hint: by kind. */
const KIND_GRANULARITY = [
  GLOBAL,
  DOMAIN,
  DOMAIN,
  SELECTIVE,
  SELECTIVE,
  SELECTIVE,
  GLOBAL,
  DOMAIN,
  DOMAIN,
  ...Array(6).fill(SELECTIVE),
];
const KIND_DID = [0, 1, 2, 1, 2, 1, 0, 1, 2, 1, 1, 1, 1, 1, 2];
const KIND_SOURCE = [0, 0, 0, 0x28, 0x2e, 0x2c];
const KIND_FUNCTION_MASK = [0, 0, 0, 0, 2, 0];
const KIND_PAGE = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
const KIND_ADDRESS_MASK = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0];
const KIND_LEAF_ONLY = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0];
/** What each kind covers, in the terms of `meant`: spaces of 00:05.0 and of 01:05.0; mappings; the directory. */
const COVERS_FIRST = [3, 1, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const COVERS_SECOND = [3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const COVERS_MAPPINGS = [0, 0, 0, 0, 0, 0, 7, 3, 4, 1, 2, 3, 1, 3, 4];
const COVERS_DIRECTORY = [0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0];

export const form = sort('form', { members: ['the queue', 'the registers'] });

/** Hardware forgets what a decoded request covers. */
export function forget(m: Vtd, q: Request): void {
  const c = m.contextCache;
  for (let r = 0; r < c.valid.length; r++) {
    if (c.valid[r] !== 0 && coversContext(q, c.source[r], c.did[r])) {
      c.valid[r] = 0;
      c.source[r] = 0;
      c.did[r] = 0;
      c.table[r] = 0;
      c.levels[r] = 0;
    }
  }
  const t = m.iotlb;
  for (let w = 0; w < t.rights.length; w++) {
    if (t.rights[w] !== 0 && coversPage(q, t.did[w], t.page[w], 0, leafMask(t.level[w]))) dropTranslation(m, w);
  }
  const p = m.pagingCache;
  if (p.rights[0] !== 0 && coversStructure(q, p.did[0], 0, 0, leafMask(2))) {
    p.rights[0] = 0;
    p.did[0] = 0;
    p.frame[0] = 0;
  }
}

/** Empties a way of the IOTLB. */
export function dropTranslation(m: Vtd, w: number): void {
  m.iotlb.rights[w] = 0;
  m.iotlb.did[w] = 0;
  m.iotlb.level[w] = 0;
  m.iotlb.page[w] = 0;
  m.iotlb.frame[w] = 0;
}

/** The completion is what software may rely on: whatever was covered is allowed only as far as it is meant now. */
export function complete(m: Vtd, k: number): void {
  m.mayAttach.spaces[0] &= ~COVERS_FIRST[k];
  m.mayAttach.spaces[1] &= ~COVERS_SECOND[k];
  for (let r = 0; r < m.attached.rows; r++) if (m.attached.space[r] !== 0) m.mayAttach.spaces[r] |= m.attached.space[r];
  if (COVERS_DIRECTORY[k] === 1) m.mayDirectory.used[0] = m.directory.present[0];
  for (let u = 0; u < m.may.rows; u++) {
    if (((COVERS_MAPPINGS[k] >>> u) & 1) === 0) continue;
    const walkable = u === 2 || m.mayDirectory.used[0] === 1;
    m.may.rights[u] = walkable ? m.meant.rights[u] : 0;
  }
}

/** Decodes words into the request of this module; callers use it at once. */
export function decode(op: { form: number; kind: number; w0: number; w1: number; w2: number }): Request {
  if (op.form === 0) decodeDescriptor(op.w0, op.w1, op.w2, 0, request);
  else if (op.kind < FIRST_IOTLB_KIND) decodeContextCommand(op.w0, op.w1, request);
  else decodeIotlbCommand(op.w1, op.w2, 0, request);
  return request;
}

/** Software asks, hardware forgets, software sees the completion: the status write, or the bit that clears itself. */
export const invalidate = operation('unit.invalidate', {
  agent: 'vmm',
  says: 'invalidates {kind} through {form} and waits',
  source: 'VT-d 6.5.1, 6.5.2',
  input: { kind, form },
  locals: ['w0', 'w1', 'w2'],
  where: { agent: (m) => m.vtdUnit.translating[0] === 1 && m.vtdUnit.busy[0] === 0 },
  touches: (m, _op, may) => {
    may.writeAll(m.contextCache);
    may.writeAll(m.iotlb);
    may.write(m.pagingCache);
    may.writeAll(m.may);
    may.writeAll(m.mayAttach);
    may.write(m.mayDirectory);
    may.readAll(m.meant);
    may.readAll(m.attached);
    may.read(m.directory);
    may.read(m.vtdUnit);
  },
  steps: {
    'write the request': (_m, op) => {
      const k = op.kind;
      const queued = op.form === 0;
      if (k < FIRST_IOTLB_KIND) {
        op.w0 = queued
          ? contextDescriptor0(KIND_GRANULARITY[k], KIND_DID[k])
          : contextCommandLow(KIND_SOURCE[k], KIND_DID[k]);
        op.w1 = queued
          ? contextDescriptor1(KIND_SOURCE[k], KIND_FUNCTION_MASK[k])
          : contextCommandHigh(KIND_GRANULARITY[k], KIND_FUNCTION_MASK[k]);
        return;
      }
      if (queued) op.w0 = iotlbDescriptor0(KIND_GRANULARITY[k], KIND_DID[k]);
      else op.w1 = iotlbCommandHigh(KIND_GRANULARITY[k], KIND_DID[k]);
      op.w2 = addressWord(KIND_PAGE[k], KIND_ADDRESS_MASK[k], KIND_LEAF_ONLY[k] === 1);
    },
    'hardware performs it': (m, op) => {
      // Without the wait, software goes on before hardware has come to it.
      if (!m.on(invalidationWait)) return;
      if (!m.on(op.kind < FIRST_IOTLB_KIND ? contextInvalidation : iotlbInvalidation)) return;
      forget(m, decode(op));
    },
    'see the completion': (m, op) => complete(m, op.kind),
  },
});

export const CONTEXT_TYPE = CONTEXT;
export const IOTLB_TYPE = IOTLB;
/** Kinds that others name. */
export const WHOLE_CONTEXT = 0;
export const WHOLE_IOTLB = 6;

/** Everything that the hardware does. */
export const unitOperations = [dmaWalked, dmaCached, cacheContext, cacheDirectory, cacheTranslation, invalidate];
