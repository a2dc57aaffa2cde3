/** The sheet's verdicts, how it reads, and the flags that it was measured with. */
import { describe, expect, it } from 'vitest';
import type { DataPathRole } from '../../model/kernel/index.js';
import { fastpathLines, fastpathSummary } from '../../reports/fastpath.js';
import { knownFlags, v8Options, wantedFlags } from './flags.js';
import type { OperationReading } from './gates.js';
import type { Missing } from './recording.js';
import { claimOf, type FastpathSheet, type OperationRow, rowOf, type SuiteSheet, sheetHolds } from './sheet.js';

interface RowPart {
  readonly role: DataPathRole;
  readonly missing: Missing;
}

const reading = (bytes: number, exercised = true): OperationReading => ({
  operation: 'grant.map',
  exercised,
  bytes,
  calls: 60_000,
  tier: 'turbofan',
});
const PRESENT: Missing = { impossible: false, why: '' };
const UNMET: Missing = { impossible: false, why: 'enabled in none of the first 400,000 states of this scope' };
const IMPOSSIBLE: Missing = { impossible: true, why: 'this scope has no record' };

const row = (bytesA: number, bytesB: number, exercised = true, more: Partial<RowPart> = {}): OperationRow =>
  rowOf(reading(bytesA, exercised), reading(bytesB, exercised), exercised ? PRESENT : (more.missing ?? UNMET), {
    fault: undefined,
    role: more.role,
    outcomes: ['ok'],
    allocations:
      bytesA + bytesB > 0 ? [{ function: 'map', file: 'model/x.ts', line: 12, column: 3, bytes: 16_000 }] : [],
  });

function sheet(operations: readonly OperationRow[], more: Partial<SuiteSheet> = {}): FastpathSheet {
  const suite = { suite: 'grants', mix: 100, controlA: 16, controlB: 16, families: [], mixAllocations: [], operations };
  const common = {
    schema: 2,
    node: '20.0.0',
    v8: '11.3',
    flagsA: [],
    flagsB: [],
    seed: 1,
    attributedCalls: 1000,
  } as const;
  return { ...common, suites: [{ ...suite, ...more }] };
}

const id = (s: string): string => s;
const style = { bold: id, dim: id, red: id, green: id, yellow: id };
const shown = (s: FastpathSheet, width = 100): string =>
  [...fastpathLines(s, { width, style }), fastpathSummary(s)].join('\n');

describe('the fast-path sheet', () => {
  it('holds when every operation that ran allocated nothing, and claims no more than was measured', () => {
    const s = sheet([row(0, 0), row(0, 0, false)]);
    expect(sheetHolds(s)).toBe(true);
    expect(shown(s)).toContain('?? grant.map  not exercised');
    expect(fastpathSummary(s)).toBe(
      "0 bytes in 60,000 calls at tier interpreter, and in 60,000 calls at V8's default tiers (turbofan), " +
        'of each of 1 operation, 0 of them on the data path, on V8 11.3; 1 operation not exercised',
    );
    expect(claimOf({ bytes: 0, calls: 60_000, tier: 'turbofan' }, '11.3')).toBe(
      '0 bytes in 60,000 calls at tier turbofan on V8 11.3',
    );
  });

  it('shows which operations are the data path, and says why one was not measured', () => {
    const s = sheet([
      row(0, 0, true, { role: 'submit' }),
      row(0, 0, false, { role: 'translate', missing: IMPOSSIBLE }),
    ]);
    expect(sheetHolds(s)).toBe(true);
    expect(shown(s, 120)).toMatch(/ok grant\.map .* turbofan {2}submit\n/);
    expect(shown(s)).toContain('cannot happen: this scope has no record');
    expect(fastpathSummary(s)).toContain('of each of 1 operation, 1 of them on the data path');
    expect(fastpathSummary(s)).toContain('; 1 operation cannot happen');
  });

  it('in short is a line for each suite, and whatever is not as it should be', () => {
    const short = (s: FastpathSheet): string => fastpathLines(s, { width: 120, style }, false).join('\n');
    expect(short(sheet([row(0, 0), row(0, 0, false, { missing: IMPOSSIBLE })]))).toBe(
      'grants: 2 operations, 0 on the data path, control reads 16 and 16 bytes, 0 bytes, 1 cannot happen',
    );
    expect(short(sheet([row(16, 0), row(0, 0)]))).toMatch(/^!! grants: .*\n!! grant\.map .*A 16 .*\n.*model\/x\.ts:12/);
  });

  it.each([
    [
      'the data path was not measured',
      sheet([row(0, 0), row(0, 0, false, { role: 'notify' })]),
      'not measured: 1 operation',
    ],
    ['gate A reads bytes', sheet([row(16, 0), row(0, 0)]), 'allocates: 1 of 2 operations'],
    ['gate B reads bytes', sheet([row(0, 16), row(0, 0)]), 'allocates: 1 of 2 operations'],
    [
      'the mix does, after a fault',
      sheet([row(0, 0)], { families: [{ fault: 'F2', bytes: 208 }] }),
      'allocates: a mix',
    ],
    ['the control is missed in gate A', sheet([row(0, 0)], { controlA: 0 }), 'void: the control'],
    ['the control is missed in gate B', sheet([row(0, 0)], { controlB: 32 }), 'void: the control'],
    ['nothing ran', sheet([row(0, 0, false)]), 'nothing was measured of grants'],
    ['there is no suite', { ...sheet([]), suites: [] }, 'nothing was measured'],
  ])('does not hold when %s', (_when, s, says) => {
    expect(sheetHolds(s)).toBe(false);
    expect(fastpathSummary(s)).toContain(says);
  });

  it('names function, file, line and bytes, from 40 to 120 columns', () => {
    expect(shown(sheet([row(16, 48_000)]))).toContain('map (model/x.ts:12) allocates 16,000 bytes in 1,000 calls');
    for (const width of [40, 60, 80, 120]) {
      const s = sheet([row(16, 48_000), row(0, 0, false)], { families: [{ fault: 'F2', bytes: 208 }] });
      for (const line of fastpathLines(s, { width, style })) expect(line.length).toBeLessThanOrEqual(width);
    }
  });
});

describe('the flags', () => {
  it('leave out what this V8 does not know', () => {
    expect(knownFlags(['--a-b', '--no-c', '--d=64', '--e'], '  --a_b (x)\n  --c (y)\n  --d (z)\n')).toEqual([
      '--a-b',
      '--no-c',
      '--d=64',
    ]);
  });

  it('are known to this V8 as far as the meter cannot do without them', () => {
    const known = knownFlags(wantedFlags('A'), v8Options());
    for (const flag of ['--expose-gc', '--allow-natives-syntax', '--jitless']) expect(known).toContain(flag);
    expect(knownFlags(wantedFlags('B'), v8Options())).not.toContain('--jitless');
  });
});
