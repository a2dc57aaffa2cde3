/**
 * The shared ring: two honest ends whose steps interleave and whose stores are delayed; and one honest end before a hostile one.
 */
import {
  answerWithoutBarrier,
  collectWithoutBarrier,
  eagerNotify,
  eventDelivery,
  eventLoss,
  eventNotCleared,
  finalCheckWithoutBarrier,
  fullForgotten,
  lowRequestThreshold,
  lowResponseThreshold,
  noSecondTest,
  publishBeforeWrite,
  pushWithoutBarrier,
  ringFaults,
} from '../../faults/ring.js';
import { module } from '../../model/kernel/index.js';
import {
  beginAt,
  beginning,
  overflowTest,
  type Ring,
  responseIdTest,
  ringEnds,
  ringThreads,
} from '../../model/ringEnds.js';
import {
  eventsAsAsked,
  everyRequestAnswered,
  indicesInOrder,
  noLostNotification,
  notOverwritten,
  responseMatches,
  spuriousBounded,
  workBounded,
  writtenBeforeRead,
} from '../../properties/ring.js';
import { claim, suite } from '../suite.js';

/** Starts anywhere in five states of one run: races then need few steps. All can be reached from the first. */
export const start = module<Ring, Record<never, never>>('start of the ring', {
  tables: {},
  operations: [],
  initial: (m) => {
    beginAt(m, m.choose(beginning));
  },
});

/** A ring that is full at once; an id more than it has slots. */
const oneSlot = { slot: 1, index: 4, entry: 1, 'wire id': 2 };

export const ring = suite('ring', {
  title: 'a frontend and a backend around one ring, each step on its own, stores delayed until a barrier',
  machine: { name: 'ring', modules: [ringEnds, eventLoss, start], threads: ringThreads },
  schedule: 'split',
  scope: {
    small: { slot: 1, index: 4, entry: 1, 'wire id': 2 },
    default: { slot: 2, index: 4, entry: 1, 'wire id': 2 },
    large: { slot: 2, index: 4, entry: 2, 'wire id': 2 },
  },
  claims: [
    claim('no wake-up is lost', {
      keeps: [noLostNotification, everyRequestAnswered],
      against: ['F7'],
      without: [
        { off: pushWithoutBarrier, breaks: noLostNotification },
        { off: answerWithoutBarrier, breaks: noLostNotification },
        { off: finalCheckWithoutBarrier, breaks: noLostNotification },
        { off: collectWithoutBarrier, breaks: noLostNotification },
        { off: noSecondTest, breaks: noLostNotification },
        { off: lowRequestThreshold, breaks: noLostNotification },
        { off: lowResponseThreshold, breaks: noLostNotification },
        { off: eventDelivery, breaks: noLostNotification },
        { off: eventDelivery, breaks: everyRequestAnswered },
      ],
    }),
    claim('events come only when they were asked for', {
      keeps: [eventsAsAsked, spuriousBounded],
      against: [],
      without: [
        { off: eagerNotify, breaks: eventsAsAsked },
        { off: eventNotCleared, breaks: spuriousBounded },
      ],
    }),
    claim('every request is read once, after it was written', {
      keeps: [writtenBeforeRead, notOverwritten, indicesInOrder],
      against: [],
      without: [
        { off: publishBeforeWrite, breaks: writtenBeforeRead },
        { off: fullForgotten, breaks: notOverwritten, scope: oneSlot },
        { off: fullForgotten, breaks: indicesInOrder, scope: oneSlot },
      ],
    }),
  ],
  assumptions: [
    'scoped: indices count modulo the scope; the same code runs with modulus 2^32',
    'stub: each processor delays one store; stores of one processor stay in order (wmb is a step order, not a step)',
    'atomic: an event that is sent is pending at once',
  ],
});

export const ringHostile = suite('ring-hostile', {
  title: 'one honest end of a ring; the other one shows any index, id and threshold at each read',
  machine: { name: 'ring-hostile', modules: [ringEnds, ringFaults, start] },
  scope: {
    small: { slot: 1, index: 4, entry: 2, 'wire id': 2 },
    default: { slot: 2, index: 4, entry: 3, 'wire id': 3 },
    large: { slot: 4, index: 8, entry: 5, 'wire id': 5 },
  },
  claims: [
    claim('a hostile peer cannot move private indices out of order, nor make work without bound', {
      keeps: [indicesInOrder, workBounded],
      against: ['F5', 'F7'],
      without: [
        { off: overflowTest, breaks: indicesInOrder },
        { off: overflowTest, breaks: workBounded },
        { off: responseIdTest, breaks: indicesInOrder },
      ],
    }),
    claim('a response completes only what is outstanding', {
      keeps: [responseMatches],
      against: ['F5', 'F7'],
      without: [{ off: responseIdTest, breaks: responseMatches }],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'what a hostile end has in shared memory is chosen anew at each read',
    'an end that finds its peer hostile gives the ring up; its own requests then stay unanswered',
  ],
});
