/**
 * report.sarif, version 2.1.0: a result for every problem, at the source line of the step that completed the breach where it is known.
 * Fingerprints are made of what broke and how, not of where, so that a result stays the same one when lines move.
 */
import { createHash } from 'node:crypto';
import { type Roots, toldFrom } from './places.js';
import { type Problem, problemsOf } from './problems.js';
import type { Report } from './report.js';
import { printable } from './text.js';

/** Results a file may have; code scanning refuses more than 25,000. */
const MAX_RESULTS = 5_000;
const MAX_STEPS = 100;

export interface SarifOptions extends Roots {
  /** File that results are laid at when neither the step's line nor the suite's module is known. */
  readonly fallback?: string;
}

/** The file's text; equal reports give equal bytes. */
export function sarifText(report: Report, options: SarifOptions): string {
  const problems = problemsOf(report);
  const shown = problems.slice(0, MAX_RESULTS);
  const modules = new Map(report.suites.map((s) => [s.name, s.module]));
  const rules = [...new Map(shown.map((p) => [ruleId(p), p])).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const index = new Map(rules.map(([id], i) => [id, i]));
  const states = new Map(report.suites.flatMap((s) => s.findings.map((f) => [f.property, f.states] as const)));
  const left = problems.length - shown.length;
  const cut = { level: 'warning', message: { text: `${left} more results are in report.json` } };
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Ringfence',
            version: report.ringfence,
            rules: rules.map(([id, p]) => ({
              id,
              name: p.kind === 'broken' ? p.subject : p.kind,
              shortDescription: { text: states.get(p.subject) ?? DESCRIPTIONS[p.kind] },
              defaultConfiguration: { level: p.level },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: report.verdict !== 'error',
            ...(left > 0 && { toolExecutionNotifications: [cut] }),
          },
        ],
        columnKind: 'utf16CodeUnits',
        results: shown.map((p) => resultOf(p, index.get(ruleId(p)) ?? 0, placeFor(p, modules.get(p.suite), options))),
      },
    ],
  };
  return `${JSON.stringify(sarif, undefined, 2)}\n`;
}

const DESCRIPTIONS = {
  broken: 'a property that was claimed to hold is broken',
  'no teeth': 'a check that holds even without its gate cannot fail',
  error: 'a suite could not be run to its end',
  disagreement: 'two explorers of the same specification disagree',
  'not exercised': 'nothing shows that the claim was tested',
  sampled: 'the claim was sampled and not proved',
} as const satisfies Record<Problem['kind'], string>;

/** `I1-reach` for a broken property, the kind otherwise. */
function ruleId(p: Problem): string {
  const name = p.kind === 'broken' ? p.subject : p.kind;
  return (
    name
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 80) || 'broken'
  );
}

interface Location {
  readonly uri: string;
  readonly line: number;
}

function placeFor(p: Problem, module: string | null | undefined, o: SarifOptions): Location {
  if (p.place) return { uri: uriOf(p.place.file, o), line: Math.max(1, p.place.line) };
  return { uri: uriOf(module ?? o.fallback ?? 'ringfence-report/report.json', o), line: 1 };
}

function uriOf(path: string, roots: Roots): string {
  return toldFrom(path, roots).split('/').map(encodeURIComponent).join('/');
}

function physical({ uri, line }: Location) {
  return { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine: line } } };
}

function resultOf(p: Problem, ruleIndex: number, at: Location) {
  const lines = [`${p.suite}: ${p.says}`, ...(p.trace === null ? [] : [`trace: ${p.trace}`])];
  const key = [p.kind, p.suite, p.subject, p.mechanism].join('\u0000');
  const steps = p.steps
    .slice(0, MAX_STEPS)
    .map((text) => ({ location: { ...physical(at), message: { text: printable(text) } } }));
  return {
    ruleId: ruleId(p),
    ruleIndex,
    level: p.level,
    message: { text: lines.map(printable).join('\n') },
    locations: [physical(at)],
    partialFingerprints: { 'ringfence/v1': createHash('sha256').update(key).digest('hex').slice(0, 32) },
    ...(steps.length > 0 && { codeFlows: [{ threadFlows: [{ locations: steps }] }] }),
  };
}
