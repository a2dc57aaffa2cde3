/** The recorded mix: equal for equal seeds, with hostile and failing calls in it, and performed again exactly. */
import { describe, expect, it } from 'vitest';
import { build, DISABLED, isFailure } from '../../model/kernel/index.js';
import { descriptorRing } from '../../model/textbook/descriptorRing.js';
import { leaky } from './leaky.js';
import { RECORDING, record, seeded } from './recording.js';
import { Replay } from './replay.js';

const machine = () => build(leaky.machine, { scope: leaky.scope.default });
const ring = () => build(descriptorRing, { scope: { ring: 1, slot: 2, index: 4, payload: 1 } });

describe('a recording', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(record(machine())).toEqual(record(machine()));
    expect(record(machine(), { ...RECORDING, seed: 2 }).states).not.toEqual(record(machine()).states);
  });

  it('contains every operation that can run, failures, faults and disabled attempts', () => {
    const m = machine();
    const recording = record(m);
    const ran = (name: string): string[] | undefined => {
      const index = m.operations.findIndex((o) => o.op.name === name);
      return [...(recording.outcomes[index] ?? [])].sort();
    };
    expect(ran('slot.fill')).toEqual(['ok']);
    expect(ran('slot.check')).toEqual(['EINVAL', 'ok']);
    expect(ran('slot.wildWrite')).toEqual(['ok']);
    expect(ran('slot.never')).toEqual([]);
    expect(recording.performed).toContain(0);
    expect(recording.faults).toContain('F1');
  });

  it('keeps so many calls of each operation and outcome', () => {
    const m = machine();
    const recording = record(m, { ...RECORDING, kept: 3 });
    const perOperation = recording.operations.filter((o) => o === 0).length;
    expect(perOperation).toBe(3); // slot.fill always succeeds
  });

  it('is drawn from a generator that covers its range', () => {
    const draw = seeded(1);
    const seen = new Set(Array.from({ length: 200 }, () => draw(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe('a replay', () => {
  it('performs each call again from its own state, in any order', () => {
    const m = ring();
    const recording = record(m);
    const fresh = ring();
    const replay = new Replay(fresh, recording);
    const backwards = [...replay.all()].reverse();
    const after = (i: number): string => {
      replay.perform(i);
      return fresh.words.join();
    };
    const first = backwards.map(after);
    expect(backwards.map(after)).toEqual(first);
    for (const i of replay.all()) {
      fresh.words.set(recording.states.slice(i * recording.wordCount, (i + 1) * recording.wordCount));
      fresh.choices.fix(recording.digits[i] ?? []);
      const status = fresh.fire(recording.kinds[i] ?? 0);
      expect(status === DISABLED ? 0 : 1).toBe(recording.performed[i]);
      expect(fresh.choices.mismatch).toBe(false);
      if (!isFailure(status)) expect(fresh.current.index).toBe(recording.operations[i]);
    }
  });

  it('refuses the recording of another specification', () => {
    expect(() => new Replay(ring(), record(machine()))).toThrow(/another specification/);
  });

  it('tells calls of an operation and of a fault class apart', () => {
    const m = machine();
    const replay = new Replay(m, record(m));
    const attack = m.operations.findIndex((o) => o.op.name === 'slot.wildWrite');
    expect(replay.ofFault('F1')).toEqual(replay.ofOperation(attack));
    expect(replay.ofFault('F2')).toHaveLength(0);
    expect(replay.exercised(m.operations.findIndex((o) => o.op.name === 'slot.never'))).toBe(false);
  });
});
