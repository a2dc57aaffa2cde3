/**
 * The containment matrix: fault by architecture by hardware era, what the paper claims beside what was found. A cell is never written in:
 * its claims were checked in this run, or it is `not exercised`. The twelve rows are here, the fourteen fault classes in faultMatrix.ts.
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
import { realMutants } from '../drivers/architectures/realMutants.js';
import type { RecoveryCost } from '../drivers/architectures/recovery.js';
import { type FaultCell, faultCells } from './faultMatrix.js';
import { agreement, type Found, type Settled, settledBy } from './matrixCell.js';
import { type MutantRow, mutantRows } from './mutantTable.js';
import type { Report } from './report.js';

export type { Found } from './matrixCell.js';

export const MATRIX_VERSION = 3;

export interface FoundCell extends Settled {
  readonly architecture: string;
  readonly row: MatrixRow;
  readonly era: Era;
  readonly claimed: Claimed;
  readonly inferred: boolean;
  readonly found: Found;
  /** Whether claim and finding say the same; null where the paper claims it in part. */
  readonly agrees: boolean | null;
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
  readonly version: typeof MATRIX_VERSION;
  readonly architectures: readonly { readonly id: string; readonly title: string; readonly source: string }[];
  /** The twelve rows. */
  readonly cells: readonly FoundCell[];
  /** The fourteen fault classes. */
  readonly faults: readonly FaultCell[];
  /** The twenty mutants of published code. */
  readonly mutants: readonly MutantRow[];
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
  return {
    format: 'ringfence-matrix',
    version: MATRIX_VERSION,
    architectures: architectures.map(({ id, title, source }) => ({ id, title, source })),
    cells: rowCells(report, architectures),
    faults: faultCells(report, architectures, eras),
    mutants: mutantRows(report, realMutants),
    costs,
  };
}

/** The cells of the twelve rows, by era, row and architecture. */
export function rowCells(report: Pick<Report, 'suites'>, architectures: readonly Architecture[]): FoundCell[] {
  const rows = Object.keys(matrixRows) as MatrixRow[];
  return eras.flatMap((era) =>
    rows.flatMap((row) =>
      architectures.flatMap((a) =>
        a.cells.filter((c) => c.row === row && c.era === era).map((c) => foundCell(report, a, c)),
      ),
    ),
  );
}

function foundCell(report: Pick<Report, 'suites'>, a: Architecture, cell: Cell): FoundCell {
  const checked = cell.claims.map((says) => {
    const suite = claimOf(a, cell.era, says).suite.name;
    const ran = report.suites.find((s) => s.name === suite);
    return { suite, says, scope: ran?.scopeName, claim: ran?.claims.find((c) => c.says === says) };
  });
  const settled = settledBy(checked);
  return {
    ...settled,
    architecture: a.id,
    row: cell.row,
    era: cell.era,
    claimed: cell.claimed,
    inferred: cell.inferred ?? false,
    agrees: agreement(cell.claimed, cell.era, settled.found),
    note: cell.note,
  };
}
