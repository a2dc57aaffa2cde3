/**
 * Suites of the control flow of a microdriver: the split decision, calls between the halves, combolocks with the data path, interrupts.
 * With those of its objects (microdriversObjects.ts) they know no IOMMU and no remapped interrupts: what they find holds for the hardware
 * of the time and for today's alike. DMA: microdriversDma.ts.
 */
import { pathAsksUserHalf, pathMarshals, pathTracks, raisesAlways } from '../../faults/architectures/fastpath.js';
import { lockFaults, lockHang, stormFaults } from '../../faults/architectures/microdrivers.js';
import { lineBelieved, lineFaults } from '../../faults/architectures/microdriversLine.js';
import {
  answeredAgain,
  bothToUser,
  bufferStaysMapped,
  callersNotTold,
  comboNotBroken,
  crashIsPanic,
  crashNotNoticed,
  driverLockNotBroken,
  interruptNotDisabled,
  interruptsLeftOn,
  lineNotReopened,
  lineStaysRaised,
  lockKeptOnReturn,
  lockNotRecursive,
  modeIgnored,
  modeKept,
  modeTooSoon,
  nestedCallNotTaken,
  noRecursiveLock,
  notCopiedUp,
  notPublished,
  oneLevel,
  pathCrosses,
  pathSleeps,
  repliesOutOfOrder,
  tooSoon,
  unpublishedKept,
} from '../../faults/architectures/microdriversMutants.js';
import { xpcFaults, xpcHang } from '../../faults/architectures/microdriversXpc.js';
import { combolocks } from '../../model/architectures/microdrivers/combolock.js';
import { dataPath } from '../../model/architectures/microdrivers/dataPath.js';
import { kernelHalf } from '../../model/architectures/microdrivers/kernelHalf.js';
import { type Split, splitMachine, UNDECIDED } from '../../model/architectures/microdrivers/split.js';
import { storms } from '../../model/architectures/microdrivers/storm.js';
import { xpc } from '../../model/architectures/microdrivers/xpc.js';
import { functionIdCheck, replyMatching } from '../../model/architectures/microdrivers/xpcState.js';
import type { MachineDef } from '../../model/kernel/index.js';
import { pathFrugal, pathWoken } from '../../properties/architectures/fastpath.js';
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
  repliesFresh,
  serviceReturns,
  strangerUnaware,
  threadsRun,
  waitersWake,
} from '../../properties/architectures/microdrivers.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS, kernelHalfSuite, objectsSuite, trackerSuite } from './microdriversObjects.js';
import { pointerSuites } from './microdriversPointers.js';

export const FRESH_REPLY = 'an old reply is not taken for that of a newer call';

/** Every call graph of the scope, every order of propagation. */
export const splitSuite = suite('microdrivers-split', {
  title: 'the split decision, over every call graph of four functions',
  machine: splitMachine,
  scope: { small: {}, default: {}, large: {} },
  claims: [
    claim('what is critical, and what it calls, stays in the kernel half', {
      keeps: [criticalInKernel],
      against: [],
      without: [
        { off: tooSoon, breaks: criticalInKernel },
        { off: oneLevel, breaks: criticalInKernel },
        { off: bothToUser, breaks: criticalInKernel },
      ],
    }),
    claim('no call up can be reached from where nothing may sleep', {
      keeps: [noCallUpFromAtomic],
      against: [],
      without: [
        { off: tooSoon, breaks: noCallUpFromAtomic },
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
  title: 'calls between kernel half and user half, nested, while the user half errs or dies',
  machine: { name: 'microdrivers calls', modules: [xpc, xpcFaults] },
  scope: { small: { caller: 2, level: 3 }, default: { caller: 4, level: 7 }, large: { caller: 6, level: 11 } },
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
    claim(FRESH_REPLY, {
      keeps: [repliesFresh],
      against: ['F14'],
      without: [{ off: replyMatching, breaks: repliesFresh }],
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
        { off: callersNotTold, breaks: callersReturn, scope: { caller: 2, level: 1 } },
        { off: driverLockNotBroken, breaks: callersReturn, scope: { caller: 2, level: 1 } },
        { off: crashNotNoticed, breaks: callersReturn, scope: { caller: 2, level: 1 } },
        { off: nestedCallNotTaken, breaks: callersReturn, scope: { caller: 1, level: 3 } },
        { off: lockKeptOnReturn, breaks: callersReturn, scope: { caller: 2, level: 1 } },
      ],
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'what follows a crash is not in the papers: that the runtime clears away is the design goal MD-L1',
  ],
});

/** The same, and what does not follow the death. */
export const noRecoverySuite = suite('microdrivers-no-recovery', {
  title: 'after the death of the user half',
  machine: { name: 'microdrivers calls after a death', modules: [xpc, xpcFaults] },
  scope: { small: { caller: 1, level: 1 }, default: { caller: 1, level: 3 }, large: { caller: 2, level: 5 } },
  claims: [
    claim('the user half serves again after its death', {
      keeps: [serviceReturns],
      against: ['F10'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'there is no restart: nothing is to be said of reconnection, of two owners, or of what restarts leak',
  ],
});

/** The same, and the user half falls silent. */
export const xpcHangSuite = suite('microdrivers-xpc-hang', {
  title: 'calls between kernel half and user half, while the user half hangs',
  machine: { name: 'microdrivers calls, user half hangs', modules: [xpc, xpcHang] },
  scope: xpcSuite.scope,
  claims: [
    claim('a kernel thread whose user half hangs gets an error', {
      keeps: [callersReturn],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [...ASSUMPTIONS, 'there is no time-out, and so no wrongly suspected hang'],
});

/** The rest of the system beside them. */
export const strangersSuite = suite('microdrivers-strangers', {
  title: 'a process that has nothing to do with the driver, while the user half dies',
  machine: { name: 'microdrivers and a stranger', modules: [xpc, xpcFaults, kernelHalf] },
  scope: { small: { caller: 1, level: 3 }, default: { caller: 2, level: 5 }, large: { caller: 3, level: 7 } },
  claims: [
    claim('the rest of the system does not notice the death of the user half', {
      keeps: [kernelServes, strangerUnaware],
      against: ['F10'],
      without: [
        { off: crashIsPanic, breaks: kernelServes },
        { off: crashIsPanic, breaks: strangerUnaware },
      ],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** Combolocks and the data path beside them; costs are taken of it too. */
export const pathMachine: MachineDef = { name: 'microdrivers locks', modules: [combolocks, dataPath, lockFaults] };

export const locksSuite = suite('microdrivers-locks', {
  title: 'a lock of both halves and an interrupt handler, beside the data path, while the user half dies or hangs',
  machine: { ...pathMachine, modules: [...pathMachine.modules, lineFaults] },
  scope: { small: { request: 1 }, default: { request: 3 }, large: { request: 5 } },
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
      against: ['F7', 'F10'],
      without: [
        { off: lineBelieved, breaks: answeredOnce },
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
    claim('a request is neither marshalled nor tracked, takes one lock, and asks nobody', {
      keeps: [pathFrugal],
      against: ['F10'],
      without: [pathAsksUserHalf, pathMarshals, pathTracks].map((off) => ({ off, breaks: pathFrugal })),
    }),
    claim('a line that is raised is not raised again', {
      keeps: [pathWoken],
      against: ['F10'],
      without: [{ off: raisesAlways, breaks: pathWoken }],
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'scoped: one processor; two kernel threads; the shared data has two values, and each write changes it',
  ],
});

/** The same, and the user half falls silent. */
export const locksHangSuite = suite('microdrivers-locks-hang', {
  title: 'a lock of both halves and an interrupt handler, beside the data path, while the user half hangs',
  machine: { name: 'microdrivers locks, user half hangs', modules: [combolocks, dataPath, lockHang] },
  scope: locksSuite.scope,
  claims: [
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
  assumptions: [...ASSUMPTIONS, 'there is no time-out, and so no wrongly suspected hang'],
});

/** The line of the device. */
export const interruptsSuite = suite('microdrivers-interrupts', {
  title: 'a device that interrupts once for each request',
  machine: { name: 'microdrivers interrupts', modules: [storms] },
  scope: { small: {}, default: {}, large: {} },
  claims: [
    claim('threads run beside a device that interrupts once for each request', {
      keeps: [threadsRun],
      against: [],
      without: [{ off: lineStaysRaised, breaks: threadsRun }],
    }),
  ],
  assumptions: ['scoped: one processor, one line'],
});

/** The same device, wild. */
export const stormSuite = suite('microdrivers-storm', {
  title: 'a device that interrupts all the time',
  machine: { name: 'microdrivers storm', modules: [storms, stormFaults] },
  scope: { small: {}, default: {}, large: {} },
  claims: [
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

/** The same in both eras. */
export const softwareSuites = [
  splitSuite,
  xpcSuite,
  noRecoverySuite,
  xpcHangSuite,
  strangersSuite,
  objectsSuite,
  trackerSuite,
  ...pointerSuites,
  locksSuite,
  locksHangSuite,
  interruptsSuite,
  stormSuite,
  kernelHalfSuite,
];
