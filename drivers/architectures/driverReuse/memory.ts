/** Memory of the driver-reuse architecture with the time-multiplexed IO-MMU of its time, without any, and as the patches were published. */
import { muxFaults } from '../../../faults/architectures/driverReuse/mux.js';
import {
  aboveAperture,
  faultMaps,
  lateInvalidation,
  loanWithoutEntry,
  mastersFirst,
  neverUnpinned,
  noDrain,
  noUnmapHook,
  openAttach,
  openNorthbridge,
  pageWithoutEntry,
  unattachedDevice,
  uncheckedRequest,
  unpinnedLoan,
  vmmAboveAperture,
} from '../../../faults/architectures/driverReuse/muxMutants.js';
import { mapsOnDma } from '../../../faults/architectures/fastpath.js';
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
import { domains } from '../../../model/domains.js';
import { frames } from '../../../model/frames.js';
import { interruptRemapping } from '../../../model/iommu/index.js';
import { flag, type MachineDef, module } from '../../../model/kernel/index.js';
import {
  ddCurrent,
  ddDrained,
  ddInterface,
  ddLate,
  ddMaster,
  ddMemory,
  ddOthers,
  ddPinned,
  ddStale,
  ddStores,
  ddTable,
  ddTurns,
  ddVector,
  ddVmm,
} from '../../../properties/architectures/driverReuse/mux.js';
import { muxFrugal } from '../../../properties/architectures/fastpath.js';
import { claim, suite } from '../../suite.js';
import { open, SAYS } from './claims.js';

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
        { off: gartInvalidation, breaks: ddCurrent, scope: muxScope },
        { off: clientPageCheck, breaks: ddOthers, scope: muxScope },
        { off: lateInvalidation, breaks: ddCurrent, scope: muxScope },
        { off: uncheckedRequest, breaks: ddOthers, scope: muxScope },
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
      against: ['F2', 'F3', 'F4'],
      without: [
        { off: unmapHook, breaks: ddStale },
        { off: drainBeforeUnpin, breaks: ddStale },
        { off: pins, breaks: ddPinned },
        { off: noUnmapHook, breaks: ddStale },
        { off: unpinnedLoan, breaks: ddPinned },
      ],
    }),
    claim(SAYS.table, {
      keeps: [ddTable],
      against: ['F2', 'F4', 'F5'],
      without: [
        { off: loanWithoutEntry, breaks: ddTable, scope: muxScope },
        { off: pageWithoutEntry, breaks: ddTable, scope: muxScope },
        { off: neverUnpinned, breaks: ddTable, scope: muxScope },
        { off: noUnmapHook, breaks: ddTable, scope: muxScope },
        { off: clientPageCheck, breaks: ddTable, scope: muxScope },
      ],
    }),
    claim(SAYS.switched, {
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
    claim('a DMA does no work on the table, which is filled at page faults', {
      keeps: [muxFrugal],
      against: ['F2', 'F3'],
      without: [{ off: mapsOnDma, breaks: muxFrugal, scope: muxScope }],
    }),
    claim(SAYS.config, {
      keeps: [ddInterface],
      against: ['F13'],
      without: [
        { off: configurationFilter, breaks: ddInterface },
        { off: attachPrivilege, breaks: ddInterface },
        { off: openAttach, breaks: ddInterface },
        { off: openNorthbridge, breaks: ddMaster },
      ],
    }),
    claim(SAYS.turns, {
      keeps: [...ddTurns],
      against: ['F11'],
      without: [{ off: drainTimeout, breaks: ddTurns[1], scope: muxScope }],
    }),
    open(SAYS.vector, ddVector, ['F8']),
  ],
  assumptions: [
    'bus addresses are guest-physical, and one bit an entry stands for them: offset 0, read and write alike (a GART has no read-only entry)',
    'ranges that the firmware reserves are mapped identically in every space on real machines; here there are none',
    'hypervisor operations do not interleave with one another (one processor), but with devices, caches and DD/OSes at every step',
    'a device that does not complete can be reset',
    'no DD/OS dies here: see driver-reuse-mux-restart',
  ],
});

/** The same machine without an IO-MMU: what the paper says of it, found. */
export const bareSuite = suite('driver-reuse-bare', {
  title: 'the same two driver operating systems on hardware without an IO-MMU',
  machine: muxMachine,
  schedule: 'split',
  gatesOff: [ioMmu, interruptRemapping],
  scope: { small: muxScope, default: muxScope, large: { ...muxScope, dma: 2 } },
  claims: [
    open(SAYS.bareOthers, ddOthers, ['F2']),
    open(SAYS.bareVmm, ddVmm, ['F2']),
    open(SAYS.bareStale, ddLate, ['F3']),
  ],
  assumptions: ['as driver-reuse-mux'],
});

/** The same machine with the IO-MMU as the patches left it. */
export const publishedMux = suite('driver-reuse-published-mux', {
  title: 'the time-multiplexed IO-MMU as its patches were published: GAP-V5 to GAP-V8',
  machine: muxMachine,
  schedule: 'split',
  gatesOff: [interruptRemapping],
  edits: [...noDrain.edits, ...faultMaps.edits, ...noUnmapHook.edits, ...openNorthbridge.edits, ...openAttach.edits],
  scope: { small: muxScope, default: muxScope, large: { ...muxScope, dma: 2 } },
  claims: [
    open(SAYS.publishedSwitch, ddDrained, []),
    open(SAYS.publishedFault, ddOthers, ['F2']),
    open(SAYS.publishedFaultVmm, ddVmm, ['F2']),
    open(SAYS.publishedUnmap, ddLate, ['F3']),
    open(SAYS.publishedConfiguration, ddMaster, ['F13']),
  ],
  assumptions: ['the patches as published; else as driver-reuse-mux'],
});
