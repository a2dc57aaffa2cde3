/**
 * The shared ring: the arithmetic of Xen's ring macros, and nothing else. Source: Xen `xen/include/public/io/ring.h`.
 *
 * Indices run freely and are compared by subtraction modulo a power of two. On a real machine the modulus is 2^32; the scope makes it
 * small (at least twice the ring's size, or a full ring could not be told from a negative distance), so that a state space is finite.
 * The code is the same for both. Fields that hold an index are 32 bits wide.
 *
 * Must keep: RG1 no lost notification, RG3 no slot overwritten before it is consumed, RG4 private indices in order whatever the peer writes.
 */
import { i32, type Machine, SpecificationError, sort, table } from './kernel/index.js';

/** Values of an index: the scope gives the modulus. */
export const ringIndex = sort('index');
/** Slots of a ring: the scope gives its size, a power of two. */
export const ringSlot = sort('slot');

/** What one shared page begins with; `by` is what there is one ring for each of. */
export const sharedRingFields = { reqProd: i32(), reqEvent: i32(), rspProd: i32(), rspEvent: i32() };
/** The frontend's private half. */
export const frontIndexFields = { reqProdPvt: i32(), rspCons: i32() };
/** The backend's private half. */
export const backIndexFields = { rspProdPvt: i32(), reqCons: i32() };

/** A single ring's shared indices. */
export const singleRing = table([], sharedRingFields);

/** Modulus minus one, as 32-bit mask. @throws SpecificationError when the scope's sizes are no sizes of a ring */
export function indexMask(m: Machine): number {
  return (m.size(ringIndex) - 1) | 0;
}

/** Checks the scope once, at set-up. @throws SpecificationError */
export function checkRingScope(m: Machine): void {
  const modulus = m.size(ringIndex);
  const size = m.size(ringSlot);
  const powerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));
  if (!powerOfTwo(size)) throw new SpecificationError(`a ring has 1, 2, 4, ... slots, not ${size}`);
  if (!powerOfTwo(modulus) || modulus < 2 * size || modulus > 2 ** 32) {
    throw new SpecificationError(
      `the index of a ring of ${size} counts modulo a power of two from ${2 * size}, not ${modulus}`,
    );
  }
}

/** How far `a` is ahead of `b`, unsigned. */
export function ahead(a: number, b: number, mask: number): number {
  return ((a - b) & mask) >>> 0;
}

/** The index after this one. */
export function following(index: number, mask: number): number {
  return (index + 1) & mask;
}

/** Number of the slot that an index names. */
export function slotOf(index: number, size: number): number {
  return index & (size - 1);
}

/** RING_FULL: no free slot for another request. */
export function ringFull(reqProdPvt: number, rspCons: number, size: number, mask: number): boolean {
  return ahead(reqProdPvt, rspCons, mask) === size;
}

/** RING_HAS_UNCONSUMED_REQUESTS: as many as published, but never more than the ring has room to answer. */
export function unconsumedRequests(
  reqProd: number,
  reqCons: number,
  rspProdPvt: number,
  size: number,
  mask: number,
): number {
  return Math.min(ahead(reqProd, reqCons, mask), size - ahead(reqCons, rspProdPvt, mask));
}

/** RING_HAS_UNCONSUMED_RESPONSES. */
export function unconsumedResponses(rspProd: number, rspCons: number, mask: number): number {
  return ahead(rspProd, rspCons, mask);
}

/** RING_REQUEST_CONS_OVERFLOW: consuming another request would leave no slot for its response. */
export function requestConsOverflow(reqCons: number, rspProdPvt: number, size: number, mask: number): boolean {
  return ahead(reqCons, rspProdPvt, mask) >= size;
}

/** RING_REQUEST_PROD_OVERFLOW: the frontend claims more requests than the ring holds: it is hostile. */
export function requestProdOverflow(reqProd: number, rspProdPvt: number, size: number, mask: number): boolean {
  return ahead(reqProd, rspProdPvt, mask) > size;
}

/** RING_RESPONSE_PROD_OVERFLOW: the backend claims more responses than the ring holds: it is hostile. */
export function responseProdOverflow(rspProd: number, rspCons: number, size: number, mask: number): boolean {
  return ahead(rspProd, rspCons, mask) > size;
}

/**
 * The verdict of RING_PUSH_REQUESTS_AND_CHECK_NOTIFY and RING_PUSH_RESPONSES_AND_CHECK_NOTIFY: whether the push from `published` to
 * `producer` went past the other side's event threshold. To be computed after the barrier that follows the push.
 */
export function mustNotify(producer: number, published: number, event: number, mask: number): boolean {
  return ahead(producer, event, mask) < ahead(producer, published, mask);
}

/** What RING_FINAL_CHECK sets as threshold: the next entry that is not there yet. Afterwards a barrier, then the test again. */
export function eventThreshold(cons: number, mask: number): number {
  return following(cons, mask);
}
