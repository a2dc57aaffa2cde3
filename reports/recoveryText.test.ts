/** Recovery distances in words: ways with their counts, and where there is none. */
import { describe, expect, it } from 'vitest';
import type { RecoveryCost } from '../drivers/architectures/recovery.js';
import { CHARGES, type ChargeName } from '../model/ledger.js';
import { recoveryTable } from './html/recoverySection.js';
import { MATRIX_VERSION, type Matrix } from './matrix.js';
import { recoveryLines, recoveryMarkdown } from './recoveryText.js';
import type { Page } from './terminal.js';

const same = (s: string): string => s;
const page: Page = { width: 200, style: { bold: same, dim: same, red: same, green: same, yellow: same } };

const none = Object.fromEntries(CHARGES.map((name) => [name, 0])) as Record<ChargeName, number>;
const way: RecoveryCost = {
  what: 'block',
  from: 'wrong suspicion',
  era: 'now',
  ends: true,
  operations: 9,
  steps: 21,
  charges: { ...none, 'domain crossing': 5, invalidation: 2 },
  shortest: 8,
};
const noWay: RecoveryCost = {
  ...way,
  from: 'hang',
  ends: false,
  operations: 0,
  steps: 0,
  charges: none,
  shortest: null,
};
const matrix: Matrix = {
  format: 'ringfence-matrix',
  version: MATRIX_VERSION,
  architectures: [],
  cells: [],
  faults: [],
  mutants: [],
  costs: [{ architecture: 'a|b', costs: [], recoveries: [way, noWay], figures: [] }],
};

describe('recovery distances in words', () => {
  it('for a terminal', () => {
    const text = recoveryLines(matrix, page).join('\n');
    expect(text).toContain(
      'block, from wrong suspicion (today): 9 operations (shortest 8), 21 steps, 5 crossings; 2 invalidation',
    );
    expect(text).toContain('block, from hang (today): no way back');
  });

  it('as Markdown', () => {
    const rows = recoveryMarkdown(matrix, (s) => s).filter((l) => l.startsWith('| a|b'));
    expect(rows).toEqual([
      '| a|b | block | wrong suspicion | now | 9 | 8 | 21 | 5 | 2 invalidation |',
      '| a|b | block | hang | now | no way back | - | - | - | - |',
    ]);
  });

  it('in the page', () => {
    const { text } = recoveryTable([way, noWay]) ?? { text: '' };
    expect(text).toContain(
      '>9</td><td class="number">8</td><td class="number">21</td><td class="number">5</td><td>2 invalidation</td>',
    );
    expect(text).toContain('<td colspan="5">no way back (all states searched)</td>');
    expect(recoveryTable([])).toBeUndefined();
  });
});
