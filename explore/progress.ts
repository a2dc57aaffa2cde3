/**
 * Progress, checked on the graph of all reachable states: once faults have stopped, every fair run from a pending state reaches the goal.
 * In a finite graph a strongly fair run visits all of a terminal component, so it is enough that the goal can be reached, by fair
 * operations, from every state that fault-free operations (idle ones included: they may happen, but must not be relied on) lead to.
 */
import type { Machine, Visitor } from '../model/kernel/index.js';
import type { Progress } from '../properties/property.js';
import type { Finding } from './exhaustive.js';
import { type StateStore, sameWords } from './store.js';
import type { Canonicalizer } from './symmetry.js';
import { findTransition, performTold, traceTo } from './trace.js';

export interface ProgressResult {
  readonly holds: boolean;
  /** States in which the premise held. None: the property is vacuous. */
  readonly pendingStates: number;
  readonly finding: Finding | undefined;
}

/** A growing list of 32-bit integers. */
class IntList {
  items = new Int32Array(1 << 16);
  length = 0;
  push(value: number): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.length++] = value;
  }
}

/** Fault-free edges of the state graph, but for steps that change nothing; targets of idle operations are stored as -1 - id. */
class Graph implements Visitor {
  readonly targets = new IntList();
  readonly offsets: Int32Array;
  /** States from which a fault-free operation leads beyond the stored ones. */
  readonly escapes: Uint8Array;
  private from = 0;
  private readonly taken: Uint8Array;
  private readonly canonical: Int32Array;

  constructor(
    readonly m: Machine,
    readonly store: StateStore,
    property: Progress<Machine>,
    readonly symmetry: Canonicalizer | undefined,
  ) {
    this.offsets = new Int32Array(store.count + 1);
    this.escapes = new Uint8Array(store.count);
    this.canonical = new Int32Array(m.words.length);
    this.taken = new Uint8Array(m.operations.length);
    m.operations.forEach((o, k) => {
      const excluded =
        (o.op.fault !== undefined && !property.despite?.includes(o.op.name)) || property.without?.includes(o.op.name);
      this.taken[k] = excluded ? 0 : o.op.idle ? 2 : 1;
    });
    for (let id = 0; id < store.count; id++) {
      this.offsets[id] = this.targets.length;
      this.from = id;
      store.load(id, m.beforeWords);
      m.words.set(m.beforeWords);
      for (let k = 0; k < m.transitionKinds; k++) {
        // A thread that is under way goes on, whatever it runs.
        if (k >= m.operations.length || this.taken[k] !== 0) m.fireAll(k, this);
      }
    }
    this.offsets[store.count] = this.targets.length;
  }

  visit(kind: number): boolean {
    if (sameWords(this.m.words, this.m.beforeWords)) return false;
    let id: number;
    if (this.symmetry) {
      this.symmetry.canonicalize(this.m.words, this.canonical);
      id = this.store.find(this.canonical);
    } else id = this.store.find(this.m.words);
    // A state beyond the stored ones: the exploration did not expand bad states, or was truncated.
    if (id < 0) {
      this.escapes[this.from] = 1;
      return false;
    }
    const idle = kind < this.taken.length && this.taken[kind] === 2;
    this.targets.push(idle ? -1 - id : id);
    return false;
  }
}

/** Sources of each state, by counting sort. */
function reversed(graph: Graph, fairOnly: boolean): { offsets: Int32Array; sources: Int32Array } {
  const n = graph.store.count;
  const offsets = new Int32Array(n + 2);
  const { items } = graph.targets;
  for (let e = 0; e < graph.targets.length; e++) {
    const t = items[e];
    if (t >= 0 || !fairOnly) offsets[(t >= 0 ? t : -1 - t) + 2]++;
  }
  for (let i = 2; i < offsets.length; i++) offsets[i] += offsets[i - 1];
  const sources = new Int32Array(offsets[n + 1]);
  for (let id = 0; id < n; id++) {
    for (let e = graph.offsets[id]; e < graph.offsets[id + 1]; e++) {
      const t = items[e];
      if (t >= 0 || !fairOnly) sources[offsets[(t >= 0 ? t : -1 - t) + 1]++] = id;
    }
  }
  return { offsets, sources };
}

/** Marks everything from which a marked state can be reached, without passing through `blocked` states. */
function spread(
  marks: Uint8Array,
  back: { offsets: Int32Array; sources: Int32Array },
  blocked: Uint8Array | undefined,
): void {
  const queue = new IntList();
  for (let id = 0; id < marks.length; id++) if (marks[id]) queue.push(id);
  for (let head = 0; head < queue.length; head++) {
    const id = queue.items[head];
    for (let e = back.offsets[id]; e < back.offsets[id + 1]; e++) {
      const source = back.sources[e];
      if (marks[source] || blocked?.[source]) continue;
      marks[source] = 1;
      queue.push(source);
    }
  }
}

/**
 * Checks one progress property on the states of a complete exploration.
 * @param store all reachable states (of the representatives, when `symmetry` is given)
 * @param cut the exploration was truncated: whatever lies beyond the stored states is taken to reach the goal, so that a finding is one,
 *   and its absence says nothing
 */
export function checkProgress(
  machine: Machine,
  store: StateStore,
  property: Progress<never>,
  symmetry?: Canonicalizer,
  cut = false,
): ProgressResult {
  const p = property as unknown as Progress<Machine>;
  const m = machine;
  const graph = new Graph(m, store, p, symmetry);
  const goal = new Uint8Array(store.count);
  const pending = new Uint8Array(store.count);
  let pendingStates = 0;
  for (let id = 0; id < store.count; id++) {
    store.load(id, m.words);
    if (p.goal(m)) goal[id] = 1;
    if (p.pending(m)) {
      pending[id] = 1;
      pendingStates++;
    }
  }
  const canReach = cut ? goal.map((yes, id) => yes | graph.escapes[id]) : goal.slice();
  spread(canReach, reversed(graph, true), undefined);
  const doomed = canReach.map((yes) => (yes ? 0 : 1));
  const stuck = doomed.slice();
  spread(doomed, reversed(graph, false), goal);
  let worst = -1;
  for (let id = 0; id < store.count && worst < 0; id++) if (pending[id] && doomed[id] && !goal[id]) worst = id;
  if (worst < 0) return { holds: true, pendingStates, finding: undefined };

  const trace = traceTo(m, store, worst, symmetry);
  const tail = wayTo(graph, worst, stuck, goal);
  for (const next of tail) {
    const canonical = new Int32Array(m.words.length);
    const found = findTransition(m, () => {
      if (symmetry) symmetry.canonicalize(m.words, canonical);
      return store.equals(next, symmetry ? canonical : m.words);
    });
    const step = found && performTold(m, found.kind, found.digits);
    if (step) trace.push(step);
  }
  return {
    holds: false,
    pendingStates,
    finding: {
      property: p,
      why: `from here, without further faults, no fair run reaches the goal: ${p.states}`,
      trace,
      mechanism: trace.at(-1)?.operation ?? '',
    },
  };
}

/** Ids of a shortest fault-free way from `from` to a stuck state, without `from` itself. */
function wayTo(graph: Graph, from: number, stuck: Uint8Array, goal: Uint8Array): number[] {
  const parent = new Map<number, number>([[from, -1]]);
  const queue = [from];
  for (let head = 0; head < queue.length; head++) {
    const id = queue[head];
    if (stuck[id]) {
      const way: number[] = [];
      for (let at = id; at !== from; at = parent.get(at) ?? from) way.push(at);
      return way.reverse();
    }
    for (let e = graph.offsets[id]; e < graph.offsets[id + 1]; e++) {
      const t = graph.targets.items[e];
      const next = t >= 0 ? t : -1 - t;
      if (goal[next] || parent.has(next)) continue;
      parent.set(next, id);
      queue.push(next);
    }
  }
  return [];
}
