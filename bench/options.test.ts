/** The command line of the bench. */
import { describe, expect, it } from 'vitest';
import { readOptions, UsageError } from './options.js';

describe('readOptions', () => {
  it('has defaults', () => {
    expect(readOptions([])).toEqual({ quick: false, json: false, requirePeers: false, runs: 3 });
  });

  it('reads every option', () => {
    const all = ['--quick', '--json', '--require-peers', '--runs', '7'];
    expect(readOptions(all)).toEqual({ quick: true, json: true, requirePeers: true, runs: 7 });
    expect(readOptions(['-h'])).toBe('help');
  });

  it.each([['--runs=0'], ['--runs=100'], ['--runs=2.5'], ['--runs', 'x'], ['--fast'], ['spin']])(
    'refuses %s with one line',
    (...args) => {
      expect(() => readOptions(args)).toThrow(UsageError);
    },
  );
});
