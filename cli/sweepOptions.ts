/** The command line of the sweep of generated mutants. */
import { parseArgs } from 'node:util';
import { CampaignError } from '../explore/campaign/errors.js';
import { checkName } from './suites.js';

export const USAGE = `usage: npm run sweep -- [SUITE...] [--all] [--mutant TEXT] [--resume]
  SUITE...       tries the mutants of these suites' operations (default: every suite but those of architectures; that takes hours)
  --all          architectures too
  --mutant TEXT  only the mutants whose name contains TEXT; what sweep.json says of the others stays
  --resume       leaves out what was noticed before
  -h, --help     prints this
Writes sweep.json. Exit codes: 0, 1 a mutant survives without a reason, or has one and is noticed; 2 usage.`;

/** What is to be tried. */
export interface SweepOptions {
  /** Names of suites; empty: the default ones. */
  readonly suites: readonly string[];
  readonly all: boolean;
  readonly resume: boolean;
  /** Text that names of mutants must contain; empty: all. */
  readonly mutant: string;
}

/**
 * Reads the command line.
 * @throws CampaignError RF-OPTION, RF-SUITE-UNKNOWN
 */
export function readSweepOptions(args: readonly string[]): SweepOptions | 'help' {
  const options = {
    all: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    mutant: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let read: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    read = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (e) {
    throw new CampaignError('RF-OPTION', `${e instanceof Error ? e.message : String(e)}; see npm run sweep -- --help`);
  }
  const { values, positionals } = read;
  if (values.help) return 'help';
  if (args.some((a) => a.startsWith('--mutant')) && values.mutant.trim() === '')
    throw new CampaignError('RF-OPTION', '--mutant takes a part of the name of a mutant, such as back.connect');
  for (const name of positionals) checkName(name);
  return { suites: positionals, all: values.all, resume: values.resume, mutant: values.mutant };
}
