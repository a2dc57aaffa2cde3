/**
 * Failures of the Safe Hardware Interface at every step: the work of a driver domain taken apart, and a crash, a hang or a wrong suspicion
 * between any two of its steps, with its card at work; again and again, and a census after each restart. What a driver domain does is
 * honest here: what hostile ones do is in the other suites.
 */

import {
  idReleasedEarly,
  neverRestarted,
  neverRevoked,
  oldMappingKept,
  reusedTooEarly,
  sentAgain,
  takesNothingBack,
} from '../../faults/architectures/safeHardware/netMutants.js';
import { buriedMapped, receivedAgain } from '../../faults/architectures/safeHardware/recoveryMutants.js';
import { crash, falseSuspicion, hang } from '../../faults/block.js';
import { replayOmitted, restartBeforeDestroy, ringReused, takeBackForgotten } from '../../faults/blockMutants.js';
import { DRIVER, DRIVER_THREAD, guestDomain } from '../../model/architectures/safeHardware/netState.js';
import { FULL, type Receive } from '../../model/architectures/safeHardware/receiveState.js';
import { close } from '../../model/blockFrontLife.js';
import { restart } from '../../model/blockManager.js';
import { type Block, DYING } from '../../model/blockState.js';
import { putPage } from '../../model/frames.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import {
  type AnyModule,
  type AnyOperation,
  drop,
  flag,
  guardWith,
  type MachineDef,
  module,
} from '../../model/kernel/index.js';
import { connectAll, splitBlock } from '../../model/splitBlock.js';
import { answeredOnce, requestsEnd } from '../../properties/architectures/safeHardware.js';
import {
  blockLeaksNothing,
  receivedOnce,
  receiveLeaksNothing,
  transmitLeaksNothing,
} from '../../properties/architectures/safeHardwareCensus.js';
import {
  deadReachesNothing,
  flippedOutOfReach,
  packetsEnd,
  reusedWhenSafe,
  sentOnce,
  serviceReturns,
} from '../../properties/architectures/safeHardwareNet.js';
import {
  completedOnce,
  everythingReturns,
  freshAnswers,
  notReusedWhileMapped,
  oneOwner,
  replayedFirst,
} from '../../properties/blockRecovery.js';
import { claim, type Suite, suite } from '../suite.js';
import { oneDisk } from '../suites/blockScopes.js';
import { plainStart } from '../suites/blockStarts.js';
import type { Era } from './architecture.js';
import { missing, receiveMachine, transmitMachine } from './safeHardwareNetMachines.js';

/** Sentences of the claims. */
export const stepSays = {
  transmit: 'a driver domain may fail at each step of sending: packets end, once, and nothing of it is left',
  receive: 'a driver domain may fail at each step of receiving: no packet comes twice, and nothing of it is left',
  block:
    'a backend may fail at each step of its work: requests complete exactly once, the disk has one owner, and pages come back',
  transmitCensus: 'restarts of a driver domain that sends leak nothing, however many',
  receiveCensus: 'restarts of a driver domain that receives leak nothing, however many',
  blockCensus: 'restarts of a block backend leak nothing, however many',
} as const;

const DEATHS = ['driver.crash', 'driver.hang', 'manager.suspect'];

/** What a driver domain does itself, and is interrupted in. */
const isWork = (o: AnyOperation): boolean => o.agent === DRIVER_THREAD && o.fault === undefined;

/** The machine with failures only, its driver domain on a thread of its own: one thing at a time, those of a single step as well. */
const failing = (def: MachineDef): MachineDef => ({
  ...def,
  name: `${def.name}, failing at every step`,
  split: def.modules.flatMap((mod) => mod.operations.filter(isWork).map((o) => o.name)),
  modules: def.modules.map((mod) =>
    mod.name.startsWith('attacks')
      ? { ...mod, operations: mod.operations.filter((o) => DEATHS.includes(o.name)) }
      : mod,
  ),
  threads: () => [DRIVER_THREAD],
});

export const transmitSteps = failing(transmitMachine);
/** Reception begins as it is set up, or with a packet in the hands of the driver domain, which makes counterexamples short. */
const packetCame = module<Receive, Record<never, never>>('start of reception', {
  tables: {},
  operations: [],
  initial: (m) => {
    if (m.choose(flag, 'a packet has come') === 0) return;
    const mine = m.frame.owner.indexOf(guestDomain(0));
    const theirs = m.frame.owner.indexOf(DRIVER);
    m.frame.allocated[mine] = 0;
    putPage(m, mine);
    m.rx.credits[0]++;
    if (m.on(dmaRemapping)) m.reach.iotlb[theirs] = 1;
    m.rxFrame.stage[theirs] = FULL;
    m.rxFrame.packet[theirs] = 0;
  },
});

const receiveFails = failing(receiveMachine);
export const receiveSteps: MachineDef = { ...receiveFails, modules: [...receiveFails.modules, packetCame] };

const assumptions = [
  'driver domains are honest until they fail; the other suites of this architecture have hostile ones',
  'a call into the VMM may be cut short by the end of its caller',
];

const TX = { domain: 3, generation: 4, guest: 1, slot: 1, index: 2, work: 1, 'named slot': 2, frame: 2 };
const RX = { domain: 3, generation: 4, guest: 1, buffer: 1, frame: 3 };

function transmission(era: Era): Suite {
  return suite(`safe-hardware-net-tx-steps-${era}`, {
    title: `Safe Hardware Interface, ${era === 'now' ? 'with' : 'without'} IOMMU: packets out, with a driver domain that fails at any step, again and again`,
    machine: transmitSteps,
    schedule: 'split',
    gatesOff: missing(era),
    scope: {
      small: TX,
      default: TX,
      large: { ...TX, slot: 2, index: 4, 'named slot': 3, frame: 3 },
    },
    claims: [
      claim(stepSays.transmit, {
        keeps: [deadReachesNothing, reusedWhenSafe, sentOnce, packetsEnd, serviceReturns],
        against: ['F10', 'F11'],
        without: [
          { off: neverRevoked, breaks: deadReachesNothing },
          { off: reusedTooEarly, breaks: reusedWhenSafe },
          { off: sentAgain, breaks: sentOnce },
          { off: takesNothingBack, breaks: packetsEnd },
          { off: neverRestarted, breaks: serviceReturns },
        ],
      }),
      claim(stepSays.transmitCensus, {
        keeps: [transmitLeaksNothing],
        against: ['F10', 'F11'],
        without: [{ off: idReleasedEarly, breaks: transmitLeaksNothing }],
      }),
    ],
    mayStop: () => true,
    assumptions,
  });
}

function reception(era: Era): Suite {
  return suite(`safe-hardware-net-rx-steps-${era}`, {
    title: `Safe Hardware Interface, ${era === 'now' ? 'with' : 'without'} IOMMU: packets in, with a driver domain that fails at any step, again and again`,
    machine: receiveSteps,
    schedule: 'split',
    gatesOff: missing(era),
    scope: { small: RX, default: RX, large: { ...RX, domain: 4, guest: 2, frame: 4 } },
    claims: [
      claim(stepSays.receive, {
        keeps: [deadReachesNothing, flippedOutOfReach, receivedOnce, serviceReturns],
        against: ['F10', 'F11'],
        without: [
          { off: idReleasedEarly, breaks: deadReachesNothing },
          { off: oldMappingKept, breaks: flippedOutOfReach },
          { off: receivedAgain, breaks: receivedOnce },
          { off: neverRestarted, breaks: serviceReturns },
        ],
      }),
      claim(stepSays.receiveCensus, {
        keeps: [receiveLeaksNothing],
        against: ['F10', 'F11'],
        without: [{ off: idReleasedEarly, breaks: receiveLeaksNothing }],
      }),
    ],
    mayStop: () => true,
    assumptions,
  });
}

export const txStepsThen = transmission('then');
export const txStepsNow = transmission('now');
export const rxStepsThen = reception('then');
export const rxStepsNow = reception('now');

const blockFails = (name: string, start: AnyModule): MachineDef => ({
  name,
  modules: [splitBlock, module('failures', { tables: {}, operations: [crash, hang, falseSuspicion] }), start],
});

/** Just created, so that the handshake is one of the things that a backend fails in, or connected. */
const createdOrConnected = module<Block, Record<never, never>>('created or connected', {
  tables: {},
  operations: [],
  initial: (m) => {
    if (m.choose(flag, 'connected') === 1) connectAll(m, false);
  },
});

/** Backends have threads; frontends are numbered as they are, so what is split is named. */
export const blockSteps: MachineDef = {
  ...blockFails('block of driver domains that fail at every step', createdOrConnected),
  threads: (scope) => Array.from({ length: scope.backend }, (_, b) => b),
  split: [
    'back.wake',
    'back.announce',
    'back.take',
    'back.map',
    'back.access',
    'back.unmap',
    'back.respond',
    'back.finalCheck',
    'back.connect',
    'back.disconnect',
  ],
};

export const blockStepsSuite = suite('safe-hardware-block-steps', {
  title: 'Safe Hardware Interface: block requests, with a backend that fails at any step of its work',
  machine: blockSteps,
  schedule: 'split',
  scope: {
    small: oneDisk,
    default: oneDisk,
    large: { ...oneDisk, request: 2, page: 4, slot: 2, index: 4, 'message id': 5 },
  },
  claims: [
    claim(stepSays.block, {
      keeps: [
        oneOwner,
        completedOnce,
        answeredOnce,
        freshAnswers,
        replayedFirst,
        notReusedWhileMapped,
        requestsEnd,
        everythingReturns,
      ],
      against: ['F10', 'F11'],
      without: [
        { off: restartBeforeDestroy, breaks: oneOwner },
        { off: replayOmitted, breaks: replayedFirst },
        { off: ringReused, breaks: notReusedWhileMapped },
        { off: takeBackForgotten, breaks: everythingReturns },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [...assumptions, 'one run for both eras: what it checks does not depend on the hardware'],
});

/** A new backend waits until nothing of the old one is left: with fewer things at a time, more lives fit the scope. */
const restartWaits = guardWith(
  restart,
  'fresh',
  (m: Block, op) => !m.be.life.includes(DYING) && (restart.where?.fresh?.(m, op) ?? true),
);

export const blockRestartsSuite = suite('safe-hardware-block-restarts', {
  title: 'Safe Hardware Interface: the same block backend fails again and again',
  machine: blockFails('block of driver domains that fail again and again', plainStart),
  edits: [drop(close), restartWaits],
  scope: {
    small: { ...oneDisk, epoch: 4, 'message id': 5 },
    default: { ...oneDisk, epoch: 4, 'message id': 5 },
    large: { ...oneDisk, epoch: 5, 'message id': 6 },
  },
  claims: [
    claim(stepSays.blockCensus, {
      keeps: [blockLeaksNothing],
      against: ['F10', 'F11'],
      without: [{ off: buriedMapped, breaks: blockLeaksNothing }],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    ...assumptions,
    'scoped: the device is not closed; a new backend is started when its predecessor has nothing any more',
  ],
});

/** Suites of the hardware of its time, of today's, and of either. */
export const stepsThen: readonly Suite[] = [txStepsThen, rxStepsThen];
export const stepsNow: readonly Suite[] = [txStepsNow, rxStepsNow];
export const stepsBoth: readonly Suite[] = [blockStepsSuite, blockRestartsSuite];
