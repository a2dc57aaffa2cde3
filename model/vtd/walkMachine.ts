/**
 * Every shape that root, context and second-level entries can have, level by level, and requests that walk them. Source: VT-d
 * Architecture Specification, 3.4, 3.7, 7.1.3, 9.1, 9.3, 9.8.
 *
 * The initial state chooses a shape for each entry on the way, as long as the entry above leads on; requests change nothing. The tables
 * are built from the shapes; what a request must meet is told from the shapes alone (properties/vtdWalk.ts), never from the words.
 */
import {
  fail,
  flag,
  i32,
  type Machine,
  type MachineDef,
  module,
  OK,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../kernel/index.js';
import {
  contextHigh,
  entryLow,
  FAULT_DISABLE,
  PAGE_SIZE,
  PRESENT,
  READ,
  READ_WRITE,
  type UnitCapability,
  WRITE,
} from './entries.js';
import { REASON } from './reasons.js';
import { INTERRUPT_FRAME, type TableMemory, translate, Walk } from './walk.js';

export const ROOT_SHAPES = ['present', 'absent', 'reserved bit', 'out of memory'] as const;
export const CONTEXT_SHAPES = [
  ...([
    '3 levels',
    '4 levels',
    'absent',
    'reserved bit',
    '5 levels',
    'pass-through',
    'reserved type',
    'faults disabled',
  ] as const),
] as const;
export const ENTRY_SHAPES = [
  ...(['absent', 'next, rw', 'next, r', 'next, w', 'superpage, rw', 'superpage, r', 'superpage, askew'] as const),
  ...(['reserved bit', 'beyond host width', 'out of memory', 'absent with other bits', 'interrupt window'] as const),
  'next, rw, all ignored bits',
] as const;
const rootShape = sort('root entry', { members: ROOT_SHAPES });
const contextShape = sort('context entry', { members: CONTEXT_SHAPES });
const entryShape = sort('entry', { members: ENTRY_SHAPES });
const unitKind = sort('unit', { members: ['with superpages', 'without superpages', 'with pass-through'] });
const level = sort('level', { members: ['level 4', 'level 3', 'level 2', 'level 1'] });
const walkFrame = sort('walked frame', { members: ['root', 'context', 'level 4', 'level 3', 'level 2', 'level 1'] });
const word = sort('word', { members: ['0', '1', '2', '3'] });
/** Where requests aim, relative to the page whose way is laid out. */
export const probe = sort('probe', {
  members: ['the page', 'its neighbour', 'the next 2 MiB', 'the next 1 GiB', 'beyond 39 bits', 'beyond 48 bits'],
});

/** Row of `level` for level n. */
export const levelRow = (n: number): number => 4 - n;
const FIRST = 0x10;
const SOURCE_ID = 0x0128;
/** 9.8: bits 10:8, and bits 61:52 and 63, are for software. */
const IGNORED_LOW = 0x700;
const IGNORED_HIGH = 0xbff00000 | 0;
const BASE = 0x40000;
/** Superpages and the page itself: frames that a leaf of each level names. */
export const LEAF_FRAME = [0, 0x45, 0x200, BASE] as const;
/** Indices of the way: level 4 is 0, so that 3 levels reach it too. */
export const PAGE = (1 << 18) | (2 << 9) | 3;
const PROBE_PAGE = [PAGE, PAGE + 1, PAGE + 512, PAGE + (1 << 18), PAGE | (1 << 27), PAGE];
export const probePage = (p: number): number => PROBE_PAGE[p];
const probeHigh = (p: number): number => (p === 5 ? 16 : 0);

export const walkTables = {
  shape: table([level], { entry: u8() }),
  shapes: table([], { root: u8(), context: u8(), unit: u8() }),
  /** The entry on the way, of each frame; every other entry is zero. */
  walked: table([walkFrame, word], { word: i32() }),
};
export type WalkMachine = Machine & State<typeof walkTables>;
const operation = operationOn<WalkMachine>();

const unit = (superpages: number, passThrough: boolean): UnitCapability => ({
  ...{ hostBits: 39, guestBits: 48, widths: 0b110, superpages, passThrough },
  ...{ deviceTlb: false, snoopControl: false },
});
export const UNITS: readonly UnitCapability[] = [unit(3, false), unit(0, false), unit(3, true)];

/** Index of the kept entry's word 0 in each frame. */
const AT = [(SOURCE_ID >>> 8) * 4, (SOURCE_ID & 0xff) * 4, 0, 2 * 1, 2 * 2, 2 * 3];

class WalkedMemory implements TableMemory {
  m: WalkMachine | undefined = undefined;
  reaches(frame: number): boolean {
    return frame >= FIRST && frame < FIRST + 6;
  }
  word(frame: number, index: number): number {
    const row = frame - FIRST;
    const offset = index - AT[row];
    return this.m !== undefined && offset >= 0 && offset < (row < 2 ? 4 : 2) ? this.m.walked.word[row * 4 + offset] : 0;
  }
}
const memory = new WalkedMemory();
/** The machine's memory for one walk. */
export function memoryOfWalk(m: WalkMachine): TableMemory {
  memory.m = m;
  return memory;
}

/** Whether a shape leads to the table below. */
const leads = (shape: number): boolean =>
  (shape >= 1 && shape <= 3) || ENTRY_SHAPES[shape] === 'next, rw, all ignored bits';

/** Builds the words of an entry at a level; `below` is the frame of the next table. */
function put(m: WalkMachine, n: number, shape: number): void {
  const row = 6 - n;
  const leaf = n === 1;
  const next = leaf ? LEAF_FRAME[1] : FIRST + row + 1;
  const big = n === 4 ? BASE : LEAF_FRAME[n];
  let lo = 0;
  let hi = 0;
  switch (ENTRY_SHAPES[shape]) {
    case 'absent':
      break;
    case 'next, rw':
      lo = entryLow(next, READ_WRITE);
      break;
    case 'next, r':
      lo = entryLow(next, READ);
      break;
    case 'next, w':
      lo = entryLow(next, WRITE);
      break;
    case 'superpage, rw':
      lo = entryLow(big, READ_WRITE | PAGE_SIZE);
      break;
    case 'superpage, r':
      lo = entryLow(big, READ | PAGE_SIZE);
      break;
    case 'superpage, askew':
      lo = entryLow(big + 1, READ_WRITE | PAGE_SIZE);
      break;
    case 'reserved bit':
      lo = entryLow(next, READ_WRITE | 0x800);
      break;
    case 'beyond host width':
      lo = entryLow(next, READ_WRITE);
      hi = 1 << 7;
      break;
    case 'out of memory':
      lo = entryLow(0xabcde, READ_WRITE);
      break;
    case 'absent with other bits':
      lo = entryLow(next, 0x880);
      hi = 1 << 7;
      break;
    case 'interrupt window':
      lo = entryLow(INTERRUPT_FRAME + 5, READ_WRITE);
      break;
    case 'next, rw, all ignored bits':
      lo = entryLow(next, READ_WRITE | IGNORED_LOW);
      hi = IGNORED_HIGH;
      break;
  }
  m.walked.word[row * 4] = lo;
  m.walked.word[row * 4 + 1] = hi;
}

/** Builds root and context entry. */
function putHeads(m: WalkMachine): void {
  const root = m.shapes.root[0];
  const w = m.walked.word;
  w[0] = entryLow(root === 3 ? 0xabcde : FIRST + 1, root === 1 ? 0 : PRESENT);
  if (root === 2) w[2] = 1;
  const shape = CONTEXT_SHAPES[m.shapes.context[0]];
  const levels = shape === '4 levels' ? 4 : shape === '5 levels' ? 5 : 3;
  const table = FIRST + (levels === 3 ? 3 : 2);
  const type = shape === 'pass-through' ? 0x8 : shape === 'reserved type' ? 0xc : 0;
  const bits = (shape === 'absent' ? 0 : PRESENT) | (shape === 'faults disabled' ? FAULT_DISABLE : 0) | type;
  w[4] = entryLow(table, bits | (shape === 'reserved bit' ? 0x10 : 0));
  w[6] = contextHigh(levels, 7);
}

/** Chooses a shape for each entry on the way, as far as the way leads. */
function initial(m: WalkMachine): void {
  m.shapes.unit[0] = m.choose(unitKind);
  m.shapes.root[0] = m.choose(rootShape);
  if (m.shapes.root[0] === 0) {
    m.shapes.context[0] = m.choose(contextShape);
    const shape = CONTEXT_SHAPES[m.shapes.context[0]];
    let going = shape === '3 levels' || shape === '4 levels' || shape === 'faults disabled';
    for (let n = shape === '4 levels' ? 4 : 3; going && n >= 1; n--) {
      m.shape.entry[levelRow(n)] = m.choose(entryShape, `level ${n}`);
      put(m, n, m.shape.entry[levelRow(n)]);
      going = leads(m.shape.entry[levelRow(n)]);
    }
  }
  putHeads(m);
}

const out = new Walk();
/** The result of the last request: what the walk told beyond the reason. */
export const lastWalk = out;

/** A request of 01:05.0. It succeeds with the frame in `frame`, or fails with the reason of the manual. */
export const send = operation('walk.send', {
  agent: 'device',
  path: 'translate',
  says: 'sends a request for {at} (write: {write})',
  source: 'VT-d 3.7',
  fault: 'F2',
  input: { at: probe, write: flag },
  locals: ['frame', 'alternatives'],
  touches: (m, _op, may) => {
    may.readAll(m.walked);
    may.read(m.shapes);
  },
  errors: Object.fromEntries(Object.entries(REASON)),
  steps: {
    walk: (m, op) => {
      const at = UNITS[m.shapes.unit[0]];
      return deliver(
        op,
        translate(at, memoryOfWalk(m), FIRST, SOURCE_ID, probePage(op.at), probeHigh(op.at), op.write === 1, out),
      );
    },
  },
});

/** Turns a walk's answer into the operation's. */
export function deliver(op: { frame: number; alternatives: number }, reason: number): number {
  op.frame = out.frame;
  op.alternatives = out.alternatives;
  return reason === 0 ? OK : fail(reason);
}

/** The arguments of the request's walk, for edits that walk in another way. */
export function requestOf(m: WalkMachine, op: { at: number; write: number }) {
  return {
    ...{ unit: UNITS[m.shapes.unit[0]], memory: memoryOfWalk(m), root: FIRST, sourceId: SOURCE_ID },
    ...{ lo: probePage(op.at), hi: probeHigh(op.at), write: op.write === 1 },
  };
}

export const vtdWalkMachine: MachineDef = {
  name: 'vtd-walk',
  modules: [module<WalkMachine, typeof walkTables>('VT-d walk', { tables: walkTables, operations: [send], initial })],
};
