/** The words in which mechanisms.ts describes an architecture. */

export interface Mechanism {
  readonly id: string;
  readonly says: string;
  /** Names of operations of the architecture's machines. */
  readonly operations: readonly string[];
  /** Names of gates and mutants: each breaks a claim of its suites. */
  readonly without: readonly string[];
}

export interface Description {
  readonly mechanisms: readonly Mechanism[];
  /** Ids of the invariants: each is a property that something breaks. */
  readonly invariants: readonly string[];
  /** Ids of the gaps: each is a mutant, or a claim of a reading "as published". */
  readonly gaps: readonly string[];
}

/** A mechanism. */
export const mechanism = (
  id: string,
  says: string,
  operations: readonly string[],
  without: readonly string[],
): Mechanism => ({
  id,
  says,
  operations,
  without,
});

/** Ids with a number each, from 1. */
export const numbered = (prefix: string, to: number): readonly string[] =>
  Array.from({ length: to }, (_, i) => `${prefix}${i + 1}`);
