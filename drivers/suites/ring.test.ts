/** The ring suites at small scopes, and every counterpart that their claims name. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { ring, ringHostile } from './ring.js';

it.each([
  [ring, 54_790],
  [ringHostile, 5332],
])('$name holds at small scope, every witness reached', (s, states) => {
  expect(checkScope(s, s.scope.small ?? s.scope.default)).toEqual({
    verdict: 'complete',
    states,
    findings: [],
    unreached: [],
  });
});

describe.each([ring, ringHostile].map((s) => [s.name, s] as const))('suite %s', (_name, s) => {
  it.each(s.claims.flatMap((c) => c.without.map((w) => [w.off.name, `${w.breaks.id} ${w.breaks.name}`, w] as const)))(
    'without %s breaks %s within 8 steps',
    (_off, _breaks, w) => {
      const scope = w.breaks.kind === 'progress' ? s.scope.small : w.scope;
      const { steps, why } = checkCounterpart(s, { ...w, ...(scope && { scope }) });
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThanOrEqual(8);
      expect(why).not.toBe('');
    },
  );
});
