/**
 * The state of the object tracker: objects of both halves, the two directions between them, and their ranges.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4. Operations: tracker.ts; pointers into the middle of objects: interiorPointers.ts.
 */
import { type Footprint, type Machine, NONE, oneOf, ref, type State, sort, table } from '../../kernel/index.js';

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
  /** The range of an object that the tracker knows: it begins at the object, and leads to the range of its partner. */
  kernelRange: table([kernelObject], { pointer: ref(userPointer), size }),
  userRange: table([userPointer], { object: ref(kernelObject), size }),
  runtime: table([], {
    panicked: oneOf('no', 'yes'),
    /** A copy went beyond the end of an object. */
    overrun: oneOf('no', 'yes'),
    userHalf: oneOf('alive', 'dead'),
  }),
};

export type Tracker = Machine & State<typeof trackerTables>;

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

/** Frees an object of the user half. */
export function freeUserObject(m: Tracker, u: number): void {
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

/** Takes the range of the kernel's object out. */
export function dropKernelRange(m: Tracker, k: number): void {
  m.kernelRange.pointer[k] = NONE;
  m.kernelRange.size[k] = 0;
}

/** Takes the range of the user half's object out. */
export function dropUserRange(m: Tracker, u: number): void {
  m.userRange.object[u] = NONE;
  m.userRange.size[u] = 0;
}

/** Inserts a pair, both directions, and the ranges of its objects. */
export function insertPair(m: Tracker, k: number, u: number, of: number, bytes: number): void {
  m.toUser.pointer[k] = u;
  m.toUser.kind[k] = of;
  m.toUser.size[k] = bytes;
  m.toKernel.object[u] = k;
  m.toKernel.kind[u] = of;
  m.toKernel.size[u] = bytes;
  m.kernelRange.pointer[k] = u;
  m.kernelRange.size[k] = bytes;
  m.userRange.object[u] = k;
  m.userRange.size[u] = bytes;
}

/** Rows that concern a pair. */
export function touchPair(m: Tracker, may: Footprint, k: number, u: number): void {
  may.write(m.kernelObject, k);
  may.write(m.toUser, k);
  may.write(m.kernelRange, k);
  may.write(m.userObject, u);
  may.write(m.toKernel, u);
  may.write(m.userRange, u);
}
