/** Mutants of how pointers cross between the halves of a microdriver: what ranges and the table of functions forget. Attacks: microdriversPointers.ts. */
import { mutant } from '../../drivers/suite.js';
import {
  bringCallback,
  callDownById,
  callThrough,
  clearTable,
  load,
  register,
  withdraw,
} from '../../model/architectures/microdrivers/functions.js';
import {
  clearCallback,
  FUNCTION_ERRORS,
  KERNEL_FUNCTION,
  KERNEL_FUNCTIONS,
  NOTHING,
  RESET,
  STRAY,
  STUB,
} from '../../model/architectures/microdrivers/functionsState.js';
import {
  bringInterior,
  lookUpUserRange,
  passInterior,
  RANGE_ERRORS,
  WORDS,
} from '../../model/architectures/microdrivers/interiorPointers.js';
import {
  bringDown,
  freeKernelObject,
  freeUser,
  passUp,
  resizeUserObject,
} from '../../model/architectures/microdrivers/tracker.js';
import { drop, guardWith, NONE, OK, omit, replace } from '../../model/kernel/index.js';
import { rawAddress, strayPointer, wildId } from './microdriversPointers.js';

const PAPER = 'Ganapathy et al., ASPLOS 2008';

export const rangeSurvivesFree = mutant('MD-range survives free', {
  says: 'the kernel half frees an object, and its range stays',
  source: `${PAPER}, D4: free removes what the tracker has before the address is used again`,
  edits: [omit(freeKernelObject, 'drop the range of the object')],
});

export const copyRangeSurvivesFree = mutant('MD-range of the copy survives free', {
  says: 'the kernel half frees an object, and the range of the user half’s copy stays',
  source: `${PAPER}, D4`,
  edits: [omit(freeKernelObject, 'drop the range of the copy')],
});

export const rangeSurvivesUserFree = mutant('MD-range survives free in user half', {
  says: 'the user half frees an object, and its range stays',
  source: `${PAPER}, D4`,
  edits: [omit(freeUser, 'drop the range of the object')],
});

export const originalRangeSurvives = mutant('MD-range of the original survives free', {
  says: 'the user half frees an object, and the range of the kernel’s original stays',
  source: `${PAPER}, D4`,
  edits: [omit(freeUser, 'drop the range of the original')],
});

export const rangeKeepsSize = mutant('MD-range keeps its size', {
  says: 'a return reallocates the kernel’s array, and its range keeps the old size',
  source: `${PAPER}, D4: AllocArrayK is a removal and an insertion`,
  edits: [omit(bringDown, 'record the range')],
});

export const rangeKeepsSizeUp = mutant('MD-range keeps its size in user half', {
  says: 'the user half reallocates an array, and its range keeps the old size',
  source: `${PAPER}, D4: sizes of both halves`,
  edits: [omit(resizeUserObject, 'record the range')],
});

export const copyRangeKeepsSize = mutant('MD-range of the copy keeps its size', {
  says: 'a call reallocates the user half’s copy, and its range keeps the old size',
  source: `${PAPER}, D4: sizes of both halves`,
  edits: [omit(passUp, 'record its range')],
});

export const sizeOfOtherHalf = mutant('MD-range of the other half', {
  says: 'whether a range has an address is asked with the size of its partner',
  source: `${PAPER}, D4: sizes of both halves`,
  edits: [
    replace(passInterior, 'look up the range', (m, op) => {
      const partner = m.kernelRange.pointer[op.object];
      if (partner === NONE || op.word >= m.userRange.size[partner]) return RANGE_ERRORS.EFAULT;
      op.partner = partner;
      op.offset = op.word;
      return OK;
    }),
  ],
});

export const ownBounds = mutant('MD-bounds of the own half', {
  says: 'the offset is held against the size of the object that it comes from, not of the one that it goes to',
  source: `${PAPER}, D4: sizes of both halves`,
  edits: [
    replace(bringInterior, 'stay within the partner', () => OK),
    replace(strayPointer, 'stay within the partner', () => OK),
  ],
});

export const nearestBase = mutant('MD-nearest base', {
  says: 'an address that no range has is taken for one of the nearest object below',
  source: `${PAPER}, D4: ranges, as ordered by where they begin`,
  edits: [
    replace(strayPointer, 'look up the range', (m, op) => {
      if (lookUpUserRange(m, op) === OK) return OK;
      let u = op.pointer;
      while (u >= 0 && m.userRange.object[u] === NONE) u--;
      if (u < 0) return RANGE_ERRORS.EFAULT;
      op.partner = m.userRange.object[u];
      op.offset = (op.pointer - u) * WORDS + op.word;
      return OK;
    }),
  ],
});

/** Objects themselves. */
export const missNotAllocated = mutant('MD-miss not allocated', {
  says: 'a return of an object that the tracker does not know leaves it unknown',
  source: `${PAPER}, D4: LookupK, a miss allocates and inserts`,
  edits: [omit(bringDown, 'allocate on a miss')],
});

export const copyNotFreed = mutant('MD-copy not freed', {
  says: 'the kernel half frees an object, and the user half keeps its copy, which nobody can name',
  source: `${PAPER}, D4`,
  edits: [omit(freeKernelObject, 'free the copy of the user half')],
});

export const rawBelieved = mutant('MD-raw pointer believed', {
  says: 'what is no id is taken for the address that it is, and put in',
  source: `${PAPER}, D4: code pointers cross as ids`,
  edits: [
    replace(rawAddress, 'look it up', () => OK),
    replace(rawAddress, 'put it in', (m, op) => {
      clearCallback(m, op.callback);
      m.callback.holds[op.callback] = op.address === 0 ? KERNEL_FUNCTION : STRAY;
      if (op.address === 0) m.callback.id[op.callback] = RESET;
    }),
  ],
});

export const freeEntryBelieved = mutant('MD-free entry believed', {
  says: 'an id below the size of the table is taken for that of a function, although its entry is free',
  source: `${PAPER}, D4: a function must have been entered`,
  edits: [
    replace(wildId, 'look it up', (m, op) => {
      if (op.id >= m.entry.rows) return FUNCTION_ERRORS.ENOENT;
      op.found = m.entry.function[op.id];
      return OK;
    }),
  ],
});

export const tableNotCleared = mutant('MD-table not cleared', {
  says: 'the functions of a user half that is gone stay in the table, and the next one is loaded beside them',
  source: `${PAPER}, D6: recovery is out of the implemented scope`,
  edits: [drop(clearTable), guardWith(load, 'agent', (m) => m.process.state[0] === 1 && m.running.what[0] === NOTHING)],
});

export const idReused = mutant('MD-id reused', {
  says: 'a free id is given to another function although a stub with it is in an object',
  source: `${PAPER}, D4: no entry survives, and no address is used again before`,
  edits: [
    replace(register, 'find a free entry', (m, op) => {
      op.id = m.entry.function.indexOf(NONE);
      return op.id < KERNEL_FUNCTIONS ? FUNCTION_ERRORS.ENOSPC : OK;
    }),
  ],
});

export const stubRemembers = mutant('MD-stub remembers', {
  says: 'a stub keeps the function that it was made for, and does not ask the table',
  source: `${PAPER}, D2: calls are made by id`,
  edits: [
    replace(callThrough, 'look up what it holds', (m, op) => {
      const holds = m.callback.holds[op.callback];
      op.found = NONE;
      if (holds === STUB) op.found = m.callback.meant[op.callback];
      if (holds === KERNEL_FUNCTION) op.found = m.callback.id[op.callback];
      return OK;
    }),
  ],
});

export const stubCallsDead = mutant('MD-stub calls the dead', {
  says: 'a stub does not look whether there is a user half',
  source: `${PAPER}, D6`,
  edits: [omit(callThrough, 'find the user half')],
});

export const callbackIdLeftOut = mutant('MD-id of a callback left out', {
  says: 'a return does not marshal the id of a callback, and the stub has the first one of the table',
  source: `${PAPER}, D4: code pointers cross as ids`,
  edits: [omit(bringCallback, 'take its id')],
});

export const calledIdLeftOut = mutant('MD-id of a call left out', {
  says: 'a call down does not carry the id of its function',
  source: `${PAPER}, D2: {function id, length, bytes}`,
  edits: [omit(callDownById, 'take its id')],
});

export const entryStays = mutant('MD-entry stays', {
  says: 'the user half takes a function out of the table, and its entry stays',
  source: `${PAPER}, D4`,
  edits: [replace(withdraw, 'free the entry', () => OK)],
});

export const deadStayEntered = mutant('MD-dead stay entered', {
  says: 'nobody takes the functions of a user half that is gone out of the table',
  source: `${PAPER}, D6: recovery is out of the implemented scope`,
  edits: [drop(clearTable)],
});
