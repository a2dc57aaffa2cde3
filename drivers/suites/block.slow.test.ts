/** The suites of block.ts at their default scopes: complete, nothing found, nothing vacuous; and each counterpart breaks in at most 8 steps. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { checkProgress } from '../../explore/progress.js';
import { build } from '../../model/kernel/index.js';
import { isMutant, propertiesOf } from '../suite.js';
import { block, blockDistrust, blockHostile } from './block.js';

describe.each([block, blockDistrust, blockHostile])('$name', (s) => {
  const schedule = s.schedule ?? 'whole';

  it('is complete, without findings, every witness reached', () => {
    const machine = build(s.machine, { scope: s.scope.default, schedule });
    const result = exploreExhaustively(machine, {
      properties: propertiesOf(s),
      mayStop: (m: never) => s.mayStop?.(m, m as never) ?? false,
    });
    expect(result).toMatchObject({ verdict: 'complete', findings: [] });
    expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    for (const p of propertiesOf(s)) {
      if (p.kind !== 'progress') continue;
      const answer = checkProgress(machine, result.progressing.store, p);
      expect(answer.holds).toBe(true);
      expect(answer.pendingStates).toBeGreaterThan(0);
    }
  });

  const counterparts = s.claims.flatMap((c) => c.without).map((w) => ({ off: w.off.name, breaks: w.breaks.name, w }));
  it.each(counterparts)('without: $off breaks $breaks', ({ w }) => {
    const machine = build(s.machine, {
      scope: w.scope ?? s.scope.default,
      schedule,
      ...(isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] }),
    });
    const isProgress = w.breaks.kind === 'progress';
    const result = exploreExhaustively(machine, {
      properties: isProgress ? [] : [w.breaks],
      mayStop: () => true,
      frameCondition: false,
      stopAtFirst: true,
    });
    const finding =
      w.breaks.kind === 'progress'
        ? checkProgress(machine, result.progressing.store, w.breaks).finding
        : result.findings[0];
    expect(finding?.property.id).toBe(w.breaks.id);
    expect(finding?.trace.length).toBeLessThanOrEqual(9);
  });
});
