/** The action's script with the environment that a runner gives it, and no network: summary, annotations, outputs, exit code. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { fixture, freshFolder, ringfence } from '../cli/testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const path = (name: string): string => join(folder.path, name);

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly summary: string;
  readonly outputs: string;
}

function action(env: Readonly<Record<string, string>>): Promise<Ran> {
  for (const name of ['summary', 'outputs']) rmSync(path(name), { force: true });
  const given = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    GITHUB_STEP_SUMMARY: path('summary'),
    GITHUB_OUTPUT: path('outputs'),
    RINGFENCE_COMMAND: `${execPath} ${resolve('dist/cli/main.js')}`,
    ...env,
  };
  const read = (name: string): string => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : '');
  return new Promise((done) => {
    execFile('bash', [resolve('action/run.sh')], { cwd: folder.path, env: given }, (error, stdout) => {
      const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
      done({ code, stdout, summary: read('summary'), outputs: read('outputs') });
    });
  });
}

describe('the action', () => {
  it('passes for a suite that holds and has a baseline', async () => {
    const cwd = folder.path;
    await ringfence(['verify', fixture('door'), '--out', 'first'], { cwd });
    await ringfence(['gate', '--out', 'first', '--update'], { cwd });
    const ran = await action({ RINGFENCE_SUITES: fixture('door') });
    expect(ran.code).toBe(0);
    expect(ran.outputs).toBe('verdict=holds\ngate=passed\nreport=ringfence-report/report.html\n');
    expect(ran.summary).toMatch(/^## Ringfence: holds/);
    expect(ran.stdout).not.toMatch(/^::/m);
  });

  it('fails for one that is broken, with annotations and the gate in the summary', async () => {
    const ran = await action({ RINGFENCE_SUITES: fixture('wrong') });
    expect(ran.code).toBe(1);
    expect(ran.outputs).toContain('verdict=broken\ngate=failed\n');
    expect(ran.stdout).toMatch(/^::error file=/m);
    expect(ran.summary).toMatch(/^## Ringfence: BROKEN/);
    expect(ran.summary).toContain('### Gate\n\n    new finding: breaks: ');
  });

  it('takes the exit code of verify without a baseline, and says how to make one', async () => {
    const ran = await action({ RINGFENCE_SUITES: fixture('wrong'), RINGFENCE_BASELINE: 'none.json' });
    expect(ran.code).toBe(1);
    expect(ran.outputs).toContain('gate=none');
    expect(ran.stdout).toContain('::notice title=Ringfence::no baseline at none.json');
  });

  it('is no pass when verify could not run, even though an old report is there', async () => {
    const ran = await action({ RINGFENCE_SUITES: 'nobody' });
    expect(ran.code).toBe(2);
    expect(ran.outputs).toContain('verdict=none');
    expect(ran.summary).toContain('no report');
  });
});
