/** The command line of the bench. */
import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run bench -- [--quick] [--runs K] [--json] [--require-peers]
  --quick          small sizes, for a look at the counts; rates of so short runs mean little
  --runs K         runs of each engine, 1 to 99; medians are printed (default 3)
  --json           figures as JSON on standard output, progress on standard error
  --require-peers  exit code 3 when SPIN, Rumur or gcc is missing`;

/** How the bench is run. */
export interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly requirePeers: boolean;
  readonly runs: number;
}

/** The command line is wrong; the message is one line. */
export class UsageError extends Error {}

/**
 * Reads the command line.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | 'help' {
  const options = {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'require-peers': { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    values = parseArgs({ args: [...args], options }).values;
  } catch (e) {
    throw new UsageError(e instanceof Error ? e.message : String(e));
  }
  if (values.help) return 'help';
  if (!/^[1-9]\d?$/.test(values.runs)) throw new UsageError(`--runs takes a number from 1 to 99, not '${values.runs}'`);
  return {
    quick: values.quick,
    json: values.json,
    requirePeers: values['require-peers'],
    runs: Number(values.runs),
  };
}
