/**
 * The sweep of generated mutants over suites: each mutant is tried in the suites whose machine has the operation, the quickest first,
 * until one notices it. What nobody notices needs a reason (it is equivalent, or beyond the claims), kept in a file that this checks.
 */
import type { Counterpart, Suite } from '../../drivers/suite.js';
import type { Scope } from '../../model/kernel/index.js';
import { buildAt } from '../campaign/loading.js';
import { type GeneratedMutant, generatedMutants } from './generated.js';
import { type Judgement, judge, judgeCounterparts, quickCounterparts, type Reached, reached } from './judge.js';

/** What is known of the mutants: who noticed, and why the others survive. */
export interface SweepFile {
  /** Mutant: `suite: how it noticed`. */
  readonly killed: Readonly<Record<string, string>>;
  /** Mutant: the reason. */
  readonly survivors: Readonly<Record<string, string>>;
  /** Mutants that no run has come to yet. */
  readonly untried: readonly string[];
}

/** A mutant with the suites that have its operation. */
export interface Target {
  readonly name: string;
  /** It is an order of steps, and no suite splits the operation: nobody sees the state between two steps, and failures undo everything. */
  readonly unseen: boolean;
  readonly suites: readonly { readonly suite: Suite; readonly mutant: GeneratedMutant }[];
}

/** Every mutant of the suites, in the order in which operations come. */
export function targetsOf(suites: readonly Suite[]): Target[] {
  const targets = new Map<string, { unseen: boolean; suites: { suite: Suite; mutant: GeneratedMutant }[] }>();
  for (const suite of suites) {
    const split = new Set(buildAt(suite, scopeOf(suite)).operations.flatMap((o) => (o.split ? [o.op.name] : [])));
    for (const mutant of generatedMutants(suite)) {
      const known = targets.get(mutant.name) ?? { unseen: mutant.kind === 'order', suites: [] };
      known.suites.push({ suite, mutant });
      if (split.has(mutant.operation)) known.unseen = false;
      targets.set(mutant.name, known);
    }
  }
  return [...targets].map(([name, t]) => ({ name, ...t }));
}

/** The scope that the sweep explores. */
const scopeOf = (s: Suite): Scope => s.scope.small ?? s.scope.default;

/** The scopes that counterparts of the suite ask for: some operations need more than the small one to show what they do. */
function otherScopes(s: Suite): Scope[] {
  return [...new Set(s.claims.flatMap((c) => c.without.flatMap((w) => (w.scope ? [w.scope] : []))))];
}

/** So many suites, the quickest, are asked with their counterparts before any other is asked at all. */
const SUITES = 6;

/** Tries mutants; remembers what each suite reaches by itself. */
export class Sweep {
  private readonly before = new Map<Suite, Map<Scope, Reached>>();
  private readonly counterparts = new Map<Suite, readonly Counterpart[]>();

  private reachedBy(s: Suite, scope = scopeOf(s)): Reached {
    const ofSuite = this.before.get(s) ?? new Map<Scope, Reached>();
    this.before.set(s, ofSuite);
    const known = ofSuite.get(scope);
    if (known) return known;
    const found = reached(s, scope);
    ofSuite.set(scope, found);
    return found;
  }

  private counterpartsOf(s: Suite): readonly Counterpart[] {
    const known = this.counterparts.get(s);
    if (known) return known;
    const found = quickCounterparts(s, scopeOf(s));
    this.counterparts.set(s, found);
    return found;
  }

  /** @param hint what was known before: its suite is asked first */
  try(target: Target, hint = ''): Judgement {
    const first = hint.slice(0, hint.indexOf(':'));
    const all = target.suites
      .map((x) => ({ ...x, before: this.reachedBy(x.suite) }))
      .sort((a, b) => rank(a.suite, first, a.before) - rank(b.suite, first, b.before));
    const order = all.slice(0, SUITES);
    const doubts: string[] = [];
    for (const { suite, mutant, before } of order) {
      const answer = judge(suite, scopeOf(suite), mutant.edits, before);
      if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
      if (answer.by !== '') doubts.push(`${suite.name}: ${answer.by}`);
    }
    for (const { suite, mutant } of order) {
      const answer = judgeCounterparts(suite, scopeOf(suite), mutant.edits, this.counterpartsOf(suite));
      if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
    }
    // What nobody has noticed so far is worth the time of the other suites.
    for (const { suite, mutant, before } of all.slice(SUITES)) {
      const answer = judge(suite, scopeOf(suite), mutant.edits, before);
      if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
      if (answer.by !== '') doubts.push(`${suite.name}: ${answer.by}`);
    }
    // A scope that a counterpart asks for is there for what is rarely reached: no suite is left out.
    for (const { suite, mutant } of all) {
      for (const scope of otherScopes(suite)) {
        const answer = judge(suite, scope, mutant.edits, this.reachedBy(suite, scope));
        if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
      }
    }
    return { killed: false, by: doubts.join('; ') };
  }
}

const rank = (s: Suite, first: string, before: Reached): number => (s.name === first ? 0 : before.states);
