/**
 * Invalidation: software asks through the queue or the registers, hardware decodes the words and forgets, software sees the completion.
 * Source: VT-d Architecture Specification, 6.5.1 (register-based), 6.5.2 (queued), 6.5.3 (what software must ask for).
 *
 * What each kind asks for (fields), and what software may rely on once it is complete (in the terms of `meant`), are told apart: one is
 * written into words and decoded again, the other never sees a word.
 */
import { gate, operationOn, sort } from '../kernel/index.js';
import { leafMask } from './entries.js';
import {
  addressWord,
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
  iotlbCommandHigh,
  iotlbDescriptor0,
  Request,
  SELECTIVE,
} from './invalidation.js';
import type { Vtd } from './state.js';

const operation = operationOn<Vtd>();

export const iotlbInvalidation = gate('IOTLB invalidation');
export const contextInvalidation = gate('context-cache invalidation');
export const invalidationWait = gate('invalidation wait');

const request = new Request();

/** Every kind of invalidation that this machine can tell apart. */
export const kind = sort('invalidation', {
  members: [
    'the whole context cache',
    'the context cache of domain id 1',
    'the context cache of domain id 2',
    'the context cache of 00:05.0, domain id 1',
    'the context cache of 00:05.0, domain id 2, by function mask from 00:05.6',
    'the context cache of 00:05.4, domain id 1',
    'the context cache of 00:05.0, domain id 1, by function mask from 00:05.4',
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
export const FIRST_IOTLB_KIND = 7;
/** Granularity, domain id, source id, function mask; page, address mask, hint: by kind. */
const KIND_GRANULARITY = [
  ...[GLOBAL, DOMAIN, DOMAIN, SELECTIVE, SELECTIVE, SELECTIVE, SELECTIVE],
  ...[GLOBAL, DOMAIN, DOMAIN, SELECTIVE, SELECTIVE, SELECTIVE, SELECTIVE, SELECTIVE, SELECTIVE],
];
const KIND_DID = [...[0, 1, 2, 1, 2, 1, 1], ...[0, 1, 2, 1, 1, 1, 1, 1, 2]];
const KIND_SOURCE = [0, 0, 0, 0x28, 0x2e, 0x2c, 0x2c];
const KIND_FUNCTION_MASK = [0, 0, 0, 0, 2, 0, 1];
const NO_PAGE = [0, 0, 0, 0, 0, 0, 0];
const KIND_PAGE = [...NO_PAGE, ...[0, 0, 0, 0, 1, 0, 0, 0, 1]];
const KIND_ADDRESS_MASK = [...NO_PAGE, ...[0, 0, 0, 0, 0, 1, 0, 1, 0]];
const KIND_LEAF_ONLY = [...NO_PAGE, ...[0, 0, 0, 0, 0, 0, 1, 1, 0]];
/** What each kind covers, in the terms of `meant`: spaces of 00:05.0 and of 01:05.0; mappings; the directory. */
const NOTHING = [0, 0, 0, 0, 0, 0, 0, 0, 0];
const COVERS_FIRST = [...[3, 1, 2, 1, 2, 0, 1], ...NOTHING];
const COVERS_SECOND = [...[3, 1, 2, 0, 0, 0, 0], ...NOTHING];
const COVERS_MAPPINGS = [...NO_PAGE, ...[7, 3, 4, 1, 2, 3, 1, 3, 4]];
const COVERS_DIRECTORY = [...NO_PAGE, ...[1, 1, 0, 1, 1, 1, 0, 0, 0]];

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

/** Kinds that software names. */
export const WHOLE_CONTEXT = 0;
export const WHOLE_IOTLB = 7;
