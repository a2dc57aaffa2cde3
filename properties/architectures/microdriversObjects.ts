/**
 * What must hold of the objects that both halves of a microdriver have: MD-S1, MD-S3, MD-S4, MD-S6 and I5; and what believing the user half
 * leads to (I7, I14, I9), which the design does not rule out.
 */
import {
  ACCESSED,
  COMING,
  GOING,
  type Marshalling,
  OUT_OF_RANGE,
  PRIVATE,
} from '../../model/architectures/microdrivers/marshalling.js';
import type { Outside } from '../../model/architectures/microdrivers/outside.js';
import type { Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { type Machine, NONE, OUTCOMES } from '../../model/kernel/index.js';
import { invariant, progress, relation } from '../property.js';

const BY_KERNEL = 'object.kernelWrites';
const BY_RETURN = 'object.return';

function changed(before: Marshalling, m: Marshalling, f: number): boolean {
  return before.kernelCopy.value[f] !== m.kernelCopy.value[f];
}

export const declaredWrites = relation<Marshalling>('MD-S1', 'declared writes', {
  states: 'the kernel\u2019s copy changes only by the kernel half, or by a return and then in accessed fields only',
  holds: (before, m) => {
    const { name } = m.current.op;
    if (name === BY_KERNEL) return true;
    if (changed(before, m, PRIVATE)) return false;
    if (name === BY_RETURN) return true;
    for (let i = 0; i < ACCESSED.length; i++) if (changed(before, m, ACCESSED[i])) return false;
    return true;
  },
  explain: (_before, m) => `${m.current.op.name} changes a field of the kernel that it must not`,
  witnesses: {
    'a return is under way': (m) => m.crossing.phase[0] === COMING,
    'the kernel half has set its private field': (m) => m.kernelCopy.value[PRIVATE] !== 0,
  },
});

export const coherent = relation<Marshalling>('MD-S3', 'coherent', {
  states: 'each crossing leaves every accessed field as it was on the other side',
  holds: (before, m) => {
    switch (m.current.op.name) {
      case 'object.marshal':
        return sameFields(m.carried.value, m.kernelCopy.value);
      case 'object.arrive':
        return sameFields(m.userCopy.value, before.carried.value);
      case 'object.reply':
        return sameFields(m.carried.value, m.userCopy.value);
      case BY_RETURN:
        return sameFields(m.kernelCopy.value, before.carried.value);
      default:
        return true;
    }
  },
  explain: (_before, m) => `after ${m.current.op.name} an accessed field differs from the other side's`,
  witnesses: {
    'a call is under way': (m) => m.crossing.phase[0] === GOING,
    'the user half has changed a field': (m) =>
      m.crossing.phase[0] === COMING && !sameFields(m.userCopy.value, m.kernelCopy.value),
  },
});

function sameFields(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < ACCESSED.length; i++) if (a[ACCESSED[i]] !== b[ACCESSED[i]]) return false;
  return true;
}

/** Whether the operation of that name has ended on this machine, however it ended. */
function wasTried(m: Machine, name: string): boolean {
  for (let i = 0; i < m.operations.length; i++) {
    if (m.operations[i].op.name !== name) continue;
    for (let o = 0; o < OUTCOMES; o++) if (m.outcomes[i * OUTCOMES + o] > 0) return true;
  }
  return false;
}

export const outsideIntact = invariant<Outside>('MD-S6', 'outside', {
  states: 'a wild write of the driver alters no byte of the kernel or of another process',
  holds: (m) => m.outside.kernelWritten[0] === 0 && m.outside.processWritten[0] === 0,
  explain: (m) => `memory of ${m.outside.kernelWritten[0] === 1 ? 'the kernel' : 'another process'} was written`,
  witnesses: { 'a wild write was tried': (m) => wasTried(m, 'fault.wildOutside') },
});

export const usedAsChecked = invariant<Marshalling>('I5', 'once', {
  states: 'a value that the kernel half has checked is the value that it uses',
  holds: (m) => m.inUse.phase[0] !== 2 || m.inUse.used[0] === m.inUse.checked[0],
  explain: () => 'the limit changed between its check and its use',
  witnesses: {
    'the user half\u2019s copy changed between check and use': (m) =>
      m.inUse.phase[0] === 1 && m.userCopy.value[1] !== m.inUse.checked[0],
  },
});

export const indexInBounds = invariant<Marshalling>('I7', 'bounds', {
  states: 'what the kernel half takes from an object stays within the kernel\u2019s table',
  holds: (m) => m.believed.indexed[0] === 0,
  explain: () => 'the kernel half used a field of the reply as an index, and it was out of range',
  witnesses: { 'a field is out of range in the user half': (m) => m.userCopy.value[1] === OUT_OF_RANGE },
});

/** Kernel object k's pair is as it must be. */
function pairHolds(m: Tracker, k: number): boolean {
  const u = m.toUser.pointer[k];
  if (u === NONE) return true;
  if (m.kernelObject.live[k] === 0 || m.userObject.live[u] === 0 || m.toKernel.object[u] !== k) return false;
  if (m.toUser.kind[k] !== m.kernelObject.kind[k] || m.toKernel.kind[u] !== m.userObject.kind[u]) return false;
  return m.toUser.kind[k] === m.toKernel.kind[u];
}

export const bijective = invariant<Tracker>('MD-S4', 'tracker', {
  states: 'while both halves live, the tracker is a partial bijection between live objects of one kind',
  holds: (m) => {
    if (m.runtime.userHalf[0] === 1) return true;
    for (let k = 0; k < m.kernelObject.rows; k++) if (!pairHolds(m, k)) return false;
    for (let u = 0; u < m.userObject.rows; u++) {
      const k = m.toKernel.object[u];
      if (k !== NONE && m.toUser.pointer[k] !== u) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let k = 0; k < m.kernelObject.rows; k++) {
      if (!pairHolds(m, k))
        return `the entry of object ${k} for pointer ${m.toUser.pointer[k]} has survived or differs`;
    }
    return `pointer ${m.toKernel.object.findIndex((k, u) => k !== NONE && m.toUser.pointer[k] !== u)} leads to an object that does not lead back`;
  },
  witnesses: {
    'two pairs': (m) => m.toUser.pointer.filter((u) => u !== NONE).length >= 2,
    'an object of the kernel that the tracker does not know': (m) =>
      m.kernelObject.live.some((l, k) => l === 1 && m.toUser.pointer[k] === NONE),
  },
});

export const crossedKnown = relation<Tracker>('MD-S4', 'known', {
  states: 'an object that has crossed is in the tracker, both ways, and one that was freed is gone with its copy',
  holds: (before, m) => {
    const { call, op } = m.current;
    switch (op.name) {
      case 'object.pass':
        return m.toUser.pointer[call.object] !== NONE && m.userObject.live[m.toUser.pointer[call.object]] === 1;
      case 'object.bring':
        return m.toKernel.object[call.pointer] !== NONE && m.kernelObject.live[m.toKernel.object[call.pointer]] === 1;
      case 'object.free': {
        const u = before.toUser.pointer[call.object];
        return m.kernelObject.live[call.object] === 0 && (u === NONE || m.userObject.live[u] === 0);
      }
      case 'pointer.free':
        return m.userObject.live[call.pointer] === 0;
      default:
        return true;
    }
  },
  explain: (_before, m) => `after ${m.current.op.name} the tracker or the memory is not as it says`,
  witnesses: {
    'the user half has an object of its own': (m) =>
      m.userObject.live.some((live, u) => live === 1 && m.toKernel.object[u] === NONE),
    'the tracker knows a pair': knowsPointer,
  },
});

export const sizesRight = invariant<Tracker>('MD-S4', 'sizes', {
  states: 'recorded sizes are those of the objects, and no copy goes beyond an object\u2019s end',
  holds: (m) => {
    if (m.runtime.overrun[0] === 1) return false;
    if (m.runtime.userHalf[0] === 1) return true;
    for (let k = 0; k < m.kernelObject.rows; k++) {
      if (m.toUser.pointer[k] !== NONE && m.toUser.size[k] !== m.kernelObject.size[k]) return false;
    }
    for (let u = 0; u < m.userObject.rows; u++) {
      if (m.toKernel.object[u] !== NONE && m.toKernel.size[u] !== m.userObject.size[u]) return false;
    }
    return true;
  },
  explain: (m) =>
    m.runtime.overrun[0] === 1 ? 'a copy went beyond an object' : 'a recorded size is not the object\u2019s',
  witnesses: {
    'the halves differ in size': (m) =>
      m.toUser.pointer.some((u, k) => u !== NONE && m.userObject.size[u] !== m.kernelObject.size[k]),
  },
});

export const noPanic = invariant<Tracker>('I14', 'no panic', {
  states: 'nothing that the user half returns stops the kernel',
  holds: (m) => m.runtime.panicked[0] === 0,
  explain: () => 'the tracker panicked',
  witnesses: { 'the tracker knows a pair': (m) => m.toKernel.object.some((k) => k !== NONE) },
});

/** Whether the tracker knows a pointer of the user half. */
function knowsPointer(m: Tracker): boolean {
  for (let u = 0; u < m.toKernel.rows; u++) if (m.toKernel.object[u] !== NONE) return true;
  return false;
}

export const deadHalfReturns = progress<Tracker>('I9', 'returns', {
  states: 'what the tracker held for a dead user half comes back',
  pending: (m) => m.runtime.userHalf[0] === 1 && knowsPointer(m),
  goal: (m) => !knowsPointer(m),
  witnesses: {
    'the user half is dead and the tracker knows its pointers': (m) => m.runtime.userHalf[0] === 1 && knowsPointer(m),
  },
});
