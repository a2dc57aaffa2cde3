/**
 * Restarts of user-level drivers, taken apart: a driver is killed, rightly or wrongly, between any two steps of what the kernel does for
 * it, with its device at work; closed, started again, and again; and a census after each restart. A driver that hangs makes no call any
 * more, and is killed: where nothing but calls is looked at, that is a death like any other.
 */
import { closeKeepsEntries, closeKeepsPins, unpinFirst } from '../../faults/architectures/userLevelMutants.js';
import {
  answeredAgain,
  handleLeaks,
  lineLeftOn,
  neverDisabled,
} from '../../faults/architectures/userLevelServiceMutants.js';
import { closeDevice, closeOnDeath, openDevice } from '../../model/architectures/userLevel/handles.js';
import {
  closeIrq,
  irqs,
  killHung,
  openIrq,
  raiseIrq,
  readIrq,
  returnIrq,
} from '../../model/architectures/userLevel/interrupts.js';
import { mapCoherent, mapStreaming, unmapBus } from '../../model/architectures/userLevel/mappings.js';
import { allocatePage, exitPages } from '../../model/architectures/userLevel/pages.js';
import { drainOnClose } from '../../model/architectures/userLevel/service.js';
import { DRIVER, heapFrame, type UserDrivers } from '../../model/architectures/userLevel/state.js';
import { createDomain, domains, releaseDomain, runs } from '../../model/domains.js';
import { finishDma, iommu, issueDma, processQueue, refillIotlb } from '../../model/iommu/index.js';
import type { MachineDef, Scope } from '../../model/kernel/index.js';
import {
  linesLeakNothing,
  pagesLeakNothing,
  serviceLeaksNothing,
} from '../../properties/architectures/userLevelCensus.js';
import {
  closedClean,
  deadReturned,
  oneHandle,
  pinCount,
  pinned,
} from '../../properties/architectures/userLevelDrivers.js';
import {
  exactlyOnce,
  linesClosed,
  noStaleEffect,
  nothingLeft,
  oneOpener,
  served,
} from '../../properties/architectures/userLevelService.js';
import { between } from '../../properties/paths.js';
import { claim, type Suite, suite } from '../suite.js';
import {
  bare,
  begins,
  dmaMachine,
  driverHangs,
  driverKilled,
  driverSuspected,
  serviceMachine,
  userLevel,
} from './userLevelMachines.js';

/** Sentences of the claims. */
export const STEPS_SAY = {
  pages: 'a driver may be killed at each step of its calls, with DMA in flight: close leaves nothing of it',
  pagesCensus: 'restarts of a driver leak no frame, pin, mapping, entry or handle, however many',
  clients:
    'a driver may be killed at each step of the close of its predecessor: clients see an interruption, exactly once',
  clientsCensus: 'restarts of a driver that serves clients leak nothing, however many',
  lines: 'a driver may be killed at each step of a call about its line: the line is masked and given up',
} as const;

/** Nobody but the driver asks for memory. */
const driverAllocates = {
  ...allocatePage,
  where: {
    agent: (m: UserDrivers, op: { agent: number }) => op.agent === DRIVER && runs(m, DRIVER),
    frame: (m: UserDrivers, op: { frame: number }) => op.frame === heapFrame(m),
  },
};

const kernelThread = (): readonly string[] => ['vmm'];

/** One driver with one device; every call split. */
export const pageSteps: MachineDef = {
  name: 'user-level drivers, restarts',
  modules: [
    dmaMachine.modules[0],
    bare,
    { ...iommu, operations: [refillIotlb, issueDma, finishDma, processQueue] },
    userLevel(
      'handles, mappings, pages',
      [openDevice, closeDevice, mapStreaming, mapCoherent, unmapBus, driverAllocates, exitPages],
      begins,
    ),
  ],
  threads: kernelThread,
};

const PAGES: Scope = {
  domain: 3,
  generation: 4,
  frame: 4,
  device: 1,
  ats: 0,
  iova: 1,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
  'pin limit': 1,
};

const ASSUMPTIONS = [
  'the kernel is correct but for the mutants; its calls on one handle exclude one another',
  'one run for both eras: the I/O MMU of the zx1 is programmed as today\u2019s are',
];

export const pageStepsSuite = suite('user-level-drivers-restarts', {
  title:
    'a user-level driver is killed at any step of its calls, with DMA in flight, and started again, once, twice and three times',
  machine: pageSteps,
  schedule: 'split',
  scope: { small: PAGES, default: PAGES, large: { ...PAGES, iova: 2, 'pin limit': 2 } },
  mayStop: () => true,
  claims: [
    claim(STEPS_SAY.pages, {
      keeps: [pinned, pinCount, closedClean, oneHandle, deadReturned],
      against: ['F10'],
      without: [
        { off: unpinFirst, breaks: pinned },
        { off: closeKeepsEntries, breaks: closedClean },
        { off: closeKeepsPins, breaks: pinCount },
        { off: closeOnDeath, breaks: deadReturned },
      ],
    }),
    claim(STEPS_SAY.pagesCensus, {
      keeps: [pagesLeakNothing],
      against: ['F10'],
      without: [{ off: closeKeepsEntries, breaks: pagesLeakNothing }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

export const serviceSteps: MachineDef = { ...serviceMachine, threads: kernelThread, split: ['service.close'] };

const CLIENTS: Scope = { domain: 3, generation: 4, irq: 1, request: 2 };

export const clientStepsSuite = suite('user-level-drivers-clients-restarts', {
  title:
    'clients of a user-level driver that crashes, hangs, or is killed wrongly, once, twice and three times, with its close taken apart',
  machine: serviceSteps,
  schedule: 'split',
  scope: { small: CLIENTS, default: CLIENTS, large: { ...CLIENTS, request: 3 } },
  claims: [
    claim(STEPS_SAY.clients, {
      keeps: [exactlyOnce, noStaleEffect, nothingLeft, served],
      against: ['F10', 'F11'],
      without: [
        { off: answeredAgain, breaks: exactlyOnce },
        { off: drainOnClose, breaks: noStaleEffect },
        { off: neverDisabled, breaks: nothingLeft },
      ],
    }),
    claim(STEPS_SAY.clientsCensus, {
      keeps: [serviceLeaksNothing],
      against: ['F10', 'F11'],
      without: [{ off: handleLeaks, breaks: serviceLeaksNothing }],
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'a driver that died for the last time in scope is the last: it neither crashes nor hangs',
  ],
});

/** One driver and its line; calls split. */
export const lineSteps: MachineDef = {
  name: 'user-level drivers, lines, taken apart',
  modules: [
    { ...domains, operations: [releaseDomain, createDomain] },
    {
      ...irqs,
      operations: [
        openIrq,
        raiseIrq,
        readIrq,
        returnIrq,
        closeIrq,
        driverKilled,
        driverHangs,
        driverSuspected,
        killHung,
      ],
    },
  ],
  threads: kernelThread,
};

const closedLines = between(linesClosed);

const LINES: Scope = { domain: 2, generation: 4, irq: 1 };

export const lineStepsSuite = suite('user-level-drivers-lines-restarts', {
  title: 'the line of a user-level driver that fails at any step of a call about it, once, twice and three times',
  machine: lineSteps,
  schedule: 'split',
  scope: { small: LINES, default: LINES, large: { ...LINES, domain: 3, irq: 2 } },
  mayStop: () => true,
  claims: [
    claim(STEPS_SAY.lines, {
      keeps: [oneOpener, closedLines, linesLeakNothing],
      against: ['F10', 'F11'],
      without: [{ off: lineLeftOn, breaks: linesLeakNothing }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

export const stepSuites: readonly Suite[] = [pageStepsSuite, clientStepsSuite, lineStepsSuite];
