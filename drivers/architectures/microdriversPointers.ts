/**
 * Suites of the pointers that cross between the halves of a microdriver: into the middle of objects, and to functions.
 */
import { trackerFaults } from '../../faults/architectures/microdrivers.js';
import {
  copyRangeKeepsSize,
  copyRangeSurvivesFree,
  nearestBase,
  originalRangeSurvives,
  ownBounds,
  rangeKeepsSize,
  rangeKeepsSizeUp,
  rangeSurvivesFree,
  rangeSurvivesUserFree,
  sizeOfOtherHalf,
} from '../../faults/architectures/microdriversPointerMutants.js';
import { strayPointers } from '../../faults/architectures/microdriversPointers.js';
import { interiorPointers, rangeBounds } from '../../model/architectures/microdrivers/interiorPointers.js';
import { tracker } from '../../model/architectures/microdrivers/tracker.js';
import type { Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { interiorKinds, interiorRight, rangesFollow } from '../../properties/architectures/microdriversPointers.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS } from './microdriversObjects.js';

/** Sentences of the claims that settle cells. */
export const POINTERS_SAY = {
  interior: 'a pointer into an object becomes one to the same place of its partner, or an error',
  kinds: 'a pointer into an object that the user half returns is into one of the kind that its field wants',
} as const;

/** Pointers into the middle of objects. */
export const rangesSuite = suite('microdrivers-ranges', {
  title:
    'pointers into the middle of objects, while both halves allocate, resize and free, and the user half returns any address',
  machine: { name: 'microdrivers ranges', modules: [trackerFaults, strayPointers, tracker, interiorPointers] },
  scope: {
    small: { object: 2, pointer: 2 },
    default: { object: 3, pointer: 2 },
    large: { object: 3, pointer: 3 },
  },
  claims: [
    claim('ranges follow the pairs of the tracker', {
      keeps: [rangesFollow],
      against: ['F12'],
      without: [
        { off: rangeSurvivesFree, breaks: rangesFollow },
        { off: copyRangeSurvivesFree, breaks: rangesFollow },
        { off: rangeSurvivesUserFree, breaks: rangesFollow },
        { off: originalRangeSurvives, breaks: rangesFollow },
        { off: rangeKeepsSize, breaks: rangesFollow },
        { off: rangeKeepsSizeUp, breaks: rangesFollow },
        { off: copyRangeKeepsSize, breaks: rangesFollow },
      ],
    }),
    claim(POINTERS_SAY.interior, {
      keeps: [interiorRight],
      against: ['F5', 'F12'],
      without: [
        { off: rangeBounds, breaks: interiorRight },
        { off: rangeSurvivesFree, breaks: interiorRight },
        { off: rangeSurvivesUserFree, breaks: interiorRight },
        { off: rangeKeepsSizeUp, breaks: interiorRight },
        { off: sizeOfOtherHalf, breaks: interiorRight },
        { off: ownBounds, breaks: interiorRight },
        { off: nearestBase, breaks: interiorRight },
      ],
    }),
    claim(POINTERS_SAY.kinds, {
      keeps: [interiorKinds],
      against: ['F5'],
      without: [],
      expects: 'not contained',
    }),
  ],
  mayStop: (m: Tracker) => m.runtime.panicked[0] === 1 || m.runtime.userHalf[0] === 1,
  assumptions: [
    ...ASSUMPTIONS,
    'scoped: objects of one word or two, at places two words apart; a reallocation finds room where the object is',
    'stubbed: what the two words are is the same in both halves; a stub that lays objects out anew has its own table of offsets',
  ],
});

export const pointerSuites = [rangesSuite];
