/**
 * Suites of what a microdriver's halves share and spoil: fields that cross, the object tracker, and the kernel half, which shares
 * everything with everybody.
 */
import { kernelHalfFaults, marshallingFaults, trackerFaults } from '../../faults/architectures/microdrivers.js';
import {
  entrySurvivesFree,
  fieldLeftOutDown,
  fieldLeftOutUp,
  kernelEntrySurvives,
  noRealloc,
  noReallocUp,
  staleSizeUp,
  wholeStructure,
} from '../../faults/architectures/microdriversMutants.js';
import { copyNotFreed, missNotAllocated } from '../../faults/architectures/microdriversPointerMutants.js';
import { kernelHalf } from '../../model/architectures/microdrivers/kernelHalf.js';
import { copiedOnce, marshalling } from '../../model/architectures/microdrivers/marshalling.js';
import { outsideMemory, processIsolation } from '../../model/architectures/microdrivers/outside.js';
import { tracker } from '../../model/architectures/microdrivers/tracker.js';
import type { Tracker } from '../../model/architectures/microdrivers/trackerState.js';
import { kernelServes } from '../../properties/architectures/microdrivers.js';
import {
  bijective,
  coherent,
  crossedKnown,
  deadHalfReturns,
  declaredWrites,
  indexInBounds,
  noPanic,
  outsideIntact,
  sizesRight,
  usedAsChecked,
} from '../../properties/architectures/microdriversObjects.js';
import { claim, suite } from '../suite.js';

/** What all suites of a microdriver assume. */
export const ASSUMPTIONS = [
  'trusted: the kernel, and the kernel half where a claim does not say otherwise',
  'atomic: what one side does between two messages; a crash comes between any two of them',
  'scoped: one device, one user process with one thread, one lock that is shared with an interrupt handler',
];

/** Fields that cross. */
export const objectsSuite = suite('microdrivers-objects', {
  title: 'fields of an object cross to a user half that is wild, wrong or quick',
  machine: { name: 'microdrivers objects', modules: [marshalling, outsideMemory, marshallingFaults] },
  scope: { small: {}, default: {}, large: {} },
  claims: [
    claim('a wild write of the user half alters nothing outside its process', {
      keeps: [outsideIntact],
      against: ['F1'],
      without: [{ off: processIsolation, breaks: outsideIntact }],
    }),
    claim('a return writes only the fields that the callee may access', {
      keeps: [declaredWrites],
      against: ['F1', 'F6'],
      without: [{ off: wholeStructure, breaks: declaredWrites }],
    }),
    claim('both halves agree on every accessed field after each crossing', {
      keeps: [coherent],
      against: ['F1', 'F6'],
      without: [
        { off: fieldLeftOutUp, breaks: coherent },
        { off: fieldLeftOutDown, breaks: coherent },
      ],
    }),
    claim('a value that the kernel half has checked is the one that it uses', {
      keeps: [usedAsChecked],
      against: ['F1', 'F6'],
      without: [{ off: copiedOnce, breaks: usedAsChecked }],
    }),
    claim('what a wild write has spoilt in the user half does no harm outside it', {
      keeps: [indexInBounds],
      against: ['F1'],
      without: [],
      expects: 'not contained',
    }),
    claim('a value that makes no sense does no harm in the kernel half', {
      keeps: [indexInBounds],
      against: ['F5'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'scoped: one object, two accessed fields and a private one; the lock of the driver is held during a call',
  ],
});

/** Which object is which. */
export const trackerSuite = suite('microdrivers-tracker', {
  title: 'the object tracker, while both halves allocate, resize and free, and the user half returns what nobody knows',
  machine: { name: 'microdrivers tracker', modules: [trackerFaults, tracker] },
  scope: {
    small: { object: 2, pointer: 2 },
    default: { object: 3, pointer: 3 },
    large: { object: 3, pointer: 4 },
  },
  claims: [
    claim('the tracker pairs live objects of one kind, and no entry survives its object', {
      keeps: [bijective, crossedKnown],
      against: [],
      without: [
        { off: entrySurvivesFree, breaks: bijective },
        { off: kernelEntrySurvives, breaks: bijective },
        { off: missNotAllocated, breaks: crossedKnown },
        { off: copyNotFreed, breaks: crossedKnown },
      ],
    }),
    claim('no copy goes beyond the end of an object', {
      keeps: [sizesRight],
      against: [],
      without: [
        { off: staleSizeUp, breaks: sizesRight },
        { off: noRealloc, breaks: sizesRight },
        { off: noReallocUp, breaks: sizesRight },
      ],
    }),
    claim('pointers that nobody knows do not use up the kernel\u2019s memory', {
      keeps: [noPanic],
      against: ['F12'],
      without: [],
      expects: 'not contained',
    }),
    claim('a size above the bound does not stop the kernel', {
      keeps: [noPanic],
      against: ['F5'],
      without: [],
      expects: 'not contained',
    }),
    claim('what was allocated for a dead user half comes back', {
      keeps: [deadHalfReturns],
      against: ['F10'],
      without: [],
      expects: 'not contained',
    }),
  ],
  mayStop: (m: Tracker) => m.runtime.panicked[0] === 1 || m.runtime.userHalf[0] === 1,
  assumptions: [...ASSUMPTIONS, 'scoped: objects of two kinds and two sizes'],
});

/** The kernel half. */
export const kernelHalfSuite = suite('microdrivers-kernel-half', {
  title: 'the kernel half is wild, crashes or hangs',
  machine: { name: 'microdrivers kernel half', modules: [outsideMemory, kernelHalf, kernelHalfFaults] },
  scope: { small: {}, default: {}, large: {} },
  claims: [
    claim('a wild write of the kernel half alters nothing of the kernel or of other processes', {
      keeps: [outsideIntact],
      against: ['F1'],
      without: [],
      expects: 'not contained',
    }),
    claim('the kernel serves on when the kernel half crashes', {
      keeps: [kernelServes],
      against: ['F10'],
      without: [],
      expects: 'not contained',
    }),
    claim('the kernel serves on when the kernel half hangs', {
      keeps: [kernelServes],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: ASSUMPTIONS,
});
