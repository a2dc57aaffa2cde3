/** Runs of an architecture's suites for its tests: with the faults that its claims are expected to hold under, and until a claim breaks. */
import type { Claim, Counterpart, Suite } from '../drivers/suite.js';
import { isMutant } from '../drivers/suite.js';
import { build, type Machine, type MachineOptions, type Scope } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { exploreTwoRuns } from './noninterference.js';
import { checkProgress } from './progress.js';

const isHeld = (c: Claim): boolean => c.expects === 'contained';

/** The machine of a suite with its own gates and edits, and a counterpart's. */
function machineOf(s: Suite, scope: Scope, more: Partial<MachineOptions>, off?: Counterpart['off']): Machine {
  const gatesOff = [...(s.gatesOff ?? []), ...(off && !isMutant(off) ? [off] : [])];
  const edits = [...(s.edits ?? []), ...(off && isMutant(off) ? off.edits : [])];
  return build(s.machine, { schedule: s.schedule ?? 'whole', ...more, scope, gatesOff, edits });
}

/** Fault classes of the run that must hold: all but those that only claims name which are expected not to hold. */
function faultsHeld(s: Suite): readonly string[] {
  const held = new Set<string>(s.claims.filter(isHeld).flatMap((c) => c.against));
  const open = new Set<string>(s.claims.filter((c) => !isHeld(c)).flatMap((c) => c.against));
  const all = machineOf(s, s.scope.default, {}).operations.flatMap((o) => (o.op.fault ? [o.op.fault] : []));
  return [...new Set<string>(all)].filter((f) => held.has(f) || !open.has(f));
}

/** Explores a scope completely with what the suite claims to hold. */
export function holdsAt(
  s: Suite,
  scope: Scope,
): { verdict: string; states: number; broken: string[]; unreached: string[] } {
  const faults = faultsHeld(s);
  const m = machineOf(s, scope, { faults });
  const properties = [...new Set(s.claims.filter(isHeld).flatMap((c) => c.keeps))];
  const result = exploreExhaustively(m, { properties, mayStop: () => true });
  const broken = result.findings.map((f) => `${f.property.id} ${f.property.name}: ${f.why}`);
  const unreached = result.witnesses.filter((w) => !w.reached).map((w) => `${w.property}: ${w.witness}`);
  for (const p of properties) {
    const name = `${p.id} ${p.name}`;
    if (p.kind === 'progress' && !checkProgress(m, result.progressing.store, p).holds) broken.push(name);
    if (p.kind !== 'noninterference') continue;
    const runs = exploreTwoRuns(machineOf(s, scope, { faults }), p);
    if (runs.finding) broken.push(name);
    if (runs.differing === 0) unreached.push(`${name}: a difference`);
  }
  return { verdict: result.verdict, states: result.states, broken, unreached };
}

/** Steps to the breach of a property, or 0 when it holds. */
function stepsToBreach(m: Machine, p: AnyProperty): number {
  const options = { frameCondition: false, mayStop: () => true };
  if (p.kind === 'noninterference') return (exploreTwoRuns(m, p).finding?.trace.length ?? 1) - 1;
  if (p.kind === 'progress') {
    const { progressing } = exploreExhaustively(m, options);
    return (checkProgress(m, progressing.store, p).finding?.trace.length ?? 1) - 1;
  }
  const [finding] = exploreExhaustively(m, { ...options, properties: [p], stopAtFirst: true }).findings;
  return finding ? finding.trace.length - 1 : 0;
}

/** Every counterpart of a suite, with the steps that it takes to break what it must. */
export function counterpartsOf(s: Suite): { readonly name: string; readonly steps: number }[] {
  return s.claims.filter(isHeld).flatMap((c) =>
    c.without.map((w) => ({
      name: `without ${w.off.name}: ${w.breaks.id} ${w.breaks.name}`,
      steps: stepsToBreach(machineOf(s, w.scope ?? s.scope.default, {}, w.off), w.breaks),
    })),
  );
}

/** Every claim that is expected not to hold, with the steps to its breach under its own faults. */
export function breachesOf(s: Suite): { readonly name: string; readonly steps: number }[] {
  return s.claims
    .filter((c) => !isHeld(c))
    .flatMap((c) =>
      c.keeps.map((p) => ({
        name: c.says,
        steps: stepsToBreach(machineOf(s, s.scope.default, { faults: c.against }), p),
      })),
    );
}
