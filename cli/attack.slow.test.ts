/** `ringfence attack` with a QEMU that is missing, too old, no QEMU at all, or silent: one line, exit code 3, nothing left behind. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);

/** A program that says that it is some QEMU, and then does as told. */
function pretend(version: string, then: string): string {
  const path = join(folder.path, `qemu-${version}`);
  const script = `#!/bin/sh\ncase "$1" in\n--version) echo "QEMU emulator version ${version}";;\n-accel) echo tcg;;\n*) ${then};;\nesac\n`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}
const attack = (qemu: string) => ringfence(['attack', 'qemu-vtd', '--qemu', qemu, '--time', '2'], { cwd: folder.path });

describe('a QEMU that cannot be attacked', () => {
  it.each<[string, string, RegExp]>([
    ['is missing', '/nowhere/qemu', /^RF-QEMU-MISSING: .*--qemu PATH$/m],
    ['is no QEMU', '/bin/true', /^RF-QEMU-MISSING: /],
    ['is too old', pretend('5.2.0', 'exit 0'), /^RF-QEMU-TOO-OLD: .*5\.2\.0/],
    ['ends at once', pretend('7.2.1', 'exit 1'), /^RF-QEMU-START: /],
    ['is silent', pretend('7.2.2', 'exec sleep 60'), /^RF-QEMU-(START|SILENT): /],
  ])('because it %s', async (_, qemu, line) => {
    const ended = await attack(qemu);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).toMatch(line);
    expect(ended).toMatchObject({ code: 3, stdout: '' });
  });
});
