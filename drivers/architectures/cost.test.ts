/** The cost runner on a machine of two operations: what it counts, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { type Machine, type MachineDef, module, operationOn, type State, table, u8 } from '../../model/kernel/index.js';
import { COPY, charge, hypercall } from '../../model/ledger.js';
import { type CostRun, costOf } from './cost.js';
import { type RecoveryRun, recoveryOf } from './recovery.js';

const tables = { box: table([], { full: u8(), seen: u8() }) };
type Box = Machine & State<typeof tables>;
const operation = operationOn<Box>();

const put = operation('put', {
  agent: 'left',
  where: { agent: (m) => m.box.full[0] === 0 },
  steps: {
    put: (m) => {
      charge(m, COPY);
      m.box.full[0] = 1;
    },
  },
});
const get = operation('get', {
  agent: 'right',
  where: { agent: (m) => m.box.full[0] === 1 },
  steps: {
    get: (m) => {
      hypercall(m);
      // The first two times cost more: what is first-time must not be counted.
      if (m.box.seen[0] < 1) charge(m, COPY);
      m.box.seen[0] = 1;
      m.box.full[0] = 0;
    },
  },
});
const grow = operation('grow', {
  agent: 'right',
  steps: {
    grow: (m) => {
      m.box.seen[0]++;
      for (let i = 0; i < m.box.seen[0]; i++) charge(m, COPY);
    },
  },
});

const machine: MachineDef = {
  name: 'a box',
  modules: [module<Box, typeof tables>('box', { tables, operations: [put, get, grow] })],
};
const run = (steps: CostRun['steps']): CostRun => ({
  what: 'net transmit',
  batch: 1,
  era: 'now',
  machine,
  scope: {},
  steps,
});

describe('costs of a scripted run', () => {
  it('counts charges and changes of the domain, once it is warm', () => {
    const cost = costOf(
      run([
        { operation: 'put', in: 'left' },
        { operation: 'get', in: 'right' },
      ]),
    );
    expect(cost.perRequest).toMatchObject({ copy: 1, hypercall: 1, 'domain crossing': 4 });
    expect(cost.operations).toBe(2);
  });

  it('divides by the batch', () => {
    const twice = [{ operation: 'put' }, { operation: 'get' }];
    expect(costOf({ ...run(twice), batch: 8 }).perRequest.copy).toBe(1 / 8);
  });

  it('refuses a run that costs something else every time', () => {
    expect(() => costOf(run([{ operation: 'grow' }]))).toThrow(/no steady state/);
  });

  it('refuses steps that are not enabled, and operations that there are not', () => {
    expect(() => costOf(run([{ operation: 'get' }]))).toThrow(/step 1: 'get' is not enabled/);
    expect(() => costOf(run([{ operation: 'lose' }]))).toThrow(/no operation 'lose'/);
    expect(() => costOf({ ...run([{ operation: 'put' }]), initial: { colour: 1 } })).toThrow(/no initial state/);
  });
});

describe('ways back to service', () => {
  const way = (steps: RecoveryRun['steps']): RecoveryRun => ({
    what: 'a box',
    from: 'crash',
    era: 'now',
    machine,
    scope: {},
    restored: (m: Box) => m.box.full[0] === 0,
    before: [{ operation: 'put', in: 'left' }],
    steps,
  });

  it('count what comes after the failure, once: operations, their steps, and charges', () => {
    expect(recoveryOf(way([{ operation: 'get', in: 'right' }]))).toMatchObject({
      ends: true,
      operations: 1,
      steps: 1,
      charges: { copy: 1, hypercall: 1, 'domain crossing': 3 },
    });
  });

  it('must lead to service, and must not begin there', () => {
    expect(() => recoveryOf(way([{ operation: 'get' }, { operation: 'put' }]))).toThrow('service is not back');
    expect(() => recoveryOf({ ...way([]), before: [] })).toThrow('service was never away');
  });

  it('may not exist', () => {
    expect(recoveryOf(way([]))).toMatchObject({ ends: false, operations: 0 });
  });
});
