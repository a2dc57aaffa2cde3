/**
 * Architecture 5: LeVasseur et al., unmodified device driver reuse (OSDI 2004; PhD thesis 2009). Drivers stay in their operating system,
 * which runs in a virtual machine beside its clients; a resource monitor hands out memory and devices, and an IO-MMU with one table is
 * taken in turns.
 */
import { architecture, type Cell, type Era } from './architecture.js';
import { CHANNEL_SAYS, channelSuite, interruptSuite, publishedChannel, receiveSuite } from './driverReuse/channel.js';
import { MUX_RESTART_SAYS, SAYS } from './driverReuse/claims.js';
import { busSuite, commandSuite, INNER_SAYS } from './driverReuse/inner.js';
import { LINE_SAYS, lineSuite } from './driverReuse/lines.js';
import { bareSuite, muxSuite, publishedMux } from './driverReuse/memory.js';
import { muxRestartSuite, muxStepsSuite } from './driverReuse/muxRestart.js';
import { perDeviceSuite } from './driverReuse/perDevice.js';
import {
  publishedDetach,
  RESTART_SAYS,
  restartSuite,
  restartsSuite,
  strangersSuite,
  unwatchedSuite,
} from './driverReuse/restart.js';

export { costRuns } from './driverReuse/costs.js';

/** Cells that no IO-MMU and no interrupt hardware changes. */
const ofVirtualMachines = (era: Era): Cell[] => [
  {
    row: 'wild-write-inside',
    era,
    claimed: 'C',
    claims: [SAYS.inside],
    note: 'the virtual machine suffers, nobody else',
  },
  { row: 'wild-write-outside', era, claimed: 'C', claims: [SAYS.outside], note: 'the virtual machine’s page tables' },
  {
    row: 'interrupt-storm',
    era,
    claimed: 'P',
    inferred: true,
    claims: [CHANNEL_SAYS.storm],
    note: 'contained where lines are not shared and interrupt threads are scheduled like others; what masking costs the hypervisor is not counted',
  },
  {
    row: 'driver-crash',
    era,
    claimed: 'C',
    claims: [
      RESTART_SAYS.owner,
      RESTART_SAYS.requests,
      RESTART_SAYS.returns,
      RESTART_SAYS.detach,
      RESTART_SAYS.restarts,
      RESTART_SAYS.steps,
      RESTART_SAYS.strangers,
      LINE_SAYS.dead,
      ...(era === 'then' ? Object.values(MUX_RESTART_SAYS) : []),
    ],
    note: 'with the drain before memory is taken back, also where one table is taken in turns; the published detach does not wait (GAP-V4)',
  },
  {
    row: 'driver-hang',
    era,
    claimed: 'P',
    inferred: true,
    claims: [
      RESTART_SAYS.hang,
      ...(era === 'then' ? [MUX_RESTART_SAYS.returns, MUX_RESTART_SAYS.turns] : []),
      RESTART_SAYS.strangers,
      RESTART_SAYS.unwatched,
      LINE_SAYS.handled,
      INNER_SAYS.calls,
      INNER_SAYS.callsUnaided,
    ],
    note: 'clients wait until somebody stops the DD/OS; then it is as a crash, even if it only seemed to hang',
  },
  {
    row: 'malformed-descriptor',
    era,
    claimed: 'P',
    claims: [CHANNEL_SAYS.malformed, CHANNEL_SAYS.answers, CHANNEL_SAYS.copies, CHANNEL_SAYS.unchecked],
    note: 'as designed contained; the published server checks owner and connection, and not the address (GAP-V3)',
  },
  {
    row: 'double-fetch',
    era,
    claimed: 'N',
    inferred: true,
    claims: [CHANNEL_SAYS.inPlace],
    note: 'ownership bits are a convention in shared memory; a server that copies the slot once is contained (driver-reuse-channel)',
  },
  {
    row: 'exhaustion',
    era,
    claimed: 'P',
    inferred: true,
    claims: [CHANNEL_SAYS.share, CHANNEL_SAYS.packets, INNER_SAYS.commands, CHANNEL_SAYS.sharedPage],
    note: 'fixed rings, shares and drops contain it; one status page for all clients (GAP-V2) lets a client put the server to sleep beside the others',
  },
];

const WITH_AND_WITHOUT = 'partly: contained with the time-multiplexed IO-MMU, not without one';

const then: Cell[] = [
  ...ofVirtualMachines('then'),
  {
    row: 'dma-other-domain',
    era: 'then',
    claimed: 'I',
    inferred: true,
    claims: [SAYS.others, SAYS.switched, SAYS.config, SAYS.turns, SAYS.bareOthers, SAYS.publishedFault],
    note: `${WITH_AND_WITHOUT}; the published fault handler maps what the device asked for (GAP-V6)`,
  },
  {
    row: 'dma-vmm',
    era: 'then',
    claimed: 'I',
    inferred: true,
    claims: [SAYS.vmm, SAYS.config, SAYS.bareVmm, SAYS.publishedFaultVmm],
    note: `${WITH_AND_WITHOUT}; and only where all memory lies below the aperture (GAP-V9)`,
  },
  {
    row: 'dma-stale',
    era: 'then',
    claimed: 'I',
    inferred: true,
    claims: [
      SAYS.stale,
      SAYS.switched,
      MUX_RESTART_SAYS.reused,
      SAYS.bareStale,
      SAYS.publishedUnmap,
      SAYS.publishedSwitch,
    ],
    note: `${WITH_AND_WITHOUT}; the published code has neither the drain (GAP-V5) nor the hook on unmap (GAP-V7)`,
  },
  {
    row: 'interrupt-spoofing',
    era: 'then',
    claimed: 'N',
    inferred: true,
    claims: [SAYS.vector],
    note: 'the interrupt window lies above the aperture, and nothing looks at where a message comes from',
  },
];

const now: Cell[] = [
  ...ofVirtualMachines('now'),
  {
    row: 'dma-other-domain',
    era: 'now',
    claimed: 'I',
    inferred: true,
    claims: [SAYS.others, SAYS.peers],
    note: 'a table for each device, and ACS between them: nothing is multiplexed',
  },
  {
    row: 'dma-vmm',
    era: 'now',
    claimed: 'I',
    inferred: true,
    claims: [SAYS.vmm],
    note: 'tables cover the whole address space, and there is no aperture to lie above',
  },
  {
    row: 'dma-stale',
    era: 'now',
    claimed: 'I',
    inferred: true,
    claims: [SAYS.stale],
    note: 'with strict invalidation of IOTLB and device caches, and a wait that drains',
  },
  {
    row: 'interrupt-spoofing',
    era: 'now',
    claimed: 'N',
    inferred: true,
    claims: [SAYS.vector],
    note: 'claimed for hardware without interrupt remapping: remapping makes the difference',
  },
];

const ofBoth = [
  channelSuite,
  publishedChannel,
  receiveSuite,
  interruptSuite,
  lineSuite,
  commandSuite,
  busSuite,
  restartSuite,
  restartsSuite,
  unwatchedSuite,
  publishedDetach,
  strangersSuite,
];

export const driverReuse = architecture({
  id: 'driver-reuse',
  title: 'Driver reuse in virtual machines',
  source:
    'LeVasseur et al., Unmodified device driver reuse and improved system dependability via virtual machines (OSDI 2004)',
  suites: {
    then: [muxSuite, muxRestartSuite, muxStepsSuite, bareSuite, publishedMux, ...ofBoth],
    now: [perDeviceSuite, ...ofBoth],
  },
  cells: [...then, ...now],
  figures: [
    { what: 'network performance below native Linux', value: '3 to 8 %', source: 'OSDI 2004, abstract' },
    { what: 'processor time for each further virtual machine', value: '0.12 %', source: 'OSDI 2004, abstract' },
    { what: 'TTCP throughput loss, Pentium 4 2.8 GHz with 82540', value: '2.5 %', source: 'l4ka.org project page' },
    { what: 'PostMark over NFS, mean', value: '343.4 s (sd 2.4 %)', source: 'l4ka.org project page' },
  ],
});
