/** Claims of the driver-reuse architecture on memory, as sentences: its cells name them, on the hardware of both eras. */
import type { FaultId } from '../../../model/kernel/index.js';
import type { AnyProperty } from '../../../properties/property.js';
import { type Claim, claim } from '../../suite.js';

export const SAYS = {
  inside: 'a wild write inside a DD/OS stays inside it',
  outside: 'a wild write of a DD/OS does not leave it',
  others: 'a DD/OS\u2019s device reaches no memory of others',
  vmm: 'a DD/OS\u2019s device reaches no memory of the hypervisor',
  stale: 'a page that was unmapped is out of the device\u2019s reach',
  table: 'a DD/OS\u2019s device finds each page that its DD/OS may have, and gives back what was unmapped',
  vector: 'a DD/OS\u2019s device sends no interrupts but its own',
  switched: 'the table is switched when nobody is using it',
  turns: 'every space with a slice has its turn',
  config: 'a DD/OS programs its own devices only, and the northbridge not at all',
  peers: 'a DD/OS\u2019s device reaches no registers of another device',
  bareOthers: 'without an IO-MMU: a DD/OS\u2019s device reaches no memory of others',
  bareVmm: 'without an IO-MMU: a DD/OS\u2019s device reaches no memory of the hypervisor',
  bareStale: 'without an IO-MMU: a page that was unmapped is out of the device\u2019s reach',
  publishedSwitch: 'without a drain, the table is switched when nobody is using it (GAP-V5)',
  publishedFault: 'with a fault handler that maps, a device reaches no memory of others (GAP-V6)',
  publishedFaultVmm: 'with a fault handler that maps, a device reaches no memory of the hypervisor (GAP-V6)',
  publishedUnmap: 'without a hook on unmap, an unmapped page is out of the device\u2019s reach (GAP-V7)',
  publishedConfiguration:
    'with the guard on the northbridge commented out, only devices of the current space have the bus (GAP-V8)',
} as const;

/** A DD/OS that dies beneath the time-multiplexed IO-MMU. */
export const MUX_RESTART_SAYS = {
  left: 'beneath one IO-MMU: nothing of a dead DD/OS has the bus, an entry, a pin or memory',
  reused: 'beneath one IO-MMU: no DMA of a dead DD/OS reaches memory that others are given',
  turns: 'beneath one IO-MMU: the other DD/OS keeps its slice, its memory and the bus',
  returns: 'beneath one IO-MMU: a DD/OS that crashed or hangs comes back, with its slice, and has the bus when it asks',
  restarts: 'beneath one IO-MMU: restarts leak nothing, however many',
  steps: 'beneath one IO-MMU: a DD/OS may die at each step of its calls, of the tick and of its end',
} as const;

/** A claim that is expected not to hold. */
export const open = (says: string, keeps: AnyProperty, against: readonly FaultId[]): Claim =>
  claim(says, { keeps: [keeps], against, without: [], expects: 'not contained' });
