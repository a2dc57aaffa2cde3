/**
 * The block split driver: honest ends whose backend fails, a hostile frontend, a hostile backend, and two frontends that share.
 */
import { backendFailures, crashesOnly, hostileBackends, hostileFrontends } from '../../faults/block.js';
import {
  answerBeforeService,
  endFailureIgnored,
  indicesKept,
  interruptWhileRecovering,
  mapFirst,
  mappedTooEarly,
  operationTwice,
  partialMappingKept,
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
  tornDownTwice,
  unboundedId,
  unmapForgotten,
  wrapForgotten,
} from '../../faults/blockMutants.js';
import { eventDelivery } from '../../faults/ring.js';
import { extentTest, formatTest, modeTest, poolQuota, segmentTest } from '../../model/blockBack.js';
import { epochTest, outstandingTest, overflowTest } from '../../model/blockFront.js';
import type { Block } from '../../model/blockState.js';
import { flag, module, sort } from '../../model/kernel/index.js';
import { connectAll, splitBlock } from '../../model/splitBlock.js';
import {
  checkedIsUsed,
  completedOnce,
  epochsGrow,
  everyRequestEnds,
  everythingReturns,
  freshAnswers,
  independentOfCrash,
  independentOfSecrets,
  insideExtent,
  mappedAsNeeded,
  mappingsCounted,
  notReusedWhileMapped,
  oneOwner,
  poolShared,
  privateOrder,
  replayedFirst,
  ringMappedInTime,
  ringOnlyConnected,
  servedOnce,
  tornDownOnce,
  workBounded,
} from '../../properties/block.js';
import { claim, suite } from '../suite.js';

const beginning = sort('connection', { members: ['just created', 'connected', 'connected in the second epoch'] });

/** Begins at the beginning, or past the handshake: races then need few steps. All three can be reached from the first. */
export const blockStart = module<Block, Record<never, never>>('start of the block driver', {
  tables: {},
  operations: [],
  initial: (m) => {
    const from = m.choose(beginning);
    if (from > 0) connectAll(m, from === 2);
  },
});

/** Connected, with a disk that may be written or not. */
const connectedStart = module<Block, Record<never, never>>('connected', {
  tables: {},
  operations: [],
  initial: (m) => {
    connectAll(m, false);
    m.vbd.readOnly[0] = m.choose(flag, 'read-only');
  },
});

/** Connected. */
const plainStart = module<Block, Record<never, never>>('connected, disks writable', {
  tables: {},
  operations: [],
  initial: (m) => connectAll(m, false),
});

const assumptions = [
  'stub: grants are a table of which backend maps which page; grants.ts has the protocol',
  'stub: a disk holds who wrote each sector, and a secret bit, not bytes',
  'atomic: push with its notification, and the final check; the suite ring takes them apart',
  'trusted: device manager, tool stack and VMM',
  'scoped: backends fail only while the scope has another epoch to restart them in',
];

/** For what needs two segments. */
const twoSegments = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 1,
  request: 1,
  page: 3,
  pending: 1,
  segment: 2,
  sector: 8,
  slot: 1,
  index: 2,
  'segment count': 4,
  'message id': 2,
};

export const block = suite('block', {
  title: 'a block frontend and backend through handshake, I/O, crash, hang, restart and replay',
  machine: { name: 'block', modules: [splitBlock, backendFailures, blockStart] },
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
    default: {
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
    },
    large: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 3,
      request: 2,
      page: 5,
      pending: 2,
      segment: 1,
      sector: 4,
      slot: 2,
      index: 4,
      'segment count': 3,
      'message id': 7,
    },
  },
  claims: [
    claim('every request completes exactly once, or fails, whatever happens to the backend', {
      keeps: [everyRequestEnds, completedOnce, servedOnce, replayedFirst, freshAnswers, privateOrder],
      against: ['F7', 'F10', 'F11', 'F14'],
      without: [
        { off: epochTest, breaks: freshAnswers },
        { off: replayOmitted, breaks: replayedFirst },
        { off: replayAfterNew, breaks: replayedFirst },
        { off: indicesKept, breaks: privateOrder },
        { off: answerBeforeService, breaks: freshAnswers },
        { off: operationTwice, breaks: servedOnce },
        { off: eventDelivery, breaks: everyRequestEnds },
      ],
    }),
    claim('a device has one owner, and what a dead one held comes back', {
      keeps: [oneOwner, everythingReturns, mappingsCounted, notReusedWhileMapped],
      against: ['F10', 'F11'],
      without: [
        { off: restartBeforeDestroy, breaks: oneOwner },
        { off: ringReused, breaks: notReusedWhileMapped },
        { off: unmapForgotten, breaks: mappingsCounted },
      ],
    }),
    claim('both ends follow the handshake, and old connections leave nothing behind', {
      keeps: [ringOnlyConnected, ringMappedInTime, epochsGrow, tornDownOnce],
      against: ['F10', 'F11'],
      without: [
        { off: interruptWhileRecovering, breaks: ringOnlyConnected },
        { off: mappedTooEarly, breaks: ringMappedInTime },
        { off: tornDownTwice, breaks: tornDownOnce },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

export const blockHostile = suite('block-hostile', {
  title: 'a block backend before a hostile frontend, whose ring holds anything and changes between two reads',
  machine: { name: 'block-hostile', modules: [splitBlock, hostileFrontends, connectedStart] },
  scope: {
    small: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 2,
      pending: 1,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 2,
      'segment count': 3,
      'message id': 2,
    },
    default: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 3,
      pending: 2,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 4,
      'segment count': 3,
      'message id': 2,
    },
    large: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 3,
      pending: 1,
      segment: 2,
      sector: 8,
      slot: 1,
      index: 4,
      'segment count': 4,
      'message id': 2,
    },
  },
  claims: [
    claim('a disk access stays inside the extent of the frontend that asked for it', {
      keeps: [insideExtent],
      against: ['F5', 'F6'],
      without: [
        { off: extentTest, breaks: insideExtent },
        { off: modeTest, breaks: insideExtent },
        { off: wrapForgotten, breaks: insideExtent },
        { off: rereadSector, breaks: insideExtent },
        { off: rereadOperation, breaks: insideExtent },
      ],
    }),
    claim('what a backend uses is what it has checked', {
      keeps: [checkedIsUsed, mappedAsNeeded, mappingsCounted],
      against: ['F5', 'F6'],
      without: [
        { off: formatTest, breaks: checkedIsUsed },
        { off: segmentTest, breaks: checkedIsUsed },
        { off: rereadSegments, breaks: checkedIsUsed },
        { off: rereadFirst, breaks: checkedIsUsed },
        { off: rereadLast, breaks: checkedIsUsed },
        { off: rereadGrant, breaks: mappingsCounted },
        { off: mapFirst, breaks: mappingsCounted },
        { off: partialMappingKept, breaks: mappingsCounted, scope: twoSegments },
      ],
    }),
    claim('a hostile frontend cannot put indices out of order', {
      keeps: [privateOrder],
      against: ['F5', 'F7'],
      without: [{ off: overflowTest, breaks: privateOrder }],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

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
    default: {
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
    },
  },
  claims: [
    claim('a hostile backend completes only what is outstanding, and each request once', {
      keeps: [completedOnce, everyRequestEnds],
      against: ['F5', 'F7'],
      without: [
        { off: unboundedId, breaks: completedOnce },
        { off: outstandingTest, breaks: completedOnce },
      ],
    }),
    claim('a page that a backend still maps is not used again', {
      keeps: [notReusedWhileMapped, everythingReturns],
      against: ['F5', 'F12'],
      without: [{ off: endFailureIgnored, breaks: notReusedWhileMapped }],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

export const blockShared = suite('block-shared', {
  title: 'two frontends on one backend, one of them hostile',
  machine: { name: 'block-shared', modules: [splitBlock, hostileFrontends, plainStart] },
  scope: {
    default: {
      device: 1,
      frontend: 2,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 2,
      pending: 2,
      segment: 1,
      sector: 4,
      slot: 2,
      index: 4,
      'segment count': 3,
      'message id': 3,
    },
  },
  claims: [
    claim('a frontend gets its share of the backend, and none of its neighbour', {
      keeps: [poolShared, insideExtent, workBounded, independentOfSecrets],
      against: ['F5', 'F6', 'F7'],
      without: [
        { off: poolQuota, breaks: poolShared },
        { off: extentTest, breaks: insideExtent },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

export const blockNeighbours = suite('block-neighbours', {
  title: 'two frontends, each with a device and a backend of its own, one of which crashes',
  machine: { name: 'block-neighbours', modules: [splitBlock, crashesOnly, plainStart] },
  scope: {
    default: {
      device: 2,
      frontend: 2,
      backend: 4,
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
  },
  claims: [
    claim('nobody notices the crash of a driver that he does not use', {
      keeps: [independentOfCrash, oneOwner],
      against: ['F10'],
      without: [{ off: restartBeforeDestroy, breaks: oneOwner }],
    }),
  ],
  mayStop: () => true,
  assumptions,
});
