/** What random runs do not meet is found breadth first, or shown not to happen, or said not to have been found. */
import { describe, expect, it } from 'vitest';
import {
  build,
  type Machine,
  type MachineDef,
  module,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../../model/kernel/index.js';
import { reach } from './reach.js';
import { RECORDING, record } from './recording.js';
import { Replay } from './replay.js';

const digit = sort('digit');
const nothing = sort('nothing');
const tables = { lock: table([], { open: u8(), tries: u8() }) };
type Lock = Machine & State<typeof tables>;
const operation = operationOn<Lock>();
const COMBINATION = [5, 3, 8, 1, 9, 7, 2, 6];

/** A combination lock: one wrong digit and all is lost. Random runs do not open it. */
const turn = operation('lock.turn', {
  agent: 'guest',
  input: { digit },
  where: { agent: (m) => m.lock.open[0] < COMBINATION.length },
  steps: {
    turn: (m, op) => {
      m.lock.open[0] = op.digit === COMBINATION[m.lock.open[0]] ? m.lock.open[0] + 1 : 0;
    },
  },
});
const open = operation('lock.open', {
  agent: 'guest',
  path: 'submit',
  where: { agent: (m) => m.lock.open[0] === COMBINATION.length && m.lock.tries[0] < 3 },
  steps: {
    open: (m) => {
      m.lock.tries[0]++;
    },
  },
});
const never = operation('lock.never', {
  agent: 'guest',
  where: { agent: (m) => m.lock.tries[0] > 3 },
  steps: { never: () => 0 },
});
const ofNothing = operation('lock.ofNothing', { agent: 'guest', input: { nothing }, steps: { nothing: () => 0 } });

const lock: MachineDef = {
  name: 'combination lock',
  modules: [module<Lock, typeof tables>('lock', { tables, operations: [turn, open, never, ofNothing] })],
};
const machine = () => build(lock, { scope: { digit: 10, nothing: 0 } });
const NAMES = [turn, open, never, ofNothing].map((o) => o.name);

describe('a recording', () => {
  const recording = record(machine());
  const of = (name: string): number => NAMES.indexOf(name);

  it('contains what only a search finds, with the state that it starts from', () => {
    expect(recording.outcomes[of('lock.open')]).toEqual(['ok']);
    expect(recording.missing[of('lock.open')]).toEqual({ impossible: false, why: '' });
    expect(recording.roles).toEqual(['', 'submit', '', '']);
    const m = machine() as Lock;
    const replay = new Replay(m, recording);
    const performed = [...replay.ofOperation(of('lock.open'))].filter((i) => recording.performed[i] === 1);
    expect(performed.length).toBeGreaterThan(0);
    for (const i of performed) {
      replay.perform(i);
      expect(m.lock.tries[0]).toBeGreaterThan(0);
    }
  });

  it('says what cannot happen, and why', () => {
    // Nine positions of the lock, the last of them with up to three tries; each try lets the lock be as it is.
    expect(recording.missing[of('lock.never')]).toEqual({
      impossible: true,
      why: 'enabled in none of the 12 states of this scope',
    });
    expect(recording.missing[of('lock.ofNothing')]).toEqual({ impossible: true, why: 'this scope has no nothing' });
  });

  it('claims nothing of what it has not looked at', () => {
    const short = record(machine(), { ...RECORDING, states: 5 });
    expect(short.missing[of('lock.open')]).toMatchObject({ impossible: false });
    expect(short.missing[of('lock.open')]?.why).toMatch(/^enabled in none of the first [5-9] states of this scope$/);
  });

  it('adds what is known of a smaller scope, all of which can be searched', () => {
    // With the digits below 6 the fifth position is as far as one gets.
    const small = build(lock, { scope: { digit: 6, nothing: 0 } });
    const short = record(machine(), { ...RECORDING, states: 7 }, small);
    const why = short.missing[of('lock.never')]?.why;
    expect(why).toMatch(
      /^enabled in none of the first \d+ states of this scope, nor in any of the 3 of the small one$/,
    );
  });
});

describe('the search', () => {
  it('ends with the level in which the last wanted operation has run', () => {
    const found: number[] = [];
    const search = reach(machine(), Uint8Array.of(1, 0, 0, 0), 1000, (kind) => found.push(kind));
    expect(search.complete).toBe(false);
    expect(search.states).toBeLessThan(12);
    expect(new Set(found)).toEqual(new Set([0]));
  });
});
