/**
 * The object tracker: which object of the kernel half is which object of the user half.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4; the interface that it takes over from Nooks.
 *
 * State: objects of both halves, with kind and size; the tracker's two directions, each with kind and size; the ranges of what it knows.
 * Operations: both halves allocate and free; a call passes an object up, a return brings one down: a hit copies, another size is a
 * reallocation, a miss allocates. A kernel that cannot allocate for a miss panics.
 *
 * Must keep: MD-S4, the directions mirror each other, kinds agree, sizes and ranges are those of the objects, and no entry survives the
 * object. Not kept by the design: whoever returns pointers that nobody knows has the kernel allocate without bound.
 */
import { DONE, module, NONE, OK, operationOn } from '../../kernel/index.js';
import { ALLOCATION, COPY, charge, crossCall } from '../../ledger.js';
import {
  ARRAY,
  bothRun,
  dropKernelRange,
  dropToKernel,
  dropToUser,
  dropUserRange,
  freeObject,
  freePointer,
  freeUserObject,
  insertPair,
  kernelObject,
  LARGE,
  makeObject,
  makeUserObject,
  objectKind,
  SMALL,
  type Tracker,
  touchPair,
  trackerTables,
  userPointer,
} from './trackerState.js';

const operation = operationOn<Tracker>();

/** The kernel half allocates an object. */
export const allocateObject = operation('object.allocate', {
  agent: 'kernel half',
  says: 'allocates an object of kind {kind}',
  input: { kind: objectKind },
  where: { agent: (m) => m.runtime.panicked[0] === 0 && freeObject(m) >= 0 },
  touches: (m, _op, may) => may.write(m.kernelObject, freeObject(m)),
  steps: { allocate: (m, op) => makeObject(m, freeObject(m), op.kind, SMALL) },
});

/** The kernel half frees an object: both directions go before either address can be used again, and the user half's copy with them. */
export const freeKernelObject = operation('object.free', {
  agent: 'kernel half',
  says: 'frees {object}',
  source: 'D4: Free removes both directions',
  input: { object: kernelObject },
  locals: ['pointer'],
  where: {
    agent: (m) => bothRun(m),
    object: (m, op) => m.kernelObject.live[op.object] === 1,
  },
  touches: (m, op, may) => touchPair(m, may, op.object, m.toUser.pointer[op.object]),
  steps: {
    'look up': (m, op) => {
      op.pointer = m.toUser.pointer[op.object];
    },
    'drop the entry for the kernel address': (m, op) => dropToUser(m, op.object),
    'drop the entry for the user address': (m, op) => {
      if (op.pointer !== NONE) dropToKernel(m, op.pointer);
    },
    'drop the range of the object': (m, op) => dropKernelRange(m, op.object),
    'drop the range of the copy': (m, op) => {
      if (op.pointer !== NONE) dropUserRange(m, op.pointer);
    },
    'free the copy of the user half': (m, op) => {
      if (op.pointer !== NONE) freeUserObject(m, op.pointer);
    },
    free: (m, op) => {
      m.kernelObject.live[op.object] = 0;
      m.kernelObject.kind[op.object] = 0;
      m.kernelObject.size[op.object] = 0;
    },
  },
});

/** A call carries an object up: the tracker finds the user half's copy, or has one made. */
export const passUp = operation('object.pass', {
  agent: 'kernel half',
  says: 'passes {object} to the user half',
  source: 'D4: LookupU; D3: marshal',
  input: { object: kernelObject },
  locals: ['pointer'],
  where: {
    agent: (m) => bothRun(m),
    object: (m, op) =>
      m.kernelObject.live[op.object] === 1 && (m.toUser.pointer[op.object] !== NONE || freePointer(m) >= 0),
  },
  touches: (m, op, may) => {
    const known = m.toUser.pointer[op.object];
    touchPair(m, may, op.object, known === NONE ? freePointer(m) : known);
    may.write(m.runtime);
  },
  steps: {
    'look up, or make a copy': (m, op) => {
      crossCall(m);
      op.pointer = m.toUser.pointer[op.object];
      if (op.pointer !== NONE) return OK;
      charge(m, ALLOCATION);
      op.pointer = freePointer(m);
      makeUserObject(m, op.pointer, m.kernelObject.kind[op.object], m.kernelObject.size[op.object]);
      insertPair(m, op.object, op.pointer, m.kernelObject.kind[op.object], m.kernelObject.size[op.object]);
      return OK;
    },
    'reallocate the copy when the sizes differ': (m, op) => {
      if (m.toKernel.size[op.pointer] === m.kernelObject.size[op.object]) return;
      m.userObject.size[op.pointer] = m.kernelObject.size[op.object];
      m.toKernel.size[op.pointer] = m.kernelObject.size[op.object];
    },
    'record its range': (m, op) => {
      m.userRange.size[op.pointer] = m.userObject.size[op.pointer];
    },
    copy: (m, op) => {
      charge(m, COPY);
      if (m.userObject.size[op.pointer] < m.kernelObject.size[op.object]) m.runtime.overrun[0] = 1;
    },
  },
});

/** The user half allocates an object of its own. */
export const allocateUserObject = operation('pointer.allocate', {
  agent: 'user half',
  says: 'allocates an object of kind {kind}',
  input: { kind: objectKind },
  where: { agent: (m) => bothRun(m) && freePointer(m) >= 0 },
  touches: (m, _op, may) => may.write(m.userObject, freePointer(m)),
  steps: { allocate: (m, op) => makeUserObject(m, freePointer(m), op.kind, SMALL) },
});

/** The user half reallocates an array; its runtime records the new size. */
export const resizeUserObject = operation('pointer.resize', {
  agent: 'user half',
  says: 'gives the array at {pointer} another size',
  source: 'D4: sizes of both halves',
  input: { pointer: userPointer },
  where: {
    agent: (m) => bothRun(m),
    pointer: (m, op) => m.userObject.live[op.pointer] === 1 && m.userObject.kind[op.pointer] === ARRAY,
  },
  touches: (m, op, may) => {
    may.write(m.userObject, op.pointer);
    may.write(m.toKernel, op.pointer);
    may.write(m.userRange, op.pointer);
  },
  steps: {
    reallocate: (m, op) => {
      m.userObject.size[op.pointer] = m.userObject.size[op.pointer] === SMALL ? LARGE : SMALL;
    },
    'record the size': (m, op) => {
      if (m.toKernel.object[op.pointer] !== NONE) m.toKernel.size[op.pointer] = m.userObject.size[op.pointer];
    },
    'record the range': (m, op) => {
      if (m.userRange.object[op.pointer] !== NONE) m.userRange.size[op.pointer] = m.userObject.size[op.pointer];
    },
  },
});

/** The user half frees an object, and has the tracker forget it. The kernel's object stays the kernel half's. */
export const freeUser = operation('pointer.free', {
  agent: 'user half',
  says: 'frees the object at {pointer}',
  source: 'D4: Free removes both directions',
  input: { pointer: userPointer },
  where: {
    agent: (m) => bothRun(m),
    pointer: (m, op) => m.userObject.live[op.pointer] === 1,
  },
  touches: (m, op, may) => touchPair(m, may, m.toKernel.object[op.pointer], op.pointer),
  steps: {
    'drop the entry for the kernel address': (m, op) => {
      if (m.toKernel.object[op.pointer] !== NONE) dropToUser(m, m.toKernel.object[op.pointer]);
    },
    'drop the entry for the user address': (m, op) => dropToKernel(m, op.pointer),
    'drop the range of the original': (m, op) => {
      if (m.userRange.object[op.pointer] !== NONE) dropKernelRange(m, m.userRange.object[op.pointer]);
    },
    'drop the range of the object': (m, op) => dropUserRange(m, op.pointer),
    free: (m, op) => freeUserObject(m, op.pointer),
  },
});

/** A return brings an object down: a hit is copied into, another size is a reallocation, a miss is an allocation. */
export const bringDown = operation('object.bring', {
  agent: 'user half',
  says: 'returns the object at {pointer}',
  source: 'D4: LookupK, AllocArrayK',
  input: { pointer: userPointer },
  locals: ['object'],
  where: {
    agent: (m) => bothRun(m),
    pointer: (m, op) =>
      m.userObject.live[op.pointer] === 1 && (m.toKernel.object[op.pointer] !== NONE || freeObject(m) >= 0),
  },
  touches: (m, op, may) => {
    const known = m.toKernel.object[op.pointer];
    touchPair(m, may, known === NONE ? freeObject(m) : known, op.pointer);
    may.write(m.runtime);
  },
  steps: {
    'look up': (m, op) => {
      crossCall(m);
      op.object = m.toKernel.object[op.pointer];
    },
    'allocate on a miss': (m, op) => {
      if (op.object !== NONE) return OK;
      charge(m, ALLOCATION);
      op.object = freeObject(m);
      makeObject(m, op.object, m.userObject.kind[op.pointer], m.userObject.size[op.pointer]);
      insertPair(m, op.object, op.pointer, m.userObject.kind[op.pointer], m.userObject.size[op.pointer]);
      return DONE;
    },
    'reallocate when the sizes differ': (m, op) => {
      const bytes = m.userObject.size[op.pointer];
      if (m.toUser.size[op.object] === bytes) return;
      m.kernelObject.size[op.object] = bytes;
      m.toUser.size[op.object] = bytes;
    },
    'record the range': (m, op) => {
      m.kernelRange.size[op.object] = m.kernelObject.size[op.object];
    },
    copy: (m, op) => {
      charge(m, COPY);
      if (m.kernelObject.live[op.object] === 0 || m.kernelObject.size[op.object] < m.userObject.size[op.pointer]) {
        m.runtime.overrun[0] = 1;
      }
    },
  },
});

/** Scope: `object`, `pointer`. */
export const tracker = module<Tracker, typeof trackerTables>('object tracker', {
  tables: trackerTables,
  operations: [allocateObject, freeKernelObject, passUp, allocateUserObject, resizeUserObject, freeUser, bringDown],
  initial: (m) => {
    m.toUser.pointer.fill(NONE);
    m.toKernel.object.fill(NONE);
    m.kernelRange.pointer.fill(NONE);
    m.userRange.object.fill(NONE);
  },
  map: (m) =>
    [...m.toUser.pointer].map((u, k) =>
      m.kernelObject.live[k] === 0
        ? `object ${k}: free`
        : `object ${k}: live, ${u === NONE ? 'unknown to the tracker' : `pointer ${u}`}`,
    ),
});
