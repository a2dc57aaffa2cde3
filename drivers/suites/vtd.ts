/**
 * Suite `vtd`: the bit-level Intel VT-d, its caches and its software, against devices that send whatever they like.
 */
import * as faults from '../../faults/vtd.js';
import { vtdMachine } from '../../model/vtd/index.js';
import { contextInvalidation, dmaRemapping, invalidationWait, iotlbInvalidation } from '../../model/vtd/unit.js';
import { neverOpen, refines, tablesOutOfReach, trueSource, wholeEntries } from '../../properties/vtd.js';
import { claim, suite } from '../suite.js';

export const vtd = suite('vtd', {
  title: 'Intel VT-d, bit level: caches, invalidation and torn entries, under malicious and late DMA',
  machine: vtdMachine,
  scope: {
    small: { mappings: 1, directories: 0 },
    default: { mappings: 3, directories: 1 },
  },
  schedule: 'split',
  claims: [
    claim('after a completed invalidation a device reaches nothing that the tables do not allow', {
      keeps: [refines],
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
    'tables lie below 4 GiB, so a second-level entry changes in one store; context entries change word by word',
    'one invalidation at a time: queue wrap-around and time-outs are checked in the abstract IOMMU',
    "software relies on a completion only after it has seen it; DMA already past translation is the abstract IOMMU's concern",
    "data frames hold entries for the VMM's frame: the worst that a guest can prepare",
  ],
});
