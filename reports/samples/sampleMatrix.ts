/** A containment matrix that is made up, for tests of how matrices look: a cell of each kind. */
import { type MatrixRow, matrixRows } from '../../drivers/architectures/architecture.js';
import { faultClasses } from '../../faults/classes.js';
import { eras, type Found, MATRIX_VERSION, type Matrix } from '../matrix.js';

const KINDS: readonly Found[] = ['contained', 'not contained', 'partly', 'sampled', 'not exercised', 'broken'];

/** @param trace file of the breach behind the cells that are not contained */
export function sampleMatrix(trace: string): Matrix {
  const ids = ['driver domain', 'micro <b>drivers</b>', 'user level', 'safe hardware', 'reconstructing'];
  const breach = {
    property: 'I1 reach',
    why: 'it was reached',
    length: 4,
    minimal: true,
    trace,
    injected: { F2: 3 },
    suite: 'lending',
  };
  const settled = (r: number, a: number) => {
    const found = KINDS[(r + a) % KINDS.length] ?? 'broken';
    return {
      architecture: ids[a] ?? '',
      claimed: (['C', 'N', 'I', 'P'] as const)[a % 4] ?? 'C',
      inferred: a === 2,
      found,
      agrees: found === 'contained' ? a !== 1 : null,
      worth: found === 'contained' ? (['proved within scope'] as const) : [],
      evidence: [],
      scopes: ['lending default', 'lending-race small'],
      claims: [],
      breach: found === 'not contained' ? breach : null,
      note: '',
    };
  };
  const rows = Object.keys(matrixRows) as MatrixRow[];
  return {
    format: 'ringfence-matrix',
    version: MATRIX_VERSION,
    architectures: ids.map((id) => ({ id, title: id, source: 'a paper' })),
    cells: eras.flatMap((era) => rows.flatMap((row, r) => ids.map((_, a) => ({ ...settled(r, a), row, era })))),
    faults: eras.flatMap((era) =>
      faultClasses.flatMap(({ id }, r) =>
        ids.map((_, a) => ({
          ...settled(r, a),
          fault: id,
          era,
          injected: 1234,
          blocked: { IOMMU: 1000 },
          refused: 4,
          through: 230,
          idle: [],
        })),
      ),
    ),
    mutants: [
      {
        number: 1,
        says: 'a wait is left out',
        verdict: 'found',
        finds: [
          {
            suite: 'lending',
            claim: 'what is lent comes back',
            mutant: 'no wait',
            breaks: 'I1 reach',
            outcome: 'broke',
            steps: 4,
            minimal: true,
            trace,
            clean: true,
          },
        ],
      },
      { number: 2, says: 'nobody looked', verdict: 'not exercised', finds: [] },
    ],
    costs: [],
  };
}
