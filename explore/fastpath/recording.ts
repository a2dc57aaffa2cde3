/**
 * The recorded mix: calls drawn from random runs of a machine, each with the state it starts from, its transition kind and its answers.
 * Honest calls, injected faults, calls that fail and attempts that are disabled are all in it. Drawn with a fixed seed, so two recordings
 * of one specification are equal.
 */
import { DISABLED, isFailure, type Machine, OUTCOMES, outcomeIndex, statusName } from '../../model/kernel/index.js';
import { Walker } from '../walk.js';

/** Calls with the states they start from, in parallel arrays; plain data that crosses processes as JSON. */
export interface Recording {
  /** Hash of the specification. */
  readonly specification: string;
  /** Fault class of each operation, '' for the honest ones. */
  readonly faults: readonly string[];
  readonly wordCount: number;
  /** Transition kind of each call. */
  readonly kinds: readonly number[];
  /** Index of the operation that each call performs. */
  readonly operations: readonly number[];
  /** Answers of each call. */
  readonly digits: readonly (readonly number[])[];
  /** Words of the state before each call, one call after the other. */
  readonly states: readonly number[];
  /** Outcomes of each operation that the mix contains, in words. */
  readonly outcomes: readonly (readonly string[])[];
  /** For each call 1 when it was performed, 0 when it was attempted and disabled. */
  readonly performed: readonly number[];
}

export interface RecordingOptions {
  readonly seed: number;
  /** Random runs to draw calls from. */
  readonly runs: number;
  /** Steps of a run, at most. */
  readonly steps: number;
  /** Calls kept of each operation and outcome. */
  readonly kept: number;
}

export const RECORDING: RecordingOptions = { seed: 0x5eed, runs: 240, steps: 80, kept: 24 };

/** As many times the runs are drawn while some operation has not run. */
const PATIENCE = 8;

/** Uniform integers from a seed (mulberry32). */
export function seeded(seed: number): (size: number) => number {
  let a = seed | 0;
  return (size) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % size;
  };
}

/** Draws a mix. Leaves the machine in an unspecified state. */
export function record(m: Machine, options: RecordingOptions = RECORDING): Recording {
  return new Recorder(m, options).record();
}

class Recorder {
  private readonly kinds: number[] = [];
  private readonly operations: number[] = [];
  private readonly digits: number[][] = [];
  private readonly states: number[] = [];
  private readonly performed: number[] = [];
  private readonly outcomes: Set<string>[];
  /** Calls kept, by operation and outcome class. */
  private readonly count = new Map<number, number>();
  private readonly pre: Int32Array;

  constructor(
    private readonly m: Machine,
    private readonly options: RecordingOptions,
  ) {
    this.outcomes = m.operations.map(() => new Set());
    this.pre = new Int32Array(m.words.length);
  }

  record(): Recording {
    const { m, options } = this;
    const draw = seeded(options.seed);
    const walker = new Walker(m, { properties: [], frameCondition: false });
    for (let run = 0; run < options.runs * PATIENCE; run++) {
      if (run >= options.runs && this.outcomes.every((o) => o.size > 0)) break;
      // Every other run favours some operations, or switches fault families off.
      const drawn = walker.draw(draw, options.steps, run % 2 === 1);
      m.choices.fix(drawn.initial);
      m.loadInitial();
      for (const step of drawn.steps) {
        this.attempt(draw);
        this.perform(step.kind, step.digits);
      }
    }
    return {
      specification: m.hash(),
      faults: m.operations.map((o) => o.op.fault ?? ''),
      wordCount: m.words.length,
      kinds: this.kinds,
      operations: this.operations,
      digits: this.digits,
      states: this.states,
      outcomes: this.outcomes.map((o) => [...o]),
      performed: this.performed,
    };
  }

  private perform(kind: number, digits: readonly number[]): void {
    const { m } = this;
    this.pre.set(m.words);
    m.choices.fix(digits);
    this.keep(kind, m.fire(kind));
  }

  /** Any operation with any answers, enabled or not; the state is put back. */
  private attempt(draw: (size: number) => number): void {
    const { m } = this;
    this.pre.set(m.words);
    const kind = draw(m.operations.length);
    m.choices.begin();
    m.choices.entropy = draw;
    const status = m.fire(kind);
    m.choices.entropy = undefined;
    this.keep(kind, status);
    m.words.set(this.pre);
  }

  private keep(kind: number, status: number): void {
    const { m } = this;
    const operation = m.current.index;
    const disabled = status === DISABLED;
    if (!disabled) {
      const errors = m.current.op.errors;
      this.outcomes[operation].add(isFailure(status) ? statusName(status, errors) : 'ok');
    }
    const key =
      (operation * OUTCOMES + (disabled ? OUTCOMES - 1 : outcomeIndex(status))) * 2 + (kind === operation ? 0 : 1);
    const already = this.count.get(key) ?? 0;
    if (already >= this.options.kept) return;
    this.count.set(key, already + 1);
    this.kinds.push(kind);
    this.operations.push(operation);
    this.digits.push([...m.choices.digits.subarray(0, m.choices.used)]);
    this.states.push(...this.pre);
    this.performed.push(disabled ? 0 : 1);
  }
}
