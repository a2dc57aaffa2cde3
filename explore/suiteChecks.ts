/**
 * What the tests of suites ask of a suite: that what it claims to hold does at a scope, completely and with every witness reached; that each
 * counterpart breaks what it must; and that each claim which is expected not to hold is breached by its own faults. Builds machines as
 * campaigns do, with the hardware and the code that the suite says. Answers plain values that tests compare.
 */
import type { Claim, Counterpart, Suite } from '../drivers/suite.js';
import { isMutant, propertiesOf } from '../drivers/suite.js';
import type { Edit, FaultId, Machine, Scope } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';
import { faultsOf } from './campaign/jobs.js';
import { buildAt } from './campaign/loading.js';
import { type ExhaustiveOptions, exploreExhaustively, type Finding } from './exhaustive.js';
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

/** A breach in words: property, why, number of steps, their operations. `steps` is 0 when there is none. */
export interface BreachAnswer {
  readonly property: string;
  readonly why: string;
  readonly steps: number;
  readonly operations: readonly string[];
}

const NO_BREACH: BreachAnswer = { property: '', why: '', steps: 0, operations: [] };

const nameOf = (p: Pick<AnyProperty, 'id' | 'name'>): string => `${p.id} ${p.name}`;

/** The option that has one state stand for those that differ by a permutation, where the suite says so. */
function symmetryOf(s: Suite, m: Machine): Pick<ExhaustiveOptions, 'symmetry'> {
  return { symmetry: s.symmetry ? canonicalizer(m, s.symmetry) : undefined };
}

/** The faults that what is claimed must hold under, as a campaign injects them. */
function faultsClaimed(s: Suite): { readonly faults?: readonly FaultId[] } {
  const known = new Set(s.machine.modules.flatMap((mod) => mod.operations.flatMap((o) => (o.fault ? [o.fault] : []))));
  const faults = faultsOf({ claims: s.claims, faults: [...known] });
  return faults ? { faults } : {};
}

/**
 * Explores the scope completely with the properties of all claims that are expected to hold: invariants, relations, progress and two-run
 * ones. `every` fault that the machine has is injected, so that no counterpart can break by a fault alone; or those that are `claimed`.
 */
export function checkScope(s: Suite, scope: Scope, injected: 'every' | 'claimed' = 'every'): ScopeAnswer {
  const properties = propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
  const more = injected === 'claimed' ? faultsClaimed(s) : {};
  const m = buildAt(s, scope, more);
  const options = { ...symmetryOf(s, m), mayStop: s.mayStop as ExhaustiveOptions['mayStop'] };
  const result = exploreExhaustively(m, { ...options, properties });
  const findings = result.findings.map((f) => `${nameOf(f.property)}: ${f.why}`);
  const unreached = result.witnesses.filter((w) => !w.reached).map((w) => `${w.property}: ${w.witness}`);
  for (const p of properties) {
    if (p.kind === 'progress') {
      const answer = checkProgress(m, result.progressing.store, p, options.symmetry);
      if (!answer.holds) findings.push(`${nameOf(p)}: ${answer.finding?.why ?? ''}`);
      if (answer.pendingStates === 0) unreached.push(`${nameOf(p)}: pending`);
    } else if (p.kind === 'noninterference') {
      const answer = exploreTwoRuns(buildAt(s, scope, more), p);
      if (answer.finding) findings.push(`${nameOf(p)}: ${answer.finding.why}`);
      if (answer.differing === 0) unreached.push(`${nameOf(p)}: a difference`);
    }
  }
  return { verdict: result.verdict, states: result.states, findings, unreached };
}

/** The shortest breach with the gate off, or the mutant in. */
export function checkCounterpart(s: Suite, c: Counterpart): BreachAnswer {
  const off = isMutant(c.off) ? { edits: c.off.edits } : { gatesOff: [c.off] };
  return breachOf(s, buildAt(s, c.scope ?? s.scope.default, off), c.breaks);
}

/** The breaches of a claim that is expected not to hold, one for each property: by its own faults, with everything on that the machine has. */
export function checkBreaches(s: Suite, c: Claim, scope: Scope, edits: readonly Edit[] = []): readonly BreachAnswer[] {
  return c.keeps.map((p) => breachOf(s, buildAt(s, scope, { faults: c.against, edits }), p));
}

/** The first of them, of the claim in these words. @throws RangeError when the suite has no such claim */
export function checkBreach(s: Suite, says: string, scope: Scope, edits: readonly Edit[] = []): BreachAnswer {
  const claim = s.claims.find((c) => c.says === says);
  if (!claim) throw new RangeError(`${s.name} has no claim '${says}'`);
  return checkBreaches(s, claim, scope, edits).find((b) => b.steps > 0) ?? NO_BREACH;
}

function breachOf(s: Suite, m: Machine, p: AnyProperty): BreachAnswer {
  const finding = findingOf(s, m, p);
  if (!finding) return NO_BREACH;
  const operations = finding.trace.slice(1).map((step) => step.operation);
  return { property: nameOf(p), why: finding.why, steps: operations.length, operations };
}

function findingOf(s: Suite, m: Machine, p: AnyProperty): Finding | undefined {
  // Only the property can break: a machine that is stuck, or writes what it did not name, is no breach of it.
  const options = { ...symmetryOf(s, m), mayStop: () => true, frameCondition: false };
  switch (p.kind) {
    case 'noninterference':
      return exploreTwoRuns(m, p).finding;
    case 'progress':
      return checkProgress(m, exploreExhaustively(m, options).progressing.store, p, options.symmetry).finding;
    case 'invariant':
    case 'relation':
      return exploreExhaustively(m, { ...options, properties: [p], stopAtFirst: true }).findings[0];
  }
}
