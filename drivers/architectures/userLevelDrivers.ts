/**
 * Architecture 4: Leslie and Heiser, untrusted device drivers as user processes (2003; the Linux patches of 2005). The kernel keeps the
 * I/O page directories, pins pages, and masks interrupts; what a driver does, dies of or hangs in stays its own affair.
 */
import { architecture, type Cell, type Era } from './architecture.js';
import { callSuite, clientSuite, irqSuite, PROCESS_CLAIMS, pageSuite, unlimitedSuite } from './userLevelProcesses.js';
import { STEPS_SAY, stepSuites } from './userLevelSteps.js';
import { busNow, busThen, CLAIMS, callRaces, dmaAts, dmaBare, dmaNow, dmaThen } from './userLevelSuites.js';

export { costRuns } from './userLevelCost.js';

/** Cells of what is no matter of hardware. */
const ofProcesses = (era: Era): Cell[] => [
  { row: 'wild-write-inside', era, claimed: 'C', claims: [PROCESS_CLAIMS.inside], note: 'the process dies' },
  {
    row: 'wild-write-outside',
    era,
    claimed: 'C',
    claims: [PROCESS_CLAIMS.outside, PROCESS_CLAIMS.cow],
    note: 'pins must hold past fork and munmap: the review of the 2005 patches asked for it',
  },
  {
    row: 'interrupt-storm',
    era,
    claimed: 'C',
    claims: [PROCESS_CLAIMS.storm],
    note: 'one interrupt a read: the read enables the line only when nothing is counted, as the code of 2005 does; enabling first would allow one more',
  },
  {
    row: 'driver-crash',
    era,
    claimed: 'C',
    claims: [CLAIMS.close, CLAIMS.handle, PROCESS_CLAIMS.crash, PROCESS_CLAIMS.strangers, ...Object.values(STEPS_SAY)],
    note: 'close on every way to die, in the one order that nothing breaks',
  },
  {
    row: 'driver-hang',
    era,
    claimed: 'P',
    inferred: true,
    claims: [PROCESS_CLAIMS.hungLine, PROCESS_CLAIMS.hungLineUnaided, PROCESS_CLAIMS.hangUnaided],
    note: 'kernel and others are safe; the line stays masked and clients wait until somebody kills the driver: nobody watches it',
  },
  {
    row: 'malformed-descriptor',
    era,
    claimed: 'C',
    claims: [PROCESS_CLAIMS.arguments],
    note: 'there are no rings between driver and kernel; what can be malformed are the arguments of calls',
  },
  {
    row: 'double-fetch',
    era,
    claimed: 'C',
    inferred: true,
    claims: [PROCESS_CLAIMS.copied],
    note: 'the matrix says mostly not applicable: the kernel copies arguments once, and shares nothing else',
  },
  {
    row: 'exhaustion',
    era,
    claimed: 'P',
    inferred: true,
    claims: era === 'then' ? [PROCESS_CLAIMS.limit, PROCESS_CLAIMS.noLimit] : [PROCESS_CLAIMS.limit],
    note: 'only with a limit on pins: the patches have none of their own, today’s kernels charge pins to RLIMIT_MEMLOCK',
  },
];

const WITH_AND_WITHOUT = 'partly: contained with the I/O MMU of the zx1, not on machines without one';

const then: Cell[] = [
  ...ofProcesses('then'),
  {
    row: 'dma-other-domain',
    era: 'then',
    claimed: 'I',
    claims: [CLAIMS.others, CLAIMS.neighbours, CLAIMS.othersWithout],
    note: `${WITH_AND_WITHOUT}; and even with it, devices behind one bridge share a page directory and reach what is mapped for one another, and one another’s registers`,
  },
  {
    row: 'dma-vmm',
    era: 'then',
    claimed: 'I',
    claims: [CLAIMS.kernel, CLAIMS.stray, CLAIMS.kernelWithout],
    note: `${WITH_AND_WITHOUT}; and with it, a DMA without an entry is a machine check: memory is safe, the machine is not`,
  },
  {
    row: 'dma-stale',
    era: 'then',
    claimed: 'I',
    claims: [CLAIMS.stale, CLAIMS.close, CLAIMS.staleWithout],
    note: `${WITH_AND_WITHOUT}: without, no order of close helps, as the device may name any address at any time before it`,
  },
  {
    row: 'interrupt-spoofing',
    era: 'then',
    claimed: 'N',
    inferred: true,
    claims: [CLAIMS.messages],
    note: 'a message is a DMA write; nothing looks at where it comes from',
  },
];

const now: Cell[] = [
  ...ofProcesses('now'),
  {
    row: 'dma-other-domain',
    era: 'now',
    claimed: 'I',
    claims: [CLAIMS.others, CLAIMS.neighbours],
    note: 'a directory for each device, and ACS between them',
  },
  {
    row: 'dma-vmm',
    era: 'now',
    claimed: 'I',
    claims: [CLAIMS.kernel, CLAIMS.stray],
    note: 'faults are recorded, and nobody stops',
  },
  {
    row: 'dma-stale',
    era: 'now',
    claimed: 'I',
    claims: [CLAIMS.stale, CLAIMS.close],
    note: 'with strict invalidation; lazy invalidation breaks it',
  },
  {
    row: 'interrupt-spoofing',
    era: 'now',
    claimed: 'N',
    inferred: true,
    claims: [CLAIMS.messages],
    note: 'claimed for hardware without interrupt remapping: remapping makes the difference',
  },
];

const processes = [pageSuite, callSuite, irqSuite, clientSuite, callRaces, ...stepSuites];

export const userLevelDrivers = architecture({
  id: 'user-level-drivers',
  title: 'Untrusted user-level drivers',
  source: 'Leslie and Heiser, Towards Untrusted Device Drivers, UNSW-CSE-TR-0303, 2003; Linux patches, 2005',
  suites: {
    then: [dmaThen, dmaBare, busThen, ...processes, unlimitedSuite],
    now: [dmaNow, dmaAts, busNow, ...processes],
  },
  cells: [...then, ...now],
  figures: [
    {
      what: 'cost of drivers at user level',
      value: 'not unreasonable',
      source: 'Leslie and Heiser 2003, abstract',
    },
    {
      what: 'Gigabit Ethernet at user level',
      value: 'no significant degradation',
      source: 'Leslie et al. 2005, abstract; OLS 2004',
    },
    { what: 'user IDE driver', value: 'sometimes faster than in the kernel', source: 'Leslie et al. 2005, abstract' },
    { what: 'reading a status register', value: 'more than 2 µs', source: 'LKML, on the 2005 patches' },
  ],
});
