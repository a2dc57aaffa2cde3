/**
 * Targets: implementations outside the specification, performed step by step beside it. A target may answer at once (compiled code in
 * this process) or with a promise (a socket, a process); lockstep makes no promise of what came without one.
 */

export type MaybePromise<T> = T | Promise<T>;

/** An implementation that can be driven: reset, perform, observe. Errors of the environment are thrown, never findings. */
export interface LockstepTarget<Step, Observation> {
  /** Brings the target into its first state. Cheap: a snapshot, a restored memory, and a fresh one only when needed. */
  reset(): MaybePromise<void>;
  /** Performs the steps in order and answers what is to be seen after the last one. */
  perform(steps: readonly Step[]): MaybePromise<Observation>;
  /** Ends the program; what is to be seen only then. */
  finish(steps: readonly Step[]): MaybePromise<Observation>;
}

/** The target and the specification part ways. */
export interface Disagreement {
  /** What parts them, without the particulars of this program: findings are one when their mechanisms are. */
  readonly mechanism: string;
  /** Which side did what, in words. */
  readonly says: string;
  /** Ids of known disagreements that explain it all; empty when none do. */
  readonly known: readonly string[];
}

/** The specification of a target, on the same steps. */
export interface LockstepOracle<Step, Observation> {
  reset(): void;
  /** Whether the step can be performed now; others are left out of the program. */
  accepts(step: Step): boolean;
  /** Performs the step in the specification. True when the target is to be observed after it; others wait for the next that is. */
  advance(step: Step): boolean;
  /** Compares what was seen after the steps since the last observation. */
  judge(observation: Observation): Disagreement | undefined;
  /** Compares what was seen at the end. */
  finish(observation: Observation): Disagreement | undefined;
}
