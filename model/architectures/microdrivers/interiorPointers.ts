/**
 * Pointers into the middle of objects that the tracker knows, on their way between the halves.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4 (ranges for interior pointers) and D3 (container-of, range store).
 *
 * State: that of the tracker, with a range for each object that it knows. An address is an object's place and a word of it; places are two
 * words apart, and what lies behind a small object belongs to nobody. Operations: a field that points into an array crosses, either way:
 * the range that has the address gives the partner, the same offset is added, and it must lie within the partner, whose size may differ.
 * What no range has is an error: it is neither passed on nor taken for the nearest object.
 *
 * Must keep: MD-S4, a range follows its pair, and an address becomes the same word of the partner or none. Not kept by the design: that it
 * is the object which the field is for, since ranges have no kinds.
 */
import { blockedBy, gate, module, NONE, OK, operationOn, sort } from '../../kernel/index.js';
import { ARRAY, bothRun, kernelObject, LARGE, type Tracker, userPointer } from './trackerState.js';

const operation = operationOn<Tracker>();

/** A word of an object, or the one behind a small object: pointers to the end of an array are common. */
export const word = sort('word', { members: ['the first word', 'the second word'] });
/** Words from one place to the next. */
export const WORDS = LARGE;

/** The translated address lies within the partner. */
export const rangeBounds = gate('range bounds');

/** EFAULT: no range has the address. */
export const RANGE_ERRORS = { EFAULT: -14 } as const;

/** A crossing address on its way: where it points; then the partner of that object, and the offset; then where it points to over there. */
export interface Crossing {
  word: number;
  partner: number;
  offset: number;
  place: number;
  at: number;
}

/** Goes on from the partner's place by the offset. */
export function addOffset(op: Crossing): void {
  op.place = op.partner;
  op.at = op.offset;
}

/** A pointer of the kernel half's into an array, or to its end, goes up in a field. */
export const passInterior = operation('interior.pass', {
  agent: 'kernel half',
  says: 'passes a pointer to {word} of {object} to the user half',
  source: 'D4: ranges for interior pointers',
  input: { object: kernelObject, word },
  locals: ['partner', 'offset', 'place', 'at'],
  where: {
    agent: bothRun,
    object: (m, op) => m.kernelObject.live[op.object] === 1 && m.kernelObject.kind[op.object] === ARRAY,
  },
  touches: () => {},
  errors: RANGE_ERRORS,
  steps: {
    'look up the range': (m, op) => {
      if (m.kernelRange.pointer[op.object] === NONE || op.word >= m.kernelRange.size[op.object]) {
        return RANGE_ERRORS.EFAULT;
      }
      op.partner = m.kernelRange.pointer[op.object];
      op.offset = op.word;
      return OK;
    },
    'stay within the partner': (m, op) =>
      op.offset >= m.userRange.size[op.partner] && m.on(rangeBounds) ? blockedBy(rangeBounds) : OK,
    'add the offset': (_m, op) => addOffset(op),
  },
});

/** The range that has an address of the user half. */
export function lookUpUserRange(m: Tracker, op: Crossing & { pointer: number }): number {
  if (m.userRange.object[op.pointer] === NONE || op.word >= m.userRange.size[op.pointer]) return RANGE_ERRORS.EFAULT;
  op.partner = m.userRange.object[op.pointer];
  op.offset = op.word;
  return OK;
}

/** Whether the offset is one of the kernel's object. */
export function stayWithinObject(m: Tracker, op: Crossing): number {
  return op.offset >= m.kernelRange.size[op.partner] && m.on(rangeBounds) ? blockedBy(rangeBounds) : OK;
}

/** A pointer of the user half's comes down: the kernel half will follow it. */
export const bringInterior = operation('interior.bring', {
  agent: 'user half',
  says: 'returns a pointer to {word} of the object at {pointer}',
  source: 'D4: ranges for interior pointers',
  input: { pointer: userPointer, word },
  locals: ['partner', 'offset', 'place', 'at'],
  where: {
    agent: bothRun,
    pointer: (m, op) => m.userObject.live[op.pointer] === 1 && m.userObject.kind[op.pointer] === ARRAY,
  },
  touches: () => {},
  errors: RANGE_ERRORS,
  steps: {
    'look up the range': lookUpUserRange,
    'stay within the partner': stayWithinObject,
    'add the offset': (_m, op) => addOffset(op),
  },
});

/** Beside the tracker. Scope: as the tracker's. */
export const interiorPointers = module<Tracker, Record<never, never>>('pointers into objects', {
  tables: {},
  operations: [passInterior, bringInterior],
});
