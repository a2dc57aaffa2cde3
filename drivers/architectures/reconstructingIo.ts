/**
 * "Reconstructing I/O" (Fraser, Hand, Neugebauer, Pratt, Warfield, Williamson; UCAM-CL-TR-596, 2004): the suites of both eras, and the
 * cells of the matrix. The paper's claim on DMA is conditional on an IOMMU, which the machines of its year did not have.
 */
import { type Architecture, architecture, type Cell, type Claimed, type Era, type MatrixRow } from './architecture.js';
import { callsNow, callsThen } from './reconstructingIoCalls.js';
import { CLASS_SAYS, classSuite } from './reconstructingIoClass.js';
import { devicesNow, devicesThen, SAYS } from './reconstructingIoDevices.js';
import { channelSuite, distrustSuite, linesNow, linesThen, PART_SAYS } from './reconstructingIoParts.js';
import {
  censusNow,
  censusThen,
  limits,
  restartsNow,
  restartsThen,
  stepsNow,
  stepsThen,
  strangers,
} from './reconstructingIoRestarts.js';

/** The cells of a row: the same in both eras, but for what `now` says. */
function cells(
  row: MatrixRow,
  claimed: Claimed,
  inferred: boolean,
  claims: readonly string[],
  note: string,
  now: { readonly claims?: readonly string[]; readonly note?: string } = {},
): Cell[] {
  const cell = (era: Era, of: readonly string[], text: string): Cell => ({
    row,
    era,
    claimed,
    inferred,
    claims: of,
    note: text,
  });
  return [cell('then', claims, note), cell('now', now.claims ?? claims, now.note ?? note)];
}

const NO_IOMMU =
  'claimed with an IOMMU only; the machines of 2004 had none, and a card writes where its driver tells it to';

export const reconstructingIo: Architecture = architecture({
  id: 'reconstructing-io',
  title: 'Reconstructing I/O',
  source: 'Fraser et al., UCAM-CL-TR-596, 2004',
  suites: {
    then: [
      devicesThen,
      restartsThen,
      stepsThen,
      censusThen,
      callsThen,
      classSuite,
      channelSuite,
      distrustSuite,
      linesThen,
      strangers,
      limits,
    ],
    now: [
      devicesNow,
      restartsNow,
      stepsNow,
      censusNow,
      callsNow,
      classSuite,
      channelSuite,
      distrustSuite,
      linesNow,
      strangers,
      limits,
    ],
  },
  cells: [
    ...cells(
      'wild-write-inside',
      'C',
      false,
      [SAYS.inside, SAYS.steps],
      'the driver domain is replaced; its clients see delay or loss',
    ),
    ...cells('wild-write-outside', 'C', false, [SAYS.outside], 'by the processor; by its device it is the rows below'),
    ...cells('dma-other-domain', 'I', true, [SAYS.dmaOthers], NO_IOMMU, {
      note: 'with a loan checked and pinned in one step: checked first and pinned later, it can be ended in between',
    }),
    ...cells('dma-vmm', 'I', true, [SAYS.dmaVmm], NO_IOMMU, { note: 'no frame of the VMM is in any I/O page table' }),
    ...cells('dma-stale', 'I', true, [SAYS.dmaStale], NO_IOMMU, {
      note: 'DevUnmap reports when the IOTLB is invalidated and what was in flight is drained; lazily invalidated it is not contained',
    }),
    ...cells(
      'interrupt-spoofing',
      'N',
      true,
      [SAYS.spoofing],
      'no interrupt remapping in 2004: a DMA write is an interrupt',
      {
        note: 'interrupt remapping, which the paper did not know',
      },
    ),
    ...cells(
      'interrupt-storm',
      'P',
      true,
      [PART_SAYS.storm, PART_SAYS.wedge, PART_SAYS.unaided],
      'a storm is masked until somebody says that he is done; a hung sharer keeps a shared line until the manager suspects him',
      {
        claims: [PART_SAYS.storm, PART_SAYS.wedge],
        note: 'every device has interrupts of its own: whoever hangs keeps only his',
      },
    ),
    ...cells(
      'driver-crash',
      'C',
      false,
      [SAYS.crash, SAYS.steps, SAYS.calls, SAYS.census, SAYS.strangers, CLASS_SAYS.refinement, CLASS_SAYS.owner],
      'restart of that device alone; clients see delay (block) or loss (net)',
    ),
    ...cells(
      'driver-hang',
      'P',
      true,
      [SAYS.hang, SAYS.steps, SAYS.calls, SAYS.census, SAYS.strangers, CLASS_SAYS.refinement, CLASS_SAYS.owner],
      'contained given that the manager suspects every hang some time; a wrong suspicion is safe if bus mastering cannot be switched on again behind its back',
    ),
    ...cells(
      'malformed-descriptor',
      'C',
      false,
      [PART_SAYS.malformed, PART_SAYS.distrust, CLASS_SAYS.rights],
      'as specified, in both directions; in the code of the time the guest trusted response ids (GAP-X6)',
    ),
    ...cells(
      'double-fetch',
      'P',
      true,
      [PART_SAYS.inPlace],
      'not discussed in the paper; contained as specified (one copy), not as the code of the time was (GAP-X5)',
    ),
    ...cells(
      'exhaustion',
      'P',
      true,
      [SAYS.loans, PART_SAYS.kept],
      'a refused DevMap leaves nothing pinned, and what a backend keeps mapped is kept out of use; it comes back when the backend is destroyed, not before',
    ),
  ],
  figures: [],
});
