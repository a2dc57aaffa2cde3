/**
 * Second-level entries that lie above 4 GiB, changed while hardware may read them. Source: VT-d Architecture Specification, 9.8 (a
 * second-level entry is 64 bits), 6.5.3.3 (changes that need invalidation); XSA-347 for what hardware sees of a change in parts.
 *
 * Two entries: a directory entry (level 2) that points to a table or is a 2 MiB page, and an entry (level 1) of that table for page 0.
 * Both are two words of 32 bits. Software changes an entry in one of two ways: by one store of 64 bits, or, where it has no such store, by
 * clearing the rights, invalidating, and writing the word with the rights last. Frames are placed so that every mixture of the words of two
 * entries is a frame of somebody else, whose content suits the attacker.
 *
 * Must keep: I13, hardware never uses a mixture; I15, after the change has returned, only the new entry is used.
 */
import {
  blockedBy,
  DISABLED,
  flag,
  i32,
  type Machine,
  type MachineDef,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../kernel/index.js';
import { leafMask, PAGE_SIZE, READ, READ_WRITE, type UnitCapability } from './entries.js';
import {
  addressWord,
  coversPage,
  coversStructure,
  decodeDescriptor,
  iotlbDescriptor0,
  Request,
  SELECTIVE,
} from './invalidation.js';
import { dmaRemapping } from './unit.js';
import { accessFault, type TableMemory, Walk, walkTables as walkFrom } from './walk.js';

export const tornEntry = sort('entry', { members: ['the page', 'the directory entry'] });
const half = sort('half', { members: ['low word', 'high word'] });
export const tornPage = sort('asked page', { members: ['page 0', 'page 1'] });
const tornWay = sort('way', { members: ['4 KiB', '2 MiB'] });
export const PAGE = 0;
export const DIRECTORY = 1;

/** What an entry can mean. Page-frame numbers above 2^20 have bits in the high word. */
export const MEANINGS = [
  ['absent', 'frame 20h, r', 'frame 20h, rw', 'frame 100030h, r', 'frame 100030h, rw'],
  ['absent', 'the table', '2 MiB page 200200h'],
] as const;
export const meaning = sort('meaning', { members: ['0', '1', '2', '3', '4'] });
export const ABSENT = 0;
export const SUPERPAGE = 2;
export const MEANT_FRAME = [
  [0, 0x20, 0x20, 0x100030, 0x100030],
  [0, 0x13, 0x200200],
] as const;
export const MEANT_BITS = [
  [0, READ, READ_WRITE, READ, READ_WRITE],
  [0, READ_WRITE, READ_WRITE | PAGE_SIZE],
] as const;
const DOMAIN_ID = 1;
const TOP = 0x11;
const MIDDLE = 0x12;
export const LEAF_TABLE = 0x13;
/** Where the content of frames that guests can write leads, taken for a table. */
export const VICTIM_FRAME = 0x40;

const UNIT: UnitCapability = {
  ...{ hostBits: 39, guestBits: 48, widths: 0b110, superpages: 0b11 },
  ...{ passThrough: false, deviceTlb: false, snoopControl: false },
};

export const tornTables = {
  tornWord: table([tornEntry, half], { word: i32() }),
  tornUnit: table([], {
    /** Software is in the middle of a change. */
    busy: oneOf('no', 'yes'),
    /** 6.2.4: the paging-structure entry of the first 2 MiB; rights 0: empty. */
    cachedTable: i32(),
    cachedRights: u8(),
  }),
  /** 6.2.3: translations, rights 0: empty. */
  tornTlb: table([tornWay], { rights: u8(), frame: i32() }),
  /** What software means, and the set of meanings that hardware may still use. */
  tornMeant: table([tornEntry], { now: u8(), may: u8() }),
};
export type Torn = Machine & State<typeof tornTables>;
const operation = operationOn<Torn>();

class TornMemory implements TableMemory {
  m: Torn | undefined = undefined;
  reaches(): boolean {
    return true;
  }
  word(frame: number, index: number): number {
    switch (frame) {
      case TOP:
        return index === 0 ? (MIDDLE << 12) | READ_WRITE : 0;
      case MIDDLE:
      case LEAF_TABLE: {
        const entry = frame === MIDDLE ? DIRECTORY : PAGE;
        return index < 2 && this.m !== undefined ? this.m.tornWord.word[entry * 2 + index] : 0;
      }
      default:
        return (index & 1) === 0 ? (VICTIM_FRAME << 12) | READ_WRITE : 0;
    }
  }
}
const memory = new TornMemory();
const walk = new Walk();
const request = new Request();
const BLOCKED = blockedBy(dmaRemapping);

/** The words of an entry with this meaning. */
export const lowWord = (entry: number, to: number): number => (MEANT_FRAME[entry][to] << 12) | MEANT_BITS[entry][to];
export const highWord = (entry: number, to: number): number => MEANT_FRAME[entry][to] >>> 20;

/** Walks to a page, from the paging-structure cache where it may be used; false when there is nothing. Details stay in `walk`. */
function find(m: Torn, page: number, cached: boolean): boolean {
  memory.m = m;
  const short = cached && m.tornUnit.cachedRights[0] !== 0;
  const broken = short
    ? walkFrom(UNIT, memory, m.tornUnit.cachedTable[0], 1, page, 0, m.tornUnit.cachedRights[0], walk)
    : walkFrom(UNIT, memory, TOP, 3, page, 0, READ_WRITE, walk);
  return broken === 0 && walk.rights !== 0;
}

/** A request of the device. It uses what is cached, or walks: both are allowed at any moment. */
export const tornDma = operation('torn.dma', {
  agent: 'device',
  says: 'sends a request for {page} (write: {write}, from the caches: {cached})',
  source: 'VT-d 3.7, 6.2',
  fault: 'F2',
  input: { page: tornPage, write: flag, cached: flag },
  locals: ['frame', 'rights'],
  touches: (m, _op, may) => {
    may.readAll(m.tornWord);
    may.readAll(m.tornTlb);
    may.read(m.tornUnit);
  },
  steps: {
    'find translation': (m, op) => {
      if (!m.on(dmaRemapping)) {
        op.frame = op.page;
        op.rights = READ_WRITE;
        return OK;
      }
      const w = m.tornTlb.rights[1] !== 0 ? 1 : m.tornTlb.rights[0] !== 0 && op.page === 0 ? 0 : -1;
      if (op.cached === 1 && w >= 0) {
        op.frame = m.tornTlb.frame[w] | (w === 1 ? op.page : 0);
        op.rights = m.tornTlb.rights[w];
        return OK;
      }
      if (!find(m, op.page, op.cached === 1)) return BLOCKED;
      op.frame = walk.frame;
      op.rights = walk.rights;
      return OK;
    },
    'check rights': (_m, op) => (accessFault(op.rights, op.write === 1) !== 0 ? BLOCKED : OK),
  },
});

export const cacheTornPage = operation('torn.cachePage', {
  agent: 'unit',
  says: 'caches the translation of page 0',
  source: 'VT-d 6.2.3',
  idle: true,
  touches: (m, _op, may) => {
    for (let w = 0; w < m.tornTlb.rows; w++) may.write(m.tornTlb, w);
  },
  steps: {
    fetch: (m) => (find(m, 0, true) ? OK : DISABLED),
    keep: (m) => {
      const w = walk.leafLevel - 1;
      m.tornTlb.frame[w] = walk.frame & ~leafMask(walk.leafLevel);
      m.tornTlb.rights[w] = walk.rights;
    },
  },
});

export const cacheTornDirectory = operation('torn.cacheDirectory', {
  agent: 'unit',
  says: 'caches the paging-structure entry of the first 2 MiB',
  source: 'VT-d 6.2.4',
  idle: true,
  touches: (m, _op, may) => may.write(m.tornUnit),
  steps: {
    fetch: (m) => {
      find(m, 0, false);
      return walk.directory < 0 || walk.directoryRights === 0 ? DISABLED : OK;
    },
    keep: (m) => {
      m.tornUnit.cachedTable[0] = walk.directory;
      m.tornUnit.cachedRights[0] = walk.directoryRights;
    },
  },
});

/** Software asks for page 0 (a superpage is covered by any of its pages) and waits; the hint says that only a leaf has changed. */
export function invalidateTorn(m: Torn, leafOnly: boolean): void {
  decodeDescriptor(iotlbDescriptor0(SELECTIVE, DOMAIN_ID), 0, addressWord(0, 0, leafOnly), 0, request);
  for (let w = 0; w < 2; w++) {
    if (!coversPage(request, DOMAIN_ID, 0, 0, leafMask(w + 1))) continue;
    m.tornTlb.rights[w] = 0;
    m.tornTlb.frame[w] = 0;
  }
  if (!coversStructure(request, DOMAIN_ID, 0, 0, leafMask(2))) return;
  m.tornUnit.cachedTable[0] = 0;
  m.tornUnit.cachedRights[0] = 0;
}

/** What both ways of changing an entry need to start. */
const startable = (m: Torn): boolean => m.tornUnit.busy[0] === 0;
const another = (m: Torn, op: { entry: number; to: number }): boolean =>
  op.to < MEANINGS[op.entry].length && op.to !== m.tornMeant.now[op.entry];

function begin(m: Torn, op: { entry: number; to: number }): void {
  m.tornUnit.busy[0] = 1;
  m.tornMeant.now[op.entry] = op.to;
  m.tornMeant.may[op.entry] |= 1 << op.to;
}

/** The change has returned: software relies on the new entry alone. Of the page, it relies on nothing that the directory hides. */
function end(m: Torn, op: { entry: number }): void {
  m.tornUnit.busy[0] = 0;
  m.tornMeant.may[op.entry] = 1 << m.tornMeant.now[op.entry];
}

/** With one store of 64 bits: old or new, nothing between. */
export const exchangeEntry = operation('torn.exchange', {
  agent: 'vmm',
  says: 'makes {entry} number {to} of its meanings, by one store',
  source: 'VT-d 6.5.3.3; Xen 56f8da75e1 (entries are written at once)',
  input: { entry: tornEntry, to: meaning },
  where: { agent: startable, to: another },
  touches: touchChange,
  steps: {
    'store both words': (m, op) => {
      begin(m, op);
      m.tornWord.word[op.entry * 2] = lowWord(op.entry, op.to);
      m.tornWord.word[op.entry * 2 + 1] = highWord(op.entry, op.to);
    },
    invalidate: (m, op) => invalidateTorn(m, op.entry === PAGE),
    done: end,
  },
});

/** With stores of 32 bits: the entry is absent from the first store to the last. */
export const replaceEntry = operation('torn.replace', {
  agent: 'vmm',
  says: 'makes {entry} number {to} of its meanings, word by word',
  source: 'VT-d 6.5.3.3; XSA-347',
  input: { entry: tornEntry, to: meaning },
  where: { agent: startable, to: another },
  touches: touchChange,
  steps: {
    'clear the rights': (m, op) => {
      begin(m, op);
      m.tornWord.word[op.entry * 2] = 0;
    },
    invalidate: (m, op) => invalidateTorn(m, op.entry === PAGE),
    'write the high word': (m, op) => {
      m.tornWord.word[op.entry * 2 + 1] = highWord(op.entry, op.to);
    },
    'write the low word': (m, op) => {
      m.tornWord.word[op.entry * 2] = lowWord(op.entry, op.to);
    },
    done: end,
  },
});

function touchChange(
  m: Torn,
  op: { entry: number },
  may: { write(t: Torn['tornWord' | 'tornTlb' | 'tornMeant' | 'tornUnit'], row?: number): void },
): void {
  for (let i = 0; i < 2; i++) {
    may.write(m.tornWord, op.entry * 2 + i);
    may.write(m.tornTlb, i);
  }
  may.write(m.tornMeant, op.entry);
  may.write(m.tornUnit);
}

export const vtdTornMachine: MachineDef = {
  name: 'vtd-torn',
  threads: () => ['vmm'],
  split: ['torn.exchange', 'torn.replace'],
  modules: [
    module<Torn, typeof tornTables>('VT-d torn entries', {
      tables: tornTables,
      operations: [tornDma, cacheTornPage, cacheTornDirectory, exchangeEntry, replaceEntry],
      initial: (m) => {
        for (let e = 0; e < 2; e++) {
          m.tornMeant.now[e] = 1;
          m.tornMeant.may[e] = 2;
          m.tornWord.word[e * 2] = lowWord(e, 1);
          m.tornWord.word[e * 2 + 1] = highWord(e, 1);
        }
      },
      map: (m) =>
        [0, 1].map((e) => {
          const words = `${(m.tornWord.word[e * 2 + 1] >>> 0).toString(16)}:${(m.tornWord.word[e * 2] >>> 0).toString(16)}h`;
          return `${tornEntry.members?.[e]}: ${MEANINGS[e][m.tornMeant.now[e]]}, words ${words}`;
        }),
    }),
  ],
};
