/** The VT-d suites at their default scope: complete, clean, with exact state counts. */
import { expect, it } from 'vitest';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { propertiesOf } from '../suite.js';
import { vtd } from './vtd.js';

it('suite vtd holds in all of its default scope', () => {
  const machine = build(vtd.machine, { scope: vtd.scope.default, schedule: 'split' });
  const result = exploreExhaustively(machine, { properties: propertiesOf(vtd) });
  expect(result.findings).toEqual([]);
  expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
  expect([result.verdict, result.states]).toEqual(['complete', 206_702]);
});
