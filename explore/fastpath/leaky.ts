/**
 * A suite that must not pass: what the gates have to catch, kept for their tests. Its steps allocate an object, a number that does not
 * fit 31 bits, and an object on hostile input only; one operation never runs, and one is clean.
 */
import { claim, suite } from '../../drivers/suite.js';
import { type Machine, module, operationOn, type State, sort, table, u8 } from '../../model/kernel/index.js';
import { invariant } from '../../properties/property.js';

const slot = sort('slot');
const tables = { slots: table([slot], { full: u8() }) };
type Slots = Machine & State<typeof tables>;
const operation = operationOn<Slots>();

/** What the steps leave behind: reachable, so that no compiler can do without it. */
export const leaked: { last: unknown } = { last: undefined };
const numbers: unknown[] = [{}];

const clean = operation('slot.fill', {
  agent: 'guest',
  input: { slot },
  steps: {
    fill: (m, op) => {
      m.slots.full[op.slot] = 1;
    },
  },
});

const leaksObject = operation('slot.empty', {
  agent: 'guest',
  input: { slot },
  where: { slot: (m, op) => m.slots.full[op.slot] === 1 },
  steps: {
    empty: (m, op) => {
      leaked.last = { slot: op.slot };
      m.slots.full[op.slot] = 0;
    },
  },
});

const leaksNumber = operation('slot.stamp', {
  agent: 'guest',
  input: { slot },
  steps: {
    stamp: (_m, op) => {
      numbers[0] = (op.slot + 1) * 0x7fff_ffff * 1.5;
    },
  },
});

const leaksWhenHostile = operation('slot.check', {
  agent: 'vmm',
  input: { slot },
  errors: { EINVAL: -22 },
  steps: {
    check: (m, op) => {
      if (m.slots.full[op.slot] === 1) return 0;
      leaked.last = [op.slot, m.slots.full[op.slot]];
      return -22;
    },
  },
});

const never = operation('slot.never', { agent: 'vmm', where: { agent: () => false }, steps: { never: () => 0 } });

const attack = operation('slot.wildWrite', {
  agent: 'device',
  fault: 'F1',
  input: { slot },
  steps: {
    write: (m, op) => {
      m.slots.full[op.slot] ^= 1;
    },
  },
});

export const leaky = suite('leaky', {
  title: 'Steps that allocate, for the tests of the allocation gates',
  machine: {
    name: 'leaky',
    modules: [
      module<Slots, typeof tables>('slots', {
        tables,
        operations: [clean, leaksObject, leaksNumber, leaksWhenHostile, never, attack],
      }),
    ],
  },
  scope: { default: { slot: 2 } },
  claims: [
    claim('A slot is full or empty', {
      keeps: [
        invariant<Slots>('leaky', 'bit', {
          states: 'a slot is full or empty',
          holds: (m) => m.slots.full[0] <= 1,
          witnesses: { 'a slot is full': (m) => m.slots.full[0] === 1 },
        }),
      ],
      against: ['F1'],
      without: [],
    }),
  ],
  assumptions: [],
});
