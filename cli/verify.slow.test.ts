/** `ringfence verify` as a user runs it: claims, counterparts, reports that can be compared, narrow terminals. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../reports/report.js';
import { schemaProblems } from '../reports/testing/schema.js';
import { type Ended, fixture, freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const verify = (...args: string[]): Promise<Ended> => ringfence(['verify', ...args], { cwd: folder.path });

describe('a suite that holds', () => {
  let ended: Ended;
  beforeAll(async () => {
    ended = await verify(fixture('door'), '--out', 'door');
  });
  const report = (): Report => JSON.parse(readFileSync(join(folder.path, 'door/report.json'), 'utf8'));

  it('ends with 0, proves every claim, and says how each counterpart broke', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('HOLDS: 3 claims: 3 proved within scope; 4 of 4 counterparts broke');
    expect(ended.stdout).toContain('with door off: D1 own breaks in 3 steps');
    expect(ended.stdout).toContain('scope default, complete, 92 states');
  });

  it('has evidence of every kind', () => {
    const [own, served, blind] = report().suites[0].claims;
    expect(own).toMatchObject({ verdict: 'proved within scope', missingWitnesses: [] });
    expect(own.evidence).toEqual(['exhaustive', 'fail-nth', 'random', 'gate off', 'mutant']);
    expect(served.evidence).toEqual(['progress', 'fail-nth', 'mutant']);
    expect(blind.evidence).toEqual(['two runs', 'fail-nth', 'mutant']);
    expect(own.counterparts.map((c) => [c.off, c.outcome, c.length, c.random?.found])).toEqual([
      ['door', 'broke', 3, true],
      ['D-001', 'broke', 6, true],
    ]);
  });

  it('shows that the attack arrived, and where it was stopped', () => {
    expect(report().suites[0].faults).toMatchObject([
      { id: 'F2', injected: 96, reached: 64, blocked: { door: 64 }, through: 32 },
    ]);
    expect(ended.stdout).toContain('64 blocked by door');
    expect(ended.stdout).toContain('assumed: keys cannot be copied');
  });

  it('lets each failure site fail that an operation passes', () => {
    const { failNth } = report().suites[0];
    expect(failNth.map((f) => f.failed > 0)).toEqual([true]);
  });

  it('writes a report that its schema describes, and the traces that it names', () => {
    const schema = JSON.parse(readFileSync('reports/report.schema.json', 'utf8'));
    expect(schemaProblems(schema, report())).toEqual([]);
    const named = report().suites[0].claims.flatMap((c) => c.counterparts.map((p) => p.trace));
    expect(named).toHaveLength(4);
    expect(readdirSync(join(folder.path, 'door/traces')).sort()).toEqual([...named].sort());
  });

  it('writes the same bytes again, with another number of workers', async () => {
    const before = readFileSync(join(folder.path, 'door/report.json'), 'utf8');
    expect(await verify(fixture('door'), '--out', 'again', '--workers', '1')).toMatchObject({ code: 0 });
    expect(readFileSync(join(folder.path, 'again/report.json'), 'utf8')).toBe(before);
    expect(existsSync(join(folder.path, 'again/timings.json'))).toBe(true);
  });

  it('prints the report with --json, and nothing else', async () => {
    const json = await verify(fixture('door'), '--json', '--out', 'door');
    expect(json.stdout).toBe(readFileSync(join(folder.path, 'door/report.json'), 'utf8'));
  });

  it('prints the answer only with --quiet', async () => {
    const quiet = await verify(fixture('door'), '--quiet', '--out', 'door');
    expect(quiet.stdout.trim().split('\n')).toHaveLength(1);
  });

  it.each([40, 60, 80, 120])('fits %i columns', async (columns) => {
    const env = { COLUMNS: String(columns) };
    const { stdout } = await ringfence(['verify', fixture('door'), '--out', 'door', '--runs', '20'], {
      cwd: folder.path,
      env,
    });
    const body = stdout.split('\n').filter((line) => !/^(report|HOLDS)/.test(line));
    expect(body.filter((line) => line.length > columns)).toEqual([]);
  });
});

describe('suites that do not hold', () => {
  let ended: Ended;
  beforeAll(async () => {
    ended = await verify(fixture('wrong'), '--out', 'wrong');
  });
  const suiteOf = (name: string) => {
    const report: Report = JSON.parse(readFileSync(join(folder.path, 'wrong/report.json'), 'utf8'));
    const found = report.suites.find((s) => s.name === name);
    if (!found) throw new Error(`no suite ${name}`);
    return found;
  };

  it('end with 1, and name the property, the reason and the way', () => {
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(
      /breaks: W1 never broken after \d steps \(proved minimal, exhaustive\): manager \d\s+has\s+committed/,
    );
    expect(ended.stdout).toContain('replay: npx ringfence replay wrong/traces/breaks-w1-');
  });

  it('a broken property is a finding once, however it was found', () => {
    expect(suiteOf('breaks').findings.map((f) => [f.property, f.foundBy, f.minimal])).toEqual([
      ['W1 never', 'exhaustive', true],
    ]);
    expect(suiteOf('breaks').claims[0].verdict).toBe('broken');
  });

  it('a witness that is never reached makes the claim vacuous', () => {
    expect(suiteOf('vain').claims[0]).toMatchObject({
      verdict: 'not exercised',
      missingWitnesses: ['W2 vain: something that cannot be'],
    });
  });

  it('a counterpart that holds shows a check without teeth', () => {
    expect(suiteOf('dull').claims[0]).toMatchObject({
      verdict: 'broken',
      because: ['holds even with mutant harmless: the check has no teeth'],
    });
  });
});

describe('limits', () => {
  it('a time that is too short leaves claims sampled or not exercised, never proved', async () => {
    const ended = await verify(
      fixture('door'),
      '--scope',
      'guest=5,room=7',
      '--time',
      '5',
      '--out',
      'short',
      '--runs',
      '0',
    );
    expect(ended.code).toBe(3);
    const report: Report = JSON.parse(readFileSync(join(folder.path, 'short/report.json'), 'utf8'));
    expect(report).toMatchObject({ verdict: 'partial', partial: 'time' });
    expect(report.suites[0].exhaustive).toMatchObject({ verdict: 'truncated', truncatedBy: 'time' });
  });

  it('another scope is explored as given', async () => {
    const ended = await verify(fixture('door'), '--scope', 'room=1', '--json', '--out', 'scope', '--runs', '20');
    const report: Report = JSON.parse(ended.stdout);
    expect(report.suites[0]).toMatchObject({ scopeName: 'custom', scope: { guest: 2, room: 1 } });
  });
});
