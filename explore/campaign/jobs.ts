/**
 * Jobs: the runs that a suite's claims need, as plain data that crosses threads. A job names its suite; the worker loads it.
 */
import type { Claim } from '../../drivers/suite.js';
import type { FaultId, Scope } from '../../model/kernel/index.js';
import type { SuiteDescription, SuiteSource } from './described.js';
import type { ExhaustiveAnswer } from './results.js';

interface JobBase {
  /** Unique in a campaign, and the order of reports. */
  readonly id: string;
  readonly source: SuiteSource;
  readonly suite: string;
  readonly scope: Scope;
}

/** Gates on, every invariant, relation and progress property, the frame condition and deadlock. */
export interface ExhaustiveJob extends JobBase {
  readonly kind: 'exhaustive';
  /** Fault classes to inject, where not all. */
  readonly faults: readonly FaultId[] | undefined;
  /** File to go on from, and to write when the run is interrupted. */
  readonly checkpoint: string | undefined;
  readonly resume: boolean;
}

/** The same, while the n-th failure site passed by each operation fails. */
export interface FailNthJob extends JobBase {
  readonly kind: 'fail-nth';
  readonly nth: number;
  /** Whether a run for the next n follows when this one hits a site: the number of sites is not known. */
  readonly open: boolean;
  readonly faults: readonly FaultId[] | undefined;
}

/** One two-run property. */
export interface TwoRunJob extends JobBase {
  readonly kind: 'two-run';
  /** Key of the property: `I8 silence`. */
  readonly property: string;
  readonly faults: readonly FaultId[] | undefined;
}

/** A claim that is expected not to hold: with all gates on, under its own faults, a property must break. */
export interface BreachJob extends JobBase {
  readonly kind: 'breach';
  readonly claim: number;
}

/** One gate off, or one mutant in: the named property must break. */
export interface CounterpartJob extends JobBase {
  readonly kind: 'counterpart';
  readonly claim: number;
  readonly without: number;
}

/** Random runs with all gates on. */
export interface RandomJob extends JobBase {
  readonly kind: 'random';
  readonly faults: readonly FaultId[] | undefined;
  readonly runs: number;
  readonly steps: number;
  readonly seed: number;
  readonly timeMs: number;
}

/** Random runs with one gate off: they must find the breach too. */
export interface RandomCounterpartJob extends JobBase {
  readonly kind: 'random-counterpart';
  readonly claim: number;
  readonly without: number;
  readonly steps: number;
  readonly seed: number;
  readonly timeMs: number;
}

/** Describe the suites of a source. */
export interface DescribeJob {
  readonly kind: 'describe';
  readonly id: string;
  readonly source: SuiteSource;
}

/** Tell a trace again, step by step. */
export interface ReplayJob {
  readonly kind: 'replay';
  readonly id: string;
  readonly source: SuiteSource;
  /** Text of the trace file. */
  readonly trace: string;
}

export type SuiteJob =
  | ExhaustiveJob
  | FailNthJob
  | TwoRunJob
  | BreachJob
  | CounterpartJob
  | RandomJob
  | RandomCounterpartJob;
export type Job = SuiteJob | DescribeJob | ReplayJob;

/** How large the random part is, and where it starts. */
export interface RandomBudget {
  readonly runs: number;
  readonly seed: number;
}

/** Longest that random runs with all gates on may take, for one suite. */
const RANDOM_MS = 10_000;
/** Longest that random runs may take to find one gate-off breach: three times what the hardest takes on a machine that does nothing else. */
const RANDOM_COUNTERPART_MS = 30_000;

/**
 * The fault classes that the claims expected to hold are tested under: all, unless a class is only named by claims that are
 * expected not to hold.
 */
export function faultsOf(s: {
  readonly claims: readonly Pick<Claim, 'expects' | 'against'>[];
  readonly faults: readonly string[];
}): readonly FaultId[] | undefined {
  const contained = new Set(s.claims.filter((c) => c.expects === 'contained').flatMap((c) => c.against));
  const open = s.claims.filter((c) => c.expects === 'not contained').flatMap((c) => c.against);
  const left = open.filter((f) => !contained.has(f));
  return left.length === 0 ? undefined : (s.faults as readonly FaultId[]).filter((f) => !left.includes(f));
}

/** The first job of a suite, and then those that follow from its claims. */
export function planJobs(
  s: SuiteDescription,
  scope: Scope,
  scopeIsDefault: boolean,
  random: RandomBudget,
  checkpoint: { readonly file: string; readonly resume: boolean } | undefined,
): SuiteJob[] {
  const base = { source: s.source, suite: s.name, scope };
  const faults = faultsOf(s);
  const jobs: SuiteJob[] = [];
  const add = (job: SuiteJob): number => jobs.push(job);
  const contained = s.claims.some((c) => c.expects === 'contained');
  if (contained) {
    const saved = { checkpoint: checkpoint?.file, resume: checkpoint?.resume ?? false };
    add({ ...base, kind: 'exhaustive', id: `${s.name}/exhaustive`, faults, ...saved });
  }
  const twoRun = s.claims
    .filter((c) => c.expects === 'contained')
    .flatMap((c) => c.keeps.filter((p) => p.kind === 'noninterference'));
  for (const key of new Set(twoRun.map((p) => `${p.id} ${p.name}`))) {
    add({ ...base, kind: 'two-run', id: `${s.name}/two-run/${key}`, property: key, faults });
  }
  s.claims.forEach((c, claim) => {
    if (c.expects === 'not contained') add({ ...base, kind: 'breach', id: `${s.name}/breach/${claim}`, claim });
    c.without.forEach((w, without) => {
      const at = scopeIsDefault ? (w.scope ?? scope) : scope;
      add({ ...base, scope: at, kind: 'counterpart', id: `${s.name}/counterpart/${claim}/${without}`, claim, without });
    });
  });
  const { randomSteps: steps } = s;
  if (contained && random.runs > 0) {
    const { runs, seed } = random;
    add({ ...base, kind: 'random', id: `${s.name}/random`, faults, steps, runs, seed, timeMs: RANDOM_MS });
  }
  s.claims.forEach((c, claim) => {
    c.without.forEach((w, without) => {
      const sampled = w.breaks.kind === 'invariant' || w.breaks.kind === 'relation';
      if (!sampled || random.runs === 0) return;
      const at = scopeIsDefault ? (w.scope ?? scope) : scope;
      const id = `${s.name}/random-counterpart/${claim}/${without}`;
      const more = { steps, seed: random.seed, timeMs: RANDOM_COUNTERPART_MS };
      add({ ...base, scope: at, kind: 'random-counterpart', id, claim, without, ...more });
    });
  });
  return jobs;
}

/**
 * The fail-nth runs that follow from an answer. The run in which nothing fails tells how many sites an operation passes at most, and so
 * for which n there is an n-th one to fail: a run for a larger n would be that run again. Where it cannot tell (it went on from a
 * checkpoint, or a split operation goes round a loop), there is one run after the other until one hits nothing.
 */
export function failNthJobs(job: ExhaustiveJob | FailNthJob, answer: ExhaustiveAnswer): FailNthJob[] {
  if (answer.verdict !== 'complete') return [];
  const { source, suite, scope, faults } = job;
  const make = (nth: number, open: boolean): FailNthJob => ({
    kind: 'fail-nth',
    id: `${suite}/fail-nth/${nth}`,
    ...{ source, suite, scope, faults, nth, open },
  });
  if (job.kind === 'fail-nth') {
    return job.open && answer.sites.some((s) => s.failed > 0) ? [make(job.nth + 1, true)] : [];
  }
  if (answer.resumed || !Number.isFinite(answer.mostSites)) return answer.sites.length > 0 ? [make(1, true)] : [];
  return Array.from({ length: answer.mostSites }, (_, i) => make(i + 1, false));
}

/** Whether the claim's verdict needs the job. */
export function concerns(job: SuiteJob, s: SuiteDescription, claim: number): boolean {
  const c = s.claims[claim];
  if (!c) return false;
  switch (job.kind) {
    case 'exhaustive':
    case 'fail-nth':
    case 'random':
      return c.expects === 'contained';
    case 'two-run':
      return c.expects === 'contained' && c.keeps.some((p) => `${p.id} ${p.name}` === job.property);
    case 'breach':
    case 'counterpart':
    case 'random-counterpart':
      return job.claim === claim;
  }
}
