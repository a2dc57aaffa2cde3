/** Suite `page-states`: a hypervisor that does not trust its host, and who owns, shares and maps what. */
import * as faults from '../../faults/pageStates.js';
import { pageStateMachine } from '../../model/pageStates.js';
import { devicesReachHost, dmaCounted, faultsInWindow, unsharedAlone, viewsFit } from '../../properties/pageStates.js';
import { claim, suite } from '../suite.js';

export const pageStates = suite('page-states', {
  title: 'page ownership below a host that is not trusted: share, unshare, donate, and the devices of the host',
  machine: pageStateMachine,
  scope: { small: {}, default: {}, large: {} },
  failures: 'any',
  claims: [
    claim('the views of a page fit together, whoever asks for whatever transition', {
      keeps: [viewsFit, unsharedAlone],
      against: [],
      without: [
        { off: faults.shareInitiator, breaks: viewsFit },
        { off: faults.unshareInitiator, breaks: viewsFit },
        { off: faults.unshareCompleter, breaks: viewsFit },
        { off: faults.unshareCompleter, breaks: unsharedAlone },
        { off: faults.donateInitiator, breaks: viewsFit },
      ],
    }),
    claim('no device of the host reaches a page that was given away, by small entries or large ones', {
      keeps: [devicesReachHost, dmaCounted, faultsInWindow],
      against: ['F2'],
      without: [
        { off: faults.donatedInUse, breaks: devicesReachHost },
        { off: faults.dataTakenForTable, breaks: dmaCounted },
        { off: faults.dataTakenForTable, breaks: devicesReachHost },
        { off: faults.failedSplitIgnored, breaks: devicesReachHost },
        { off: faults.firstPageOnly, breaks: devicesReachHost },
        { off: faults.borrowedMapped, breaks: devicesReachHost },
        { off: faults.faultAnywhere, breaks: faultsInWindow },
      ],
    }),
  ],
  assumptions: [
    'four parties, two pages that one large entry covers; a page has one borrower at a time',
    'atomic: a transition holds the locks of both page tables; the IOTLB is flushed with each (vtd, iommu)',
  ],
});
