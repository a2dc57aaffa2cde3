/** Values of options, checked: a bad one is a usage error that says what would be right. */
import { availableParallelism } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { parseShard, type Shard } from '../reports/shards.js';

/** Parses an integer option within bounds. */
export function integer(from: number, to: number) {
  return (text: string): number => {
    const n = Number(text);
    if (!/^-?\d+$/.test(text.trim()) || n < from || n > to) {
      throw new InvalidArgumentError(`Give a whole number from ${from} to ${to}.`);
    }
    return n;
  };
}

/** Parses a time in seconds, with `s`, `m` or `h` behind it if wanted; milliseconds come back. */
export function duration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text.trim());
  const ms = found ? Number(found[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[(found[2] ?? 's') as 's' | 'm' | 'h'] : 0;
  if (!found || ms < 100 || ms > 86_400_000)
    throw new InvalidArgumentError('Give seconds, or 90s, 5m, 2h; at most a day.');
  return ms;
}

/** Parses `2/5`. */
export function shard(text: string): Shard {
  const found = parseShard(text);
  if (!found) throw new InvalidArgumentError('Give i/n, such as 2/5.');
  return found;
}

export interface CommonOptions {
  readonly out: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export interface VerifyOptions extends CommonOptions {
  readonly scope?: string;
  readonly time?: number;
  readonly runs: number;
  readonly seed: number;
  readonly workers: number;
  readonly patience: number;
  readonly resume: boolean;
  readonly verbose: boolean;
  readonly shard?: Shard;
}

export const DEFAULTS = {
  out: 'ringfence-report',
  baseline: 'ringfence-baseline.json',
  runs: 500,
  seed: 1,
  workers: Math.min(64, availableParallelism()),
  /** Milliseconds without a sign of life after which a suite is taken to hang. */
  patienceMs: 60_000,
} as const;
