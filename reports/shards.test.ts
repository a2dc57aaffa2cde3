/** Shards: every suite in exactly one part, and a whole that is what one run would have told; a missing part is no pass. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Report, reportText } from './report.js';
import { brokenLendingSuite, lendingSuite } from './samples/lendingSuite.js';
import { sampleReport } from './samples/sampleReport.js';
import { inShard, mergeReports, parseShard } from './shards.js';

const names = ['a', 'b', 'c'];

describe('shards', () => {
  let whole: Report;
  beforeAll(async () => {
    const suites = [lendingSuite({ name: 'a' }), brokenLendingSuite('b'), lendingSuite({ name: 'c' })];
    whole = (await sampleReport(suites, 'small')).report;
  });

  const part = (index: number, of: number): { name: string; report: Report } => {
    const suites = inShard(whole.suites, { index, of });
    const verdict = suites.some((s) => s.findings.length > 0) ? 'broken' : 'holds';
    return { name: `part ${index}`, report: { ...whole, suites, verdict, shard: { index, of, suites: names } } };
  };

  it('makes the whole run of its parts, in any order, byte for byte', () => {
    const merged = mergeReports([part(2, 2), part(1, 2)]);
    expect(reportText(merged)).toBe(reportText(whole));
  });

  it('takes parts without suites', () => {
    const parts = [1, 2, 3, 4, 5].map((i) => part(i, 5));
    expect(reportText(mergeReports(parts))).toBe(reportText(whole));
  });

  it('refuses a missing part', () => {
    expect(() => mergeReports([part(1, 3), part(3, 3)])).toThrow('RF-SHARD: shard 2/3 is missing');
    expect(() => mergeReports([])).toThrow('nothing to merge');
  });

  it('refuses a part that is double, whole, of another run, or short of a suite', () => {
    expect(() => mergeReports([part(1, 2), part(1, 2)])).toThrow('both shard 1/2');
    expect(() => mergeReports([{ name: 'w', report: whole }])).toThrow('whole run');
    const other = part(2, 2);
    const reseeded = { ...other, report: { ...other.report, inputs: { ...whole.inputs, seed: 9 } } };
    expect(() => mergeReports([part(1, 2), reseeded])).toThrow('differ in seed');
    const short = { ...other, report: { ...other.report, suites: [] } };
    expect(() => mergeReports([part(1, 2), short])).toThrow("no shard has the suite 'b'");
  });

  it('reads i/n', () => {
    expect(parseShard('2/5')).toEqual({ index: 2, of: 5 });
    for (const bad of ['0/5', '6/5', '1', '1/0', 'x/2', '1/2/3']) expect(parseShard(bad)).toBeUndefined();
  });

  it('deals every suite to exactly one part', () => {
    const all = Array.from({ length: 11 }, (_, i) => i);
    expect([1, 2, 3].flatMap((index) => inShard(all, { index, of: 3 })).sort((a, b) => a - b)).toEqual(all);
  });
});
