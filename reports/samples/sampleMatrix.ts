/** A containment matrix that is made up, for tests of how matrices look: a cell of each kind. */
import { type MatrixRow, matrixRows } from '../../drivers/architectures/architecture.js';
import { eras, type Found, type Matrix } from '../matrix.js';

/** @param trace file of the breach behind the cells that are not contained */
export function sampleMatrix(trace: string): Matrix {
  const kinds: readonly Found[] = ['contained', 'not contained', 'partly', 'sampled', 'not exercised', 'broken'];
  const ids = ['driver domain', 'micro <b>drivers</b>', 'user level', 'safe hardware', 'reconstructing'];
  const rows = Object.keys(matrixRows) as MatrixRow[];
  const cells = eras.flatMap((era) =>
    rows.flatMap((row, r) =>
      ids.map((architecture, a) => {
        const found = kinds[(r + a) % kinds.length] ?? 'broken';
        const breach = {
          property: 'I1 reach',
          why: 'it was reached',
          length: 4,
          minimal: true,
          trace,
          suite: 'lending',
        };
        return {
          architecture,
          row,
          era,
          claimed: (['C', 'N', 'I', 'P'] as const)[a % 4] ?? 'C',
          inferred: a === 2,
          found,
          agrees: found === 'contained' ? a !== 1 : null,
          evidence: [],
          scopes: [],
          claims: [],
          breach: found === 'not contained' ? breach : null,
          note: '',
        };
      }),
    ),
  );
  const architectures = ids.map((id) => ({ id, title: id, source: 'a paper' }));
  return { format: 'ringfence-matrix', version: 2, architectures, cells, costs: [] };
}
