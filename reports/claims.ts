/**
 * From answers to claims: what each claim is worth. `proved within scope` is said only of complete runs in which every witness was reached,
 * nothing broke, and every counterpart broke.
 */
import type { SuiteRun } from '../explore/campaign/campaign.js';
import { type ClaimDescription, propertyKey } from '../explore/campaign/described.js';
import { concerns, type SuiteJob } from '../explore/campaign/jobs.js';
import {
  type Answer,
  type BrokenAnswer,
  type ExhaustiveAnswer,
  lengthOf,
  type OperationCount,
  type PlainFinding,
  type RandomAnswer,
  type TwoRunAnswer,
} from '../explore/campaign/results.js';
import { counted } from './text.js';
import { traceName } from './traces.js';

/** Longest way to a gate-off breach that a claim may need. */
export const MAX_COUNTERPART_LENGTH = 8;

export type ClaimVerdict =
  | 'proved within scope'
  | 'sampled'
  | 'not exercised'
  /** A property broke that should hold, or a counterpart held that should break. */
  | 'broken'
  /** Expected not to hold, and found so. */
  | 'not contained'
  | 'error';

export interface CounterpartReport {
  readonly off: string;
  readonly kind: 'gate' | 'mutant';
  readonly says: string;
  readonly source: string;
  readonly breaks: string;
  /** It broke as it must; `open` when the run did not end. */
  readonly outcome: 'broke' | 'held' | 'open';
  /** Steps to the breach, or null. */
  readonly length: number | null;
  readonly minimal: boolean;
  readonly trace: string | null;
  /** What random runs made of it (runs until it was found: without a breach their number is a matter of time); null when they were not asked, or cannot tell (progress, two runs). */
  readonly random: {
    readonly found: boolean;
    readonly shrunkLength: number | null;
    readonly runs: number | null;
  } | null;
}

export interface ClaimReport {
  readonly says: string;
  readonly expects: 'contained' | 'not contained';
  readonly verdict: ClaimVerdict;
  /** Why the verdict is not better. */
  readonly because: readonly string[];
  /** Kinds of evidence that there is. */
  readonly evidence: readonly Evidence[];
  readonly properties: readonly string[];
  readonly against: readonly string[];
  readonly counterparts: readonly CounterpartReport[];
  /** Witnesses that no run reached. */
  readonly missingWitnesses: readonly string[];
  /** Witnesses that a run reached. */
  readonly reachedWitnesses: readonly string[];
  /** The shortest breach of a claim that is expected not to hold. */
  readonly breach: BreachReport | null;
}

export interface BreachReport {
  readonly property: string;
  readonly why: string;
  readonly length: number;
  readonly minimal: boolean;
  /** File name in traces/. */
  readonly trace: string;
  /** How often the run that found it injected which fault class. */
  readonly injected?: Readonly<Record<string, number>>;
}

export type Evidence =
  | 'exhaustive'
  | 'progress'
  | 'two runs'
  | 'fail-nth'
  | 'random'
  | 'gate off'
  | 'mutant'
  | 'breach';

const isExhaustive = (a: Answer | undefined): a is ExhaustiveAnswer =>
  a?.kind === 'exhaustive' || a?.kind === 'fail-nth';
const isRandom = (a: Answer | undefined): a is RandomAnswer => a?.kind === 'random' || a?.kind === 'random-counterpart';
const isBroken = (a: Answer | undefined): a is BrokenAnswer => a?.kind === 'counterpart' || a?.kind === 'breach';
const isTwoRun = (a: Answer | undefined): a is TwoRunAnswer => a?.kind === 'two-run';

/** Jobs that the claim's verdict needs. */
export function jobsOf(run: SuiteRun, claim: number): SuiteJob[] {
  return run.jobs.filter((j) => concerns(j, run.chosen.suite, claim));
}

/** Whether all of them are answered. */
export function isSettled(run: SuiteRun, claim: number): boolean {
  return jobsOf(run, claim).every((j) => run.answers.has(j.id));
}

/** What the claim is worth, from the answers that there are. */
export function settle(run: SuiteRun, claim: number): ClaimReport {
  const c = run.chosen.suite.claims[claim];
  if (!c) throw new RangeError(`${run.chosen.suite.name} has no claim ${claim}`);
  const answers = jobsOf(run, claim).map((j) => run.answers.get(j.id));
  const counterparts = c.without.map((_, i) => counterpart(run, claim, i));
  const common = {
    says: c.says,
    expects: c.expects,
    properties: c.keeps.map(propertyKey),
    against: c.against,
    counterparts,
    evidence: evidenceOf(answers, c, counterparts),
  };
  const failed = answers.find((a) => a?.kind === 'error');
  if (failed?.kind === 'error') {
    return {
      ...common,
      verdict: 'error',
      because: [`${failed.code}: ${failed.says}`],
      missingWitnesses: [],
      reachedWitnesses: [],
      breach: null,
    };
  }
  if (c.expects === 'not contained')
    return {
      ...common,
      ...openClaim(answers),
      missingWitnesses: [],
      reachedWitnesses: [],
      breach: breachOf(run.chosen.suite.name, answers),
    };
  const settled = containedClaim(c, answers, counterparts);
  const missing = new Set(settled.missingWitnesses);
  return { ...common, ...settled, reachedWitnesses: witnessesOf(c).filter((w) => !missing.has(w)), breach: null };
}

function breachOf(suite: string, answers: readonly (Answer | undefined)[]): BreachReport | null {
  const answer = answers.find((a): a is BrokenAnswer => a?.kind === 'breach');
  const found = answer?.finding;
  if (!found) return null;
  const injected: Record<string, number> = {};
  for (const o of answer.operations) {
    const n = timesDone(o);
    if (o.fault !== '' && n > 0) injected[o.fault] = (injected[o.fault] ?? 0) + n;
  }
  return {
    property: propertyKey(found.property),
    why: found.why,
    length: lengthOf(found),
    minimal: found.minimal,
    trace: traceName(suite, found),
    injected,
  };
}

/** How often an operation was carried out, however it ended. */
function timesDone(o: OperationCount): number {
  return [o.refused, o.blocked].reduce((n, by) => Object.values(by).reduce((m, k) => m + k, n), o.ok);
}

function openClaim(answers: readonly (Answer | undefined)[]): Pick<ClaimReport, 'verdict' | 'because'> {
  const breach = answers.find((a): a is BrokenAnswer => a?.kind === 'breach');
  if (!breach) return { verdict: 'not exercised', because: ['the run did not take place'] };
  if (breach.finding)
    return { verdict: 'not contained', because: [`${propertyKey(breach.finding.property)} breaks, as expected`] };
  if (breach.verdict === 'truncated')
    return { verdict: 'not exercised', because: [`cut short by ${breach.truncatedBy}`] };
  return {
    verdict: 'broken',
    because: ['expected not to be contained, but no property breaks: the expectation is out of date'],
  };
}

function containedClaim(
  c: ClaimDescription,
  answers: readonly (Answer | undefined)[],
  counterparts: readonly CounterpartReport[],
): Pick<ClaimReport, 'verdict' | 'because' | 'missingWitnesses'> {
  const keys = new Set(c.keeps.map(propertyKey));
  const mine = (f: PlainFinding): boolean => keys.has(propertyKey(f.property));
  const broken = new Set<string>();
  for (const a of answers) {
    if (isExhaustive(a) || isTwoRun(a)) for (const f of a.findings.filter(mine)) broken.add(brokenLine(f));
    else if (isRandom(a) && a.kind === 'random') for (const f of a.findings.filter(mine)) broken.add(brokenLine(f));
  }
  const missingWitnesses = unreached(c, answers);
  const main = answers.find((a): a is ExhaustiveAnswer => a?.kind === 'exhaustive');
  const open = openEnds(c, answers, main);
  const ran = main !== undefined || answers.some((a) => isRandom(a) && a.kind === 'random' && a.runs > 0);
  const held = counterparts
    .filter((p) => p.outcome === 'held')
    .map((p) => `holds even ${without(p)}: the check has no teeth`);
  const long = counterparts
    .filter((p) => p.length !== null && p.length > MAX_COUNTERPART_LENGTH)
    .map((p) => `${without(p)} breaks only after ${p.length} steps`);
  if (broken.size > 0) return { verdict: 'broken', because: [...broken], missingWitnesses };
  if (held.length > 0) return { verdict: 'broken', because: held, missingWitnesses };
  if (!ran) return { verdict: 'not exercised', because: ['the run did not take place'], missingWitnesses };
  const vacuous = missingWitnesses.map((w) => `never reached: ${w}`);
  if (vacuous.length > 0) return { verdict: 'not exercised', because: [...vacuous, ...open], missingWitnesses };
  if (counterparts.length === 0) {
    return { verdict: 'not exercised', because: ['no gate or mutant shows that its check can fail'], missingWitnesses };
  }
  if (open.length > 0) return { verdict: 'sampled', because: open, missingWitnesses };
  return { verdict: 'proved within scope', because: long, missingWitnesses };
}

const brokenLine = (f: PlainFinding): string =>
  `${propertyKey(f.property)} broke after ${counted(lengthOf(f), 'step')}: ${f.why}`;

/** `with IOTLB invalidation off`, `with mutant XSA-230`. */
export function without(p: { readonly off: string; readonly kind: 'gate' | 'mutant' }): string {
  return p.kind === 'gate' ? `with ${p.off} off` : `with mutant ${p.off}`;
}

/** Witnesses that neither the exhaustive runs nor the two-run ones reached; random runs count where there is nothing else. */
function unreached(c: ClaimDescription, answers: readonly (Answer | undefined)[]): string[] {
  const reached = new Set<string>();
  for (const a of answers) {
    if (!isExhaustive(a) && !isTwoRun(a) && !(isRandom(a) && a.kind === 'random')) continue;
    for (const w of a.witnesses) if (w.reached) reached.add(`${w.property}: ${w.witness}`);
  }
  return witnessesOf(c).filter((w) => !reached.has(w));
}

/** `I1 reach: a device caches an entry`, for every witness of the claim's properties. */
function witnessesOf(c: ClaimDescription): string[] {
  return c.keeps.flatMap((p) => p.witnesses.map((w) => `${propertyKey(p)}: ${w}`));
}

/** What keeps the claim from being proved, apart from breaches and witnesses. */
function openEnds(
  c: ClaimDescription,
  answers: readonly (Answer | undefined)[],
  main: ExhaustiveAnswer | undefined,
): string[] {
  const open: string[] = [];
  if (!main) open.push('no exhaustive run');
  for (const a of answers) {
    if (a === undefined) open.push('a run is outstanding');
    else if (a.kind === 'skipped')
      open.push(a.reason === 'time' ? 'not all runs took place: time' : 'not all runs took place');
    else if (isExhaustive(a) && a.verdict === 'truncated') open.push(`${a.kind} run cut short by ${a.truncatedBy}`);
    else if (isTwoRun(a) && a.verdict === 'truncated' && a.findings.length === 0)
      open.push('two-run exploration cut short');
    else if (isBroken(a) && a.verdict === 'truncated' && a.truncatedBy !== 'depth' && !a.finding)
      open.push(`counterpart cut short by ${a.truncatedBy}`);
    else if (isRandom(a) && a.verdict === 'disagreement') open.push(...a.disagreements);
  }
  for (const p of c.keeps) {
    const key = propertyKey(p);
    if (p.kind !== 'progress' || main?.verdict !== 'complete') continue;
    const answer = main.progress.find((x) => x.property === key);
    if (!answer) open.push(`${key} was not checked`);
    else if (answer.pendingStates === 0) open.push(`${key}: nothing was ever pending`);
  }
  for (const a of answers) {
    if (isTwoRun(a) && a.verdict === 'complete' && a.differing === 0)
      open.push(`${a.property}: the two runs never differed`);
  }
  return [...new Set(open)];
}

function counterpart(run: SuiteRun, claim: number, index: number): CounterpartReport {
  const { suite } = run.chosen;
  const d = suite.claims[claim]?.without[index];
  if (!d) throw new RangeError(`${suite.name} has no counterpart ${claim}/${index}`);
  const a = run.answers.get(`${suite.name}/counterpart/${claim}/${index}`);
  const r = run.answers.get(`${suite.name}/random-counterpart/${claim}/${index}`);
  const finding = isBroken(a) ? a.finding : undefined;
  // A breach that is not within the depth looked at is too far away to show anything.
  const ended = isBroken(a) && (a.verdict === 'complete' || a.truncatedBy === 'depth');
  const outcome = finding ? 'broke' : ended ? 'held' : 'open';
  const found = isRandom(r) ? r.findings[0] : undefined;
  return {
    off: d.off,
    kind: d.kind,
    says: d.says,
    source: d.source,
    breaks: propertyKey(d.breaks),
    outcome,
    length: finding ? lengthOf(finding) : null,
    minimal: finding?.minimal ?? false,
    trace: finding ? traceName(suite.name, finding, d.off) : null,
    random: isRandom(r)
      ? { found: found !== undefined, shrunkLength: found?.shrunkLength ?? null, runs: found ? r.runs : null }
      : null,
  };
}

function evidenceOf(
  answers: readonly (Answer | undefined)[],
  c: ClaimDescription,
  counterparts: readonly CounterpartReport[],
): Evidence[] {
  const kinds: Evidence[] = [];
  const main = answers.find((a): a is ExhaustiveAnswer => a?.kind === 'exhaustive');
  const plain = c.keeps.some((p) => p.kind === 'invariant' || p.kind === 'relation');
  if (main && plain) kinds.push('exhaustive');
  if (main && c.keeps.some((p) => p.kind === 'progress' && main.progress.some((x) => x.property === propertyKey(p)))) {
    kinds.push('progress');
  }
  if (answers.some(isTwoRun)) kinds.push('two runs');
  if (answers.some((a) => a?.kind === 'fail-nth' && a.sites.some((s) => s.failed > 0))) kinds.push('fail-nth');
  if (answers.some((a) => isRandom(a) && a.kind === 'random' && a.executed > 0) && plain) kinds.push('random');
  if (counterparts.some((p) => p.kind === 'gate' && p.outcome === 'broke')) kinds.push('gate off');
  if (counterparts.some((p) => p.kind === 'mutant' && p.outcome === 'broke')) kinds.push('mutant');
  if (answers.some((a) => a?.kind === 'breach' && a.finding)) kinds.push('breach');
  return kinds;
}
