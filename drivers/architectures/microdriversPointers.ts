/**
 * Suites of the pointers that cross between the halves of a microdriver: into the middle of objects, and to functions.
 */
import { trackerFaults } from '../../faults/architectures/microdrivers.js';
import {
  callbackIdLeftOut,
  calledIdLeftOut,
  copyRangeKeepsSize,
  copyRangeSurvivesFree,
  deadStayEntered,
  entryStays,
  freeEntryBelieved,
  idReused,
  nearestBase,
  originalRangeSurvives,
  ownBounds,
  rangeKeepsSize,
  rangeKeepsSizeUp,
  rangeSurvivesFree,
  rangeSurvivesUserFree,
  rawBelieved,
  sizeOfOtherHalf,
  stubCallsDead,
  stubRemembers,
  tableNotCleared,
} from '../../faults/architectures/microdriversPointerMutants.js';
import { strayPointers, wildFunctions } from '../../faults/architectures/microdriversPointers.js';
import { functionTable } from '../../model/architectures/microdrivers/functions.js';
import {
  blockingCheck,
  entryPointCheck,
  functionTypeCheck,
} from '../../model/architectures/microdrivers/functionsState.js';
import { interiorPointers, rangeBounds } from '../../model/architectures/microdrivers/interiorPointers.js';
import { tracker } from '../../model/architectures/microdrivers/tracker.js';
import type { Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { functionIdCheck } from '../../model/architectures/microdrivers/xpcState.js';
import {
  deadAreCleared,
  functionsCross,
  handlersStay,
  interiorKinds,
  interiorRight,
  jumpsKnown,
  ownCallbacks,
  rangesFollow,
  stubsRight,
  typesAgree,
} from '../../properties/architectures/microdriversPointers.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS } from './microdriversObjects.js';

/** Sentences of the claims that settle cells. */
export const POINTERS_SAY = {
  interior: 'a pointer into an object becomes one to the same place of its partner, or an error',
  kinds: 'a pointer into an object that the user half returns is into one of the kind that its field wants',
  jumps: 'the kernel jumps to functions that the user half may name, and to stubs, whatever comes back',
  stubs: 'a callback calls the function that it was given, and after the end of the user half none',
  types: 'a function is called with arguments of its type',
  cleared: 'nothing of a user half that is gone stays in the table of functions',
  own: 'a callback that the kernel half has set stays as it is',
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

/** Pointers to functions. */
export const functionsSuite = suite('microdrivers-functions', {
  title: 'callbacks and calls by id, while the user half names any id or address, dies and is loaded anew',
  machine: { name: 'microdrivers functions', modules: [functionTable, wildFunctions] },
  scope: {
    small: { id: 5, 'named id': 6 },
    default: { id: 6, 'named id': 7 },
    large: { id: 8, 'named id': 9 },
  },
  claims: [
    claim(POINTERS_SAY.jumps, {
      keeps: [jumpsKnown],
      against: ['F5'],
      without: [
        { off: functionIdCheck, breaks: jumpsKnown },
        { off: entryPointCheck, breaks: jumpsKnown },
        { off: rawBelieved, breaks: jumpsKnown },
        { off: freeEntryBelieved, breaks: jumpsKnown },
      ],
    }),
    claim(POINTERS_SAY.stubs, {
      keeps: [stubsRight],
      against: ['F10'],
      without: [
        { off: tableNotCleared, breaks: stubsRight },
        { off: idReused, breaks: stubsRight },
        { off: stubRemembers, breaks: stubsRight },
        { off: stubCallsDead, breaks: stubsRight },
      ],
    }),
    claim('the function that one half names is the one that the other gets', {
      keeps: [functionsCross],
      against: ['F5', 'F10'],
      without: [
        { off: callbackIdLeftOut, breaks: functionsCross },
        { off: calledIdLeftOut, breaks: functionsCross },
        { off: entryStays, breaks: functionsCross },
      ],
    }),
    claim(POINTERS_SAY.cleared, {
      keeps: [deadAreCleared],
      against: ['F10'],
      without: [{ off: deadStayEntered, breaks: deadAreCleared }],
    }),
    claim(POINTERS_SAY.types, {
      keeps: [typesAgree],
      against: ['F5'],
      without: [
        { off: functionTypeCheck, breaks: typesAgree },
        { off: idReused, breaks: typesAgree },
      ],
    }),
    claim('no callback takes a handler to the user half', {
      keeps: [handlersStay],
      against: ['F5'],
      without: [{ off: blockingCheck, breaks: handlersStay }],
    }),
    claim(POINTERS_SAY.own, {
      keeps: [ownCallbacks],
      against: ['F5'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'scoped: three functions of the kernel half, two of the user half, two callbacks of two types; one call at a time, since nesting is in microdrivers-xpc',
    'trusted: the types of functions, which whoever generates the stubs writes beside them',
    'stubbed: that the user half is loaded anew is not in the papers, which leave restart open; by hand, as other drivers are',
  ],
});

export const pointerSuites = [rangesSuite, functionsSuite];
