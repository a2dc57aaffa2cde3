/**
 * Suites of "Reconstructing I/O" around the IOMMU: device mappings, restarts, restarts step by step, and what the paper does not claim;
 * each for the hardware of 2004 and for today's.
 */
import {
  dropFirst,
  endWhileInUse,
  epochKept,
  framesLost,
  grantUnchecked,
  iotlbKept,
  lazyIotlb,
  noQuiesce,
  pinNotRolledBack,
  pinnedLate,
  pinsKept,
  processorMmu,
  reconnectAll,
  reconnectFirst,
  tablesFirst,
  twoOwners,
} from '../../faults/architectures/reconstructingIo.js';
import { commandFilter } from '../../model/architectures/reconstructingIo/restart.js';
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
  afterReset,
  connectedToOwner,
  contentIntact,
  dmaConfined,
  liveKeepMemory,
  loansReturn,
  memoryOfOthers,
  memoryOfVmm,
  noLateDma,
  noPeerWrites,
  noStaleWindow,
  nothingLeaks,
  oneLiveOwner,
  othersUnaware,
  ownInterrupts,
  pinsCounted,
  quietAssignment,
  restartLocal,
  serviceResumes,
  staysQuiet,
} from '../../properties/architectures/reconstructingIo.js';
import { dmaFresh } from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import { deviceMapMachine, restartMachine, stubbornMachine } from './reconstructingIoMachines.js';

/** What a PC of 2004 did not have. */
export const LACKED_THEN = [dmaRemapping, interruptRemapping, acsRedirect, translatedRefused, drainOnWait] as const;

const ASSUMPTIONS = [
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

/** Two restarts (three lives) of one device beside another, and a single restart where every step is taken apart. */
const RESTART_SCOPE = {
  small: {
    domain: 3,
    generation: 1,
    frame: 4,
    device: 1,
    ats: 0,
    iova: 2,
    did: 1,
    queue: 3,
    dma: 1,
    record: 0,
    restarts: 1,
    client: 1,
  },
  default: {
    domain: 4,
    generation: 1,
    frame: 6,
    device: 2,
    ats: 0,
    iova: 2,
    did: 2,
    queue: 3,
    dma: 1,
    record: 0,
    restarts: 2,
    client: 2,
  },
  large: {
    domain: 4,
    generation: 1,
    frame: 6,
    device: 2,
    ats: 1,
    iova: 2,
    did: 2,
    queue: 4,
    dma: 2,
    record: 0,
    restarts: 3,
    client: 2,
  },
} as const;

const STEPS_SCOPE = {
  small: {
    domain: 3,
    generation: 1,
    frame: 4,
    device: 1,
    ats: 0,
    iova: 1,
    did: 1,
    queue: 3,
    dma: 1,
    record: 0,
    restarts: 1,
    client: 1,
  },
  default: {
    domain: 3,
    generation: 1,
    frame: 4,
    device: 1,
    ats: 0,
    iova: 2,
    did: 1,
    queue: 3,
    dma: 1,
    record: 0,
    restarts: 2,
    client: 1,
  },
  large: {
    domain: 4,
    generation: 1,
    frame: 6,
    device: 2,
    ats: 0,
    iova: 2,
    did: 2,
    queue: 3,
    dma: 1,
    record: 0,
    restarts: 2,
    client: 2,
  },
} as const;

/** A frame more than is needed: else a leak stops the next restart, which is a finding too, but another one. */
const SPARE_FRAME = { ...RESTART_SCOPE.default, frame: 7 } as const;

/** Claims on restarts; they hold with the hardware of both years, since they wait for quiet and do not trust it to drain. */
const restartClaims = [
  claim(SAYS.crash, {
    keeps: [dmaConfined, pinsCounted, nothingLeaks, serviceResumes, loansReturn, restartLocal, othersUnaware],
    against: ['F3', 'F10'],
    without: [
      { off: iotlbKept, breaks: dmaConfined },
      { off: iotlbInvalidation, breaks: dmaConfined },
      { off: pinsKept, breaks: pinsCounted },
      { off: framesLost, breaks: nothingLeaks, scope: SPARE_FRAME },
      { off: reconnectAll, breaks: restartLocal },
    ],
  }),
  claim(SAYS.hang, {
    keeps: [oneLiveOwner, connectedToOwner, liveKeepMemory, serviceResumes],
    against: ['F11', 'F13'],
    without: [
      { off: twoOwners, breaks: oneLiveOwner },
      { off: epochKept, breaks: connectedToOwner },
    ],
  }),
  claim(SAYS.inside, {
    keeps: [contentIntact, serviceResumes, nothingLeaks],
    against: ['F1'],
    without: [
      { off: processorMmu, breaks: contentIntact },
      { off: framesLost, breaks: nothingLeaks, scope: SPARE_FRAME },
    ],
  }),
  claim(SAYS.outside, {
    keeps: [contentIntact],
    against: ['F1'],
    without: [{ off: processorMmu, breaks: contentIntact }],
  }),
];

const stepsClaims = [
  claim(SAYS.steps, {
    keeps: [
      dmaConfined,
      dmaFresh,
      memoryOfVmm,
      staysQuiet,
      quietAssignment,
      oneLiveOwner,
      liveKeepMemory,
      connectedToOwner,
      nothingLeaks,
      serviceResumes,
      loansReturn,
    ],
    against: ['F1', 'F3', 'F10', 'F11', 'F13'],
    without: [
      { off: commandFilter, breaks: staysQuiet },
      { off: tablesFirst, breaks: dmaConfined },
      { off: noQuiesce, breaks: quietAssignment },
      { off: reconnectFirst, breaks: connectedToOwner },
    ],
  }),
];

const restartTitle =
  'the first of two devices loses its driver by crash, hang, false suspicion or wild writes, again and again';

export const restartsNow = suite('reconstructing-io-restart', {
  title: restartTitle,
  machine: restartMachine,
  schedule: 'whole',
  scope: RESTART_SCOPE,
  claims: restartClaims,
  mayStop: () => true,
  assumptions: ASSUMPTIONS,
});

export const restartsThen = suite('reconstructing-io-restart-2004', {
  title: `${restartTitle}; on hardware of 2004`,
  machine: restartMachine,
  schedule: 'whole',
  gatesOff: LACKED_THEN,
  scope: RESTART_SCOPE,
  claims: restartClaims,
  mayStop: () => true,
  assumptions: ASSUMPTIONS,
});

const stepsTitle = 'a restart taken apart, with the device at work and the driver failing at every step';

export const stepsNow = suite('reconstructing-io-steps', {
  title: stepsTitle,
  machine: restartMachine,
  schedule: 'split',
  scope: STEPS_SCOPE,
  claims: stepsClaims,
  mayStop: () => true,
  assumptions: ASSUMPTIONS,
});

export const stepsThen = suite('reconstructing-io-steps-2004', {
  title: `${stepsTitle}; on hardware of 2004, whose waits drain nothing`,
  machine: restartMachine,
  schedule: 'split',
  gatesOff: LACKED_THEN,
  scope: STEPS_SCOPE,
  claims: stepsClaims,
  mayStop: () => true,
  assumptions: ASSUMPTIONS,
});

/** What the paper does not claim, and no IOMMU closes. */
export const limits = suite('reconstructing-io-limits', {
  title: 'a device that ignores its reset, and goes on in the service of its new driver',
  machine: stubbornMachine,
  schedule: 'whole',
  scope: RESTART_SCOPE,
  claims: [claim(SAYS.reset, { keeps: [afterReset], against: ['F4', 'F10'], without: [], expects: 'not contained' })],
  mayStop: () => true,
  assumptions: ASSUMPTIONS,
});
