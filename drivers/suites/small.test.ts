/** The small suites, each in all of its default scope, and every gate and mutant that must break them. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { bounce } from './bounce.js';
import { configSpace } from './configSpace.js';
import { grantSwap, grantTransfers } from './grantTransfer.js';
import { memoryMaps } from './memory.js';
import { specialPages } from './overlay.js';
import { pageStates } from './pageStates.js';
import { virtqueue } from './virtqueue.js';
import { xenstore } from './xenstore.js';

describe.each([
  ['config-space', configSpace, 289],
  ['memory-maps', memoryMaps, 926],
  ['grants-swap', grantSwap, 424],
  ['grants-transfer', grantTransfers, 6_008],
  ['page-states', pageStates, 416],
  ['xenstore', xenstore, 452],
  ['special-pages', specialPages, 4_488],
  ['bounce', bounce, 14_788],
  ['virtqueue', virtqueue, 25_708],
] as const)('suite %s', (_name, s, states) => {
  it('holds, with every witness reached', () => {
    const answer = checkScope(s, s.scope.default);
    expect(answer).toEqual({ verdict: 'complete', states, findings: [], unreached: [] });
  });

  it.each(s.claims.flatMap((c) => c.without.map((w) => [w.off.name, w.breaks.name, w] as const)))(
    'without %s breaks %s in at most 8 steps',
    (_off, _breaks, w) => {
      const { steps } = checkCounterpart(s, w);
      expect(steps).toBeGreaterThan(0);
      expect(steps).toBeLessThanOrEqual(8);
    },
  );
});
