/**
 * Frames: owner, reference count, type and type count, and the content of objects smaller than a page.
 * Source: Xen `xen/include/asm-x86/mm.h` (struct page_info: count_info, type_info), `xen/arch/x86/mm.c` (get_page, get_page_type),
 * `xen/common/page_alloc.c` (alloc_domheap_pages, free_domheap_pages).
 *
 * State first; then the counting functions that every mapping mechanism uses; then allocation and release.
 * Must keep: I1 reach (a freed frame is out of everyone's reach), I2 count (references equal holders), I3 type (never writable and a
 * table at once), I11 bytes (no residue of a former owner).
 */
import { type Domains, DYING, domain, RUNNING } from './domains.js';
import {
  type Footprint,
  gate,
  module,
  NONE,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  type TableCore,
  table,
  u8,
} from './kernel/index.js';

/** Machine frames. */
export const frame = sort('frame', { symmetricFrom: 0 });
/** Objects smaller than a page: two a frame. */
export const part = sort('part', { members: ['lower half', 'upper half'] });

export const TYPE_NONE = 0;
export const TYPE_WRITABLE = 1;
export const TYPE_PAGE_TABLE = 2;
export const TYPE_IOMMU_TABLE = 3;
export const TYPE_VMM = 4;
export const TYPE_STATUS = 5;

export const frameTables = {
  frame: table([frame], {
    /** Owner, or NONE: on the heap, or the VMM's own (type VMM). */
    owner: ref(domain),
    /** Holds the reference of the allocation itself (PGC_allocated). */
    allocated: oneOf('no', 'yes'),
    /** count_info: all references, the allocation's included. */
    refs: u8(),
    /** type_info: what the frame is used as while `types` > 0. */
    type: oneOf('none', 'writable', 'page table', 'IOMMU table', 'VMM', 'status'),
    types: u8(),
    /** The type was taken but the frame is not yet used as such (PGT_validated is not set). */
    validating: oneOf('no', 'yes'),
  }),
  /** What each half of a frame contains. */
  content: table([frame, part], {
    /** Domain that wrote it last (NONE: scrubbed, or the VMM). */
    writer: ref(domain),
    /** Domain whose secret it carries, or NONE. */
    secret: ref(domain),
  }),
};

/** Tables of other modules that freeing and sharing depend on, in machines that have them. */
export interface OptionalTables {
  /** The processors' translation caches (mmu.ts). */
  readonly tlb?: TableCore & { readonly rights: Uint8Array };
  /** The grant tables that guests keep (grants.ts). */
  readonly grant?: TableCore & { readonly inForce: Uint8Array; readonly frame: Uint8Array };
}

export type Frames = Domains & State<typeof frameTables> & OptionalTables;
const operation = operationOn<Frames>();

/** Frames are scrubbed before they reach another owner. */
export const scrubbing = gate('scrubbing');
/** No processor may keep a translation to a frame that goes to another owner. */
export const flushOnFreeing = gate('TLB flush on freeing');

/** Errors of the memory operations (xen/include/public/errno.h). */
export const ERRNO = { EPERM: -1, EBUSY: -16, EINVAL: -22, ENOMEM: -12 } as const;

/** get_page: takes a reference for domain d; false when the frame is not d's (any more). */
export function getPage(m: Frames, f: number, d: number): boolean {
  if (m.frame.owner[f] !== d || m.frame.refs[f] === 0) return false;
  m.frame.refs[f]++;
  return true;
}

/** put_page: drops a reference; the last one frees the frame. */
export function putPage(m: Frames, f: number): void {
  m.frame.refs[f]--;
  if (m.frame.refs[f] === 0) freeFrame(m, f);
}

/** get_page_type: takes a type reference; false when the frame is used as another type. Taking a new type is the caller's commit. */
export function getType(m: Frames, f: number, type: number): boolean {
  if (m.frame.types[f] > 0 && m.frame.type[f] !== type) return false;
  m.frame.type[f] = type;
  m.frame.types[f]++;
  return true;
}

/** put_page_type. The type stays noted until another one is taken, as in Xen; it means nothing while `types` is 0. */
export function putType(m: Frames, f: number): void {
  m.frame.types[f]--;
  if (m.frame.types[f] === 0) m.frame.type[f] = TYPE_NONE;
}

/** Whether the owner of a frame believes a grant of it to be in force: what it keeps private it keeps elsewhere. */
export function isShared(m: Frames, f: number): boolean {
  const { grant } = m;
  const owner = m.frame.owner[f];
  if (grant === undefined || owner === NONE) return false;
  const refs = grant.rows / m.domain.rows;
  for (let row = owner * refs; row < (owner + 1) * refs; row++) {
    if (grant.inForce[row] === 1 && grant.frame[row] === f) return true;
  }
  return false;
}

/** Removes all processors' cached translations of a frame. */
export function flushFrame(m: Frames, f: number): void {
  const { tlb } = m;
  if (tlb === undefined) return;
  const count = m.frame.rows;
  for (let row = f; row < tlb.rows; row += count) tlb.rights[row] = 0;
}

/** Names everything that dropping a reference of a frame may write: the last one frees it. */
export function touchFrame(m: Frames, may: Footprint, f: number): void {
  may.write(m.frame, f);
  may.write(m.content, f * 2);
  may.write(m.content, f * 2 + 1);
  const { tlb } = m;
  if (tlb === undefined) return;
  const count = m.frame.rows;
  for (let row = f; row < tlb.rows; row += count) may.write(tlb, row);
}

/** free_domheap_pages: back to the heap; scrubbed, because the former owner's data must not reach the next one.
 * Xen postpones the TLB flush to the next allocation of the frame; here it comes first, so that nobody writes into a scrubbed frame. */
function freeFrame(m: Frames, f: number): void {
  m.frame.owner[f] = NONE;
  m.frame.allocated[f] = 0;
  m.frame.type[f] = TYPE_NONE;
  m.frame.types[f] = 0;
  m.frame.validating[f] = 0;
  if (m.on(flushOnFreeing)) flushFrame(m, f);
  if (m.on(scrubbing)) scrub(m, f);
}

/** Clears both halves of a frame. */
export function scrub(m: Frames, f: number): void {
  for (let p = 0; p < 2; p++) {
    m.content.writer[f * 2 + p] = NONE;
    m.content.secret[f * 2 + p] = NONE;
  }
}

/** Whether the frame is on the heap: nobody's. */
export function isFree(m: Frames, f: number): boolean {
  return m.frame.owner[f] === NONE && m.frame.refs[f] === 0 && m.frame.type[f] !== TYPE_VMM;
}

/** XENMEM_populate_physmap: a free frame becomes the domain's. */
export const allocateFrame = operation('frame.allocate', {
  agent: domain,
  says: 'is given {frame}',
  source: 'xen/common/memory.c, populate_physmap; xen/common/page_alloc.c, alloc_domheap_pages',
  input: { frame },
  where: { agent: (m, op) => m.domain.life[op.agent] === RUNNING, frame: (m, op) => isFree(m, op.frame) },
  touches: (m, op, may) => may.write(m.frame, op.frame),
  steps: {
    'set owner': (m, op) => {
      m.frame.owner[op.frame] = op.agent;
      m.frame.allocated[op.frame] = 1;
      m.frame.refs[op.frame] = 1;
    },
  },
});

/** XENMEM_decrease_reservation: a domain gives back a frame that it keeps private; references keep it alive until they are dropped. */
export const releaseFrame = operation('frame.release', {
  agent: domain,
  says: 'gives {frame} back',
  source: 'xen/common/memory.c, decrease_reservation (guest_remove_page)',
  input: { frame },
  where: {
    agent: (m, op) => m.domain.life[op.agent] === RUNNING,
    frame: (m, op) =>
      m.frame.owner[op.frame] === op.agent && m.frame.allocated[op.frame] === 1 && !isShared(m, op.frame),
  },
  touches: (m, op, may) => touchFrame(m, may, op.frame),
  steps: {
    'drop the allocation reference': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

/** relinquish_memory: the VMM takes a dying domain's frames back, one at a time. */
export const relinquishFrame = operation('frame.relinquish', {
  agent: 'vmm',
  says: 'takes {frame} back from its dying owner',
  source: 'xen/arch/x86/domain.c, relinquish_memory',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.frame.owner[op.frame] !== NONE &&
      m.frame.allocated[op.frame] === 1 &&
      m.domain.life[m.frame.owner[op.frame]] === DYING,
  },
  touches: (m, op, may) => touchFrame(m, may, op.frame),
  steps: {
    'drop the allocation reference': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

export const frames = module<Frames, typeof frameTables>('frames', {
  tables: frameTables,
  operations: [allocateFrame, releaseFrame, relinquishFrame],
  initial: (m) => {
    m.frame.owner.fill(NONE);
    m.content.writer.fill(NONE);
    m.content.secret.fill(NONE);
  },
  holds: (m, d) => {
    for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === d) return true;
    return false;
  },
  map: (m) =>
    [...m.frame.owner].map((owner, f) => {
      const type = ['none', 'writable', 'page table', 'IOMMU table', 'VMM', 'status'][m.frame.type[f]];
      const who = owner === NONE ? (m.frame.type[f] === TYPE_VMM ? 'VMM' : 'free') : `domain ${owner}`;
      return `frame ${f}: ${who}, refs ${m.frame.refs[f]}, ${type} ${m.frame.types[f]}`;
    }),
});
