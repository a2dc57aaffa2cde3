/** What a failing suite looks like to whoever runs it with vitest: the claim, the steps, and a line that replays them. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname);
// Below the project, so that its packages are found.
const folder = mkdtempSync(join(root, 'ringfence-report-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('ringfence/vitest', () => {
  it('fails with the steps and a replay line, and keeps the trace', async () => {
    const test = `
import { brokenLendingSuite } from ${JSON.stringify(join(root, 'reports/samples/lendingSuite.ts'))};
import { suiteTests } from ${JSON.stringify(join(root, 'vitest.ts'))};
suiteTests(brokenLendingSuite(), { runs: 5, out: ${JSON.stringify(join(folder, 'out'))}, module: 'dist/mine.js' });
`;
    writeFileSync(join(folder, 'own.test.ts'), test);
    writeFileSync(join(folder, 'vitest.config.mjs'), 'export default { test: { include: ["own.test.ts"] } };\n');
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--no-color'];
    const ran = await promisify(execFile)(process.execPath, args).catch((e: { stdout: string; stderr: string }) => e);
    const text = ran.stdout + ran.stderr;
    expect(text).toContain('1 failed | 1 passed');
    expect(text).toContain('RingfenceFailure: broken: a device reaches only what is lent to it');
    expect(text).toContain('4 device 0 writes frame 0');
    expect(text).toMatch(/lendingSuite\.ts:\d+/);
    const [, path = ''] = /replay: npx ringfence replay (\S+\.json) --module dist\/mine\.js/.exec(text) ?? [];
    expect(existsSync(path)).toBe(true);
  });
});
