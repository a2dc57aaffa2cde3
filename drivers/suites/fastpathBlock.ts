/** The fast path of the split block driver: its pages are mapped once for a request, and nothing is allocated, copied or asked for. */
import {
  allocateEachBlock,
  askForEachBlock,
  copyEachBlock,
  notifyEachBlock,
  notifyEachBlockAnswer,
} from '../../faults/fastpath.js';
import { blockBook, blockPushBook } from '../../model/architectures/blockBook.js';
import { respond } from '../../model/blockBack.js';
import { submit } from '../../model/blockFront.js';
import { type Block, connectedBackend } from '../../model/blockState.js';
import { bookedMachine } from '../../model/books.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import { frugalDataPath, STANDING, wokenOnce } from '../../properties/fastpath.js';
import { claim, suite } from '../suite.js';
import { connectedStart } from './blockStarts.js';

const PUSHES: readonly string[] = [submit.name, respond.name];

const machine = bookedMachine<Block>(
  { name: 'block, with its ledger', modules: [splitBlock, connectedStart] },
  (operation) => (PUSHES.includes(operation) ? blockPushBook : blockBook),
);

export const blockFrugal = frugalDataPath({
  roles: ['submit', 'translate', 'complete', 'notify'],
  limits: { ...STANDING, 'page flip': 0, 'grant mapping': 0, 'grant unmapping': 0 },
  allow: { 'back.map': { 'grant mapping': 1 }, 'back.unmap': { 'grant unmapping': 1 } },
});

/** For machines with one frontend. */
export const blockWoken = wokenOnce<Block>([
  {
    by: [submit.name],
    waits: (before) => before.sring.reqProd[0] !== before.chan.reqCons[before.chan.at(connectedBackend(before, 0), 0)],
  },
  { by: [respond.name], waits: (before) => before.sring.rspProd[0] !== before.fe.rspCons[0] },
]);

const scope = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 1,
  request: 2,
  page: 3,
  pending: 2,
  segment: 1,
  sector: 4,
  slot: 2,
  index: 4,
  'segment count': 3,
  'message id': 3,
} as const;

/** Two writes to a disk that is read-only are refused one after the other, which is the shortest way to two answers. */
const TWO_WRITES = { ...scope, request: 4, page: 5, index: 8 } as const;

export const fastpathBlock = suite('fastpath-block', {
  title: 'the data path of the split block driver: a page is mapped and unmapped once, nothing is allocated or copied',
  machine,
  gatesOff: [dmaRemapping],
  scope: {
    small: { ...scope, pending: 1 },
    default: scope,
    large: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 2,
      page: 4,
      pending: 2,
      segment: 2,
      sector: 8,
      slot: 2,
      index: 4,
      'segment count': 4,
      'message id': 3,
    },
  },
  claims: [
    claim('block requests flow without allocations, copies or control messages, and map each page once', {
      keeps: [blockFrugal],
      against: [],
      without: [askForEachBlock, copyEachBlock, allocateEachBlock].map((off) => ({ off, breaks: blockFrugal })),
    }),
    claim('nobody is notified along a block ring in which something waits', {
      keeps: [blockWoken],
      against: [],
      without: [
        { off: notifyEachBlock, breaks: blockWoken },
        { off: notifyEachBlockAnswer, breaks: blockWoken, scope: TWO_WRITES },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'one frontend, each request once: indices do not turn',
    'no IOMMU: what one adds for each buffer is in the suites of the net channel and in the costs',
    'both ends are honest: a hostile end is notified at its own expense',
  ],
});
