/**
 * The object tracker: which object of the kernel half is which object of the user half.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4; the interface that it takes over from Nooks.
 *
 * State: objects of both halves, with kind and size; the tracker's two directions, each with kind and size. Operations: both halves
 * allocate and free; a call passes an object up, a return brings one down: a hit copies, another size is a reallocation, a miss allocates.
 * A kernel that cannot allocate for a miss panics.
 *
 * Must keep: MD-S4, the directions mirror each other, kinds agree, sizes are those of the objects, and no entry survives the object.
 * Not kept by the design: whoever returns pointers that nobody knows has the kernel allocate without bound.
 */

import {
  DONE,
  type Footprint,
  type Machine,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
} from '../../kernel/index.js';
import { ALLOCATION, COPY, charge, crossCall } from '../../ledger.js';

/** Places for objects in the kernel's memory. */
export const kernelObject = sort('object');
/** Addresses in the user half at which objects may be. */
export const userPointer = sort('pointer');
export const objectKind = sort('kind', { members: ['adapter', 'array'] });
export const ARRAY = 1;

export const SMALL = 1;
export const LARGE = 2;

const kind = oneOf('adapter', 'array');
const size = oneOf('none', 'small', 'large');

export const trackerTables = {
  kernelObject: table([kernelObject], { live: oneOf('no', 'yes'), kind, size }),
  userObject: table([userPointer], { live: oneOf('no', 'yes'), kind, size }),
  /** Kernel address to user address, with kind and size of the kernel object as they were recorded. */
  toUser: table([kernelObject], { pointer: ref(userPointer), kind, size }),
  /** And back, with kind and size of the user object. */
  toKernel: table([userPointer], { object: ref(kernelObject), kind, size }),
  runtime: table([], {
    panicked: oneOf('no', 'yes'),
    /** A copy went beyond the end of an object. */
    overrun: oneOf('no', 'yes'),
    userHalf: oneOf('alive', 'dead'),
  }),
};

export type Tracker = Machine & State<typeof trackerTables>;
const operation = operationOn<Tracker>();

/** Whether both halves run. */
export function bothRun(m: Tracker): boolean {
  return m.runtime.panicked[0] === 0 && m.runtime.userHalf[0] === 0;
}

/** Lowest free place in the kernel's memory, or -1. */
export function freeObject(m: Tracker): number {
  for (let k = 0; k < m.kernelObject.rows; k++) if (m.kernelObject.live[k] === 0) return k;
  return -1;
}

/** Lowest address of the user half at which nothing is, and which the tracker does not know; or -1. */
export function freePointer(m: Tracker): number {
  for (let u = 0; u < m.userObject.rows; u++) {
    if (m.userObject.live[u] === 0 && m.toKernel.object[u] === NONE) return u;
  }
  return -1;
}

/** Makes an object of the kernel. */
export function makeObject(m: Tracker, k: number, of: number, bytes: number): void {
  m.kernelObject.live[k] = 1;
  m.kernelObject.kind[k] = of;
  m.kernelObject.size[k] = bytes;
}

/** Makes an object of the user half. */
export function makeUserObject(m: Tracker, u: number, of: number, bytes: number): void {
  m.userObject.live[u] = 1;
  m.userObject.kind[u] = of;
  m.userObject.size[u] = bytes;
}

function freeUserObject(m: Tracker, u: number): void {
  m.userObject.live[u] = 0;
  m.userObject.kind[u] = 0;
  m.userObject.size[u] = 0;
}

/** Takes the direction from the kernel's object out. */
export function dropToUser(m: Tracker, k: number): void {
  m.toUser.pointer[k] = NONE;
  m.toUser.kind[k] = 0;
  m.toUser.size[k] = 0;
}

/** Takes the direction from the user half's pointer out. */
export function dropToKernel(m: Tracker, u: number): void {
  m.toKernel.object[u] = NONE;
  m.toKernel.kind[u] = 0;
  m.toKernel.size[u] = 0;
}

/** Inserts a pair, both directions. */
export function insertPair(m: Tracker, k: number, u: number, of: number, bytes: number): void {
  m.toUser.pointer[k] = u;
  m.toUser.kind[k] = of;
  m.toUser.size[k] = bytes;
  m.toKernel.object[u] = k;
  m.toKernel.kind[u] = of;
  m.toKernel.size[u] = bytes;
}

/** Rows that concern a pair. */
export function touchPair(m: Tracker, may: Footprint, k: number, u: number): void {
  may.write(m.kernelObject, k);
  may.write(m.toUser, k);
  may.write(m.userObject, u);
  may.write(m.toKernel, u);
}

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
  },
  steps: {
    reallocate: (m, op) => {
      m.userObject.size[op.pointer] = m.userObject.size[op.pointer] === SMALL ? LARGE : SMALL;
    },
    'record the size': (m, op) => {
      if (m.toKernel.object[op.pointer] !== NONE) m.toKernel.size[op.pointer] = m.userObject.size[op.pointer];
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
  },
  map: (m) =>
    [...m.toUser.pointer].map((u, k) =>
      m.kernelObject.live[k] === 0
        ? `object ${k}: free`
        : `object ${k}: live, ${u === NONE ? 'unknown to the tracker' : `pointer ${u}`}`,
    ),
});
