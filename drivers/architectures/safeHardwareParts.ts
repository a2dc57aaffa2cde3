/**
 * Suites of the Safe Hardware Interface that are put together from the parts of the model: memory, I/O space, interrupt lines, messages,
 * the IOMMU of today, event channels. None but the last two and messages depends on the hardware of an era.
 */
import { closeLeavesPeer, eventFaults } from '../../faults/events.js';
import {
  boundTwice,
  bytesNotElements,
  lineFaults,
  messageFaults,
  notifyForAll,
  sharedAnyway,
  xsa49,
} from '../../faults/interrupts.js';
import {
  doubleAssignment,
  ioFaults,
  pageGranular,
  revokeKeepsIrq,
  revokeKeepsMapping,
  revokeWithoutQuiesce,
  sizingWrittenThrough,
} from '../../faults/io.js';
import { memoryFaults, teardownOfOthers, translation } from '../../faults/memory.js';
import { type Memory, mappings, processors } from '../../model/access.js';
import { crashDomain, destroyDomain, domains, releaseDomain } from '../../model/domains.js';
import { eventChannels } from '../../model/eventBinding.js';
import { privateSharedInfo } from '../../model/eventChannels.js';
import { flushOnFreeing, frames, relinquishFrame, TYPE_VMM } from '../../model/frames.js';
import { linePermission, managerTimeOut, maskingUntilNotify } from '../../model/interruptLines.js';
import { interruptMachine } from '../../model/interrupts.js';
import { ioSpace, revokeDevice } from '../../model/ioAssignment.js';
import { dmaRemapping, drainOnWait, iotlbInvalidation, translatedRefused } from '../../model/iommu/index.js';
import { configFilter, configOwnership, portBitmap, registerMmu } from '../../model/ioSpace.js';
import { drop, module } from '../../model/kernel/index.js';
import {
  interruptRemapping,
  type MessageInterrupts,
  messageMachine,
  sourceVerification,
} from '../../model/messageInterrupts.js';
import { validation } from '../../model/mmu.js';
import {
  channelsSymmetric,
  domainUnnoticed,
  ioCommands,
  ioConfiguration,
  ioOneHolder,
  ioReach,
  ioReleased,
  ioRevoked,
  ioWindows,
  lineCounted,
  lineOnce,
  lineReturns,
  lineReturnsUnaided,
  lineSignalled,
  signalsConsented,
  storesUnnoticed,
} from '../../properties/architectures/safeHardware.js';
import { lineGiven, messageSource } from '../../properties/interrupts.js';
import { dmaReach, dmaRevoke } from '../../properties/iommu.js';
import { intactContent, reachOwn } from '../../properties/memory.js';
import { claim, mutant, type Suite, suite } from '../suite.js';
import { iommuMachine } from '../suites/iommuMachines.js';
import type { Era } from './architecture.js';

/** Sentences of the claims. */
export const partSays = {
  inside: 'what a driver domain writes, and that it dies, is noticed by no domain that it shares nothing with',
  outside: 'a driver domain reaches its own memory only, and writes nobody else’s',
  io: 'ports, registers and configuration space of a device are reached by its holder only',
  oneHolder: 'a device has one holder, and leaves a dead one',
  lines: 'a line signals those who have bound it, and is masked while one of them holds it',
  storm: 'a storm interrupts once for each notification',
  wedge: 'a sharer that dies, or hangs until the controller ends it, does not keep the line from the others',
  hungSharer: 'a hung sharer does not keep a line from the others although nobody ends it',
  message: 'a device raises no interrupt but its own',
  iommu: 'with an IOMMU a device reaches only memory of its own domain, and none that was taken from it',
  events: 'a channel links two domains that agreed, and only these two signal by it',
} as const;

/** Frame 0 is the guest's (domain 1), frame 1 the driver domain's (domain 2), frame 2 the VMM's; the guest has a secret. */
const memoryStart = module<Memory, Record<never, never>>('a guest and a driver domain', {
  tables: {},
  operations: [],
  initial: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (f >= 2) {
        m.frame.type[f] = TYPE_VMM;
        continue;
      }
      m.frame.owner[f] = f + 1;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
      if (f === 1) continue;
      for (let half = 0; half < 2; half++) {
        m.content.writer[2 * f + half] = f + 1;
        m.content.secret[2 * f + half] = f + 1;
      }
    }
  },
});

export const memorySuite = suite('safe-hardware-memory', {
  title: 'Safe Hardware Interface: a driver domain that writes wildly and dies beside a guest',
  machine: {
    name: 'driver domain and guest',
    modules: [
      { ...domains, operations: [crashDomain, destroyDomain, releaseDomain] },
      { ...frames, operations: [relinquishFrame] },
      processors,
      mappings,
      memoryFaults,
      memoryStart,
    ],
  },
  scope: {
    small: { domain: 3, frame: 2, vcpu: 3, generation: 1 },
    default: { domain: 3, frame: 3, vcpu: 3, generation: 1 },
    large: { domain: 3, frame: 3, vcpu: 3, generation: 2 },
  },
  claims: [
    claim(partSays.inside, {
      keeps: [storesUnnoticed, domainUnnoticed],
      against: ['F1', 'F10'],
      without: [
        { off: translation, breaks: storesUnnoticed },
        { off: teardownOfOthers, breaks: domainUnnoticed },
      ],
    }),
    claim(partSays.outside, {
      keeps: [reachOwn, intactContent],
      against: ['F1', 'F4', 'F10'],
      without: [
        { off: translation, breaks: intactContent },
        { off: validation, breaks: reachOwn },
        { off: flushOnFreeing, breaks: reachOwn },
      ],
    }),
  ],
  assumptions: [
    'page tables have one level, memory holds labels for each half of a frame',
    'memory is not allocated anew: what one returns another may get',
  ],
});

/** GAP-X4, where devices are given: 7.3 has it as part of number 12. */
export const notRevocable = mutant('GAP-X4 devices', {
  says: 'revoking a device is not implemented: what a dead domain had stays with its id',
  source: 'Xen 2.0 xen/common/physdev.c',
  edits: [drop(revokeDevice)],
});

export const ioSuite = suite('safe-hardware-io', {
  title: 'Safe Hardware Interface: I/O space of driver domains that access wildly and die',
  machine: {
    name: 'I/O space of driver domains',
    modules: [domains, ioSpace, module('attacks on I/O space', { tables: {}, operations: ioFaults })],
  },
  scope: {
    small: { domain: 3, generation: 1, device: 2, 'register page': 2, window: 4 },
    default: { domain: 3, generation: 1, device: 2, 'register page': 2, window: 4 },
    large: { domain: 3, generation: 2, device: 2, 'register page': 2, window: 4 },
  },
  claims: [
    claim(partSays.io, {
      keeps: [ioReach, ioCommands, ioWindows, ioConfiguration],
      against: ['F1', 'F10', 'F13'],
      without: [
        { off: portBitmap, breaks: ioCommands },
        { off: registerMmu, breaks: ioCommands },
        { off: pageGranular, breaks: ioReach },
        { off: revokeKeepsMapping, breaks: ioReach },
        { off: configFilter, breaks: ioWindows },
        { off: sizingWrittenThrough, breaks: ioWindows },
        { off: configOwnership, breaks: ioConfiguration },
      ],
    }),
    claim(partSays.oneHolder, {
      keeps: [ioOneHolder, ioRevoked, ioReleased],
      against: ['F10'],
      without: [
        { off: doubleAssignment, breaks: ioOneHolder },
        { off: revokeKeepsIrq, breaks: ioRevoked },
        { off: revokeWithoutQuiesce, breaks: ioRevoked },
        { off: notRevocable, breaks: ioReleased },
      ],
    }),
  ],
  assumptions: [
    'DMA is only issued and completed here; where it goes is in the suites of the net channel and of the IOMMU',
  ],
});

/** What the compaction of the sharers needs: one that leaves, and two behind it. */
const THREE_SHARERS = { domain: 3, generation: 1, port: 2, word: 1, line: 1, sharer: 3 };
const TWO_SHARERS = { ...THREE_SHARERS, domain: 2, sharer: 2 };
const TWO_PORTS = { domain: 2, generation: 1, port: 3, word: 1, line: 1, sharer: 2 };

export const linesSuite = suite('safe-hardware-lines', {
  title: 'Safe Hardware Interface: driver domains that share an interrupt line, storm, hang and die',
  machine: {
    ...interruptMachine,
    modules: [...interruptMachine.modules, module('attacks by lines', { tables: {}, operations: lineFaults })],
  },
  scope: { small: TWO_SHARERS, default: TWO_SHARERS, large: THREE_SHARERS },
  claims: [
    claim(partSays.lines, {
      keeps: [lineCounted, lineSignalled, lineGiven],
      against: ['F9', 'F10'],
      without: [
        { off: bytesNotElements, breaks: lineSignalled, scope: THREE_SHARERS },
        { off: boundTwice, breaks: lineSignalled, scope: TWO_PORTS },
        { off: notifyForAll, breaks: lineCounted },
        { off: linePermission, breaks: lineGiven },
        { off: sharedAnyway, breaks: lineGiven },
      ],
    }),
    claim(partSays.storm, {
      keeps: [lineOnce],
      against: ['F9'],
      without: [{ off: maskingUntilNotify, breaks: lineOnce }],
    }),
    claim(partSays.wedge, {
      keeps: [lineReturns],
      against: ['F10', 'F11'],
      without: [{ off: managerTimeOut, breaks: lineReturns }],
    }),
    claim(partSays.hungSharer, {
      keeps: [lineReturnsUnaided],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: ['acknowledging, masking and signalling a line is one step of the VMM'],
});

/** Whether the hardware can remap is a matter of the era, not of the run. */
const canRemap = module<MessageInterrupts, Record<never, never>>('remapping hardware', {
  tables: {},
  operations: [],
  initial: (m) => {
    m.remapping.present[0] = 1;
  },
});

function messages(era: Era): Suite {
  const now = era === 'now';
  return suite(`safe-hardware-msi-${era}`, {
    title: `Safe Hardware Interface: interrupts written by DMA, ${now ? 'with' : 'without'} interrupt remapping`,
    machine: {
      ...messageMachine,
      modules: [
        ...messageMachine.modules,
        canRemap,
        module('attacks by messages', { tables: {}, operations: messageFaults }),
      ],
    },
    gatesOff: now ? [] : [interruptRemapping],
    scope: {
      small: { domain: 2, generation: 1, device: 2, vector: 3, entry: 2 },
      default: { domain: 3, generation: 1, device: 2, vector: 3, entry: 2 },
      large: { domain: 3, generation: 2, device: 2, vector: 3, entry: 2 },
    },
    claims: [
      claim(partSays.message, {
        keeps: [messageSource],
        against: ['F8'],
        without: now
          ? [
              { off: interruptRemapping, breaks: messageSource },
              { off: sourceVerification, breaks: messageSource },
              { off: xsa49, breaks: messageSource },
            ]
          : [],
        expects: now ? 'contained' : 'not contained',
      }),
    ],
    assumptions: ['a device that was given an interrupt is the only one with its requester id'],
  });
}

export const messagesThen = messages('then');
export const messagesNow = messages('now');

export const iommuSuite = suite('safe-hardware-iommu', {
  title: 'Safe Hardware Interface on today’s hardware: a hostile device behind an IOMMU, from power-on',
  machine: iommuMachine,
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
    default: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 1, frame: 4, device: 2, ats: 0, iova: 1, did: 2, queue: 3, dma: 1, record: 0 },
  },
  claims: [
    claim(partSays.iommu, {
      keeps: [dmaReach, dmaRevoke],
      against: ['F2', 'F3', 'F10'],
      without: [
        { off: dmaRemapping, breaks: dmaReach },
        { off: translatedRefused, breaks: dmaReach },
        { off: iotlbInvalidation, breaks: dmaRevoke },
        { off: drainOnWait, breaks: dmaReach },
      ],
    }),
  ],
  assumptions: ['the IOMMU is the abstract one of model/iommu; the bit level of VT-d refines it'],
});

export const eventsSuite = suite('safe-hardware-events', {
  title: 'Safe Hardware Interface: event channels, with forged signals and domains that die',
  machine: {
    name: 'event channels of driver domains',
    modules: [domains, eventChannels, module('attacks on event channels', { tables: {}, operations: eventFaults })],
  },
  scope: {
    small: { domain: 2, generation: 1, port: 2, word: 1 },
    default: { domain: 2, generation: 2, port: 2, word: 1 },
    large: { domain: 2, generation: 2, port: 3, word: 1 },
  },
  claims: [
    claim(partSays.events, {
      keeps: [channelsSymmetric, signalsConsented],
      against: ['F7', 'F10'],
      without: [
        { off: privateSharedInfo, breaks: signalsConsented },
        { off: closeLeavesPeer, breaks: channelsSymmetric },
      ],
    }),
  ],
  assumptions: ['one vCPU a domain takes its events'],
});
