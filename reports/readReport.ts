/** Reading a report back: defensively, for reports travel between machines. The published schema is report.schema.json. */
import { z } from 'zod';
import { REPORT_FORMAT, REPORT_VERSION, type Report } from './report.js';
import { ReportError } from './reportError.js';

/** Larger reports are refused before they are parsed, in characters. */
const MAX_REPORT_CHARS = 256 * 1024 * 1024;

const text = z.string();
const count = z.int().min(0);
const counts = z.record(text, count);
const texts = z.array(text);

const run = {
  verdict: z.enum(['complete', 'truncated']),
  truncatedBy: text,
  states: count,
  transitions: count,
  depth: count,
  stateBytes: count,
};

const place = z.looseObject({ file: text, line: count }).meta({ description: "the step's source line" });

const finding = z.looseObject({
  property: text,
  states: text,
  why: text,
  mechanism: text,
  length: count,
  minimal: z.boolean(),
  foundBy: z.enum(['exhaustive', 'fail-nth', 'two runs', 'random']),
  steps: texts,
  trace: text.meta({ description: 'file name in traces/' }),
  at: place.nullable(),
});

const counterpart = z.looseObject({
  off: text,
  kind: z.enum(['gate', 'mutant']),
  says: text,
  source: text,
  breaks: text,
  outcome: z.enum(['broke', 'held', 'open']),
  length: count.nullable(),
  minimal: z.boolean(),
  trace: text.nullable(),
  random: z.looseObject({ found: z.boolean(), shrunkLength: count.nullable(), runs: count.nullable() }).nullable(),
});

const claim = z.looseObject({
  says: text,
  expects: z.enum(['contained', 'not contained']),
  verdict: z.enum(['proved within scope', 'sampled', 'not exercised', 'broken', 'not contained', 'error']),
  because: texts,
  evidence: z.array(
    z.enum(['exhaustive', 'progress', 'two runs', 'fail-nth', 'random', 'gate off', 'mutant', 'breach']),
  ),
  properties: texts,
  against: texts,
  counterparts: z.array(counterpart),
  missingWitnesses: texts,
  reachedWitnesses: texts,
  breach: z
    .looseObject({
      property: text,
      why: text,
      length: count,
      minimal: z.boolean(),
      trace: text,
      // Reports of before did not say.
      injected: counts.optional(),
    })
    .nullable(),
});

const fault = z.looseObject({
  id: text,
  title: text,
  claimed: z.boolean(),
  modelled: z.boolean(),
  injected: count,
  reached: count,
  blocked: counts,
  refused: counts,
  through: count,
  never: texts,
  sampled: count,
});

const suite = z.looseObject({
  name: text,
  title: text,
  module: text.nullable(),
  scopeName: text,
  scope: counts,
  schedule: z.enum(['whole', 'split']),
  specification: text.nullable(),
  exhaustive: z.looseObject(run).nullable(),
  failNth: z.array(z.looseObject({ ...run, nth: count, failed: count })),
  random: z.looseObject({ runs: count, executed: count, verdict: text }).nullable(),
  claims: z.array(claim),
  findings: z.array(finding),
  faults: z.array(fault),
  operations: z.array(
    z.looseObject({
      operation: text,
      fault: text,
      ok: count,
      refused: counts,
      blocked: counts,
      inStates: z.looseObject({ ok: z.array(count), refused: z.array(count), blocked: z.array(count) }).optional(),
    }),
  ),
  stateClasses: texts.optional(),
  notTested: texts,
  error: z.looseObject({ code: text, blame: z.enum(['usage', 'environment']), says: text }).nullable(),
});

const report = z.looseObject({
  format: z.literal(REPORT_FORMAT),
  version: z.literal(REPORT_VERSION),
  ringfence: text,
  inputs: z.looseObject({ seed: z.int(), runs: count, timeMs: z.number().nullable() }),
  verdict: z.enum(['holds', 'broken', 'error', 'partial']),
  partial: z.enum(['no', 'interrupt', 'time']),
  shard: z
    .object({ index: z.int().min(1), of: z.int().min(1), suites: texts })
    .meta({ description: 'which part of a run this is; the suites are those of the whole run, in order' })
    .optional(),
  suites: z.array(suite),
  errors: z.array(z.looseObject({ module: text, code: text, says: text })),
});

/**
 * Reads the text of a report.
 * @param name how messages call it: a path
 * @throws ReportError RF-REPORT
 */
export function readReport(json: string, name: string): Report {
  const bad = (what: string): never => {
    throw new ReportError('RF-REPORT', `${name} ${what}`);
  };
  if (json.length > MAX_REPORT_CHARS) bad(`is too large for a report: at most ${MAX_REPORT_CHARS} characters are read`);
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    return bad('is not JSON; is it cut off?');
  }
  const header = z.looseObject({ format: z.unknown(), version: z.unknown() }).safeParse(raw);
  if (!header.success || header.data.format !== REPORT_FORMAT)
    bad(`is not a report: its "format" is not "${REPORT_FORMAT}"`);
  if (header.data?.version !== REPORT_VERSION) {
    bad(`has version ${String(header.data?.version).slice(0, 20)}; this Ringfence reads version ${REPORT_VERSION}`);
  }
  const parsed = report.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return bad(`is damaged at ${issue?.path.join('.') || 'its root'}: ${issue?.message ?? ''}`);
  }
  // As it was written: the order of its keys is part of what is compared byte by byte.
  return raw as Report;
}
