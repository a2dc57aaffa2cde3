/** Which site of an operation fails is a matter of the whole operation, whatever the schedule. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { invariant } from '../../properties/property.js';
import { build, fail, failure, type Machine, type MachineOptions, module, operationOn, table, u8 } from './index.js';

interface Pair extends Pick<Machine, 'fails'> {
  readonly pair: { readonly taken: Uint8Array; readonly failed: Uint8Array };
}

const first = failure('take the first of a pair');
const second = failure('take the second of a pair');
const operation = operationOn<Pair>();
const takeBoth = operation('pair.take', {
  agent: 'vmm',
  where: { agent: (m) => m.pair.taken[0] === 0 && m.pair.failed[0] === 0 },
  onFailure: 'safe',
  steps: {
    'take the first': (m) => {
      if (m.fails(first)) return fail(1);
      m.pair.taken[0]++;
      return 0;
    },
    'take the second': (m) => {
      if (m.fails(second)) {
        m.pair.failed[0] = 2;
        return fail(2);
      }
      m.pair.taken[0]++;
      return 0;
    },
  },
  undo: { 'take the first': (m) => void m.pair.taken[0]-- },
});
const pairs = module('pairs', {
  tables: { pair: table([], { taken: u8(), failed: u8() }) },
  operations: [takeBoth],
});
const neverSecond = invariant<Pair>('T', 'second', {
  states: 'the second site never fails',
  holds: (m) => m.pair.failed[0] !== 2,
  witnesses: {},
});

const explore = (schedule: 'whole' | 'split', failures: MachineOptions['failures']) => {
  const machine = build(
    { name: 'pairs', modules: [pairs], threads: () => ['vmm'] },
    { scope: {}, schedule, ...(failures && { failures }) },
  );
  const result = exploreExhaustively(machine, {
    properties: [neverSecond],
    mayStop: () => true,
    frameCondition: false,
  });
  return { failed: machine.sitesFailed, most: machine.mostSites, broken: result.findings.map((f) => f.property.name) };
};

describe.each(['whole', 'split'] as const)('under the schedule %s', (schedule) => {
  it('the n-th site of an operation is counted over all its steps', () => {
    const one = explore(schedule, { nth: 1 });
    expect([one.failed[first.id] > 0, one.failed[second.id], one.broken]).toEqual([true, 0, []]);
    const two = explore(schedule, { nth: 2 });
    expect([two.failed[first.id], two.failed[second.id] > 0, two.broken]).toEqual([0, true, ['second']]);
    const three = explore(schedule, { nth: 3 });
    expect([three.failed[first.id], three.failed[second.id], three.broken]).toEqual([0, 0, []]);
  });

  it('the run in which nothing fails tells how many sites there are', () => {
    expect(explore(schedule, 'none').most).toBe(2);
  });

  it('by choice each can fail, and without failures none does', () => {
    const any = explore(schedule, 'any');
    expect([any.failed[first.id] > 0, any.failed[second.id] > 0, any.broken]).toEqual([true, true, ['second']]);
    const none = explore(schedule, 'none');
    expect([none.failed[first.id], none.failed[second.id], none.broken]).toEqual([0, 0, []]);
  });
});
