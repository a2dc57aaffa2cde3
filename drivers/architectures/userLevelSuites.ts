/**
 * Suites of user-level drivers, DMA: with an I/O MMU, without, with translation caches in devices, with two threads in the kernel, and
 * what devices do to one another on the bus. Processes and interrupts: userLevelProcesses.ts.
 */
import { programsByCall } from '../../faults/architectures/fastpath.js';
import { configurationWrites } from '../../faults/architectures/userLevelFurther.js';
import {
  closeKeepsEntries,
  closeKeepsIotlb,
  closeLeaksPins,
  lazyUnmap,
  munmapUnpins,
  noQuiesce,
  openRace,
  pinIsNoReference,
  releaseFirst,
  unmapFirst,
  unmapKeepsIotlb,
  unpinBeforeFlush,
  unpinFirst,
  writableForRead,
} from '../../faults/architectures/userLevelMutants.js';
import { closeOnDeath } from '../../model/architectures/userLevel/handles.js';
import { faultRecording, ownDirectory, type UserDrivers } from '../../model/architectures/userLevel/state.js';
import { ABSENT } from '../../model/domains.js';
import {
  acsRedirect,
  atcInvalidation,
  dmaRemapping,
  drainOnWait,
  interruptRemapping,
  iotlbInvalidation,
  strictInvalidation,
} from '../../model/iommu/index.js';
import type { Scope } from '../../model/kernel/index.js';
import { programFrugal } from '../../properties/architectures/fastpath.js';
import {
  clientOut,
  closedClean,
  deadReturned,
  entries,
  interruptSource,
  kernelOut,
  machineRuns,
  oneHandle,
  othersRun,
  pinCount,
  pinned,
  quietClose,
  reach,
} from '../../properties/architectures/userLevelDrivers.js';
import { claim, type SuiteDef, suite } from '../suite.js';
import { busMachine, dmaBareMachine, dmaMachine, raceMachine } from './userLevelMachines.js';

const small: Scope = {
  domain: 3,
  generation: 1,
  frame: 5,
  device: 2,
  ats: 0,
  iova: 1,
  did: 2,
  queue: 3,
  dma: 1,
  record: 0,
  worker: 1,
  'pin limit': 1,
};
const scope = {
  small,
  default: { ...small, generation: 2 },
  large: { ...small, generation: 2, iova: 2, 'pin limit': 2 },
};

const ASSUMPTIONS = [
  'the kernel is correct but for the mutants; its calls on one handle exclude one another',
  'every request of a device is translated: an address space that cards can pass by (zx1, 64-bit cards outside its window) is as no I/O MMU',
  'a device drains what it has in flight once bus mastering is off, and an invalidation completes after the requests that it caught (gate `drain on wait`)',
  'the other driver behaves; its translations are not cached anew',
];

/** What an Itanium with zx1 lacks: one directory for all devices, a machine check for a stray request, peers, messages and configuration
 * writes unchecked. */
const LACKING = [interruptRemapping, acsRedirect, ownDirectory, faultRecording, configurationWrites];

const mayStop = (m: UserDrivers): boolean => m.domain.life[1] === ABSENT;

const DESCRIPTORS =
  'an address goes into a descriptor, and a DMA through the table, without a call, a mapping or an allocation';

export const CLAIMS = {
  others: 'with an I/O MMU, a device reaches no page of another process',
  kernel: 'with an I/O MMU, a device reaches no frame of the kernel',
  stale: 'with an I/O MMU, a page is pinned until its device can reach it no more',
  close: 'whatever way a driver dies, close leaves nothing of it, and causes no fault',
  handle: 'a device has one handle at most',
  othersWithout: 'without an I/O MMU, a device reaches no page of another process',
  kernelWithout: 'without an I/O MMU, a device reaches no frame of the kernel',
  staleWithout: 'without an I/O MMU, a page is pinned until its device can reach it no more',
  neighbours: 'a device uses no mapping and no register of another driver’s device',
  stray: 'a DMA without an entry stops nobody else',
  messages: 'a device writes no interrupt of another',
  configuration: 'a driver moves no window of another driver’s device',
} as const;

const dma = (title: string, more: Partial<SuiteDef>): SuiteDef => ({
  title,
  machine: dmaMachine,
  schedule: 'split',
  scope,
  mayStop,
  claims: [
    claim(CLAIMS.others, {
      keeps: [entries, reach, clientOut],
      against: ['F2', 'F3', 'F10'],
      without: [
        { off: dmaRemapping, breaks: reach },
        { off: dmaRemapping, breaks: clientOut },
        { off: writableForRead, breaks: entries },
        { off: pinIsNoReference, breaks: reach },
        { off: strictInvalidation, breaks: reach },
      ],
    }),
    claim(CLAIMS.kernel, {
      keeps: [kernelOut],
      against: ['F2', 'F10'],
      without: [{ off: dmaRemapping, breaks: kernelOut }],
    }),
    claim(CLAIMS.stale, {
      keeps: [pinned, pinCount],
      against: ['F3', 'F10'],
      without: [
        { off: unpinFirst, breaks: pinned },
        { off: unpinBeforeFlush, breaks: pinned },
        { off: lazyUnmap, breaks: pinned },
        { off: unmapKeepsIotlb, breaks: pinned },
        { off: closeKeepsIotlb, breaks: pinned },
        { off: munmapUnpins, breaks: pinned },
        { off: iotlbInvalidation, breaks: pinned },
        { off: strictInvalidation, breaks: pinned },
        { off: drainOnWait, breaks: pinned },
        { off: pinIsNoReference, breaks: pinCount },
      ],
    }),
    claim(CLAIMS.close, {
      keeps: [closedClean, quietClose, deadReturned],
      against: ['F3', 'F10'],
      without: [
        { off: noQuiesce, breaks: closedClean },
        { off: releaseFirst, breaks: closedClean },
        { off: closeKeepsEntries, breaks: closedClean },
        { off: closeLeaksPins, breaks: closedClean },
        { off: unmapFirst, breaks: quietClose },
        { off: closeOnDeath, breaks: deadReturned },
      ],
    }),
    claim(DESCRIPTORS, {
      keeps: [programFrugal],
      against: ['F2', 'F3'],
      without: [{ off: programsByCall, breaks: programFrugal, scope: small }],
    }),
  ],
  assumptions: ASSUMPTIONS,
  ...more,
});

/** Then, with the zx1’s I/O MMU. */
export const dmaThen = suite(
  'user-level-drivers-dma-then',
  dma('user-level drivers on an Itanium with an I/O MMU: DMA, death at every step', { gatesOff: LACKING }),
);

/** Now. */
export const dmaNow = suite(
  'user-level-drivers-dma',
  dma('user-level drivers on today’s hardware: DMA, death at every step', {}),
);

const ats: Scope = { ...small, ats: 1 };

/** Now, with a translation cache in the device. */
export const dmaAts = suite('user-level-drivers-ats', {
  ...dma('user-level drivers, a device with a translation cache of its own', {}),
  scope: { small: ats, default: ats, large: { ...ats, generation: 2 } },
  claims: [
    claim('with ATS, a device reaches no page of another process', {
      keeps: [entries, reach, clientOut, kernelOut],
      against: ['F2', 'F3', 'F10'],
      without: [
        { off: atcInvalidation, breaks: reach },
        { off: dmaRemapping, breaks: clientOut },
      ],
    }),
    claim('with ATS, a page is pinned until its device can reach it no more, and close leaves nothing', {
      keeps: [pinned, pinCount, closedClean],
      against: ['F3', 'F10'],
      without: [
        { off: atcInvalidation, breaks: pinned },
        { off: noQuiesce, breaks: closedClean },
      ],
    }),
  ],
});

/** Then, on hardware without an I/O MMU: a mapping is a machine address, and any other machine address does as well. */
export const dmaBare = suite('user-level-drivers-no-iommu', {
  ...dma('user-level drivers on a machine without an I/O MMU', {
    machine: dmaBareMachine,
    gatesOff: [dmaRemapping, ...LACKING],
  }),
  claims: [
    claim(CLAIMS.othersWithout, { keeps: [clientOut], against: ['F2'], without: [], expects: 'not contained' }),
    claim(CLAIMS.kernelWithout, { keeps: [kernelOut], against: ['F2'], without: [], expects: 'not contained' }),
    claim(CLAIMS.staleWithout, { keeps: [pinned], against: ['F3'], without: [], expects: 'not contained' }),
  ],
  assumptions: ASSUMPTIONS,
});

const races: Scope = { ...small, worker: 2 };

/** Calls of two processes, and of one, at the same time. */
export const callRaces = suite('user-level-drivers-races', {
  title: 'user-level drivers: open, map, unmap, close and kill by two threads of the kernel at once',
  machine: raceMachine,
  schedule: 'split',
  scope: { small: races, default: races, large: { ...races, generation: 2, iova: 2, 'pin limit': 2 } },
  mayStop,
  claims: [
    claim(CLAIMS.handle, {
      keeps: [oneHandle],
      against: ['F10'],
      without: [{ off: openRace, breaks: oneHandle }],
    }),
    claim('calls that race leave pins and entries right', {
      keeps: [entries, reach, pinned, pinCount, closedClean],
      against: ['F10'],
      without: [
        { off: unpinFirst, breaks: pinned },
        { off: releaseFirst, breaks: closedClean },
        { off: writableForRead, breaks: entries },
        { off: pinIsNoReference, breaks: pinCount },
      ],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

const bus = (title: string, then: boolean): SuiteDef => {
  const expects = then ? 'not contained' : 'contained';
  const off = <T>(counterparts: readonly T[]): readonly T[] => (then ? [] : counterparts);
  return {
    title,
    machine: busMachine,
    schedule: 'whole',
    scope: { small, default: small, large: scope.large },
    mayStop,
    gatesOff: then ? LACKING : [],
    claims: [
      claim(CLAIMS.neighbours, {
        keeps: [reach, othersRun],
        against: ['F2', 'F10'],
        without: off([
          { off: ownDirectory, breaks: reach },
          { off: acsRedirect, breaks: othersRun },
        ]),
        expects,
      }),
      claim(CLAIMS.stray, {
        keeps: [machineRuns],
        against: ['F2'],
        without: off([{ off: faultRecording, breaks: machineRuns }]),
        expects,
      }),
      claim(CLAIMS.messages, {
        keeps: [interruptSource],
        against: ['F8'],
        without: off([{ off: interruptRemapping, breaks: interruptSource }]),
        expects,
      }),
      claim(CLAIMS.configuration, {
        keeps: [othersRun],
        against: ['F13'],
        without: off([{ off: configurationWrites, breaks: othersRun }]),
        expects,
      }),
    ],
    assumptions: ASSUMPTIONS,
  };
};

/** Then: one directory a bridge, a shared bus, machine checks, messages that anybody writes. */
export const busThen = suite(
  'user-level-drivers-bus-then',
  bus('devices of two user-level drivers on one bridge of an Itanium', true),
);

/** Now: a directory a device, ACS, recorded faults, remapped interrupts. */
export const busNow = suite(
  'user-level-drivers-bus',
  bus('devices of two user-level drivers on today’s hardware', false),
);
