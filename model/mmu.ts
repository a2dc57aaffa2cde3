/**
 * Processor mappings of paravirtualized domains: page-table entries with rights, validated by the VMM, and a TLB per vCPU.
 * Source: Xen `xen/arch/x86/mm.c` (get_page_from_l1e, put_page_from_l1e, mod_l1_entry, _get_page_type, do_mmuext_op).
 *
 * State: what each domain's tables map, which frames are pinned as page tables, what each vCPU has cached. Operations: map, update,
 * write-protect, unmap, pin (promote to page table), unpin. As in Xen, clearing an entry does not flush: a stale translation to a
 * domain's own frame harms nobody until the frame changes its type or its owner, and both of these flush.
 * Must keep: I1 reach, I2 count (one reference an entry, one type count a writable entry), I3 type.
 */
import { type Domains, domain, runs } from './domains.js';
import {
  ERRNO,
  type Frames,
  flushFrame,
  frame,
  getPage,
  getType,
  putPage,
  putType,
  TYPE_PAGE_TABLE,
  TYPE_WRITABLE,
  touchFrame,
} from './frames.js';
import { DONE, failure, flag, gate, OK, oneOf, operationOn, type State, sort, table, u8 } from './kernel/index.js';

/** Virtual processors; vCPU v belongs to domain v modulo the number of domains. */
export const vcpu = sort('vcpu');
/** Bits of a present entry that a domain may ask to set. */
export const entryBit = sort('bit', { members: ['RW', 'PSE', 'accessed'] });

export const NO_RIGHT = 0;
export const READ = 1;
export const WRITE = 2;

const BIT_RW = 0;
const BIT_PSE = 1;

export const mmuTables = {
  /** What the page tables of a domain say about a frame. */
  pte: table([domain, frame], {
    /** An ordinary entry, validated by the VMM. */
    rights: oneOf('none', 'read', 'write'),
    /** The entry is a large one and covers the neighbouring frame too: never granted to a domain. */
    large: oneOf('no', 'yes'),
    /** Entries that the grant-table operations made, read-only and writable. */
    grantReads: u8(),
    grantWrites: u8(),
  }),
  /** PGT_pinned: the owner keeps the frame as a page table. */
  pageTable: table([frame], { pinned: oneOf('no', 'yes') }),
  /** Translations cached by a vCPU; stale until flushed. */
  tlb: table([vcpu, frame], { rights: oneOf('none', 'read', 'write') }),
};

export type Mmu = Frames & State<typeof mmuTables>;
const operation = operationOn<Mmu>();

/** The VMM checks every page-table entry that a domain asks for. */
export const validation = gate('page-table validation');
/** A frame that becomes a page table is in no TLB as writable. */
export const flushOnRetyping = gate('TLB flush on retyping');
export const splitTable = failure('allocate a page table to split a large mapping');

/** The domain that a vCPU belongs to. */
export function domainOf(m: Domains, v: number): number {
  return v % m.domain.rows;
}

/** What the page tables of domain d allow on frame f now. */
export function walk(m: Mmu, d: number, f: number): number {
  const count = m.frame.rows;
  const row = d * count + f;
  let rights = m.pte.rights[row];
  if (m.pte.grantWrites[row] > 0) rights = WRITE;
  else if (rights === NO_RIGHT && m.pte.grantReads[row] > 0) rights = READ;
  const neighbour = f ^ 1;
  if (neighbour < count && m.pte.large[d * count + neighbour] === 1) {
    rights = Math.max(rights, m.pte.rights[d * count + neighbour]);
  }
  return rights;
}

/**
 * MMU_NORMAL_PT_UPDATE of an empty entry: the domain maps one of its frames. Under the lock of the page table nobody else fills the entry
 * meanwhile, and nothing fails once the type is taken.
 */
export const mapFrame = operation('mmu.map', {
  agent: domain,
  says: 'maps {frame}, writable: {write}',
  source: 'xen/arch/x86/mm.c, mod_l1_entry, get_page_from_l1e',
  input: { frame, write: flag },
  atomic: true,
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.pte.rights[m.pte.at(op.agent, op.frame)] === NO_RIGHT,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.agent, op.frame));
  },
  errors: ERRNO,
  steps: {
    'take a reference': (m, op) => {
      if (getPage(m, op.frame, op.agent)) return OK;
      if (m.on(validation)) return ERRNO.EPERM;
      m.frame.refs[op.frame]++;
      return OK;
    },
    'take the writable type': (m, op) => {
      if (op.write === 1 && !getType(m, op.frame, TYPE_WRITABLE)) {
        if (m.on(validation)) return ERRNO.EBUSY;
        m.frame.types[op.frame]++;
      }
      return OK;
    },
    'write the entry': (m, op) => {
      m.pte.rights[m.pte.at(op.agent, op.frame)] = op.write === 1 ? WRITE : READ;
    },
  },
  undo: { 'take a reference': (m, op) => putPage(m, op.frame) },
});

/** The same call on a present entry: bits that grant nothing are written without validation. */
export const updateEntry = operation('mmu.update', {
  agent: domain,
  says: 'sets the bit {bit} in its entry for {frame}',
  source: 'xen/arch/x86/mm.c, mod_l1_entry (fast path for l1e_has_changed)',
  input: { frame, bit: entryBit },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.pte.rights[m.pte.at(op.agent, op.frame)] === READ,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.agent, op.frame));
  },
  errors: ERRNO,
  steps: {
    'check the fast path': (_m, op) => (op.bit === BIT_RW || op.bit === BIT_PSE ? OK : DONE),
    'take a reference': (m, op) => (getPage(m, op.frame, op.agent) ? OK : ERRNO.EPERM),
    validate: (m, op) => {
      if (op.bit === BIT_PSE) return ERRNO.EINVAL;
      return getType(m, op.frame, TYPE_WRITABLE) ? OK : ERRNO.EBUSY;
    },
    'write the entry': (m, op) => {
      const row = m.pte.at(op.agent, op.frame);
      if (m.pte.rights[row] !== READ) return ERRNO.EBUSY;
      m.pte.rights[row] = WRITE;
      return OK;
    },
    'drop the reference of the old entry': (m, op) => putPage(m, op.frame),
  },
  undo: {
    'take a reference': (m, op) => putPage(m, op.frame),
    validate: (m, op) => putType(m, op.frame),
  },
});

/** The same call, taking the right to write away. The new entry has a reference of its own before the old one's type and reference go. */
export const writeProtect = operation('mmu.protect', {
  agent: domain,
  says: 'makes its entry for {frame} read-only',
  source: 'xen/arch/x86/mm.c, mod_l1_entry, put_page_from_l1e',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.pte.rights[m.pte.at(op.agent, op.frame)] === WRITE,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.agent, op.frame));
  },
  errors: ERRNO,
  steps: {
    'take a reference': (m, op) => (getPage(m, op.frame, op.agent) ? OK : ERRNO.EPERM),
    'write the entry': (m, op) => {
      const row = m.pte.at(op.agent, op.frame);
      if (m.pte.rights[row] !== WRITE) return ERRNO.EBUSY;
      m.pte.rights[row] = READ;
      return OK;
    },
    'drop the type of the old entry': (m, op) => putType(m, op.frame),
    'drop the reference of the old entry': (m, op) => putPage(m, op.frame),
  },
  undo: { 'take a reference': (m, op) => putPage(m, op.frame) },
});

/** The same call, clearing a present entry. The last reference frees the frame, which flushes. */
export const unmapFrame = operation('mmu.unmap', {
  agent: domain,
  says: 'unmaps {frame}',
  source: 'xen/arch/x86/mm.c, put_page_from_l1e',
  input: { frame },
  locals: ['had'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.pte.rights[m.pte.at(op.agent, op.frame)] !== NO_RIGHT,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.agent, op.frame));
  },
  errors: ERRNO,
  steps: {
    'clear the entry': (m, op) => {
      const row = m.pte.at(op.agent, op.frame);
      op.had = m.pte.rights[row];
      m.pte.rights[row] = NO_RIGHT;
      m.pte.large[row] = 0;
    },
    'drop the type': (m, op) => {
      if (op.had === WRITE) putType(m, op.frame);
    },
    'drop the reference': (m, op) => putPage(m, op.frame),
  },
});

/** MMUEXT_PIN_TABLE: the frame becomes a page table. First the type is taken, then no vCPU may still write, then it is used. */
export const pinTable = operation('mmu.pin', {
  agent: domain,
  says: 'makes {frame} a page table',
  source: 'xen/arch/x86/mm.c, do_mmuext_op, _get_page_type; XSA-401 for the order',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.pageTable.pinned[op.frame] === 0,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pageTable, op.frame);
  },
  errors: ERRNO,
  steps: {
    'take a reference': (m, op) => (getPage(m, op.frame, op.agent) ? OK : ERRNO.EPERM),
    'read the type': (m, op) => (m.frame.types[op.frame] === 0 ? OK : ERRNO.EBUSY),
    'take the type': (m, op) => {
      if (m.frame.types[op.frame] !== 0) return ERRNO.EBUSY;
      m.frame.type[op.frame] = TYPE_PAGE_TABLE;
      m.frame.types[op.frame] = 1;
      m.frame.validating[op.frame] = 1;
      return OK;
    },
    'flush the TLBs': (m, op) => {
      if (m.on(flushOnRetyping)) flushFrame(m, op.frame);
    },
    'validate and pin': (m, op) => {
      m.frame.validating[op.frame] = 0;
      m.pageTable.pinned[op.frame] = 1;
    },
  },
  undo: { 'take a reference': (m, op) => putPage(m, op.frame) },
});

/** MMUEXT_UNPIN_TABLE. */
export const unpinTable = operation('mmu.unpin', {
  agent: domain,
  says: 'no longer uses {frame} as a page table',
  source: 'xen/arch/x86/mm.c, do_mmuext_op (MMUEXT_UNPIN_TABLE)',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => m.frame.owner[op.frame] === op.agent,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pageTable, op.frame);
  },
  errors: ERRNO,
  steps: {
    'clear the pin': (m, op) => {
      if (m.pageTable.pinned[op.frame] === 0) return ERRNO.EINVAL;
      m.pageTable.pinned[op.frame] = 0;
      return OK;
    },
    'drop the type': (m, op) => putType(m, op.frame),
    'drop the reference': (m, op) => putPage(m, op.frame),
  },
});

/** XENMEM_decrease_reservation of a mapped frame: the VMM takes the mapping out itself, which may need memory, then frees. */
export const withdrawFrame = operation('mmu.withdraw', {
  agent: domain,
  says: 'gives {frame} back while it is mapped',
  source: 'xen/common/memory.c, guest_remove_page; XSA-222, XSA-247 for the failure',
  input: { frame },
  locals: ['had'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) =>
      m.frame.owner[op.frame] === op.agent &&
      m.frame.allocated[op.frame] === 1 &&
      m.pte.rights[m.pte.at(op.agent, op.frame)] !== NO_RIGHT,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.agent, op.frame));
  },
  errors: ERRNO,
  atomic: true,
  steps: {
    'remove the mapping': (m, op) => {
      const row = m.pte.at(op.agent, op.frame);
      op.had = m.pte.rights[row];
      if (m.fails(splitTable)) return ERRNO.ENOMEM;
      m.pte.rights[row] = NO_RIGHT;
      return OK;
    },
    'drop the type': (m, op) => {
      if (op.had === WRITE) putType(m, op.frame);
    },
    'drop the reference': (m, op) => putPage(m, op.frame),
    'drop the allocation reference': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});
