/**
 * What must hold of pointers that cross between the halves of a microdriver: those into the middle of objects (MD-S4), and those to
 * functions (I7, MD-S2, MD-S4); and what believing the user half leads to, which the design does not rule out (MD-S1).
 */
import { WORDS } from '../../model/architectures/microdrivers/interiorPointers.js';
import { ARRAY, type Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { isFailure, NONE } from '../../model/kernel/index.js';
import { invariant, relation } from '../property.js';

const UP = 'interior.pass';
const DOWN = 'interior.bring';
const STRAY = 'fault.strayPointer';

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
    'the place of an object is used again': (m) =>
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
    return (name !== UP && name !== DOWN && name !== STRAY) || translatedRight(before, m, status);
  },
  explain: (before, m, status) => {
    const { call, op } = m.current;
    const isUp = op.name === UP;
    const from = isUp ? `object ${call.object}` : `pointer ${call.pointer}`;
    const partner = isUp
      ? partnerOfObject(before, call.object, call.word)
      : partnerOfPointer(before, call.pointer, call.word);
    const to = `word ${call.at} of ${isUp ? 'pointer' : 'object'} ${call.place}`;
    const right = partner === NONE ? 'an error' : `word ${call.word} of ${isUp ? 'pointer' : 'object'} ${partner}`;
    return `word ${call.word} of ${from} became ${isFailure(status) ? 'an error' : to}: right was ${right}`;
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
    if ((name !== DOWN && name !== STRAY) || isFailure(status)) return true;
    return m.kernelObject.kind[m.current.call.place] === ARRAY;
  },
  explain: (_before, m) =>
    `the field of the array points into object ${m.current.call.place}, an adapter, as far as the kernel half can tell`,
  witnesses: {
    'the tracker knows an adapter': (m) => m.toUser.pointer.some((u, k) => u !== NONE && m.toUser.kind[k] !== ARRAY),
  },
});
