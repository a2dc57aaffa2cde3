/**
 * The sweep of generated mutants over suites: each mutant is tried in every suite whose machine has the operation, the quickest first,
 * until one notices it. What nobody notices needs a reason (it is equivalent, or beyond the claims), kept in a file that this checks.
 */
import type { Counterpart, Suite } from '../../drivers/suite.js';
import type { Scope } from '../../model/kernel/index.js';
import { type GeneratedMutant, generatedMutants } from './generated.js';
import { type Judgement, judge, judgeCounterparts, quickCounterparts, type Reached, reached } from './judge.js';

/** What is known of the mutants: who noticed, and why the others survive. */
export interface SweepFile {
  /** Mutant: `suite: how it noticed`. */
  readonly killed: Readonly<Record<string, string>>;
  /** Mutant: the reason. */
  readonly survivors: Readonly<Record<string, string>>;
}

/** A mutant with the suites that have its operation. */
export interface Target {
  readonly name: string;
  readonly suites: readonly { readonly suite: Suite; readonly mutant: GeneratedMutant }[];
}

/** Every mutant of the suites, in the order in which operations come. */
export function targetsOf(suites: readonly Suite[]): Target[] {
  const targets = new Map<string, { suite: Suite; mutant: GeneratedMutant }[]>();
  for (const s of suites) {
    for (const m of generatedMutants(s)) {
      const known = targets.get(m.name);
      if (known) known.push({ suite: s, mutant: m });
      else targets.set(m.name, [{ suite: s, mutant: m }]);
    }
  }
  return [...targets].map(([name, found]) => ({ name, suites: found }));
}

/** Tries mutants; remembers what each suite reaches by itself. */
export class Sweep {
  private readonly before = new Map<Suite, Reached>();
  private readonly counterparts = new Map<Suite, readonly Counterpart[]>();

  /** The scope that the sweep explores. */
  private scopeOf(s: Suite): Scope {
    return s.scope.small ?? s.scope.default;
  }

  private reachedBy(s: Suite): Reached {
    const known = this.before.get(s);
    if (known) return known;
    const found = reached(s, this.scopeOf(s));
    this.before.set(s, found);
    return found;
  }

  private counterpartsOf(s: Suite): readonly Counterpart[] {
    const known = this.counterparts.get(s);
    if (known) return known;
    const found = quickCounterparts(s, this.scopeOf(s));
    this.counterparts.set(s, found);
    return found;
  }

  /** @param hint what was known before: its suite is asked first */
  try(target: Target, hint = ''): Judgement {
    const first = hint.slice(0, hint.indexOf(':'));
    const order = target.suites
      .map((x) => ({ ...x, before: this.reachedBy(x.suite) }))
      .sort((a, b) => rank(a.suite, first, a.before) - rank(b.suite, first, b.before));
    const doubts: string[] = [];
    for (const { suite, mutant, before } of order) {
      const answer = judge(suite, this.scopeOf(suite), mutant.edits, before);
      if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
      if (answer.by !== '') doubts.push(`${suite.name}: ${answer.by}`);
    }
    for (const { suite, mutant } of order) {
      const answer = judgeCounterparts(suite, this.scopeOf(suite), mutant.edits, this.counterpartsOf(suite));
      if (answer.killed) return { killed: true, by: `${suite.name}: ${answer.by}` };
    }
    return { killed: false, by: doubts.join('; ') };
  }
}

const rank = (s: Suite, first: string, before: Reached): number => (s.name === first ? 0 : before.states);
