/**
 * The config file: defaults for a project, so that nobody types them twice. What is typed wins. A key that is unknown, or has a value that
 * it cannot have, is named together with the file.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { CampaignError } from '../explore/campaign/errors.js';
import { duration } from './options.js';

export const CONFIG_FILE = 'ringfence.config.json';

const time = z.string().refine((text) => {
  try {
    return duration(text) > 0;
  } catch {
    return false;
  }
}, 'give seconds, or 90s, 5m, 2h');

const config = z.strictObject({
  $schema: z.string().optional(),
  suites: z
    .array(z.string().min(1))
    .meta({ description: 'names, or paths of modules from the folder of this file' })
    .optional(),
  scope: z.string().min(1).meta({ description: 'small, default, large, or sizes: domain=3,frame=2' }).optional(),
  time: time.meta({ description: 'time for everything: 90s, 5m, 2h' }).optional(),
  runs: z.int().min(0).max(10_000_000).meta({ description: 'random runs of each suite' }).optional(),
  seed: z.int().min(0).max(0x7fffffff).optional(),
  workers: z.int().min(1).max(64).optional(),
  out: z.string().min(1).meta({ description: 'folder of the report, from the folder of this file' }).optional(),
  baseline: z.string().min(1).meta({ description: 'the committed baseline, from the folder of this file' }).optional(),
});

/** The config with its paths absolute and its time in milliseconds. */
export type Config = Readonly<Omit<z.infer<typeof config>, 'time'>> & { readonly time?: number };

/** JSON schema of the config file. */
export function configSchemaText(): string {
  const schema = z.toJSONSchema(config, { target: 'draft-2020-12', unrepresentable: 'any' });
  return `${JSON.stringify({ title: 'Ringfence config', ...schema }, undefined, 2)}\n`;
}

/**
 * The config of a folder, with paths made absolute; an empty one when there is no file.
 * @throws CampaignError RF-CONFIG, with file and key
 */
export function readConfig(folder: string): Config {
  const path = join(folder, CONFIG_FILE);
  if (!existsSync(path)) return {};
  const bad = (what: string): never => {
    throw new CampaignError('RF-CONFIG', `${CONFIG_FILE}: ${what}`);
  };
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (thrown) {
    return bad(`not JSON (${thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown)})`);
  }
  const parsed = config.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    if (issue?.code === 'unrecognized_keys')
      return bad(`'${issue.keys[0]}' is no key; there are ${Object.keys(config.shape).join(', ')}`);
    const key = issue?.path.join('.') ?? '';
    return bad(`${key === '' ? 'the file' : `'${key}'`}: ${issue?.message ?? ''}`);
  }
  const at = dirname(path);
  const { suites, out, baseline, time: limit, ...rest } = parsed.data;
  const isModule = (s: string): boolean => /[\\/]/.test(s) || /\.[cm]?js$/.test(s);
  return {
    ...rest,
    ...(limit !== undefined && { time: duration(limit) }),
    ...(suites && { suites: suites.map((s) => (isModule(s) ? resolve(at, s) : s)) }),
    ...(out !== undefined && { out: resolve(at, out) }),
    ...(baseline !== undefined && { baseline: resolve(at, baseline) }),
  };
}
