/**
 * Architecture 1: the Safe Hardware Interface of Xen 2.0 (Fraser et al., OASIS 2004). Suites for the hardware of its time and for
 * today's, the cells of the matrix, and the figures that the authors published.
 *
 * This is the reading as claimed. The code as published, with its gaps, is in safeHardwarePublished.ts.
 */
import { type Architecture, architecture, type Cell, type Claimed, type Era, type MatrixRow } from './architecture.js';
import { blockDistrustSuite, blockHostileSuite, blockRecoverySuite, blockSays } from './safeHardwareBlock.js';
import { channelSays, channelSuite } from './safeHardwareChannel.js';
import { channelStepSays, channelStepsSuite } from './safeHardwareChannelSteps.js';
import { controlSays, controlStepsSuite, controlSuite } from './safeHardwareControl.js';
import { batchSuites } from './safeHardwareFast.js';
import { netGuests, netRxNow, netRxThen, netTxNow, netTxThen, says } from './safeHardwareNet.js';
import { netStrangersNow, netStrangersReceive, netStrangersSay, netStrangersThen } from './safeHardwareNetStrangers.js';
import {
  eventsSuite,
  iommuSuite,
  ioSuite,
  linesSuite,
  memorySuite,
  messagesNow,
  messagesThen,
  partSays,
} from './safeHardwareParts.js';
import { stepSays, stepsBoth, stepsNow, stepsThen } from './safeHardwareSteps.js';
import { STRANGERS_SAY, strangersSuite } from './safeHardwareStrangers.js';

/** Suites that no hardware of either era takes part in: one run speaks for both. */
const both = [
  memorySuite,
  ioSuite,
  linesSuite,
  eventsSuite,
  channelSuite,
  netGuests,
  ...batchSuites,
  blockRecoverySuite,
  blockHostileSuite,
  blockDistrustSuite,
  ...stepsBoth,
  channelStepsSuite,
  controlSuite,
  controlStepsSuite,
  strangersSuite,
  netStrangersReceive,
];

/** What a row says in both eras. */
function cells(
  row: MatrixRow,
  claimed: Claimed,
  claims: readonly string[],
  note: string,
  more: { readonly inferred?: boolean; readonly now?: readonly string[]; readonly noteNow?: string } = {},
): Cell[] {
  const cell = (era: Era, of: readonly string[], text: string): Cell => ({
    row,
    era,
    claimed,
    ...(more.inferred && { inferred: true }),
    claims: of,
    note: text,
  });
  return [cell('then', claims, note), cell('now', more.now ?? claims, more.noteNow ?? note)];
}

const NO_IOMMU = 'no IOMMU on the machines of 2004: a driver domain reaches every machine frame through its card';
const IOMMU_NOW =
  'the paper claims nothing here; with a per-device IOMMU that holds what the driver domain owns or has mapped, it is contained';

export const safeHardware: Architecture = architecture({
  id: 'safe-hardware',
  title: 'Safe Hardware Interface (Xen 2.0)',
  source: 'Fraser, Hand, Neugebauer, Pratt, Warfield, Williamson: Safe Hardware Access with the Xen VMM, OASIS 2004',
  suites: {
    then: [netTxThen, netRxThen, ...stepsThen, netStrangersThen, messagesThen, ...both],
    now: [netTxNow, netRxNow, ...stepsNow, netStrangersNow, messagesNow, iommuSuite, ...both],
  },
  cells: [
    ...cells('wild-write-inside', 'C', [partSays.inside], 'the driver domain dies, and nobody else notices'),
    ...cells(
      'wild-write-outside',
      'C',
      [partSays.outside, says.mapped, partSays.io, channelSays.ring, says.flip, netStrangersSay.stores],
      'by the processor; holds only where the backend is not privileged (GAP-X1) and register pages are not shared (GAP-X3)',
    ),
    ...cells('dma-other-domain', 'N', [says.dmaOthers, says.flipDma, netStrangersSay.dma], NO_IOMMU, {
      inferred: true,
      now: [says.dmaOthers, says.flipDma, netStrangersSay.dma, partSays.iommu],
      noteNow: IOMMU_NOW,
    }),
    ...cells('dma-vmm', 'N', [says.dmaVmm, says.flipVmm], NO_IOMMU, {
      inferred: true,
      now: [says.dmaVmm, says.flipVmm, partSays.iommu],
      noteNow: IOMMU_NOW,
    }),
    ...cells(
      'dma-stale',
      'N',
      [says.dmaStale, says.flipStale],
      'unmapping and flushing concern the processor: the card keeps the address that it was told',
      {
        inferred: true,
        now: [says.dmaStale, says.flipStale, partSays.iommu],
        noteNow:
          'contained if unmap and page flip invalidate the IOTLB and drain before the response; each packet pays for it',
      },
    ),
    ...cells('interrupt-spoofing', 'N', [partSays.message], 'no interrupt remapping: a DMA write is an interrupt', {
      inferred: true,
      noteNow: 'the paper says nothing of messages; with interrupt remapping and source verification it is contained',
    }),
    ...cells(
      'interrupt-storm',
      'P',
      [partSays.storm, partSays.lines, partSays.hungSharer],
      'a storm costs one interrupt a notification; but a sharer that hangs keeps a shared line masked for the others until it is ended',
    ),
    ...cells(
      'driver-crash',
      'C',
      [
        says.crash,
        says.rxCrash,
        blockSays.once,
        blockSays.owner,
        channelSays.returns,
        partSays.oneHolder,
        controlSays.lives,
        controlSays.steps,
        controlSays.returns,
        ...Object.values(stepSays),
        ...Object.values(channelStepSays),
        STRANGERS_SAY,
        netStrangersSay.failures,
        netStrangersSay.frames,
      ],
      'needs that the card is quiesced before memory is taken back, and that guests are told last: the code of 2004 has neither (GAP-X4)',
    ),
    ...cells(
      'driver-hang',
      'P',
      [
        says.hang,
        channelSays.reuse,
        blockSays.once,
        partSays.wedge,
        controlSays.steps,
        controlSays.returns,
        ...Object.values(stepSays),
        ...Object.values(channelStepSays),
        STRANGERS_SAY,
        netStrangersSay.failures,
        netStrangersSay.frames,
        says.hangUnaided,
        channelSays.unaided,
      ],
      'contained by the controller’s time-out alone, which may be wrong: so it destroys before it restarts. Without it requests wait for ever',
      { inferred: true },
    ),
    ...cells(
      'malformed-descriptor',
      'C',
      [
        says.malformed,
        blockSays.malformed,
        blockSays.distrust,
        channelSays.late,
        partSays.events,
        controlSays.indices,
        controlSays.lengths,
        controlSays.once,
        controlSays.events,
      ],
      'backends check what guests write; that guests check what backends answer is this reading, not the code (GAP-X6)',
    ),
    ...cells(
      'double-fetch',
      'P',
      [says.doubleFetch, blockSays.inPlace, controlSays.copied],
      'found contained in this reading, in which block copies as net does; the code of 2004 reads block requests in place (GAP-X5)',
      { inferred: true },
    ),
    ...cells(
      'exhaustion',
      'P',
      [says.exhaustion, says.share, says.wake, blockSays.kept, says.hangUnaided],
      'rings, pools, quotas and drops bound what one client takes from another; a driver denies service to its own clients',
    ),
  ],
  figures: [
    { what: 'slots of the block ring, segments a request', value: '64, 11', source: 'Xen 2.0 public/io/blkif.h' },
    { what: 'slots of the net rings', value: '256', source: 'Xen 2.0 public/io/netif.h' },
    { what: 'control messages', value: '8 slots of 64 bytes', source: 'Xen 2.0 public/io/domain_controller.h' },
    { what: 'sharers of an interrupt line', value: 'at most 7', source: 'Xen 2.0 xen/arch/x86/irq.c' },
    {
      what: 'NIC driver failures from which a warm spare pair recovers',
      value: 'most in less than 10 ms',
      source: 'HPL-2009-115, abstract',
    },
  ],
});
