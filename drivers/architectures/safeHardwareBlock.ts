/**
 * Block of the Safe Hardware Interface (M6, M8): the split driver with hostile ends, with a backend that fails. The state machine of the handshake is that of xenbus, its successor; the messages of 2004 are in the suite of the device channel.
 */
import { backendFailures } from '../../faults/block.js';
import { hostileBackends, hostileFrontends } from '../../faults/blockHostile.js';
import {
  answerBeforeService,
  endFailureIgnored,
  hostileTolerated,
  indicesKept,
  mapFirst,
  operationTwice,
  replayAfterNew,
  replayOmitted,
  rereadFirst,
  rereadGrant,
  rereadLast,
  rereadOperation,
  rereadSector,
  rereadSegments,
  restartBeforeDestroy,
  ringReused,
  takeBackForgotten,
  unboundedId,
  unmapForgotten,
} from '../../faults/blockMutants.js';
import { eventDelivery } from '../../faults/ring.js';
import { epochTest, outstandingTest, overflowTest } from '../../model/blockFront.js';
import { rightsTest } from '../../model/blockState.js';
import { extentTest, formatTest, modeTest, segmentTest } from '../../model/blockTake.js';
import { splitBlock } from '../../model/splitBlock.js';
import {
  answeredOnce,
  completedOnce,
  extentKept,
  requestsEnd,
  ringOrder,
} from '../../properties/architectures/safeHardware.js';
import { checkedIsUsed, mappedAsNeeded, mappingsCounted } from '../../properties/block.js';
import {
  everythingReturns,
  freshAnswers,
  notReusedWhileMapped,
  oneOwner,
  replayedFirst,
} from '../../properties/blockRecovery.js';
import { claim, suite } from '../suite.js';
import { oneDisk } from '../suites/blockScopes.js';
import { assumptions, blockStart, connectedStart } from '../suites/blockStarts.js';

/** Sentences of the claims. */
export const blockSays = {
  once: 'a block request completes exactly once for its client, or fails, whatever happens to the backend',
  owner: 'a disk has one live owner, and what a dead one held comes back, however often it dies',
  malformed: 'a backend does nothing for a malformed request but refuse it, and keeps nothing of it',
  inPlace: 'a backend uses what it has checked, whatever is written into the ring meanwhile',
  distrust: 'a frontend completes only what is outstanding, whatever a hostile backend answers',
  kept: 'a page that a hostile backend still maps is not used again',
} as const;

const TWO_REQUESTS = { ...oneDisk, request: 2, page: 4, slot: 2, index: 4, 'message id': 5 };

/** Indices out of order show when the pool holds more requests than the ring. */
const TWO_PENDING = { ...oneDisk, epoch: 1, pending: 2, index: 4, 'message id': 2 };

const remarks = [...assumptions, 'one run for both eras: what it checks does not depend on the hardware'];

export const blockRecoverySuite = suite('safe-hardware-block', {
  title: 'Safe Hardware Interface: block requests through crash, hang, wrong suspicion, restart and replay',
  machine: { name: 'block of driver domains', modules: [splitBlock, backendFailures, blockStart] },
  scope: { small: oneDisk, default: { ...oneDisk, epoch: 3, 'message id': 4 }, large: TWO_REQUESTS },
  claims: [
    claim(blockSays.once, {
      keeps: [requestsEnd, answeredOnce, freshAnswers, replayedFirst, ringOrder],
      against: ['F7', 'F10', 'F11', 'F14'],
      without: [
        { off: epochTest, breaks: freshAnswers },
        { off: replayOmitted, breaks: replayedFirst },
        { off: replayAfterNew, breaks: replayedFirst, scope: TWO_REQUESTS },
        { off: indicesKept, breaks: ringOrder },
        { off: answerBeforeService, breaks: freshAnswers },
        { off: operationTwice, breaks: answeredOnce },
        { off: eventDelivery, breaks: requestsEnd },
      ],
    }),
    claim(blockSays.owner, {
      keeps: [oneOwner, everythingReturns, mappingsCounted, notReusedWhileMapped],
      against: ['F10', 'F11'],
      without: [
        { off: restartBeforeDestroy, breaks: oneOwner },
        { off: ringReused, breaks: notReusedWhileMapped },
        { off: unmapForgotten, breaks: mappingsCounted },
        { off: takeBackForgotten, breaks: everythingReturns },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: remarks,
});

export const blockHostileSuite = suite('safe-hardware-block-guest', {
  title: 'Safe Hardware Interface: a block backend before a hostile guest',
  machine: { name: 'block before a hostile guest', modules: [splitBlock, hostileFrontends, connectedStart] },
  scope: {
    small: { ...oneDisk, epoch: 1, page: 2, 'message id': 2 },
    default: { ...oneDisk, epoch: 1, index: 4, 'message id': 2 },
    large: TWO_PENDING,
  },
  claims: [
    claim(blockSays.malformed, {
      keeps: [extentKept, mappedAsNeeded, mappingsCounted, ringOrder],
      against: ['F5', 'F7'],
      without: [
        { off: extentTest, breaks: extentKept },
        { off: modeTest, breaks: extentKept },
        { off: rightsTest, breaks: mappedAsNeeded },
        { off: mapFirst, breaks: mappingsCounted },
        { off: overflowTest, breaks: ringOrder, scope: TWO_PENDING },
      ],
    }),
    claim(blockSays.inPlace, {
      keeps: [checkedIsUsed, extentKept, mappingsCounted],
      against: ['F5', 'F6'],
      without: [
        { off: formatTest, breaks: checkedIsUsed },
        { off: segmentTest, breaks: checkedIsUsed },
        { off: rereadOperation, breaks: extentKept },
        { off: rereadSegments, breaks: checkedIsUsed },
        { off: rereadSector, breaks: extentKept },
        { off: rereadFirst, breaks: checkedIsUsed },
        { off: rereadLast, breaks: checkedIsUsed },
        { off: rereadGrant, breaks: mappingsCounted },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: remarks,
});

export const blockDistrustSuite = suite('safe-hardware-block-backend', {
  title: 'Safe Hardware Interface: a block frontend before a hostile driver domain',
  machine: { name: 'block before a hostile driver domain', modules: [splitBlock, hostileBackends, blockStart] },
  scope: { small: oneDisk, default: oneDisk, large: TWO_REQUESTS },
  claims: [
    claim(blockSays.distrust, {
      keeps: [completedOnce, requestsEnd],
      against: ['F5', 'F7'],
      without: [
        { off: unboundedId, breaks: completedOnce },
        { off: outstandingTest, breaks: completedOnce },
        { off: hostileTolerated, breaks: requestsEnd },
      ],
    }),
    claim(blockSays.kept, {
      keeps: [notReusedWhileMapped],
      against: ['F5', 'F12'],
      without: [{ off: endFailureIgnored, breaks: notReusedWhileMapped }],
    }),
  ],
  mayStop: () => true,
  assumptions: remarks,
});
