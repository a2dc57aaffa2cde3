/**
 * Machines: modules composed over one packed state, with every operation compiled for the explorers.
 * `fire(k)` performs transition kind k with the answers that `choices` holds; everything an explorer needs is words and integers.
 */
import { Choices } from './choices.js';
import { type CompiledOperation, compile, type RunStep, type Visitor } from './compile.js';
import {
  composedOperations,
  composedTables,
  holdersOf,
  initialsOf,
  isSplitIn,
  type MachineDef,
  type MachineOptions,
  membersOf,
  registersFor,
  type Scope,
  specificationHash,
} from './composition.js';
import { allFailureSites, type FailureSite } from './failures.js';
import { Footprint } from './footprint.js';
import { type Layout, layOut, rowName, viewsOf } from './layout.js';
import { type AnyModule, SpecificationError } from './operation.js';
import { settle } from './settle.js';
import { outcome, type Sort, sortCount } from './sort.js';
import { allGates, DISABLED, type Gate, isFailure, OUTCOMES, outcomeIndex } from './status.js';
import { type ThreadAgent, Threads, threadTables } from './threads.js';

/** Kinds of charges that a machine can count. */
const CHARGE_KINDS = 16;

export class Machine {
  readonly name: string;
  readonly scope: Scope;
  readonly layout: Layout;
  readonly buffer: ArrayBuffer;
  /** The state, as 32-bit words. */
  readonly words: Int32Array;
  /** The same tables over the state before the transition; explorers that check step relations fill `beforeWords`. */
  readonly before: this;
  readonly beforeWords: Int32Array;
  readonly bytes: Uint8Array;
  readonly beforeBytes: Uint8Array;
  readonly choices: Choices;
  readonly operations: readonly CompiledOperation[];
  readonly threadAgents: readonly ThreadAgent[];
  readonly modules: readonly AnyModule[];
  readonly options: MachineOptions;
  /** Number of transition kinds: operations, then threads to continue. */
  readonly transitionKinds: number;
  /** What the last transition may touch; filled by `fillFootprint`. */
  readonly footprint: Footprint;
  /** Operation of the last transition. */
  current: CompiledOperation;
  /** Name of the split step just taken, or '' when a whole operation ran. */
  currentStep = '';
  /** The last transition ended its operation. */
  finished = true;
  /** Times each operation ended with each outcome class: operation index * OUTCOMES + class. Explorers may put other counters in. */
  outcomes: Uint32Array;
  /** Times each failure site was passed, and times it failed. */
  readonly sitesPassed: Uint32Array;
  readonly sitesFailed: Uint32Array;
  /** What the last transition charged to the ledger, by kind (see ../ledger.ts): a property of the transition, not of the state. */
  readonly charges = new Uint8Array(CHARGE_KINDS);
  /** Sum of `charges`. */
  charged = 0;

  private readonly sizes: Int32Array;
  private readonly gateOn: Uint8Array;
  private readonly initials: readonly RunStep[];
  private readonly holders: readonly ((m: Machine, domain: number) => boolean)[];
  private readonly failMode: number;
  private failCalls = 0;
  private failed = false;
  /** Most failure sites passed in one execution: a whole operation, or one step of a split one. */
  private mostAtOnce = 0;
  private readonly threads: Threads;

  constructor(
    readonly def: MachineDef,
    options: MachineOptions,
  ) {
    this.name = def.name;
    this.options = options;
    this.scope = options.scope;
    this.modules = def.modules;
    const isSplit = options.schedule === 'split';
    this.threadAgents = isSplit ? (def.threads?.(options.scope) ?? []) : [];
    const edited = composedOperations(def, options);

    this.sizes = new Int32Array(sortCount());
    this.choices = new Choices(this.sizes);
    const sizeOf = (s: Sort): number => this.size(s);
    sizeOf(outcome);
    for (const { op } of edited) {
      if (typeof op.agent !== 'string') sizeOf(op.agent);
      for (const s of Object.values(op.input ?? {})) sizeOf(s);
    }
    const registers = registersFor(edited);
    const tables = composedTables(def);
    if (isSplit) Object.assign(tables, threadTables(registers, (options.failures ?? 'none') !== 'none'));
    this.layout = layOut(tables, sizeOf);
    // Sorts that steps choose from without indexing a table are sized on first use of the machine, from the scope.
    for (const f of this.layout.fields) if (f.field.holds) sizeOf(f.field.holds);

    this.buffer = new ArrayBuffer(this.layout.byteCount);
    this.words = new Int32Array(this.buffer);
    const beforeBuffer = new ArrayBuffer(this.layout.byteCount);
    this.beforeWords = new Int32Array(beforeBuffer);
    this.bytes = new Uint8Array(this.buffer);
    this.beforeBytes = new Uint8Array(beforeBuffer);
    this.footprint = new Footprint(this.layout.rowCount);
    const views = viewsOf(this.layout, this.buffer, sizeOf);
    for (const name of Object.keys(views)) {
      if (name in this) throw new SpecificationError(`a table cannot be named '${name}': the machine has that name`);
    }
    Object.assign(this, views);
    this.before = Object.assign(Object.create(this), viewsOf(this.layout, beforeBuffer, sizeOf));

    this.gateOn = new Uint8Array(Math.max(1, allGates().length)).fill(1);
    for (const g of options.gatesOff ?? []) this.gateOn[g.id] = 0;
    this.initials = initialsOf(def, options);
    this.holders = holdersOf(def);
    const failures = options.failures ?? 'none';
    this.failMode = failures === 'none' ? 0 : failures === 'any' ? -1 : failures.nth;
    this.sitesPassed = new Uint32Array(Math.max(1, allFailureSites().length));
    this.sitesFailed = new Uint32Array(Math.max(1, allFailureSites().length));

    this.operations = edited.map((e, index) => {
      const split = isSplit && isSplitIn(def, e, this.threadAgents);
      return compile(e.op, e.steps, e.where, index, split, sizeOf, this.layout.wordCount);
    });
    const first = this.operations[0];
    if (!first) throw new SpecificationError(`the machine ${def.name} has no operations`);
    this.current = first;
    this.outcomes = new Uint32Array(this.operations.length * OUTCOMES);
    this.transitionKinds = this.operations.length + this.threadAgents.length;
    this.threads = new Threads(views.thread, this.threadAgents, registers);
  }

  /** A second machine of the same definition and options, sharing nothing with this one. */
  rebuild(): Machine {
    return new Machine(this.def, this.options);
  }

  /** Number of members of a sort in this scope. */
  size(of: Sort): number {
    const known = this.sizes[of.id];
    if (known !== 0) return known;
    this.sizes[of.id] = membersOf(of, this.scope, this.threadAgents.length, this.name);
    return this.sizes[of.id];
  }

  /** Asks for a member of a sort; the explorer decides which. The label names its role in traces. */
  choose(of: Sort, label?: string): number {
    if (this.sizes[of.id] === 0) this.size(of);
    return this.choices.choose(of, label);
  }

  /** Whether the gate is in force in this run. */
  on(g: Gate): boolean {
    return this.gateOn[g.id] !== 0;
  }

  /** Whether the allocation, mapping, invalidation or wait at this site fails now. */
  fails(site: FailureSite): boolean {
    this.sitesPassed[site.id]++;
    if (site.charges >= 0) this.charge(site.charges);
    if (this.failMode === 0) {
      if (++this.failCalls > this.mostAtOnce) this.mostAtOnce = this.failCalls;
      return false;
    }
    let yes = false;
    // At most one failure an operation, and none while the initial state is set up.
    if (this.failed) return false;
    if (this.failMode > 0) yes = ++this.failCalls === this.failMode;
    else yes = this.choices.choose(outcome, site.name) !== 0;
    if (yes) {
      this.failed = true;
      this.sitesFailed[site.id]++;
    }
    return yes;
  }

  /** How far the running operation is on its way to its failure: sites passed, or 1 once it has failed by choice. At most 255. */
  get failuresSoFar(): number {
    return this.failMode < 0 ? Number(this.failed) : this.failCalls;
  }

  /** Goes on counting where an earlier step of the same operation left off. */
  resumeFailures(soFar: number): void {
    this.failCalls = soFar;
    this.failed = this.failMode < 0 ? soFar !== 0 : soFar >= this.failMode;
  }

  /**
   * Most failure sites that one operation has passed so far, or a bound above it; without end where a split operation went round a loop.
   * Counted where nothing fails (`failures: 'none'`).
   */
  get mostSites(): number {
    return Math.max(this.mostAtOnce, this.threads.mostSites);
  }

  /** Failure sites passed since the execution began. */
  get sitesSoFar(): number {
    return this.failCalls;
  }

  /** Charges the running transition with one of a kind (an allocation, a mapping, ...). */
  charge(kind: number): void {
    this.charges[kind]++;
    this.charged++;
  }

  /** Loads an initial state (the one that `choices` answers). */
  loadInitial(): void {
    this.words.fill(0);
    this.failed = true; // set-up does not fail
    for (const f of this.initials) f(this, this.current.call);
    this.failed = false;
  }

  /** Performs transition kind k: an operation (started, under `split`), or the next step of a thread. */
  fire(k: number): number {
    this.beginExecution();
    const count = this.operations.length;
    if (k >= count) return this.threads.resume(this, k - count);
    const op = this.operations[k];
    this.current = op;
    return op.split ? this.threads.start(this, op) : this.runWhole(op);
  }

  /** Whether any module says that the domain still holds something. */
  holdsAnything(domain: number): boolean {
    for (let i = 0; i < this.holders.length; i++) if (this.holders[i](this, domain)) return true;
    return false;
  }

  /** Ends whatever the threads of this agent are doing: the agent has crashed. `of`: its sort, where threads are of members of one. */
  killThreads(agent: number | string, of?: Sort): void {
    this.threads.kill(agent, of);
  }

  /** Whether a thread of this agent is in the middle of an operation; never under the schedule `whole`. */
  isBusy(agent: number | string, of?: Sort): boolean {
    return this.threads.isBusy(agent, of);
  }

  private runWhole(op: CompiledOperation): number {
    this.currentStep = '';
    this.finished = true;
    const call = op.call;
    if (!op.bind(this, this.choices, call, -1)) return DISABLED;
    const status = op.run(this, call);
    if (status !== DISABLED) this.outcomes[op.index * OUTCOMES + outcomeIndex(status)]++;
    return status;
  }

  /** Performs all enabled transitions of kind k on the state in `beforeWords`; true when the visitor wants no more. */
  fireAll(k: number, visitor: Visitor): boolean {
    if (k < this.operations.length && !this.operations[k].split) {
      const op = this.operations[k];
      this.current = op;
      this.currentStep = '';
      this.finished = true;
      return op.enumerate(this, this.choices, op.call, visitor);
    }
    const { words, beforeWords, choices } = this;
    const n = words.length;
    choices.begin();
    do {
      const status = this.fire(k);
      if (status === DISABLED) continue;
      if (visitor.visit(k, status)) return true;
      for (let i = 0; i < n; i++) words[i] = beforeWords[i];
    } while (choices.next());
    return false;
  }

  /** Resets what is counted per execution; generated code calls it too. */
  beginExecution(): void {
    this.failCalls = 0;
    this.failed = false;
    if (this.charged === 0) return;
    this.charged = 0;
    for (let kind = 0; kind < CHARGE_KINDS; kind++) this.charges[kind] = 0;
  }

  /** Goes on after step i of a whole operation answered something else than OK. */
  settle(op: CompiledOperation, i: number, first: number): number {
    return settle(this, op, i, first);
  }

  /**
   * Fills `footprint` with what the last transition may touch, as seen from the state before it (`beforeWords`). Explorers ask for it only
   * when something changed: most transitions of an adversary are refused.
   */
  fillFootprint(): void {
    this.footprint.clear();
    this.current.touches?.(this.before, this.current.call, this.footprint);
  }

  /** Whether the last status was a failure that must leave the state as it was. */
  mustBeUnchanged(status: number): boolean {
    return isFailure(status) && !this.current.split && this.current.op.onFailure !== 'safe';
  }

  /** A row in words: `grant[domain 1, ref 0]`. */
  rowName(row: number): string {
    return rowName(this.layout, (s) => this.size(s), row);
  }

  /** Whether the row belongs to the kernel's own table of threads. */
  isThreadRow(row: number): boolean {
    const t = this.layout.tables.get('thread');
    return t !== undefined && row >= t.base && row < t.base + t.rows;
  }

  /** A hash of the specification: operations, steps, guards, layout. Traces carry it. */
  hash(): string {
    return specificationHash(this.name, this.layout, this.operations);
  }
}

/** Compiles a machine. Throws SpecificationError when the specification does not fit together. */
export function build(def: MachineDef, options: MachineOptions): Machine {
  return new Machine(def, options);
}
