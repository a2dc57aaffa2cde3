/** Progress on a truncated exploration: what lies beyond is given the benefit of the doubt, so a finding is one. */
import { describe, expect, it } from 'vitest';
import { doorSuite } from '../../cli/fixtures/door.js';
import { isMutant } from '../../drivers/suite.js';
import type { Progress } from '../../properties/property.js';
import { exploreExhaustively } from '../exhaustive.js';
import { checkProgress } from '../progress.js';
import { buildAt } from './loading.js';

const claim = doorSuite.claims[1];
const served = claim.keeps[0] as Progress<never>;
const { off } = claim.without[0];

function check(mutant: boolean, maxDepth: number, cut: boolean): boolean {
  const m = buildAt(doorSuite, doorSuite.scope.default, mutant && isMutant(off) ? { edits: off.edits } : {});
  const { progressing } = exploreExhaustively(m, { maxDepth, mayStop: () => true });
  return checkProgress(m, progressing.store, served, undefined, cut).holds;
}

describe('progress on a truncated exploration', () => {
  it.each([1, 2, 3, 4, 6])(
    'to depth %i: the right specification is not accused, although its goal may lie beyond',
    (depth) => {
      expect(check(false, depth, true)).toBe(true);
    },
  );
  it('without the benefit of the doubt it would be', () => expect(check(false, 1, false)).toBe(false));
  it('the wrong one is found out as soon as it is stuck', () => expect(check(true, 6, true)).toBe(false));
});
