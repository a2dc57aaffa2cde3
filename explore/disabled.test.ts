/** Why operations are disabled: by which guard, by which step, or because a thread waits. */
import { describe, expect, it } from 'vitest';
import {
  AGAIN,
  build,
  DISABLED,
  guardWith,
  type Machine,
  module,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../model/kernel/index.js';
import { rmPrepare, twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { disabledHere, kindsOfInterest, whyNot } from './disabled.js';
import { initialTold, performTold, type TraceStep } from './trace.js';

const agent = sort('agent');
const box = sort('box');
const tables = { box: table([box], { full: u8(), lock: u8() }) };
type Boxes = Machine & State<typeof tables>;
const operation = operationOn<Boxes>();

const fill = operation('box.fill', {
  agent,
  input: { box },
  where: { box: (m, op) => m.box.lock[op.box] === 0 },
  steps: {
    lock: (m, op) => {
      m.box.lock[op.box] = 1;
    },
    'look in': (m, op) => (m.box.full[op.box] === 0 ? undefined : AGAIN),
    unlock: (m, op) => {
      m.box.full[op.box] = 1;
      m.box.lock[op.box] = 0;
    },
  },
});
const steal = operation('box.steal', {
  agent: 'thief',
  fault: 'F1',
  input: { box },
  steps: {
    'find it': (m, op) => (m.box.full[op.box] === 1 ? undefined : DISABLED),
    take: (m, op) => {
      m.box.full[op.box] = 0;
    },
  },
});
const boxes = {
  name: 'boxes',
  modules: [module<Boxes, typeof tables>('boxes', { tables, operations: [fill, steal] })],
  threads: () => [0, 1],
};

const machine = (schedule: 'whole' | 'split') => build(boxes, { scope: { agent: 2, box: 1 }, schedule }) as Boxes;
const started = <M extends Machine>(m: M): M => {
  initialTold(m, []);
  return m;
};
const perform = (m: Machine, k: number, digits: readonly number[]): TraceStep => {
  const step = performTold(m, k, digits);
  if (!step) throw new Error('not enabled');
  return step;
};

describe('why an operation is disabled', () => {
  it('is told by the step that answers so, and only of operations that no input enables', () => {
    const m = started(machine('whole'));
    const before = m.words.slice();
    const kinds = [0, 1];
    expect(disabledHere(m, kinds)).toEqual(["box.steal {F1}: disabled by its step 'find it'"]);
    expect(m.words).toEqual(before);
    perform(m, 0, [1, 0]);
    expect(disabledHere(m, kinds)).toEqual(["box.fill: disabled by its step 'look in'"]);
  });

  it('is told by the guard of the input that was looked at last, in its own words', () => {
    const m = build(twoPhaseCommit, { scope: { rm: 2 } });
    started(m);
    const k = m.operations.findIndex((o) => o.op.name === 'tm.receivePrepared');
    expect(disabledHere(m, [k])).toEqual([
      "tm.receivePrepared: disabled by its guard on 'rm' ((m.sent.prepared[0] >> op.rm & 1) === 1)",
    ]);
    const prepared = perform(
      m,
      m.operations.findIndex((o) => o.op.name === rmPrepare.name),
      [0],
    );
    expect(disabledHere(m, [k])).toEqual([]);
    // The very step, with its own inputs, is another question.
    expect(disabledHere(m, [k], prepared)[0]).toMatch(
      /^the last step of this trace: disabled by its guard on the agent/,
    );
    expect(whyNot(m, prepared)).toMatch(/^disabled by its guard on the agent/);
  });

  it('is told of threads that wait, and of those that would be needed', () => {
    const m = started(machine('split'));
    m.box.full[0] = 1;
    perform(m, 0, [0, 0]);
    const lines = disabledHere(m, kindsOfInterest(m, []));
    expect(lines).toEqual(["thread 0 of agent 0, in box.fill: disabled by its step 'look in'"]);
    m.box.lock[0] = 0;
    perform(m, 0, [1, 0]);
    expect(disabledHere(m, [0])).toEqual(['box.fill: disabled: no thread of its agent is idle']);
  });

  it('is told in the words of a guard that is a function with a body', () => {
    const blocked = build(twoPhaseCommit, {
      scope: { rm: 2 },
      edits: [
        guardWith(rmPrepare, 'agent', (m, op) => {
          const state = m.rm.state[op.agent];
          return state > 99;
        }),
      ],
    });
    started(blocked);
    const k = blocked.operations.findIndex((o) => o.op.name === rmPrepare.name);
    expect(disabledHere(blocked, [k])).toEqual([
      'rm.prepare: disabled by its guard on the agent (const state = m.rm.state[op.agent]; return state > 99)',
    ]);
  });
});
