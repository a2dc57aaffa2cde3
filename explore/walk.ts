/**
 * Concrete runs: lists of transitions with their answers. They are drawn from the operations that are enabled (never "check and skip"),
 * executed with all checks, and stay meaningful when parts are removed: a step that is no longer enabled is left out.
 */
import { DISABLED, isFailure, type Machine } from '../model/kernel/index.js';
import {
  type AnyProperty,
  FAILURE_CHANGES_NOTHING,
  FRAME_CONDITION,
  type Invariant,
  type Relation,
  type UntypedProperty,
} from '../properties/property.js';
import { frameViolation } from './exhaustive.js';
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

/** Uniform integers in [0, size). */
export type Draw = (size: number) => number;

const TRIES = 6;
const MAX_ENUMERATED = 4096;

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
  private readonly weights: Float64Array;
  private readonly exhausted: Uint8Array;
  private readonly pre: Int32Array;

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
    this.weights = new Float64Array(m.transitionKinds);
    this.exhausted = new Uint8Array(m.transitionKinds);
    this.pre = new Int32Array(m.words.length);
  }

  /** Witnesses and whether any execution reached them. */
  get reached(): readonly { property: string; witness: string; reached: boolean }[] {
    return this.allWitnesses.map(({ property, witness, reached }) => ({ property, witness, reached }));
  }

  /**
   * Draws a run from what is enabled at each step.
   * @param swarm switch whole fault families off, and favour some operations, at random for this run
   */
  draw(draw: Draw, maxSteps: number, swarm: boolean): Run {
    const { m } = this;
    this.drawWeights(draw, swarm);
    m.watch = false;
    m.choices.begin();
    m.choices.entropy = draw;
    m.loadInitial();
    m.choices.entropy = undefined;
    const initial = [...m.choices.digits.subarray(0, m.choices.used)];
    const steps: RunStep[] = [];
    const wanted = 1 + draw(maxSteps);
    while (steps.length < wanted) {
      const step = this.drawStep(draw);
      if (!step) break;
      steps.push(step);
    }
    return { initial, steps };
  }

  private drawWeights(draw: Draw, swarm: boolean): void {
    const { m, weights } = this;
    weights.fill(1);
    if (!swarm) return;
    const off = new Set<string>();
    for (const o of m.operations) {
      const fault = o.op.fault;
      if (fault !== undefined && !off.has(fault) && !off.has(`+${fault}`)) off.add(draw(3) === 0 ? fault : `+${fault}`);
    }
    m.operations.forEach((o, k) => {
      const choice = draw(8);
      weights[k] = choice === 0 ? 0 : choice === 1 ? 8 : choice < 4 ? 3 : 1;
      if (o.op.fault !== undefined && off.has(o.op.fault)) weights[k] = 0;
    });
    for (let k = m.operations.length; k < weights.length; k++) weights[k] = 4;
  }

  /** Performs a transition drawn from the enabled ones; undefined when none of those with weight is enabled. */
  private drawStep(draw: Draw): RunStep | undefined {
    const { weights, exhausted } = this;
    exhausted.fill(0);
    for (;;) {
      let total = 0;
      for (let k = 0; k < weights.length; k++) if (!exhausted[k]) total += weights[k];
      if (total === 0) return undefined;
      let at = draw(Math.ceil(total));
      let kind = -1;
      for (let k = 0; k < weights.length; k++) {
        if (exhausted[k] || weights[k] === 0) continue;
        kind = k;
        at -= weights[k];
        if (at < 0) break;
      }
      if (kind < 0) return undefined;
      const digits = this.tryKind(kind, draw) ?? this.pickEnabled(kind, draw);
      if (digits) return { kind, digits };
      exhausted[kind] = 1;
    }
  }

  private tryKind(kind: number, draw: Draw): number[] | undefined {
    const { choices } = this.m;
    for (let i = 0; i < TRIES; i++) {
      choices.begin();
      choices.entropy = draw;
      const status = this.m.fire(kind);
      choices.entropy = undefined;
      if (status !== DISABLED) return [...choices.digits.subarray(0, choices.used)];
    }
    return undefined;
  }

  /** One of the enabled answers of this kind, each as likely; the machine ends in the state after it. */
  private pickEnabled(kind: number, draw: Draw): number[] | undefined {
    const { m, pre } = this;
    const { choices } = m;
    pre.set(m.words);
    let picked: number[] | undefined;
    let seen = 0;
    let tried = 0;
    choices.begin();
    do {
      if (m.fire(kind) !== DISABLED) {
        if (draw(++seen) === 0) picked = [...choices.digits.subarray(0, choices.used)];
        m.words.set(pre);
      }
    } while (++tried < MAX_ENUMERATED && choices.next());
    if (picked) {
      choices.fix(picked);
      m.fire(kind);
    }
    return picked;
  }

  /** Executes a run with all checks. @param only look for this property alone (while shrinking) */
  execute(run: Run, only?: BrokenProperty): Executed {
    const { m } = this;
    m.watch = this.checks.frameCondition;
    m.choices.fix(run.initial);
    m.loadInitial();
    const steps: RunStep[] = [];
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
      this.executed++;
      this.executedByKind[step.kind]++;
      steps.push(step);
      broken = this.checkStep(status, only) ?? this.checkState(only);
    }
    return { run: { initial: run.initial, steps }, broken: broken?.property, why: broken?.why ?? '' };
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
    m.watch = false;
    const told = [initialTold(m, run.initial)];
    for (const step of run.steps) {
      const one = performTold(m, step.kind, step.digits);
      if (one) told.push(one);
    }
    return told;
  }
}
