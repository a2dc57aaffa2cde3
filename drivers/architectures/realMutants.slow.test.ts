/** The twenty mutants of published code: each edit is found within ten steps, in its first suite. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart } from '../../explore/suiteChecks.js';
import { embeddedSuites } from '../catalogue.js';
import { MOST_STEPS, realMutants } from './realMutants.js';

const edits = realMutants.flatMap((r) => r.mutants.map((m) => [r.number, m.name, m] as const));

describe('mutants of published code', () => {
  it.each(edits)('%d: %s breaks what it must', (_number, _name, m) => {
    const [first] = embeddedSuites.flatMap((suite) =>
      suite.claims.flatMap((c) => c.without.filter((w) => w.off === m).map((w) => ({ suite, w }))),
    );
    const found = first && checkCounterpart(first.suite, first.w);
    expect(found?.property).toBe(`${first?.w.breaks.id} ${first?.w.breaks.name}`);
    expect(found?.steps).toBeGreaterThan(0);
    expect(found?.steps).toBeLessThanOrEqual(MOST_STEPS);
  });
});
