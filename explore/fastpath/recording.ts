/**
 * The recorded mix: calls drawn from random runs of a machine, each with the state it starts from, its transition kind and its answers.
 * Honest calls, injected faults, calls that fail and attempts that are disabled are all in it. What random runs do not meet is looked for
 * breadth first. Drawn with a fixed seed, so two recordings of one specification are equal.
 */
import {
  type DataPathRole,
  DISABLED,
  isFailure,
  type Machine,
  OUTCOMES,
  outcomeIndex,
  type Sort,
  statusName,
} from '../../model/kernel/index.js';
import { Walker } from '../walk.js';
import { reach } from './reach.js';

/** Calls with the states they start from, in parallel arrays; plain data that crosses processes as JSON. */
export interface Recording {
  /** Hash of the specification. */
  readonly specification: string;
  /** Fault class of each operation, '' for the honest ones. */
  readonly faults: readonly string[];
  /** Part of each operation on the data path, '' for those off it. */
  readonly roles: readonly (DataPathRole | '')[];
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
  /** Of each operation that the mix does not contain: why not; '' for the others. */
  readonly missing: readonly Missing[];
  /** For each call 1 when it was performed, 0 when it was attempted and disabled. */
  readonly performed: readonly number[];
}

/** Why an operation is not in a mix. */
export interface Missing {
  /** It cannot happen in this scope: shown, not supposed. */
  readonly impossible: boolean;
  readonly why: string;
}

export interface RecordingOptions {
  readonly seed: number;
  /** Random runs to draw calls from. */
  readonly runs: number;
  /** Steps of a run, at most. */
  readonly steps: number;
  /** Calls kept of each operation and outcome. */
  readonly kept: number;
  /** States among which to look for operations that no run met. */
  readonly states: number;
}

export const RECORDING: RecordingOptions = { seed: 0x5eed, runs: 240, steps: 80, kept: 24, states: 1_500_000 };

const counted = (n: number): string => n.toLocaleString('en-US');

const PRESENT: Missing = { impossible: false, why: '' };

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

/**
 * Draws a mix. Leaves the machine in an unspecified state.
 * @param smaller the same machine in a smaller scope: where not all states of this scope can be searched, perhaps all of that one can
 */
export function record(m: Machine, options: RecordingOptions = RECORDING, smaller?: Machine): Recording {
  return new Recorder(m, options, smaller).record();
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
  /** Of each operation, a sort of its inputs that has no members: a member drawn at random is none. */
  private readonly empty: readonly (string | undefined)[];

  constructor(
    private readonly m: Machine,
    private readonly options: RecordingOptions,
    private readonly smaller: Machine | undefined,
  ) {
    this.outcomes = m.operations.map(() => new Set());
    this.pre = new Int32Array(m.words.length);
    this.empty = m.operations.map(({ op }) => this.emptySort([op.agent, ...Object.values(op.input ?? {})]));
  }

  record(): Recording {
    const { m, options } = this;
    const draw = seeded(options.seed);
    const walker = new Walker(m, { properties: [], frameCondition: false });
    for (let run = 0; run < options.runs; run++) {
      // Every other run favours some operations, or switches fault families off.
      const drawn = walker.draw(draw, options.steps, run % 2 === 1);
      m.choices.fix(drawn.initial);
      m.loadInitial();
      for (const step of drawn.steps) {
        this.attempt(draw);
        this.perform(step.kind, step.digits);
      }
    }
    const missing = this.lookForMissing();
    return {
      specification: m.hash(),
      faults: m.operations.map((o) => o.op.fault ?? ''),
      roles: m.operations.map((o) => o.op.path ?? ''),
      wordCount: m.words.length,
      kinds: this.kinds,
      operations: this.operations,
      digits: this.digits,
      states: this.states,
      outcomes: this.outcomes.map((o) => [...o]),
      missing,
      performed: this.performed,
    };
  }

  /** Looks for the operations that have not run, breadth first; says of those that are not found why. */
  private lookForMissing(): Missing[] {
    const { m, empty } = this;
    const wanted = Uint8Array.from(this.outcomes, (o, i) => (o.size === 0 && empty[i] === undefined ? 1 : 0));
    const search = wanted.includes(1)
      ? reach(m, wanted, this.options.states, (kind, status) => {
          this.pre.set(m.beforeWords);
          this.keep(kind, status);
        })
      : { states: 0, complete: true };
    const states = counted(search.states);
    const also = search.complete ? '' : this.inSmallerScope(wanted);
    return this.outcomes.map((o, i): Missing => {
      if (o.size > 0) return PRESENT;
      const none = empty[i];
      if (none !== undefined) return { impossible: true, why: `this scope has no ${none}` };
      return search.complete
        ? { impossible: true, why: `enabled in none of the ${states} states of this scope` }
        : { impossible: false, why: `enabled in none of the first ${states} states of this scope${also}` };
    });
  }

  /** What a search of all states of the smaller scope adds, in words; it says nothing of operations that are enabled there. */
  private inSmallerScope(wanted: Uint8Array): string {
    const { smaller } = this;
    if (smaller === undefined || smaller.operations.length !== this.m.operations.length) return '';
    const missing = wanted.map((w, i) => (w === 1 && this.outcomes[i].size === 0 ? 1 : 0));
    let found = false;
    const search = reach(smaller, missing, this.options.states, () => {
      found = true;
    });
    return search.complete && !found ? `, nor in any of the ${counted(search.states)} of the small one` : '';
  }

  private emptySort(sorts: readonly (Sort | string)[]): string | undefined {
    for (const s of sorts) if (typeof s !== 'string' && this.m.size(s) === 0) return s.name;
    return undefined;
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
    if (this.empty[operation] !== undefined) return;
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
