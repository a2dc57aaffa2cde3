/** Coverage from lcov, and the list of branches that nothing takes with their reasons. */
import { describe, expect, it } from 'vitest';
import { coverageOf, type Reason, readReasons, shortcomings } from './coverage.js';
import { linesSection } from './html/linesSection.js';
import { readLcov } from './lcov.js';

const LCOV = `TN:
SF:model/b.ts
FN:1,touches
FN:3,touches
FNDA:2,touches
FNDA:0,touches
DA:1,3
DA:2,0
BRDA:1,0,0,3
BRDA:2,1,0,0
BRDA:2,1,1,-
end_of_record
SF:model/a.ts
DA:1,1
end_of_record
SF:cli/x.ts
DA:1,0
end_of_record
`;

const sources: Readonly<Record<string, string>> = { 'model/b.ts': 'function one() {\n  two <b>\n  touches: () => 3\n' };
const reasons: readonly Reason[] = [
  { file: 'model/b.ts', within: 'one', text: 'two <b>', reason: 'the scope has one device only' },
  { file: 'model/b.ts', within: 'one', text: 'touches: () => 3', reason: 'the operation never runs' },
];
const files = readLcov(LCOV, (f) => f.startsWith('model/'));
const coverage = (given: readonly Reason[]) => coverageOf(files, given, (f) => sources[f]);

describe('coverage', () => {
  it('reads lcov', () => {
    expect(files.map((f) => f.file)).toEqual(['model/a.ts', 'model/b.ts']);
    expect(files[1]).toMatchObject({
      lines: { found: 2, hit: 1 },
      branches: { found: 3, hit: 1 },
      functions: { found: 2, hit: 1 },
      missedBranches: [2],
      missedFunctions: [3],
      missedLines: [2],
    });
  });

  it('lists every branch and every function that is missed, with its reason', () => {
    const c = coverage(reasons);
    expect(c.holes).toEqual([
      { file: 'model/b.ts', line: 2, kind: 'branch', within: 'one', text: 'two <b>', reason: reasons[0]?.reason },
      {
        file: 'model/b.ts',
        line: 3,
        kind: 'function',
        within: 'one',
        text: 'touches: () => 3',
        reason: reasons[1]?.reason,
      },
    ]);
    expect(c.lines).toBeCloseTo(66.67, 1);
    expect(linesSection(c).text).toContain('two &#60;b&#62;');
  });

  it('tells what falls short of the figures, and what is missed without a reason', () => {
    const short = shortcomings(coverage([]), []);
    expect(short).toHaveLength(4);
    expect(short.at(-1)).toBe('model/b.ts:3: a function is never called, and no reason is given: touches: () => 3');
    expect(shortcomings(coverage(reasons), reasons)).toEqual(short.slice(0, 2));
    expect(
      shortcomings(
        coverageOf([], [], () => undefined),
        [],
      ),
    ).toContain('the coverage has no file of model/');
  });

  it.each([
    ['is gone', { text: 'gone' }, 'fits nothing that is missed'],
    ['is taken', { within: '', text: 'function one() {' }, 'fits nothing that is missed'],
    ['stands elsewhere now', { within: 'two' }, 'fits nothing that is missed'],
    ['is explained already', {}, 'is given twice'],
  ])('refuses the reason for a branch that %s', (_, change, says) => {
    const given = [...reasons, { ...reasons[0], reason: 'it was unreachable', ...change } as Reason];
    const short = shortcomings(coverage(given), given);
    expect(short).toHaveLength(3);
    expect(short.at(-1)).toContain(says);
  });

  it('refuses a list of reasons that is none', () => {
    expect(() => readReasons('[{"file":"x"}]', 'r.json')).toThrow('r.json is no list of reasons');
    expect(() => readReasons('[', 'r.json')).toThrow('r.json is not JSON');
  });
});
