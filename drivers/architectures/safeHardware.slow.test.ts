/** The Safe Hardware Interface at its default scopes: how many states there are, what two runs show, and how often drivers may die. */
import { expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { exploreTwoRuns } from '../../explore/noninterference.js';
import { checkProgress } from '../../explore/progress.js';
import { idMatch } from '../../model/architectures/safeHardware/controlState.js';
import type { FaultId } from '../../model/kernel/index.js';
import { believedAwaited, controlIndices } from '../../properties/architectures/safeHardwareControl.js';
import { isMutant, propertiesOf, type Suite } from '../suite.js';
import { blockDistrustSuite, blockHostileSuite, blockRecoverySuite } from './safeHardwareBlock.js';
import { channelSuite } from './safeHardwareChannel.js';
import { controlSuite } from './safeHardwareControl.js';
import { netGuests, netRxNow, netRxThen, netTxNow, netTxThen } from './safeHardwareNet.js';
import { netStrangersNow, netStrangersReceive, netStrangersThen } from './safeHardwareNetStrangers.js';
import { eventsSuite, iommuSuite, ioSuite, linesSuite, memorySuite, messagesNow } from './safeHardwareParts.js';
import { strangersSuite } from './safeHardwareStrangers.js';

function holds(s: Suite, scope = s.scope.default, faults?: readonly FaultId[]): number {
  const m = buildAt(s, scope, faults ? { faults } : {});
  const properties = propertiesOf({ ...s, claims: s.claims.filter((c) => c.expects === 'contained') });
  const found = exploreExhaustively(m, { properties, mayStop: s.mayStop as (m: never) => boolean });
  expect(found.findings).toEqual([]);
  expect(found.verdict).toBe('complete');
  expect(found.witnesses.filter((w) => !w.reached)).toEqual([]);
  for (const p of properties) {
    if (p.kind === 'progress') expect(checkProgress(m, found.progressing.store, p)).toMatchObject({ holds: true });
  }
  return found.states;
}

it.each([
  [memorySuite, 9_163],
  [ioSuite, 17_010],
  [linesSuite, 2_024],
  [eventsSuite, 4_386],
  [messagesNow, 513],
  [iommuSuite, 9_572],
  [channelSuite, 8_424],
  [controlSuite, 57_630],
  [netTxNow, 95_826],
  [netRxNow, 8_543],
  [netGuests, 52_771],
  [blockRecoverySuite, 90_252],
  [blockHostileSuite, 38_922],
  [blockDistrustSuite, 8_369],
  [strangersSuite, 9_540],
  [netStrangersNow, 5_600],
  [netStrangersReceive, 2_984],
] as const)('$name holds in all of its default scope', (s, states) => {
  expect(holds(s)).toBe(states);
});

it.each([
  [netTxThen, 59_166, ['F1', 'F5', 'F6', 'F10', 'F11']],
  [netRxThen, 4_917, ['F4', 'F10', 'F11', 'F12']],
  [netStrangersThen, 4_192, ['F1', 'F10', 'F11']],
] as const)('$name holds but for attacks by DMA, which nothing stops there', (s, states, faults) => {
  expect(holds(s, s.scope.default, faults)).toBe(states);
});

it.each([2, 3, 4])('a driver domain with %i lives leaves nothing behind', (generation) => {
  for (const s of [netTxNow, netRxNow]) holds(s, { ...s.scope.default, generation });
});

it.each(
  memorySuite.claims.flatMap((c) =>
    c.keeps.flatMap((p) => (p.kind === 'noninterference' ? [[p.name, p, c] as const] : [])),
  ),
)('two runs: %s', (_name, p, c) => {
  const scope = memorySuite.scope.default;
  const held = exploreTwoRuns(buildAt(memorySuite, scope), p);
  expect([held.verdict, held.finding]).toEqual(['complete', undefined]);
  expect(held.differing).toBeGreaterThan(0);
  const teeth = c.without.filter((w) => w.breaks === p);
  expect(teeth.length).toBeGreaterThan(0);
  for (const { off } of teeth) {
    const more = isMutant(off) ? { edits: off.edits } : { gatesOff: [off] };
    expect(exploreTwoRuns(buildAt(memorySuite, scope, more), p).finding?.trace.length).toBeLessThanOrEqual(9);
  }
});

it.each([
  [strangersSuite, [28_710], undefined],
  [netStrangersNow, [71_472, 7_664, 8_112], undefined],
  [netStrangersThen, [32_640, 4_192], ['F1', 'F10', 'F11']],
  [netStrangersReceive, [26_152], undefined],
] as const)('$name: no stranger notices anything, in all pairs of runs', (s, pairs, faults) => {
  const properties = s.claims.filter((c) => c.expects === 'contained').flatMap((c) => c.keeps);
  const answers = properties
    .flatMap((p) => (p.kind === 'noninterference' ? [p] : []))
    .map((p) => exploreTwoRuns(buildAt(s, s.scope.default, faults ? { faults } : {}), p));
  expect(answers.map((a) => [a.verdict, a.finding])).toEqual(pairs.map(() => ['complete', undefined]));
  expect(answers.map((a) => a.pairs)).toEqual(pairs);
  for (const a of answers) expect(a.differing).toBeGreaterThan(0);
});

it('control rings have eight slots as well, and ids beyond them are refused', () => {
  const eight = { slot: 8, index: 16, 'message id': 8, 'id byte': 9, life: 2, 'full ring': 2 };
  const options = { properties: [believedAwaited, controlIndices], mayStop: () => true, maxStates: 20_000 };
  const held = exploreExhaustively(buildAt(controlSuite, eight), options);
  expect([held.verdict, held.findings]).toEqual(['truncated', []]);
  const broken = exploreExhaustively(buildAt(controlSuite, eight, { gatesOff: [idMatch] }), options);
  expect(broken.findings.map((f) => [f.property.id, f.trace.length - 1])).toEqual([['X-S7', 2]]);
});
