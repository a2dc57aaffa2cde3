/**
 * Suites: a machine, its scopes, its faults and its claims. A suite reads as a table of contents; explorers and reports take it from here.
 */
import type { AnyGuard, Edit, FaultId, Gate, MachineDef, Scope, Sort } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';

/** A named edit of the specification that must be found. */
export interface Mutant {
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly says: string;
  /** Advisory, commit, paper. */
  readonly source: string;
  readonly edits: readonly Edit[];
}

/** Declares a mutant. */
export function mutant(name: string, def: Omit<Mutant, 'name'>): Mutant {
  return { name, ...def };
}

/** What shows that a claim's check has teeth: with this gate off, or this mutant in, this property must break. */
export interface Counterpart {
  readonly off: Gate | Mutant;
  readonly breaks: AnyProperty;
  /** Scope of the counterpart's run, where a smaller one suffices. */
  readonly scope?: Scope;
}

export type Expectation = 'contained' | 'not contained';

export interface Claim {
  /** The isolation claim, as a sentence. */
  readonly says: string;
  readonly keeps: readonly AnyProperty[];
  /** Fault classes injected against it. A claim that is expected not to hold is about the first; others set the stage for its breach. */
  readonly against: readonly FaultId[];
  /** Gates and mutants; each must break a property of the claim. */
  readonly without: readonly Counterpart[];
  /** `not contained`: the architecture does not claim it, and a property must break with all gates on. */
  readonly expects: Expectation;
}

/** Declares a claim; without `expects` it is expected to be contained. */
export function claim(says: string, def: Omit<Claim, 'says' | 'expects'> & { readonly expects?: Expectation }): Claim {
  return { expects: 'contained', ...def, says };
}

export interface SuiteDef {
  /** One sentence: which machine, under which attack. */
  readonly title: string;
  readonly machine: MachineDef;
  /** Named scopes; `default` is what `verify` uses. */
  readonly scope: Readonly<Record<string, Scope>> & { readonly default: Scope };
  readonly schedule?: 'whole' | 'split';
  readonly failures?: 'none' | 'any';
  /** Gates that this machine does not have: the hardware of an earlier year. They are off in every run of the suite. */
  readonly gatesOff?: readonly Gate[];
  /** Edits that belong to this reading of the architecture: the code as published, with its gaps. They are in every run of the suite. */
  readonly edits?: readonly Edit[];
  readonly claims: readonly Claim[];
  /** States in which nothing need be enabled. */
  readonly mayStop?: AnyGuard;
  /** Explore only one of the states that differ by a permutation of this sort. */
  readonly symmetry?: Sort;
  /** Leave out orders of independent operations. */
  readonly reduction?: boolean;
  /** What is stubbed, scoped, trusted or atomic; printed with the report. */
  readonly assumptions: readonly string[];
  /** Steps a random run may take. */
  readonly randomSteps?: number;
}

export interface Suite extends SuiteDef {
  readonly name: string;
}

/** Declares a suite. */
export function suite(name: string, def: SuiteDef): Suite {
  return { name, ...def };
}

/** All distinct properties of a suite, in the order of its claims. */
export function propertiesOf(s: Suite): AnyProperty[] {
  return [...new Set(s.claims.flatMap((c) => c.keeps))];
}

/** Whether a counterpart is a mutant (an edit) and not a gate. */
export function isMutant(off: Gate | Mutant): off is Mutant {
  return 'edits' in off;
}
