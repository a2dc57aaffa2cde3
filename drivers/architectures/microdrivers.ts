/**
 * Microdrivers (Ganapathy et al., HotOS 2007 and ASPLOS 2008): the driver split into a kernel half, which has interrupts and the data path,
 * and a user half with the rest. Suites of both eras, and a cell for each row of the matrix.
 */
import { architecture, type Cell, type Claimed, type Era, type MatrixRow } from './architecture.js';
import {
  dmaNow,
  dmaThen,
  kernelDmaNow,
  LOSES_OLD_BUFFERS,
  MAPS_OWN_FOR_KERNEL,
  MAPS_OWN_FOR_PROCESSES,
  OWN_INTERRUPTS,
  REACHES_NO_KERNEL,
  REACHES_NO_PROCESS,
} from './microdriversDma.js';
import { POINTERS_SAY } from './microdriversPointers.js';
import { STEPS_SAY, stepSuites } from './microdriversSteps.js';
import { softwareSuites } from './microdriversSuites.js';

export { costRuns } from './microdriversCosts.js';

interface Row {
  readonly claimed: Claimed;
  readonly inferred?: boolean;
  readonly claims: readonly string[];
  readonly note: string;
}

/** A row that no hardware changes. */
interface SameRow extends Row {
  readonly row: MatrixRow;
}

const KERNEL_WILD = 'a wild write of the kernel half alters nothing of the kernel or of other processes';

const sameInBothEras: readonly SameRow[] = [
  {
    row: 'wild-write-inside',
    claimed: 'P',
    claims: [
      'a return writes only the fields that the callee may access',
      'what a wild write has spoilt in the user half does no harm outside it',
      KERNEL_WILD,
    ],
    note: 'claimed contained for the user half; found: its own memory comes back with the next return, and is believed. Contained is the way of the bytes, not what they say. The kernel half has no memory of its own',
  },
  {
    row: 'wild-write-outside',
    claimed: 'P',
    claims: ['a wild write of the user half alters nothing outside its process', KERNEL_WILD],
    note: 'contained for the user half, by its page tables; not for the kernel half',
  },
  {
    row: 'interrupt-storm',
    claimed: 'N',
    claims: ['threads run beside a device that interrupts all the time'],
    note: 'the handler is in the kernel half, and nothing masks the line; no hardware of today does',
  },
  {
    row: 'driver-crash',
    claimed: 'P',
    inferred: true,
    claims: [
      'a kernel thread whose user half dies gets an error',
      'a lock that a dead user half held is broken',
      POINTERS_SAY.stubs,
      POINTERS_SAY.cleared,
      STEPS_SAY.calls,
      STEPS_SAY.locks,
      'the data path goes on when the user half dies, and answers every request once',
      'the rest of the system does not notice the death of the user half',
      'the user half serves again after its death',
      'what was allocated for a dead user half comes back',
      'the kernel serves on when the kernel half crashes',
    ],
    note: 'the kernel outlives the user half, if its runtime clears away (MD-L1, which the papers leave open); no restart, and what the tracker holds for the dead is never freed; the kernel does not outlive the kernel half',
  },
  {
    row: 'driver-hang',
    claimed: 'N',
    claims: [
      'a kernel thread whose user half hangs gets an error',
      'a lock that a hung user half holds comes free',
      'the data path goes on when the user half hangs',
      STEPS_SAY.callsHang,
      STEPS_SAY.locksHang,
      'the kernel serves on when the kernel half hangs',
    ],
    note: 'no time-out; a user half that hangs with a lock stops the data path too, whose line it has masked',
  },
  {
    row: 'malformed-descriptor',
    claimed: 'N',
    claims: [
      'the user half has only functions of the table called',
      'calls nest, of one thread at a time, and a reply answers the newest',
      'a value that makes no sense does no harm in the kernel half',
      'a size above the bound does not stop the kernel',
      POINTERS_SAY.interior,
      POINTERS_SAY.kinds,
      POINTERS_SAY.jumps,
      POINTERS_SAY.types,
      POINTERS_SAY.own,
    ],
    note: 'numbers and types of functions, ranges and nesting are checked; values are believed, and an unexpected size is a panic',
  },
  {
    row: 'double-fetch',
    claimed: 'C',
    claims: ['a value that the kernel half has checked is the one that it uses'],
    note: 'arguments are copied once; that what they say is believed is another row',
  },
  {
    row: 'exhaustion',
    claimed: 'N',
    claims: ['pointers that nobody knows do not use up the kernel\u2019s memory'],
    note: 'every miss of the tracker allocates, and an allocation that fails is a panic',
  },
];

const byHardware: readonly { readonly row: MatrixRow; readonly then: Row; readonly now: Row }[] = [
  {
    row: 'dma-other-domain',
    then: { claimed: 'N', claims: [REACHES_NO_PROCESS], note: 'no IOMMU; an address is a value like any other' },
    now: {
      claimed: 'N',
      claims: [REACHES_NO_PROCESS, MAPS_OWN_FOR_PROCESSES],
      note: 'an IOMMU closes this for the device and for the user half; not for the kernel half, which has mapped what it names',
    },
  },
  {
    row: 'dma-vmm',
    then: { claimed: 'N', claims: [REACHES_NO_KERNEL], note: 'no IOMMU; an address is a value like any other' },
    now: {
      claimed: 'N',
      claims: [REACHES_NO_KERNEL, MAPS_OWN_FOR_KERNEL],
      note: 'an IOMMU closes this for the device and for the user half; not for the kernel half, which has mapped what it names',
    },
  },
  {
    row: 'dma-stale',
    then: { claimed: 'N', claims: [LOSES_OLD_BUFFERS], note: 'nothing takes a buffer from a device' },
    now: {
      claimed: 'N',
      claims: [LOSES_OLD_BUFFERS],
      note: 'closed by an IOMMU with strict invalidation, as long as the kernel half unmaps what it gives back',
    },
  },
  {
    row: 'interrupt-spoofing',
    then: { claimed: 'N', inferred: true, claims: [OWN_INTERRUPTS], note: 'a write into the window is an interrupt' },
    now: { claimed: 'N', inferred: true, claims: [OWN_INTERRUPTS], note: 'closed by interrupt remapping' },
  },
];

const cellOf = (row: MatrixRow, era: Era, { claimed, inferred, claims, note }: Row): Cell => ({
  row,
  era,
  claimed,
  ...(inferred && { inferred }),
  claims,
  note,
});

export const microdrivers = architecture({
  id: 'microdrivers',
  title: 'Microdrivers',
  source: 'Ganapathy, Balakrishnan, Swift, Jha: HotOS 2007; with Renzelmann: ASPLOS 2008',
  suites: {
    then: [...softwareSuites, ...stepSuites, dmaThen],
    now: [...softwareSuites, ...stepSuites, dmaNow, kernelDmaNow],
  },
  cells: [
    ...sameInBothEras.flatMap((r) => (['then', 'now'] satisfies Era[]).map((era) => cellOf(r.row, era, r))),
    ...byHardware.flatMap((r) => [cellOf(r.row, 'then', r.then), cellOf(r.row, 'now', r.now)]),
  ],
  figures: [
    { what: 'code removed from the kernel', value: 'up to 65 %', source: 'Ganapathy et al., ASPLOS 2008, abstract' },
    {
      what: 'code removed from the kernel, one network driver',
      value: '75 %',
      source: 'Ganapathy et al., HotOS 2007, abstract',
    },
    { what: 'code that needs annotation', value: '1 to 6 %', source: 'Ganapathy et al., ASPLOS 2008, abstract' },
    {
      what: 'steady-state performance of five drivers with their user halves in Java',
      value: 'within 1 % of native',
      source: 'Renzelmann and Swift, Decaf, USENIX ATC 2009, abstract',
    },
  ],
});
