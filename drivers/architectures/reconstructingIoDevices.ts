/**
 * Suites of "Reconstructing I/O" around the IOMMU: what a driver domain maps for its device, on the hardware of 2004 and on today's; and
 * the sentences of the claims. Restarts are in reconstructingIoRestarts.ts.
 */
import {
  dropFirst,
  endWhileInUse,
  grantUnchecked,
  lazyIotlb,
  pinNotRolledBack,
  pinnedLate,
} from '../../faults/architectures/reconstructingIoMutants.js';
import {
  acsRedirect,
  dmaRemapping,
  drainOnWait,
  interruptRemapping,
  iotlbInvalidation,
  strictInvalidation,
  translatedRefused,
} from '../../model/iommu/index.js';
import {
  dmaConfined,
  memoryOfOthers,
  memoryOfVmm,
  noLateDma,
  noPeerWrites,
  noStaleWindow,
  ownInterrupts,
  pinsCounted,
} from '../../properties/architectures/reconstructingIo.js';
import { claim, suite } from '../suite.js';
import { deviceMapMachine } from './reconstructingIoMachines.js';

/** What a PC of 2004 did not have. */
export const LACKED_THEN = [dmaRemapping, interruptRemapping, acsRedirect, translatedRefused, drainOnWait] as const;

/** What all of them assume. */
export const ASSUMPTIONS = [
  'trusted: VMM, control domain and device manager (the paper makes no claim about the manager\u2019s failure)',
  'scoped: one loan, one page for a driver domain\u2019s memory; the first device\u2019s driver is the one that fails',
  'a domain\u2019s death is announced; a hang is guessed, at any moment, rightly or wrongly',
  'hardware obeys the bus-master bit and invalidation commands',
] as const;

const MAP_SCOPE = {
  small: {
    domain: 2,
    generation: 1,
    frame: 4,
    device: 1,
    ats: 0,
    iova: 1,
    did: 1,
    queue: 2,
    dma: 1,
    record: 0,
    life: 1,
  },
  default: {
    domain: 2,
    generation: 1,
    frame: 4,
    device: 2,
    ats: 0,
    iova: 2,
    did: 1,
    queue: 3,
    dma: 1,
    record: 0,
    life: 1,
  },
  large: {
    domain: 3,
    generation: 1,
    frame: 5,
    device: 2,
    ats: 1,
    iova: 2,
    did: 1,
    queue: 4,
    dma: 2,
    record: 1,
    life: 1,
  },
} as const;

const mapAssumptions = [
  ...ASSUMPTIONS,
  'ATCs are off (as with IOMMUs that do not trust them); on at the scope `large`',
];

const mapTitle = 'a driver domain maps its memory and what is lent to it for its device, by domain or by buffer';

/** Sentences that cells name. */
export const SAYS = {
  dmaOthers: 'a device reaches the memory of other domains only where it was lent to its driver domain',
  dmaVmm: 'no device reaches a frame of the VMM',
  dmaStale: 'when DevUnmap has returned, nothing of the mapping is left',
  loans: 'loans are pinned while they are mapped, and references equal holders',
  spoofing: 'a device interrupts only its own domain',
  peers: 'a device does not write another device\u2019s registers',
  outside: 'a driver domain writes no memory but its own with its processor',
  inside: 'a driver that has overwritten its own memory is replaced, and nobody else is concerned',
  crash: 'after a crash the device has one owner, serves again, and nothing of the dead driver is left',
  hang: 'a hang, suspected rightly or wrongly, ends in one owner that serves',
  steps: 'a restart is safe at each of its steps, with DMA in flight',
  calls: 'a driver domain may fail at each step of a DevMap or DevUnmap: nothing of the call is left',
  census: 'restarts leak nothing, however many',
  strangers: 'whoever uses another device notices nothing of a failure and its recovery',
  reset: 'a device that goes on across its reset does nothing in the service of its new driver',
} as const;

export const devicesNow = suite('reconstructing-io-devices', {
  title: `${mapTitle}; with an IOMMU, interrupt remapping and ACS`,
  machine: deviceMapMachine,
  schedule: 'split',
  scope: MAP_SCOPE,
  claims: [
    claim(SAYS.dmaOthers, {
      keeps: [dmaConfined, memoryOfOthers],
      against: ['F2', 'F3'],
      without: [
        { off: dmaRemapping, breaks: dmaConfined },
        { off: translatedRefused, breaks: dmaConfined },
        { off: endWhileInUse, breaks: dmaConfined },
        { off: grantUnchecked, breaks: dmaConfined },
        { off: dropFirst, breaks: dmaConfined },
        { off: pinnedLate, breaks: dmaConfined },
      ],
    }),
    claim(SAYS.dmaVmm, {
      keeps: [memoryOfVmm],
      against: ['F2', 'F3'],
      without: [
        { off: dmaRemapping, breaks: memoryOfVmm },
        { off: grantUnchecked, breaks: memoryOfVmm },
      ],
    }),
    claim(SAYS.dmaStale, {
      keeps: [noStaleWindow, noLateDma],
      against: ['F2', 'F3'],
      without: [
        { off: lazyIotlb, breaks: noStaleWindow },
        { off: strictInvalidation, breaks: noStaleWindow },
        { off: iotlbInvalidation, breaks: noStaleWindow },
        { off: drainOnWait, breaks: noStaleWindow },
        { off: dmaRemapping, breaks: noLateDma },
      ],
    }),
    claim(SAYS.loans, {
      keeps: [pinsCounted],
      against: ['F2', 'F3'],
      without: [{ off: pinNotRolledBack, breaks: pinsCounted }],
    }),
    claim(SAYS.spoofing, {
      keeps: [ownInterrupts],
      against: ['F8'],
      without: [{ off: interruptRemapping, breaks: ownInterrupts }],
    }),
    claim(SAYS.peers, {
      keeps: [noPeerWrites],
      against: ['F2'],
      without: [{ off: acsRedirect, breaks: noPeerWrites }],
    }),
  ],
  mayStop: () => true,
  assumptions: mapAssumptions,
});

export const devicesThen = suite('reconstructing-io-devices-2004', {
  title: `${mapTitle}; without the hardware that would hold its device to that`,
  machine: deviceMapMachine,
  schedule: 'split',
  gatesOff: LACKED_THEN,
  scope: MAP_SCOPE,
  claims: [
    claim(SAYS.loans, { keeps: [pinsCounted], against: [], without: [{ off: pinNotRolledBack, breaks: pinsCounted }] }),
    claim(SAYS.dmaOthers, { keeps: [memoryOfOthers], against: ['F2'], without: [], expects: 'not contained' }),
    claim(SAYS.dmaVmm, { keeps: [memoryOfVmm], against: ['F2'], without: [], expects: 'not contained' }),
    claim(SAYS.dmaStale, { keeps: [noLateDma], against: ['F3'], without: [], expects: 'not contained' }),
    claim(SAYS.spoofing, { keeps: [ownInterrupts], against: ['F8'], without: [], expects: 'not contained' }),
    claim(SAYS.peers, { keeps: [noPeerWrites], against: ['F2'], without: [], expects: 'not contained' }),
  ],
  mayStop: () => true,
  assumptions: mapAssumptions,
});
