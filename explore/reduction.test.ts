/** The reduction by clusters sees what the unreduced exploration sees, in the sum of the independent parts instead of their product. */
import { describe, expect, it } from 'vitest';
import {
  add,
  build,
  type Machine,
  type MachineDef,
  module,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../model/kernel/index.js';
import { invariant } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { reductionOf } from './reduction.js';

describe('partial-order reduction', () => {
  const stage = sort('stage');
  const pairTables = { driver: table([stage], { step: u8() }), device: table([stage], { step: u8(), order: u8() }) };
  type Pairs = Machine & State<typeof pairTables>;
  const pairOperation = operationOn<Pairs>();
  const submit = pairOperation('pair.submit', {
    agent: stage,
    where: { agent: (m, op) => m.driver.step[op.agent] < 4 && m.device.order[op.agent] === 0 },
    touches: (m, op, may) => {
      may.write(m.driver, op.agent);
      may.write(m.device, op.agent);
    },
    steps: {
      submit: (m, op) => {
        m.driver.step[op.agent]++;
        m.device.order[op.agent] = 1;
      },
    },
  });
  const complete = pairOperation('pair.complete', {
    agent: stage,
    where: { agent: (m, op) => m.device.order[op.agent] === 1 },
    touches: (m, op, may) => may.write(m.device, op.agent),
    steps: {
      complete: (m, op) => {
        m.device.step[op.agent]++;
        m.device.order[op.agent] = 0;
      },
    },
  });
  const def: MachineDef = {
    name: 'pairs',
    modules: [module<Pairs, typeof pairTables>('pairs', { tables: pairTables, operations: [submit, complete] })],
  };
  const follows = (bound: number) =>
    invariant<Pairs>('I6', 'match', {
      states: 'a device completes only what was submitted',
      holds: (m) => m.device.step.every((n, i) => n <= m.driver.step[i] && n < bound),
      parts: (m, i, reads) => {
        if (i >= m.size(stage)) return false;
        reads.read(m.driver, i);
        reads.read(m.device, i);
        return true;
      },
      witnesses: { 'the second device is done': (m) => m.device.step[1] === 4 },
    });
  const run = (pairs: number, bound: number, reduced: boolean) => {
    const machine = build(def, { scope: { stage: pairs } });
    const properties = [follows(bound)];
    const reduction = reduced ? reductionOf(machine, properties) : undefined;
    return exploreExhaustively(machine, { properties, reduction, mayStop: () => true });
  };

  it('visits the sum of independent pairs (with the initial state of each), not their product, and sees the same', () => {
    expect(run(2, 9, false)).toMatchObject({ states: 81, findings: [] });
    expect(run(2, 9, true)).toMatchObject({ states: 2 * 9, findings: [] });
    expect(run(4, 9, false).states).toBe(9 ** 4);
    expect(run(4, 9, true).states).toBe(4 * 9);
    expect(run(2, 9, true).witnesses.every((w) => w.reached)).toBe(true);
  });

  it('finds a deadlock only where all clusters are stuck', () => {
    const machine = () => build(def, { scope: { stage: 2 } });
    const reduced = machine();
    const { findings } = exploreExhaustively(reduced, { reduction: reductionOf(reduced, []) });
    expect(findings.map((f) => f.property.id)).toEqual(
      exploreExhaustively(machine()).findings.map((f) => f.property.id),
    );
    const forEver = add(pairOperation('pair.tick', { agent: 'vmm', touches: () => {}, steps: { tick: () => {} } }));
    const ticking = build(def, { scope: { stage: 2 }, edits: [forEver] });
    expect(exploreExhaustively(ticking, { reduction: reductionOf(ticking, []) }).findings).toEqual([]);
  });

  it('finds what the unreduced run finds', () => {
    for (const reduced of [false, true]) expect(run(3, 4, reduced).findings.map((f) => f.property.id)).toContain('I6');
  });

  it('does not reduce when the property looks at everything', () => {
    const machine = build(def, { scope: { stage: 2 } });
    const { parts: _, ...whole } = follows(9);
    expect(reductionOf(machine, [whole]).clusterCount).toBe(1);
    expect(reductionOf(machine, [follows(9)]).clusterCount).toBe(2);
  });
});
