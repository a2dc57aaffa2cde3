/** Outcomes by state class: every transition is counted where its state was, and nothing is lost or invented. */
import { expect, it } from 'vitest';
import { build } from '../model/kernel/index.js';
import { type TwoPhase, twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { invariant } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { StateClasses } from './stateClasses.js';

const property = invariant<TwoPhase>('T1', 'any', {
  states: 'anything',
  holds: () => true,
  witnesses: {
    'it is decided': (m) => m.tm.state[0] !== 0,
    'it is not decided': (m) => m.tm.state[0] === 0,
    'one has aborted': (m) => m.rm.state[0] === 3,
    never: () => false,
  },
});

const explored = (counted: boolean) => {
  const m = build(twoPhaseCommit, { scope: { rm: 3 } });
  const classes = counted ? new StateClasses(m, [property]) : undefined;
  const { states } = exploreExhaustively(m, { properties: [property], mayStop: () => true, classes });
  const counts = classes?.finish() ?? [];
  return { m, states, classes, counts };
};

it('counts what the machine counts, by the witnesses that held before', () => {
  const plain = explored(false);
  const { m, states, classes, counts } = explored(true);
  expect(states).toBe(plain.states);
  expect(m.outcomes).toEqual(plain.m.outcomes);
  expect(classes?.names).toEqual([
    'T1 any: it is decided',
    'T1 any: it is not decided',
    'T1 any: one has aborted',
    'T1 any: never',
  ]);
  const of = (name: string) => counts[m.operations.findIndex((o) => o.op.name === name)];
  const total = (name: string) => m.outcomes[m.operations.findIndex((o) => o.op.name === name) * 1024];
  for (const { op } of m.operations) {
    const [decided = 0, open = 0, aborted = 0, never] = of(op.name)?.ok ?? [];
    expect(decided + open).toBe(total(op.name));
    expect(aborted).toBeLessThan(decided + open);
    expect(never).toBe(0);
  }
  // The manager decides once; who has aborted does not prepare.
  expect(of('tm.commit')?.ok.slice(0, 1)).toEqual([0]);
  expect(of('rm.prepare')?.ok[2]).toBeGreaterThan(0);
});

it('counts states in which nothing holds apart', () => {
  const m = build(twoPhaseCommit, { scope: { rm: 2 } });
  const classes = new StateClasses(m, []);
  exploreExhaustively(m, { properties: [], mayStop: () => true, classes });
  const counts = classes.finish();
  expect(counts.map((c) => c.ok)).toEqual(m.operations.map((o) => [m.outcomes[o.index * 1024]]));
});
