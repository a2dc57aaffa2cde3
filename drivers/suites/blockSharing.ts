/** Two frontends that share a backend, and two that share nothing but the machine. */
import { strangersCrash } from '../../faults/block.js';
import { hostileNeighbour } from '../../faults/blockHostile.js';
import { oneDomainForAll, restartBeforeDestroy } from '../../faults/blockMutants.js';
import { overflowTest } from '../../model/blockFront.js';
import { close } from '../../model/blockFrontLife.js';
import { extentTest, poolQuota } from '../../model/blockTake.js';
import { drop } from '../../model/kernel/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import {
  independentOfCrash,
  independentOfSecrets,
  insideExtent,
  poolShared,
  workBounded,
} from '../../properties/block.js';
import { oneOwner } from '../../properties/blockRecovery.js';
import { claim, suite } from '../suite.js';
import { assumptions, plainStart } from './blockStarts.js';

const shared = {
  device: 1,
  frontend: 2,
  backend: 2,
  epoch: 1,
  request: 1,
  page: 2,
  pending: 2,
  segment: 1,
  sector: 4,
  'segment count': 3,
  'message id': 3,
};

export const blockShared = suite('block-shared', {
  title: 'two frontends on one backend, one of them hostile',
  machine: { name: 'block-shared', modules: [splitBlock, hostileNeighbour, plainStart] },
  scope: {
    small: { ...shared, slot: 1, index: 2 },
    default: { ...shared, slot: 2, index: 4 },
  },
  claims: [
    claim('a frontend gets its share of the backend, and none of its neighbour', {
      keeps: [poolShared, insideExtent, workBounded, independentOfSecrets],
      against: ['F6', 'F7'],
      without: [
        { off: poolQuota, breaks: poolShared },
        { off: extentTest, breaks: insideExtent },
        { off: overflowTest, breaks: workBounded },
        { off: extentTest, breaks: independentOfSecrets },
      ],
    }),
  ],
  mayStop: () => true,
  edits: [drop(close)],
  assumptions: [
    ...assumptions,
    'scoped: one of the frontends turns hostile, not both',
    'scoped: nobody closes his device; the suite block has that',
  ],
});

export const blockNeighbours = suite('block-neighbours', {
  title: 'two frontends, each with a device and a backend of its own, one of which crashes',
  machine: { name: 'block-neighbours', modules: [splitBlock, strangersCrash, plainStart] },
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
      without: [
        { off: restartBeforeDestroy, breaks: oneOwner },
        { off: oneDomainForAll, breaks: independentOfCrash },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});
