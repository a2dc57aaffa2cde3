/**
 * The control interface of the Safe Hardware Interface (M4): a page with two rings of messages between a domain and the controller, before
 * a domain that lies on its page, rewrites it, dies or hangs; and its steps taken apart.
 */
import { controlDeaths, controlFaults } from '../../faults/architectures/safeHardware/control.js';
import {
  accusedIsKept,
  clearedUnderWay,
  collectedTwice,
  copiesOfDeadKept,
  copyKept,
  eventClearedLate,
  eventNeverCleared,
  hungIsKept,
  impatient,
  indicesKept,
  noRoomTest,
  pageNotZeroed,
  producerFromPage,
  requestPublishedEarly,
  requestUntold,
  responseDropped,
  responsePublishedEarly,
  responseUntold,
  takenTwice,
  waitersKept,
} from '../../faults/architectures/safeHardware/controlMutants.js';
import { eventDelivery } from '../../faults/ring.js';
import { controlInterface, expel } from '../../model/architectures/safeHardware/controlRecovery.js';
import {
  CONTROLLER,
  copyFirst,
  DOMAIN,
  idMatch,
  indexTest,
  lengthTest,
  pageTakenBack,
} from '../../model/architectures/safeHardware/controlState.js';
import type { MachineDef } from '../../model/kernel/index.js';
import {
  actedOnce,
  believedAwaited,
  controlIndices,
  deadCountNothing,
  honestUnaccused,
  interfaceReturns,
  lengthsFit,
  messagesAnswered,
  noMessageSleptOver,
  waitersCounted,
  wokenOnceByEvent,
  workingLives,
  writtenFirst,
} from '../../properties/architectures/safeHardwareControl.js';
import { claim, suite } from '../suite.js';

export const controlMachine: MachineDef = {
  name: 'control interface',
  modules: [controlInterface, controlFaults, controlDeaths],
};

/** Both ends have a thread; the domain dies or hangs, but nobody is hostile, and nobody given up for it. */
export const controlSteps: MachineDef = {
  name: 'control interface, step by step',
  modules: [{ ...controlInterface, operations: controlInterface.operations.filter((o) => o !== expel) }, controlDeaths],
  threads: () => [DOMAIN, CONTROLLER],
};

/** Sentences of the claims. */
export const controlSays = {
  indices: 'whatever a domain writes on its control page, the controller stays within the rings, and gives up no other',
  lengths: 'a control message is read no further than it has room for',
  copied: 'what was checked of a control message is what is acted upon, whatever the domain writes afterwards',
  once: 'a control message is acted upon once, and its answer believed by whoever waits for it, and by nobody else',
  lives: 'control messages of a life of a domain that is over count for nothing in the next',
  events:
    'no control message is slept over, nor an event heard twice, and each message is answered while both ends live',
  returns: 'a domain that dies, hangs or lies is replaced, and its control page serves the next',
  steps: 'control messages are read when they were written, once, and not slept over, in whatever order the steps come',
} as const;

/** A request that is taken twice needs a place for its second copy. */
const twoSlots = { slot: 2, index: 4, 'message id': 2, 'id byte': 3, life: 2, 'full ring': 1 };

export const controlSuite = suite('safe-hardware-control', {
  title:
    'Safe Hardware Interface: the two message rings of a control page, before a domain that lies, rewrites, dies or hangs',
  machine: controlMachine,
  scope: {
    small: { slot: 1, index: 4, 'message id': 1, 'id byte': 2, life: 2, 'full ring': 1 },
    default: twoSlots,
    large: { ...twoSlots, 'full ring': 2 },
  },
  claims: [
    claim(controlSays.indices, {
      keeps: [controlIndices, honestUnaccused, workingLives],
      against: ['F5', 'F10', 'F11'],
      without: [
        { off: indexTest, breaks: controlIndices },
        { off: noRoomTest, breaks: controlIndices },
        { off: producerFromPage, breaks: controlIndices },
        { off: indicesKept, breaks: honestUnaccused },
        { off: impatient, breaks: workingLives },
      ],
    }),
    claim(controlSays.lengths, {
      keeps: [lengthsFit],
      against: ['F5'],
      without: [{ off: lengthTest, breaks: lengthsFit }],
    }),
    claim(controlSays.copied, {
      keeps: [lengthsFit],
      against: ['F6'],
      without: [{ off: copyFirst, breaks: lengthsFit }],
    }),
    claim(controlSays.once, {
      keeps: [actedOnce, believedAwaited, waitersCounted],
      against: ['F5', 'F10', 'F11'],
      without: [
        { off: takenTwice, breaks: actedOnce, scope: twoSlots },
        { off: copyKept, breaks: actedOnce },
        { off: idMatch, breaks: believedAwaited },
        { off: collectedTwice, breaks: waitersCounted },
        { off: waitersKept, breaks: waitersCounted },
      ],
    }),
    claim(controlSays.lives, {
      keeps: [deadCountNothing],
      against: ['F10', 'F11', 'F14'],
      without: [
        { off: pageTakenBack, breaks: deadCountNothing },
        { off: pageNotZeroed, breaks: deadCountNothing },
        { off: copiesOfDeadKept, breaks: deadCountNothing },
      ],
    }),
    claim(controlSays.events, {
      keeps: [noMessageSleptOver, messagesAnswered, wokenOnceByEvent],
      against: ['F7'],
      without: [
        { off: eventDelivery, breaks: noMessageSleptOver },
        { off: requestUntold, breaks: noMessageSleptOver },
        { off: responseUntold, breaks: noMessageSleptOver },
        { off: responseDropped, breaks: messagesAnswered },
        { off: eventNeverCleared, breaks: wokenOnceByEvent },
      ],
    }),
    claim(controlSays.returns, {
      keeps: [interfaceReturns],
      against: ['F5', 'F10', 'F11'],
      without: [
        { off: hungIsKept, breaks: interfaceReturns },
        { off: accusedIsKept, breaks: interfaceReturns },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'two slots a ring, not eight, and indices modulo four: the same code runs with eight and 2^32; one ring is filled at a time, or each has one request (at the large scope both are filled)',
    'messages have an id and a length; what types and payloads mean is the device channel’s suite',
    'what a hostile domain has on the page is chosen anew at each read',
    'the controller does not fail, and notices a hang when it waits for an answer; what hangs unasked is left alone',
  ],
});

export const controlStepsSuite = suite('safe-hardware-control-steps', {
  title:
    'Safe Hardware Interface: the rings of a control page step by step, with a domain that dies or hangs in between',
  machine: controlSteps,
  schedule: 'split',
  scope: {
    small: { slot: 1, index: 2, 'message id': 1, 'id byte': 2, life: 2, 'full ring': 1 },
    default: { slot: 1, index: 2, 'message id': 1, 'id byte': 2, life: 2, 'full ring': 1 },
    large: { slot: 1, index: 2, 'message id': 1, 'id byte': 2, life: 3, 'full ring': 1 },
  },
  claims: [
    claim(controlSays.steps, {
      keeps: [writtenFirst, noMessageSleptOver, messagesAnswered, actedOnce, deadCountNothing],
      against: ['F10', 'F11'],
      without: [
        { off: requestPublishedEarly, breaks: writtenFirst },
        { off: responsePublishedEarly, breaks: writtenFirst },
        { off: clearedUnderWay, breaks: writtenFirst },
        { off: eventClearedLate, breaks: noMessageSleptOver },
        { off: responseUntold, breaks: messagesAnswered },
        { off: copyKept, breaks: actedOnce },
        { off: copiesOfDeadKept, breaks: deadCountNothing },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'one slot a ring; domains are honest until they fail: the suite without steps has hostile ones',
    'stores reach memory in the order in which they are made',
  ],
});
