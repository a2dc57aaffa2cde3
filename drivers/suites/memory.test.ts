/** The memory suites at small scope, and every counterpart that their claims name. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { memory, memoryRace, memoryReuse, strangers } from './memory.js';

const holds = (states: number) => ({ verdict: 'complete', states, findings: [], unreached: [] });

describe('small scopes', () => {
  it('memory-race holds', () => expect(checkScope(memoryRace, memoryRace.scope.small)).toEqual(holds(40_929)));
  it('strangers hold, in both two-run properties', () => {
    expect(checkScope(strangers, strangers.scope.default)).toEqual(holds(2401));
  });
  it('memory-reuse holds', () => expect(checkScope(memoryReuse, memoryReuse.scope.default)).toEqual(holds(17_469)));
});

describe.each([memory, memoryReuse, memoryRace, strangers].map((s) => [s.name, s] as const))('suite %s', (_name, s) => {
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
