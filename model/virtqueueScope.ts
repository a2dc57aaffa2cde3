/** Sizes of a split virtqueue, and arithmetic of its free-running indices. Source: VIRTIO 1.2, 2.7. */
import { type Machine, SpecificationError, sort } from './kernel/index.js';

export const descriptor = sort('descriptor');
/** Values of an index: the scope gives the modulus, a power of two and at least twice the descriptors. */
export const queueIndex = sort('index');

/** How far index `a` is ahead of `b`. */
export function indexDistance(m: Machine, a: number, b: number): number {
  return (a - b) & (m.size(queueIndex) - 1);
}

/** The index after this one. */
export function nextIndex(m: Machine, index: number): number {
  return (index + 1) & (m.size(queueIndex) - 1);
}

/** @throws SpecificationError when the scope's sizes are no sizes of a queue (2.7: a power of two) */
export function checkScope(m: Machine): void {
  const size = m.size(descriptor);
  const modulus = m.size(queueIndex);
  const powerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));
  if (!powerOfTwo(size) || size < 2)
    throw new SpecificationError(`a virtqueue has 2, 4, 8, ... descriptors, not ${size}`);
  if (!powerOfTwo(modulus) || modulus < 2 * size || modulus > 256) {
    throw new SpecificationError(
      `the index of a virtqueue of ${size} counts modulo a power of two from ${2 * size} to 256, not ${modulus}`,
    );
  }
}
