/**
 * What is wrong in a report, worst first: the one list that annotations, SARIF, the summary and the page take from, so that they agree.
 */
import { match } from 'ts-pattern';
import { without } from './claims.js';
import type { Place } from './places.js';
import { isVacuous, type Report, type SuiteReport } from './report.js';

/** Kinds in order of weight. */
export const PROBLEM_KINDS = ['broken', 'no teeth', 'error', 'disagreement', 'not exercised', 'sampled'] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

export interface Problem {
  readonly kind: ProblemKind;
  /** `error` fails the run; `warning` is evidence that is missing. */
  readonly level: 'error' | 'warning';
  readonly suite: string;
  /** Stable name of what is wrong: a property's key, a counterpart, an error code, a claim. */
  readonly subject: string;
  /** One line. */
  readonly says: string;
  /** What tells this problem from others with the same subject. */
  readonly mechanism: string;
  /** Steps to it, or null. */
  readonly length: number | null;
  readonly steps: readonly string[];
  /** File in traces/, or null. */
  readonly trace: string | null;
  readonly place: Place | null;
}

/** All problems: by kind, then the shorter trace first, then in the report's order. */
export function problemsOf(report: Report): Problem[] {
  const problems = report.suites.flatMap(ofSuite);
  for (const e of report.errors) {
    problems.push(plain('error', 'error', e.module, e.code, `${e.code}: ${e.says}`));
  }
  const rank = (p: Problem): number => PROBLEM_KINDS.indexOf(p.kind);
  return problems
    .map((p, at) => ({ p, at }))
    .sort((a, b) => rank(a.p) - rank(b.p) || (a.p.length ?? 0) - (b.p.length ?? 0) || a.at - b.at)
    .map(({ p }) => p);
}

function plain(
  kind: ProblemKind,
  level: Problem['level'],
  suite: string,
  subject: string,
  says: string,
  more: Partial<Pick<Problem, 'mechanism' | 'length' | 'steps' | 'trace' | 'place'>> = {},
): Problem {
  return {
    kind,
    level,
    suite,
    subject,
    says,
    mechanism: '',
    length: null,
    steps: [],
    trace: null,
    place: null,
    ...more,
  };
}

function ofSuite(s: SuiteReport): Problem[] {
  const problems: Problem[] = s.findings.map((f) => {
    const says = `${f.property} broken after ${f.length} ${f.length === 1 ? 'step' : 'steps'}: ${f.why}`;
    const { mechanism, length, steps, trace } = f;
    return plain('broken', 'error', s.name, f.property, says, { mechanism, length, steps, trace, place: f.at });
  });
  if (s.error) problems.push(plain('error', 'error', s.name, s.error.code, `${s.error.code}: ${s.error.says}`));
  if (s.random?.verdict === 'disagreement') {
    problems.push(plain('disagreement', 'error', s.name, 'random', 'exhaustive and random exploration disagree'));
  }
  for (const c of s.claims) {
    const explained = s.findings.length > 0 && c.because.some((b) => s.findings.some((f) => b.startsWith(f.property)));
    for (const p of c.counterparts) {
      if (p.outcome !== 'held') continue;
      const says = `${p.breaks} holds even ${without(p)}: the check has no teeth`;
      problems.push(plain('no teeth', 'error', s.name, `${p.breaks} / ${p.off}`, says, { mechanism: p.off }));
    }
    const because =
      c.because.slice(0, 3).join('; ') + (c.because.length > 3 ? `; and ${c.because.length - 3} more` : '');
    match(c.verdict)
      .with('broken', () => {
        const told = explained || c.counterparts.some((p) => p.outcome === 'held');
        if (!told) problems.push(plain('broken', 'error', s.name, c.says, `${c.says}: ${because}`));
      })
      .with('not exercised', () => {
        const level = isVacuous(s, c) ? 'error' : 'warning';
        problems.push(plain('not exercised', level, s.name, c.says, `not exercised: ${c.says}: ${because}`));
      })
      .with('sampled', () => {
        problems.push(plain('sampled', 'warning', s.name, c.says, `only sampled: ${c.says}: ${because}`));
      })
      .with('proved within scope', 'not contained', 'error', () => {})
      .exhaustive();
  }
  return problems;
}
