// Starting and ending a QEMU. Whatever happens to us, the child and its temporary files go too: on the normal path, at an
// exception, at process exit, and (through a guard process that waits for our end of a pipe to close) when we are killed outright.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TargetError } from './errors.js';

/** Oldest major version that the harness was made for. */
export const OLDEST_QEMU_MAJOR = 7;

/** What a QEMU binary is and can do. */
export interface QemuInfo {
  readonly path: string;
  readonly version: string;
  /** Whether it has the qtest accelerator: then there is no processor at all and the harness owns the clock. */
  readonly qtestAccel: boolean;
}

export interface StartOptions {
  /** `-device` arguments, in order. */
  readonly devices: readonly string[];
  readonly memoryMiB?: number;
  /** How long QEMU may take until it connects to our socket. */
  readonly timeoutMs?: number;
}

/** Prints `args` and gives what the program printed; RF-QEMU-MISSING if it cannot be run. */
function ask(path: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, [...args], { timeout: 10_000, encoding: 'utf8' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else {
        const reason =
          error.code === 'ENOENT' ? 'not found' : `cannot be run (${error.code ?? error.signal ?? 'unknown'})`;
        reject(
          new TargetError(
            'RF-QEMU-MISSING',
            `${path} ${reason}; install qemu-system-x86 or name a binary with --qemu PATH`,
          ),
        );
      }
    });
  });
}

/**
 * Finds and questions a QEMU: `path`, or `qemu-system-x86_64` on PATH.
 * @throws TargetError RF-QEMU-MISSING if it is absent or no QEMU, RF-QEMU-TOO-OLD below version 7.0.
 */
export async function locateQemu(path = 'qemu-system-x86_64'): Promise<QemuInfo> {
  const banner = await ask(path, ['--version']);
  const found = /QEMU emulator version (\d+)\.(\d+)(?:\.(\d+))?/.exec(banner);
  if (found === null) {
    throw new TargetError(
      'RF-QEMU-MISSING',
      `${path} does not say that it is a QEMU; name a qemu-system-x86_64 with --qemu PATH`,
    );
  }
  const version = [found[1], found[2], found[3] ?? '0'].join('.');
  if (Number(found[1]) < OLDEST_QEMU_MAJOR) {
    throw new TargetError(
      'RF-QEMU-TOO-OLD',
      `${path} is version ${version}; ${OLDEST_QEMU_MAJOR}.0 or newer is needed`,
    );
  }
  return { path, version, qtestAccel: await hasQtestAccel(path) };
}

/**
 * Whether a machine starts under the qtest accelerator. It has to be tried: `-accel help` leaves this one out on purpose ("used for tests
 * only", system/vl.c). The machine is the empty one, and its monitor is told to quit at once.
 */
function hasQtestAccel(path: string): Promise<boolean> {
  const machine = ['-M', 'none', '-accel', 'qtest', '-nodefaults', '-display', 'none', '-S', '-monitor', 'stdio'];
  return new Promise((resolve) => {
    const child = execFile(path, machine, { timeout: 10_000, killSignal: 'SIGKILL' }, (error) =>
      resolve(error === null),
    );
    child.stdin?.on('error', () => {}); // it may have refused, and gone, before it is told
    child.stdin?.end('quit\n');
  });
}

/** A boot image that halts the processor at its reset vector, 16 bytes below the top: cli; hlt; jmp back to hlt. */
export function haltImage(): Buffer {
  const image = Buffer.alloc(0x10000);
  image.set([0xfa, 0xf4, 0xeb, 0xfd], 0xfff0);
  return image;
}

/**
 * The arguments of a machine without firmware work: an x86 q35 that halts at once, and a qtest socket.
 * Without the qtest accelerator, instruction counting with sleep off lets virtual time jump to the next timer; the HPET and the PIT are
 * left out because their ticks would make it jump for nothing, all day.
 */
export function machineArguments(info: QemuInfo, folder: string, options: StartOptions): string[] {
  const clock = info.qtestAccel ? ['-accel', 'qtest'] : ['-accel', 'tcg', '-icount', 'shift=10,sleep=off'];
  return [
    ...['-M', 'q35,kernel-irqchip=split,hpet=off,pit=off,smbus=off,sata=off', ...clock],
    ...['-bios', join(folder, 'halt.bin'), '-pidfile', join(folder, 'pid')],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-m', `${options.memoryMiB ?? 64}M`],
    ...options.devices.flatMap((device) => ['-device', device]),
    ...['-qtest', `unix:${join(folder, 'qtest')}`, '-qtest-log', 'none'],
  ];
}

/**
 * The guard: a shell in its own session that waits until its standard input closes, which is when we are gone however that came about;
 * then it kills the QEMU named by the pid file in folder $1, if that folder is still there, and removes the folder.
 */
export const GUARD_SCRIPT =
  'cat >/dev/null; for i in 1 2 3 4 5; do [ -d "$1" ] || exit 0; if [ -s "$1/pid" ]; then kill -KILL "$(cat "$1/pid")"; break; fi; sleep 0.2; done 2>/dev/null; rm -rf -- "$1"';

/** Every QEMU alive, so that process exit can take them along. */
const alive = new Set<QemuProcess>();
let exitHookInstalled = false;

/** A running QEMU, its qtest socket, and the promise that it will not outlive us. */
export class QemuProcess {
  /** Why it is no longer usable; undefined while it is. */
  private ending: TargetError | undefined;
  private readonly endListeners = new Set<(why: TargetError) => void>();
  private stderrTail = '';

  private constructor(
    readonly info: QemuInfo,
    readonly folder: string,
    private readonly child: ChildProcess,
    private readonly guard: ChildProcess,
    readonly socket: Socket,
  ) {}

  /**
   * Starts a machine and waits for its connection.
   * @throws TargetError RF-QEMU-START, with QEMU's own last words.
   */
  static async start(info: QemuInfo, options: StartOptions): Promise<QemuProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-qemu-'));
    let guard: ChildProcess | undefined;
    let child: ChildProcess | undefined;
    let server: Server | undefined;
    try {
      writeFileSync(join(folder, 'halt.bin'), haltImage());
      const listening = await listen(join(folder, 'qtest'));
      server = listening;
      // Sessions of their own: an interrupt from the terminal is for us to handle, the children end when we say so.
      guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'sh', folder], {
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      guard.on('error', () => {});
      guard.unref();
      const started = spawn(info.path, machineArguments(info, folder, options), {
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      let tail = '';
      started.stderr?.on('data', (text: Buffer) => {
        tail = (tail + text.toString('utf8')).slice(-8000);
        if (self !== undefined) self.stderrTail = tail;
      });
      let self: QemuProcess | undefined;
      const socket = await firstConnection(listening, started, options.timeoutMs ?? 10_000, () => lastWords(tail));
      self = new QemuProcess(info, folder, started, guard, socket);
      self.watch();
      server.close();
      return self;
    } catch (error) {
      child?.kill('SIGKILL');
      server?.close();
      rmSync(folder, { recursive: true, force: true });
      guard?.stdin?.end();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Calls back once with the reason when this QEMU is gone; at once if it already is. */
  onEnd(listener: (why: TargetError) => void): void {
    if (this.ending !== undefined) listener(this.ending);
    else this.endListeners.add(listener);
  }

  /** Ends QEMU without asking it, removes its files, releases the guard. Safe to call twice; synchronous, so fit for exit handlers. */
  kill(): void {
    this.end(new TargetError('RF-QEMU-DIED', 'it was stopped by the harness'));
  }

  private watch(): void {
    if (!exitHookInstalled) {
      exitHookInstalled = true;
      process.on('exit', () => {
        for (const qemu of [...alive]) qemu.kill();
      });
    }
    alive.add(this);
    // An idle machine must not keep the program from ending; a pending request does, through its timer.
    this.child.unref();
    this.socket.unref();
    (this.child.stderr as Socket | null)?.unref();
    this.child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      this.end(new TargetError('RF-QEMU-DIED', `QEMU ended with ${how}${lastWords(this.stderrTail)}`));
    });
    // Its exit follows the close within a moment and says more; do not wait for it for ever, though.
    const closed = (): void => {
      setTimeout(
        () => this.end(new TargetError('RF-QEMU-DIED', `QEMU closed its socket${lastWords(this.stderrTail)}`)),
        50,
      );
    };
    this.socket.once('close', closed);
    this.socket.on('error', () => {});
  }

  private end(why: TargetError): void {
    if (this.ending !== undefined) return;
    this.ending = why;
    alive.delete(this);
    this.child.kill('SIGKILL');
    this.socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
    this.guard.stdin?.destroy();
    for (const listener of this.endListeners) listener(why);
    this.endListeners.clear();
  }
}

/** What QEMU said of its end: a failed assertion or a hardware error if there is one (a register dump may follow it), else its last line. */
function lastWords(text: string): string {
  const lines = text.trim().split('\n');
  const line = lines.findLast((each) => /assert|hardware error/i.test(each)) ?? lines.pop() ?? '';
  return line === '' ? '' : `: ${line}`;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function firstConnection(server: Server, child: ChildProcess, timeoutMs: number, why: () => string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      clearTimeout(timer);
      reject(new TargetError('RF-QEMU-START', message));
    };
    const timer = setTimeout(() => fail(`QEMU was not ready within ${timeoutMs} ms${why()}`), timeoutMs);
    server.once('connection', (socket) => {
      // QEMU connects before it makes its devices: only an answer to a first request shows that the machine stands.
      let heard = '';
      const listen = (chunk: Buffer): void => {
        heard += chunk.toString('latin1');
        if (!heard.endsWith('\n') || !/^OK/m.test(heard)) return;
        clearTimeout(timer);
        socket.off('data', listen);
        resolve(socket);
      };
      socket.on('error', () => {});
      socket.on('data', listen);
      socket.write('readb 0x0\n');
    });
    child.once('error', (error) => fail(`QEMU cannot be started: ${error.message}`));
    // Its last words may still be in the pipe: 'close' comes after them, 'exit' may not.
    child.once('close', (code, signal) =>
      fail(`QEMU ended before it was ready (${signal ?? `exit code ${code}`})${why()}`),
    );
  });
}
