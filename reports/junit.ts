/**
 * junit.xml in the dialect that every reader understands: suites with totals, cases with at most one failure, error or skipped each, no
 * times. A suite is one of ours; a case is a claim, or what the harness checks without being asked; a crash is an error case.
 */
import { match } from 'ts-pattern';
import type { ClaimReport } from './claims.js';
import { type FindingReport, isVacuous, type Report, type SuiteReport } from './report.js';
import { xmlAttributes, xmlLines } from './xml.js';

/** Findings told under one case; all are in report.json. */
const MAX_FINDINGS = 20;

type Result = 'passed' | 'failure' | 'error' | 'skipped';

interface Case {
  readonly name: string;
  readonly result: Result;
  readonly kind: string;
  readonly message: string;
  readonly lines: readonly string[];
}

/** @param folder where the traces are, as the replay lines name them */
export function junitText(report: Report, folder = 'ringfence-report/traces/'): string {
  const suites = report.suites.map((s) => ({ name: s.name, cases: numbered(casesOf(s, folder)) }));
  if (report.errors.length > 0) {
    const cases = report.errors.map((e) => bad('error', e.module, e.code, e.says, []));
    suites.push({ name: 'modules', cases: numbered(cases) });
  }
  const all = suites.flatMap((s) => s.cases);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${xmlAttributes({ name: 'ringfence', ...totals(all) })}>`,
  ];
  for (const { name, cases } of suites) {
    lines.push(
      `  <testsuite${xmlAttributes({ name, ...totals(cases) })}>`,
      ...cases.flatMap((c) => caseLines(name, c)),
      '  </testsuite>',
    );
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

function totals(cases: readonly Case[]): Record<string, number> {
  const of = (result: Result): number => cases.filter((c) => c.result === result).length;
  return { tests: cases.length, failures: of('failure'), errors: of('error'), skipped: of('skipped') };
}

function caseLines(suite: string, c: Case): string[] {
  const head = `    <testcase${xmlAttributes({ classname: `ringfence.${suite}`, name: c.name })}`;
  switch (c.result) {
    case 'passed':
      return [`${head}/>`];
    case 'skipped':
      return [`${head}>`, `      <skipped${xmlAttributes({ message: c.message })}/>`, '    </testcase>'];
    case 'failure':
    case 'error': {
      const attributes = xmlAttributes({ message: c.message, type: c.kind });
      return [`${head}>`, `      <${c.result}${attributes}>${xmlLines(c.lines)}</${c.result}>`, '    </testcase>'];
    }
  }
}

function bad(result: Result, name: string, kind: string, message: string, lines: readonly string[]): Case {
  return { name, result, kind, message, lines };
}

function casesOf(s: SuiteReport, folder: string): Case[] {
  const cases: Case[] = [];
  if (s.error) cases.push(bad('error', 'the suite runs to its end', s.error.code, s.error.says, []));
  cases.push(...s.claims.map((c) => claimCase(s, c, folder)));
  const claimed = new Set(s.claims.flatMap((c) => c.properties));
  const others = new Map<string, FindingReport[]>();
  for (const f of s.findings) {
    if (claimed.has(f.property)) continue;
    others.set(f.property, [...(others.get(f.property) ?? []), f]);
  }
  for (const [property, found] of others) {
    cases.push(bad('failure', property, 'broken', found[0]?.why ?? '', findingLines(found, folder)));
  }
  return cases;
}

function claimCase(s: SuiteReport, c: ClaimReport, folder: string): Case {
  const found = s.findings.filter((f) => c.properties.includes(f.property));
  const because = c.because.slice(0, MAX_FINDINGS);
  const message = because[0] ?? c.verdict;
  return match(c.verdict)
    .with('proved within scope', 'sampled', 'not contained', () => bad('passed', c.says, '', '', []))
    .with('broken', () => bad('failure', c.says, 'broken', message, [...because, ...findingLines(found, folder)]))
    .with('not exercised', (verdict) =>
      isVacuous(s, c)
        ? bad('failure', c.says, verdict, message, because)
        : bad('skipped', c.says, verdict, `${verdict}: ${message}`, []),
    )
    .with('error', () => bad('skipped', c.says, 'error', 'the suite did not run to its end', []))
    .exhaustive();
}

/** The findings as people read them, with the line that replays each. */
export function findingLines(found: readonly FindingReport[], folder: string): string[] {
  const lines = found
    .slice(0, MAX_FINDINGS)
    .flatMap((f) => [
      '',
      `${f.property} broken after ${f.length} ${f.length === 1 ? 'step' : 'steps'} (${f.minimal ? 'proved minimal' : 'not proved minimal'}): ${f.why}`,
      ...f.steps.slice(0, 40).map((step, i) => `${String(i + 1).padStart(3)} ${step}`),
      ...(f.steps.length > 40 ? [`    ... ${f.steps.length - 40} more steps`] : []),
      `replay: npx ringfence replay ${folder}${f.trace}`,
    ]);
  const left = found.length - MAX_FINDINGS;
  return left > 0 ? [...lines, '', `${left} more findings are in report.json`] : lines;
}

/** Readers key cases by name: a second one of the same name gets a number. */
function numbered(cases: readonly Case[]): Case[] {
  const seen = new Map<string, number>();
  return cases.map((c) => {
    const n = (seen.get(c.name) ?? 0) + 1;
    seen.set(c.name, n);
    return n === 1 ? c : { ...c, name: `${c.name} (${n})` };
  });
}
