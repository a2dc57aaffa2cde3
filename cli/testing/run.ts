/** Runs the built command in a child process, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

/** The build that is tested: dist/, or another one that is named by RINGFENCE_TEST_DIST. */
const DIST = process.env.RINGFENCE_TEST_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));
const MAIN = join(DIST, 'cli/main.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the interruption (or the start, without one) to the end, in milliseconds. */
  readonly tookMs: number;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Send SIGINT after this time, in milliseconds. */
  readonly interruptAfterMs?: number;
  /** Largest file that the command may write, in KiB. */
  readonly maxFileKiB?: number;
}

/** Path of a compiled fixture. */
export function fixture(name: string): string {
  return join(DIST, `cli/fixtures/${name}.js`);
}

/** Runs `ringfence` with these arguments. */
export function ringfence(args: readonly string[], o: RunOptions): Promise<Ended> {
  const limit = `ulimit -f ${o.maxFileKiB}; exec "$0" "$@"`;
  const [program, given] =
    o.maxFileKiB === undefined ? [execPath, [MAIN, ...args]] : ['bash', ['-c', limit, execPath, MAIN, ...args]];
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...o.env };
    const child = spawn(program, given, { cwd: o.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let from = performance.now();
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (d) => {
      stdout += d;
    });
    child.stderr.on('data', (d) => {
      stderr += d;
    });
    const timer =
      o.interruptAfterMs === undefined
        ? undefined
        : setTimeout(() => {
            from = performance.now();
            child.kill('SIGINT');
          }, o.interruptAfterMs);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr, tookMs: performance.now() - from });
    });
  });
}

/** A fresh folder; call `remove` at the end. */
export function freshFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
