/** Searching ways back on a machine with a lamp: the shortest is found, a detour is seen as one, and none is none. */
import { describe, expect, it } from 'vitest';
import type { RecoveryRun } from '../drivers/architectures/recovery.js';
import {
  drop,
  type Machine,
  type MachineDef,
  module,
  operationOn,
  type State,
  table,
  u8,
} from '../model/kernel/index.js';
import { recoveriesOf, shortestRecovery } from './recoveryDistance.js';

const tables = { lamp: table([], { broken: u8(), parts: u8() }) };
type Lamp = Machine & State<typeof tables>;
const operation = operationOn<Lamp>();

const breaks = operation('break', {
  agent: 'nature',
  fault: 'F10',
  where: { agent: (m) => m.lamp.broken[0] === 0 },
  steps: {
    break: (m) => {
      m.lamp.broken[0] = 1;
    },
  },
});
const fetch = operation('fetch', {
  agent: 'owner',
  where: { agent: (m) => m.lamp.parts[0] < 3 },
  steps: {
    fetch: (m) => {
      m.lamp.parts[0]++;
    },
  },
});
const mend = operation('mend', {
  agent: 'owner',
  where: { agent: (m) => m.lamp.broken[0] === 1 && m.lamp.parts[0] > 0 },
  steps: {
    'put the part in': (m) => {
      m.lamp.parts[0]--;
    },
    'try it': (m) => {
      m.lamp.broken[0] = 0;
    },
  },
});
const machine: MachineDef = {
  name: 'a lamp',
  modules: [module<Lamp, typeof tables>('lamp', { tables, operations: [breaks, fetch, mend] })],
};
const run = (steps: readonly string[]): RecoveryRun => ({
  what: 'light',
  from: 'crash',
  era: 'now',
  machine,
  scope: {},
  restored: (m: Lamp) => m.lamp.broken[0] === 0,
  before: [{ operation: 'break' }],
  steps: steps.map((name) => ({ operation: name, in: 'owner' })),
});

describe('shortest ways back', () => {
  it('are found, whatever way the script takes', () => {
    expect(recoveriesOf([run(['fetch', 'fetch', 'mend'])])).toMatchObject([
      { ends: true, operations: 3, steps: 4, shortest: 2 },
    ]);
  });

  it('are none when all states were searched', () => {
    const noParts = { ...run([]), edits: [drop(fetch)] };
    expect(shortestRecovery(noParts)).toBeNull();
    expect(recoveriesOf([noParts])).toMatchObject([{ ends: false, operations: 0, shortest: null }]);
  });

  it('refute a script that says there is none', () => {
    expect(() => recoveriesOf([run([])])).toThrow('a way back of 2 operations is found');
  });
});
