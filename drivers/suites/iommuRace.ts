/**
 * Suites of the abstract IOMMU with calls split, or with waits that fail: `iommu-race`, `iommu-timeout`, `iommu-queue`.
 */
import * as doing from '../../faults/iommuDoing.js';
import {
  atcFirst,
  downgradeNotFlushed,
  dropBeforeWait,
  fullLogStops,
  unmapForgetsHolding,
  unmapKeepsAtc,
  unmapKeepsIotlb,
} from '../../faults/iommuMutants.js';
import {
  endlessWait,
  fullQueueDrops,
  fullQueueRefuses,
  rangeTooLarge,
  rangeTooSmall,
  timeoutSwallowed,
  untaggedCompletion,
} from '../../faults/iommuQueueMutants.js';
import {
  atcInvalidation,
  dmaRemapping,
  drainOnWait,
  iotlbInvalidation,
  strictInvalidation,
  tableWriteBack,
} from '../../model/iommu/index.js';
import {
  dmaCount,
  dmaDone,
  dmaFair,
  dmaOwed,
  dmaQueueFair,
  dmaRange,
  dmaReach,
  dmaRevoke,
  dmaShadow,
  dmaType,
  waitEnds,
} from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import { iommuQueueMachine, iommuRaceMachine } from './iommuMachines.js';
import { leaveOut } from './parts.js';

export const IOMMU_ASSUMPTIONS = [
  'an entry of a table changes as a whole (torn writes belong to the bit-level specification)',
  'a device with an ATC uses only what its ATC holds',
  'hardware obeys invalidation commands in order, and a completed wait has drained requests translated before it',
  'the directory of a domain is the VMM\u2019s own memory; table frames come from the heap',
  'one outstanding flush for each domain',
] as const;

/** A second page, for ranges. */
export const TWO_PAGES = {
  domain: 2,
  generation: 1,
  frame: 4,
  device: 1,
  ats: 0,
  iova: 2,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
} as const;

/** A second device, for requests between devices. */
export const TWO_DEVICES = { ...TWO_PAGES, iova: 1, device: 2 } as const;
/** A second DID, for moves. */
export const TWO_DIDS = { ...TWO_PAGES, iova: 1, did: 2 } as const;

/** One device with an ATC; every call is split. */
export const iommuRace = suite('iommu-race', {
  title: 'revocations step by step, while caches refill and DMA is in flight',
  machine: {
    ...iommuRaceMachine,
    modules: leaveOut(iommuRaceMachine.modules, 'iommu.reap', 'iommu.enable', 'dma.forgedTranslated', 'dma.peer'),
  },
  schedule: 'split',
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 1, record: 1 },
    default: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 2, record: 1 },
    large: { domain: 2, generation: 1, frame: 5, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 2, record: 1 },
  },
  claims: [
    claim('what a device can still reach is neither freed nor given away, at no step of a revocation', {
      keeps: [dmaReach, dmaType, dmaCount, dmaOwed],
      against: ['F2', 'F3'],
      without: [
        { off: dmaRemapping, breaks: dmaReach },
        { off: dropBeforeWait, breaks: dmaReach },
        { off: doing.rightBeforeType, breaks: dmaType },
        { off: doing.typeDroppedEarly, breaks: dmaType },
        { off: unmapForgetsHolding, breaks: dmaCount },
        { off: doing.absentUnmapped, breaks: dmaOwed },
      ],
    }),
    claim('a right that was taken away is gone when the call returns, in flight and in every cache', {
      keeps: [dmaRevoke, dmaShadow],
      against: ['F3'],
      without: [
        { off: drainOnWait, breaks: dmaRevoke },
        { off: iotlbInvalidation, breaks: dmaRevoke },
        { off: atcInvalidation, breaks: dmaRevoke },
        { off: strictInvalidation, breaks: dmaRevoke },
        { off: tableWriteBack, breaks: dmaShadow },
        { off: unmapKeepsIotlb, breaks: dmaRevoke },
        { off: unmapKeepsAtc, breaks: dmaRevoke },
        { off: downgradeNotFlushed, breaks: dmaShadow },
        { off: atcFirst, breaks: dmaShadow },
      ],
    }),
    claim('an invalidation removes what is in its range and nothing else', {
      keeps: [dmaRange],
      against: ['F3'],
      without: [
        { off: rangeTooLarge, breaks: dmaRange, scope: TWO_PAGES },
        { off: rangeTooSmall, breaks: dmaRange, scope: TWO_PAGES },
      ],
    }),
    claim('a full fault log stops nobody\u2019s requests', {
      keeps: [dmaFair, dmaDone],
      against: ['F2', 'F12'],
      without: [
        { off: fullLogStops, breaks: dmaFair },
        { off: doing.faultsKept, breaks: dmaDone },
      ],
    }),
  ],
  assumptions: IOMMU_ASSUMPTIONS,
});

/** The race again, with waits that time out. */
export const iommuTimeout = suite('iommu-timeout', {
  title: 'revocations step by step, with waits that time out and complete late',
  machine: {
    ...iommuRaceMachine,
    modules: leaveOut(iommuRaceMachine.modules, 'iommu.readFaults', 'iommu.enable', 'dma.forgedTranslated', 'dma.peer'),
  },
  schedule: 'split',
  failures: 'any',
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
    default: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 1, frame: 5, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim(
      'what a flush that timed out holds back stays accounted, and out of others\u2019 reach, until it has completed',
      {
        keeps: [dmaReach, dmaType, dmaCount, dmaRevoke, dmaShadow],
        against: ['F2', 'F3', 'F12'],
        without: [
          { off: timeoutSwallowed, breaks: dmaRevoke },
          { off: dmaRemapping, breaks: dmaReach },
        ],
      },
    ),
    claim('a wait for an invalidation completes, or times out', {
      keeps: [waitEnds],
      against: ['F12'],
      without: [{ off: endlessWait, breaks: waitEnds }],
    }),
  ],
  assumptions: IOMMU_ASSUMPTIONS,
});

/** Two devices of two domains share a queue. */
export const iommuQueue = suite('iommu-queue', {
  title: 'two domains share an invalidation queue that fills up and times out',
  machine: {
    ...iommuQueueMachine,
    modules: leaveOut(iommuQueueMachine.modules, 'iommu.readFaults', 'iommu.enable', 'dma.forgedTranslated'),
  },
  schedule: 'whole',
  failures: 'any',
  scope: {
    small: { domain: 2, generation: 1, frame: 5, device: 2, ats: 0, iova: 1, did: 2, queue: 2, dma: 0, record: 0 },
    default: { domain: 2, generation: 1, frame: 5, device: 2, ats: 1, iova: 1, did: 2, queue: 3, dma: 0, record: 0 },
    large: { domain: 2, generation: 1, frame: 5, device: 2, ats: 1, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim('a flush that returns success has completed, its own and nobody else\u2019s', {
      keeps: [dmaRevoke, dmaShadow, dmaCount],
      against: ['F12'],
      without: [
        { off: timeoutSwallowed, breaks: dmaRevoke },
        { off: fullQueueDrops, breaks: dmaRevoke },
        { off: untaggedCompletion, breaks: dmaRevoke },
        { off: unmapForgetsHolding, breaks: dmaCount },
      ],
    }),
    claim('what one domain leaves in the queue does not make another\u2019s unmap fail', {
      keeps: [dmaQueueFair],
      against: ['F12'],
      without: [{ off: fullQueueRefuses, breaks: dmaQueueFair }],
    }),
  ],
  assumptions: IOMMU_ASSUMPTIONS,
});
