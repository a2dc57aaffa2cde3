/**
 * The report: what a campaign found, as plain data. Identical inputs give identical bytes: no clock, no rates, no number of workers; those
 * are in timings.json beside it. The schema is report.schema.json.
 */
import type { CampaignState, SourceError, SuiteRun } from '../explore/campaign/campaign.js';
import { propertyKey } from '../explore/campaign/described.js';
import type { Blame } from '../explore/campaign/errors.js';
import {
  type Answer,
  type ExhaustiveAnswer,
  lengthOf,
  type OperationCount,
  type PlainFinding,
  type RandomAnswer,
} from '../explore/campaign/results.js';
import { type ClaimReport, settle } from './claims.js';
import { type FaultReport, faultReports } from './faultReports.js';
import { notTested } from './notTested.js';
import type { Place } from './places.js';
import type { Shard } from './shards.js';
import { traceName } from './traces.js';

export const REPORT_FORMAT = 'ringfence-report';
export const REPORT_VERSION = 1;

export interface FindingReport {
  readonly property: string;
  readonly states: string;
  readonly why: string;
  readonly mechanism: string;
  readonly length: number;
  readonly minimal: boolean;
  readonly foundBy: 'exhaustive' | 'fail-nth' | 'two runs' | 'random';
  readonly steps: readonly string[];
  /** File name in traces/. */
  readonly trace: string;
  /** Where in the sources the step is that completed the breach, or null. */
  readonly at: Place | null;
}

export interface RunReport {
  readonly verdict: 'complete' | 'truncated';
  readonly truncatedBy: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly stateBytes: number;
}

export interface SuiteReport {
  readonly name: string;
  readonly title: string;
  /** The user's module, or null for an embedded suite. */
  readonly module: string | null;
  readonly scopeName: string;
  readonly scope: Readonly<Record<string, number>>;
  readonly schedule: 'whole' | 'split';
  /** Hash of the specification, or null when it never ran. */
  readonly specification: string | null;
  readonly exhaustive: RunReport | null;
  readonly failNth: readonly (RunReport & { readonly nth: number; readonly failed: number })[];
  readonly random: { readonly runs: number; readonly executed: number; readonly verdict: string } | null;
  readonly claims: readonly ClaimReport[];
  readonly findings: readonly FindingReport[];
  readonly faults: readonly FaultReport[];
  readonly operations: readonly OperationCount[];
  /** Names of the state classes that `inStates` of the operations counts by: the witnesses of the properties. */
  readonly stateClasses?: readonly string[];
  readonly notTested: readonly string[];
  readonly error: { readonly code: string; readonly blame: Blame; readonly says: string } | null;
}

export interface Report {
  readonly format: typeof REPORT_FORMAT;
  readonly version: typeof REPORT_VERSION;
  readonly ringfence: string;
  readonly inputs: { readonly seed: number; readonly runs: number; readonly timeMs: number | null };
  readonly verdict: 'holds' | 'broken' | 'error' | 'partial';
  /** The campaign ended before it was done, and why. */
  readonly partial: 'no' | 'interrupt' | 'time';
  /** Which part of a run this is; `suites` are those of the whole run. Absent when it is the whole. */
  readonly shard?: Shard & { readonly suites: readonly string[] };
  readonly suites: readonly SuiteReport[];
  /** Modules that could not be loaded. */
  readonly errors: readonly { readonly module: string; readonly code: string; readonly says: string }[];
}

/** What the report depends on beside the answers. */
export interface Inputs {
  readonly version: string;
  readonly seed: number;
  readonly runs: number;
  readonly timeMs: number | undefined;
  readonly shard?: Report['shard'];
}

/** Makes the report, and the trace files that it refers to. */
export function makeReport(
  state: CampaignState,
  sourceErrors: readonly SourceError[],
  inputs: Inputs,
): { report: Report; traces: Map<string, string> } {
  const traces = new Map<string, string>();
  const suites = state.runs.map((run) => suiteReport(run, traces));
  const errors = sourceErrors.map(({ source, error }) => ({
    module: source.kind === 'module' ? source.path : 'ringfence',
    code: error.code,
    says: error.says,
  }));
  const report: Report = {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    ringfence: inputs.version,
    inputs: { seed: inputs.seed, runs: inputs.runs, timeMs: inputs.timeMs ?? null },
    verdict: verdictOf(suites, errors.length > 0, state.stopped),
    partial: state.stopped,
    ...(inputs.shard && { shard: inputs.shard }),
    suites,
    errors,
  };
  return { report, traces };
}

/**
 * The worst that was seen: a breach outweighs an error, an error outweighs an early end. A run that the user limited in time still holds
 * when every claim was at least sampled.
 */
function verdictOf(
  suites: readonly SuiteReport[],
  errors: boolean,
  stopped: CampaignState['stopped'],
): Report['verdict'] {
  if (suites.some(failed)) return 'broken';
  if (errors || suites.some((s) => s.error !== null)) return 'error';
  const idle = suites.some((s) => s.claims.some((c) => c.verdict === 'not exercised'));
  return stopped === 'interrupt' || (stopped === 'time' && idle) ? 'partial' : 'holds';
}

/** A property broke, a counterpart held, or a claim was checked in vain although its run was complete. */
function failed(s: SuiteReport): boolean {
  if (s.findings.length > 0 || s.random?.verdict === 'disagreement') return true;
  return s.claims.some((c) => c.verdict === 'broken' || isVacuous(s, c));
}

/** Not exercised, although the run was complete: the claim says nothing. */
export function isVacuous(s: Pick<SuiteReport, 'exhaustive'>, c: ClaimReport): boolean {
  return c.verdict === 'not exercised' && s.exhaustive?.verdict === 'complete';
}

function suiteReport(run: SuiteRun, traces: Map<string, string>): SuiteReport {
  const { suite, scope, scopeName } = run.chosen;
  const answers = run.jobs.map((j) => run.answers.get(j.id));
  const main = answers.find((a): a is ExhaustiveAnswer => a?.kind === 'exhaustive');
  const nth = answers.filter((a): a is ExhaustiveAnswer => a?.kind === 'fail-nth');
  const random = answers.find((a): a is RandomAnswer => a?.kind === 'random');
  const failure = answers.find((a) => a?.kind === 'error');
  const claims = suite.claims.map((_, i) => settle(run, i));
  noteCounterpartTraces(run, traces);
  return {
    name: suite.name,
    title: suite.title,
    module: suite.source.kind === 'module' ? suite.source.path : null,
    scopeName,
    scope,
    schedule: suite.schedule,
    specification: main?.specification ?? null,
    exhaustive: main ? runReport(main) : null,
    failNth: nth.map((a, i) => ({ nth: i + 1, failed: a.sites.reduce((n, s) => n + s.failed, 0), ...runReport(a) })),
    random: random ? { runs: random.runs, executed: random.executed, verdict: random.verdict } : null,
    claims,
    findings: findingsOf(suite.name, answers, traces),
    faults: faultReports(suite, main, random),
    operations: main?.operations ?? [],
    stateClasses: main?.stateClasses ?? [],
    notTested: notTested(suite, claims, main, nth, random),
    error: failure?.kind === 'error' ? { code: failure.code, blame: failure.blame, says: failure.says } : null,
  };
}

function runReport(a: ExhaustiveAnswer): RunReport {
  const { verdict, truncatedBy, states, transitions, depth, stateBytes } = a;
  return { verdict, truncatedBy, states, transitions, depth, stateBytes };
}

/** Findings of the runs with all gates on, one for each property and mechanism; the exhaustive ones, which are shortest, come first. */
function findingsOf(
  suite: string,
  answers: readonly (Answer | undefined)[],
  traces: Map<string, string>,
): FindingReport[] {
  const found = new Map<string, FindingReport>();
  const add = (f: PlainFinding, foundBy: FindingReport['foundBy']): void => {
    const key = `${propertyKey(f.property)}: ${f.mechanism}`;
    if (found.has(key)) return;
    const trace = traceName(suite, f);
    traces.set(trace, f.file);
    found.set(key, {
      property: propertyKey(f.property),
      states: f.property.states,
      why: f.why,
      mechanism: f.mechanism,
      length: lengthOf(f),
      minimal: f.minimal,
      foundBy,
      steps: f.trace.slice(1).map((s) => s.says),
      trace,
      at: f.at,
    });
  };
  for (const a of answers) {
    if (a?.kind === 'exhaustive' || a?.kind === 'fail-nth') for (const f of a.findings) add(f, a.kind);
    else if (a?.kind === 'two-run') for (const f of a.findings) add(f, 'two runs');
  }
  // The same breach found by luck is no second finding, whatever its last operation was.
  const known = new Set([...found.values()].map((f) => f.property));
  for (const a of answers) {
    if (a?.kind === 'random') for (const f of a.findings) if (!known.has(propertyKey(f.property))) add(f, 'random');
  }
  return [...found.values()];
}

function noteCounterpartTraces(run: SuiteRun, traces: Map<string, string>): void {
  for (const job of run.jobs) {
    const a = run.answers.get(job.id);
    if (a?.kind !== 'counterpart' && a?.kind !== 'breach') continue;
    if (!a.finding) continue;
    const { suite } = run.chosen;
    const off = job.kind === 'counterpart' ? (suite.claims[job.claim]?.without[job.without]?.off ?? '') : '';
    traces.set(traceName(suite.name, a.finding, off), a.finding.file);
  }
}

/** The report's text: two spaces, keys in the order of the interfaces, lists of numbers on one line, a newline at the end. */
export function reportText(report: Report): string {
  // No line break is inside a text of JSON, so this finds lists of numbers only.
  const text = JSON.stringify(report, undefined, 2).replace(/\[\n[\d,\n ]+\]/g, (list) =>
    list.replace(/\n */g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
  return `${text}\n`;
}
