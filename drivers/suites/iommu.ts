/**
 * Suites of the abstract IOMMU. `iommu`: a whole system from power-on, calls as one step. `iommu-race`: calls split, against caches and
 * DMA that move in between. `iommu-timeout` and `iommu-queue`: waits that time out, with one and with two domains. `iommu-tables`:
 * superpages and table frames. `iommu-superpages`: the mapping of superpages. `iommu-teardown`: devices are taken away, their domain dies.
 */
import * as doing from '../../faults/iommuDoing.js';
import {
  attachOver,
  bypassAtBoot,
  detachKeepsAtc,
  detachKeepsConfig,
  detachKeepsIotlb,
  detachReturnsEarly,
  downgradeNotFlushed,
  mapNotUndone,
  mapWithoutReference,
  mapWithoutType,
  newTableNotWrittenBack,
  splitNotFlushed,
  subPage,
  superpageHalfCounted,
  superpageNotUndone,
  tableFreedCached,
  tableFreedEarly,
  unmapForgetsHolding,
  unmapKeepsIotlb,
} from '../../faults/iommuMutants.js';
import { neverDetached } from '../../faults/iommuQueueMutants.js';
import { scrubbing } from '../../model/frames.js';
import {
  acsRedirect,
  addressWidth,
  configInvalidation,
  defaultDeny,
  dmaRemapping,
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
  dmaDone,
  dmaFresh,
  dmaNotForTheDying,
  dmaReach,
  dmaReturned,
  dmaRevoke,
  dmaShadow,
  dmaShut,
  dmaSource,
  dmaStranger,
  dmaType,
} from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import { iommuMachine, iommuSuperpagesMachine, iommuTablesMachine, iommuTeardownMachine } from './iommuMachines.js';
import { IOMMU_ASSUMPTIONS, iommuQueue, iommuRace, iommuTimeout, TWO_DEVICES, TWO_DIDS } from './iommuRace.js';
import { leaveOut } from './parts.js';

export { iommuQueue, iommuRace, iommuTimeout } from './iommuRace.js';

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
        { off: mapWithoutReference, breaks: dmaType, scope: { ...TWO_DEVICES, did: 2 } },
        { off: dmaRemapping, breaks: dmaType },
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
        { off: doing.detachedMaster, breaks: dmaRevoke },
      ],
    }),
    claim('a number that is used again carries nothing of its last holder', {
      keeps: [dmaFresh, dmaNotForTheDying, dmaDone],
      against: ['F2', 'F10'],
      without: [
        { off: detachKeepsIotlb, breaks: dmaFresh },
        { off: detachKeepsConfig, breaks: dmaFresh },
        { off: doing.attachedToTheDying, breaks: dmaNotForTheDying },
        { off: doing.dyingPermitted, breaks: dmaNotForTheDying },
        { off: doing.attachedSilent, breaks: dmaDone },
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
  assumptions: IOMMU_ASSUMPTIONS,
});

/** Superpages and table frames. */
export const iommuTables = suite('iommu-tables', {
  title: 'superpages are split and tables freed, step by step, while caches of every level refill',
  machine: {
    ...iommuTablesMachine,
    modules: leaveOut(
      iommuTablesMachine.modules,
      'iommu.reap',
      'iommu.readFaults',
      'iommu.enable',
      'dma.forgedTranslated',
      'dma.peer',
    ),
  },
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
  assumptions: IOMMU_ASSUMPTIONS,
});

/** Superpages are mapped, of frames that one of may be refused. */
export const iommuSuperpages = suite('iommu-superpages', {
  title: 'superpages are mapped, split, and taken away with their device',
  machine: iommuSuperpagesMachine,
  schedule: 'whole',
  scope: {
    small: { domain: 2, generation: 1, frame: 5, device: 1, ats: 0, iova: 2, did: 1, queue: 3, dma: 0, record: 0 },
    default: { domain: 2, generation: 1, frame: 5, device: 1, ats: 0, iova: 2, did: 1, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 1, frame: 6, device: 1, ats: 1, iova: 2, did: 1, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim('a superpage leads to what its domain owns, and to no page table', {
      keeps: [dmaReach, dmaType],
      against: ['F2'],
      without: [
        { off: superpageHalfCounted, breaks: dmaReach },
        { off: superpageHalfCounted, breaks: dmaType },
      ],
    }),
    claim('every page of a superpage is counted, and none when one is refused', {
      keeps: [dmaCount],
      against: [],
      without: [
        { off: superpageHalfCounted, breaks: dmaCount },
        { off: superpageNotUndone, breaks: dmaCount },
      ],
    }),
    claim('nothing of a superpage is cached once it was split, or its device taken away', {
      keeps: [dmaShadow, dmaFresh],
      against: [],
      without: [
        { off: splitNotFlushed, breaks: dmaShadow },
        { off: iotlbInvalidation, breaks: dmaFresh },
      ],
    }),
  ],
  assumptions: IOMMU_ASSUMPTIONS,
});

/** Devices come and go. */
export const iommuTeardown = suite('iommu-teardown', {
  title: 'devices are taken away and given to others, their domain dies, waits time out',
  machine: {
    ...iommuTeardownMachine,
    modules: leaveOut(
      iommuTeardownMachine.modules,
      'iommu.readFaults',
      'iommu.enable',
      'dma.stale',
      'dma.forgedTranslated',
    ),
  },
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
      without: [{ off: neverDetached, breaks: dmaReturned }],
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
  assumptions: IOMMU_ASSUMPTIONS,
});

/** All suites of the abstract IOMMU. */
export const iommuSuites = [iommu, iommuRace, iommuTimeout, iommuQueue, iommuTables, iommuSuperpages, iommuTeardown];
