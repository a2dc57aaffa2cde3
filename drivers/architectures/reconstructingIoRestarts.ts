/**
 * Suites of "Reconstructing I/O" on restarts: as a whole, step by step, as strangers see them, and what the paper does not claim.
 */
import { processorMmu } from '../../faults/architectures/reconstructingIo.js';
import {
  epochKept,
  framesLost,
  iotlbKept,
  noQuiesce,
  pinsKept,
  reconnectAll,
  reconnectFirst,
  tablesFirst,
  twoOwners,
} from '../../faults/architectures/reconstructingIoMutants.js';
import { commandFilter } from '../../model/architectures/reconstructingIo/restart.js';
import { iotlbInvalidation } from '../../model/iommu/index.js';
import type { Gate } from '../../model/kernel/index.js';
import {
  contentIntact,
  dmaConfined,
  memoryOfVmm,
  pinsCounted,
} from '../../properties/architectures/reconstructingIo.js';
import { deviceLeaksNothing } from '../../properties/architectures/reconstructingIoCensus.js';
import {
  afterReset,
  connectedToOwner,
  liveKeepMemory,
  loansReturn,
  nothingLeaks,
  oneLiveOwner,
  othersUnaware,
  quietAssignment,
  restartLocal,
  serviceResumes,
  staysQuiet,
} from '../../properties/architectures/reconstructingIoRestart.js';
import { dmaFresh } from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS, LACKED_THEN, SAYS } from './reconstructingIoDevices.js';
import { restartMachine, stubbornMachine } from './reconstructingIoMachines.js';

/** Two restarts (three lives) of one device beside another, and a single restart where every step is taken apart. */
export const RESTART_SCOPE = {
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
    keeps: [dmaConfined, pinsCounted, nothingLeaks, serviceResumes, loansReturn, restartLocal],
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

const STRANGERS = { ...RESTART_SCOPE.default, iova: 1, restarts: 1, dma: 0 } as const;

/** Two runs, with the failures of the first device and without them. */
export const strangers = suite('reconstructing-io-strangers', {
  title: 'two devices, of which the first loses its driver, in one run and not in the other',
  machine: restartMachine,
  schedule: 'whole',
  scope: { small: STRANGERS, default: STRANGERS, large: { ...STRANGERS, dma: 1 } },
  claims: [
    claim(SAYS.strangers, {
      keeps: [othersUnaware, restartLocal],
      against: ['F1', 'F10', 'F11', 'F13'],
      without: [
        { off: reconnectAll, breaks: restartLocal },
        { off: reconnectAll, breaks: othersUnaware },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [...ASSUMPTIONS, 'one run for both eras: what it checks does not depend on the hardware'],
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

/** Three restarts, each as a whole: the suites of steps take them apart. */
const CENSUS = { ...STEPS_SCOPE.default, restarts: 3 } as const;

const censusClaims = [
  claim(SAYS.census, {
    keeps: [deviceLeaksNothing, oneLiveOwner],
    against: ['F3', 'F10', 'F11'],
    without: [
      { off: pinsKept, breaks: deviceLeaksNothing },
      { off: framesLost, breaks: deviceLeaksNothing, scope: { ...CENSUS, frame: 5 } },
      { off: twoOwners, breaks: oneLiveOwner },
    ],
  }),
];

const censusSuite = (name: string, title: string, gatesOff: readonly Gate[]) =>
  suite(name, {
    title,
    machine: restartMachine,
    schedule: 'whole',
    gatesOff,
    scope: { small: CENSUS, default: CENSUS, large: { ...CENSUS, domain: 4, frame: 6, device: 2, did: 2, client: 2 } },
    claims: censusClaims,
    mayStop: () => true,
    assumptions: ASSUMPTIONS,
  });

const censusTitle = 'a driver fails once, twice and three times; a census after each restart';

export const censusNow = censusSuite('reconstructing-io-census', censusTitle, []);
export const censusThen = censusSuite(
  'reconstructing-io-census-2004',
  `${censusTitle}; on hardware of 2004`,
  LACKED_THEN,
);
