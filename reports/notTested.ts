/** What a suite's result does not cover, in sentences: the second half of every honest answer. */
import type { SuiteDescription } from '../explore/campaign/described.js';
import type { ExhaustiveAnswer, RandomAnswer } from '../explore/campaign/results.js';
import type { ClaimReport } from './claims.js';

/** Sentences in a fixed order: assumptions, then what was cut, never reached, never failed, never performed. */
export function notTested(
  suite: SuiteDescription,
  claims: readonly ClaimReport[],
  main: ExhaustiveAnswer | undefined,
  nth: readonly ExhaustiveAnswer[],
  random: RandomAnswer | undefined,
): string[] {
  const lines = suite.assumptions.map((a) => `assumed: ${a}`);
  if (suite.schedule === 'whole') lines.push('assumed: every operation is atomic (schedule whole)');
  if (claims.every((c) => c.expects === 'not contained')) {
    lines.push('breaches only: no claim is expected to hold, and nothing is proved');
  } else if (!main) lines.push('no exhaustive run');
  if (main?.verdict === 'truncated') {
    lines.push(`cut short by ${main.truncatedBy}: ${main.states} states seen, none beyond depth ${main.depth}`);
  }
  for (const [i, a] of nth.entries()) {
    if (a.verdict === 'truncated') lines.push(`cut short by ${a.truncatedBy}: failure of site number ${i + 1}`);
  }
  for (const w of new Set(claims.flatMap((c) => c.missingWitnesses))) lines.push(`never reached: ${w}`);
  const failing = [main, ...nth].flatMap((a) => a?.sites ?? []);
  const failed = new Set(failing.filter((s) => s.failed > 0).map((s) => s.site));
  const passed = [...new Set(failing.map((s) => s.site))].filter((site) => !failed.has(site));
  // A suite in which nothing fails says so once, as an assumption of its own.
  if (suite.failures !== 'none') lines.push(...passed.map((site) => `never failed: ${site}`));
  else if (passed.length > 0)
    lines.push(`assumed: nothing fails at ${passed.length} failure sites (failures none): ${passed.join(', ')}`);
  if (main?.resumed) lines.push('the run went on from a checkpoint: operations and faults are counted from there');
  for (const o of main?.resumed ? [] : (main?.operations ?? [])) {
    const n = [o.ok, ...Object.values(o.refused), ...Object.values(o.blocked)].reduce((a, b) => a + b, 0);
    if (n === 0) lines.push(`never performed: ${o.operation}`);
  }
  if (random?.cutShort) lines.push(`random runs were cut short: ${random.runs}`);
  for (const c of claims) {
    if (c.counterparts.length === 0 && c.expects === 'contained') lines.push(`no counterpart: ${c.says}`);
    for (const p of c.counterparts) {
      if (p.outcome === 'open') lines.push(`counterpart not run to its end: ${p.off}`);
      if (p.random && !p.random.found) lines.push(`random runs did not find the breach without ${p.off}`);
    }
  }
  return lines;
}
