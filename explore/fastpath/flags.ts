/** The flags of the measuring processes. V8's flags come and go with its versions: one that this Node does not know is left out. */
import { execFileSync } from 'node:child_process';

const COMMON = [
  '--expose-gc',
  '--allow-natives-syntax',
  '--single-threaded',
  '--no-lazy-feedback-allocation',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
] as const;

export type GateName = 'A' | 'B';

/** Gate A interprets everything, gate B runs V8's default tiers. */
export function wantedFlags(gate: GateName): readonly string[] {
  return gate === 'A' ? [...COMMON, '--jitless'] : COMMON;
}

/** The flags of a gate that this V8 knows, from what `node --v8-options` prints. */
export function knownFlags(wanted: readonly string[], v8Options: string): readonly string[] {
  const names = new Set([...v8Options.matchAll(/^\s*--([a-z0-9_-]+)/gm)].map((found) => plain(found[1] ?? '')));
  return wanted.filter((flag) => names.has(plain(flag)));
}

/** `--no-lazy_x=1` -> `lazy-x`. */
function plain(flag: string): string {
  return flag.replace(/^--/, '').replace(/=.*$/, '').replaceAll('_', '-').replace(/^no-/, '');
}

/** What `node --v8-options` prints. */
export function v8Options(): string {
  return execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8', maxBuffer: 16 << 20, env: {} });
}
