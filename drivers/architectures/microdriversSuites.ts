/**
 * Suites of the software of a microdriver: the split decision, calls between the halves, marshalling, the object tracker, combolocks with
 * the data path, interrupts, the kernel half. None of them knows an IOMMU or remapped interrupts: what they find holds for the hardware of
 * the time and for today's alike. DMA: microdriversDma.ts.
 */
import {
  kernelHalfFaults,
  lockFaults,
  marshallingFaults,
  stormFaults,
  trackerFaults,
} from '../../faults/architectures/microdrivers.js';
import {
  answeredAgain,
  bothToUser,
  bufferStaysMapped,
  callersNotTold,
  comboNotBroken,
  crashNotNoticed,
  driverLockNotBroken,
  entrySurvivesFree,
  fieldLeftOutDown,
  fieldLeftOutUp,
  interruptNotDisabled,
  interruptsLeftOn,
  kernelEntrySurvives,
  lineNotReopened,
  lineStaysRaised,
  lockKeptOnReturn,
  lockNotRecursive,
  modeIgnored,
  modeKept,
  modeTooSoon,
  nestedCallNotTaken,
  noRealloc,
  noReallocUp,
  noRecursiveLock,
  notCopiedUp,
  notPublished,
  oneLevel,
  pathCrosses,
  pathSleeps,
  repliesOutOfOrder,
  staleSizeUp,
  unpublishedKept,
  wholeStructure,
} from '../../faults/architectures/microdriversMutants.js';
import { xpcFaults } from '../../faults/architectures/microdriversXpc.js';
import { combolocks } from '../../model/architectures/microdrivers/combolock.js';
import { dataPath } from '../../model/architectures/microdrivers/dataPath.js';
import { kernelHalf } from '../../model/architectures/microdrivers/kernelHalf.js';
import { copiedOnce, marshalling, processIsolation } from '../../model/architectures/microdrivers/marshalling.js';
import { type Split, splitMachine, UNDECIDED } from '../../model/architectures/microdrivers/split.js';
import { storms } from '../../model/architectures/microdrivers/storm.js';
import { type Tracker, tracker } from '../../model/architectures/microdrivers/tracker.js';
import { xpc } from '../../model/architectures/microdrivers/xpc.js';
import { functionIdCheck, replyMatching } from '../../model/architectures/microdrivers/xpcState.js';
import type { MachineDef } from '../../model/kernel/index.js';
import {
  answeredOnce,
  callersReturn,
  copiesAgree,
  criticalInKernel,
  dispatchBounded,
  interruptNeverSleeps,
  kernelServes,
  lineFollowsMode,
  nestedInTurn,
  noCallUpFromAtomic,
  oneHolder,
  pathGoesOn,
  pathStaysInKernel,
  serviceReturns,
  threadsRun,
  waitersWake,
} from '../../properties/architectures/microdrivers.js';
import {
  bijective,
  coherent,
  deadHalfReturns,
  declaredWrites,
  indexInBounds,
  noPanic,
  outsideIntact,
  sizesRight,
  usedAsChecked,
} from '../../properties/architectures/microdriversObjects.js';
import { claim, suite } from '../suite.js';

const ASSUMPTIONS = [
  'trusted: the kernel, and the kernel half where a claim does not say otherwise',
  'atomic: what one side does between two messages; a crash comes between any two of them',
  'scoped: one device, one user process with one thread, one lock that is shared with an interrupt handler',
];

/** Every call graph of the scope, every order of propagation. */
export const splitSuite = suite('microdrivers-split', {
  title: 'the split decision, over every call graph of four functions',
  machine: splitMachine,
  scope: { small: {}, default: {} },
  claims: [
    claim('what is critical, and what it calls, stays in the kernel half', {
      keeps: [criticalInKernel],
      against: [],
      without: [
        { off: oneLevel, breaks: criticalInKernel },
        { off: bothToUser, breaks: criticalInKernel },
      ],
    }),
    claim('no call up can be reached from where nothing may sleep', {
      keeps: [noCallUpFromAtomic],
      against: [],
      without: [
        { off: oneLevel, breaks: noCallUpFromAtomic },
        { off: bothToUser, breaks: noCallUpFromAtomic },
      ],
    }),
  ],
  mayStop: (m: Split) => m.functions.half[0] !== UNDECIDED,
  assumptions: [
    'scoped: one critical root, one user root, two functions that are neither, seven possible calls',
    'stubbed: the call graph is taken to be right; calls by pointer are in it',
  ],
});

/** Calls in both directions, and death with calls outstanding. */
export const xpcSuite = suite('microdrivers-xpc', {
  title: 'calls between kernel half and user half, nested, while the user half errs, dies or hangs',
  machine: { name: 'microdrivers calls', modules: [xpc, xpcFaults] },
  scope: { small: { caller: 2, level: 3 }, default: { caller: 3, level: 5 }, large: { caller: 5, level: 9 } },
  claims: [
    claim('calls nest, of one thread at a time, and a reply answers the newest', {
      keeps: [nestedInTurn],
      against: ['F5', 'F10'],
      without: [
        { off: replyMatching, breaks: nestedInTurn },
        { off: noRecursiveLock, breaks: nestedInTurn },
        { off: lockNotRecursive, breaks: nestedInTurn },
        { off: repliesOutOfOrder, breaks: nestedInTurn, scope: { caller: 1, level: 3 } },
      ],
    }),
    claim('the user half has only functions of the table called', {
      keeps: [dispatchBounded],
      against: ['F5'],
      without: [{ off: functionIdCheck, breaks: dispatchBounded }],
    }),
    claim('a kernel thread whose user half dies gets an error', {
      keeps: [callersReturn],
      against: ['F10'],
      without: [
        { off: callersNotTold, breaks: callersReturn },
        { off: driverLockNotBroken, breaks: callersReturn },
        { off: crashNotNoticed, breaks: callersReturn },
        { off: nestedCallNotTaken, breaks: callersReturn, scope: { caller: 1, level: 3 } },
        { off: lockKeptOnReturn, breaks: callersReturn, scope: { caller: 2, level: 1 } },
      ],
    }),
    claim('a kernel thread whose user half hangs gets an error', {
      keeps: [callersReturn],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
    claim('the user half serves again after its death', {
      keeps: [serviceReturns],
      against: ['F10'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'what follows a crash is not in the papers: that the runtime clears away is the design goal MD-L1',
  ],
});

/** Fields that cross. */
export const objectsSuite = suite('microdrivers-objects', {
  title: 'fields of an object cross to a user half that is wild, wrong or quick',
  machine: { name: 'microdrivers objects', modules: [marshalling, marshallingFaults] },
  scope: { small: {}, default: {} },
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
  machine: { name: 'microdrivers tracker', modules: [tracker, trackerFaults] },
  scope: {
    small: { object: 2, pointer: 2 },
    default: { object: 3, pointer: 3 },
    large: { object: 4, pointer: 4 },
  },
  claims: [
    claim('the tracker pairs live objects of one kind, and no entry survives its object', {
      keeps: [bijective],
      against: [],
      without: [
        { off: entrySurvivesFree, breaks: bijective },
        { off: kernelEntrySurvives, breaks: bijective },
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
  mayStop: (m: Tracker) => m.runtime.panicked[0] === 1,
  assumptions: [...ASSUMPTIONS, 'scoped: objects of two kinds and two sizes'],
});

/** Combolocks and the data path beside them; costs are taken of it too. */
export const pathMachine: MachineDef = { name: 'microdrivers locks', modules: [combolocks, dataPath, lockFaults] };

export const locksSuite = suite('microdrivers-locks', {
  title: 'a lock of both halves and an interrupt handler, beside the data path, while the user half dies or hangs',
  machine: pathMachine,
  scope: { small: { request: 1 }, default: { request: 2 }, large: { request: 4 } },
  claims: [
    claim('one context holds the lock, whatever its mode', {
      keeps: [oneHolder, lineFollowsMode],
      against: ['F10'],
      without: [
        { off: modeTooSoon, breaks: oneHolder },
        { off: modeIgnored, breaks: oneHolder },
        { off: modeKept, breaks: lineFollowsMode },
      ],
    }),
    claim('interrupt context and data path never sleep', {
      keeps: [interruptNeverSleeps],
      against: ['F10'],
      without: [
        { off: interruptNotDisabled, breaks: interruptNeverSleeps },
        { off: pathSleeps, breaks: interruptNeverSleeps },
        { off: interruptsLeftOn, breaks: interruptNeverSleeps },
      ],
    }),
    claim('whoever takes the lock has what its last holder wrote', {
      keeps: [copiesAgree],
      against: ['F10'],
      without: [
        { off: notPublished, breaks: copiesAgree },
        { off: notCopiedUp, breaks: copiesAgree },
        { off: unpublishedKept, breaks: copiesAgree },
      ],
    }),
    claim('a lock that a dead user half held is broken', {
      keeps: [waitersWake],
      against: ['F10'],
      without: [{ off: comboNotBroken, breaks: waitersWake }],
    }),
    claim('the data path goes on when the user half dies, and answers every request once', {
      keeps: [pathGoesOn, answeredOnce],
      against: ['F10'],
      without: [
        { off: lineNotReopened, breaks: pathGoesOn },
        { off: answeredAgain, breaks: answeredOnce },
        { off: bufferStaysMapped, breaks: answeredOnce },
      ],
    }),
    claim('the data path never crosses', {
      keeps: [pathStaysInKernel],
      against: ['F10'],
      without: [{ off: pathCrosses, breaks: pathStaysInKernel }],
    }),
    claim('a lock that a hung user half holds comes free', {
      keeps: [waitersWake],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
    claim('the data path goes on when the user half hangs', {
      keeps: [pathGoesOn],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'scoped: one processor; two kernel threads; the shared data has two values, and each write changes it',
  ],
});

/** The line of the device. */
export const stormSuite = suite('microdrivers-storm', {
  title: 'a device that interrupts, once for each request or all the time',
  machine: { name: 'microdrivers interrupts', modules: [storms, stormFaults] },
  scope: { small: {}, default: {} },
  claims: [
    claim('threads run beside a device that interrupts once for each request', {
      keeps: [threadsRun],
      against: [],
      without: [{ off: lineStaysRaised, breaks: threadsRun }],
    }),
    claim('threads run beside a device that interrupts all the time', {
      keeps: [threadsRun],
      against: ['F9'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    'trusted: nothing outside the design masks the line; kernels of today switch off a line that nobody claims to have raised, after about 100 000 interrupts',
  ],
});

/** The kernel half. */
export const kernelHalfSuite = suite('microdrivers-kernel-half', {
  title: 'the kernel half is wild, crashes or hangs',
  machine: { name: 'microdrivers kernel half', modules: [marshalling, kernelHalf, kernelHalfFaults] },
  scope: { small: {}, default: {} },
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

/** The same in both eras. */
export const softwareSuites = [
  splitSuite,
  xpcSuite,
  objectsSuite,
  trackerSuite,
  locksSuite,
  stormSuite,
  kernelHalfSuite,
];
