/** Suites `vtd-torn` and `vtd-ats`: second-level entries changed under the eyes of hardware, and devices that keep translations. */
import * as atsFaults from '../../faults/vtdAts.js';
import * as tornFaults from '../../faults/vtdTorn.js';
import { vtdAtsMachine } from '../../model/vtd/atsMachine.js';
import { deviceTlbInvalidation, translationType } from '../../model/vtd/atsUnit.js';
import { iotlbInvalidation } from '../../model/vtd/invalidate.js';
import { vtdTornMachine } from '../../model/vtd/tornMachine.js';
import { dmaRemapping } from '../../model/vtd/unit.js';
import {
  devicesShadow,
  givenUnreachable,
  notedKeepers,
  trustedTranslations,
  untranslatedAllowed,
} from '../../properties/vtdAts.js';
import { changedPages, requestsMeant, wholePages } from '../../properties/vtdTorn.js';
import { claim, suite } from '../suite.js';

export const vtdTorn = suite('vtd-torn', {
  title: 'Intel VT-d, bit level: second-level entries above 4 GiB that change while hardware reads them',
  machine: vtdTornMachine,
  scope: { small: {}, default: {}, large: {} },
  schedule: 'split',
  claims: [
    claim('hardware never sees half of one second-level entry and half of another', {
      keeps: [wholePages, requestsMeant],
      against: ['F2'],
      without: [
        { off: tornFaults.lowWordFirst, breaks: wholePages },
        { off: tornFaults.highWordLive, breaks: wholePages },
        { off: tornFaults.exchangeInHalves, breaks: wholePages },
        { off: tornFaults.rightsBeforeAddress, breaks: wholePages },
        { off: tornFaults.lowWordFirst, breaks: requestsMeant },
        { off: dmaRemapping, breaks: requestsMeant },
      ],
    }),
    claim('a change of an entry that has returned is a change', {
      keeps: [changedPages],
      against: ['F2'],
      without: [
        { off: tornFaults.exchangeNotInvalidated, breaks: changedPages },
        { off: tornFaults.directoryAsLeaf, breaks: changedPages },
        { off: tornFaults.writtenBeforeInvalidation, breaks: changedPages },
      ],
    }),
  ],
  assumptions: [
    'one page and its directory entry; software stores 32 or 64 bits at once, in order',
    'frames of guests hold entries for a frame that is not theirs',
  ],
});

export const vtdAts = suite('vtd-ats', {
  title:
    'Intel VT-d, bit level: devices that keep translations of their own, and the descriptors that make them forget',
  machine: vtdAtsMachine,
  scope: { small: {}, default: {}, large: {} },
  schedule: 'split',
  claims: [
    claim('a frame that was given away is in no IOTLB and in no device TLB', {
      keeps: [givenUnreachable, devicesShadow],
      against: ['F2', 'F3'],
      without: [
        { off: iotlbInvalidation, breaks: givenUnreachable },
        { off: deviceTlbInvalidation, breaks: givenUnreachable },
        { off: atsFaults.deviceBeforeIotlb, breaks: givenUnreachable },
        { off: atsFaults.deviceForgotten, breaks: givenUnreachable },
        { off: atsFaults.notNoted, breaks: givenUnreachable },
        { off: atsFaults.sizeBitLost, breaks: givenUnreachable },
        { off: atsFaults.sizeTooSmall, breaks: givenUnreachable },
        { off: atsFaults.wholeRangeOverflows, breaks: givenUnreachable },
        { off: atsFaults.wrongDevice, breaks: givenUnreachable },
        { off: atsFaults.givenBeforeDevice, breaks: givenUnreachable },
        { off: atsFaults.downgradeNotFlushed, breaks: devicesShadow },
      ],
    }),
    claim('only devices that are trusted and noted keep translations, and use them', {
      keeps: [trustedTranslations, notedKeepers, untranslatedAllowed],
      against: ['F2', 'F3'],
      without: [
        { off: translationType, breaks: trustedTranslations },
        { off: atsFaults.anyoneTrusted, breaks: trustedTranslations },
        { off: atsFaults.typeKept, breaks: trustedTranslations },
        { off: atsFaults.notedLate, breaks: notedKeepers },
        { off: dmaRemapping, breaks: untranslatedAllowed },
        { off: iotlbInvalidation, breaks: untranslatedAllowed },
      ],
    }),
  ],
  assumptions: [
    'a device that is trusted with ATS sends only what its device TLB says; one that is not trusted claims what it likes',
    'four pages of one address space; a device that is switched off has forgotten everything',
    'an invalidation is complete when the step is: time-outs and pending counts are in the abstract IOMMU',
  ],
});
