/**
 * What a walk must find, told from the shapes of the entries on the way: an independent reading of the manual, without bits.
 */

import { READ, READ_WRITE, WRITE } from '../model/vtd/entries.js';
import { REASON, reasonName } from '../model/vtd/reasons.js';
import {
  CONTEXT_SHAPES,
  ENTRY_SHAPES,
  LEAF_FRAME,
  levelRow,
  PAGE,
  probePage,
  ROOT_SHAPES,
  send,
  UNITS,
  type WalkMachine,
} from '../model/vtd/walkMachine.js';
import { relation } from './property.js';

/** What a request must meet: one of these reasons (bit n for reason n), or, with none, this frame. */
interface Meaning {
  reasons: number;
  frame: number;
}

const one = (reason: number): Meaning => ({ reasons: 1 << reason, frame: -1 });
const lacking = (write: boolean): number => (write ? REASON.NO_WRITE : REASON.NO_READ);

/** The meaning of the shapes for a request: 3.4, 3.7, 7.1.3. */
export function meaning(m: WalkMachine, probe: number, write: boolean): Meaning {
  switch (ROOT_SHAPES[m.shapes.root[0]]) {
    case 'absent':
      return one(REASON.ROOT_NOT_PRESENT);
    case 'reserved bit':
      return one(REASON.ROOT_RESERVED);
    case 'out of memory':
      return one(REASON.CONTEXT_UNREACHABLE);
    default:
      return contextMeaning(m, probe, write);
  }
}

function contextMeaning(m: WalkMachine, probe: number, write: boolean): Meaning {
  const page = probePage(probe);
  switch (CONTEXT_SHAPES[m.shapes.context[0]]) {
    case 'absent':
      return one(REASON.CONTEXT_NOT_PRESENT);
    case 'reserved bit':
      return one(REASON.CONTEXT_RESERVED);
    case '5 levels':
    case 'reserved type':
      return one(REASON.CONTEXT_INVALID);
    case 'pass-through':
      if (!UNITS[m.shapes.unit[0]].passThrough) return one(REASON.CONTEXT_INVALID);
      return probe >= 4 ? one(REASON.ADDRESS_BEYOND_WIDTH) : { reasons: 0, frame: page };
    case '4 levels':
      // The page beyond 39 bits has another entry at level 4, which is absent.
      if (probe === 5) return one(REASON.ADDRESS_BEYOND_WIDTH);
      return probe === 4 ? one(lacking(write)) : entriesMeaning(m, 4, probe, write);
    default:
      return probe >= 4 ? one(REASON.ADDRESS_BEYOND_WIDTH) : entriesMeaning(m, 3, probe, write);
  }
}

/** Lowest level whose entry the probe shares with the page. */
const sharedLevel = [1, 2, 3, 4];

function entriesMeaning(m: WalkMachine, from: number, probe: number, write: boolean): Meaning {
  const superpages = UNITS[m.shapes.unit[0]].superpages !== 0;
  const needed = write ? WRITE : READ;
  let rights = READ_WRITE;
  for (let level = from; level >= 1; level--) {
    if (level < sharedLevel[probe]) return one(lacking(write));
    const shape = ENTRY_SHAPES[m.shape.entry[levelRow(level)]];
    if (shape === 'absent' || shape === 'absent with other bits') return one(lacking(write));
    if (shape === 'next, r' || shape === 'superpage, r') rights &= READ;
    if (shape === 'next, w') rights &= WRITE;
    const denied = (rights & needed) === 0 ? 1 << lacking(write) : 0;
    const refused = (reason: number): Meaning => ({ reasons: (1 << reason) | denied, frame: -1 });
    const leaf = (frame: number): Meaning => (denied !== 0 ? { reasons: denied, frame: -1 } : { reasons: 0, frame });
    const size = 1 << (9 * (level - 1));
    switch (shape) {
      case 'reserved bit':
      case 'beyond host width':
        return refused(REASON.TABLE_RESERVED);
      case 'superpage, askew':
        if (level === 1) return leaf(LEAF_FRAME[1] + 1);
        return refused(REASON.TABLE_RESERVED);
      case 'superpage, rw':
      case 'superpage, r':
        // In a last-level entry the bit is ignored; at level 4, or unsupported, it is reserved.
        if (level === 1) return leaf(LEAF_FRAME[1]);
        if (level === 4 || !superpages) return refused(REASON.TABLE_RESERVED);
        return leaf(LEAF_FRAME[level] + (probePage(probe) % size));
      case 'out of memory':
        return level === 1 ? leaf(0xabcde) : refused(REASON.TABLE_UNREACHABLE);
      case 'interrupt window':
        return level === 1 ? refused(REASON.INTERRUPT_WINDOW) : refused(REASON.TABLE_UNREACHABLE);
      default:
        if (level === 1) return leaf(LEAF_FRAME[1]);
    }
  }
  return one(lacking(write));
}

interface Sent {
  at: number;
  write: number;
  frame: number;
}
const POSITIVE = 0x30000;
const callOf = (m: WalkMachine): Sent => m.current.call as unknown as Sent;

/** A request reaches the frame that the tables mean, or fails. */
export const walkFindsMeaning = relation<WalkMachine>('I7', 'total', {
  states: 'a request reaches exactly the frame that the entries on its way mean, or none',
  holds: (_before, m, status) => {
    if (m.current.op.name !== send.name || status !== 0) return true;
    const { at, write, frame } = callOf(m);
    const meant = meaning(m, at, write === 1);
    return meant.reasons === 0 && meant.frame === frame;
  },
  witnesses: {
    'a 4 KiB page below 4 levels': (m) => m.shapes.context[0] === 1 && m.shape.entry[levelRow(1)] === 1,
    'a 2 MiB page': (m) => m.shape.entry[levelRow(2)] === 4,
    'a 1 GiB page': (m) => m.shape.entry[levelRow(3)] === 4,
    'a read-only table above a writable page': (m) =>
      m.shape.entry[levelRow(3)] === 2 && m.shape.entry[levelRow(1)] === 1,
    'pass-through': (m) => m.shapes.context[0] === 5 && m.shapes.unit[0] === 2,
  },
  explain: (_before, m) => {
    const { at, write, frame } = callOf(m);
    const meant = meaning(m, at, write === 1);
    const should = meant.reasons === 0 ? `frame ${meant.frame.toString(16)}h` : 'a fault';
    return `page ${(probePage(at) - PAGE).toString(16)}h from the page laid out reaches frame ${frame.toString(16)}h instead of ${should}`;
  },
});

/** A request that fails, fails for a reason that the manual gives; and none fails that is allowed. */
export const walkFaultsRight = relation<WalkMachine>('vtd-reason', 'reason', {
  states: 'a request fails only where the tables forbid it, with the reason of the manual',
  holds: (_before, m, status) => {
    if (m.current.op.name !== send.name || status === 0) return true;
    const { at, write } = callOf(m);
    return ((meaning(m, at, write === 1).reasons >>> (status - POSITIVE)) & 1) === 1;
  },
  witnesses: {
    'an askew superpage': (m) => m.shape.entry[levelRow(2)] === 6,
    'an entry into the interrupt window': (m) => m.shape.entry[levelRow(1)] === 11,
    'a table that is out of memory': (m) => m.shape.entry[levelRow(3)] === 9,
  },
  explain: (_before, _m, status) => `the request fails with: ${reasonName(status - POSITIVE)}`,
});
