/** Event channels at default scopes. */
import { expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { checkProgress } from '../../explore/progress.js';
import { build } from '../../model/kernel/index.js';
import { isMutant, propertiesOf } from '../suite.js';
import { events, eventsClosing, eventsMasked, eventsRace } from './events.js';

it.each([
  ['events', events, 88_004],
  ['events-race', eventsRace, 636_596],
  ['events-masked', eventsMasked, 34],
  ['events-closing', eventsClosing, 1_542],
] as const)('suite %s holds in all of its default scope', (_name, s, states) => {
  const m = build(s.machine, { scope: s.scope.default, schedule: s.schedule ?? 'whole' });
  const properties = propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
  const found = exploreExhaustively(m, { properties });
  expect(found.findings).toEqual([]);
  expect(found.witnesses.filter((w) => !w.reached)).toEqual([]);
  expect([found.verdict, found.states]).toEqual(['complete', states]);
  for (const p of properties) {
    if (p.kind === 'progress') expect(checkProgress(m, found.progressing.store, p)).toMatchObject({ holds: true });
  }
});

it.each(
  [events, eventsRace, eventsMasked, eventsClosing].flatMap((s) =>
    s.claims.flatMap((c) => c.without.map((w) => [s.name, w.off.name, w.breaks.name, s, w] as const)),
  ),
)('suite %s without "%s": "%s" breaks in at most 8 steps of the default scope', (_suite, _off, _breaks, s, w) => {
  const edited = isMutant(w.off) ? { edits: w.off.edits } : { gatesOff: [w.off] };
  const m = build(s.machine, { scope: w.scope ?? s.scope.default, schedule: s.schedule ?? 'whole', ...edited });
  const found = exploreExhaustively(m, {
    properties: [w.breaks],
    stopAtFirst: true,
    frameCondition: false,
    mayStop: () => true,
  });
  const late = w.breaks.kind === 'progress' ? checkProgress(m, found.progressing.store, w.breaks).finding : undefined;
  const finding = found.findings[0] ?? late;
  expect(finding?.property).toMatchObject({ id: w.breaks.id, name: w.breaks.name });
  expect((finding?.trace.length ?? 99) - 1).toBeLessThanOrEqual(8);
});
