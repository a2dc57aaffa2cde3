/**
 * Concrete runs: lists of transitions with their answers. They are drawn from the operations that are enabled (never "check and skip"),
 * executed with all checks, and stay meaningful when parts are removed: a step that is no longer enabled is left out.
 */
import { DISABLED, isFailure, type Machine, type Sort } from '../model/kernel/index.js';
import {
  type AnyProperty,
  FAILURE_CHANGES_NOTHING,
  FRAME_CONDITION,
  type Invariant,
  type Relation,
  type UntypedProperty,
} from '../properties/property.js';
import { frameViolation } from './exhaustive.js';
import { Chance, type Draw, Focus } from './focus.js';
import type { Novelty } from './novelty.js';
import { initialTold, performTold, type TraceStep, transitionName } from './trace.js';

export interface RunStep {
  readonly kind: number;
  readonly digits: readonly number[];
}

export interface Run {
  readonly initial: readonly number[];
  readonly steps: readonly RunStep[];
}

export type BrokenProperty = { readonly id: string; readonly name: string; readonly states: string };

export interface Executed {
  /** The steps that were enabled, up to and including the one that broke a property. */
  readonly run: Run;
  readonly broken: BrokenProperty | undefined;
  readonly why: string;
}

/** Draws of answers before an operation's enabled answers are enumerated. */
const TRIES = 3;

/** Most steps that a run takes beyond the one it goes on from. */
const SUFFIX = 6;

export interface DrawOptions {
  /** Look for this property alone. */
  readonly only?: BrokenProperty | undefined;
  readonly novelty?: Novelty | undefined;
}

export interface Checks {
  readonly properties: readonly AnyProperty[];
  readonly frameCondition: boolean;
}

export class Walker {
  /** Operations executed, by transition kind. */
  readonly executedByKind: Uint32Array;
  executed = 0;
  private readonly invariants: readonly Invariant<Machine>[];
  private readonly relations: readonly Relation<Machine>[];
  private witnesses: { property: string; witness: string; test: (m: Machine) => boolean; reached: boolean }[];
  private readonly allWitnesses: typeof this.witnesses;
  private readonly focus: Focus;
  private lastStatus = 0;
  /** The run drawn last, with its verdict: it need not be executed again. */
  private drawn: Executed | undefined;
  private readonly exhausted: Uint8Array;
  private readonly chance: Chance;
  /** Sorts of the first answers of each kind, which generated loops do not record. */
  private readonly loopSorts: readonly (readonly Sort[])[];

  constructor(
    readonly m: Machine,
    private readonly checks: Checks,
  ) {
    const properties = checks.properties as readonly UntypedProperty[];
    this.invariants = properties.filter((p) => p.kind === 'invariant');
    this.relations = properties.filter((p) => p.kind === 'relation');
    this.witnesses = [...this.invariants, ...this.relations].flatMap((p) =>
      Object.entries(p.witnesses).map(([witness, test]) => ({
        property: `${p.id} ${p.name}`,
        witness,
        test,
        reached: false,
      })),
    );
    this.allWitnesses = this.witnesses;
    this.executedByKind = new Uint32Array(m.transitionKinds);
    this.focus = new Focus(m);
    this.exhausted = new Uint8Array(m.transitionKinds);
    this.chance = new Chance(m, this.focus);
    this.loopSorts = m.operations.map(({ op, split }) =>
      split ? [] : [...(typeof op.agent === 'string' ? [] : [op.agent]), ...Object.values(op.input ?? {})],
    );
  }

  /** Witnesses and whether any execution reached them. */
  get reached(): readonly { property: string; witness: string; reached: boolean }[] {
    return this.allWitnesses.map(({ property, witness, reached }) => ({ property, witness, reached }));
  }

  /**
   * Draws a run from what is enabled at each step, checking as it goes; it ends early where a property breaks.
   * @param novelty go on from a run that ended in a state not seen before, instead of from an initial state
   * @param swarm for this run, switch whole fault families off, favour some operations, and keep to few members of some sorts, at random
   */
  draw(draw: Draw, maxSteps: number, swarm: boolean, options: DrawOptions = {}): Run {
    const { m } = this;
    const { only, novelty } = options;
    this.focus.draw(draw, swarm);
    const prefix = draw(8) === 0 ? undefined : novelty?.draw(draw);
    const initial = prefix?.initial ?? this.drawInitial();
    const steps: RunStep[] = prefix ? [...prefix.steps] : [];
    if (prefix) m.words.set(prefix.words);
    let broken = prefix ? undefined : this.checkState(only);
    const wanted = steps.length + 1 + draw(novelty ? Math.min(maxSteps, SUFFIX) : maxSteps);
    while (steps.length < Math.min(wanted, maxSteps) && !broken) {
      m.beforeWords.set(m.words);
      const step = this.drawStep(draw);
      if (!step) break;
      steps.push(step);
      this.count(step.kind);
      broken = this.checkStep(this.lastStatus, only) ?? this.checkState(only);
      if (novelty?.isNew(m.words)) novelty.keep({ initial, steps: [...steps], words: m.words.slice() });
    }
    const run = { initial, steps };
    this.drawn = { run, broken: broken?.property, why: broken?.why ?? '' };
    return run;
  }

  private drawInitial(): readonly number[] {
    const { m } = this;
    m.choices.begin();
    m.choices.entropy = this.focus.entropy;
    m.loadInitial();
    m.choices.entropy = undefined;
    return [...m.choices.digits.subarray(0, m.choices.used)];
  }

  private count(kind: number): void {
    this.executed++;
    this.executedByKind[kind]++;
  }

  /** Performs a transition drawn from the enabled ones; undefined when none of those with weight is enabled. */
  private drawStep(draw: Draw): RunStep | undefined {
    const { exhausted } = this;
    const { weights } = this.focus;
    exhausted.fill(0);
    for (;;) {
      let total = 0;
      for (let k = 0; k < weights.length; k++) if (!exhausted[k]) total += weights[k];
      if (total === 0) return undefined;
      let at = draw(total);
      let kind = 0;
      for (; kind < weights.length; kind++) {
        if (exhausted[kind]) continue;
        at -= weights[kind];
        if (at < 0) break;
      }
      const digits = this.tryKind(kind) ?? this.pickEnabled(kind, draw);
      if (digits) return { kind, digits };
      exhausted[kind] = 1;
    }
  }

  private tryKind(kind: number): number[] | undefined {
    const { choices } = this.m;
    for (let i = 0; i < TRIES; i++) {
      choices.begin();
      choices.entropy = this.focus.entropy;
      const status = this.m.fire(kind);
      choices.entropy = undefined;
      this.lastStatus = status;
      if (status !== DISABLED) return [...choices.digits.subarray(0, choices.used)];
      if (choices.used === 0) return undefined;
    }
    return undefined;
  }

  /** One of the enabled answers of this kind, those in focus first; the machine ends in the state after it. */
  private pickEnabled(kind: number, draw: Draw): number[] | undefined {
    const { m } = this;
    const { choices } = m;
    const chance = this.chance;
    chance.begin(draw, this.loopSorts[kind]);
    choices.recording = true;
    m.fireAll(kind, chance);
    choices.recording = false;
    if (!chance.picked) return undefined;
    choices.fix(chance.digits);
    this.lastStatus = m.fire(kind);
    return chance.digits;
  }

  /** Executes a run with all checks. @param only look for this property alone (while shrinking) */
  execute(run: Run, only?: BrokenProperty): Executed {
    const { m, drawn } = this;
    if (drawn !== undefined && drawn.run === run && (only === undefined || drawn.broken === only)) return drawn;
    m.choices.fix(run.initial);
    m.loadInitial();
    const steps: RunStep[] = [];
    // Shrinking may ask for a start that does not exist, or for one that takes more answers or fewer.
    if (m.choices.mismatch) return { run: { initial: run.initial, steps }, broken: undefined, why: '' };
    const initial = Array.from(m.choices.digits.subarray(0, m.choices.used));
    let broken = this.checkState(only);
    for (const step of run.steps) {
      if (broken) break;
      m.beforeWords.set(m.words);
      m.choices.fix(step.digits);
      const status = m.fire(step.kind);
      if (status === DISABLED || m.choices.mismatch || m.choices.used !== step.digits.length) {
        m.words.set(m.beforeWords);
        continue;
      }
      this.count(step.kind);
      steps.push(step);
      broken = this.checkStep(status, only) ?? this.checkState(only);
    }
    return { run: { initial, steps }, broken: broken?.property, why: broken?.why ?? '' };
  }

  private checkState(only: BrokenProperty | undefined): { property: BrokenProperty; why: string } | undefined {
    const { m } = this;
    for (const w of this.witnesses) {
      if (!w.reached && w.test(m)) {
        w.reached = true;
        this.witnesses = this.witnesses.filter((other) => other !== w);
      }
    }
    for (const p of this.invariants) {
      if (only !== undefined && p !== only) continue;
      if (!p.holds(m)) return { property: p, why: p.explain?.(m) ?? p.states };
    }
    return undefined;
  }

  private checkStep(
    status: number,
    only: BrokenProperty | undefined,
  ): { property: BrokenProperty; why: string } | undefined {
    const { m } = this;
    if (this.checks.frameCondition) {
      if (only === undefined || only.id === FRAME_CONDITION.id) {
        const row = frameViolation(m);
        if (row >= 0) {
          const why = `${transitionName(m)} changes ${m.rowName(row)}, which its footprint does not name`;
          return { property: FRAME_CONDITION, why };
        }
      }
      const changed = isFailure(status) && m.mustBeUnchanged(status) && m.words.some((w, i) => w !== m.beforeWords[i]);
      if (changed && (only === undefined || only === FAILURE_CHANGES_NOTHING)) {
        return { property: FAILURE_CHANGES_NOTHING, why: `${transitionName(m)} fails but leaves a changed state` };
      }
    }
    for (const p of this.relations) {
      if (only !== undefined && p !== only) continue;
      if (!p.holds(m.before, m, status)) return { property: p, why: p.explain?.(m.before, m, status) ?? p.states };
    }
    return undefined;
  }

  /** Tells a run in full. */
  tell(run: Run): TraceStep[] {
    const { m } = this;
    const told = [initialTold(m, run.initial)];
    for (const step of run.steps) {
      const one = performTold(m, step.kind, step.digits);
      if (one) told.push(one);
    }
    return told;
  }
}
