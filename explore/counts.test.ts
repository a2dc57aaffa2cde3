/** Known state counts of a textbook model: agreed on by several model checkers, so the explorer loses and invents nothing. */
import { describe, expect, it } from 'vitest';
import { build } from '../model/kernel/index.js';
import { consistent, resourceManager, type TwoPhase, twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { invariant } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { canonicalizer } from './symmetry.js';

const consistency = invariant<TwoPhase>('consistent', 'consistent', {
  states: 'no resource manager commits while another aborts',
  holds: consistent,
  witnesses: { 'one has committed': (m) => m.rm.state[0] === 2, 'one has aborted': (m) => m.rm.state[0] === 3 },
});

describe('two-phase commit', () => {
  it.each([
    [3, 288, 1146],
    [5, 8832, 58146],
    [7, 296448, 2744706],
  ])('n = %i: %i states, %i transitions', (n, states, transitions) => {
    const machine = build(twoPhaseCommit, { scope: { rm: n } });
    const result = exploreExhaustively(machine, {
      properties: [consistency],
      frameCondition: n < 7,
      mayStop: () => true,
    });
    expect(result).toMatchObject({ verdict: 'complete', states, transitions, findings: [] });
    expect(result.witnesses.every((w) => w.reached)).toBe(true);
  });

  it.each([
    [3, 80],
    [5, 314],
    [8, 1461],
  ])('under symmetry, n = %i: %i states', (n, states) => {
    const machine = build(twoPhaseCommit, { scope: { rm: n } });
    const result = exploreExhaustively(machine, {
      properties: [consistency],
      symmetry: canonicalizer(machine, resourceManager),
      mayStop: () => true,
    });
    expect(result).toMatchObject({ verdict: 'complete', states, findings: [] });
  });
});
