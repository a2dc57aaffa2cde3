// Life and death of the QEMU child: found or not, killed, stopped, orphaned. Files and processes must be gone in every case.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TargetError } from './errors.js';
import { GUARD_SCRIPT, haltImage, locateQemu, machineArguments, type QemuInfo, QemuProcess } from './process.js';
import { Qtest } from './qtest.js';

const scratch = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
let info: QemuInfo;
beforeAll(async () => {
  info = await locateQemu();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const code = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof TargetError) return error.code;
    throw error;
  }
  return 'none';
};

const script = (name: string, body: string): string => {
  const path = join(scratch, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
};

/** Alive, and not just a dead child that nobody has collected yet: an orphan's collector is the system's, and may be slow. */
const running = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const gone = async (pid: number, folder: string, waitMs: number): Promise<boolean> => {
  for (const end = Date.now() + waitMs; Date.now() < end; ) {
    if (!running(pid) && !existsSync(folder)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
};

describe('finding a QEMU', () => {
  it('tells a missing, a foreign and an old binary apart', async () => {
    expect(info.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await code(() => locateQemu(join(scratch, 'absent')))).toBe('RF-QEMU-MISSING');
    expect(await code(() => locateQemu('/bin/true'))).toBe('RF-QEMU-MISSING');
    const old = script('old-qemu', 'echo "QEMU emulator version 6.2.0"');
    expect(await code(() => locateQemu(old))).toBe('RF-QEMU-TOO-OLD');
  });

  it('tries whether there is a qtest accelerator: -accel help leaves it out', async () => {
    const banner = '--version) echo "QEMU emulator version 9.0.1";;';
    const accel = (answer: string): string => `case "$*" in ${banner} *"-accel qtest"*) ${answer};; *) echo tcg;; esac`;
    const without = script('plain-qemu', accel('echo "invalid accelerator qtest" >&2; exit 1'));
    expect(await locateQemu(without)).toEqual({ path: without, version: '9.0.1', qtestAccel: false });
    // One that has it starts a machine, and ends when its monitor is told to.
    const having = script('new-qemu', accel('read -r said; [ "$said" = quit ]'));
    expect(await locateQemu(having)).toEqual({ path: having, version: '9.0.1', qtestAccel: true });
  });
});

describe('a QEMU process', () => {
  it('says what QEMU said when it will not start', async () => {
    await expect(QemuProcess.start(info, { devices: ['no-such-device'] })).rejects.toThrow(
      /^RF-QEMU-START: .*no-such-device/,
    );
    const mute = script('mute-qemu', 'sleep 30');
    expect(await code(() => QemuProcess.start({ ...info, path: mute }, { devices: [], timeoutMs: 200 }))).toBe(
      'RF-QEMU-START',
    );
  });

  it('is gone, files too, after kill', async () => {
    const qemu = await QemuProcess.start(info, { devices: [] });
    expect(running(qemu.pid)).toBe(true);
    qemu.kill();
    qemu.kill();
    expect(await gone(qemu.pid, qemu.folder, 3_000)).toBe(true);
  });

  it('turns a death in mid-request into an error, and removes its files', async () => {
    const qemu = await QemuProcess.start(info, { devices: [] });
    const q = new Qtest(qemu);
    for (let i = 0; i < 50_000; i++) q.readl(0);
    const pending = code(() => q.flush());
    process.kill(qemu.pid, 'SIGKILL');
    expect(await pending).toBe('RF-QEMU-DIED');
    expect(await gone(qemu.pid, qemu.folder, 3_000)).toBe(true);
  });

  it('turns a stopped QEMU into an error', async () => {
    const qemu = await QemuProcess.start(info, { devices: [] });
    const q = new Qtest(qemu, 200);
    process.kill(qemu.pid, 'SIGSTOP');
    q.readl(0);
    expect(await code(() => q.flush())).toBe('RF-QEMU-SILENT');
    qemu.kill();
    expect(await gone(qemu.pid, qemu.folder, 3_000)).toBe(true);
  });

  it('does not outlive a parent that is killed outright', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-qemu-'));
    writeFileSync(join(folder, 'halt.bin'), haltImage());
    // A parent of its own that starts the guard and QEMU as QemuProcess does, then waits to be killed.
    const plan = JSON.stringify({
      folder,
      guard: GUARD_SCRIPT,
      path: info.path,
      args: machineArguments(info, folder, { devices: [] }),
    });
    const parent = spawn(process.execPath, [
      '-e',
      `const { spawn } = require('node:child_process'); const p = ${plan};
       require('node:net').createServer(() => console.log(child.pid)).listen(p.folder + '/qtest');
       spawn('/bin/sh', ['-c', p.guard, 'sh', p.folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
       const child = spawn(p.path, p.args, { detached: true, stdio: 'ignore' });`,
    ]);
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))),
    );
    expect(running(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await gone(pid, folder, 5_000)).toBe(true);
  });
});
