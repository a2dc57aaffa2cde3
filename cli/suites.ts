/** Which suites a command line means: names of embedded ones, or paths of modules. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { embeddedSuites } from '../drivers/catalogue.js';
import { describeSources, type SourceError } from '../explore/campaign/campaign.js';
import type { SuiteDescription, SuiteSource } from '../explore/campaign/described.js';
import { CampaignError } from '../explore/campaign/errors.js';
import { nearest } from './nearest.js';

/** Whether an argument names a file and not an embedded suite. */
export function isPath(argument: string): boolean {
  return /[\\/]/.test(argument) || /\.[cm]?[jt]s$/.test(argument);
}

/** The source of a module's suites. @throws CampaignError RF-SUITE-MODULE */
export function moduleAt(path: string): SuiteSource {
  const full = resolve(path);
  if (/\.[cm]?ts$/.test(path)) {
    throw new CampaignError('RF-SUITE-MODULE', `${path} is TypeScript; compile it with tsc and name the .js file`);
  }
  if (!existsSync(full) || !statSync(full).isFile()) {
    throw new CampaignError('RF-SUITE-MODULE', `${path} is not a file; name a .js or .mjs module that exports suites`);
  }
  return { kind: 'module', path: full };
}

/** Checks a name of an embedded suite. @throws CampaignError RF-SUITE-UNKNOWN, with the nearest name */
export function checkName(name: string): void {
  const names = embeddedSuites.map((s) => s.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const help = near ? `did you mean '${near}'?` : "see 'ringfence list', or give the path of a module";
  throw new CampaignError('RF-SUITE-UNKNOWN', `there is no suite '${name}'; ${help}`);
}

/**
 * The suites that the arguments mean; all embedded ones when there are none.
 * Modules that cannot be loaded come back as errors, and take nobody else down.
 */
export async function suitesFor(
  args: readonly string[],
  options: { workers: number; patienceMs: number; onOutput: (text: string) => void },
  signal?: AbortSignal,
): Promise<{ suites: SuiteDescription[]; errors: SourceError[] }> {
  const names = args.filter((a) => !isPath(a));
  for (const name of names) checkName(name);
  const sources: SuiteSource[] = [...new Set(args.filter(isPath))].map(moduleAt);
  if (args.length === 0 || names.length > 0) sources.unshift({ kind: 'embedded' });
  const found = await describeSources(sources, options, signal);
  const wanted = (s: SuiteDescription): boolean =>
    s.source.kind === 'module' || args.length === 0 || names.includes(s.name);
  const suites = found.suites.filter(wanted);
  const seen = new Set<string>();
  for (const { name } of suites) {
    if (seen.has(name))
      throw new CampaignError('RF-SUITE-MODULE', `two suites are named '${name}'; run them one at a time`);
    seen.add(name);
  }
  return { suites, errors: found.errors };
}
