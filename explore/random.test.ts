/** The random explorer finds, shrinks, proves minimal, counts what it ran, and notices machines that do not repeat themselves. */
import { describe, expect, it } from 'vitest';
import {
  build,
  guardWith,
  insertBefore,
  type Machine,
  module,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../model/kernel/index.js';
import { consistent, type TwoPhase, tmCommit, twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { invariant } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { exploreRandomly } from './random.js';

const consistency = invariant<TwoPhase>('consistent', 'consistent', {
  states: 'no resource manager commits while another aborts',
  holds: consistent,
  witnesses: { 'one has committed': (m) => m.rm.state[0] === 2 },
});
const hasty = guardWith(tmCommit, 'agent', (m) => m.tm.state[0] === 0 && m.tm.prepared[0] !== 0);
const options = { properties: [consistency], runs: 3000, steps: 40, seed: 7 };

describe('exploreRandomly', () => {
  it('finds nothing in the right specification, and executes what it counts', () => {
    const result = exploreRandomly(build(twoPhaseCommit, { scope: { rm: 4 } }), options);
    expect(result).toMatchObject({ verdict: 'holds', runs: 3000, findings: [] });
    expect(result.executed / result.runs).toBeGreaterThan(3);
    expect(Object.values(result.perOperation).reduce((a, b) => a + b)).toBe(result.executed);
    expect(result.witnesses).toEqual([
      { property: 'consistent consistent', witness: 'one has committed', reached: true },
    ]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('finds a planted bug with seed %i and proves the trace minimal', (seed) => {
    const machine = build(twoPhaseCommit, { scope: { rm: 4 }, edits: [hasty] });
    const { verdict, findings } = exploreRandomly(machine, { ...options, seed, stopAtFirst: true });
    expect(verdict).toBe('broken');
    // Prepare, learn of it, commit, one learns of the commit, another aborts on its own: five steps.
    expect(findings[0]).toMatchObject({ minimal: 'proved' });
    expect(findings[0].trace).toHaveLength(1 + 5);
    expect(findings[0].shrunkLength).toBeLessThanOrEqual(7);
  });

  it('repeats itself exactly', () => {
    const once = exploreRandomly(build(twoPhaseCommit, { scope: { rm: 3 }, edits: [hasty] }), options);
    const again = exploreRandomly(build(twoPhaseCommit, { scope: { rm: 3 }, edits: [hasty] }), options);
    expect(again).toEqual(once);
  });

  it('calls a failure that does not happen again a disagreement', () => {
    let first: TwoPhase | undefined;
    const fickle = insertBefore(tmCommit, 'decide', 'fickle', (m) => {
      first ??= m;
      if (m === first) m.rm.state.fill(2, 0, 1).fill(3, 1, 2);
    });
    const machine = build(twoPhaseCommit, { scope: { rm: 2 }, edits: [fickle] });
    const result = exploreRandomly(machine, { ...options, frameCondition: false });
    expect(result.verdict).toBe('disagreement');
  });

  it('does nothing that needs a member of an empty sort, no more than the exhaustive explorer does', () => {
    const nobody = sort('nobody');
    const done = table([], { count: u8() });
    type Idle = Machine & State<{ done: typeof done }>;
    const act = operationOn<Idle>()('act', {
      agent: 'machine',
      says: 'asks {whom}',
      input: { whom: nobody },
      touches: (m, _op, may) => may.write(m.done),
      steps: {
        act: (m) => {
          m.done.count[0] = 1;
        },
      },
    });
    const def = {
      name: 'idle',
      modules: [module<Idle, { done: typeof done }>('idle', { tables: { done }, operations: [act] })],
    };
    const explore = (members: number): readonly [number, number] => {
      const machine = build(def, { scope: { nobody: members } });
      const { executed } = exploreRandomly(machine, { properties: [], runs: 20, steps: 4, seed: 1 });
      return [executed, exploreExhaustively(machine, { mayStop: () => true }).states];
    };
    expect(explore(0)).toEqual([0, 1]);
    expect(explore(1)[0]).toBeGreaterThan(0);
    expect(explore(1)[1]).toBe(2);
  });
});
