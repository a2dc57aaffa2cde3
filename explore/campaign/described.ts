/**
 * Suites as plain data: what the main thread knows of them. Suites hold functions, which cannot cross threads, and a suite's module may
 * hang while it loads; so only workers load them.
 */
import type { FaultId, Scope } from '../../model/kernel/index.js';
import type { AnyProperty } from '../../properties/property.js';

/** Where a suite comes from: the package itself, or a module of the user's. */
export type SuiteSource = { readonly kind: 'embedded' } | { readonly kind: 'module'; readonly path: string };

export interface PropertyDescription {
  readonly id: string;
  readonly name: string;
  readonly states: string;
  readonly kind: AnyProperty['kind'];
  readonly witnesses: readonly string[];
}

export interface CounterpartDescription {
  /** Name of the gate that is off, or of the mutant that is in. */
  readonly off: string;
  readonly kind: 'gate' | 'mutant';
  /** What is wrong, for a mutant. */
  readonly says: string;
  /** Advisory, commit or paper, for a mutant. */
  readonly source: string;
  readonly breaks: { readonly id: string; readonly name: string; readonly kind: AnyProperty['kind'] };
  readonly scope: Scope | undefined;
}

export interface ClaimDescription {
  readonly says: string;
  readonly expects: 'contained' | 'not contained';
  readonly keeps: readonly PropertyDescription[];
  readonly against: readonly FaultId[];
  readonly without: readonly CounterpartDescription[];
}

export interface SuiteDescription {
  readonly source: SuiteSource;
  readonly name: string;
  readonly title: string;
  readonly schedule: 'whole' | 'split';
  readonly failures: 'none' | 'any';
  readonly scopes: Readonly<Record<string, Scope>>;
  readonly claims: readonly ClaimDescription[];
  readonly assumptions: readonly string[];
  readonly randomSteps: number;
  /** Fault classes that the machine has operations for. */
  readonly faults: readonly string[];
  /** Number of its operations. */
  readonly operations: number;
  /** Bytes of one state, at the default scope. */
  readonly stateBytes: number;
  /** States within a few steps, at the default scope: tells quick suites from long ones. */
  readonly glance: number;
}

/** How a property is called in reports: `I1 reach`. */
export function propertyKey(p: { readonly id: string; readonly name: string }): string {
  return `${p.id} ${p.name}`;
}
