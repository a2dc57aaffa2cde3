/** Values of options: what is accepted, and what is refused. */
import { describe, expect, it } from 'vitest';
import { duration, integer } from './options.js';

describe('options', () => {
  it.each([
    ['60', 60_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
  ])('a duration of %s', (text, ms) => expect(duration(text)).toBe(ms));
  it.each(['', '0', '-1', '5x', '1e9', '25h', 'Infinity', '0.01'])('no duration: %s', (text) => {
    expect(() => duration(text)).toThrow('Give seconds');
  });
  it.each(['', '1.5', '0x10', '65', '0', 'many', '1e1'])('no number from 1 to 64: %s', (text) => {
    expect(() => integer(1, 64)(text)).toThrow('Give a whole number from 1 to 64');
  });
  it('numbers', () => expect(integer(1, 64)('64')).toBe(64));
});
