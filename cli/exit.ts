/** Exit codes, and the one way in which the command tells of an error. */
import { stderr } from 'node:process';
import { type Blame, CampaignError, explain } from '../explore/campaign/errors.js';
import { printable } from '../reports/text.js';

export const EXIT = {
  holds: 0,
  /** A property broke, a counterpart held, or a claim was checked in vain. */
  broken: 1,
  usage: 2,
  /** A target or the environment failed, or the time was up before every claim was exercised. */
  environment: 3,
  /** Ctrl-C, and nothing had broken so far. */
  interrupted: 130,
} as const;

export function exitCodeOf(blame: Blame): number {
  return blame === 'usage' ? EXIT.usage : EXIT.environment;
}

/** One line on standard error. */
export function complain(code: string, says: string): void {
  stderr.write(`${code}: ${printable(says)}\n`);
}

/** Tells of whatever was thrown, in one line; the exit code for it. */
export function failWith(thrown: unknown): number {
  if (thrown instanceof CampaignError) {
    complain(thrown.code, thrown.says);
    return exitCodeOf(thrown.blame);
  }
  const { code, blame, says } = explain(thrown, 'RF-INTERNAL');
  complain(code, says);
  if (code === 'RF-INTERNAL' && process.env.RINGFENCE_DEBUG && thrown instanceof Error)
    stderr.write(`${thrown.stack}\n`);
  return exitCodeOf(blame);
}
