/**
 * State of a small machine behind a VT-d unit: table memory in real words, the unit's registers and caches, and what software
 * means by it all. Source: VT-d Architecture Specification, 3.4 (tables), 6.2 (caches and their tags), 10.4 (registers).
 *
 * The memory is sparse, not scaled: every table has 512 real entries, of which those named here are kept and all others read as zero; so
 * the walker sees real bit positions. Two address spaces, two requesters:
 *   space A  domain id 1, 4 levels, two 4 KiB pages below one directory (table of level 1)
 *   space B  domain id 2, 3 levels, one 2 MiB page
 *   00:05.0  moves between A, B and nothing;   01:05.0  same device number on another bus, in space B for good
 */
import { i32, type Machine, module, oneOf, type State, sort, table, u8, u16 } from '../kernel/index.js';
import { contextHigh, entryLow, PAGE_SIZE, PRESENT, READ_WRITE, type UnitCapability } from './entries.js';
import { INTERRUPT_FRAME, type TableMemory } from './walk.js';

export const requester = sort('requester', { members: ['00:05.0', '01:05.0'] });
export const SOURCE_IDS = [0x0028, 0x0128] as const;
export const space = sort('address space', { members: ['space A', 'space B'] });
export const DOMAIN_IDS = [1, 2] as const;
/** What devices aim at: the pages in use, and the frame number of the VMM's frame as an address. */
export const ioPage = sort('I/O page', { members: ['page 0', 'page 1', 'page 30h'] });
export const tableFrame = sort('table frame', {
  members: [
    'root',
    'context 00',
    'context 01',
    'A level 4',
    'A level 3',
    'A level 2',
    'A level 1',
    'B level 3',
    'B level 2',
  ],
});
export const slot = sort('slot', { members: ['first', 'second'] });
/** What can be mapped: page 0 and 1 of space A, the 2 MiB page of space B. */
export const mapping = sort('mapping', { members: ['A page 0', 'A page 1', 'B 2 MiB page'] });
/** Ways of the IOTLB: one for each mapping, so that fills do not depend on the order of earlier ones. */
export const way = sort('IOTLB way', { members: ['0', '1', '2'] });

/** Rows of `tableFrame`. */
export const ROOT = 0;
export const CONTEXT_0 = 1;
const CONTEXT_1 = 2;
export const A_LEVEL_4 = 3;
export const A_LEVEL_2 = 5;
export const A_LEVEL_1 = 6;
export const B_LEVEL_3 = 7;
export const B_LEVEL_2 = 8;

/** Page-frame numbers. */
export const FIRST_TABLE = 0x10;
const DATA_A = 0x20;
export const VMM_FRAME = 0x30;
/** 2 MiB aligned. */
export const DATA_B = 0x200;
const FRAMES_B = 0x200;

/** Frame that a page of a mapping means; -1 when the page is not of the mapping. */
export function meantFrame(which: number, page: number): number {
  switch (which) {
    case 0:
    case 1:
      return page === which ? DATA_A + which : -1;
    default:
      return page < FRAMES_B ? DATA_B + page : -1;
  }
}
/** Space of a mapping. */
export const spaceOf = (which: number): number => (which < 2 ? 0 : 1);
/** Address of a page input: the third is the VMM's frame. */
export const pageNumber = (p: number): number => (p === 2 ? VMM_FRAME : p);

/** 39-bit host addresses, 3 and 4 levels, 2 MiB and 1 GiB pages. */
export const UNIT: UnitCapability = {
  hostBits: 39,
  guestBits: 48,
  widths: 0b110,
  superpages: 0b11,
  passThrough: false,
  deviceTlb: false,
  snoopControl: false,
};

export const vtdTables = {
  /** Table memory: the words that are not always zero. */
  vtdMemory: table([tableFrame, slot], { word: i32() }),
  vtdUnit: table([], {
    /** Root table that SRTP latched. */
    root: u16(),
    /** GSTS.TES. */
    translating: oneOf('no', 'yes'),
    /** Devices may send requests (bus master enable). */
    masters: oneOf('no', 'yes'),
    /** Software is in the middle of a change of several steps. */
    busy: oneOf('no', 'yes'),
  }),
  /** 6.2.2: context entries by source id. */
  contextCache: table([requester], {
    valid: oneOf('no', 'yes'),
    source: u16(),
    did: u8(),
    table: u16(),
    levels: u8(),
  }),
  /** 6.2.4: a paging-structure entry, tagged by domain id: the directory of the first 2 MiB. Rights 0: empty. */
  pagingCache: table([], { rights: u8(), did: u8(), frame: u16() }),
  /** 6.2.3: translations, tagged by domain id and page; a superpage is one entry. Rights 0: empty. */
  iotlb: table([way], { rights: u8(), did: u8(), level: u8(), page: u16(), frame: u16() }),
  /** What software means (no bits): current rights of each mapping. */
  meant: table([mapping], { rights: u8() }),
  /** Space of each requester plus one, 0 for none; the directory of space A is in place, or given away as a data frame. */
  attached: table([requester], { space: u8() }),
  directory: table([], { present: oneOf('no', 'yes'), recycled: oneOf('no', 'yes') }),
  /** What hardware may still use, in the terms of `meant`: it was meant, and no completed invalidation covered it since. */
  may: table([mapping], { rights: u8() }),
  mayAttach: table([requester], { spaces: u8() }),
  mayDirectory: table([], { used: oneOf('no', 'yes') }),
};

export type Vtd = Machine & State<typeof vtdTables>;

/** An entry that a guest might have left in a data frame: the whole VMM frame, read and write. */
export const HOSTILE_ENTRY = entryLow(VMM_FRAME, READ_WRITE);

/** The packed words, as the unit's walker reads them. Data frames hold what suits the attacker: entries for the VMM's frame. */
class PackedMemory implements TableMemory {
  m: Vtd | undefined = undefined;

  reaches(frame: number): boolean {
    const row = frame - FIRST_TABLE;
    return (row >= 0 && row <= B_LEVEL_2) || isData(frame) || frame === VMM_FRAME;
  }

  word(frame: number, index: number): number {
    if (isData(frame)) return (index & 1) === 0 ? HOSTILE_ENTRY : 0;
    const row = frame - FIRST_TABLE;
    if (row < 0 || row > B_LEVEL_2 || this.m === undefined) return 0;
    const at = slotOf(row, index);
    return at < 0 ? 0 : this.m.vtdMemory.word[row * 2 + at];
  }
}

/** Which of a frame's two kept words an index is, or -1. */
function slotOf(row: number, index: number): number {
  if (row === ROOT) return index === 0 ? 0 : index === 4 ? 1 : -1;
  if (row === CONTEXT_0 || row === CONTEXT_1) return index === 0x28 * 4 ? 0 : index === 0x28 * 4 + 2 ? 1 : -1;
  return index === 0 ? 0 : index === 2 ? 1 : -1;
}

/** Frames that guests can write. */
export function isData(frame: number): boolean {
  return frame === DATA_A || frame === DATA_A + 1 || (frame >= DATA_B && frame < DATA_B + FRAMES_B);
}

const packed = new PackedMemory();

/** The machine's memory for a walk; one object, so it is used at once. */
export function memoryOf(m: Vtd): TableMemory {
  packed.m = m;
  return packed;
}

/** Row of a word in `vtdMemory`. */
export const wordRow = (frameRow: number, at: number): number => frameRow * 2 + at;

/** Word 0 of a context entry for a space. */
export const contextLow = (s: number): number => entryLow(FIRST_TABLE + (s === 0 ? A_LEVEL_4 : B_LEVEL_3), PRESENT);
/** Word 2 of a context entry for a space. */
export const contextWord2 = (s: number): number => contextHigh(s === 0 ? 4 : 3, DOMAIN_IDS[s]);

const boot = sort('boot', {
  members: ['running, 00:05.0 in space B', 'running, 00:05.0 in space A', "off, with an earlier kernel's caches"],
});

/** Builds the tables: everything above the entries that operations change. */
function initial(m: Vtd): void {
  const { word } = m.vtdMemory;
  const put = (row: number, at: number, value: number): void => {
    word[wordRow(row, at)] = value;
  };
  put(ROOT, 0, entryLow(FIRST_TABLE + CONTEXT_0, PRESENT));
  put(ROOT, 1, entryLow(FIRST_TABLE + CONTEXT_1, PRESENT));
  put(A_LEVEL_4, 0, entryLow(FIRST_TABLE + A_LEVEL_4 + 1, READ_WRITE));
  put(A_LEVEL_4 + 1, 0, entryLow(FIRST_TABLE + A_LEVEL_2, READ_WRITE));
  put(A_LEVEL_2, 0, entryLow(FIRST_TABLE + A_LEVEL_1, READ_WRITE));
  put(B_LEVEL_3, 0, entryLow(FIRST_TABLE + B_LEVEL_2, READ_WRITE));
  put(B_LEVEL_2, 0, entryLow(DATA_B, READ_WRITE | PAGE_SIZE));
  m.directory.present[0] = 1;
  m.mayDirectory.used[0] = 1;
  for (let u = 0; u < m.meant.rows; u++) {
    m.meant.rights[u] = READ_WRITE;
    m.may.rights[u] = READ_WRITE;
    if (u < 2) put(A_LEVEL_1, u, entryLow(meantFrame(u, u), READ_WRITE));
  }
  for (let r = 0; r < SOURCE_IDS.length; r++) {
    put(CONTEXT_0 + r, 0, contextLow(1));
    put(CONTEXT_0 + r, 1, contextWord2(1));
    m.attached.space[r] = 2;
    m.mayAttach.spaces[r] = 2;
  }
  m.vtdUnit.root[0] = FIRST_TABLE + ROOT;
  const start = m.choose(boot);
  if (start === 1) {
    put(CONTEXT_0, 0, contextLow(0));
    put(CONTEXT_0, 1, contextWord2(0));
    m.attached.space[0] = 1;
    m.mayAttach.spaces[0] = 1;
  }
  if (start < 2) {
    m.vtdUnit.translating[0] = 1;
    m.vtdUnit.masters[0] = 1;
    return;
  }
  // A former kernel used domain id 2 for what is now the VMM's; its root table is gone.
  m.vtdUnit.root[0] = INTERRUPT_FRAME & 0xffff;
  m.iotlb.rights[2] = READ_WRITE;
  m.iotlb.did[2] = DOMAIN_IDS[1];
  m.iotlb.level[2] = 1;
  m.iotlb.page[2] = VMM_FRAME;
  m.iotlb.frame[2] = VMM_FRAME;
}

/** Tables and initial values; operations come from `unit.ts` and `software.ts`. */
export const vtdState = module<Vtd, typeof vtdTables>('VT-d state', {
  tables: vtdTables,
  operations: [],
  initial,
  map: memoryMap,
});

const RIGHTS = ['-', 'r', 'w', 'rw'];

/** Lines of the memory map: requesters, mappings, caches. */
function memoryMap(m: Vtd): string[] {
  const lines: string[] = [];
  for (let r = 0; r < SOURCE_IDS.length; r++) {
    const at = m.attached.space[r];
    const cached = m.contextCache.valid[r] ? `domain id ${m.contextCache.did[r]}` : 'nothing';
    lines.push(`${requester.members?.[r]}: attached to ${at ? space.members?.[at - 1] : 'nothing'}, cached ${cached}`);
  }
  for (let u = 0; u < m.meant.rows; u++) {
    lines.push(`${mapping.members?.[u]}: ${RIGHTS[m.meant.rights[u]]}, may still be used ${RIGHTS[m.may.rights[u]]}`);
  }
  for (let w = 0; w < m.iotlb.rows; w++) {
    if (m.iotlb.rights[w] === 0) continue;
    const { did, page, frame, rights, level } = m.iotlb;
    lines.push(
      `IOTLB: domain id ${did[w]} page ${page[w].toString(16)}h -> frame ${frame[w].toString(16)}h ${RIGHTS[rights[w]]} level ${level[w]}`,
    );
  }
  if (m.pagingCache.rights[0] !== 0)
    lines.push(`paging-structure cache: frame ${m.pagingCache.frame[0].toString(16)}h`);
  return lines;
}
