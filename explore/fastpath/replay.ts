/**
 * Performs the calls of a recording, over and over, from arrays made once: what the gates measure is `choices.fix` and `fire`, and a loop
 * that puts the state back.
 */
import type { Machine } from '../../model/kernel/index.js';
import type { Subject } from './meter.js';
import type { Recording } from './recording.js';

export class Replay implements Subject {
  private readonly kinds: Int32Array;
  private readonly digits: readonly Int32Array[];
  private readonly states: Int32Array;

  /** Throws RangeError when the recording is of another specification. */
  constructor(
    private readonly m: Machine,
    private readonly recording: Recording,
  ) {
    if (recording.specification !== m.hash()) throw new RangeError('the recording is of another specification');
    this.kinds = Int32Array.from(recording.kinds);
    this.digits = recording.digits.map((d) => Int32Array.from(d));
    this.states = Int32Array.from(recording.states);
    m.choices.recording = false;
    m.choices.entropy = undefined;
  }

  /** Puts the state back and performs call i. Allocates nothing, unless the specification does. */
  perform(i: number): void {
    const { m, states } = this;
    const words = m.words;
    const n = words.length;
    const from = i * n;
    for (let w = 0; w < n; w++) words[w] = states[from + w];
    m.choices.fix(this.digits[i]);
    m.fire(this.kinds[i]);
  }

  /** All calls. */
  all(): Int32Array {
    return Int32Array.from(this.kinds, (_, i) => i);
  }

  /** The calls of one operation: performed, failed and attempted. */
  ofOperation(index: number): Int32Array {
    return this.all().filter((i) => this.recording.operations[i] === index);
  }

  /** The calls of operations of one fault class. */
  ofFault(fault: string): Int32Array {
    return this.all().filter((i) => this.m.operations[this.recording.operations[i]].op.fault === fault);
  }

  /** Whether the operation was performed in the mix at least once (not merely attempted). */
  exercised(index: number): boolean {
    return this.recording.operations.some((o, i) => o === index && this.recording.performed[i] === 1);
  }
}
