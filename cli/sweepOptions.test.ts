/** The command line of the sweep: what it means, and what is refused before anything is tried. */
import { describe, expect, it } from 'vitest';
import { CampaignError } from '../explore/campaign/errors.js';
import { readSweepOptions } from './sweepOptions.js';

/** Code and line with which the arguments are refused. */
function refusal(...args: string[]): string {
  try {
    readSweepOptions(args);
  } catch (e) {
    if (e instanceof CampaignError) return `${e.code} ${e.blame}: ${e.says}`;
    throw e;
  }
  return 'accepted';
}

describe('the command line of the sweep', () => {
  it('reads suites, a part of a name, and what to leave out', () => {
    expect(readSweepOptions([])).toEqual({ suites: [], all: false, resume: false, mutants: [] });
    expect(readSweepOptions(['block', 'ring', '--resume', '--mutant', 'without the guard'])).toEqual({
      suites: ['block', 'ring'],
      all: false,
      resume: true,
      mutants: ['without the guard'],
    });
    expect(readSweepOptions(['--all', '--mutant=back.connect', '--mutant', 'front.'])).toMatchObject({
      all: true,
      mutants: ['back.connect', 'front.'],
    });
  });

  it('asks for help and tries nothing', () => {
    expect(readSweepOptions(['--help'])).toBe('help');
    expect(readSweepOptions(['block', '-h'])).toBe('help');
  });

  it('refuses what it does not know, in one line', () => {
    expect(refusal('--hlep')).toMatch(/^RF-OPTION usage: .*--hlep.*--help$/);
    expect(refusal('blok')).toMatch(/^RF-SUITE-UNKNOWN usage: .*did you mean 'block'/);
    expect(refusal('--mutant')).toMatch(/^RF-OPTION usage: .*--mutant/);
    expect(refusal('--mutant', '')).toMatch(/^RF-OPTION usage: --mutant takes/);
    for (const args of [['--hlep'], ['blok'], ['--mutant', '']]) expect(refusal(...args)).not.toContain('\n');
  });
});
