/** "Did you mean" names the near, and keeps quiet about the far. */
import { describe, expect, it } from 'vitest';
import { distance, nearest } from './nearest.js';

describe('nearest', () => {
  it.each([
    ['memory', 'memory', 0],
    ['memroy', 'memory', 1],
    ['memor', 'memory', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%s is %s but for %i', (a, b, d) => {
    expect(distance(a, b)).toBe(d);
    expect(distance(b, a)).toBe(d);
  });

  it.each([
    ['memroy', 'memory'],
    ['iom', 'iommu'],
    ['GRANTS', 'grants'],
    ['zzzzzz', undefined],
    ['', undefined],
  ])('of %s', (wanted, found) => {
    expect(
      nearest(
        wanted,
        ['memory', 'grants', 'iommu'].filter((n) => wanted !== '' || n === ''),
      ),
    ).toBe(found);
  });
});
