/**
 * Suites of the abstract IOMMU. `iommu`: a whole system from power-on, calls as one step. `iommu-race`: calls split, against caches and
 * DMA that move in between. `iommu-timeout` and `iommu-queue`: waits that time out, with one and with two domains. `iommu-tables`:
 * superpages and table frames. `iommu-teardown`: devices are taken away, their domain dies.
 */
import {
  atcFirst,
  attachOver,
  bypassAtBoot,
  detachKeepsAtc,
  detachKeepsConfig,
  detachKeepsIotlb,
  detachLeaks,
  detachReturnsEarly,
  downgradeNotFlushed,
  dropBeforeWait,
  endlessWait,
  fullLogStops,
  fullQueueDrops,
  fullQueueRefuses,
  mapNotUndone,
  mapWithoutReference,
  mapWithoutType,
  newTableNotWrittenBack,
  rangeTooLarge,
  rangeTooSmall,
  splitNotFlushed,
  subPage,
  tableFreedCached,
  tableFreedEarly,
  timeoutSwallowed,
  unmapForgetsHolding,
  unmapKeepsAtc,
  unmapKeepsIotlb,
  untaggedCompletion,
} from '../../faults/iommuMutants.js';
import { scrubbing } from '../../model/frames.js';
import {
  acsRedirect,
  addressWidth,
  atcInvalidation,
  configInvalidation,
  defaultDeny,
  dmaRemapping,
  drainOnWait,
  everyPage,
  interruptRemapping,
  iotlbInvalidation,
  strictInvalidation,
  structureInvalidation,
  tableWriteBack,
  translatedRefused,
} from '../../model/iommu/index.js';
import {
  dmaBytes,
  dmaCount,
  dmaFair,
  dmaFresh,
  dmaQueueFair,
  dmaRange,
  dmaReach,
  dmaReturned,
  dmaRevoke,
  dmaShadow,
  dmaShut,
  dmaSource,
  dmaStranger,
  dmaType,
  waitEnds,
} from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import {
  iommuMachine,
  iommuQueueMachine,
  iommuRaceMachine,
  iommuTablesMachine,
  iommuTeardownMachine,
} from './iommuMachines.js';

const ASSUMPTIONS = [
  'an entry of a table changes as a whole (torn writes belong to the bit-level specification)',
  'a device with an ATC uses only what its ATC holds',
  'hardware obeys invalidation commands in order, and a completed wait has drained requests translated before it',
  'the directory of a domain is the VMM\u2019s own memory; table frames come from the heap',
  'one outstanding flush for each domain',
] as const;

/** A second page, for ranges. */
const TWO_PAGES = {
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
const TWO_DEVICES = { ...TWO_PAGES, iova: 1, device: 2 } as const;
/** A second DID, for moves. */
const TWO_DIDS = { ...TWO_PAGES, iova: 1, did: 2 } as const;

/** From power-on: two devices, two domains, attacks of every shape. */
export const iommu = suite('iommu', {
  title: 'a VMM with an IOMMU, from power-on, against malicious DMA of every shape',
  machine: iommuMachine,
  schedule: 'whole',
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
    default: { domain: 2, generation: 1, frame: 4, device: 2, ats: 0, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 2, frame: 5, device: 2, ats: 1, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim('a device reaches only memory of its own domain', {
      keeps: [dmaReach, dmaType],
      against: ['F2', 'F4', 'F10'],
      without: [
        { off: dmaRemapping, breaks: dmaReach },
        { off: translatedRefused, breaks: dmaReach },
        { off: everyPage, breaks: dmaReach },
        { off: addressWidth, breaks: dmaReach },
        { off: iotlbInvalidation, breaks: dmaReach },
        { off: strictInvalidation, breaks: dmaReach },
        { off: detachReturnsEarly, breaks: dmaReach },
        { off: attachOver, breaks: dmaReach },
        { off: mapWithoutReference, breaks: dmaReach },
      ],
    }),
    claim('memory is protected from power-on, before and between assignments', {
      keeps: [dmaShut],
      against: ['F2'],
      without: [
        { off: defaultDeny, breaks: dmaShut },
        { off: bypassAtBoot, breaks: dmaShut },
      ],
    }),
    claim('a device acts with the authority of its own domain only', {
      keeps: [dmaSource],
      against: ['F2', 'F8', 'F10'],
      without: [
        { off: acsRedirect, breaks: dmaSource, scope: TWO_DEVICES },
        { off: interruptRemapping, breaks: dmaSource },
        { off: configInvalidation, breaks: dmaSource },
      ],
    }),
    claim('a right that was taken away is gone when the call returns', {
      keeps: [dmaRevoke, dmaShadow],
      against: ['F2', 'F10'],
      without: [
        { off: iotlbInvalidation, breaks: dmaRevoke },
        { off: iotlbInvalidation, breaks: dmaShadow },
        { off: strictInvalidation, breaks: dmaRevoke },
        { off: unmapKeepsIotlb, breaks: dmaRevoke },
        { off: downgradeNotFlushed, breaks: dmaRevoke },
      ],
    }),
    claim('a number that is used again carries nothing of its last holder', {
      keeps: [dmaFresh],
      against: ['F2', 'F10'],
      without: [
        { off: detachKeepsIotlb, breaks: dmaFresh },
        { off: detachKeepsConfig, breaks: dmaFresh },
      ],
    }),
    claim('references equal mappings', {
      keeps: [dmaCount],
      against: ['F10'],
      without: [
        { off: mapWithoutType, breaks: dmaCount },
        { off: unmapForgetsHolding, breaks: dmaCount },
        { off: mapNotUndone, breaks: dmaCount },
      ],
    }),
    claim('a device reaches no bytes beside its buffers, where memory for buffers comes in whole pages', {
      keeps: [dmaBytes],
      against: ['F2'],
      without: [{ off: subPage, breaks: dmaBytes }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** One device with an ATC; every call is split. */
export const iommuRace = suite('iommu-race', {
  title: 'revocations step by step, while caches refill and DMA is in flight',
  machine: iommuRaceMachine,
  schedule: 'split',
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 1, record: 1 },
    default: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 2, record: 1 },
    large: { domain: 2, generation: 1, frame: 5, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 2, record: 1 },
  },
  claims: [
    claim('what a device can still reach is neither freed nor given away, at no step of a revocation', {
      keeps: [dmaReach, dmaType, dmaCount],
      against: ['F2', 'F3'],
      without: [
        { off: dmaRemapping, breaks: dmaReach },
        { off: dropBeforeWait, breaks: dmaReach },
        { off: unmapForgetsHolding, breaks: dmaCount },
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
      keeps: [dmaFair],
      against: ['F2', 'F12'],
      without: [{ off: fullLogStops, breaks: dmaFair }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** The race again, with waits that time out. */
export const iommuTimeout = suite('iommu-timeout', {
  title: 'revocations step by step, with waits that time out and complete late',
  machine: iommuRaceMachine,
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
  assumptions: ASSUMPTIONS,
});

/** Two devices of two domains share a queue. */
export const iommuQueue = suite('iommu-queue', {
  title: 'two domains share an invalidation queue that fills up and times out',
  machine: iommuQueueMachine,
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
  assumptions: ASSUMPTIONS,
});

/** Superpages and table frames. */
export const iommuTables = suite('iommu-tables', {
  title: 'superpages are split and tables freed, step by step, while caches of every level refill',
  machine: iommuTablesMachine,
  schedule: 'split',
  scope: {
    small: { domain: 2, generation: 1, frame: 5, device: 1, ats: 0, iova: 2, did: 1, queue: 2, dma: 1, record: 0 },
    default: { domain: 2, generation: 1, frame: 5, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 1, frame: 6, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim('the frame of a table is used again only when no cache leads to it', {
      keeps: [dmaReach, dmaType, dmaCount],
      against: ['F2', 'F3'],
      without: [
        { off: structureInvalidation, breaks: dmaReach },
        { off: tableFreedCached, breaks: dmaReach },
        { off: tableFreedEarly, breaks: dmaReach },
      ],
    }),
    claim('a superpage that was split is cached no longer', {
      keeps: [dmaRevoke, dmaShadow],
      against: ['F3'],
      without: [
        { off: splitNotFlushed, breaks: dmaShadow },
        { off: newTableNotWrittenBack, breaks: dmaShadow },
        { off: tableWriteBack, breaks: dmaShadow },
        { off: iotlbInvalidation, breaks: dmaShadow },
      ],
    }),
    claim('what a stranger sees does not depend on a domain\u2019s secrets', {
      keeps: [dmaStranger],
      against: ['F2', 'F3'],
      without: [{ off: scrubbing, breaks: dmaStranger }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** Devices come and go. */
export const iommuTeardown = suite('iommu-teardown', {
  title: 'devices are taken away and given to others, their domain dies, waits time out',
  machine: iommuTeardownMachine,
  schedule: 'split',
  failures: 'any',
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
    default: { domain: 2, generation: 2, frame: 4, device: 1, ats: 1, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 2, frame: 5, device: 2, ats: 1, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim('what a domain held is freed only when its device cannot reach it', {
      keeps: [dmaReach, dmaType, dmaCount],
      against: ['F2', 'F10', 'F12'],
      without: [
        { off: detachReturnsEarly, breaks: dmaReach },
        { off: attachOver, breaks: dmaReach, scope: TWO_DIDS },
      ],
    }),
    claim('everything that a dead domain held comes back', {
      keeps: [dmaReturned],
      against: ['F10', 'F12'],
      without: [{ off: detachLeaks, breaks: dmaReturned }],
    }),
    claim('a device leaves its domain with nothing', {
      keeps: [dmaSource, dmaFresh, dmaRevoke, dmaShadow],
      against: ['F2', 'F10', 'F12'],
      without: [
        { off: detachKeepsConfig, breaks: dmaShadow },
        { off: detachKeepsAtc, breaks: dmaShadow },
        { off: attachOver, breaks: dmaSource, scope: TWO_DIDS },
      ],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** All suites of the abstract IOMMU. */
export const iommuSuites = [iommu, iommuRace, iommuTimeout, iommuQueue, iommuTables, iommuTeardown];
