/**
 * What must hold of pointers that cross between the halves of a microdriver: those into the middle of objects (MD-S4), and those to
 * functions (I7, MD-S2, MD-S4); and what believing the user half leads to, which the design does not rule out (MD-S1).
 */
import {
  areLeft,
  entryOf,
  type Functions,
  isOpen,
  KERNEL_FUNCTION,
  KERNEL_FUNCTIONS,
  NOTHING,
  STRAY,
  STUB,
  typeOf,
} from '../../model/architectures/microdrivers/functionsState.js';
import { WORDS } from '../../model/architectures/microdrivers/interiorPointers.js';
import { ARRAY, type Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { isFailure, NONE } from '../../model/kernel/index.js';
import { invariant, progress, relation } from '../property.js';

const UP = 'interior.pass';
const DOWN = 'interior.bring';
const ANY_ADDRESS = 'fault.strayPointer';

/** Ranges are those of the pairs. */
export const rangesFollow = invariant<Tracker>('MD-S4', 'ranges', {
  states:
    'while both halves live, each object that the tracker knows has a range of its size that leads to its partner, and no other has',
  holds: (m) => {
    if (m.runtime.userHalf[0] === 1) return true;
    for (let k = 0; k < m.kernelObject.rows; k++) if (!kernelRangeHolds(m, k)) return false;
    for (let u = 0; u < m.userObject.rows; u++) if (!userRangeHolds(m, u)) return false;
    return true;
  },
  explain: (m) => {
    for (let k = 0; k < m.kernelObject.rows; k++) {
      if (!kernelRangeHolds(m, k)) return `the range of object ${k} is not that of its pair`;
    }
    return `the range of pointer ${m.userRange.object.findIndex((_k, u) => !userRangeHolds(m, u))} is not that of its pair`;
  },
  witnesses: {
    'the ranges of a pair differ in size': (m) =>
      m.kernelRange.pointer.some((u, k) => u !== NONE && m.userRange.size[u] !== m.kernelRange.size[k]),
    'an object without a range beside one that has one': (m) =>
      m.kernelObject.live.some((live, k) => live === 1 && m.kernelRange.pointer[k] === NONE) &&
      m.kernelRange.pointer.some((u) => u !== NONE),
  },
});

function kernelRangeHolds(m: Tracker, k: number): boolean {
  const u = m.toUser.pointer[k];
  return m.kernelRange.pointer[k] === u && m.kernelRange.size[k] === (u === NONE ? 0 : m.kernelObject.size[k]);
}

function userRangeHolds(m: Tracker, u: number): boolean {
  const k = m.toKernel.object[u];
  return m.userRange.object[u] === k && m.userRange.size[u] === (k === NONE ? 0 : m.userObject.size[u]);
}

/** Where a word of the kernel's is in the user half: by the pairs and the objects themselves, not by ranges; or NONE. */
function partnerOfObject(m: Tracker, k: number, word: number): number {
  const u = m.toUser.pointer[k];
  if (u === NONE || m.kernelObject.live[k] === 0 || word >= m.kernelObject.size[k]) return NONE;
  return word < m.userObject.size[u] ? u : NONE;
}

/** And back. */
function partnerOfPointer(m: Tracker, u: number, word: number): number {
  const k = m.toKernel.object[u];
  if (k === NONE || m.userObject.live[u] === 0 || word >= m.userObject.size[u]) return NONE;
  return m.kernelObject.live[k] === 1 && word < m.kernelObject.size[k] ? k : NONE;
}

/** What is at a word of the kernel half's, in words. */
function whereUp(m: Tracker, k: number, word: number): string {
  if (m.kernelObject.live[k] === 0) return 'where nothing is';
  if (word >= m.kernelObject.size[k]) return 'behind the end of the object';
  const u = m.toUser.pointer[k];
  if (u === NONE) return 'which the tracker does not know';
  return word < m.userObject.size[u] ? `whose partner is pointer ${u}` : 'which its partner is too short for';
}

/** And of the user half's. */
function whereDown(m: Tracker, u: number, word: number): string {
  if (m.userObject.live[u] === 0) return 'where nothing is';
  if (word >= m.userObject.size[u]) return 'behind the end of the object';
  const k = m.toKernel.object[u];
  if (k === NONE) return 'which the tracker does not know';
  return word < m.kernelObject.size[k] ? `whose partner is object ${k}` : 'which its partner is too short for';
}

/** Whether the translation that was tried ended where it should. */
function translatedRight(before: Tracker, m: Tracker, status: number): boolean {
  const { call } = m.current;
  const { name } = m.current.op;
  const partner =
    name === UP ? partnerOfObject(before, call.object, call.word) : partnerOfPointer(before, call.pointer, call.word);
  if (partner === NONE) return isFailure(status);
  return !isFailure(status) && call.place === partner && call.at === call.word;
}

export const interiorRight = relation<Tracker>('MD-S4', 'interior', {
  states:
    'an address that crosses becomes the same word of its object\u2019s partner, and an error where there is none',
  holds: (before, m, status) => {
    const { name } = m.current.op;
    return (name !== UP && name !== DOWN && name !== ANY_ADDRESS) || translatedRight(before, m, status);
  },
  explain: (before, m, status) => {
    const { call, op } = m.current;
    const isUp = op.name === UP;
    const [from, over] = isUp ? ['object', 'pointer'] : ['pointer', 'object'];
    const where = isUp ? whereUp(before, call.object, call.word) : whereDown(before, call.pointer, call.word);
    const found = isFailure(status) ? 'an error' : `word ${call.at} of ${over} ${call.place}`;
    return `word ${call.word} of ${from} ${isUp ? call.object : call.pointer}, ${where}, became ${found}`;
  },
  witnesses: {
    'a second word with a partner': (m) => m.toUser.pointer.some((_u, k) => partnerOfObject(m, k, WORDS - 1) !== NONE),
    'a second word without one, in a pair': (m) =>
      m.toUser.pointer.some((u, k) => u !== NONE && m.kernelObject.size[k] === WORDS && m.userObject.size[u] < WORDS),
  },
});

export const interiorKinds = relation<Tracker>('MD-S1', 'interior kinds', {
  states: 'a field that points into an array points into an array when it comes back',
  holds: (_before, m, status) => {
    const { name } = m.current.op;
    if ((name !== DOWN && name !== ANY_ADDRESS) || isFailure(status)) return true;
    return m.kernelObject.kind[m.current.call.place] === ARRAY;
  },
  explain: (_before, m) =>
    `a field for an array now points into object ${m.current.call.place}, an adapter: ranges do not tell them apart`,
  witnesses: {
    'the tracker knows an adapter': (m) => m.toUser.pointer.some((u, k) => u !== NONE && m.toUser.kind[k] !== ARRAY),
  },
});

export const jumpsKnown = invariant<Functions>('I7', 'jumps', {
  states: 'the kernel runs only functions of the kernel half that are open to the other, and stubs',
  holds: (m) => m.running.what[0] !== STRAY && (m.running.what[0] !== KERNEL_FUNCTION || isOpen(m.running.function[0])),
  explain: (m) =>
    m.running.what[0] === STRAY
      ? 'the kernel has jumped to what is no function'
      : 'the kernel runs a function of the kernel half that is not for the user half to name',
  witnesses: {
    'the user half has called down': (m) => m.running.what[0] === KERNEL_FUNCTION && m.running.through[0] === NONE,
    'a function of the kernel half runs through a callback': (m) =>
      m.running.what[0] === KERNEL_FUNCTION && m.running.through[0] !== NONE,
  },
});

export const stubsRight = invariant<Functions>('MD-S4', 'stubs', {
  states: 'a stub calls the function for which it was made, which is in the table and of this life of the user half',
  holds: (m) => {
    if (m.running.what[0] !== STUB) return true;
    const c = m.running.through[0];
    const id = m.callback.id[c];
    const f = m.running.function[0];
    if (m.process.state[0] === 1 || m.callback.past[c] === 1 || m.callback.meant[c] !== f) return false;
    return m.entry.function[id] === f && m.entry.past[id] === 0;
  },
  explain: (m) => {
    const c = m.running.through[0];
    if (m.process.state[0] === 1) return 'the kernel calls a function of a user half that is gone';
    if (m.callback.past[c] === 1)
      return 'the kernel calls up through a stub that an earlier life of the user half gave it';
    if (m.callback.meant[c] !== m.running.function[0]) return 'the stub was made for another function';
    return 'the stub calls a function that is no longer in the table';
  },
  witnesses: {
    'the user half runs again, and a stub of its last life is in an object': (m) =>
      m.process.state[0] === 0 && m.callback.past.includes(1),
    'a stub is in an object, and its function has been taken out': (m) =>
      m.callback.holds.some(
        (h, c) => h === STUB && m.process.state[0] === 0 && m.entry.function[m.callback.id[c]] === NONE,
      ),
    'a function of the user half runs': (m) => m.running.what[0] === STUB,
  },
});

export const typesAgree = invariant<Functions>('MD-S4', 'types', {
  states: 'what a callback calls has the type that it calls with',
  holds: (m) => {
    const c = m.running.through[0];
    return c === NONE || m.running.function[0] === NONE || typeOf(m.running.function[0]) === c;
  },
  explain: () => 'the kernel calls a function with the arguments of another type',
  witnesses: {
    'both callbacks hold stubs': (m) => m.callback.holds[0] === STUB && m.callback.holds[1] === STUB,
  },
});

export const handlersStay = invariant<Functions>('MD-S2', 'callbacks', {
  states: 'no callback takes a handler, which may not sleep, to the user half',
  holds: (m) => m.running.blocks[0] === 0,
  explain: () => 'a handler waits for a function of the user half',
  witnesses: { 'a stub is in an object': (m) => m.callback.holds.includes(STUB) },
});

export const ownCallbacks = relation<Functions>('MD-S1', 'own callbacks', {
  states: 'what the kernel half has set a callback to stays in it until the kernel half empties it',
  ofChange: true,
  holds: (before, m) => {
    if (m.current.op.name === 'callback.drop') return true;
    for (let c = 0; c < m.callback.rows; c++) {
      if (before.callback.own[c] === 0) continue;
      if (m.callback.own[c] === 0 || m.callback.id[c] !== before.callback.id[c]) return false;
    }
    return true;
  },
  explain: () => 'a callback of the kernel half\u2019s own gives way to what the user half has returned',
  witnesses: { 'a callback of the kernel half\u2019s own': (m) => m.callback.own.includes(1) },
});

/** Whether the callback holds the function, by the table as it was. */
function holdsFunction(before: Functions, m: Functions, c: number, f: number): boolean {
  const id = entryOf(before, f);
  return m.callback.holds[c] === (f < KERNEL_FUNCTIONS ? KERNEL_FUNCTION : STUB) && m.callback.id[c] === id;
}

export const functionsCross = relation<Functions>('MD-S3', 'functions', {
  states: 'the function that one half names is the one that the other gets, and what is taken out is gone',
  holds: (before, m, status) => {
    const { call, op } = m.current;
    switch (op.name) {
      case 'callback.bring':
        return !isFailure(status) && holdsFunction(before, m, call.callback, call.function);
      case 'callback.set':
        return holdsFunction(before, m, call.callback, call.callback);
      case 'callback.drop':
        return m.callback.holds[call.callback] === NOTHING;
      case 'function.callDown':
        return !isFailure(status) && m.running.function[0] === call.function;
      case 'function.withdraw':
        return entryOf(m, call.function) < 0;
      case 'function.return':
        return m.running.what[0] === NOTHING;
      default:
        return true;
    }
  },
  explain: (_before, m) => `${m.current.op.name} leaves another function than it names`,
  witnesses: {
    'both functions of the user half are in the table': (m) =>
      m.entry.function.filter((f) => f !== NONE).length === KERNEL_FUNCTIONS + 2,
  },
});

export const deadAreCleared = progress<Functions>('I9', 'functions cleared', {
  states: 'the functions of a user half that is gone come out of the table, so that it can be loaded anew',
  pending: (m) => m.process.state[0] === 1 && areLeft(m),
  goal: (m) => !areLeft(m),
  witnesses: {
    'the user half is gone, and its functions are in the table': (m) => m.process.state[0] === 1 && areLeft(m),
  },
});
