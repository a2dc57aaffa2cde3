/** `ringfence attack qemu-vtd` on a real QEMU: green with its controls, ends when interrupted, and survives the death of its target. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const attack = (args: readonly string[], interruptAfterMs?: number) =>
  ringfence(['attack', 'qemu-vtd', ...args], {
    cwd: folder.path,
    ...(interruptAfterMs === undefined ? {} : { interruptAfterMs }),
  });
const real = execFileSync('sh', ['-c', 'command -v qemu-system-x86_64'], { encoding: 'utf8' }).trim();

/** Whether the process runs; one that is dead but not yet reaped by its new parent does not. */
function runs(pid: string): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

describe('attack qemu-vtd', () => {
  it('holds, with positive and negative controls', async () => {
    const ended = await attack(['--time', '5']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('3 of 3 controls as expected');
    expect(ended.stdout).toContain('with the IOMMU off the forbidden write breaches');
    const report = JSON.parse(readFileSync(join(folder.path, 'ringfence-report/attack-qemu-vtd/report.json'), 'utf8'));
    expect(report.steps).toBeGreaterThan(100);
  });

  it('ends within a second when interrupted', async () => {
    const ended = await attack(['--time', '60'], 4000);
    expect(ended.code).toBe(130);
    expect(ended.tookMs).toBeLessThan(1000);
  });

  it('tells of a QEMU that is killed in the middle', async () => {
    const pids = join(folder.path, 'pids');
    const doomed = join(folder.path, 'qemu-doomed');
    // Starts the real one, and kills it three seconds later.
    const script = `#!/bin/sh\ncase "$1" in --version|-accel) case "$*" in *-qtest\\ *) ;; *) exec ${real} "$@";; esac;; esac\necho $$ >> ${pids}\n(sleep 3; kill -9 $$) >/dev/null 2>&1 </dev/null &\nexec ${real} "$@"\n`;
    writeFileSync(doomed, script);
    chmodSync(doomed, 0o755);
    const ended = await attack(['--time', '30', '--qemu', doomed]);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(/^RF-QEMU-(DIED|SILENT): /);
    expect(ended.code).toBe(3);
    for (const pid of readFileSync(pids, 'utf8').trim().split('\n')) expect(runs(pid)).toBe(false);
  });
});
