/**
 * Architectures: the published driver-isolation designs, each a pair of suites on one machine (the hardware of its time, today's
 * hardware), and a cell for every row of the containment matrix. A cell names the claim that settles it; nothing is written in by hand
 * but what the paper claims.
 */
import { SpecificationError } from '../../model/kernel/index.js';
import type { Claim, Suite } from '../suite.js';

/** Rows of the matrix: the twelve faults of a driver, in the order in which they are discussed. */
export const matrixRows = {
  'wild-write-inside': 'wild write inside its own domain',
  'wild-write-outside': 'wild write outside its domain',
  'dma-other-domain': 'malicious DMA to another domain',
  'dma-vmm': 'malicious DMA to the VMM or kernel',
  'dma-stale': 'DMA through a stale mapping after unmap',
  'interrupt-spoofing': 'interrupt written by DMA',
  'interrupt-storm': 'interrupt storm',
  'driver-crash': 'driver crash',
  'driver-hang': 'driver hang',
  'malformed-descriptor': 'malformed ring or descriptor',
  'double-fetch': 'shared memory changed between check and use',
  exhaustion: 'exhaustion of resources',
} as const;

export type MatrixRow = keyof typeof matrixRows;

/** The hardware of the paper, or today's: a per-device IOMMU, interrupt remapping, ACS. */
export type Era = 'then' | 'now';

/** What the paper claims: contained, not contained, only with an IOMMU, partly. */
export type Claimed = 'C' | 'N' | 'I' | 'P';

export interface Cell {
  readonly row: MatrixRow;
  readonly era: Era;
  readonly claimed: Claimed;
  /** The claim is inferred, not confirmed in the paper. */
  readonly inferred?: boolean;
  /** Sentences (`says`) of the claims of this era's suites that settle the cell. Several: all must be contained for the cell to be. */
  readonly claims: readonly string[];
  /** Which assumption makes the difference where the claim and the finding differ; or what 'partly' means. */
  readonly note: string;
}

export interface Architecture {
  readonly id: string;
  readonly title: string;
  /** Paper, year. */
  readonly source: string;
  /** One or more machines an era: what is composed in one state space is a question of size, not of the architecture. */
  readonly suites: Readonly<Record<Era, readonly Suite[]>>;
  readonly cells: readonly Cell[];
  /** Published figures that may stand beside ours, with their source. */
  readonly figures: readonly { readonly what: string; readonly value: string; readonly source: string }[];
}

/** Declares an architecture; every row needs a cell in both eras, and every cell claims that exist. */
export function architecture(def: Architecture): Architecture {
  for (const era of ['then', 'now'] as const) {
    for (const row of Object.keys(matrixRows) as MatrixRow[]) {
      const cells = def.cells.filter((c) => c.row === row && c.era === era);
      if (cells.length !== 1)
        throw new SpecificationError(`${def.id}: ${cells.length} cells for '${row}' in the era '${era}'`);
      for (const says of cells[0].claims) claimOf(def, era, says);
      if (cells[0].claims.length === 0)
        throw new SpecificationError(`${def.id}: no claim settles '${row}' in the era '${era}'`);
    }
  }
  return def;
}

/** The claim of an era's suites with this sentence, and its suite. */
export function claimOf(a: Architecture, era: Era, says: string): { readonly suite: Suite; readonly claim: Claim } {
  for (const suite of a.suites[era]) {
    const claim = suite.claims.find((c) => c.says === says);
    if (claim) return { suite, claim };
  }
  throw new SpecificationError(`${a.id}: no suite of the era '${era}' has the claim '${says}'`);
}
