// Lockstep on targets of a few lines, in this process: what it finds, how small, and what it makes of flaky and failing targets.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Disagreement, LockstepOracle, LockstepTarget } from '../drivers/target.js';
import { type LockstepOptions, leaveOut, runLockstep, runProgram } from './lockstep.js';

type Step = 'push' | 'pop' | 'clear' | 'look';
const programs = fc.array(fc.constantFrom<Step>('push', 'pop', 'clear', 'look'), { maxLength: 20 });
const options = (o: Partial<LockstepOptions<Step, number>> = {}): LockstepOptions<Step, number> => ({
  ...{ programs, seed: 1, runs: 500, timeMs: 20_000, ...o },
});

/** A counter that saturates at `limit`, and forgets to clear when `stuck`. */
class Counter implements LockstepTarget<Step, number> {
  private n = 0;
  calls = 0;
  constructor(
    private readonly limit: number,
    private readonly stuck = false,
  ) {}
  reset(): void {
    this.n = 0;
  }
  perform(steps: readonly Step[]): number {
    this.calls++;
    for (const s of steps) {
      if (s === 'push') this.n = Math.min(this.limit, this.n + 1);
      else if (s === 'pop') this.n = Math.max(0, this.n - 1);
      else if (s === 'clear' && !this.stuck) this.n = 0;
    }
    return this.n;
  }
  finish(steps: readonly Step[]): number {
    return this.perform(steps);
  }
}

/** Counts without a limit; pops of nothing are not accepted; only `look` observes. */
class Ideal implements LockstepOracle<Step, number> {
  private n = 0;
  constructor(private readonly known: readonly string[] = []) {}
  reset(): void {
    this.n = 0;
  }
  accepts(step: Step): boolean {
    return step !== 'pop' || this.n > 0;
  }
  advance(step: Step): boolean {
    if (step === 'push') this.n++;
    else if (step === 'pop') this.n--;
    else if (step === 'clear') this.n = 0;
    return step === 'look';
  }
  judge(seen: number): Disagreement | undefined {
    if (seen === this.n) return undefined;
    return {
      mechanism: seen > this.n ? 'too many' : 'too few',
      says: `${seen} instead of ${this.n}`,
      known: this.known,
    };
  }
  finish(seen: number): Disagreement | undefined {
    return this.judge(seen);
  }
}

describe('lockstep', () => {
  it('makes no promise for a target that makes none, and performs steps in batches', () => {
    const target = new Counter(9);
    const result = runProgram<Step, number>(['pop', 'push', 'push', 'look', 'pop', 'clear'], target, new Ideal());
    expect(result).toEqual({
      ...{ performed: ['push', 'push', 'look', 'pop', 'clear'], disagreement: undefined, known: new Map() },
    });
    expect(target.calls).toBe(2);
  });

  it('agrees with a target that is right', async () => {
    const result = await runLockstep(new Counter(100), new Ideal(), options());
    expect(result).toMatchObject({ verdict: 'agrees', programs: 500, findings: [], interrupted: false });
    expect(result.steps).toBeGreaterThan(500);
  });

  it('finds both defects, each as the smallest program', async () => {
    const result = await runLockstep(new Counter(3, true), new Ideal(), options());
    expect(result.verdict).toBe('disagrees');
    const found = Object.fromEntries(result.findings.map((f) => [f.mechanism, f.program]));
    expect(found).toEqual({ 'too many': ['push', 'clear'], 'too few': ['push', 'push', 'push', 'push'] });
    expect(result.findings.every((f) => f.minimal && f.replay === 'agrees')).toBe(true);
  });

  it('keeps known disagreements apart, with the shortest program of each', async () => {
    const result = await runLockstep(new Counter(3), new Ideal(['saturates']), options());
    expect(result).toMatchObject({ verdict: 'agrees', findings: [] });
    expect(result.known.get('saturates')?.times).toBeGreaterThan(1);
    expect(result.known.get('saturates')?.says).toContain('instead of');
  });

  it('says so when a finding does not show again on a fresh target', async () => {
    const result = await runLockstep(new Counter(3), new Ideal(), options({ fresh: (use) => use(new Counter(100)) }));
    expect(result.verdict).toBe('not reproducible');
    expect(result.findings).toMatchObject([{ replay: 'differs', minimal: false }]);
  });

  it('works with promises, throws what the target throws, and stops when asked', async () => {
    const slow: LockstepTarget<Step, number> = {
      reset: async () => {},
      perform: async () => 0,
      finish: async () => {
        throw new Error('gone');
      },
    };
    await expect(runLockstep(slow, new Ideal(), options())).rejects.toThrow('gone');
    let asked = 0;
    const result = await runLockstep(new Counter(100), new Ideal(), options({ shouldStop: () => ++asked > 10 }));
    expect(result.interrupted).toBe(true);
    expect(result.programs).toBeLessThanOrEqual(10);
  });

  it('leaves out every step that is not needed', async () => {
    const needs = async (p: readonly number[]): Promise<boolean> => p.includes(3) && p.includes(7);
    expect(await leaveOut([1, 3, 5, 7, 9], needs)).toEqual([3, 7]);
  });
});
