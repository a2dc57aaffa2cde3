/** The split decision as a function: both checks hold of every call graph, and they see what is wrong with other decisions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallGraph, checkSplit, IN_KERNEL, IN_USER, splitOf } from './split.js';

const FUNCTIONS = 8;
const graphs: fc.Arbitrary<CallGraph> = fc.record({
  functions: fc.array(
    fc.record({
      name: fc.constant('f'),
      hasBody: fc.boolean(),
      root: fc.constantFrom(undefined, undefined, 'critical' as const, 'user' as const),
    }),
    { minLength: FUNCTIONS, maxLength: FUNCTIONS },
  ) as fc.Arbitrary<CallGraph['functions']>,
  calls: fc.array(fc.tuple(fc.nat(FUNCTIONS - 1), fc.nat(FUNCTIONS - 1)), { maxLength: 16 }),
});

/** A network driver, in small: interrupt and transmission are critical; opening and statistics are not. */
const driver: CallGraph = {
  functions: [
    { name: 'interrupt', hasBody: true, root: 'critical' },
    { name: 'transmit', hasBody: true, root: 'critical' },
    { name: 'open', hasBody: true, root: 'user' },
    { name: 'reset', hasBody: true },
    { name: 'readStatistics', hasBody: true },
    { name: 'netif_rx', hasBody: false },
    { name: 'unused', hasBody: true },
  ],
  calls: [
    [0, 3],
    [0, 5],
    [2, 3],
    [2, 4],
  ],
};

describe('the split', () => {
  it('keeps what critical roots reach, and kernel services, in the kernel', () => {
    expect(splitOf(driver)).toEqual([IN_KERNEL, IN_KERNEL, IN_USER, IN_KERNEL, IN_USER, IN_KERNEL, IN_USER]);
    expect(checkSplit(driver, splitOf(driver))).toEqual([]);
  });

  it('passes both checks on any call graph', () => {
    fc.assert(fc.property(graphs, (g) => checkSplit(g, splitOf(g)).length === 0));
  });

  it('leaves in the user half all that no critical root reaches', () => {
    fc.assert(
      fc.property(graphs, (g) => {
        const halves = splitOf(g);
        return g.functions.every((f, i) => {
          if (!f.hasBody || halves[i] === IN_USER) return true;
          // In the kernel without need: moving it would break no check.
          return (
            checkSplit(
              g,
              halves.map((h, j) => (j === i ? IN_USER : h)),
            ).length > 0
          );
        });
      }),
    );
  });

  it('the checks see a critical function in the user half, and a call up', () => {
    expect(checkSplit(driver, [IN_KERNEL, IN_KERNEL, IN_USER, IN_USER, IN_USER, IN_KERNEL, IN_USER])).toEqual([
      'reset is reached from a critical root and is in the user half',
      'interrupt may run where nothing may sleep and calls reset in the user half',
    ]);
  });
});
