/**
 * Choices: the only nondeterminism of a run. A specification calls `choose(sort)`; what comes back depends on who explores.
 * One class serves all explorers: a prefix of digits is answered as given, whatever lies beyond is answered 0 (and can be counted up,
 * like an odometer, to enumerate every answer) or drawn from `entropy`.
 */
import type { Sort } from './sort.js';

/** No operation makes more choices than this. */
export const MAX_CHOICES = 64;

export class Choices {
  /** Answers given, in order. */
  readonly digits = new Int32Array(MAX_CHOICES);
  /** Size of the sort that each answer was taken from. */
  readonly sizes = new Int32Array(MAX_CHOICES);
  /** Sort and label of each answer, for traces. */
  readonly sorts: (Sort | undefined)[] = new Array(MAX_CHOICES).fill(undefined);
  readonly labels: string[] = new Array(MAX_CHOICES).fill('');
  /** How many answers this execution has used. */
  used = 0;
  /** How many answers are fixed in advance. */
  private fixed = 0;
  /** Answers beyond the fixed ones: 0, or drawn with this. Set by the random explorer only. */
  entropy: ((size: number, of: Sort) => number) | undefined = undefined;
  /** Note sort and label of each answer, for traces; explorers' inner loops leave it off. */
  recording = false;
  /** A fixed answer was out of the range of its sort: the trace does not apply here. */
  mismatch = false;

  constructor(private readonly sizeOfSort: Int32Array) {}

  /** Starts a new enumeration: every answer 0. */
  begin(): void {
    this.fixed = 0;
    this.used = 0;
    this.mismatch = false;
  }

  /** Starts an enumeration below the first `count` answers, which the caller has written into `digits`. */
  beginBelow(count: number): void {
    this.fixed = count;
    this.used = count;
    this.mismatch = false;
  }

  /** Fixes the answers of the next execution. */
  fix(digits: ArrayLike<number>): void {
    this.fixed = digits.length;
    for (let i = 0; i < digits.length; i++) this.digits[i] = digits[i] ?? 0;
    this.used = 0;
    this.mismatch = false;
  }

  /**
   * Moves on to the next combination of answers, counting up the last answer that was used; false when all were given.
   * Answers before `from` stay as they are.
   * Answers after the one that disabled an operation were never asked for, so whole subtrees are skipped.
   */
  next(from = 0): boolean {
    let i = this.used - 1;
    while (i >= from && this.digits[i] + 1 >= this.sizes[i]) i--;
    if (i < from) return false;
    this.digits[i]++;
    this.fixed = i + 1;
    this.used = from;
    this.mismatch = false;
    return true;
  }

  /** A member of the sort. The label names the role of this choice in traces. */
  choose(of: Sort, label = of.name): number {
    const i = this.used++;
    const size = this.sizeOfSort[of.id];
    this.sizes[i] = size;
    if (this.recording) {
      this.sorts[i] = of;
      this.labels[i] = label;
    }
    if (i < this.fixed) {
      const d = this.digits[i];
      if (d < size) return d;
      this.mismatch = true;
      return 0;
    }
    const d = this.entropy === undefined ? 0 : this.entropy(size, of);
    this.digits[i] = d;
    return d;
  }

  /** The enumeration as it stands, to be put back with `restore`. */
  save(): SavedChoices {
    return { digits: this.digits.slice(0, this.used), sizes: this.sizes.slice(0, this.used) };
  }

  restore(saved: SavedChoices): void {
    this.digits.set(saved.digits);
    this.sizes.set(saved.sizes);
    this.used = saved.digits.length;
    this.fixed = this.used;
  }
}

export interface SavedChoices {
  readonly digits: Int32Array;
  readonly sizes: Int32Array;
}
