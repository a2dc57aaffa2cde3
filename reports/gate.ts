/**
 * The gate: compares a report with a committed baseline. It fails for what was lost or is newly wrong, names each, and never looks at a
 * time. One cause is named once: a claim that lost its proof because a witness is no longer reached is told by the witness.
 */
import { controlHolds, type FastpathSheet, isGap } from '../explore/fastpath/sheet.js';
import { ascending, type Baseline, counterpartKey, findingKey, type SuiteBaseline } from './baseline.js';
import { type ClaimReport, without } from './claims.js';
import type { Report, SuiteReport } from './report.js';

export type GateFailureKind =
  | 'new finding'
  | 'lost evidence'
  | 'scope shrank'
  | 'witness not reached'
  | 'mutant survives'
  | 'fast path'
  | 'error';

export interface GateFailure {
  readonly kind: GateFailureKind;
  /** Suite, or '' for the whole report. */
  readonly suite: string;
  /** One line: what was, and what is. */
  readonly says: string;
  /** File in traces/, or null. */
  readonly trace: string | null;
}

export interface GateResult {
  readonly ok: boolean;
  readonly failures: readonly GateFailure[];
}

const KINDS: readonly GateFailureKind[] = [
  'new finding',
  'mutant survives',
  'error',
  'lost evidence',
  'witness not reached',
  'scope shrank',
  'fast path',
];

/** What claims may be worth, from nothing to most. `not contained` is what it should be where it is expected. */
const WORTH: readonly string[] = [
  'error',
  'broken',
  'not exercised',
  'sampled',
  'not contained',
  'proved within scope',
];

/** Compares; the failures are sorted by weight, then suite, then text. */
export function gate(report: Report, baseline: Baseline, fastpath: FastpathSheet | undefined): GateResult {
  const failures: GateFailure[] = [];
  const known = new Map(baseline.suites.map((s) => [s.name, s]));
  const present = new Set(report.suites.map((s) => s.name));
  for (const b of baseline.suites) {
    if (!present.has(b.name))
      failures.push(failure('lost evidence', b.name, `the suite is gone, with ${b.claims.length} claims`));
  }
  for (const s of report.suites) failures.push(...ofSuite(s, known.get(s.name)));
  for (const e of report.errors) failures.push(failure('error', e.module, `${e.code}: ${e.says}`));
  if (report.partial !== 'no') {
    const why = report.partial === 'time' ? 'the time was up' : 'it was interrupted';
    failures.push(failure('error', '', `the run did not end (${why}); run it again to its end`));
  }
  failures.push(...ofFastpath(fastpath, baseline.fastpath));
  const rank = (f: GateFailure): number => KINDS.indexOf(f.kind);
  failures.sort((a, b) => rank(a) - rank(b) || ascending(a.suite, b.suite) || ascending(a.says, b.says));
  return { ok: failures.length === 0, failures };
}

function failure(kind: GateFailureKind, suite: string, says: string, trace: string | null = null): GateFailure {
  return { kind, suite, says, trace };
}

function ofSuite(s: SuiteReport, b: SuiteBaseline | undefined): GateFailure[] {
  if (s.error) return [failure('error', s.name, `${s.error.code}: ${s.error.says}`)];
  const failures: GateFailure[] = [];
  const known = new Set(b?.findings ?? []);
  for (const f of s.findings) {
    if (known.has(findingKey(f))) continue;
    const says = `${f.property} broken after ${f.length} ${f.length === 1 ? 'step' : 'steps'} by ${f.mechanism}: ${f.why}`;
    failures.push(failure('new finding', s.name, says, f.trace));
  }
  if (s.random?.verdict === 'disagreement') failures.push(failure('error', s.name, 'two explorers disagree'));
  const mine = new Map(b?.claims.map((c) => [c.says, c]));
  const present = new Set(s.claims.map((c) => c.says));
  for (const says of mine.keys())
    if (!present.has(says)) failures.push(failure('lost evidence', s.name, `the claim is gone: ${says}`));
  for (const c of s.claims) failures.push(...ofClaim(s, c, mine.get(c.says)));
  return b ? [...failures, ...ofScope(s, b)] : failures;
}

function ofClaim(s: SuiteReport, c: ClaimReport, b: SuiteBaseline['claims'][number] | undefined): GateFailure[] {
  const failures: GateFailure[] = [];
  const broke = new Set(c.counterparts.filter((p) => p.outcome === 'broke').map(counterpartKey));
  for (const p of c.counterparts) {
    if (p.outcome === 'held') {
      failures.push(
        failure('mutant survives', s.name, `${p.breaks} holds ${without(p)}, where it must break: ${c.says}`),
      );
    }
  }
  const held = new Set(c.counterparts.filter((p) => p.outcome === 'held').map(counterpartKey));
  for (const key of b?.broke ?? []) {
    if (!broke.has(key) && !held.has(key))
      failures.push(failure('lost evidence', s.name, `no longer shown to break: ${key}: ${c.says}`));
  }
  const reached = new Set(c.reachedWitnesses);
  const lost = new Set([...(b?.reachedWitnesses ?? []).filter((w) => !reached.has(w)), ...c.missingWitnesses]);
  for (const w of lost) failures.push(failure('witness not reached', s.name, `${w}: ${c.says}`));
  // Whatever the claim's verdict lost by these has been told.
  const told = failures.length > 0 || s.findings.some((f) => c.properties.includes(f.property));
  if (told) return failures;
  if (c.verdict === 'not exercised' || c.verdict === 'broken' || c.verdict === 'error') {
    return [failure('lost evidence', s.name, `${c.verdict}: ${c.says}: ${c.because[0] ?? ''}`)];
  }
  if (!b) return [];
  if (WORTH.indexOf(c.verdict) < WORTH.indexOf(b.verdict)) {
    return [failure('lost evidence', s.name, `was ${b.verdict}, is ${c.verdict}: ${c.says}: ${c.because[0] ?? ''}`)];
  }
  const has = new Set<string>(c.evidence);
  const gone = b.evidence.filter((e) => !has.has(e));
  return gone.length > 0
    ? [failure('lost evidence', s.name, `no evidence any more from ${gone.join(', ')}: ${c.says}`)]
    : [];
}

function ofScope(s: SuiteReport, b: SuiteBaseline): GateFailure[] {
  const failures: GateFailure[] = [];
  for (const [sort, size] of Object.entries(b.scope)) {
    const now = Object.hasOwn(s.scope, sort) ? s.scope[sort] : undefined;
    if (now === undefined)
      failures.push(failure('scope shrank', s.name, `${sort} was ${size}, and is no longer in the scope`));
    else if (now < size) failures.push(failure('scope shrank', s.name, `${sort} was ${size}, is ${now}`));
  }
  if (b.schedule === 'split' && s.schedule === 'whole') {
    failures.push(
      failure('scope shrank', s.name, 'operations were split, and are now taken as atomic (schedule whole)'),
    );
  }
  if (b.complete && s.exhaustive?.verdict === 'truncated') {
    failures.push(
      failure('scope shrank', s.name, `was explored completely, is now cut short by ${s.exhaustive.truncatedBy}`),
    );
  }
  const injected = new Set(s.faults.filter((f) => f.injected > 0).map((f) => f.id));
  for (const id of b.injected) {
    if (!injected.has(id))
      failures.push(failure('lost evidence', s.name, `the fault class ${id} was injected, and no longer is`));
  }
  return failures;
}

/** What became of a measurement. */
const LOST = {
  gone: 'is gone',
  'cannot happen': 'cannot happen any more',
  'not exercised': 'is not exercised any more',
} as const;

function ofFastpath(sheet: FastpathSheet | undefined, before: Baseline['fastpath']): GateFailure[] {
  if (!sheet)
    return before === null
      ? []
      : [failure('fast path', '', "was measured, and no longer is; run 'ringfence fastpath' first")];
  const failures: GateFailure[] = [];
  const suites = new Map(sheet.suites.map((s) => [s.suite, s]));
  for (const s of sheet.suites) {
    const say = (says: string): unknown => failures.push(failure('fast path', s.suite, says));
    if (!controlHolds(s)) say(`the meter missed its control (${s.controlA} and ${s.controlB} bytes read, not 16)`);
    for (const o of s.operations) {
      if (isGap(o) && !before?.[s.suite]?.includes(o.operation))
        say(`${o.operation} is on the data path (${o.role}), and was not exercised: ${o.why}`);
      if (o.verdict !== 'allocates') continue;
      const by = o.allocations[0];
      const place = by ? `, in ${by.function} (${by.file}:${by.line})` : '';
      say(`${o.operation} allocates ${Math.max(o.gateA.bytes, o.gateB.bytes)} bytes${place}`);
    }
    const clean = s.operations.every((o) => o.verdict !== 'allocates');
    for (const f of s.families) {
      if (f.bytes !== 0 && clean) say(`the whole mix allocates ${f.bytes} bytes${f.fault ? ` after ${f.fault}` : ''}`);
    }
  }
  for (const [suite, operations] of Object.entries(before ?? {})) {
    const now = suites.get(suite);
    if (!now) failures.push(failure('fast path', suite, 'was measured, and no longer is'));
    for (const name of now ? operations : []) {
      const verdict = now?.operations.find((o) => o.operation === name)?.verdict;
      if (verdict === 'zero' || verdict === 'allocates') continue;
      failures.push(failure('fast path', suite, `${name} was measured, and ${LOST[verdict ?? 'gone']}`));
    }
  }
  return failures;
}

/** One line when all is as it was; otherwise one line for each failure, and how to accept what is wanted. */
export function gateLines(result: GateResult, baselineName: string): string[] {
  if (result.ok) return ['gate: nothing was lost and nothing new is broken'];
  const n = result.failures.length;
  return [
    ...result.failures.map(
      (f) =>
        `${f.kind}: ${f.suite === '' ? '' : `${f.suite}: `}${f.says}${f.trace === null ? '' : ` [traces/${f.trace}]`}`,
    ),
    `gate: ${n} ${n === 1 ? 'failure' : 'failures'} against ${baselineName}; what is meant to be so is accepted with 'ringfence gate --update'`,
  ];
}
