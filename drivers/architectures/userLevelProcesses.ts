/**
 * Suites of user-level drivers, processes: pages and forks, calls and their arguments, interrupts as reads, clients across deaths. No gate
 * of theirs is hardware of one era only: the same suites stand in both.
 */

import {
  answersAlways,
  callsForRegisters,
  mapsForEach,
  readsTwice,
  wakesAlways,
} from '../../faults/architectures/fastpath.js';
import { channelOfALife, lineFiles, pinsAgainstReclaim } from '../../faults/architectures/userLevelFurther.js';
import {
  forkShares,
  mapAllocates,
  munmapUnpins,
  pinIsNoReference,
  pinShared,
} from '../../faults/architectures/userLevelMutants.js';
import {
  answeredAgain,
  breaksAll,
  handleLeaks,
  lineLeftOn,
  neverDisabled,
  readEnables,
  sharedLine,
} from '../../faults/architectures/userLevelServiceMutants.js';
import { translation } from '../../faults/memory.js';
import { type Irqs, maskBeforeUpcall, noSharing, operator } from '../../model/architectures/userLevel/interrupts.js';
import { drainOnClose, restarting } from '../../model/architectures/userLevel/service.js';
import {
  accessCheck,
  argumentCopy,
  entryBound,
  pinBound,
  tlbFlush,
  type UserDrivers,
  unsharing,
} from '../../model/architectures/userLevel/state.js';
import { ABSENT } from '../../model/domains.js';
import type { Scope } from '../../model/kernel/index.js';
import { clientFrugal, clientWoken, interruptFrugal } from '../../properties/architectures/fastpath.js';
import {
  clientOut,
  cpuContainment,
  entries,
  kernelIntact,
  kernelOut,
  oneCall,
  pinCount,
  pinsBounded,
  reach,
  silence,
} from '../../properties/architectures/userLevelDrivers.js';
import {
  exactlyOnce,
  lineFreed,
  lineFreedUnaided,
  linesClosed,
  maskedAtWork,
  noStaleEffect,
  nothingLeft,
  oneInterruptARead,
  oneOpener,
  otherServed,
  othersNotice,
  served,
  servedUnaided,
} from '../../properties/architectures/userLevelService.js';
import { claim, suite } from '../suite.js';
import { callMachine, irqMachine, pageMachine, serviceMachine } from './userLevelMachines.js';

const pages: Scope = {
  domain: 3,
  generation: 2,
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
const fewCalls: Scope = { ...pages, frame: 5, iova: 2 };
const calls: Scope = { ...fewCalls, iova: 3, 'pin limit': 2 };

const driverIsGone = (m: UserDrivers | Irqs): boolean => m.domain.life[1] === ABSENT;

export const PROCESS_CLAIMS = {
  inside: 'what a driver writes over its own pages is its own affair',
  outside: 'a driver’s processor writes only pages of its own process',
  cow: 'a pinned page stays the page of the process that pinned it: past fork, copy on write and munmap',
  arguments: 'calls map only what the caller may access itself, and write no more list entries than there are',
  copied: 'what was checked of a call’s arguments is what is used',
  limit: 'with a limit on pins, some memory is always left to others',
  fast: 'mapping a buffer, and unmapping it, is one call each and allocates nothing',
  noLimit: 'without a limit on pins, some memory is always left to others',
  storm: 'a line interrupts once a read, only its opener, and is masked while the driver works',
  hungLine: 'a line that a hung driver holds is free again once somebody kills it, and nobody else waits for it',
  hungLineUnaided: 'a line that a hung driver holds is free again although nobody kills it',
  crash: 'killing and restarting a driver is an interruption to its clients: exactly once, nothing stale, nothing left',
  strangers: 'clients of other drivers notice nothing',
  hangUnaided: 'clients of a hung driver are served although nobody kills it',
} as const;

const ASSUMPTIONS = [
  'the kernel is correct but for the mutants',
  'what a processor caches is a right to write; reads leak nothing that these machines hold',
];

/** Pages: fork, copy on write, munmap, caches of translations, wild stores, with DMA under way. */
export const pageSuite = suite('user-level-drivers-pages', {
  title: 'pages of a user-level driver: stores anywhere, munmap and fork while its device has them',
  machine: pageMachine,
  scope: { small: pages, default: { ...pages, iova: 2 }, large: { ...pages, frame: 5, iova: 2, 'pin limit': 2 } },
  mayStop: driverIsGone,
  claims: [
    claim(PROCESS_CLAIMS.inside, {
      keeps: [silence],
      against: ['F1', 'F10'],
      without: [{ off: translation, breaks: silence, scope: pages }],
    }),
    claim(PROCESS_CLAIMS.outside, {
      keeps: [cpuContainment],
      against: ['F1', 'F10'],
      without: [
        { off: translation, breaks: cpuContainment },
        { off: tlbFlush, breaks: cpuContainment },
      ],
    }),
    claim(PROCESS_CLAIMS.cow, {
      keeps: [entries, reach, pinCount],
      against: ['F1', 'F4', 'F10'],
      without: [
        { off: pinsAgainstReclaim, breaks: reach },
        { off: unsharing, breaks: reach },
        { off: forkShares, breaks: reach },
        { off: pinShared, breaks: reach },
        { off: munmapUnpins, breaks: pinCount },
        { off: pinIsNoReference, breaks: pinCount },
      ],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** Calls with arguments that are wrong, or change, and pins without end. */
export const callSuite = suite('user-level-drivers-calls', {
  title:
    'calls of a user-level driver: ranges that are not its own, short lists, arguments that change, pins without end',
  machine: callMachine,
  scope: { small: fewCalls, default: calls, large: { ...calls, frame: 6 } },
  mayStop: driverIsGone,
  claims: [
    claim(PROCESS_CLAIMS.arguments, {
      keeps: [reach, kernelOut, clientOut, kernelIntact],
      against: ['F5', 'F10'],
      without: [
        { off: accessCheck, breaks: reach },
        { off: accessCheck, breaks: kernelOut },
        { off: accessCheck, breaks: clientOut },
        { off: entryBound, breaks: kernelIntact },
      ],
    }),
    claim(PROCESS_CLAIMS.copied, {
      keeps: [reach, kernelOut],
      against: ['F6'],
      without: [
        { off: argumentCopy, breaks: reach },
        { off: argumentCopy, breaks: kernelOut },
      ],
    }),
    claim(PROCESS_CLAIMS.limit, {
      keeps: [pinsBounded, pinCount],
      against: ['F12'],
      without: [
        { off: pinBound, breaks: pinsBounded },
        { off: pinIsNoReference, breaks: pinCount },
      ],
    }),
    claim(PROCESS_CLAIMS.fast, {
      keeps: [oneCall],
      against: ['F10'],
      without: [{ off: mapAllocates, breaks: oneCall }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

/** The calls as the patches had them: no limit on pins. */
export const unlimitedSuite = suite('user-level-drivers-unlimited', {
  title: 'calls of a user-level driver, with no limit on what it pins',
  machine: callMachine,
  scope: { small: fewCalls, default: calls, large: { ...calls, frame: 6 } },
  gatesOff: [pinBound],
  mayStop: driverIsGone,
  claims: [
    claim(PROCESS_CLAIMS.noLimit, { keeps: [pinsBounded], against: ['F12'], without: [], expects: 'not contained' }),
  ],
  assumptions: ASSUMPTIONS,
});

const lines: Scope = { domain: 3, generation: 2, irq: 2 };

/** Lines. */
export const irqSuite = suite('user-level-drivers-interrupts', {
  title: 'interrupts as reads: two drivers, storms, hangs, deaths, a line that the kernel uses',
  machine: irqMachine,
  scope: { small: { ...lines, generation: 1 }, default: lines, large: { ...lines, generation: 3, irq: 3 } },
  mayStop: (m: Irqs) => m.domain.life[1] === ABSENT && m.domain.life[2] === ABSENT,
  claims: [
    claim(PROCESS_CLAIMS.storm, {
      keeps: [maskedAtWork, oneOpener, oneInterruptARead, linesClosed],
      against: ['F7', 'F9', 'F10', 'F11'],
      without: [
        { off: lineFiles, breaks: oneOpener },
        { off: maskBeforeUpcall, breaks: oneInterruptARead },
        { off: maskBeforeUpcall, breaks: maskedAtWork },
        { off: readEnables, breaks: maskedAtWork },
        { off: noSharing, breaks: oneOpener },
        { off: lineLeftOn, breaks: linesClosed },
      ],
    }),
    claim('an interrupt costs its driver one read, and nothing is allocated', {
      keeps: [interruptFrugal],
      against: ['F9', 'F10', 'F11'],
      without: [{ off: readsTwice, breaks: interruptFrugal }],
    }),
    claim(PROCESS_CLAIMS.hungLine, {
      keeps: [lineFreed, otherServed],
      against: ['F9', 'F10', 'F11'],
      without: [
        { off: operator, breaks: lineFreed },
        { off: noSharing, breaks: otherServed },
        { off: sharedLine, breaks: otherServed },
      ],
    }),
    claim(PROCESS_CLAIMS.hungLineUnaided, {
      keeps: [lineFreedUnaided],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [...ASSUMPTIONS, 'a handler of the kernel is one step'],
});

const clients: Scope = { domain: 3, generation: 3, irq: 1, request: 3 };

const fewClients: Scope = { ...clients, generation: 2 };

/** Clients. */
export const clientSuite = suite('user-level-drivers-clients', {
  title: 'clients of user-level drivers: crash, hang, kill at every step, restart again and again',
  machine: serviceMachine,
  scope: {
    small: fewClients,
    default: clients,
    large: { ...clients, generation: 5, request: 4 },
  },
  claims: [
    claim(PROCESS_CLAIMS.crash, {
      keeps: [exactlyOnce, noStaleEffect, nothingLeft, served],
      against: ['F10', 'F11', 'F14'],
      without: [
        { off: answeredAgain, breaks: exactlyOnce },
        { off: drainOnClose, breaks: noStaleEffect },
        { off: channelOfALife, breaks: noStaleEffect },
        { off: handleLeaks, breaks: nothingLeft },
        { off: neverDisabled, breaks: nothingLeft },
        { off: restarting, breaks: served },
        { off: operator, breaks: served },
      ],
    }),
    claim('a request is served without a mapping, an allocation, a copy of a block or a call but to wake a sleeper', {
      keeps: [clientFrugal, clientWoken],
      against: ['F10', 'F11'],
      without: [
        { off: mapsForEach, breaks: clientFrugal, scope: fewClients },
        { off: callsForRegisters, breaks: clientFrugal, scope: fewClients },
        { off: wakesAlways, breaks: clientWoken, scope: fewClients },
        { off: answersAlways, breaks: clientWoken, scope: fewClients },
      ],
    }),
    claim(PROCESS_CLAIMS.strangers, {
      keeps: [othersNotice],
      against: ['F10', 'F11'],
      without: [{ off: breaksAll, breaks: othersNotice }],
    }),
    claim(PROCESS_CLAIMS.hangUnaided, {
      keeps: [servedUnaided],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    ...ASSUMPTIONS,
    'a driver that died for the last time in scope is the last: it neither crashes nor hangs',
    'a client keeps what it has sent until it is answered',
  ],
});
