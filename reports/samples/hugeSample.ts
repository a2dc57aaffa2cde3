/** A report as large as reports get: many findings, one of them with a very long trace. */
import { readTrace, writeTrace } from '../../explore/traceFile.js';
import type { FindingReport, SuiteReport } from '../report.js';
import type { Sample } from './sampleReport.js';

/**
 * Adds findings to the last suite of a broken sample.
 * @param steps length of the trace of the first added finding
 */
export function hugeSample(from: Sample, findings: number, steps: number): Sample {
  const last = from.report.suites.at(-1);
  const model = last?.findings[0];
  const text = model && from.traces.get(model.trace);
  if (!last || !model || text === undefined) throw new RangeError('the sample has no finding to repeat');
  const traces = new Map(from.traces);
  const short = readTrace(text);
  const [initial, ...round] = short.steps;
  if (!initial) throw new RangeError('the trace has no steps');
  const long = Array.from({ length: steps }, (_, i) => {
    const step = round[i % round.length] ?? initial;
    return {
      ...step,
      says: `${step.says} for the ${i + 1}th time`,
      status: i % 7 === 3 ? 'blocked by sample IOMMU' : 'ok',
    };
  });
  const name = 'lending-i1-00000000.json';
  traces.set(name, writeTrace({ ...short, steps: [initial, ...long] }));
  const more = Array.from(
    { length: findings },
    (_, i): FindingReport => ({
      ...model,
      property: `I${i % 15} property ${i}`,
      mechanism: `operation ${i}`,
      why: `finding ${i}: ${model.why}`,
      length: i === 0 ? 1 : 100 + i,
      steps: i === 0 ? long.map((s) => s.says) : model.steps,
      trace: i === 0 ? name : model.trace,
    }),
  );
  const because = more.map((f) => `${f.property} broke after ${f.length} steps: ${f.why}`);
  const suite: SuiteReport = {
    ...last,
    findings: [...last.findings, ...more],
    claims: last.claims.map((c) => ({ ...c, because: [...c.because, ...because] })),
  };
  return {
    retold: from.retold,
    report: { ...from.report, suites: [...from.report.suites.slice(0, -1), suite] },
    traces,
  };
}
