/**
 * Two-run properties: two machines of one definition take the same choices, and differ only in what the observer must not depend on
 * (a stranger's secret in the initial state, or a stranger's crash that the second run leaves out). All pairs of states are explored,
 * breadth first; in each, the observer's two views must be equal.
 */
import { DISABLED, type Machine, type Visitor } from '../model/kernel/index.js';
import type { Noninterference } from '../properties/property.js';
import type { Finding } from './exhaustive.js';
import { StateStore, sameWords } from './store.js';
import { initialTold, performTold, type TraceStep } from './trace.js';

export interface TwoRunLimits {
  readonly maxPairs?: number | undefined;
  readonly onProgress?: ((pairs: number, expanded: number) => boolean) | undefined;
}

export interface TwoRunResult {
  readonly verdict: 'complete' | 'truncated';
  readonly pairs: number;
  /** Pairs in which the two states differ: none means that the variation had no effect, and the property says nothing. */
  readonly differing: number;
  readonly witnesses: readonly { readonly witness: string; readonly reached: boolean }[];
  readonly finding: Finding | undefined;
}

const VIEW = 1024;
const TICK = 1024;

/** Explores all pairs of runs. @param machine the first run's machine; the second is built like it */
export function exploreTwoRuns(
  machine: Machine,
  property: Noninterference<never>,
  limits: TwoRunLimits = {},
): TwoRunResult {
  return new TwoRuns(machine, property as unknown as Noninterference<Machine>, limits).run();
}

class TwoRuns {
  private readonly other: Machine;
  private readonly store: StateStore;
  private readonly pair: Int32Array;
  private readonly n: number;
  private readonly viewA = new Int32Array(VIEW);
  private readonly viewB = new Int32Array(VIEW);
  private readonly witnesses: { witness: string; test: (m: Machine) => boolean; reached: boolean }[];
  private differing = 0;
  private finding: Finding | undefined;
  /** The pair that is being expanded, its id, and whether its two states are equal. */
  private readonly from: Int32Array;
  private parent = -1;
  private equal = false;
  /** For the operation at hand: transitions of the first run that the second followed, and what the second can do in all. */
  private followed = 0;
  private enabledThere = 0;
  private ambiguous = false;

  constructor(
    private readonly m: Machine,
    private readonly p: Noninterference<Machine>,
    private readonly limits: TwoRunLimits,
  ) {
    this.other = m.rebuild();
    this.n = m.words.length;
    this.pair = new Int32Array(2 * this.n);
    this.from = new Int32Array(2 * this.n);
    this.store = new StateStore(2 * this.n);
    this.witnesses = Object.entries(p.witnesses).map(([witness, test]) => ({ witness, test, reached: false }));
  }

  run(): TwoRunResult {
    this.addInitialPairs();
    let expanded = 0;
    let truncated = false;
    while (expanded < this.store.count && !this.finding) {
      this.expand(expanded++);
      if (expanded % TICK !== 0) continue;
      truncated = this.store.count >= (this.limits.maxPairs ?? Number.POSITIVE_INFINITY);
      if (truncated || this.limits.onProgress?.(this.store.count, expanded)) {
        truncated = true;
        break;
      }
    }
    return {
      verdict: truncated || this.finding ? 'truncated' : 'complete',
      pairs: this.store.count,
      differing: this.differing,
      witnesses: this.witnesses.map(({ witness, reached }) => ({ witness, reached })),
      finding: this.finding,
    };
  }

  private addInitialPairs(): void {
    const { m, other } = this;
    m.choices.begin();
    do {
      m.loadInitial();
      other.words.set(m.words);
      this.p.vary?.(other);
      this.add(-1);
    } while (m.choices.next());
  }

  /** Adds the pair of current states, and compares the views of a new one. */
  private add(parent: number): void {
    const { m, other, n, pair } = this;
    for (let i = 0; i < n; i++) {
      pair[i] = m.words[i];
      pair[n + i] = other.words[i];
    }
    const id = this.store.add(pair, parent);
    if (id < 0) return;
    if (!sameWords(m.words, other.words)) this.differing++;
    for (const w of this.witnesses) if (!w.reached && w.test(m)) w.reached = true;
    const a = this.p.view(m, this.viewA);
    const b = this.p.view(other, this.viewB);
    let i = 0;
    while (i < a && i < b && this.viewA[i] === this.viewB[i]) i++;
    if (a === b && i === a) return;
    this.report(
      id,
      `the observer's view differs at position ${i}: ${this.viewA[i]} in the one run, ${this.viewB[i]} in the other`,
    );
  }

  private expand(id: number): void {
    const { m, other, n, from } = this;
    this.store.load(id, from);
    for (let i = 0; i < n; i++) {
      m.words[i] = m.beforeWords[i] = from[i];
      other.words[i] = other.beforeWords[i] = from[n + i];
    }
    this.parent = id;
    this.equal = sameWords(m.words, other.words);
    // Runs that no longer differ take the same steps from here on, unless one of them is left out again.
    if (this.equal && !this.p.purge && this.witnesses.every((w) => w.reached)) return;
    for (let k = 0; k < m.transitionKinds && !this.finding; k++) {
      this.followed = 0;
      this.ambiguous = false;
      m.fireAll(k, this.firstRun);
      if (this.p.purge || this.equal || this.finding) continue;
      // What only the varied run can do is a difference too; the first run then stays where it is.
      this.enabledThere = 0;
      other.fireAll(k, this.counting);
      if (this.ambiguous || this.enabledThere !== this.followed) other.fireAll(k, this.secondRun);
    }
  }

  /** Shows each transition of the first run; the second follows. */
  private readonly firstRun: Visitor = {
    visit: (k) => {
      const { m, other } = this;
      if (this.equal && !this.p.purge) other.words.set(m.words);
      else this.follow(k);
      if (!sameWords(m.words, m.beforeWords) || !sameWords(other.words, other.beforeWords)) this.add(this.parent);
      this.put(other, this.n);
      return this.finding !== undefined;
    },
  };

  /** Counts what the second run can do: as much as it has followed, and there is nothing that only it can do. */
  private readonly counting: Visitor = {
    visit: () => {
      this.enabledThere++;
      return false;
    },
  };

  /** Shows each transition of the second run; those that the first can take were seen with it. */
  private readonly secondRun: Visitor = {
    visit: (k) => {
      const { m, other } = this;
      this.put(m, 0);
      m.choices.fix(other.choices.digits.subarray(0, other.choices.used));
      if (m.fire(k) === DISABLED || m.choices.mismatch) {
        this.put(m, 0);
        this.add(this.parent);
      }
      this.put(m, 0);
      return this.finding !== undefined;
    },
  };

  /** Puts a machine back to its state of the pair that is being expanded. */
  private put(machine: Machine, at: number): void {
    const { from, n } = this;
    const { words } = machine;
    for (let i = 0; i < n; i++) words[i] = from[at + i];
  }

  /** The second run takes the same choices; it stays where it is when they are left out of it or not enabled there. */
  private follow(k: number): boolean {
    const { m, other, p } = this;
    const { used } = m.choices;
    this.put(other, this.n);
    if (p.purge?.(m.before, m.current.op.name, m.current.call.agent)) return false;
    other.choices.fix(m.choices.digits.subarray(0, used));
    const status = other.fire(k);
    if (status === DISABLED || other.choices.mismatch) {
      this.put(other, this.n);
      return false;
    }
    this.followed++;
    // Where the two runs choose differently often, answers cannot be matched by counting.
    if (other.choices.used !== used) this.ambiguous = true;
    return true;
  }

  private report(id: number, why: string): void {
    const trace = this.trace(id);
    this.finding = { property: this.p, why, trace, mechanism: trace.at(-1)?.operation ?? '' };
  }

  private trace(id: number): TraceStep[] {
    const { m, other, n } = this;
    const path = this.store.path(id);
    const pairNow = new Int32Array(2 * n);
    const isPair = (wanted: number): boolean => {
      pairNow.set(m.words);
      pairNow.set(other.words, n);
      return this.store.equals(wanted, pairNow);
    };
    m.choices.begin();
    do {
      m.loadInitial();
      other.words.set(m.words);
      this.p.vary?.(other);
      if (isPair(path[0])) break;
    } while (m.choices.next());
    const steps = [initialTold(m, m.choices.digits.slice(0, m.choices.used))];
    for (const wanted of path.slice(1)) {
      const from = new Int32Array(2 * n);
      from.set(m.words);
      from.set(other.words, n);
      const step = this.stepTo(wanted, from, isPair);
      if (step) steps.push(step);
    }
    return steps;
  }

  private stepTo(wanted: number, from: Int32Array, isPair: (id: number) => boolean): TraceStep | undefined {
    const { m, other, n } = this;
    this.from.set(from);
    m.beforeWords.set(m.words);
    for (let k = 0; k < m.transitionKinds; k++) {
      m.choices.begin();
      do {
        m.words.set(from.subarray(0, n));
        if (m.fire(k) === DISABLED) continue;
        const both = this.follow(k);
        if (!isPair(wanted)) continue;
        const after = other.words.slice();
        const digits = m.choices.digits.slice(0, m.choices.used);
        m.words.set(from.subarray(0, n));
        const told = performTold(m, k, digits);
        other.words.set(after);
        return told && { ...told, says: both ? told.says : `${told.says} [in the first run only]` };
      } while (m.choices.next());
    }
    return this.p.purge ? undefined : this.otherStepTo(wanted, from, isPair);
  }

  private otherStepTo(wanted: number, from: Int32Array, isPair: (id: number) => boolean): TraceStep | undefined {
    const { m, other, n } = this;
    for (let k = 0; k < other.transitionKinds; k++) {
      other.choices.begin();
      do {
        other.words.set(from.subarray(n));
        m.words.set(from.subarray(0, n));
        if (other.fire(k) === DISABLED || !isPair(wanted)) continue;
        const digits = other.choices.digits.slice(0, other.choices.used);
        other.words.set(from.subarray(n));
        const told = performTold(other, k, digits);
        return told && { ...told, says: `${told.says} [in the second run only]` };
      } while (other.choices.next());
    }
    return undefined;
  }
}
