/** The action's script with the environment that a runner gives it, and no network: summary, annotations, outputs, exit code. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { fixture, freshFolder, ringfence } from '../cli/testing/run.js';
import { MAX_MARKDOWN_BYTES } from '../reports/markdown.js';

const folder = freshFolder();
afterAll(folder.remove);
const path = (name: string): string => join(folder.path, name);

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly summary: string;
  readonly outputs: string;
}

function action(env: Readonly<Record<string, string>>, cwd = folder.path): Promise<Ran> {
  for (const name of ['summary', 'outputs']) rmSync(path(name), { force: true });
  const given = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    GITHUB_STEP_SUMMARY: path('summary'),
    GITHUB_OUTPUT: path('outputs'),
    GITHUB_WORKSPACE: folder.path,
    GITHUB_ACTIONS: 'true',
    RUNNER_TEMP: folder.path,
    CI: 'true',
    RINGFENCE_COMMAND: `${execPath} ${resolve('dist/cli/main.js')}`,
    ...env,
  };
  const read = (name: string): string => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : '');
  return new Promise((done) => {
    execFile('bash', [resolve('action/run.sh')], { cwd, env: given }, (error, stdout) => {
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
    expect(ran.outputs).toBe(
      'verdict=holds\ngate=passed\nreport=ringfence-report/report.html\nsarif=ringfence-report/report.sarif\n',
    );
    expect(ran.summary).toMatch(/^## Ringfence: holds/);
    expect(ran.stdout).not.toMatch(/^::/m);
  });

  it('fails for one that is broken, with annotations and the gate in the summary', async () => {
    const ran = await action({ RINGFENCE_SUITES: fixture('wrong') });
    expect(ran.code).toBe(1);
    expect(ran.outputs).toContain('verdict=broken\ngate=failed\n');
    expect(ran.stdout).toMatch(/^::error file=/m);
    expect(ran.summary).toMatch(/^## Ringfence gate: FAILED\n\n {4}new finding: breaks: /);
    expect(ran.summary).toMatch(/\n\n## Ringfence: BROKEN/);
    expect(ran.stdout).toMatch(/^::error title=Ringfence%3A gate::new finding: breaks: /m);
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

  it('tells paths from the repository when the project is a folder of it', async () => {
    mkdirSync(path('sub'), { recursive: true });
    const ran = await action({ RINGFENCE_SUITES: fixture('wrong') }, path('sub'));
    const { runs } = JSON.parse(readFileSync(path('sub/ringfence-report/report.sarif'), 'utf8'));
    const { uri } = runs[0].results[0].locations[0].physicalLocation.artifactLocation;
    const [, file = ''] = /^::error file=([^,]*),/m.exec(ran.stdout) ?? [];
    expect(file).toBe(decodeURIComponent(uri));
    expect(resolve(folder.path, file)).toBe(resolve('model/textbook/twoPhaseCommit.ts'));
  });

  it('keeps summary and annotations within their limits, and says what it cut', async () => {
    // A command in the place of the real one, that has a great deal to say.
    writeFileSync(
      path('loud.cjs'),
      `const { mkdirSync, writeFileSync } = require('node:fs');
const [command] = process.argv.slice(2);
if (command === 'verify') {
  mkdirSync('loud', { recursive: true });
  writeFileSync('loud/report.json', '{"verdict": "broken"}');
  writeFileSync('loud/summary.md', 'x'.repeat(${MAX_MARKDOWN_BYTES}));
}
for (let i = 0; i < 100; i++) console.log(command === 'report' ? '::error title=t::' + i : 'gate line ' + 'y'.repeat(500));
process.exitCode = command === 'report' ? 0 : 1;`,
    );
    writeFileSync(path('loud.json'), '{}');
    const env = { RINGFENCE_OUT: 'loud', RINGFENCE_BASELINE: 'loud.json' };
    const ran = await action({ ...env, RINGFENCE_COMMAND: `${execPath} ${path('loud.cjs')}` });
    expect(ran.code).toBe(1);
    expect(ran.stdout.match(/^::/gm)).toHaveLength(10);
    expect(ran.stdout).toMatch(/^::error title=t::0$/m);
    expect(Buffer.byteLength(ran.summary)).toBeLessThan(65_536);
    expect(ran.summary).toContain('**Cut here: 70 more lines; ringfence gate prints them.**');
  });
});
