/** Reports, gate, shards, init and completion as a user runs them: the built command, in a folder of its own. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, fixture, freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const path = (...names: string[]): string => join(folder.path, ...names);
const read = (...names: string[]): string => readFileSync(path(...names), 'utf8');
const run = (...args: string[]): Promise<Ended> => ringfence(args, { cwd: folder.path });
const DOCUMENTS = ['report.html', 'junit.xml', 'report.sarif', 'summary.md'];

describe('verify', () => {
  beforeAll(async () => {
    expect(await run('verify', fixture('door'), '--out', 'good')).toMatchObject({ code: 0 });
    expect(await run('verify', fixture('wrong'), '--out', 'bad')).toMatchObject({ code: 1 });
  });

  it('writes every document, and the same bytes again', async () => {
    await run('verify', fixture('door'), '--out', 'again', '--workers', '1');
    // The replay lines name the folder, and nothing else may differ.
    for (const name of DOCUMENTS)
      expect(read('again', name).replaceAll('again/traces', 'good/traces')).toBe(read('good', name));
  });

  it("lays a breach at the step's source line, in a file that the page, SARIF and JUnit agree on", () => {
    const { runs } = JSON.parse(read('bad', 'report.sarif'));
    const [first] = runs[0].results;
    expect(first).toMatchObject({ ruleId: 'W1-never', level: 'error' });
    const { artifactLocation, region } = first.locations[0].physicalLocation;
    expect(artifactLocation.uri).toMatch(/model\/textbook\/twoPhaseCommit\.ts$/);
    const lines = readFileSync('model/textbook/twoPhaseCommit.ts', 'utf8').split('\n');
    expect(lines[region.startLine - 1]).toContain('commit: (m, op) => {');
    expect(read('bad', 'report.html')).toContain(`twoPhaseCommit.ts:${region.startLine}`);
    expect(read('bad', 'junit.xml')).toContain('<failure message="W1 never broke after');
    expect(read('bad', 'summary.md')).toContain('**breaks** W1 never broken after');
  });

  it('shows the memory map along the traces', () => {
    expect(read('good', 'report.html')).toContain('"maps":[[');
  });
});

describe('report', () => {
  it('makes the documents again, and prints annotations', async () => {
    writeFileSync(path('bad', 'report.html'), 'old');
    const before = read('bad', 'junit.xml');
    const ended = await run('report', '--out', 'bad', '--annotations');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(
      /^::error file=[^,]*twoPhaseCommit\.ts,line=\d+,title=Ringfence%3A breaks%3A broken::W1 never broken/m,
    );
    expect(read('bad', 'report.html')).toMatch(/^<!doctype html>/);
    expect(read('bad', 'junit.xml')).toBe(before);
  });

  it('puts coverage and the fast path in when they are there', async () => {
    writeFileSync(path('lcov.info'), 'SF:model/a.ts\nDA:1,1\nBRDA:1,0,0,0\nend_of_record\n');
    const ended = await run('report', '--out', 'good', '--lcov', 'lcov.info', '--quiet');
    expect(ended).toMatchObject({
      code: 0,
      stdout:
        'coverage of the specifications: 100.00 % of lines, 0.00 % of branches; 1 not reached, 1 of them without a reason\n',
    });
    expect(read('good', 'report.html')).toContain('branches and functions that no suite reaches');
  });

  it('fails when a branch that is never taken has no reason, and when a reason has no such branch', async () => {
    const reason = { file: 'model/b.ts', within: '', text: 'return;', reason: 'nobody ever comes here' };
    writeFileSync(path('reasons.json'), JSON.stringify([reason]));
    const ended = await run('report', '--out', 'good', '--lcov', 'lcov.info', '--reasons', 'reasons.json');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('model/a.ts:1: a branch is never taken, and no reason is given');
    expect(ended.stdout).toContain("model/b.ts: the reason for 'return;' fits nothing that is missed; take it out");
  });

  it('says in one line what is missing', async () => {
    const ended = await run('report', '--out', 'nowhere');
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toBe(
      "RF-REPORT: nowhere/report.json cannot be read (no such file); make it with 'ringfence verify'\n",
    );
  });
});

describe('gate', () => {
  it('is red without a baseline, one line green with one, and red again for what is lost', async () => {
    expect(await run('gate', '--out', 'good')).toMatchObject({ code: 2, stdout: '' });
    expect(await run('gate', '--out', 'good', '--update')).toMatchObject({
      code: 0,
      stdout: 'baseline: ringfence-baseline.json written\n',
    });
    expect(await run('gate', '--out', 'good', '--update')).toMatchObject({
      code: 0,
      stdout: 'baseline: ringfence-baseline.json is up to date\n',
    });
    expect(await run('gate', '--out', 'good')).toMatchObject({
      code: 0,
      stdout: 'gate: nothing was lost and nothing new is broken\n',
    });
    const ended = await run('gate', '--out', 'bad');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('new finding: breaks: W1 never broken after');
    expect(ended.stdout).toContain('mutant survives: dull: W3 toothless holds with mutant harmless');
    expect(ended.stdout).toContain('witness not reached: vain: W2 vain: something that cannot be');
    expect(ended.stdout).toContain('lost evidence: door: the suite is gone');
  });

  it('sees a smaller scope', async () => {
    await run('verify', fixture('door'), '--out', 'small', '--scope', 'small');
    const ended = await run('gate', '--out', 'small');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/^scope shrank: door: /m);
  });
});

describe('shards', () => {
  it('make the report of one run, byte for byte; a missing one is an error', async () => {
    await run('verify', fixture('wrong'), '--out', 'whole');
    for (const i of [1, 2]) await run('verify', fixture('wrong'), '--out', `part${i}`, '--shard', `${i}/2`);
    const merged = await run('merge', 'part2', 'part1', '--out', 'merged');
    expect(merged.code).toBe(1);
    expect(read('merged', 'report.json')).toBe(read('whole', 'report.json'));
    expect(existsSync(path('merged', 'report.html'))).toBe(true);
    const missing = await run('merge', 'part1', '--out', 'merged2');
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('RF-SHARD: shard 2/2 is missing');
    expect((await run('gate', '--out', 'part1', '--update')).stderr).toContain('is that of a shard');
    expect((await run('verify', '--shard', '3/2')).code).toBe(2);
  });
});

describe('init', () => {
  it('writes a project that verifies and passes its own gate, and overwrites nothing', async () => {
    mkdirSync(path('own', 'node_modules'), { recursive: true });
    symlinkSync(resolve('.'), path('own', 'node_modules', 'ringfence'));
    writeFileSync(path('own', 'package.json'), '{"type": "module"}');
    const inOwn = (...args: string[]): Promise<Ended> => ringfence(args, { cwd: path('own') });
    expect(await inOwn('init')).toMatchObject({ code: 0, stderr: '' });
    const ended = await inOwn('verify');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('HOLDS: 1 claim: 1 proved within scope; 3 of 3 counterparts broke');
    expect(await inOwn('gate', '--update')).toMatchObject({ code: 0 });
    expect(existsSync(path('own', 'ringfence-baseline.json'))).toBe(true);
    expect(await inOwn('gate')).toMatchObject({ code: 0 });
    const again = await inOwn('init');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('is there already, and init overwrites nothing');
  });

  it('turns red, with one line each, for a bug planted in a step, and green again without it', async () => {
    const inOwn = (...args: string[]): Promise<Ended> => ringfence(args, { cwd: path('own') });
    const source = read('own', 'suites/lending.js');
    const bug = 'if (m.on(flush)) m.cache.frames[op.device] &= ~(2 << op.frame);';
    const planted = source.replace('if (m.on(flush)) m.cache.frames[op.device] &= ~(1 << op.frame);', bug);
    expect(planted).toContain(bug);
    writeFileSync(path('own', 'suites/lending.js'), planted);
    const says = 'I1 reach broken after 4 steps';
    const ended = await inOwn('verify', '--quiet');
    expect(ended.code).toBe(1);
    expect(ended.stdout.match(/^.*I1 reach.*$/gm)).toEqual([expect.stringMatching(`^lending: ${says}: `)]);
    const gated = await inOwn('gate');
    expect(gated.code).toBe(1);
    expect(gated.stdout).toMatch(new RegExp(`^new finding: lending: ${says} by attack: .*$`, 'm'));
    expect(gated.stdout.split('\n')).toHaveLength(3);
    const trace = /traces\/(lending-i1-[0-9a-f]{8}\.json)/.exec(gated.stdout)?.[1] ?? '';
    expect(read('own', 'ringfence-report', 'report.html')).toContain(`<option value="${trace}">`);
    const { runs } = JSON.parse(read('own', 'ringfence-report', 'report.sarif'));
    const { artifactLocation, region } = runs[0].results[0].locations[0].physicalLocation;
    expect(artifactLocation.uri).toBe('suites/lending.js');
    // The step that completed the breach, in the source that has the bug.
    const attack = planted.split('\n').findIndex((l) => l.includes("operation('attack'"));
    expect(region.startLine - 1).toBeGreaterThan(attack);
    expect(planted.split('\n')[region.startLine - 1]).toMatch(/^ {4}(translate|write): /);
    expect(read('own', 'ringfence-report', 'junit.xml')).toContain('<failure message="I1 reach broke after 4 steps');
    expect(read('own', 'ringfence-report', 'summary.md')).toMatch(/^\| lending \| .* \| \*\*broken\*\* \|/m);
    // A change that changes nothing leaves the gate green.
    writeFileSync(path('own', 'suites/lending.js'), `// Moved down.\n\n${source}`);
    expect(await inOwn('verify', '--quiet')).toMatchObject({ code: 0 });
    expect(await inOwn('gate')).toMatchObject({
      code: 0,
      stdout: 'gate: nothing was lost and nothing new is broken\n',
    });
  });

  it('names the file and the key of a config that is wrong', async () => {
    const config = (text: string): void => writeFileSync(path('own', 'ringfence.config.json'), text);
    const told = async (): Promise<string> => (await ringfence(['verify'], { cwd: path('own') })).stderr;
    config('{"scopes": "small"}');
    expect(await told()).toMatch(/^RF-CONFIG: ringfence\.config\.json: 'scopes' is no key; there are /);
    config('{"runs": -1}');
    expect(await told()).toMatch(/^RF-CONFIG: ringfence\.config\.json: 'runs': /);
    config('{');
    expect(await told()).toMatch(/^RF-CONFIG: ringfence\.config\.json: not JSON/);
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s names every command and option', async (shell) => {
    const { code, stdout } = await run('completion', shell);
    expect(code).toBe(0);
    for (const word of ['verify', 'gate', 'merge', 'shard', 'annotations', 'memory']) expect(stdout).toContain(word);
  });
});
