/** Bad input: one clear line, the right exit code, and nothing lost. */
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixture, freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const cwd = folder.path;
const path = (name: string): string => join(folder.path, name);
const door = fixture('door');
const oneLine = (stderr: string): string => {
  const lines = stderr.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  return lines[0];
};

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [['verify', 'memroy'], /^RF-SUITE-UNKNOWN: there is no suite 'memroy'; did you mean 'memory'\?$/],
    [['verify', 'xyzzyplugh'], /^RF-SUITE-UNKNOWN: there is no suite 'xyzzyplugh'; see 'ringfence list'/],
    [['verify', './nowhere.js'], /^RF-SUITE-MODULE: \.\/nowhere\.js is not a file/],
    [['verify', './suite.ts'], /^RF-SUITE-MODULE: .*compile it/],
    [['verify', door, '--scope', 'smal'], /^RF-SCOPE: door has no scope 'smal'; it has small, default, large/],
    [['verify', door, '--scope', 'guest=0'], /^RF-SCOPE: guest=0 is out of range; sizes go from 1 to 16$/],
    [['verify', door, '--scope', 'guest=99'], /^RF-SCOPE: guest=99 is out of range/],
    [['verify', door, '--scope', 'guest=9'], /^RF-SCOPE|^RF-SPEC|^$/],
    [['verify', door, '--scope', 'tower=2'], /^RF-SCOPE: no chosen suite has the sort 'tower'.* guest, room$/],
    [['verify', door, '--scope', '__proto__=2'], /^RF-SCOPE: no chosen suite/],
    [['verify', door, '--scope', 'guest=two'], /^RF-SCOPE/],
    [['verify', '--workers', '0'], /^RF-USAGE: .*whole number from 1 to 64/],
    [['verify', '--time', 'soon'], /^RF-USAGE: .*Give seconds/],
    [['verify', '--rusn', '3'], /^RF-USAGE: unknown option '--rusn' \(Did you mean --runs\?\)/],
    [['verfy'], /^RF-USAGE: there is no command 'verfy'; did you mean 'verify'\?$/],
    [['attack', 'qemu-vdt'], /^RF-TARGET-UNKNOWN: there is no target 'qemu-vdt'; did you mean 'qemu-vtd'\?$/],
    [['attack'], /^RF-USAGE: missing required argument 'target'/],
    [['replay'], /^RF-USAGE: missing required argument 'trace'/],
  ])('%j', async (args, line) => {
    // Nine guests are fine for the door, only slow: two seconds of it are enough.
    const ended = await ringfence(args[3] === 'guest=9' ? [...args, '--time', '2'] : args, { cwd });
    if (args[3] === 'guest=9') return expect([0, 3]).toContain(ended.code);
    expect(oneLine(ended.stderr)).toMatch(line);
    expect(ended.code).toBe(2);
  });

  it('without a command, help', async () => {
    const ended = await ringfence([], { cwd });
    expect(ended.code).toBe(2);
    expect(ended.stdout).toContain('Usage: ringfence');
  });

  it.each(['verify', 'list', 'attack', 'replay', 'doctor'])('%s has help with examples', async (command) => {
    const ended = await ringfence([command, '--help'], { cwd });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain(`$ ringfence ${command}`);
  });
});

describe('suite modules', () => {
  it.each<[string, number, RegExp]>([
    ['throwsAtLoad', 2, /^RF-SUITE-MODULE: .* cannot be loaded: this module has a bad day$/],
    ['noSuite', 2, /^RF-SUITE-MODULE: .* exports no suite/],
    ['stepThrows', 2, /^RF-SUITE-THREW: .*a step threw this$/],
    ['exits', 3, /^RF-WORKER-DIED: .*process\.exit\?$/],
    ['hangsAtLoad', 3, /^RF-SUITE-HANGS: .*no sign of life for 2 s/],
    ['awaitsForever', 3, /^RF-SUITE-HANGS: .*no sign of life for 2 s/],
    ['stepHangs', 3, /^RF-SUITE-HANGS: .*no sign of life for 2 s/],
  ])('%s ends with %i, and takes no other down', async (name, code, line) => {
    // Short where it must run out, long where a busy machine must not use it up.
    const patience = line.source.includes('HANGS') ? '2' : '30';
    const args = ['verify', door, fixture(name), '--patience', patience, '--runs', '20', '--out', 'modules'];
    const ended = await ringfence(args, { cwd });
    expect(oneLine(ended.stderr)).toMatch(line);
    expect(ended.code).toBe(code);
    expect(ended.stdout).toContain('3 proved within scope');
    expect(ended.stdout).toContain('ERROR');
  });

  it('a breach outweighs an error', async () => {
    const args = ['verify', fixture('wrong'), fixture('noSuite'), '--runs', '0', '--out', 'modules'];
    expect(await ringfence(args, { cwd })).toMatchObject({ code: 1 });
  });
});

describe('the report folder', () => {
  it('that cannot be made is refused before anything runs', async () => {
    writeFileSync(path('a-file'), '');
    const ended = await ringfence(['verify', door, '--out', 'a-file/report'], { cwd });
    expect(oneLine(ended.stderr)).toMatch(/^RF-OUT: the report folder .* cannot be written \(it is not a folder\)/);
    expect(ended).toMatchObject({ code: 3, stdout: '' });
  });

  it('that is full leaves the previous report whole', async () => {
    expect(await ringfence(['verify', door, '--out', 'full'], { cwd })).toMatchObject({ code: 0 });
    const before = readFileSync(path('full/report.json'), 'utf8');
    const traces = readdirSync(path('full/traces'));
    const ended = await ringfence(['verify', door, '--out', 'full', '--seed', '2'], { cwd, maxFileKiB: 4 });
    expect(oneLine(ended.stderr)).toMatch(/^RF-OUT-FULL: no space left/);
    expect(ended.code).toBe(3);
    expect(ended.stdout).toContain('HOLDS');
    expect(readFileSync(path('full/report.json'), 'utf8')).toBe(before);
    expect(readdirSync(path('full/traces'))).toEqual(traces);
    expect(readdirSync(path('full')).filter((f) => f.endsWith('.tmp'))).toEqual([]);
  });
});

describe('trace files', () => {
  const replay = (...args: string[]) => ringfence(['replay', ...args, '--module', door], { cwd });
  const traceText = async (): Promise<string> => {
    await ringfence(['verify', door, '--out', 'traces', '--runs', '0'], { cwd });
    const [name] = readdirSync(path('traces/traces')).filter((f) => f.includes('without-door'));
    return readFileSync(path(`traces/traces/${name}`), 'utf8');
  };

  it('tell each step, what it changed, and the memory map', async () => {
    writeFileSync(path('trace.json'), await traceText());
    const ended = await replay('trace.json');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('door (guest 2, room 2), with door off: D1 own');
    expect(ended.stdout).toMatch(/3 guest \d paints room \d \{F2\}/);
    expect(ended.stdout).toMatch(/\* room\[room \d\]\.writer: none -> guest \d/);
    expect(ended.stdout).toMatch(/\| room 0: guest \d/);
    expect(ended.stdout).toContain('The trace still applies: 3 steps, proved minimal.');
    expect(ended.stdout).toContain('D1 own breaks');
  });

  it('that no longer apply say where they stopped', async () => {
    writeFileSync(path('moved.json'), (await traceText()).replaceAll('room.paint', 'room.redecorate'));
    const ended = await replay('moved.json');
    expect(ended.code).toBe(2);
    expect(ended.stdout).toMatch(
      /stopped applying at step \d of 3: the\s+specification has no operation\s+'room.redecorate'/,
    );
  });

  it('of a suite that is not there name the remedy', async () => {
    writeFileSync(path('trace.json'), await traceText());
    const ended = await ringfence(['replay', 'trace.json'], { cwd });
    expect(oneLine(ended.stderr)).toMatch(/^RF-SUITE-UNKNOWN: .*--module PATH$/);
    expect(ended.code).toBe(2);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['nothing', () => '', /^RF-TRACE-JSON/],
    ['half of it', (t) => t.slice(0, t.length / 2), /^RF-TRACE-JSON/],
    ['another version', (t) => t.replace('"version": 1', '"version": 9'), /^RF-TRACE-VERSION: .*reads version 1$/],
    ['another format', () => '{"format": "holiday pictures"}', /^RF-TRACE-FORMAT/],
    ['a prototype', (t) => t.replace('"steps"', '"__proto__"'), /^RF-TRACE-FORMAT/],
    ['depth', () => '['.repeat(500_000), /^RF-TRACE-JSON/],
    [
      'deep values',
      (t) => t.replace('"steps": [', `"steps": ${'['.repeat(5000)}${']'.repeat(5000)}, "more": [`),
      /^RF-TRACE-FORMAT/,
    ],
    ['control characters', () => '\u001b[2J\u0007', /^RF-TRACE-JSON: [\x20-\x7e]*$/],
  ])('with %s are refused in one line', async (_, change, line) => {
    writeFileSync(path('bad.json'), change(await traceText()));
    const ended = await replay('bad.json');
    expect(oneLine(ended.stderr)).toMatch(line);
    expect(ended.code).toBe(2);
  });

  it('that are missing, huge or folders are refused before they are read', async () => {
    expect(oneLine((await replay('none.json')).stderr)).toMatch(/^RF-TRACE: none.json cannot be read \(no such file\)/);
    writeFileSync(path('huge.json'), '');
    truncateSync(path('huge.json'), 2 ** 33);
    expect(oneLine((await replay('huge.json')).stderr)).toMatch(/^RF-TRACE: .* bytes; a trace has at most/);
    mkdirSync(path('folder'), { recursive: true });
    expect(oneLine((await replay('folder')).stderr)).toMatch(/^RF-TRACE: folder is not a file/);
  });
});
