/** The grant suites at small scope, every counterpart that their claims name, and what the architecture does not claim. */
import { describe, expect, it } from 'vitest';
import { checkBreach, checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { grantPublication, grantQuota, grantRace, handleRace } from './grantRaces.js';
import { grantStrangers, grants, hostileGranter, staleIds, subPage } from './grants.js';

const holds = (states: number) => ({ verdict: 'complete', states, findings: [], unreached: [] });

describe('small scopes', () => {
  it.each([
    [grants, 8_029],
    [hostileGranter, 845],
    [grantPublication, 717],
    [grantRace, 60_540],
    [handleRace, 7_088],
    [grantQuota, 520],
    [grantStrangers, 10_080],
  ])('$name holds', (s, states) => {
    expect(checkScope(s, s.scope.small ?? s.scope.default)).toEqual(holds(states));
  });
});

const contained = [grants, hostileGranter, grantPublication, grantRace, handleRace, grantQuota, grantStrangers];

describe.each(contained.map((s) => [s.name, s] as const))('suite %s', (_name, s) => {
  it.each(s.claims.flatMap((c) => c.without.map((w) => [w.off.name, `${w.breaks.id} ${w.breaks.name}`, w] as const)))(
    'without %s breaks %s within 8 steps',
    (_off, _breaks, w) => {
      const { steps, why } = checkCounterpart(s, w);
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThanOrEqual(8);
      expect(why).not.toBe('');
    },
  );
});

describe('what grants do not contain', () => {
  it('a neighbour in the page of a granted buffer', () => {
    const { property, why } = checkBreach(subPage, subPage.claims[0].says, subPage.scope.default);
    expect([property, why]).toEqual(['I11 bytes', 'domain 2 has read a secret of domain 1']);
    expect(checkScope(subPage, subPage.scope.default).findings).toEqual([]);
  });
  it('a grant to the former domain of an id', () => {
    const { property, why } = checkBreach(staleIds, staleIds.claims[0].says, staleIds.scope.default);
    expect([property, why]).toEqual([
      'I9 inheritance',
      'domain 2 maps what domain 1 granted to the former domain of that id',
    ]);
    expect(checkScope(staleIds, staleIds.scope.default).findings).toEqual([]);
  });
});
