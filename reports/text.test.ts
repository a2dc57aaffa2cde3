/** Text fits its width, loses no word, and does not steer the terminal. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, grouped, hang, printable, wrap } from './text.js';

describe('text', () => {
  it('wraps any text to any width without losing a character that is not a space', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 1, max: 120 }), (text, width) => {
        const lines = wrap(text, width);
        expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(width);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });

  it('hangs', () => expect(hang('- ', 'one two three four', 14)).toEqual(['- one two', '  three four']));

  it('takes control characters out', () => {
    expect(printable('a\u001b[2Jb\r\n\u202ec')).toBe('a?[2Jb???c');
  });

  it('counts', () => {
    expect([grouped(1), grouped(1745408), counted(1, 'step'), counted(2, 'step')]).toEqual([
      '1',
      '1,745,408',
      '1 step',
      '2 steps',
    ]);
  });
});
