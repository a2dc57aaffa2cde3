/** What a hostile user half does with pointers that cross: into the middle of objects, and to functions. Mutants: microdriversPointerMutants.ts. */
import {
  addOffset,
  lookUpUserRange,
  RANGE_ERRORS,
  stayWithinObject,
  word,
} from '../../model/architectures/microdrivers/interiorPointers.js';
import { bothRun, type Tracker, userPointer } from '../../model/architectures/microdrivers/trackerState.js';
import { module, operationOn } from '../../model/kernel/index.js';

type None = Record<never, never>;

const onTracker = operationOn<Tracker>();

/** F5: the user half returns any address at all, where a field wants one of an array. */
export const strayPointer = onTracker('fault.strayPointer', {
  agent: 'user half',
  says: 'returns a pointer to {word} at {pointer}, whatever is there',
  source: 'D3: values that come back are believed; D4: but for the ranges',
  fault: 'F5',
  input: { pointer: userPointer, word },
  locals: ['partner', 'offset', 'place', 'at'],
  where: { agent: bothRun },
  touches: (m, op, may) => {
    may.read(m.userRange, op.pointer);
    may.readAll(m.kernelRange);
  },
  errors: RANGE_ERRORS,
  steps: {
    'look up the range': lookUpUserRange,
    'stay within the partner': stayWithinObject,
    'add the offset': (_m, op) => addOffset(op),
  },
});

export const strayPointers = module<Tracker, None>('stray pointers', { tables: {}, operations: [strayPointer] });
