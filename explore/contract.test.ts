/** One other step in the place of several, where leaving steps out gets no further. */
import { expect, it } from 'vitest';
import { build, module, operationOn, table, u8 } from '../model/kernel/index.js';
import { invariant } from '../properties/property.js';
import { contract } from './contract.js';
import { type Run, Walker } from './walk.js';

interface Counter {
  readonly counter: { readonly value: Uint8Array };
}

const operation = operationOn<Counter>();
const addOne = operation('add.one', {
  agent: 'vmm',
  steps: { add: (m) => void m.counter.value[0]++ },
});
const addThree = operation('add.three', {
  agent: 'vmm',
  where: { agent: (m) => m.counter.value[0] % 3 === 0 },
  steps: {
    add: (m) => {
      m.counter.value[0] += 3;
    },
  },
});
const small = invariant<Counter>('C', 'small', {
  states: 'the counter stays below six',
  holds: (m) => m.counter.value[0] < 6,
  witnesses: {},
});

it('replaces stretches until none is left to replace', () => {
  const counting = module('counting', {
    tables: { counter: table([], { value: u8() }) },
    operations: [addOne, addThree],
  });
  const machine = build({ name: 'counting', modules: [counting] }, { scope: {} });
  const walker = new Walker(machine, { properties: [small], frameCondition: false });
  const ones: Run = { initial: [], steps: Array.from({ length: 6 }, () => ({ kind: 0, digits: [] })) };
  expect(walker.execute(ones, small).broken).toBe(small);
  // No step of the six can be left out.
  for (let i = 0; i < 6; i++) {
    const fewer = { ...ones, steps: ones.steps.filter((_, at) => at !== i) };
    expect(walker.execute(fewer, small).broken).toBeUndefined();
  }
  expect(contract(walker, ones, small).steps.map((s) => s.kind)).toEqual([1, 1]);
});
