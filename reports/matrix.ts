/**
 * The containment matrix: fault by architecture by hardware era, what the paper claims beside what was found. A cell is never written in:
 * its claims were checked in this run, or it is `not exercised`.
 */
import {
  type Architecture,
  type Cell,
  type Claimed,
  claimOf,
  type Era,
  type MatrixRow,
  matrixRows,
} from '../drivers/architectures/architecture.js';
import type { Cost } from '../drivers/architectures/cost.js';
import type { RecoveryCost } from '../drivers/architectures/recovery.js';
import type { BreachReport, ClaimReport, Evidence } from './claims.js';
import type { Report } from './report.js';

export type Found = 'contained' | 'not contained' | 'partly' | 'sampled' | 'not exercised' | 'broken';

export interface FoundCell {
  readonly architecture: string;
  readonly row: MatrixRow;
  readonly era: Era;
  readonly claimed: Claimed;
  readonly inferred: boolean;
  readonly found: Found;
  /** Whether claim and finding say the same; null where the paper claims it in part. */
  readonly agrees: boolean | null;
  readonly evidence: readonly Evidence[];
  /** Suites with their scope: `iommu default`. */
  readonly scopes: readonly string[];
  readonly claims: readonly {
    readonly suite: string;
    readonly says: string;
    readonly verdict: ClaimReport['verdict'];
  }[];
  /** The shortest breach behind a cell that is not contained. */
  readonly breach: (BreachReport & { readonly suite: string }) | null;
  readonly note: string;
}

export interface ArchitectureCosts {
  readonly architecture: string;
  readonly costs: readonly Cost[];
  /** Ways back to service after a failure. */
  readonly recoveries: readonly RecoveryCost[];
  readonly figures: Architecture['figures'];
}

export interface Matrix {
  readonly format: 'ringfence-matrix';
  readonly version: 2;
  readonly architectures: readonly { readonly id: string; readonly title: string; readonly source: string }[];
  readonly cells: readonly FoundCell[];
  readonly costs: readonly ArchitectureCosts[];
}

/** Both hardware eras, in order. */
export const eras: readonly Era[] = ['then', 'now'];

/** Makes the matrix of a report that ran the architectures' suites. */
export function matrixOf(
  report: Pick<Report, 'suites'>,
  architectures: readonly Architecture[],
  costs: readonly ArchitectureCosts[],
): Matrix {
  const rows = Object.keys(matrixRows) as MatrixRow[];
  return {
    format: 'ringfence-matrix',
    version: 2,
    architectures: architectures.map(({ id, title, source }) => ({ id, title, source })),
    cells: eras.flatMap((era) =>
      rows.flatMap((row) =>
        architectures.flatMap((a) =>
          a.cells.filter((c) => c.row === row && c.era === era).map((c) => foundCell(report, a, c)),
        ),
      ),
    ),
    costs,
  };
}

function foundCell(report: Pick<Report, 'suites'>, a: Architecture, cell: Cell): FoundCell {
  const checked = cell.claims.map((says) => {
    const suite = claimOf(a, cell.era, says).suite.name;
    const ran = report.suites.find((s) => s.name === suite);
    return { suite, says, scope: ran?.scopeName, claim: ran?.claims.find((c) => c.says === says) };
  });
  const found = foundOf(checked.map((c) => c.claim?.verdict));
  const breaches = checked.flatMap(({ suite, claim }) => (claim?.breach ? [{ ...claim.breach, suite }] : []));
  const shortest = breaches.reduce<(typeof breaches)[number] | null>(
    (best, b) => (best === null || b.length < best.length ? b : best),
    null,
  );
  return {
    architecture: a.id,
    row: cell.row,
    era: cell.era,
    claimed: cell.claimed,
    inferred: cell.inferred ?? false,
    found,
    agrees: agreement(cell, found),
    evidence: [...new Set(checked.flatMap((c) => c.claim?.evidence ?? []))],
    scopes: [...new Set(checked.map((c) => `${c.suite} ${c.scope ?? 'not run'}`))],
    claims: checked.map(({ suite, says, claim }) => ({ suite, says, verdict: claim?.verdict ?? 'not exercised' })),
    breach: shortest,
    note: cell.note,
  };
}

/** What several claims say together. */
function foundOf(verdicts: readonly (ClaimReport['verdict'] | undefined)[]): Found {
  if (verdicts.some((v) => v === 'broken' || v === 'error')) return 'broken';
  if (verdicts.length === 0 || verdicts.some((v) => v === undefined || v === 'not exercised')) return 'not exercised';
  const open = verdicts.filter((v) => v === 'not contained').length;
  if (open === verdicts.length) return 'not contained';
  if (open > 0) return 'partly';
  return verdicts.includes('sampled') ? 'sampled' : 'contained';
}

/** `I` claims containment with an IOMMU: that is to be had today, and in part (with and without) in its time. */
function agreement(cell: Cell, found: Found): boolean | null {
  switch (cell.claimed) {
    case 'C':
      return found === 'contained';
    case 'N':
      return found === 'not contained';
    case 'P':
      return found === 'partly' ? true : null;
    case 'I':
      return cell.era === 'now' ? found === 'contained' : found === 'partly' || found === 'contained';
  }
}
