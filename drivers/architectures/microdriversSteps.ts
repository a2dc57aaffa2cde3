/**
 * The death of the user half of a microdriver at every step: calls, locks and data path taken apart, and the process dies between any two
 * steps of any of them. What runs in the kernel in its name runs to its end, as a system call does. There is no restart: what must follow
 * is MD-L1, kernel threads get an error, locks are broken, the data path goes on. After a hang nothing follows.
 */
import { lockFaults, lockHang } from '../../faults/architectures/microdrivers.js';
import {
  bufferStaysMapped,
  comboNotBroken,
  crashNotNoticed,
  driverLockNotBroken,
  modeKept,
  repliesOutOfOrder,
  unpublishedKept,
} from '../../faults/architectures/microdriversMutants.js';
import { xpcFaults, xpcHang } from '../../faults/architectures/microdriversXpc.js';
import { combolocks } from '../../model/architectures/microdrivers/combolock.js';
import { dataPath } from '../../model/architectures/microdrivers/dataPath.js';
import { xpc } from '../../model/architectures/microdrivers/xpc.js';
import type { AnyModule, AnyOperation, Machine, MachineDef, Scope } from '../../model/kernel/index.js';
import {
  answeredOnce,
  callersReturn,
  copiesAgree,
  lineFollowsMode,
  nestedInTurn,
  oneHolder,
  pathGoesOn,
  waitersWake,
} from '../../properties/architectures/microdrivers.js';
import { between, isQuiescent } from '../../properties/paths.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS } from './microdriversObjects.js';

/** Sentences of the claims. */
export const STEPS_SAY = {
  calls: 'a kernel thread gets its error whenever in a call the user half dies',
  callsHang: 'a kernel thread gets its error whenever in a call the user half hangs',
  locks: 'the lock is broken and the data path goes on whenever the user half dies',
  locksHang: 'the lock is broken and the data path goes on whenever the user half hangs',
} as const;

/** What is done for a device by itself, at any time. */
const HARDWARE = ['device', 'interrupt'];

/** The operation begins when nothing else is under way: kernel threads of one driver, on one processor, take turns. */
function inTurn(op: AnyOperation): AnyOperation {
  if (op.fault !== undefined || HARDWARE.includes(String(op.agent))) return op;
  const where = op.where?.agent as ((m: Machine, call: unknown) => boolean) | undefined;
  return {
    ...op,
    where: { ...op.where, agent: (m: Machine, call: unknown) => isQuiescent(m) && (where?.(m, call) ?? true) },
  } as AnyOperation;
}

/** The same modules, with what they do taken apart; everybody takes turns, and failures strike in between. */
const takenApart = (
  name: string,
  modules: readonly AnyModule[],
  threads: (s: Scope) => (number | string)[],
): MachineDef => ({
  name,
  modules: modules.map((mod) => ({ ...mod, operations: mod.operations.map(inTurn) })),
  threads,
});

const callThreads = (s: Scope): (number | string)[] => [
  ...Array.from({ length: s.caller }, (_, c) => c),
  'user half',
  'runtime',
];

const CALLS = { small: { caller: 1, level: 3 }, default: { caller: 2, level: 5 }, large: { caller: 3, level: 7 } };

export const callSteps = takenApart('microdrivers calls, taken apart', [xpc, xpcFaults], callThreads);
const nested = between(nestedInTurn);

export const callStepsSuite = suite('microdrivers-xpc-steps', {
  title: 'calls between kernel half and user half, which dies between any two of their steps',
  machine: callSteps,
  schedule: 'split',
  scope: CALLS,
  claims: [
    claim(STEPS_SAY.calls, {
      keeps: [callersReturn, nested],
      against: ['F10'],
      without: [
        { off: driverLockNotBroken, breaks: callersReturn, scope: { caller: 2, level: 1 } },
        { off: crashNotNoticed, breaks: callersReturn, scope: { caller: 2, level: 1 } },
        { off: repliesOutOfOrder, breaks: nested, scope: { caller: 1, level: 3 } },
      ],
    }),
  ],
  assumptions: [...ASSUMPTIONS, 'what runs in the kernel in the name of the user half runs to its end'],
});

export const callHangSuite = suite('microdrivers-xpc-hang-steps', {
  title: 'calls between kernel half and user half, which hangs between any two of their steps',
  machine: takenApart('microdrivers calls, taken apart, user half hangs', [xpc, xpcHang], callThreads),
  schedule: 'split',
  scope: { small: CALLS.small, default: CALLS.small, large: { caller: 2, level: 5 } },
  claims: [
    claim(STEPS_SAY.callsHang, { keeps: [callersReturn], against: ['F11'], without: [], expects: 'not contained' }),
  ],
  assumptions: [...ASSUMPTIONS, 'there is no time-out, and so no wrongly suspected hang'],
});

const lockThreads = (): (number | string)[] => [0, 1, 'user half', 'runtime', 'client'];
const exclusive = between(oneHolder);
const follows = between(lineFollowsMode);
const agree = between(copiesAgree);
const once = between(answeredOnce);

export const lockSteps = takenApart('microdrivers locks, taken apart', [combolocks, dataPath, lockFaults], lockThreads);

export const lockStepsSuite = suite('microdrivers-locks-steps', {
  title: 'a lock of both halves beside the data path, while the user half dies between any two of their steps',
  machine: lockSteps,
  schedule: 'split',
  scope: { small: { request: 1 }, default: { request: 1 }, large: { request: 3 } },
  claims: [
    claim(STEPS_SAY.locks, {
      keeps: [exclusive, follows, agree, waitersWake, pathGoesOn, once],
      against: ['F10'],
      without: [
        { off: comboNotBroken, breaks: waitersWake },
        { off: modeKept, breaks: follows },
        { off: unpublishedKept, breaks: agree },
        { off: bufferStaysMapped, breaks: once },
      ],
    }),
  ],
  assumptions: [...ASSUMPTIONS, 'what runs in the kernel in the name of the user half runs to its end'],
});

export const lockHangSuite = suite('microdrivers-locks-hang-steps', {
  title: 'a lock of both halves beside the data path, while the user half hangs between any two of their steps',
  machine: takenApart(
    'microdrivers locks, taken apart, user half hangs',
    [combolocks, dataPath, lockHang],
    lockThreads,
  ),
  schedule: 'split',
  scope: { small: { request: 1 }, default: { request: 1 }, large: { request: 2 } },
  claims: [
    claim(STEPS_SAY.locksHang, {
      keeps: [waitersWake, pathGoesOn],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [...ASSUMPTIONS, 'there is no time-out, and so no wrongly suspected hang'],
});

export const stepSuites = [callStepsSuite, callHangSuite, lockStepsSuite, lockHangSuite];
