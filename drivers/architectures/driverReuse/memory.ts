/**
 * Memory of the driver-reuse architecture: with the time-multiplexed IO-MMU of its time, without any, and with today's IOMMU for each
 * device.
 */
import { loanKeepsAtc, loanNotFlushed, loanUnpinned, loanUnpinnedEarly, storeFaults } from '../../../faults/architectures/driverReuse/clientMemory.js';
import { muxFaults } from '../../../faults/architectures/driverReuse/mux.js';
import {
  aboveAperture,
  faultMaps,
  lateInvalidation,
  mastersFirst,
  noDrain,
  noUnmapHook,
  openAttach,
  openNorthbridge,
  unattachedDevice,
  uncheckedRequest,
  unpinnedLoan,
  vmmAboveAperture,
} from '../../../faults/architectures/driverReuse/muxMutants.js';
import { dmaFaults } from '../../../faults/dma.js';
import { type ClientMemory, clientMemory, DD_OS, lendAtStart, pinnedStays } from '../../../model/architectures/driverReuse/clientMemory.js';
import { mux } from '../../../model/architectures/driverReuse/muxMemory.js';
import {
  attachPrivilege,
  clientPageCheck,
  configurationFilter,
  deferredEnable,
  drainBeforeSwitch,
  drainBeforeUnpin,
  drainTimeout,
  gartInvalidation,
  ioMmu,
  type Mux,
  masterSwitching,
  pageTables,
  pins,
  startMux,
  unmapHook,
} from '../../../model/architectures/driverReuse/muxState.js';
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
  reap,
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
import {
  ddCurrent,
  ddDrained,
  ddInterface,
  ddMaster,
  ddMemory,
  ddOthers,
  ddPinned,
  ddStale,
  ddStores,
  ddTurns,
  ddVector,
  ddVmm,
} from '../../../properties/architectures/driverReuse/mux.js';
import { claim, suite } from '../../suite.js';

const muxStart = module<Mux, Record<never, never>>('two spaces, the first has the bus', {
  tables: {},
  operations: [],
  initial: (m) => startMux(m, m.choose(flag, 'second space has a slice')),
});

/** Two DD/OSes with a device each, a client of the first, one table that they take turns with. */
export const muxMachine: MachineDef = {
  name: 'driver reuse: time-multiplexed IO-MMU',
  modules: [{ ...domains, operations: [] }, { ...frames, operations: [] }, mux, muxFaults, muxStart],
  threads: () => ['hypervisor'],
};

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
    { ...iommu, operations: [refillConfig, refillIotlb, refillAtc, processQueue, reap, issueDma, finishDma] },
    clientMemory,
    dmaFaults,
    storeFaults,
    nowStart,
  ],
  threads: () => ['vmm'],
};

export const SAYS = {
  inside: 'a wild write inside a DD/OS stays inside it',
  outside: 'a wild write of a DD/OS does not leave it',
  others: 'a DD/OS\u2019s device reaches no memory of others',
  vmm: 'a DD/OS\u2019s device reaches no memory of the hypervisor',
  stale: 'a page that was unmapped is out of the device\u2019s reach',
  vector: 'a DD/OS\u2019s device sends no interrupts but its own',
} as const;

const muxScope = { domain: 4, generation: 1, space: 2, frame: 4, device: 2, dma: 1 };

/** The hardware of 2004, as the paper asks for it. */
export const muxSuite = suite('driver-reuse-mux', {
  title: 'two driver operating systems take turns with one IO-MMU table, against wild writes and malicious DMA',
  machine: muxMachine,
  schedule: 'split',
  gatesOff: [interruptRemapping],
  scope: {
    small: muxScope,
    default: { ...muxScope, dma: 2 },
    large: { ...muxScope, frame: 5, dma: 2 },
  },
  claims: [
    claim(SAYS.inside, {
      keeps: [ddStores],
      against: ['F1'],
      without: [{ off: pageTables, breaks: ddStores }],
    }),
    claim(SAYS.outside, {
      keeps: [ddMemory],
      against: ['F1'],
      without: [
        { off: pageTables, breaks: ddMemory },
        { off: ioMmu, breaks: ddMemory },
      ],
    }),
    claim(SAYS.others, {
      keeps: [ddOthers, ddCurrent],
      against: ['F2', 'F5'],
      without: [
        { off: ioMmu, breaks: ddOthers },
        { off: gartInvalidation, breaks: ddCurrent },
        { off: clientPageCheck, breaks: ddOthers },
        { off: lateInvalidation, breaks: ddCurrent },
        { off: uncheckedRequest, breaks: ddOthers },
        { off: faultMaps, breaks: ddOthers },
        { off: unattachedDevice, breaks: ddOthers },
        { off: aboveAperture, breaks: ddOthers },
      ],
    }),
    claim(SAYS.vmm, {
      keeps: [ddVmm],
      against: ['F2'],
      without: [
        { off: ioMmu, breaks: ddVmm },
        { off: faultMaps, breaks: ddVmm },
        { off: vmmAboveAperture, breaks: ddVmm },
      ],
    }),
    claim(SAYS.stale, {
      keeps: [ddStale, ddPinned],
      against: ['F2', 'F3'],
      without: [
        { off: unmapHook, breaks: ddStale },
        { off: drainBeforeUnpin, breaks: ddStale },
        { off: pins, breaks: ddPinned },
        { off: noUnmapHook, breaks: ddStale },
        { off: unpinnedLoan, breaks: ddPinned },
      ],
    }),
    claim('the table is switched when nobody is using it', {
      keeps: [ddMaster, ddDrained],
      against: ['F2', 'F11'],
      without: [
        { off: deferredEnable, breaks: ddMaster },
        { off: masterSwitching, breaks: ddMaster },
        { off: drainBeforeSwitch, breaks: ddDrained },
        { off: noDrain, breaks: ddDrained },
        { off: mastersFirst, breaks: ddMaster },
      ],
    }),
    claim('a DD/OS programs its own devices only, and the northbridge not at all', {
      keeps: [ddInterface],
      against: ['F13'],
      without: [
        { off: configurationFilter, breaks: ddInterface },
        { off: attachPrivilege, breaks: ddInterface },
        { off: openAttach, breaks: ddInterface },
        { off: openNorthbridge, breaks: ddMaster },
      ],
    }),
    claim('every space with a slice has its turn', {
      keeps: [...ddTurns],
      against: ['F11'],
      without: [{ off: drainTimeout, breaks: ddTurns[1] }],
    }),
    claim(SAYS.vector, { keeps: [ddVector], against: ['F8'], without: [], expects: 'not contained' }),
  ],
  assumptions: [
    'bus addresses are guest-physical, and one bit an entry stands for them: offset 0, read and write alike (a GART has no read-only entry)',
    'ranges that the firmware reserves are mapped identically in every space on real machines; here there are none',
    'hypervisor operations do not interleave with one another (one processor), but with devices, caches and DD/OSes at every step',
    'a device that does not complete can be reset',
  ],
});

/** The same machine without an IO-MMU: what the paper says of it, found. */
export const bareSuite = suite('driver-reuse-bare', {
  title: 'the same two driver operating systems on hardware without an IO-MMU',
  machine: muxMachine,
  schedule: 'split',
  gatesOff: [ioMmu, interruptRemapping],
  scope: { small: muxScope, default: muxScope },
  claims: [
    claim('without an IO-MMU: a DD/OS\u2019s device reaches no memory of others', {
      keeps: [ddOthers],
      against: ['F2'],
      without: [],
      expects: 'not contained',
    }),
    claim('without an IO-MMU: a DD/OS\u2019s device reaches no memory of the hypervisor', {
      keeps: [ddVmm],
      against: ['F2'],
      without: [],
      expects: 'not contained',
    }),
    claim('without an IO-MMU: a page that was unmapped is out of the device\u2019s reach', {
      keeps: [ddStale],
      against: ['F3'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: ['as driver-reuse-mux'],
});

const nowScope = { domain: 3, generation: 1, frame: 5, device: 1, ats: 0, iova: 1, did: 1, queue: 2, dma: 1, record: 0 };
const WITH_ATS = { ...nowScope, device: 2, did: 2, ats: 1, queue: 3 };

/** Today's hardware. */
export const perDeviceSuite = suite('driver-reuse-iommu', {
  title: 'a driver operating system behind an IOMMU of its own, with a client whose pages come and go',
  machine: perDeviceMachine,
  schedule: 'split',
  scope: { small: nowScope, default: WITH_ATS, large: { ...WITH_ATS, dma: 2 } },
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
      against: ['F3'],
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
    claim('a DD/OS\u2019s device reaches no registers of another device', {
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
