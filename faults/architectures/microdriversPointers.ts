/** What a hostile user half does with pointers that cross: into the middle of objects, and to functions. Mutants: microdriversPointerMutants.ts. */

import {
  callback,
  end,
  FUNCTION_ERRORS,
  type Functions,
  isIdle,
  jumpDown,
  lookUp,
  lookUpDown,
  putIn,
  testEntryPoint,
  testEntryPointDown,
  testType,
} from '../../model/architectures/microdrivers/functionsState.js';
import {
  addOffset,
  lookUpUserRange,
  RANGE_ERRORS,
  stayWithinObject,
  word,
} from '../../model/architectures/microdrivers/interiorPointers.js';
import { bothRun, type Tracker, userPointer } from '../../model/architectures/microdrivers/trackerState.js';
import { module, operationOn, sort } from '../../model/kernel/index.js';

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
  touches: () => {},
  errors: RANGE_ERRORS,
  steps: {
    'look up the range': lookUpUserRange,
    'stay within the partner': stayWithinObject,
    'add the offset': (_m, op) => addOffset(op),
  },
});

export const strayPointers = module<Tracker, None>('stray pointers', { tables: {}, operations: [strayPointer] });

const onFunctions = operationOn<Functions>();

/** Ids that the user half can name: those of the table, and one beyond. */
export const namedId = sort('named id');
/** Addresses that it can know. */
export const address = sort('address', { members: ['a function of the kernel half', 'memory of the user half'] });

/** F5: the user half returns an object with any id where a callback is. */
export const wildId = onFunctions('fault.wildId', {
  agent: 'user half',
  says: 'returns an object with {id} as {callback}, whatever that is',
  source: 'D4: function table; D2: guard, id below the size of the table',
  fault: 'F5',
  input: { callback, id: namedId },
  locals: ['found'],
  where: { agent: isIdle },
  touches: (m, op, may) => {
    may.readAll(m.entry);
    may.write(m.callback, op.callback);
  },
  errors: FUNCTION_ERRORS,
  steps: {
    'look it up': lookUp,
    'test its type': testType,
    'test that it is an entry point': testEntryPoint,
    'put it in': putIn,
  },
});

/** F5: it returns an address where an id should be. As an id, any address is far beyond the table. */
export const rawAddress = onFunctions('fault.rawAddress', {
  agent: 'user half',
  says: 'returns an object with the address of {address} as {callback}',
  source: 'D4: code pointers cross as ids',
  fault: 'F5',
  input: { callback, address },
  locals: ['id', 'found'],
  where: { agent: isIdle },
  touches: (m, op, may) => may.write(m.callback, op.callback),
  errors: FUNCTION_ERRORS,
  steps: {
    'take it for an id': (m, op) => {
      op.id = m.entry.rows + op.address;
    },
    'look it up': lookUp,
    'put it in': putIn,
  },
});

/** F5: it calls down with any id. */
export const wildCall = onFunctions('fault.wildCall', {
  agent: 'user half',
  says: 'calls {id}, whatever that is',
  source: 'D2: guard, id below the size of the table',
  fault: 'F5',
  input: { id: namedId },
  locals: ['found'],
  where: { agent: isIdle },
  touches: (m, _op, may) => {
    may.readAll(m.entry);
    may.write(m.running);
  },
  errors: FUNCTION_ERRORS,
  steps: {
    'look it up': lookUpDown,
    'test that it is an entry point': testEntryPointDown,
    jump: jumpDown,
  },
});

/** F10: the process dies, and its functions with it. */
export const calledHalfDies = onFunctions('fault.calledHalfDies', {
  agent: 'user half',
  says: 'dies',
  fault: 'F10',
  where: { agent: (m) => m.process.state[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.process);
    may.writeAll(m.entry);
    may.writeAll(m.callback);
    may.write(m.running);
  },
  steps: { die: (m) => end(m) },
});

export const wildFunctions = module<Functions, None>('wild ids', {
  tables: {},
  operations: [wildId, rawAddress, wildCall, calledHalfDies],
});
