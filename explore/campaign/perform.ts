/** Performs one job in this thread, and answers with plain data. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { match } from 'ts-pattern';
import { type Counterpart, isMutant, propertiesOf, type Suite } from '../../drivers/suite.js';
import type { Machine, MachineOptions } from '../../model/kernel/index.js';
import type { AnyProperty, Noninterference, Progress } from '../../properties/property.js';
import { explorationKey, loadCheckpoint, saveCheckpoint } from '../checkpoint.js';
import { type ExhaustiveResult, exploreExhaustively, type Finding } from '../exhaustive.js';
import { breachLine } from '../locations.js';
import { exploreTwoRuns } from '../noninterference.js';
import { checkProgress } from '../progress.js';
import { exploreRandomly } from '../random.js';
import { reductionOf } from '../reduction.js';
import { StateClasses } from '../stateClasses.js';
import { canonicalizer } from '../symmetry.js';
import { traceFileOf, writeTrace } from '../traceFile.js';
import type { Control } from './control.js';
import { failureSites, operationCounts } from './counts.js';
import { propertyKey } from './described.js';
import { CampaignError } from './errors.js';
import type {
  BreachJob,
  CounterpartJob,
  ExhaustiveJob,
  FailNthJob,
  Job,
  RandomCounterpartJob,
  RandomJob,
  SuiteJob,
  TwoRunJob,
} from './jobs.js';
import { buildAt, describe, loadSuite, loadSuites } from './loading.js';
import { performReplay } from './replaying.js';
import type {
  Answer,
  BrokenAnswer,
  ExhaustiveAnswer,
  PlainFinding,
  ProgressAnswer,
  RandomAnswer,
  TwoRunAnswer,
} from './results.js';

type Untimed<A> = A extends { readonly tookMs: number } ? Omit<A, 'tookMs'> : never;

/** What a job answers, and what is left to do after the answer was sent: writing a checkpoint, whose path it returns. */
export interface Performed {
  readonly answer: Answer;
  readonly save: (() => string) | undefined;
}

/**
 * Performs a job. Throws what the suite throws.
 * @param suites those at hand, where none is to be loaded
 */
export async function perform(job: Job, control: Control, suites?: readonly Suite[]): Promise<Performed> {
  const suiteOf = async (j: SuiteJob): Promise<Suite> =>
    suites?.find((s) => s.name === j.suite) ?? (await loadSuite(j.source, j.suite));
  let save: Performed['save'];
  const later = (f: () => string): void => {
    save = f;
  };
  const began = performance.now();
  const answer = await match<Job, Promise<Untimed<Answer>>>(job)
    .with({ kind: 'describe' }, async ({ source }) => ({
      kind: 'describe',
      suites: (await loadSuites(source)).map((s) => {
        control.beat();
        return describe(source, s);
      }),
    }))
    .with({ kind: 'replay' }, async (j) => performReplay(j, await loadSuites(j.source)))
    .with({ kind: 'exhaustive' }, { kind: 'fail-nth' }, async (j) => exhaustive(j, await suiteOf(j), control, later))
    .with({ kind: 'two-run' }, async (j) => twoRun(j, await suiteOf(j), control))
    .with({ kind: 'breach' }, { kind: 'counterpart' }, async (j) => broken(j, await suiteOf(j), control))
    .with({ kind: 'random' }, { kind: 'random-counterpart' }, async (j) => random(j, await suiteOf(j), control))
    .exhaustive();
  return { answer: { ...answer, tookMs: performance.now() - began } as Answer, save };
}

/** Properties of the claims that are expected to hold. */
function contained(s: Suite): AnyProperty[] {
  return propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
}

/** The name of a scope of the suite, or its sizes in words. */
function scopeName(s: Suite, m: Machine): string {
  const same = Object.entries(s.scope).find(([, scope]) => JSON.stringify(scope) === JSON.stringify(m.scope));
  return (
    same?.[0] ??
    Object.entries(m.scope)
      .map(([sort, n]) => `${sort}=${n}`)
      .join(',')
  );
}

function plain(s: Suite, m: Machine, f: Finding, minimal: boolean, mutant = ''): PlainFinding {
  const { id, name, states } = f.property;
  const file = traceFileOf(m, f, {
    suite: s.name,
    scopeName: scopeName(s, m),
    mutant,
    minimal: minimal ? 'proved' : 'not proved',
  });
  return {
    property: { id, name, states },
    why: f.why,
    mechanism: f.mechanism,
    trace: f.trace,
    file: writeTrace(file),
    minimal,
    // A counterpart is meant to break: nobody looks for its line.
    at: file.gatesOff.length === 0 && mutant === '' ? (breachLine(m, f.trace, f.mechanism) ?? null) : null,
  };
}

/** Runs the exhaustive explorer as the suite wants it. */
function explore(
  s: Suite,
  m: Machine,
  properties: readonly AnyProperty[],
  control: Control,
  more: Parameters<typeof exploreExhaustively>[1] = {},
) {
  const symmetry = s.symmetry ? canonicalizer(m, s.symmetry) : undefined;
  const reduction = s.reduction ? reductionOf(m, properties) : undefined;
  const onProgress = (p: { states: number; expanded: number; depth: number }): boolean => control.progress(p);
  return {
    symmetry,
    result: exploreExhaustively(m, {
      properties,
      mayStop: s.mayStop as ((m: never) => boolean) | undefined,
      symmetry,
      reduction,
      onProgress,
      ...more,
    }),
  };
}

/** Why a run was cut short, in the words of the report. */
function cutBy(r: ExhaustiveResult, control: Control): string {
  if (r.truncatedBy === undefined) return '';
  if (r.truncatedBy !== 'interrupt') return r.truncatedBy;
  return control.stopReason === 'time' ? 'time' : 'interrupt';
}

/** A hash of what is checked: states that were visited are not checked again after a resumption, so the properties must be the same. */
function propertiesHash(properties: readonly AnyProperty[]): string {
  const h = createHash('sha256');
  for (const p of properties) {
    h.update(propertyKey(p));
    for (const part of Object.values(p)) if (typeof part === 'function') h.update(String(part));
    for (const [name, test] of Object.entries(p.witnesses)) h.update(`${name}${String(test)}`);
  }
  return h.digest('hex').slice(0, 16);
}

function exhaustive(
  job: ExhaustiveJob | FailNthJob,
  s: Suite,
  control: Control,
  later: (save: () => string) => void,
): Untimed<ExhaustiveAnswer> {
  const failures = job.kind === 'fail-nth' ? { nth: job.nth } : (s.failures ?? 'none');
  const m = buildAt(s, job.scope, { failures, ...(job.faults && { faults: job.faults }) });
  const properties = contained(s);
  const checkpoint = job.kind === 'exhaustive' ? job.checkpoint : undefined;
  const key = explorationKey(m, `${s.name} ${propertiesHash(properties)}`);
  const resume =
    job.kind === 'exhaustive' && job.resume && checkpoint && existsSync(checkpoint)
      ? loadCheckpoint(checkpoint, key)
      : undefined;
  const classes = job.kind === 'exhaustive' ? new StateClasses(m, properties) : undefined;
  const { symmetry, result } = explore(s, m, properties, control, { resume, classes });
  const inStates = classes?.finish();
  const operations = operationCounts(m).map((o, i) => ({ ...o, ...(inStates && { inStates: inStates[i] }) }));
  const sites = failureSites(m);
  const findings = result.findings.map((f) => plain(s, m, f, !s.reduction));
  const progress: ProgressAnswer[] = [];
  // Under fail-nth an operation that fails once fails always: progress is not to be had, and not claimed.
  if (job.kind === 'exhaustive' && result.verdict === 'complete' && !s.reduction) {
    for (const p of properties.filter((q): q is Progress<never> => q.kind === 'progress')) {
      if (control.beat()) break;
      const answer = checkProgress(m, result.progressing.store, p, symmetry);
      progress.push({ property: propertyKey(p), holds: answer.holds, pendingStates: answer.pendingStates });
      if (answer.finding) findings.push(plain(s, m, answer.finding, false));
    }
  }
  const truncatedBy = cutBy(result, control);
  if (checkpoint !== undefined) {
    // What broke before the interruption is not in a checkpoint: a run that went on from it would not tell of it.
    if ((truncatedBy === 'interrupt' || truncatedBy === 'time') && findings.length === 0) {
      later(() => {
        mkdirSync(dirname(checkpoint), { recursive: true });
        saveCheckpoint(checkpoint, key, result.progressing);
        return checkpoint;
      });
    } else rmSync(checkpoint, { force: true });
  }
  return {
    kind: job.kind,
    verdict: result.verdict,
    truncatedBy,
    states: result.states,
    transitions: result.transitions,
    depth: result.depth,
    stateBytes: result.stateBytes,
    specification: m.hash(),
    findings,
    witnesses: result.witnesses,
    progress,
    operations,
    stateClasses: classes?.names ?? [],
    sites,
    mostSites: m.mostSites,
    resumed: resume !== undefined,
  };
}

function twoRun(job: TwoRunJob, s: Suite, control: Control): Untimed<TwoRunAnswer> {
  const p = contained(s).find(
    (q): q is Noninterference<never> => q.kind === 'noninterference' && propertyKey(q) === job.property,
  );
  if (!p) throw new CampaignError('RF-SUITE-MODULE', `${s.name} no longer has the property '${job.property}'`);
  const m = buildAt(s, job.scope, job.faults ? { faults: job.faults } : {});
  const result = exploreTwoRuns(m, p, { onProgress: (states, expanded) => control.progress({ states, expanded }) });
  return {
    kind: 'two-run',
    property: job.property,
    verdict: result.verdict,
    pairs: result.pairs,
    differing: result.differing,
    witnesses: result.witnesses.map((w) => ({ property: job.property, ...w })),
    findings: result.finding ? [plain(s, m, result.finding, true)] : [],
  };
}

function counterpartOf(s: Suite, claim: number, without: number): Counterpart {
  const found = s.claims[claim]?.without[without];
  if (!found) throw new CampaignError('RF-SUITE-MODULE', `${s.name} no longer has the counterpart ${claim}/${without}`);
  return found;
}

/** Machine options of a counterpart. */
function withGateOff({ off }: Counterpart): Partial<MachineOptions> {
  return isMutant(off) ? { edits: off.edits } : { gatesOff: [off] };
}

/** How deep a breach is looked for: a broken machine may have states without end, and its breach must be near. */
const COUNTERPART_DEPTH = 12;
/** Where operations are taken apart, a way has as many steps as they have. */
const COUNTERPART_DEPTH_SPLIT = 24;
/** Progress is a matter of the whole graph; so it is built up in stages. */
const PROGRESS_DEPTHS = [3, 6, 9, COUNTERPART_DEPTH] as const;
const PROGRESS_DEPTHS_SPLIT = [...PROGRESS_DEPTHS, 16, 20, COUNTERPART_DEPTH_SPLIT] as const;

function depthsFor(s: Suite, p: AnyProperty): readonly number[] {
  if (s.schedule === 'split') return p.kind === 'progress' ? PROGRESS_DEPTHS_SPLIT : [COUNTERPART_DEPTH_SPLIT];
  return p.kind === 'progress' ? PROGRESS_DEPTHS : [COUNTERPART_DEPTH];
}

function broken(job: CounterpartJob | BreachJob, s: Suite, control: Control): Untimed<BrokenAnswer> {
  const counterpart = job.kind === 'counterpart' ? counterpartOf(s, job.claim, job.without) : undefined;
  const claim = s.claims[job.claim];
  const properties = counterpart ? [counterpart.breaks] : (claim?.keeps ?? []);
  const more = counterpart ? withGateOff(counterpart) : { faults: claim?.against ?? [] };
  const mutant = counterpart && isMutant(counterpart.off) ? counterpart.off.name : '';
  const m = buildAt(s, job.scope, more);
  let states = 0;
  let verdict: 'complete' | 'truncated' = 'complete';
  let truncatedBy = '';
  const answer = (f: Finding | undefined, minimal: boolean): Untimed<BrokenAnswer> => ({
    kind: job.kind,
    verdict,
    truncatedBy,
    states,
    finding: f && plain(s, m, f, minimal, mutant),
    operations: counterpart ? [] : operationCounts(m),
  });
  // One property after the other, so that each is found on its own shortest way; two-run properties need a run of their own.
  for (const p of properties) {
    if (p.kind === 'noninterference') {
      const result = exploreTwoRuns(m, p, { onProgress: (n, expanded) => control.progress({ states: n, expanded }) });
      states = result.pairs;
      if (result.finding) return answer(result.finding, true);
      if (result.verdict === 'truncated') verdict = 'truncated';
      continue;
    }
    for (const maxDepth of depthsFor(s, p)) {
      const more = { frameCondition: false, mayStop: () => true, stopAtFirst: true, maxDepth };
      const { symmetry, result } = explore(s, m, [p], control, more);
      states = result.states;
      const [found] = result.findings;
      if (found) return answer(found, !s.reduction);
      const cut = result.verdict === 'truncated';
      verdict = cut ? 'truncated' : verdict;
      truncatedBy = cutBy(result, control);
      if (truncatedBy === 'interrupt' || truncatedBy === 'time') break;
      if (p.kind === 'progress') {
        const { finding } = checkProgress(m, result.progressing.store, p, symmetry, cut);
        if (finding) return answer(finding, false);
      }
      if (!cut) break;
    }
  }
  return answer(undefined, false);
}

function random(job: RandomJob | RandomCounterpartJob, s: Suite, control: Control): Untimed<RandomAnswer> {
  const counterpart = job.kind === 'random-counterpart' ? counterpartOf(s, job.claim, job.without) : undefined;
  const mutant = counterpart && isMutant(counterpart.off) ? counterpart.off.name : '';
  const faults = job.kind === 'random' && job.faults ? { faults: job.faults } : {};
  const m = buildAt(s, job.scope, { ...(counterpart ? withGateOff(counterpart) : faults) });
  const wanted = job.kind === 'random' ? job.runs : 1_000_000;
  const result = exploreRandomly(m, {
    properties: counterpart ? [counterpart.breaks] : contained(s),
    runs: wanted,
    steps: job.steps,
    seed: job.seed,
    timeMs: job.timeMs,
    frameCondition: counterpart === undefined,
    stopAtFirst: counterpart !== undefined,
    onProgress: (p) => control.progress({ runs: p.runs }),
  });
  return {
    kind: job.kind,
    verdict: result.verdict,
    runs: result.runs,
    executed: result.executed,
    perOperation: result.perOperation,
    findings: result.findings.map((f) => ({
      ...plain(s, m, f, f.minimal === 'proved', mutant),
      shrunkLength: f.shrunkLength,
      seed: f.seed,
      path: f.path,
    })),
    disagreements: result.disagreements,
    witnesses: result.witnesses,
    cutShort: result.runs < wanted && result.findings.length === 0,
  };
}
