/**
 * What the tests of suites ask of a suite: that a scope holds completely and reaches every witness, and that each counterpart breaks what
 * it must. Throws nothing; answers plain values that tests compare.
 */
import type { Counterpart, Suite } from '../drivers/suite.js';
import { isMutant, propertiesOf } from '../drivers/suite.js';
import { build, type Machine, type Scope } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';
import { type ExhaustiveOptions, exploreExhaustively } from './exhaustive.js';
import { exploreTwoRuns } from './noninterference.js';
import { checkProgress } from './progress.js';
import { canonicalizer } from './symmetry.js';

export interface ScopeAnswer {
  readonly verdict: string;
  readonly states: number;
  /** Findings in words: property and why. */
  readonly findings: readonly string[];
  /** Witnesses that no state showed. */
  readonly unreached: readonly string[];
}

function machineOf(s: Suite, scope: Scope, off?: Counterpart['off']): Machine {
  const edits = [...(s.edits ?? []), ...(off !== undefined && isMutant(off) ? off.edits : [])];
  const gatesOff = [...(s.gatesOff ?? []), ...(off !== undefined && !isMutant(off) ? [off] : [])];
  return build(s.machine, { scope, schedule: s.schedule ?? 'whole', failures: s.failures ?? 'none', edits, gatesOff });
}

function optionsOf(s: Suite, m: Machine): ExhaustiveOptions {
  const mayStop = s.mayStop as ExhaustiveOptions['mayStop'];
  return { mayStop, symmetry: s.symmetry ? canonicalizer(m, s.symmetry) : undefined };
}

/** Explores the scope completely with all properties of the suite: invariants, relations, progress and two-run ones. */
export function checkScope(s: Suite, scope: Scope): ScopeAnswer {
  const properties = propertiesOf(s);
  const m = machineOf(s, scope);
  const options = optionsOf(s, m);
  const result = exploreExhaustively(m, { ...options, properties });
  const findings = result.findings.map((f) => `${f.property.id} ${f.property.name}: ${f.why}`);
  const unreached = result.witnesses.filter((w) => !w.reached).map((w) => `${w.property}: ${w.witness}`);
  for (const p of properties) {
    if (p.kind === 'progress') {
      const answer = checkProgress(m, result.progressing.store, p, options.symmetry);
      if (!answer.holds) findings.push(`${p.id} ${p.name}: ${answer.finding?.why ?? ''}`);
      if (answer.pendingStates === 0) unreached.push(`${p.id} ${p.name}: pending`);
    } else if (p.kind === 'noninterference') {
      const answer = exploreTwoRuns(machineOf(s, scope), p);
      if (answer.finding) findings.push(`${p.id} ${p.name}: ${answer.finding.why}`);
      if (answer.differing === 0) unreached.push(`${p.id} ${p.name}: a difference`);
    }
  }
  return { verdict: result.verdict, states: result.states, findings, unreached };
}

/** The shortest breach with the gate off, or the mutant in: number of its steps, and why in words; 0 steps when there is none. */
export function checkCounterpart(s: Suite, c: Counterpart): { readonly steps: number; readonly why: string } {
  const m = machineOf(s, c.scope ?? s.scope.default, c.off);
  const finding = findingOf(s, m, c.breaks);
  return { steps: finding ? finding.trace.length - 1 : 0, why: finding?.why ?? '' };
}

function findingOf(s: Suite, m: Machine, p: AnyProperty) {
  const options = optionsOf(s, m);
  switch (p.kind) {
    case 'noninterference':
      return exploreTwoRuns(m, p).finding;
    case 'progress': {
      const { progressing } = exploreExhaustively(m, { ...options, frameCondition: false });
      return checkProgress(m, progressing.store, p, options.symmetry).finding;
    }
    case 'invariant':
    case 'relation': {
      const checked = { ...options, properties: [p], stopAtFirst: true, frameCondition: false };
      return exploreExhaustively(m, checked).findings[0];
    }
  }
}
