/** I/O space at small scopes: claims hold, and each gate and mutant breaks what it should. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { checkProgress } from '../../explore/progress.js';
import { revokeDevice } from '../../model/ioAssignment.js';

import { build, type MachineOptions, omit } from '../../model/kernel/index.js';
import type { AnyProperty, Progress } from '../../properties/property.js';
import { type Counterpart, isMutant, propertiesOf, type Suite } from '../suite.js';
import { ioRevocation, ioSpaceSuite } from './io.js';

const isProgress = (p: AnyProperty): p is Progress<never> => p.kind === 'progress';

/** The machine of a suite at its small scope. */
const at = (s: Suite, more: Partial<MachineOptions> = {}) =>
  build(s.machine, { scope: s.scope.small ?? s.scope.default, schedule: s.schedule ?? 'whole', ...more });

/** Steps of the shortest way to break the property, or undefined when it holds. */
function stepsTo(s: Suite, property: AnyProperty, more: Partial<MachineOptions>): number | undefined {
  const m = at(s, more);
  const found = exploreExhaustively(m, {
    properties: [property],
    stopAtFirst: true,
    frameCondition: false,
    mayStop: () => true,
  });
  const late = isProgress(property) ? checkProgress(m, found.progressing.store, property).finding : undefined;
  const finding = found.findings[0] ?? late;
  expect(finding?.property ?? property).toMatchObject({ id: property.id, name: property.name });
  return finding && finding.trace.length - 1;
}

const without = ({ off }: Counterpart): Partial<MachineOptions> =>
  isMutant(off) ? { edits: off.edits } : { gatesOff: [off] };

describe.each([
  ['io-space', ioSpaceSuite, 17_010],
  ['io-revocation', ioRevocation, 5_418],
] as const)('suite %s, small', (_name, s, states) => {
  const held = s.claims.filter((c) => c.expects === 'contained');

  it('holds what it claims, with every witness reached', () => {
    const m = at(s);
    const properties = propertiesOf({ ...s, claims: held });
    const found = exploreExhaustively(m, { properties });
    expect(found.findings).toEqual([]);
    expect(found.witnesses.filter((w) => !w.reached)).toEqual([]);
    expect([found.verdict, found.states]).toEqual(['complete', states]);
    for (const p of properties.filter(isProgress)) {
      const answer = checkProgress(m, found.progressing.store, p);
      expect(answer).toMatchObject({ holds: true });
      expect(answer.pendingStates).toBeGreaterThan(0);
    }
  });

  it.each(held.flatMap((c) => c.without.map((w) => [w.off.name, w.breaks.name, w] as const)))(
    'without "%s", "%s" breaks in at most 8 steps',
    (_off, _breaks, w) => {
      expect(stepsTo(s, w.breaks, { ...without(w), ...(w.scope && { scope: w.scope }) })).toBeLessThanOrEqual(8);
    },
  );
});

type RevokeStep = keyof typeof revokeDevice.steps;

describe('revocation', () => {
  // Without its last step the device is never free again; that shows as a witness that is not reached.
  const steps = (Object.keys(revokeDevice.steps) as RevokeStep[]).filter((step) => step !== 'remove');

  it.each(steps)('needs its step "%s"', (step) => {
    const edits = [omit(revokeDevice, step)];
    const broken = [ioSpaceSuite, ioRevocation].flatMap((s) =>
      exploreExhaustively(at(s, { edits }), { properties: propertiesOf(s), stopAtFirst: true }).findings.map(
        (f) => f.property.id,
      ),
    );
    expect(broken.length).toBeGreaterThan(0);
  });
});
