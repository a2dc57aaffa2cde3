/**
 * Focus (swarm testing): what one random run keeps to, and how one of the enabled answers of an operation is picked within it.
 */
import { type Machine, type Sort, thread, type Visitor } from '../model/kernel/index.js';

/** Uniform integers in [0, size). */
export type Draw = (size: number) => number;

/** Most enabled answers that are looked at before one is picked. */
const MAX_ENUMERATED = 4096;

/**
 * What one run keeps to (swarm testing): fault families that are on, weights of operations, and for some sorts only a few members.
 * Runs that use few members meet in the same rows far more often than runs that spread over all of them.
 */
export class Focus {
  readonly weights: Int32Array;
  /** Allowed members by sort id; undefined: all. */
  private readonly members = new Map<number, readonly number[]>();
  private from: Draw = () => 0;
  private swarm = false;

  constructor(private readonly m: Machine) {
    this.weights = new Int32Array(m.transitionKinds);
  }

  /** Answers of the specification's choices. */
  readonly entropy = (size: number, of: Sort): number => {
    const allowed = this.allowedOf(size, of);
    return allowed ? allowed[this.from(allowed.length)] : this.from(size);
  };

  private allowedOf(size: number, of: Sort): readonly number[] | undefined {
    if (!this.swarm || size < 2) return undefined;
    const known = this.members.get(of.id);
    if (known) return known.length > 0 ? known : undefined;
    const all = Array.from({ length: size }, (_, i) => i);
    const count = [0, 1, 1, 2][this.from(4)];
    const few = count === 0 || count >= size ? [] : pick(all, count, this.from);
    this.members.set(of.id, few);
    return few.length > 0 ? few : undefined;
  }

  /** Whether this answer is in focus. */
  includes(of: Sort, value: number): boolean {
    const few = this.members.get(of.id);
    return few === undefined || few.length === 0 || few.includes(value);
  }

  draw(draw: Draw, swarm: boolean): void {
    const { m, weights } = this;
    this.from = draw;
    this.swarm = swarm;
    this.members.clear();
    weights.fill(1);
    if (!swarm) return;
    // Threads must be free to interleave.
    this.members.set(thread.id, []);
    const off = new Map<string, boolean>();
    m.operations.forEach((o, k) => {
      const { fault } = o.op;
      if (fault !== undefined && !off.has(fault)) off.set(fault, draw(3) === 0);
      weights[k] = fault !== undefined && off.get(fault) ? 0 : [0, 1, 1, 1, 2, 3, 8][draw(7)];
    });
    for (let k = m.operations.length; k < weights.length; k++) weights[k] = 4;
  }
}

function pick(from: readonly number[], count: number, draw: Draw): number[] {
  const rest = [...from];
  return Array.from({ length: count }, () => rest.splice(draw(rest.length), 1)[0]);
}

/** Picks one of the enabled answers of an operation, each as likely, but those in focus before all others. */
export class Chance implements Visitor {
  picked = false;
  digits: number[] = [];
  private inFocus = false;
  private seen = 0;
  private tried = 0;
  private draw: Draw = () => 0;
  private loopSorts: readonly Sort[] = [];

  constructor(
    private readonly m: Machine,
    private readonly focus: Focus,
  ) {}

  begin(draw: Draw, loopSorts: readonly Sort[] | undefined): void {
    this.draw = draw;
    this.loopSorts = loopSorts ?? [];
    this.picked = false;
    this.inFocus = false;
    this.seen = 0;
    this.tried = 0;
  }

  visit(): boolean {
    const focused = this.isFocused();
    if (focused && !this.inFocus) this.seen = 0;
    if (focused || !this.inFocus) {
      this.inFocus = focused;
      if (this.draw(++this.seen) === 0) {
        const { digits, used } = this.m.choices;
        this.digits = [...digits.subarray(0, used)];
        this.picked = true;
      }
    }
    if (++this.tried < MAX_ENUMERATED) return false;
    this.m.words.set(this.m.beforeWords);
    return true;
  }

  private isFocused(): boolean {
    const { choices } = this.m;
    for (let i = 0; i < choices.used; i++) {
      const s = i < this.loopSorts.length ? this.loopSorts[i] : choices.sorts[i];
      if (s && !this.focus.includes(s, choices.digits[i])) return false;
    }
    return true;
  }
}
