/**
 * Suite `vtd`: the bit-level Intel VT-d, its caches and its software, against devices that send whatever they like.
 */
import * as faults from '../../faults/vtd.js';
import * as recordFaults from '../../faults/vtdFaults.js';
import * as walkFaults from '../../faults/vtdWalk.js';
import { vtdFaultMachine } from '../../model/vtd/faultMachine.js';
import { vtdMachine } from '../../model/vtd/index.js';
import { contextInvalidation, invalidationWait, iotlbInvalidation } from '../../model/vtd/invalidate.js';
import { dmaRemapping } from '../../model/vtd/unit.js';
import { vtdWalkMachine } from '../../model/vtd/walkMachine.js';
import {
  cachesWithin,
  moved,
  neverOpen,
  refines,
  tablesMean,
  tablesOutOfReach,
  trueSource,
  wholeEntries,
} from '../../properties/vtd.js';
import { faultsTold, handledIsCleared, overflowCloses, recordsTrue, statusAgrees } from '../../properties/vtdFaults.js';
import { walkFaultsRight, walkFindsMeaning } from '../../properties/vtdWalk.js';
import { claim, suite } from '../suite.js';

export const vtd = suite('vtd', {
  title: 'Intel VT-d, bit level: caches, invalidation and torn entries, under malicious and late DMA',
  machine: vtdMachine,
  scope: {
    small: { mappings: 1, directories: 1 },
    default: { mappings: 3, directories: 1 },
    large: { mappings: 3, directories: 2 },
  },
  schedule: 'split',
  claims: [
    claim('after a completed invalidation a device reaches nothing that the tables do not allow', {
      keeps: [refines, cachesWithin, tablesMean, moved],
      against: ['F2', 'F3'],
      without: [
        { off: iotlbInvalidation, breaks: refines },
        { off: contextInvalidation, breaks: refines },
        { off: invalidationWait, breaks: refines },
        { off: dmaRemapping, breaks: refines },
        { off: faults.maskNotInverted, breaks: refines },
        { off: faults.superpageMissed, breaks: refines },
        { off: faults.globalIgnored, breaks: refines },
        { off: faults.functionMaskIgnored, breaks: refines },
        { off: faults.domainIgnored, breaks: refines },
        { off: faults.staleBoot, breaks: refines },
        { off: faults.maskNotInverted, breaks: cachesWithin },
        { off: faults.hintTaken, breaks: cachesWithin },
        { off: contextInvalidation, breaks: cachesWithin },
        { off: faults.mapForgotten, breaks: tablesMean },
        { off: faults.restrictForgotten, breaks: tablesMean, scope: { mappings: 3, directories: 0 } },
        { off: faults.movedUninvalidated, breaks: moved },
        { off: contextInvalidation, breaks: moved },
      ],
    }),
    claim('no device reaches a table or the VMM, not even through a table that has become a data frame', {
      keeps: [tablesOutOfReach],
      against: ['F2', 'F3'],
      without: [
        { off: dmaRemapping, breaks: tablesOutOfReach },
        { off: faults.wrongDepth, breaks: tablesOutOfReach },
        { off: faults.hintTaken, breaks: tablesOutOfReach },
        { off: faults.hintGiven, breaks: tablesOutOfReach },
      ],
    }),
    claim('a request acts with the rights of its own source id', {
      keeps: [trueSource],
      against: ['F2', 'F3'],
      without: [
        { off: faults.sourceCut, breaks: trueSource },
        { off: contextInvalidation, breaks: trueSource },
      ],
    }),
    claim('there is no instant without protection: no torn context entry, no untranslated request', {
      keeps: [wholeEntries, neverOpen],
      against: ['F2'],
      without: [
        { off: faults.tornPublish, breaks: wholeEntries },
        { off: faults.replacedInPlace, breaks: wholeEntries },
        { off: faults.enabledTooLate, breaks: neverOpen },
        { off: faults.disabledTooEarly, breaks: neverOpen },
      ],
    }),
  ],
  assumptions: [
    'two requesters, two address spaces (4 levels with a directory, 3 levels with a 2 MiB page), three mappings',
    'tables lie below 4 GiB, so a second-level entry changes in one store (`vtd-torn` has others); context entries change word by word',
    'one invalidation at a time: queue wrap-around and time-outs are checked in the abstract IOMMU',
    "software relies on a completion only after it has seen it; DMA already past translation is the abstract IOMMU's concern",
    "data frames hold entries for the VMM's frame: the worst that a guest can prepare",
  ],
});

/** Suite `vtd-walk`: every shape of root, context and second-level entries, level by level. */
export const vtdWalk = suite('vtd-walk', {
  title: 'Intel VT-d, bit level: the walk of every shape of table entry',
  machine: vtdWalkMachine,
  scope: { small: {}, default: {}, large: {} },
  schedule: 'whole',
  claims: [
    claim('a request reaches exactly the frame that the tables mean, or none', {
      keeps: [walkFindsMeaning, walkFaultsRight],
      against: ['F2'],
      without: [
        { off: walkFaults.reservedIgnored, breaks: walkFindsMeaning },
        { off: walkFaults.superpageAsTable, breaks: walkFaultsRight },
        { off: walkFaults.rightsOr, breaks: walkFindsMeaning },
        { off: walkFaults.leafRightsOnly, breaks: walkFindsMeaning },
        { off: walkFaults.widthIgnored, breaks: walkFindsMeaning },
        { off: walkFaults.absentIsOpen, breaks: walkFindsMeaning },
        { off: walkFaults.ignoredTaken, breaks: walkFindsMeaning },
        { off: walkFaults.hostWidthIgnored, breaks: walkFindsMeaning },
      ],
    }),
  ],
  assumptions: ['host addresses of 39 bits, guest addresses of 48; tables lie below 2^44', 'one request at a time'],
});

/** Suite `vtd-faults`: the fault records, under faults at any moment. */
export const vtdFaults = suite('vtd-faults', {
  title: 'Intel VT-d, bit level: fault records, overflow and compression',
  machine: vtdFaultMachine,
  scope: {
    small: { 'fault source': 2, 'fault record': 2 },
    default: { 'fault source': 3, 'fault record': 2 },
    large: { 'fault source': 4, 'fault record': 4 },
  },
  schedule: 'whole',
  claims: [
    claim('software can learn of every blocked request, and of its true source', {
      keeps: [faultsTold, statusAgrees, recordsTrue, overflowCloses, handledIsCleared],
      against: ['F2'],
      without: [
        { off: recordFaults.overflowForgotten, breaks: faultsTold },
        { off: recordFaults.compressedAcross, breaks: faultsTold },
        { off: recordFaults.recordOverwritten, breaks: faultsTold },
        { off: recordFaults.recordedAfterOverflow, breaks: overflowCloses },
        { off: recordFaults.pendingCleared, breaks: statusAgrees },
        { off: recordFaults.recordOverwritten, breaks: recordsTrue },
        { off: recordFaults.overflowStays, breaks: handledIsCleared },
      ],
    }),
  ],
  assumptions: ['software handles records in the order of FRI, and asks every device after an overflow'],
});
