/**
 * Runs a program to its end for the bench: pinned to one core where the system can, with wall clock and peak memory.
 * Nothing outlives the bench: a child that exceeds its time is killed, and its failure has a code.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { PeerError } from './peerOutput.js';

export interface Finished {
  /** Standard output, then standard error. */
  readonly text: string;
  readonly exitCode: number;
  /** Wall clock from start to exit, in seconds. */
  readonly wallSeconds: number;
  /** Largest resident set seen, in bytes; sampled from /proc, undefined elsewhere or when the child ended before a sample. */
  readonly peakBytes: number | undefined;
}

export interface RunOptions {
  /** Core to stay on; undefined: the scheduler's choice. */
  readonly core?: number | undefined;
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

const SAMPLE_MS = 20;
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

let taskset: boolean | undefined;

/** Whether `taskset` can pin a process here. */
export function canPin(): boolean {
  taskset ??= spawnSync('taskset', ['-c', String(lastCore() ?? 0), 'true']).status === 0;
  return taskset;
}

/** The last core that this process may use (the first ones tend to serve interrupts); undefined when the system does not say. */
export function lastCore(): number | undefined {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    const last = Number(list?.split(/[,-]/).at(-1));
    return Number.isInteger(last) ? last : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a program of that name can be started. `versionFlag` must make it end at once. */
export function isInstalled(program: string, versionFlag: string): boolean {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined;
}

function peakOf(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined; // no /proc here, or the child has just ended
  }
}

/**
 * Runs `program` to its end; a non-zero exit code is the caller's to judge.
 * @throws PeerError `RF-PEER-MISSING` when it cannot be started, `RF-PEER-FAILED` when it was killed or took too long.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const pinned = options.core !== undefined && canPin();
  const command = pinned ? 'taskset' : program;
  const words = pinned ? ['-c', String(options.core), program, ...args] : [...args];
  return new Promise((resolve, reject) => {
    const begin = process.hrtime.bigint();
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd });
    let out = '';
    let err = '';
    let peakBytes: number | undefined;
    let late = false;
    child.stdout.setEncoding('utf8').on('data', (s: string) => {
      if (out.length < OUTPUT_LIMIT_BYTES) out += s;
    });
    child.stderr.setEncoding('utf8').on('data', (s: string) => {
      if (err.length < OUTPUT_LIMIT_BYTES) err += s;
    });
    const sampler = setInterval(() => {
      if (child.pid !== undefined) peakBytes = peakOf(child.pid) ?? peakBytes;
    }, SAMPLE_MS);
    const limit = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 600_000);
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    const done = (): void => {
      clearInterval(sampler);
      clearTimeout(limit);
      process.removeListener('exit', endWithUs);
    };
    child.once('error', (e: NodeJS.ErrnoException) => {
      done();
      const missing = e.code === 'ENOENT';
      reject(
        new PeerError(
          missing ? 'RF-PEER-MISSING' : 'RF-PEER-FAILED',
          missing ? `${program} is not installed` : `${program} could not be started: ${e.message}`,
        ),
      );
    });
    child.once('close', (exitCode, signal) => {
      done();
      const wallSeconds = Number(process.hrtime.bigint() - begin) / 1e9;
      if (late || exitCode === null) {
        const why = late ? 'took too long and was ended' : `was killed by ${signal ?? 'a signal'}`;
        reject(new PeerError('RF-PEER-FAILED', `${program} ${why} after ${wallSeconds.toFixed(1)} s`));
      } else resolve({ text: `${out}\n${err}`, exitCode, wallSeconds, peakBytes });
    });
  });
}
