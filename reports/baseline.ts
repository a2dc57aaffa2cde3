/**
 * The baseline: what a committed report claims, in the fewest words that the gate needs, sorted, so that its changes can be reviewed. No
 * figure of it depends on time, and none on how many states a specification happens to have.
 */
import { z } from 'zod';
import type { FastpathSheet } from '../explore/fastpath/sheet.js';
import type { Report, SuiteReport } from './report.js';
import { ReportError } from './reportError.js';

export const BASELINE_FORMAT = 'ringfence-baseline';
export const BASELINE_VERSION = 1;

const text = z.string();
const texts = z.array(text);

const baseline = z.strictObject({
  format: z.literal(BASELINE_FORMAT),
  version: z.literal(BASELINE_VERSION),
  suites: z.array(
    z.strictObject({
      name: text,
      scope: z.record(text, z.int().min(0)),
      schedule: z.enum(['whole', 'split']),
      /** The exhaustive run visited every state of the scope. */
      complete: z.boolean(),
      claims: z.array(
        z.strictObject({
          says: text,
          verdict: text,
          evidence: texts,
          /** Counterparts that broke, as they must: gates off and mutants in. */
          broke: texts,
          reachedWitnesses: texts,
        }),
      ),
      /** Known breaches: property and mechanism. */
      findings: texts,
      /** Fault classes that arrived. */
      injected: texts,
    }),
  ),
  /** Operations of the fast path that allocate nothing, by suite; null when it was not measured. */
  fastpath: z.record(text, texts).nullable(),
});

export type Baseline = Readonly<z.infer<typeof baseline>>;
export type SuiteBaseline = Baseline['suites'][number];

/** Ascending by code units: the same on every machine. */
export const ascending = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const sorted = (list: Iterable<string>): string[] => [...new Set(list)].sort(ascending);

/** How a finding is known: not by its trace, which may change with the scope. */
export const findingKey = (f: { readonly property: string; readonly mechanism: string }): string =>
  `${f.property}: ${f.mechanism}`;

export function baselineOf(report: Report, fastpath: FastpathSheet | undefined): Baseline {
  return {
    format: BASELINE_FORMAT,
    version: BASELINE_VERSION,
    suites: [...report.suites].sort((a, b) => ascending(a.name, b.name)).map(suiteBaseline),
    fastpath: fastpath ? fastpathBaseline(fastpath) : null,
  };
}

function suiteBaseline(s: SuiteReport): SuiteBaseline {
  return {
    name: s.name,
    scope: Object.fromEntries(Object.entries(s.scope).sort(([a], [b]) => ascending(a, b))),
    schedule: s.schedule,
    complete: s.exhaustive?.verdict === 'complete',
    claims: [...s.claims]
      .sort((a, b) => ascending(a.says, b.says))
      .map((c) => ({
        says: c.says,
        verdict: c.verdict,
        evidence: sorted(c.evidence),
        broke: sorted(c.counterparts.filter((p) => p.outcome === 'broke').map(counterpartKey)),
        reachedWitnesses: sorted(c.reachedWitnesses),
      })),
    findings: sorted(s.findings.map(findingKey)),
    injected: sorted(s.faults.filter((f) => f.injected > 0).map((f) => f.id)),
  };
}

/** `gate IOTLB invalidation, I1 reach` */
export const counterpartKey = (p: { readonly kind: string; readonly off: string; readonly breaks: string }): string =>
  `${p.kind} ${p.off}, ${p.breaks}`;

function fastpathBaseline(sheet: FastpathSheet): Record<string, string[]> {
  const suites = [...sheet.suites].sort((a, b) => ascending(a.suite, b.suite));
  return Object.fromEntries(
    suites.map((s) => [s.suite, sorted(s.operations.filter((o) => o.verdict === 'zero').map((o) => o.operation))]),
  );
}

/** JSON text: two spaces, a newline at the end; equal baselines are equal bytes. */
export function baselineText(b: Baseline): string {
  return `${JSON.stringify(b, undefined, 2)}\n`;
}

/**
 * Reads a baseline.
 * @param name how messages call it: a path
 * @throws ReportError RF-BASELINE
 */
export function readBaseline(json: string, name: string): Baseline {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    throw new ReportError('RF-BASELINE', `${name} is not JSON; write it again with 'ringfence gate --update'`);
  }
  const parsed = baseline.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'its root';
  throw new ReportError('RF-BASELINE', `${name} is no baseline of this version, at ${where}: ${issue?.message ?? ''}`);
}
