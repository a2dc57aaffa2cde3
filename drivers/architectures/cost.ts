/**
 * What an architecture costs: a scripted run of requests on one of its machines, performed over and over, and the ledger's charges for
 * each request once nothing is first-time any more. No figure is written down: a specification that maps twice costs two mappings.
 *
 * A run names operations and the choices that matter; every other choice is the first that is enabled. Each step says which protection
 * domain executes it, and a change from one to another is a crossing (an interrupt, a switch); what an operation calls on its way
 * (hypercall, XPC) is charged by the operation itself (model/ledger.ts).
 */
import {
  applyEdits,
  build,
  DISABLED,
  type Edit,
  type Gate,
  isFailure,
  type Machine,
  type MachineDef,
  type Scope,
  SpecificationError,
} from '../../model/kernel/index.js';
import { CHARGES, type ChargeName, CROSSING } from '../../model/ledger.js';
import type { Era } from './architecture.js';

/** The four requests that are costed. */
export const costedRequests = ['block read', 'block write', 'net transmit', 'net receive'] as const;
export type CostedRequest = (typeof costedRequests)[number];

/** One operation of a scripted run. */
export interface CostStep {
  readonly operation: string;
  /** Protection domain that executes it: `guest`, `driver domain`, `kernel half`. Hardware executes nothing: leave it out. */
  readonly in?: string;
  /** Choices by their labels (`agent`, inputs, what steps choose); others are the first that is enabled. */
  readonly with?: Readonly<Record<string, number>>;
}

/** Operations in order, on a machine of one era. */
export interface ScriptedRun {
  readonly era: Era;
  readonly machine: MachineDef;
  /** Scope of the run: a batch of eight needs a ring of eight. */
  readonly scope: Scope;
  readonly gatesOff?: readonly Gate[];
  readonly edits?: readonly Edit[];
  /** Choices of the initial state, by label. */
  readonly initial?: Readonly<Record<string, number>>;
  /** What is done once, before the first request: connecting. Never counted. */
  readonly before?: readonly CostStep[];
  /** What is counted. A costed batch must lead back to where it can be done again. */
  readonly steps: readonly CostStep[];
}

/** A scripted run: the same requests again and again, from one request's submission to the last one's completion. */
export interface CostRun extends ScriptedRun {
  readonly what: CostedRequest;
  /** Requests in the run. */
  readonly batch: 1 | 8;
}

/** Charges for one request: totals of the run, divided by its batch. Kinds that were not charged are 0. */
export interface Cost {
  readonly what: CostedRequest;
  readonly batch: 1 | 8;
  readonly era: Era;
  readonly perRequest: Readonly<Record<ChargeName, number>>;
  /** Operations for the whole batch. */
  readonly operations: number;
}

/** What charges cannot be without: the same run, three times. */
const WARM_UP = 1;
const COUNTED = 2;

/** A machine that performs a run's steps and adds up what they charge. */
export class Performer {
  readonly m: Machine;
  /** Named steps taken by the operations of the last `perform`. */
  stepsTaken = 0;
  /** The domain that ran last. */
  private at = '';
  /** Named steps since the last attempt began. */
  private attempted = 0;

  constructor(
    run: ScriptedRun,
    private readonly name: string,
  ) {
    this.m = build(run.machine, {
      scope: run.scope,
      ...(run.gatesOff && { gatesOff: run.gatesOff }),
      edits: [...(run.edits ?? []), ...this.counting(run)],
    });
    this.m.choices.recording = true;
    begin(this.m, run.initial ?? {}, name);
  }

  /** Performs steps and returns their charges, by kind. */
  perform(steps: readonly CostStep[]): number[] {
    const totals: number[] = CHARGES.map(() => 0);
    this.stepsTaken = 0;
    steps.forEach((step, i) => {
      this.take(step, `${this.name}, step ${i + 1}`);
      this.stepsTaken += this.attempted;
      CHARGES.forEach((_, kind) => {
        totals[kind] += this.m.charges[kind];
      });
      if (step.in === undefined) return;
      if (this.at !== '' && step.in !== this.at) totals[CROSSING]++;
      this.at = step.in;
    });
    return totals;
  }

  /** Edits that make every step count itself. */
  private counting(run: ScriptedRun): Edit[] {
    const operations = run.machine.modules.flatMap((mod) => mod.operations);
    return applyEdits(operations, run.edits ?? []).flatMap(({ op, steps }) =>
      steps.map(({ name, run: step }) => ({
        kind: 'replace' as const,
        operation: op.name,
        step: name,
        with: (m: never, call: never) => {
          this.attempted++;
          return step(m, call);
        },
      })),
    );
  }

  /** Performs the first enabled way of a step. */
  private take(step: CostStep, name: string): void {
    const { m } = this;
    const kind = m.operations.findIndex((o) => o.op.name === step.operation);
    if (kind < 0) throw new SpecificationError(`${name}: the machine has no operation '${step.operation}'`);
    const from = m.words.slice();
    m.choices.begin();
    do {
      m.words.set(from);
      this.attempted = 0;
      const status = m.fire(kind);
      if (status !== DISABLED && !isFailure(status) && answersMatch(m, step.with ?? {})) return;
    } while (m.choices.next());
    m.words.set(from);
    throw new SpecificationError(`${name}: '${step.operation}' is not enabled with ${JSON.stringify(step.with ?? {})}`);
  }
}

/** Charges by name, each divided by a number of requests. */
export function namedCharges(totals: readonly number[], requests: number): Readonly<Record<ChargeName, number>> {
  const entries = CHARGES.map((name, kind) => [name, totals[kind] / requests] as const);
  return Object.fromEntries(entries) as Record<ChargeName, number>;
}

/**
 * Performs the run until it is warm, and once more for the count.
 * @throws SpecificationError when a step is not enabled, fails, or when the run does not cost the same every time
 */
export function costOf(run: CostRun): Cost {
  const name = `${run.machine.name}, ${run.what} by ${run.batch}`;
  const performer = new Performer(run, name);
  performer.perform(run.before ?? []);
  for (let i = 0; i < WARM_UP; i++) performer.perform(run.steps);
  const [first, again] = Array.from({ length: COUNTED }, () => performer.perform(run.steps));
  if (first.some((n, kind) => n !== again[kind])) {
    throw new SpecificationError(
      `${name}: no steady state, the run costs ${first.join(' ')} and then ${again.join(' ')}`,
    );
  }
  const { what, batch, era, steps } = run;
  return { what, batch, era, perRequest: namedCharges(first, batch), operations: steps.length };
}

/** Costs of several runs, in order. */
export function costsOf(runs: readonly CostRun[]): Cost[] {
  return runs.map(costOf);
}

/** Steps repeated for each number below `count`: a batch. */
export function repeated(count: number, steps: (i: number) => readonly CostStep[]): CostStep[] {
  return Array.from({ length: count }, (_, i) => steps(i)).flat();
}

/** Loads the first initial state with these choices. */
function begin(m: Machine, wanted: Readonly<Record<string, number>>, name: string): void {
  m.choices.begin();
  do {
    m.loadInitial();
    if (answersMatch(m, wanted)) return;
  } while (m.choices.next());
  throw new SpecificationError(`${name}: no initial state has ${JSON.stringify(wanted)}`);
}

/** Whether the choices just made include these. */
function answersMatch(m: Machine, wanted: Readonly<Record<string, number>>): boolean {
  const { labels, digits, used } = m.choices;
  return Object.entries(wanted).every(([label, value]) => {
    for (let i = 0; i < used; i++) if (labels[i] === label && digits[i] === value) return true;
    return false;
  });
}
