/** Coverage from lcov, and the list of branches that nothing takes with their reasons. */
import { describe, expect, it } from 'vitest';
import { coverageOf, readLcov, readReasons, shortcomings } from './coverage.js';
import { linesSection } from './html/linesSection.js';

const LCOV = `TN:
SF:model/b.ts
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

const sources: Readonly<Record<string, string>> = { 'model/b.ts': 'one\n  two <b>\n' };
const reasons = [{ file: 'model/b.ts', line: 'two <b>', reason: 'the scope has one device only' }];

describe('coverage', () => {
  const files = readLcov(LCOV, (f) => f.startsWith('model/'));

  it('reads lcov', () => {
    expect(files.map((f) => f.file)).toEqual(['model/a.ts', 'model/b.ts']);
    expect(files[1]).toMatchObject({
      lines: { found: 2, hit: 1 },
      branches: { found: 3, hit: 1 },
      missedBranches: [2],
      missedLines: [2],
    });
  });

  it('lists every branch that is missed, with its reason', () => {
    const c = coverageOf(files, reasons, (f) => sources[f]);
    expect(c.holes).toEqual([{ file: 'model/b.ts', line: 2, text: 'two <b>', reason: reasons[0]?.reason }]);
    expect(c.lines).toBeCloseTo(66.67, 1);
    expect(linesSection(c).text).toContain('two &#60;b&#62;');
  });

  it('tells what falls short, of branches without a reason, and of reasons without a branch', () => {
    const bare = coverageOf(files, [], (f) => sources[f]);
    expect(shortcomings(bare, [])).toHaveLength(3);
    const old = [...reasons, { file: 'model/b.ts', line: 'gone', reason: 'it was unreachable' }];
    expect(
      shortcomings(
        coverageOf(files, old, (f) => sources[f]),
        old,
      ).at(-1),
    ).toContain("'gone'");
  });

  it('refuses a list of reasons that is none', () => {
    expect(() => readReasons('[{"file":"x"}]', 'r.json')).toThrow('r.json is no list of reasons');
    expect(() => readReasons('[', 'r.json')).toThrow('r.json is not JSON');
  });
});
