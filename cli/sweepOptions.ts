/** The command line of the sweep of generated mutants. */
import { parseArgs } from 'node:util';
import { CampaignError } from '../explore/campaign/errors.js';
import { checkName } from './suites.js';

export const USAGE = `usage: npm run sweep -- [SUITE...] [--all] [--mutant TEXT]... [--resume]
  SUITE...       tries the mutants of these suites' operations (default: every suite but those of architectures; that takes hours)
  --all          architectures too
  --mutant TEXT  only the mutants whose name contains TEXT, or one of several; what sweep.json says of the others stays
  --resume       leaves out what was noticed before
  -h, --help     prints this
Writes sweep.json. Exit codes: 0, 1 a mutant survives without a reason, or has one and is noticed; 2 usage.`;

/** What is to be tried. */
export interface SweepOptions {
  /** Names of suites; empty: the default ones. */
  readonly suites: readonly string[];
  readonly all: boolean;
  readonly resume: boolean;
  /** Texts of which the name of a mutant must contain one; none: all mutants. */
  readonly mutants: readonly string[];
}

/**
 * Reads the command line.
 * @throws CampaignError RF-OPTION, RF-SUITE-UNKNOWN
 */
export function readSweepOptions(args: readonly string[]): SweepOptions | 'help' {
  const options = {
    all: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    mutant: { type: 'string', multiple: true, default: [] as string[] },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let read: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    read = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (e) {
    // The first sentence says what is wrong; the others are about arguments that begin with a dash.
    const [wrong] = (e instanceof Error ? e.message : String(e)).split('. ');
    throw new CampaignError('RF-OPTION', `${wrong}; see npm run sweep -- --help`);
  }
  const { values, positionals } = read;
  if (values.help) return 'help';
  const mutants = values.mutant ?? [];
  if (mutants.some((text) => text.trim() === ''))
    throw new CampaignError('RF-OPTION', '--mutant takes a part of the name of a mutant, such as back.connect');
  for (const name of positionals) checkName(name);
  return { suites: positionals, all: values.all, resume: values.resume, mutants };
}
