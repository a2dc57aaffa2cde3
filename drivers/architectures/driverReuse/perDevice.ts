/** Memory of the driver-reuse architecture on today's hardware: an IOMMU for each device, interrupt remapping, ACS, ATS. */
import {
  loanKeepsAtc,
  loanNotFlushed,
  loanUnpinned,
  loanUnpinnedEarly,
  storeFaults,
} from '../../../faults/architectures/driverReuse/clientMemory.js';
import { dmaFaults } from '../../../faults/dma.js';
import {
  type ClientMemory,
  clientMemory,
  DD_OS,
  lendAtStart,
  pinnedStays,
} from '../../../model/architectures/driverReuse/clientMemory.js';
import { pageTables } from '../../../model/architectures/driverReuse/muxState.js';
import { CONTROL, domains } from '../../../model/domains.js';
import { allocateFrame, frames, TYPE_IOMMU_TABLE, TYPE_VMM } from '../../../model/frames.js';
import {
  acsRedirect,
  addressWidth,
  attachNow,
  dmaRemapping,
  drainOnWait,
  everyPage,
  finishDma,
  interruptRemapping,
  iommu,
  iotlbInvalidation,
  issueDma,
  processQueue,
  READ,
  refillAtc,
  refillConfig,
  refillIotlb,
  storeDirectory,
  TABLE,
  tableWriteBack,
  translatedRefused,
  WRITE,
} from '../../../model/iommu/index.js';
import { flag, type MachineDef, module } from '../../../model/kernel/index.js';
import {
  nowMemory,
  nowOthers,
  nowPeers,
  nowPinned,
  nowStale,
  nowStores,
  nowVector,
  nowVmm,
} from '../../../properties/architectures/driverReuse/clientMemory.js';
import { claim, suite } from '../../suite.js';
import { SAYS } from './claims.js';

const nowStart = module<ClientMemory, Record<never, never>>('a DD/OS with a device, and its client', {
  tables: {},
  operations: [],
  initial: (m) => {
    m.frame.type[0] = TYPE_VMM;
    m.frame.types[0] = 1;
    m.frame.refs[0] = 1;
    for (let f = 1; f <= 3; f++) {
      m.frame.owner[f] = f - 1;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
    }
    attachNow(m, 0, DD_OS);
    m.deviceEntry.valid[0] = 1;
    m.deviceEntry.did[0] = 0;
    if (m.device.rows > 1) {
      attachNow(m, 1, CONTROL);
      m.deviceEntry.valid[1] = 1;
      m.deviceEntry.did[1] = 1;
    }
    m.frame.refs[4] = 1;
    m.frame.type[4] = TYPE_IOMMU_TABLE;
    m.frame.types[4] = 1;
    storeDirectory(m, 0, TABLE, 4, READ | WRITE);
    if (m.choose(flag, 'a page is lent') === 1) lendAtStart(m);
    m.ioEntry.walkedFrame.set(m.ioEntry.frame);
    m.ioEntry.walkedRights.set(m.ioEntry.rights);
    m.ioDirectory.walkedKind.set(m.ioDirectory.kind);
    m.ioDirectory.walkedTarget.set(m.ioDirectory.target);
    m.ioDirectory.walkedRights.set(m.ioDirectory.rights);
  },
});

/** A DD/OS with a device behind an IOMMU, and a client whose pages come and go. */
export const perDeviceMachine: MachineDef = {
  name: 'driver reuse: IOMMU for each device',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame] },
    { ...iommu, operations: [refillConfig, refillIotlb, refillAtc, processQueue, issueDma, finishDma] },
    clientMemory,
    dmaFaults,
    storeFaults,
    nowStart,
  ],
  threads: () => ['vmm'],
};

const nowScope = {
  domain: 3,
  generation: 1,
  frame: 5,
  device: 1,
  ats: 0,
  iova: 1,
  did: 1,
  queue: 2,
  dma: 1,
  record: 0,
};
const WITH_ATS = { ...nowScope, device: 2, did: 2, ats: 1, queue: 3 };

/** Today's hardware. */
export const perDeviceSuite = suite('driver-reuse-iommu', {
  title: 'a driver operating system behind an IOMMU of its own, with a client whose pages come and go',
  machine: perDeviceMachine,
  schedule: 'split',
  scope: { small: nowScope, default: { ...WITH_ATS, dma: 2 }, large: { ...WITH_ATS, frame: 6, dma: 2 } },
  claims: [
    claim(SAYS.inside, { keeps: [nowStores], against: ['F1'], without: [{ off: pageTables, breaks: nowStores }] }),
    claim(SAYS.outside, {
      keeps: [nowMemory],
      against: ['F1'],
      without: [
        { off: pageTables, breaks: nowMemory },
        { off: dmaRemapping, breaks: nowMemory },
      ],
    }),
    claim(SAYS.others, {
      keeps: [nowOthers],
      against: ['F2'],
      without: [
        { off: dmaRemapping, breaks: nowOthers },
        { off: translatedRefused, breaks: nowOthers, scope: nowScope },
      ],
    }),
    claim(SAYS.vmm, {
      keeps: [nowVmm],
      against: ['F2'],
      without: [
        { off: dmaRemapping, breaks: nowVmm },
        { off: addressWidth, breaks: nowVmm },
        { off: everyPage, breaks: nowVmm },
      ],
    }),
    claim(SAYS.stale, {
      keeps: [nowStale, nowPinned],
      against: ['F3', 'F4'],
      without: [
        { off: iotlbInvalidation, breaks: nowStale },
        { off: drainOnWait, breaks: nowStale },
        { off: tableWriteBack, breaks: nowStale },
        { off: pinnedStays, breaks: nowPinned },
        { off: loanNotFlushed, breaks: nowStale },
        { off: loanUnpinnedEarly, breaks: nowStale },
        { off: loanKeepsAtc, breaks: nowStale },
        { off: loanUnpinned, breaks: nowPinned },
      ],
    }),
    claim(SAYS.vector, {
      keeps: [nowVector],
      against: ['F8'],
      without: [{ off: interruptRemapping, breaks: nowVector }],
    }),
    claim(SAYS.peers, {
      keeps: [nowPeers],
      against: ['F2'],
      without: [{ off: acsRedirect, breaks: nowPeers }],
    }),
  ],
  assumptions: [
    'client memory appears in one page of the DD/OS\u2019s I/O address space',
    'what devices keep in their own translation caches is trusted (ATS): scopes with ats 0 are without it',
  ],
});
