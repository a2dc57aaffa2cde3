/** The block split driver among honest ends whose backend fails, and before a hostile backend. */
import { backendFailures, crashesOnly } from '../../faults/block.js';
import * as doing from '../../faults/blockDoing.js';
import { hostileBackends } from '../../faults/blockHostile.js';
import {
  answerBeforeService,
  endFailureIgnored,
  epochNotBegun,
  failureAnsweredOkay,
  hostileTolerated,
  indicesKept,
  interruptWhileRecovering,
  mappedTooEarly,
  operationTwice,
  reclaimForgotten,
  replayAfterNew,
  replayOmitted,
  restartBeforeDestroy,
  ringKeptMapped,
  ringReused,
  takeBackForgotten,
  tornDownTwice,
  unboundedId,
  unmapForgotten,
} from '../../faults/blockMutants.js';
import { eventDelivery } from '../../faults/ring.js';
import { epochTest, outstandingTest } from '../../model/blockFront.js';
import { splitBlock } from '../../model/splitBlock.js';
import { mappingsCounted, privateOrder } from '../../properties/block.js';
import {
  asleepSafely,
  callsDone,
  collectsAwake,
  lentWhileNeeded,
  onlyTheLivingServe,
  ownMappings,
} from '../../properties/blockDoing.js';
import {
  completedOnce,
  epochsGrow,
  everyRequestEnds,
  everythingReturns,
  freshAnswers,
  notReusedWhileMapped,
  oneOwner,
  replayedFirst,
  ringMappedInTime,
  ringOnlyConnected,
  servedOnce,
  tornDownOnce,
} from '../../properties/blockRecovery.js';
import { claim, suite } from '../suite.js';
import { oneDisk } from './blockScopes.js';
import { assumptions, blockStart } from './blockStarts.js';

export const block = suite('block', {
  title: 'a block frontend and backend through handshake, I/O, crash, hang, restart and replay',
  machine: { name: 'block', modules: [splitBlock, backendFailures, blockStart] },
  scope: {
    small: oneDisk,
    default: { ...oneDisk, request: 2, page: 4, slot: 2, index: 4, 'message id': 5 },
    large: { ...oneDisk, epoch: 3, request: 2, page: 5, pending: 2, slot: 2, index: 4, 'message id': 7 },
  },
  claims: [
    claim('every request completes exactly once, or fails, whatever happens to the backend', {
      keeps: [
        ...[everyRequestEnds, completedOnce, servedOnce, replayedFirst, freshAnswers, privateOrder],
        ...[asleepSafely, collectsAwake],
      ],
      against: ['F7', 'F10', 'F11', 'F14'],
      without: [
        { off: epochTest, breaks: freshAnswers },
        { off: replayOmitted, breaks: replayedFirst },
        { off: replayAfterNew, breaks: replayedFirst },
        { off: indicesKept, breaks: privateOrder },
        { off: answerBeforeService, breaks: freshAnswers },
        { off: operationTwice, breaks: servedOnce },
        { off: eventDelivery, breaks: everyRequestEnds },
        { off: doing.backThresholdKept, breaks: asleepSafely },
        { off: doing.collectsUnasked, breaks: collectsAwake },
      ],
    }),
    claim('a device has one owner, and what a dead one held comes back', {
      keeps: [
        ...[oneOwner, everythingReturns, mappingsCounted, notReusedWhileMapped, lentWhileNeeded],
        ...[onlyTheLivingServe, ownMappings],
      ],
      against: ['F10', 'F11'],
      without: [
        { off: restartBeforeDestroy, breaks: oneOwner },
        { off: ringReused, breaks: notReusedWhileMapped },
        { off: unmapForgotten, breaks: mappingsCounted },
        { off: takeBackForgotten, breaks: everythingReturns },
        { off: doing.bufferKeptLent, breaks: lentWhileNeeded },
        { off: doing.buffersKeptClosed, breaks: lentWhileNeeded },
        { off: doing.hungServes, breaks: onlyTheLivingServe },
      ],
    }),
    claim('both ends follow the handshake, and old connections leave nothing behind', {
      keeps: [ringOnlyConnected, ringMappedInTime, epochsGrow, tornDownOnce, callsDone],
      against: ['F10', 'F11'],
      without: [
        { off: interruptWhileRecovering, breaks: ringOnlyConnected },
        { off: mappedTooEarly, breaks: ringMappedInTime },
        { off: tornDownTwice, breaks: tornDownOnce },
        { off: epochNotBegun, breaks: epochsGrow },
        { off: doing.notAnnounced, breaks: callsDone },
        { off: doing.closingNotAnnounced, breaks: callsDone },
        { off: doing.connectedAsleep, breaks: callsDone },
        { off: doing.handlerNeverEnds, breaks: callsDone },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

const failing = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 2,
  request: 2,
  page: 4,
  pending: 1,
  segment: 1,
  sector: 4,
  slot: 1,
  index: 2,
  'segment count': 3,
  'message id': 3,
};

export const blockFailures = suite('block-failures', {
  title: 'a block frontend and backend, in which any allocation, mapping and grant can fail, and the backend crashes',
  machine: { name: 'block-failures', modules: [splitBlock, crashesOnly, blockStart] },
  failures: 'any',
  scope: {
    small: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 2,
      request: 1,
      page: 3,
      pending: 1,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 2,
      'segment count': 3,
      'message id': 3,
    },
    default: failing,
    large: { ...failing, pending: 2 },
  },
  claims: [
    claim('what fails half way is undone, and the request that it was for completes, or fails', {
      keeps: [
        ...[everyRequestEnds, servedOnce, freshAnswers, mappingsCounted, notReusedWhileMapped, privateOrder],
        lentWhileNeeded,
      ],
      against: ['F10'],
      without: [
        { off: ringKeptMapped, breaks: mappingsCounted },
        { off: failureAnsweredOkay, breaks: freshAnswers },
        { off: doing.bufferKeptLent, breaks: lentWhileNeeded },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

const distrusting = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 2,
  request: 2,
  page: 4,
  pending: 1,
  segment: 1,
  sector: 4,
  slot: 2,
  index: 4,
  'segment count': 3,
  'message id': 5,
};

export const blockDistrust = suite('block-distrust', {
  title: 'a block frontend before a hostile backend, which answers anything and keeps what it has mapped',
  machine: { name: 'block-distrust', modules: [splitBlock, hostileBackends, blockStart] },
  scope: {
    small: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 2,
      request: 1,
      page: 3,
      pending: 1,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 2,
      'segment count': 3,
      'message id': 3,
    },
    default: distrusting,
    large: { ...distrusting, epoch: 3, 'message id': 7 },
  },
  claims: [
    claim('a hostile backend completes only what is outstanding, and each request once', {
      keeps: [completedOnce, everyRequestEnds],
      against: ['F5', 'F7'],
      without: [
        { off: unboundedId, breaks: completedOnce },
        { off: outstandingTest, breaks: completedOnce },
        { off: hostileTolerated, breaks: everyRequestEnds },
      ],
    }),
    claim('a page that a backend still maps is not used again', {
      keeps: [notReusedWhileMapped, everythingReturns, lentWhileNeeded, ownMappings, onlyTheLivingServe],
      against: ['F5', 'F12'],
      without: [
        { off: endFailureIgnored, breaks: notReusedWhileMapped },
        { off: reclaimForgotten, breaks: everythingReturns },
        { off: doing.bufferKeptLent, breaks: lentWhileNeeded },
        { off: doing.takenFromTheLiving, breaks: ownMappings },
        { off: doing.hostileConnects, breaks: onlyTheLivingServe },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});
