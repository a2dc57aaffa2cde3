/** Medians, the check that all engines counted the same, ratios, targets, and how they read. */
import { describe, expect, it } from 'vitest';
import { compare, type EngineName, type EngineRun, median } from './figures.js';
import { type BenchModel, knownCounts } from './models.js';
import { renderModel } from './table.js';

const model: BenchModel = { kind: 'two-phase', n: 3 };
const unknown: BenchModel = { kind: 'two-phase', n: 4 };

const run = (seconds: number, o: Partial<EngineRun> = {}): EngineRun => ({
  states: 288,
  transitions: 1_146,
  seconds,
  vectorBytes: 16,
  storeBytes: 288 * 30,
  peakBytes: 1024 * 1024,
  ...o,
});

const runs = (of: Partial<Record<EngineName, EngineRun[]>>): Map<EngineName, EngineRun[]> =>
  new Map(Object.entries(of) as [EngineName, EngineRun[]][]);

describe('knownCounts', () => {
  it('multiplies independent rings', () => {
    const ring = { kind: 'ring', size: 2, index: 4, payloads: 1 } as const;
    expect(knownCounts({ ...ring, pairs: 1 })).toEqual({ states: 1_092, transitions: 2_145 });
    expect(knownCounts({ ...ring, pairs: 2 })).toEqual({ states: 1_192_464, transitions: 4_682_497 });
    expect(knownCounts({ ...ring, size: 8, index: 16, pairs: 1 })).toBeUndefined();
  });
});

describe('median', () => {
  it('takes the middle, and the lower of two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2);
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('compare', () => {
  const large: BenchModel = { kind: 'two-phase', n: 8 };
  const largeRun = (overheadBytes: number): EngineRun =>
    run(1, { states: 1_745_408, transitions: 18_507_778, storeBytes: 1_745_408 * (16 + overheadBytes) });

  it('judges memory where there are enough states to judge it by', () => {
    expect(compare(large, runs({ ringfence: [largeRun(16)] })).memoryTargetMet).toBe(true);
    expect(compare(large, runs({ ringfence: [largeRun(17)] })).memoryTargetMet).toBe(false);
    expect(compare(model, runs({ ringfence: [run(1)] })).memoryTargetMet).toBeUndefined();
  });

  it('gives ratios of medians and a verdict', () => {
    const f = compare(model, runs({ ringfence: [run(3), run(1), run(2)], spin: [run(4)], rumur: [run(5)] }));
    expect(f.disagreements).toEqual([]);
    expect(f.ratios).toEqual({ spin: 2, rumur: 2.5 });
    expect(f.rateTargetMet).toBe(true);
  });

  it('misses the targets when they are missed', () => {
    const slow = compare(model, runs({ ringfence: [run(1)], spin: [run(1.4)] }));
    expect(slow.rateTargetMet).toBe(false);
    expect(renderModel(slow)).toMatch(/MISSED: at least 1.5 times SPIN's/);
    const wide = compare(large, runs({ ringfence: [largeRun(17)] }));
    expect(renderModel(wide)).toMatch(/MISSED: at most the packed state/);
  });

  it('prints no ratio when an engine counts differently', () => {
    const f = compare(model, runs({ ringfence: [run(1)], spin: [run(2, { transitions: 1_145 })] }));
    expect(f.ratios).toEqual({});
    expect(f.disagreements).toEqual([
      'spin counted 288 states, 1145 transitions; the known counts are 288 states, 1146 transitions',
    ]);
    expect(renderModel(f)).toMatch(/COUNTS DIFFER/);
    expect(renderModel(f)).not.toMatch(/ x$/m);
  });

  it('sees engines that all agree on a wrong count, and one that disagrees with itself', () => {
    const wrong = { states: 287 };
    const all = compare(model, runs({ ringfence: [run(1, wrong)], spin: [run(1, wrong)] }));
    expect(all.disagreements).toHaveLength(2);
    const self = compare(unknown, runs({ ringfence: [run(1), run(1, wrong)] }));
    expect(self.disagreements).toEqual([expect.stringMatching(/^ringfence disagrees with itself/)]);
  });

  it('compares engines with each other where nothing is known', () => {
    const f = compare(unknown, runs({ ringfence: [run(1)], rumur: [run(1, { states: 289 })] }));
    expect(f.disagreements).toEqual([expect.stringMatching(/^rumur counted 289 .* ringfence counted 288/)]);
  });

  it('has no verdict on rates without SPIN', () => {
    const f = compare(model, runs({ ringfence: [run(1)] }));
    expect(f.rateTargetMet).toBeUndefined();
    expect(renderModel(f)).toMatch(/no peer to compare with/);
  });
});
