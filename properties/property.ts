/**
 * What can be asked of a machine: state invariants, step relations, two-run properties (noninterference) and progress.
 * Every property names its witnesses: states that must be reached for it to mean anything. A property whose witnesses are not all
 * reached is vacuous, and fails the run.
 */
import type { Footprint, Machine } from '../model/kernel/index.js';

/** Predicates on the state that a run must reach, by description. */
export type Witnesses<M> = Readonly<Record<string, (m: M) => boolean>>;

interface PropertyBase<M> {
  /** Id of the invariant (I1 to I15, or a suite's own), stable across versions. */
  readonly id: string;
  /** One word: `reach`, `count`. */
  readonly name: string;
  /** The claim in one sentence. */
  readonly states: string;
  readonly witnesses: Witnesses<M>;
}

/** Holds in every reachable state. */
export interface Invariant<M> extends PropertyBase<M> {
  readonly kind: 'invariant';
  readonly holds: (m: M) => boolean;
  /** Why it does not hold in this state, in words: the access path. Not on the hot path. */
  readonly explain?: (m: M) => string;
  /**
   * For partial-order reduction: the property is a conjunction of parts 0, 1, ... that each read only these rows; returns false
   * when there is no such part. Without it the property is taken to read everything.
   */
  readonly parts?: (m: M, part: number, reads: Footprint) => boolean;
}

/** Holds between the state before and after every transition. `m.current` is the operation, `m.current.call` its inputs. */
export interface Relation<M> extends PropertyBase<M> {
  readonly kind: 'relation';
  readonly holds: (before: M, after: M, status: number) => boolean;
  /** It speaks of what changes, and says nothing of a step that leaves the state as it was: explorers need not ask it then. */
  readonly ofChange?: boolean;
  readonly explain?: (before: M, after: M, status: number) => string;
}

/**
 * Once faults have stopped, every fair run from a state where `pending` holds reaches `goal`. Fair: an operation that is enabled again
 * and again is taken; faults and idle operations are not taken. Equivalent, in a finite state space: the goal can be reached from every
 * state that can be reached so.
 */
export interface Progress<M> extends PropertyBase<M> {
  readonly kind: 'progress';
  readonly pending: (m: M) => boolean;
  readonly goal: (m: M) => boolean;
  /** Operations (by name) that the fair environment does not take, beyond faults and idle ones. */
  readonly without?: readonly string[];
  /** Fault operations (by name) that still happen: the environment does not choose them, it is them (a time-out). */
  readonly despite?: readonly string[];
}

/**
 * Two runs with the same choices, which differ in what the observer must not depend on; after every step the observer's views are equal.
 * Either the initial states differ (`vary`), or the second run leaves operations out (`purge`): a stranger's crash.
 */
export interface Noninterference<M> extends PropertyBase<M> {
  readonly kind: 'noninterference';
  /** Writes what the observer sees into `out`, returns how many numbers. */
  readonly view: (m: M, out: Int32Array) => number;
  /** Changes the second run's initial state. */
  readonly vary?: (m: M) => void;
  /** Whether the operation about to happen (name, agent) is left out of the second run. */
  readonly purge?: (m: M, operation: string, agent: number) => boolean;
}

export type Property<M> = Invariant<M> | Relation<M> | Progress<M> | Noninterference<M>;
/** A property of any machine. */
export type AnyProperty = Property<never>;

/** Declares a state invariant. */
export function invariant<M>(id: string, name: string, def: Omit<Invariant<M>, 'kind' | 'id' | 'name'>): Invariant<M> {
  return { kind: 'invariant', id, name, ...def };
}
/** Declares a step relation. */
export function relation<M>(id: string, name: string, def: Omit<Relation<M>, 'kind' | 'id' | 'name'>): Relation<M> {
  return { kind: 'relation', id, name, ...def };
}
/** Declares a progress property. */
export function progress<M>(id: string, name: string, def: Omit<Progress<M>, 'kind' | 'id' | 'name'>): Progress<M> {
  return { kind: 'progress', id, name, ...def };
}
/** Declares a two-run property. */
export function noninterference<M>(
  id: string,
  name: string,
  def: Omit<Noninterference<M>, 'kind' | 'id' | 'name'>,
): Noninterference<M> {
  return { kind: 'noninterference', id, name, ...def };
}

/** The properties that the harness checks of every suite without being asked. */
export const FRAME_CONDITION = {
  id: 'frame',
  name: 'frame condition',
  states: 'an operation changes only what its footprint names',
} as const;
export const FAILURE_CHANGES_NOTHING = {
  id: 'I10',
  name: 'undo',
  states: 'a failed call leaves the state as it was',
} as const;
export const NO_DEADLOCK = {
  id: 'deadlock',
  name: 'deadlock',
  states: 'some operation is enabled in every state',
} as const;

/** A machine as properties of unknown type see it. */
export type UntypedProperty = Property<Machine>;
