/**
 * What the papers claim of the fourteen fault classes. Most classes are a row of the matrix under another name, and take its claim; four are
 * finer than any row, and are taken from what each paper says it keeps and what it does not contain (architectures.md, sections 1c to 5c).
 */
import type { FaultId } from '../../model/kernel/index.js';
import { type Architecture, type Claimed, type Era, type MatrixRow, matrixRows } from './architecture.js';

/** The rows of the matrix that speak of a class. */
export const rowsOfFault: Readonly<Partial<Record<FaultId, readonly MatrixRow[]>>> = {
  F1: ['wild-write-inside', 'wild-write-outside'],
  F2: ['dma-other-domain', 'dma-vmm'],
  F3: ['dma-stale'],
  F5: ['malformed-descriptor'],
  F6: ['double-fetch'],
  F8: ['interrupt-spoofing'],
  F9: ['interrupt-storm'],
  F10: ['driver-crash'],
  F11: ['driver-hang'],
  F12: ['exhaustion'],
};

/** What a paper claims of a class, and why. */
export interface FaultClaim {
  readonly claimed: Claimed;
  readonly inferred: boolean;
  readonly note: string;
}

type Finer = Readonly<Record<'F4' | 'F7' | 'F13' | 'F14', FaultClaim>>;

const says = (claimed: Claimed, note: string): FaultClaim => ({ claimed, inferred: false, note });
const inferred = (claimed: Claimed, note: string): FaultClaim => ({ claimed, inferred: true, note });

/** Classes that no row of the matrix names, by architecture. */
const finer: Readonly<Record<string, Finer>> = {
  'safe-hardware': {
    F4: says('C', 'X-S3: a transfer conserves frames, and a frame is referenced as long as anything maps it'),
    F7: says('C', 'X-S4: only the two ends that agreed to a channel signal by it, and events carry no data'),
    F13: says('C', 'X-S1: configuration space is reached through the VMM, by the holder of the device'),
    F14: inferred('C', 'X-S7: a request completes once; what a dead backend had sent counts for nothing (M4, M8)'),
  },
  'reconstructing-io': {
    F4: inferred(
      'N',
      'TR-596 excludes devices that keep DMAing across a reset: memory that such a device was told of is never safe again',
    ),
    F7: inferred('C', 'as the Safe Hardware Interface, whose event channels it has'),
    F13: inferred('C', 'the driver domain sees configuration space through the device manager'),
    F14: says('C', 'R-S3: clients of the device are reconnected in a new epoch'),
  },
  microdrivers: {
    F4: inferred('N', 'nothing restricts DMA, and nothing tells the tracker that a device still has a buffer'),
    F7: inferred('C', 'wake-ups and replies pass through the kernel runtime, which the user half cannot write'),
    F13: says('N', 'misconfiguration of the device by the user half is not contained'),
    F14: inferred('C', 'a reply answers the call that waits: calls nest, last in, first out (MD-S7)'),
  },
  'user-level-drivers': {
    F4: says(
      'I',
      'L-S3: a page is pinned while an entry or a DMA in flight names it; without an I/O MMU no DMA is held',
    ),
    F7: inferred('C', 'L-S7: an interrupt is delivered to its opener only, who reads a count'),
    F13: says(
      'N',
      'what a driver writes into configuration space beyond what the calls give is not contained in 2005; kernels of today filter it (VFIO)',
    ),
    F14: inferred('C', 'L-L1: killing and restarting a driver is an interruption to its clients, and nothing else'),
  },
  'driver-reuse': {
    F4: inferred(
      'I',
      'DD-S5: client memory under DMA is pinned and stays where it is; without an IO-MMU no DMA is held',
    ),
    F7: inferred('P', 'the published server has one status page, which every client may write (GAP-V2)'),
    F13: says(
      'P',
      'bus mastering is deferred to the slice of its owner; the guard of the northbridge is commented out (GAP-V8)',
    ),
    F14: inferred('C', 'V7: clients reattach to the new instance, in a new epoch'),
  },
};

/** What the paper of an architecture claims of a class. @throws RangeError for an architecture that says nothing of it */
export function faultClaim(a: Architecture, era: Era, fault: FaultId): FaultClaim {
  const rows = rowsOfFault[fault];
  if (rows === undefined) {
    const found = finer[a.id]?.[fault as keyof Finer];
    if (found === undefined) throw new RangeError(`${a.id}: no claim on ${fault}`);
    return found;
  }
  const cells = a.cells.filter((c) => c.era === era && rows.includes(c.row));
  const [first] = cells;
  if (first === undefined) throw new RangeError(`${a.id}: no cell for ${fault} in the era '${era}'`);
  return {
    claimed: cells.every((c) => c.claimed === first.claimed) ? first.claimed : 'P',
    inferred: cells.some((c) => c.inferred === true),
    note: cells.map((c) => (cells.length > 1 ? `${matrixRows[c.row]}: ${c.note}` : c.note)).join('; '),
  };
}
