/** The block suites at small scopes, and every counterpart that their claims name. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { block, blockDistrust, blockFailures } from './block.js';
import { blockHostile } from './blockHostile.js';
import { blockNeighbours, blockSecrets, blockShared } from './blockSharing.js';

it.each([
  [block, block.scope.small, 9918],
  [blockFailures, blockFailures.scope.small, 9879],
  [blockHostile, blockHostile.scope.small, 33_162],
  [blockDistrust, blockDistrust.scope.small, 8369],
  [blockShared, blockShared.scope.default, 27_940],
  [blockNeighbours, blockNeighbours.scope.default, 9180],
])('$name holds at small scope, every witness reached', (s, scope, states) => {
  expect(checkScope(s, scope)).toEqual({ verdict: 'complete', states, findings: [], unreached: [] });
});

const suites = [block, blockFailures, blockHostile, blockDistrust, blockShared, blockSecrets, blockNeighbours];
describe.each(suites.map((s) => [s.name, s] as const))('suite %s', (_name, s) => {
  const sampled = s.claims.flatMap((c) => c.without).filter((w) => w.breaks.kind !== 'progress');
  it.each(sampled.map((w) => [w.off.name, `${w.breaks.id} ${w.breaks.name}`, w] as const))(
    'without %s breaks %s within 8 steps',
    (_off, _breaks, w) => {
      const { steps, why } = checkCounterpart(s, w);
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThanOrEqual(8);
      expect(why).not.toBe('');
    },
  );
});

const lasting = suites.flatMap((s) =>
  s.claims.flatMap((c) => c.without.filter((w) => w.breaks.kind === 'progress').map((w) => ({ s, w }))),
);
it.each(lasting.map(({ s, w }) => [s.name, w.off.name, w.breaks.name, s, w] as const))(
  '%s without %s never sees to "%s", shown at small scope within 8 steps',
  (_name, _off, _breaks, s, w) => {
    const { steps } = checkCounterpart(s, { ...w, scope: s.scope.small ?? s.scope.default });
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(8);
  },
);
