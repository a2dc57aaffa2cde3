/** `ringfence attack`: lets random attacks loose on a real target, in lockstep with its specification. */
import { CampaignError } from '../explore/campaign/errors.js';
import { failWith } from './exit.js';
import { nearest } from './nearest.js';
import type { CommonOptions } from './options.js';
import { TARGETS } from './targets.js';

export interface AttackOptions extends CommonOptions {
  readonly qemu: string;
  readonly time: number;
  readonly runs?: number;
  readonly seed: number;
}

/** Runs the command; the exit code. */
export async function attack(target: string, o: AttackOptions): Promise<number> {
  try {
    checkTarget(target);
    return failWith(new CampaignError('RF-INTERNAL', `${target} at ${o.qemu} is not wired up`));
  } catch (thrown) {
    return failWith(thrown);
  }
}

function checkTarget(name: string): void {
  const names = TARGETS.map((t) => t.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const help = near ? `did you mean '${near}'?` : `there is ${names.join(', ')}`;
  throw new CampaignError('RF-TARGET-UNKNOWN', `there is no target '${name}'; ${help}`);
}
