/** Two frontends that share a backend, and two that share nothing but the machine. */
import { strangersCrash } from '../../faults/block.js';
import { hostileNeighbour } from '../../faults/blockHostile.js';
import { oneDomainForAll, restartBeforeDestroy } from '../../faults/blockMutants.js';
import { UNSUPPORTED } from '../../model/blockFormats.js';
import { overflowTest } from '../../model/blockFront.js';
import { close } from '../../model/blockFrontLife.js';
import { type Block, CHECKED } from '../../model/blockState.js';
import { extentTest, poolQuota, take } from '../../model/blockTake.js';
import { drop, replace } from '../../model/kernel/index.js';
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
import { twoDisks } from './blockScopes.js';
import { assumptions, idleStart, plainStart } from './blockStarts.js';
import { leaveOut } from './parts.js';

const two = {
  device: 1,
  frontend: 2,
  backend: 2,
  epoch: 1,
  request: 1,
  page: 2,
  segment: 1,
  sector: 4,
  'segment count': 3,
  'message id': 3,
};
const noClosing = 'scoped: nobody closes his device; the suite block has that';
const oneHostile = 'scoped: one of the frontends turns hostile, not both';

/** What a hostile frontend asks for is nonsense: it holds an entry of the pool all the same, until it is answered. */
const onlyNonsense = replace(take, 'copy the operation', (m: Block, op) => {
  m.pool.stage[op.row] = CHECKED;
  m.pool.frontend[op.row] = op.frontend;
  m.pool.id[op.row] = op.hostile ? 0 : m.slot.id[op.at];
  m.pool.op[op.row] = op.hostile ? UNSUPPORTED : m.slot.op[op.at];
  m.pool.segments[op.row] = op.hostile ? 0 : m.slot.segments[op.at];
});

/** What connected ends do not do: begin, suspend, reconnect, be taken back; and end. */
const handshake = [
  ...['front.initialise', 'front.replay', 'front.connect', 'front.suspend', 'front.reclaim', 'back.announce'],
  ...['back.connect', 'manager.destroy', 'vmm.takeBack', 'vmm.bury', 'manager.restart'],
];
const endings = ['front.closed', 'back.disconnect'];

export const blockShared = suite('block-shared', {
  title: 'two frontends on one backend, one of them hostile, which floods it',
  machine: {
    name: 'block-shared',
    modules: leaveOut([splitBlock, hostileNeighbour, plainStart], ...handshake, ...endings),
  },
  scope: {
    default: { ...two, pending: 2, slot: 2, index: 4 },
    large: { ...two, pending: 2, slot: 2, index: 4, request: 2, page: 3 },
    small: { ...two, pending: 2, slot: 2, index: 4 },
  },
  claims: [
    claim('a frontend gets its share of the backend', {
      keeps: [poolShared, workBounded],
      against: ['F6', 'F7'],
      without: [
        { off: poolQuota, breaks: poolShared },
        { off: overflowTest, breaks: workBounded, scope: { ...two, pending: 3, slot: 1, index: 2 } },
      ],
    }),
  ],
  mayStop: () => true,
  edits: [drop(close), onlyNonsense],
  assumptions: [
    ...assumptions,
    oneHostile,
    noClosing,
    'scoped: the hostile frontend asks for what no backend knows; the suite block-hostile has the rest',
  ],
});

export const blockSecrets = suite('block-secrets', {
  title: 'two frontends on one backend, one of them hostile, with a secret of the other in reach',
  machine: {
    name: 'block-secrets',
    modules: leaveOut([splitBlock, hostileNeighbour, plainStart], ...handshake, ...endings),
  },
  scope: {
    default: { ...two, pending: 1, slot: 1, index: 2 },
    large: { ...two, pending: 2, slot: 1, index: 2 },
    small: { ...two, pending: 1, slot: 1, index: 2 },
  },
  claims: [
    claim('a frontend learns nothing of its neighbour', {
      keeps: [insideExtent, independentOfSecrets],
      against: ['F6', 'F7'],
      without: [
        { off: extentTest, breaks: insideExtent },
        { off: extentTest, breaks: independentOfSecrets },
      ],
    }),
  ],
  mayStop: () => true,
  edits: [drop(close)],
  assumptions: [...assumptions, oneHostile, noClosing],
});

export const blockNeighbours = suite('block-neighbours', {
  title: 'two frontends, each with a device and a backend of its own, one of which crashes',
  machine: {
    name: 'block-neighbours',
    modules: leaveOut([splitBlock, strangersCrash, idleStart], 'front.replay', 'manager.destroy', ...endings),
  },
  scope: {
    small: twoDisks,
    default: twoDisks,
    large: { ...twoDisks, request: 2, page: 4 },
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
  edits: [drop(close)],
  assumptions: [
    ...assumptions,
    noClosing,
    'scoped: the frontend whose backend crashes is idle; the suite block has it at work',
  ],
});
