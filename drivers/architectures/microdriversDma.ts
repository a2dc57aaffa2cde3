/**
 * Suites of a microdriver's DMA, in both eras: the same machine, without and with IOMMU and interrupt remapping. And, with them, a kernel
 * half that has the kernel map whatever it names.
 */
import { busFaults, halfFaults, kernelMapFaults } from '../../faults/architectures/microdriversDma.js';
import { dmaInterrupt, dmaStale } from '../../faults/dma.js';
import { unmapKeepsIotlb } from '../../faults/iommuMutants.js';
import { busAddresses } from '../../model/architectures/microdrivers/busAddress.js';
import { configuration } from '../../model/architectures/microdrivers/configuration.js';
import { domains } from '../../model/domains.js';
import { allocateFrame, frames, releaseFrame } from '../../model/frames.js';
import {
  acsRedirect,
  addressWidth,
  defaultDeny,
  dmaRemapping,
  everyPage,
  finishDma,
  type Iommu,
  interruptRemapping,
  iommu,
  iotlbInvalidation,
  issueDma,
  mapPage,
  processQueue,
  reap,
  refillIotlb,
  strictInvalidation,
  translatedRefused,
  unmapPage,
} from '../../model/iommu/index.js';
import { type AnyModule, type MachineDef, module } from '../../model/kernel/index.js';
import {
  kernelOutOfReach,
  noForgedInterrupt,
  othersOutOfReach,
  windowInPlace,
} from '../../properties/architectures/microdriversDma.js';
import { dmaReach } from '../../properties/iommu.js';
import { claim, suite } from '../suite.js';
import { mapped } from '../suites/iommuMachines.js';

/** Hardware that the machines of 2007 did not have. */
export const HARDWARE_OF_TODAY = [
  dmaRemapping,
  defaultDeny,
  interruptRemapping,
  acsRedirect,
  translatedRefused,
  everyPage,
  addressWidth,
] as const;

const attacks = module<Iommu, Record<never, never>>('DMA of the device', {
  tables: {},
  operations: [dmaStale, dmaInterrupt],
});

/** Domain 0 is the kernel with its other processes, domain 1 the driver, whose first buffer is frame 2; frame 0 is the kernel's own. */
const machineWith = (name: string, ...faults: readonly AnyModule[]): MachineDef => ({
  name,
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame, releaseFrame] },
    { ...iommu, operations: [mapPage, unmapPage, processQueue, reap, refillIotlb, issueDma, finishDma] },
    mapped,
    ...faults,
  ],
  threads: () => ['vmm'],
});

const dmaMachine = machineWith('microdrivers DMA', busAddresses, busFaults, attacks);
/** What nothing checks in either era: the same operations on the hardware of both. */
const unchecked = [configuration, halfFaults] as const;
/** Where there is no IOMMU there is no stale translation to go through. */
const attacksThen: AnyModule = { ...attacks, operations: [dmaInterrupt] };
const dmaThenMachine = machineWith('microdrivers DMA', busAddresses, busFaults, attacksThen, ...unchecked);
const kernelDmaMachine = machineWith('microdrivers DMA of the kernel half', kernelMapFaults, ...unchecked);

const scope = {
  small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
  default: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 2, record: 0 },
  large: { domain: 2, generation: 1, frame: 5, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 2, record: 0 },
};

/** Sentences of the claims: the same in both eras, the expectation differs. */
export const REACHES_NO_PROCESS = 'a bus address that the user half returns leads to no other process';
export const REACHES_NO_KERNEL = 'a bus address that the user half returns does not lead to the kernel';
export const LOSES_OLD_BUFFERS = 'a buffer that the driver gave back is out of its device\u2019s reach';
export const OWN_INTERRUPTS = 'the device sends its own interrupts only';
export const MAPS_OWN_FOR_PROCESSES = 'what the kernel half maps for its device is no other process\u2019s';
export const FREES_IN_USE = 'what the kernel half frees is out of its device\u2019s reach';
export const OWN_WINDOW = 'the user half moves no window of its device';
export const MAPS_OWN_FOR_KERNEL = 'what the kernel half maps for its device is not the kernel\u2019s';

const ASSUMPTIONS = [
  'trusted: the kernel\u2019s mapping interface, and the kernel half, where a claim does not say otherwise',
  'trusted: the kernel half unmaps what it gives back; a mapping keeps its page alive',
  'scoped: one device, one page of its address space, two requests in flight',
];

export const dmaThen = suite('microdrivers-dma-then', {
  title: 'the device of a microdriver, on a machine without IOMMU',
  machine: dmaThenMachine,
  scope,
  gatesOff: HARDWARE_OF_TODAY,
  claims: [
    claim(REACHES_NO_PROCESS, { keeps: [othersOutOfReach], against: ['F2'], without: [], expects: 'not contained' }),
    claim(REACHES_NO_KERNEL, { keeps: [kernelOutOfReach], against: ['F2'], without: [], expects: 'not contained' }),
    claim(LOSES_OLD_BUFFERS, { keeps: [othersOutOfReach], against: ['F3'], without: [], expects: 'not contained' }),
    claim(OWN_INTERRUPTS, { keeps: [noForgedInterrupt], against: ['F8'], without: [], expects: 'not contained' }),
    claim(FREES_IN_USE, { keeps: [kernelOutOfReach], against: ['F4'], without: [], expects: 'not contained' }),
    claim(OWN_WINDOW, { keeps: [windowInPlace], against: ['F13'], without: [], expects: 'not contained' }),
  ],
  assumptions: ASSUMPTIONS,
});

export const dmaNow = suite('microdrivers-dma-now', {
  title: 'the device of a microdriver, behind an IOMMU with remapped interrupts',
  machine: dmaMachine,
  failures: 'any',
  scope,
  claims: [
    claim(REACHES_NO_PROCESS, {
      keeps: [othersOutOfReach, dmaReach],
      against: ['F2'],
      without: [{ off: dmaRemapping, breaks: othersOutOfReach }],
    }),
    claim(REACHES_NO_KERNEL, {
      keeps: [kernelOutOfReach],
      against: ['F2'],
      without: [{ off: dmaRemapping, breaks: kernelOutOfReach }],
    }),
    claim(LOSES_OLD_BUFFERS, {
      keeps: [othersOutOfReach],
      against: ['F3'],
      without: [
        { off: iotlbInvalidation, breaks: othersOutOfReach },
        { off: strictInvalidation, breaks: othersOutOfReach },
        { off: unmapKeepsIotlb, breaks: othersOutOfReach },
      ],
    }),
    claim(OWN_INTERRUPTS, {
      keeps: [noForgedInterrupt],
      against: ['F8'],
      without: [{ off: interruptRemapping, breaks: noForgedInterrupt }],
    }),
  ],
  assumptions: ASSUMPTIONS,
});

export const kernelDmaNow = suite('microdrivers-kernel-dma', {
  title:
    'what an IOMMU does not check: what the kernel half maps and frees, what the user half has written to configuration space',
  machine: kernelDmaMachine,
  scope,
  claims: [
    claim(MAPS_OWN_FOR_PROCESSES, {
      keeps: [othersOutOfReach],
      against: ['F2'],
      without: [],
      expects: 'not contained',
    }),
    claim(MAPS_OWN_FOR_KERNEL, { keeps: [kernelOutOfReach], against: ['F2'], without: [], expects: 'not contained' }),
    claim(FREES_IN_USE, { keeps: [kernelOutOfReach], against: ['F4'], without: [], expects: 'not contained' }),
    claim(OWN_WINDOW, { keeps: [windowInPlace], against: ['F13'], without: [], expects: 'not contained' }),
  ],
  assumptions: ASSUMPTIONS,
});
