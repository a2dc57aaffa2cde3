/**
 * Exhaustive exploration: breadth first, exact, so the first counterexample of a property is a shortest one.
 * The inner loop allocates nothing: states are words, transitions are integers.
 */
import { isFailure, type Machine, type Visitor } from '../model/kernel/index.js';
import type { Invariant, Relation, UntypedProperty } from '../properties/property.js';
import { FAILURE_CHANGES_NOTHING, FRAME_CONDITION, NO_DEADLOCK } from '../properties/property.js';
import type { ExhaustiveOptions, ExhaustiveResult, Finding } from './exhaustiveTypes.js';
import { StateStore } from './store.js';
import type { Canonicalizer } from './symmetry.js';
import { traceTo, transitionName } from './trace.js';

export type * from './exhaustiveTypes.js';

const PROGRESS_EVERY = 2048;
const MAX_FINDINGS = 50;

/** Visits every reachable state of the machine within the limits. */
export function exploreExhaustively(machine: Machine, options: ExhaustiveOptions = {}): ExhaustiveResult {
  const clusters = options.reduction?.clusterCount ?? 1;
  if (clusters < 2) return new Exhaustive(machine, options, -1).run();
  return exploreClusters(machine, options, clusters);
}

/**
 * Clusters never conflict, so the state graph is the product of theirs: every state of every part of every property is reached by the
 * operations of one cluster alone, and one pass for each cluster sees them all. A deadlock needs every cluster to be stuck.
 */
function exploreClusters(machine: Machine, options: ExhaustiveOptions, clusters: number): ExhaustiveResult {
  const passes: ExhaustiveResult[] = [];
  for (let c = 0; c < clusters; c++) {
    const pass = new Exhaustive(machine, { ...options, resume: undefined }, c).run();
    passes.push(pass);
    if (pass.truncatedBy === 'finding' || pass.truncatedBy === 'interrupt') break;
  }
  const last = passes[passes.length - 1];
  const stuck = passes.every((p) => p.findings.some((f) => f.property === NO_DEADLOCK));
  const sum = (of: (p: ExhaustiveResult) => number): number => passes.reduce((n, p) => n + of(p), 0);
  return {
    ...last,
    verdict: passes.length === clusters && passes.every((p) => p.verdict === 'complete') ? 'complete' : 'truncated',
    truncatedBy: passes.find((p) => p.truncatedBy !== undefined)?.truncatedBy,
    states: sum((p) => p.states),
    transitions: sum((p) => p.transitions),
    depth: sum((p) => p.depth),
    bytes: Math.max(...passes.map((p) => p.bytes)),
    findings: passes.flatMap((p) => p.findings.filter((f) => f.property !== NO_DEADLOCK || (stuck && p === last))),
    witnesses: last.witnesses.map((w, i) => ({ ...w, reached: passes.some((p) => p.witnesses[i].reached) })),
  };
}

/** A state or step that a property must see, or it says nothing. */
interface Witness {
  readonly property: string;
  readonly witness: string;
  readonly test: (m: Machine) => boolean;
  readonly ofStep: boolean;
  reached: boolean;
}

class Exhaustive implements Visitor {
  private readonly store: StateStore;
  private readonly findings = new Map<string, Finding>();
  private readonly invariants: readonly Invariant<Machine>[];
  private readonly relations: readonly Relation<Machine>[];
  /** Those of them that are asked of steps which change nothing, too. */
  private readonly alwaysAsked: readonly Relation<Machine>[];
  private readonly allWitnesses: Witness[];
  private pendingWitnesses: Witness[];
  /** Those of them that may be about a step: a new state is too rare an occasion for them. */
  private pendingOfSteps: Witness[];
  private readonly checkFrame: boolean;
  private readonly canonical: Int32Array;
  /** States in which an invariant broke; what follows from them is no further news. */
  private readonly bad = new Set<number>();
  private transitions: number;
  private expanded: number;
  private depth: number;
  private levelEnd: number;
  private stop: ExhaustiveResult['truncatedBy'];
  /** No step is looked at in itself. */
  private readonly plain: boolean;
  private readonly symmetry: Canonicalizer | undefined;
  /** State being expanded, transitions seen. */
  private from = 0;
  private enabled = 0;

  constructor(
    private readonly m: Machine,
    private readonly options: ExhaustiveOptions,
    /** Cluster of the reduction to which this pass keeps, or -1. */
    private readonly cluster: number,
  ) {
    const from = options.resume;
    this.store = from?.store ?? new StateStore(m.layout.wordCount);
    this.transitions = from?.transitions ?? 0;
    this.expanded = from?.expanded ?? 0;
    this.depth = from?.depth ?? 0;
    this.levelEnd = from?.levelEnd ?? 0;
    this.stop = undefined;
    const properties = (options.properties ?? []) as readonly UntypedProperty[];
    this.invariants = properties.filter((p) => p.kind === 'invariant');
    this.relations = properties.filter((p) => p.kind === 'relation');
    this.alwaysAsked = this.relations.filter((p) => !p.ofChange);
    this.allWitnesses = properties.flatMap((p) =>
      Object.entries(p.witnesses).map(([witness, test]) => ({
        property: `${p.id} ${p.name}`,
        witness,
        test,
        ofStep: p.kind === 'relation',
        reached: false,
      })),
    );
    this.pendingWitnesses = [...this.allWitnesses];
    this.pendingOfSteps = this.allWitnesses.filter((w) => w.ofStep);
    this.checkFrame = options.frameCondition ?? true;
    this.plain = !this.checkFrame && this.relations.length === 0;
    this.symmetry = options.symmetry;
    this.canonical = new Int32Array(m.layout.wordCount);
  }

  run(): ExhaustiveResult {
    const m = this.m;
    if (!this.options.resume) this.addInitialStates();
    else this.recheckWitnesses();
    while (this.expanded < this.store.count && this.stop === undefined) {
      if (this.expanded >= this.levelEnd) {
        this.depth++;
        this.levelEnd = this.store.count;
        if (this.options.maxDepth !== undefined && this.depth > this.options.maxDepth) {
          this.depth--;
          this.stop = 'depth';
          break;
        }
      }
      if (this.bad.size === 0 || !this.bad.has(this.expanded)) this.expand(this.expanded);
      this.expanded++;
      if ((this.expanded & (PROGRESS_EVERY - 1)) === 0) this.tick();
    }
    // The last level has no successors: it is the deepest one, and was counted when its expansion began.
    return {
      verdict: this.stop === undefined ? 'complete' : 'truncated',
      truncatedBy: this.stop,
      states: this.store.count,
      transitions: this.transitions,
      depth: Math.max(0, this.stop === undefined ? this.depth - 1 : this.depth),
      bytes: this.store.bytes,
      stateBytes: m.layout.wordCount * 4,
      findings: [...this.findings.values()],
      witnesses: this.allWitnesses.map(({ property, witness, reached }) => ({ property, witness, reached })),
      progressing: {
        store: this.store,
        expanded: this.expanded,
        transitions: this.transitions,
        depth: this.depth,
        levelEnd: this.levelEnd,
      },
    };
  }

  private tick(): void {
    const o = this.options;
    const progress = {
      states: this.store.count,
      expanded: this.expanded,
      transitions: this.transitions,
      depth: this.depth,
    };
    if (o.maxStates !== undefined && this.store.count >= o.maxStates) this.stop = 'states';
    else if (o.maxBytes !== undefined && this.store.bytes >= o.maxBytes) this.stop = 'memory';
    else if (o.onProgress?.(progress)) this.stop = 'interrupt';
  }

  private addInitialStates(): void {
    const m = this.m;
    m.choices.begin();
    do {
      m.loadInitial();
      this.transitions++;
      const id = this.add(-1);
      if (id >= 0) this.checkState(id);
    } while (m.choices.next());
    this.levelEnd = 0;
    this.depth = 0;
  }

  private recheckWitnesses(): void {
    for (let id = 0; id < this.store.count && this.pendingWitnesses.length > 0; id++) {
      this.store.load(id, this.m.words);
      this.checkWitnesses(this.pendingWitnesses);
    }
  }

  /** Adds the machine's current state; its new id, or a negative number when it was known. */
  private add(parent: number): number {
    const symmetry = this.symmetry;
    if (symmetry === undefined) return this.store.add(this.m.words, parent);
    symmetry.canonicalize(this.m.words, this.canonical);
    return this.store.add(this.canonical, parent);
  }

  private expand(id: number): void {
    const m = this.m;
    this.store.load(id, m.beforeWords);
    this.options.classes?.enter();
    const enabled = this.fireAll(id);
    if (enabled === 0) this.reportDeadlock(id);
  }

  private reportDeadlock(id: number): void {
    if (this.stop !== undefined || this.options.mayStop?.(this.m.before as never)) return;
    this.report(NO_DEADLOCK, id, -1, 'no operation is enabled', '');
  }

  /** Performs every enabled transition of state `id`, which `beforeWords` holds. */
  private fireAll(id: number): number {
    const m = this.m;
    const words = m.words;
    const pre = m.beforeWords;
    for (let i = 0; i < words.length; i++) words[i] = pre[i];
    this.from = id;
    this.enabled = 0;
    const kinds = m.transitionKinds;
    for (let k = 0; k < kinds; k++) if (m.fireAll(k, this)) break;
    this.transitions += this.enabled;
    return this.enabled;
  }

  /** Called by the machine with the result of each transition. */
  visit(kind: number, status: number): boolean {
    if (this.cluster >= 0 && this.options.reduction?.clusterOfLast(this.m) !== this.cluster) return false;
    this.enabled++;
    // Many transitions change nothing (calls that fail, messages read twice): the state at hand is cheaper to compare with than all others.
    const unchanged = this.isUnchanged();
    if (!this.plain) this.checkStep(this.from, kind, status, unchanged);
    if (unchanged) return this.stop !== undefined;
    const next = this.symmetry === undefined ? this.store.add(this.m.words, this.from) : this.add(this.from);
    if (next >= 0) this.checkState(next);
    return this.stop !== undefined;
  }

  private isUnchanged(): boolean {
    const { words, beforeWords } = this.m;
    for (let i = 0; i < words.length; i++) if (words[i] !== beforeWords[i]) return false;
    return true;
  }

  private checkState(id: number): void {
    for (let i = 0; i < this.invariants.length; i++) {
      const p = this.invariants[i];
      if (p.holds(this.m)) continue;
      this.bad.add(id);
      this.report(p, id, -1, p.explain?.(this.m) ?? p.states, this.m.current.op.name);
    }
    if (this.pendingWitnesses.length > 0) this.checkWitnesses(this.pendingWitnesses);
  }

  private checkWitnesses(pending: readonly Witness[]): void {
    let found = false;
    for (let i = 0; i < pending.length; i++) {
      if (!pending[i].test(this.m)) continue;
      pending[i].reached = true;
      found = true;
    }
    if (!found) return;
    this.pendingWitnesses = this.pendingWitnesses.filter((w) => !w.reached);
    this.pendingOfSteps = this.pendingOfSteps.filter((w) => !w.reached);
  }

  private checkStep(id: number, k: number, status: number, unchanged: boolean): void {
    const m = this.m;
    if (this.checkFrame && !unchanged) {
      const row = frameViolation(m);
      if (row >= 0) {
        const why = `${transitionName(m)} changes ${m.rowName(row)}, which its footprint does not name`;
        this.report(FRAME_CONDITION, id, k, why, `${m.current.op.name} ${m.rowName(row)}`);
      }
      if (isFailure(status) && m.mustBeUnchanged(status)) {
        const why = `${transitionName(m)} fails but leaves a changed state`;
        this.report(FAILURE_CHANGES_NOTHING, id, k, why, m.current.op.name);
      }
    }
    if (!unchanged && this.pendingOfSteps.length > 0) this.checkWitnesses(this.pendingOfSteps);
    const asked = unchanged ? this.alwaysAsked : this.relations;
    for (let i = 0; i < asked.length; i++) {
      const p = asked[i];
      if (!p.holds(m.before, m, status)) {
        this.report(p, id, k, p.explain?.(m.before, m, status) ?? p.states, m.current.op.name);
      }
    }
  }

  /** Records a finding. @param k the transition that broke it out of state `id`, or -1 when state `id` itself is bad */
  private report(property: Finding['property'], id: number, k: number, why: string, mechanism: string): void {
    const key = `${property.id} ${property.name}: ${mechanism}`;
    if (this.findings.has(key)) return;
    const m = this.m;
    // The trace is made by running the machine again; what the inner loop was doing is put back afterwards.
    const digits = k >= 0 ? [...m.choices.digits.subarray(0, m.choices.used)] : undefined;
    const saved = {
      words: m.words.slice(),
      before: m.beforeWords.slice(),
      current: m.current,
      choices: m.choices.save(),
    };
    const trace = traceTo(
      m,
      this.store,
      id,
      this.options.symmetry,
      digits === undefined ? undefined : { kind: k, digits },
    );
    this.findings.set(key, { property, why, trace, mechanism });
    m.words.set(saved.words);
    m.beforeWords.set(saved.before);
    m.current = saved.current;
    m.choices.restore(saved.choices);
    // One cluster at rest is no deadlock yet.
    if (this.cluster >= 0 && property === NO_DEADLOCK) return;
    if (this.options.stopAtFirst || this.findings.size >= MAX_FINDINGS) this.stop = 'finding';
  }
}

/** First row (numbered over the machine) that the last transition changed outside its footprint, or -1. */
export function frameViolation(m: Machine): number {
  if (m.current.touches === undefined) return -1;
  m.fillFootprint();
  const { words, beforeWords, bytes, beforeBytes } = m;
  for (let i = 0; i < words.length; i++) {
    if (words[i] === beforeWords[i]) continue;
    for (let b = i * 4; b < i * 4 + 4; b++) {
      if (bytes[b] === beforeBytes[b]) continue;
      const row = m.layout.rowOfByte[b];
      if (!m.footprint.mayWrite(row) && !m.isThreadRow(row)) return row;
    }
  }
  return -1;
}
