/**
 * What the tests of architectures ask of a suite, beside suiteChecks.ts: that the claims which are expected to hold do, under every fault
 * that the machine has (so that no counterpart can break by a fault alone), and that each claim which is expected not to hold is breached
 * by its own faults. Builds machines as campaigns do, with the hardware and the code that the suite says.
 */
import { type Counterpart, isMutant, propertiesOf, type Suite } from '../drivers/suite.js';
import type { Edit, Machine, Scope } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';
import { buildAt } from './campaign/loading.js';
import { type ExhaustiveOptions, exploreExhaustively, type Finding } from './exhaustive.js';
import { exploreTwoRuns } from './noninterference.js';
import { checkProgress } from './progress.js';
import type { ScopeAnswer } from './suiteChecks.js';

/** A breach in words: property, number of steps, the trace. `steps` is 0 when there is none. */
export interface BreachAnswer {
  readonly property: string;
  readonly steps: number;
  readonly operations: readonly string[];
}

const NONE_FOUND: BreachAnswer = { property: '', steps: 0, operations: [] };

/** Explores the scope with the properties of all claims that are expected to hold, with every fault. */
export function checkContained(s: Suite, scope: Scope): ScopeAnswer {
  const properties = propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
  const m = buildAt(s, scope);
  const result = exploreExhaustively(m, { mayStop: s.mayStop as ExhaustiveOptions['mayStop'], properties });
  const findings = result.findings.map((f) => `${f.property.id} ${f.property.name}: ${f.why}`);
  const unreached = result.witnesses.filter((w) => !w.reached).map((w) => `${w.property}: ${w.witness}`);
  for (const p of properties) {
    const name = `${p.id} ${p.name}`;
    if (p.kind === 'progress') {
      const answer = checkProgress(m, result.progressing.store, p);
      if (!answer.holds) findings.push(`${name}: ${answer.finding?.why ?? ''}`);
      if (answer.pendingStates === 0) unreached.push(`${name}: pending`);
    } else if (p.kind === 'noninterference') {
      const answer = exploreTwoRuns(buildAt(s, scope), p);
      if (answer.finding) findings.push(`${name}: ${answer.finding.why}`);
      if (answer.differing === 0) unreached.push(`${name}: a difference`);
    }
  }
  return { verdict: result.verdict, states: result.states, findings, unreached };
}

/** The breach of a claim that is expected not to hold: by its own faults, with everything on that the suite's machine has. */
export function checkBreach(s: Suite, says: string, scope: Scope, edits: readonly Edit[] = []): BreachAnswer {
  const claim = s.claims.find((c) => c.says === says);
  if (!claim) throw new RangeError(`${s.name} has no claim '${says}'`);
  return firstBreach(buildAt(s, scope, { faults: claim.against, edits }), claim.keeps);
}

/** The breach with a gate off, or a mutant in. */
export function checkOff(s: Suite, c: Counterpart): BreachAnswer {
  const off = isMutant(c.off) ? { edits: c.off.edits } : { gatesOff: [c.off] };
  return firstBreach(buildAt(s, c.scope ?? s.scope.default, off), [c.breaks]);
}

function firstBreach(m: Machine, properties: readonly AnyProperty[]): BreachAnswer {
  for (const p of properties) {
    const finding = findingOf(m, p);
    if (!finding) continue;
    const operations = finding.trace.slice(1).map((step) => step.operation);
    return { property: `${p.id} ${p.name}`, steps: operations.length, operations };
  }
  return NONE_FOUND;
}

function findingOf(m: Machine, p: AnyProperty): Finding | undefined {
  if (p.kind === 'noninterference') return exploreTwoRuns(m, p).finding;
  const { findings, progressing } = exploreExhaustively(m, {
    properties: [p],
    mayStop: () => true,
    stopAtFirst: true,
    frameCondition: false,
  });
  return p.kind === 'progress' ? checkProgress(m, progressing.store, p).finding : findings[0];
}
