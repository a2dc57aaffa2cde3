/**
 * Whether a suite notices that its specification was changed: a property that holds breaks, a state that a property must see is no longer
 * reached, a counterpart no longer breaks, or the specification no longer fits together. Each of these fails `verify`.
 */
import { type Counterpart, isMutant, propertiesOf, type Suite } from '../../drivers/suite.js';
import type { Edit, Machine, Scope } from '../../model/kernel/index.js';
import type { AnyProperty } from '../../properties/property.js';
import { buildAt } from '../campaign/loading.js';
import { type ExhaustiveOptions, exploreExhaustively } from '../exhaustive.js';
import { exploreTwoRuns } from '../noninterference.js';
import { checkProgress } from '../progress.js';
import { canonicalizer } from '../symmetry.js';

/** How the suite noticed, or that it did not. */
export interface Judgement {
  readonly killed: boolean;
  /** `I2 count in 3 steps`, or why it is not known. */
  readonly by: string;
}

/** What the suite's own specification reaches in this scope. */
export interface Reached {
  readonly states: number;
  /** Witnesses that are reached, `property: witness`. */
  readonly witnesses: ReadonlySet<string>;
}

/** A changed machine may have more states than this many times those of the unchanged one before it is given up. */
const GROWTH = 4;
const ROOM = 20_000;
/** States that a counterpart may take to break. */
const COUNTERPART_STATES = 20_000;

/** Explores the suite as it is. */
export function reached(s: Suite, scope: Scope): Reached {
  const m = buildAt(s, scope);
  const result = exploreExhaustively(m, { ...optionsOf(s, m), properties: held(s) });
  const witnesses = result.witnesses.filter((w) => w.reached).map((w) => `${w.property}: ${w.witness}`);
  return { states: result.states, witnesses: new Set(witnesses) };
}

/** The properties that the suite claims to hold. */
function held(s: Suite): AnyProperty[] {
  return propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
}

function optionsOf(s: Suite, m: Machine): ExhaustiveOptions {
  return {
    mayStop: s.mayStop as ExhaustiveOptions['mayStop'],
    symmetry: s.symmetry ? canonicalizer(m, s.symmetry) : undefined,
  };
}

/** Explores the suite with the edits in; `before` is what it reaches without them. */
export function judge(s: Suite, scope: Scope, edits: readonly Edit[], before: Reached): Judgement {
  return caught(() => judged(s, scope, edits, before));
}

/** Whether every counterpart of these still breaks with the edits in: a check that has lost its teeth fails the run. */
export function judgeCounterparts(
  s: Suite,
  scope: Scope,
  edits: readonly Edit[],
  counterparts: readonly Counterpart[],
): Judgement {
  return caught(() => {
    for (const c of counterparts) {
      if (!breaks(s, scope, c, edits)) return { killed: true, by: `counterpart holds: ${c.off.name}` };
    }
    return { killed: false, by: '' };
  });
}

/** The counterparts that break in this scope, in few states. Progress and two-run properties take too long and are left out. */
export function quickCounterparts(s: Suite, scope: Scope): Counterpart[] {
  const all = s.claims.flatMap((c) => (c.expects === 'contained' ? c.without : []));
  return all.filter(
    (c) =>
      c.scope === undefined &&
      c.breaks.kind !== 'progress' &&
      c.breaks.kind !== 'noninterference' &&
      breaks(s, scope, c, []),
  );
}

function caught(judging: () => Judgement): Judgement {
  try {
    return judging();
  } catch (thrown) {
    return { killed: true, by: `does not fit together: ${thrown instanceof Error ? thrown.message : 'thrown'}` };
  }
}

/** Whether the counterpart breaks its property. */
function breaks(s: Suite, scope: Scope, c: Counterpart, edits: readonly Edit[]): boolean {
  const off = isMutant(c.off) ? { edits: [...edits, ...c.off.edits] } : { edits, gatesOff: [c.off] };
  const m = buildAt(s, scope, off);
  const result = exploreExhaustively(m, {
    ...optionsOf(s, m),
    properties: [c.breaks],
    stopAtFirst: true,
    frameCondition: false,
    mayStop: () => true,
    maxStates: COUNTERPART_STATES,
  });
  return result.findings.length > 0;
}

function judged(s: Suite, scope: Scope, edits: readonly Edit[], before: Reached): Judgement {
  const properties = held(s);
  const m = buildAt(s, scope, { edits });
  const options = optionsOf(s, m);
  const maxStates = before.states * GROWTH + ROOM;
  const result = exploreExhaustively(m, { ...options, properties, stopAtFirst: true, maxStates });
  const found = result.findings[0];
  if (found) {
    return { killed: true, by: `${found.property.id} ${found.property.name} in ${found.trace.length - 1} steps` };
  }
  if (result.verdict !== 'complete') return { killed: false, by: `not known: more than ${maxStates} states` };
  for (const w of result.witnesses) {
    const name = `${w.property}: ${w.witness}`;
    if (!w.reached && before.witnesses.has(name)) return { killed: true, by: `witness not reached: ${name}` };
  }
  for (const p of properties) {
    if (p.kind === 'progress') {
      const answer = checkProgress(m, result.progressing.store, p, options.symmetry);
      if (!answer.holds) return { killed: true, by: `${p.id} ${p.name} (progress)` };
    } else if (p.kind === 'noninterference') {
      const answer = exploreTwoRuns(buildAt(s, scope, { edits }), p);
      if (answer.finding) return { killed: true, by: `${p.id} ${p.name} in ${answer.finding.trace.length - 1} steps` };
    }
  }
  return { killed: false, by: '' };
}
