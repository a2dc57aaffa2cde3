/** The ring's arithmetic, at the real modulus and at a small one. */
import { describe, expect, it } from 'vitest';
import {
  ahead,
  eventThreshold,
  following,
  mustNotify,
  requestProdOverflow,
  ringFull,
  unconsumedRequests,
} from './ring.js';

describe.each([
  ['modulus 4', 3, 2],
  ['modulus 2^32', -1, 0xfffffffe | 0],
])('%s', (_name, mask, start) => {
  it('counts over the wrap', () => {
    let index = start;
    for (let i = 0; i < 3; i++) index = following(index, mask);
    expect(ahead(index, start, mask)).toBe(3);
  });

  it('notifies exactly when a push passes the threshold', () => {
    const one = following(start, mask);
    const two = following(one, mask);
    expect(mustNotify(one, start, eventThreshold(start, mask), mask)).toBe(true);
    expect(mustNotify(two, one, eventThreshold(start, mask), mask)).toBe(false);
    expect(mustNotify(two, start, eventThreshold(one, mask), mask)).toBe(true);
    expect(mustNotify(one, start, eventThreshold(one, mask), mask)).toBe(false);
  });

  it('bounds what is unconsumed by the room for answers', () => {
    const two = following(following(start, mask), mask);
    const three = following(two, mask);
    expect(unconsumedRequests(two, start, start, 2, mask)).toBe(2);
    expect(unconsumedRequests(three, start, start, 2, mask)).toBe(2);
    expect(unconsumedRequests(three, two, start, 2, mask)).toBe(0);
    expect(requestProdOverflow(two, start, 2, mask)).toBe(false);
    expect(requestProdOverflow(three, start, 2, mask)).toBe(true);
    expect(ringFull(two, start, 2, mask)).toBe(true);
  });
});
