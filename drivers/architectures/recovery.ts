/**
 * How far the way back to service is: after a crash, a hang or a wrong suspicion, with a request under way and the device at work. A
 * scripted way, performed once on one of the architecture's machines; its operations, their named steps, and what the ledger charges for
 * them. Where there is no way back, that is the finding (explore/recoveryDistance.ts looks for one, and for a shorter one).
 *
 * The way is at its end when the request is answered, or the next frame is sent or received, and nothing of the failed driver is left.
 */
import { type Machine, SpecificationError } from '../../model/kernel/index.js';
import type { ChargeName } from '../../model/ledger.js';
import type { Era } from './architecture.js';
import { namedCharges, Performer, type ScriptedRun } from './cost.js';

/** What happens to a driver: it stops; it answers nothing any more; it works, and somebody takes it to hang. */
export const failures = ['crash', 'hang', 'wrong suspicion'] as const;
export type Failure = (typeof failures)[number];

/** A failure and the way back: `before` leads up to the failure and includes it, `steps` is the way. */
export interface RecoveryRun extends ScriptedRun {
  /** Whose service: `block`, `net transmit`, `a kernel thread’s call`. */
  readonly what: string;
  readonly from: Failure;
  /** Whether service is back, and nothing of the failed driver is left. */
  readonly restored: (m: never) => boolean;
}

/** The way back, as it was performed. */
export interface RecoveryCost {
  readonly what: string;
  readonly from: Failure;
  readonly era: Era;
  /** Whether there is a way at all; without one the counts are 0. */
  readonly ends: boolean;
  readonly operations: number;
  /** Named steps of those operations. */
  readonly steps: number;
  readonly charges: Readonly<Record<ChargeName, number>>;
  /** Fewest operations of any way, by search; null where there is no way. */
  readonly shortest: number | null;
}

/** Performs what leads up to the failure; the machine is then in its first state after it. */
export function failed(run: RecoveryRun): Performer {
  const performer = new Performer(run, `${run.machine.name}, ${run.what} after a ${run.from}`);
  performer.perform(run.before ?? []);
  return performer;
}

/** Whether the run claims that there is no way back. */
export const hasNoWay = (run: RecoveryRun): boolean => run.steps.length === 0;

/**
 * Performs a recovery once; only the way back is counted.
 * @throws SpecificationError when a step is not enabled or fails, or when service is not back at the end of the way
 */
export function recoveryOf(run: RecoveryRun): Omit<RecoveryCost, 'shortest'> {
  const performer = failed(run);
  const totals = performer.perform(run.steps);
  const { what, from, era, steps } = run;
  const ends = isRestored(run, performer.m);
  if (ends === hasNoWay(run)) {
    const wrong = ends ? 'service was never away' : 'service is not back at the end of the way';
    throw new SpecificationError(`${run.machine.name}, ${what} after a ${from}: ${wrong}`);
  }
  return {
    what,
    from,
    era,
    ends,
    operations: steps.length,
    steps: performer.stepsTaken,
    charges: namedCharges(totals, 1),
  };
}

/** Whether the machine is where the run's way back ends. */
export function isRestored(run: RecoveryRun, m: Machine): boolean {
  return (run.restored as (m: Machine) => boolean)(m);
}
