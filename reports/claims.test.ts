/** What a claim is worth: `proved within scope` is never said too early. */
import { describe, expect, it } from 'vitest';
import type { SuiteRun } from '../explore/campaign/campaign.js';
import type { SuiteDescription } from '../explore/campaign/described.js';
import { planJobs } from '../explore/campaign/jobs.js';
import type { Answer, PlainFinding } from '../explore/campaign/results.js';
import { isSettled, settle } from './claims.js';

const suite: SuiteDescription = {
  source: { kind: 'embedded' },
  name: 's',
  title: 's',
  schedule: 'whole',
  failures: 'none',
  scopes: { default: { frame: 2 } },
  claims: [
    {
      says: 'one',
      expects: 'contained',
      keeps: [{ id: 'P', name: 'p', states: 'p', kind: 'invariant', witnesses: ['seen'] }],
      against: ['F2'],
      without: [
        {
          off: 'g',
          kind: 'gate',
          says: '',
          source: '',
          breaks: { id: 'P', name: 'p', kind: 'invariant' },
          scope: undefined,
        },
      ],
    },
  ],
  assumptions: [],
  randomSteps: 10,
  faults: ['F2'],
  operations: 3,
  stateBytes: 4,
  glance: 1,
};
const step = { operation: 'o', step: '', agent: '', choices: [], says: 'o', status: 'ok', fault: '', changes: [] };
const finding = (length: number): PlainFinding => ({
  property: { id: 'P', name: 'p', states: 'p' },
  why: 'why',
  mechanism: 'o',
  trace: Array.from({ length: length + 1 }, () => step),
  file: '{}',
  minimal: true,
  at: null,
});
const witnesses = (reached: boolean) => [{ property: 'P p', witness: 'seen', reached }];
const explored = {
  states: 9,
  transitions: 9,
  depth: 3,
  stateBytes: 4,
  specification: 'h',
  progress: [],
  operations: [],
  stateClasses: [],
  sites: [],
  mostSites: 0,
  resumed: false,
};
const good: Record<string, Answer> = {
  's/exhaustive': {
    kind: 'exhaustive',
    verdict: 'complete',
    truncatedBy: '',
    findings: [],
    witnesses: witnesses(true),
    tookMs: 1,
    ...explored,
  },
  's/counterpart/0/0': {
    kind: 'counterpart',
    verdict: 'truncated',
    truncatedBy: 'finding',
    operations: [],
    states: 4,
    finding: finding(3),
    tookMs: 1,
  },
};
const run = (changes: Record<string, object | undefined>): SuiteRun => {
  const answers = new Map(Object.entries(good));
  for (const [id, change] of Object.entries(changes)) {
    if (change) answers.set(id, { ...answers.get(id), ...change } as Answer);
    else answers.delete(id);
  }
  const chosen = { suite, scope: { frame: 2 }, scopeName: 'default' };
  return { chosen, jobs: planJobs(suite, { frame: 2 }, true, { runs: 0, seed: 1 }, undefined), answers };
};
const verdict = (changes: Record<string, object | undefined>): string => settle(run(changes), 0).verdict;
const main = 's/exhaustive';
const other = 's/counterpart/0/0';

describe('a claim', () => {
  it('is proved by a complete run, with witnesses reached and counterparts broken', () => {
    expect(verdict({})).toBe('proved within scope');
    expect(isSettled(run({}), 0)).toBe(true);
    expect(isSettled(run({ [other]: undefined }), 0)).toBe(false);
  });

  it.each<[string, Record<string, object | undefined>, string]>([
    ['the run was cut short', { [main]: { verdict: 'truncated', truncatedBy: 'time' } }, 'sampled'],
    ['a witness was not reached', { [main]: { witnesses: witnesses(false) } }, 'not exercised'],
    ['its property broke', { [main]: { findings: [finding(2)] } }, 'broken'],
    ['the counterpart held', { [other]: { verdict: 'complete', finding: undefined } }, 'broken'],
    ['the counterpart held as deep as was looked', { [other]: { truncatedBy: 'depth', finding: undefined } }, 'broken'],
    ['the counterpart was cut short', { [other]: { truncatedBy: 'time', finding: undefined } }, 'sampled'],
    ['the counterpart did not run', { [other]: { kind: 'skipped', reason: 'interrupt' } }, 'sampled'],
    ['the run did not take place', { [main]: { kind: 'skipped', reason: 'interrupt' } }, 'not exercised'],
    ['the suite failed', { [main]: { kind: 'error', code: 'RF-SUITE-THREW', blame: 'usage', says: 'x' } }, 'error'],
    ['an answer is outstanding', { [other]: undefined }, 'sampled'],
  ])('is not proved when %s', (_, changes, expected) => expect(verdict(changes)).toBe(expected));

  it('is not touched by the findings of another', () => {
    const foreign = { ...finding(2), property: { id: 'X', name: 'x', states: 'x' } };
    expect(verdict({ [main]: { findings: [foreign] } })).toBe('proved within scope');
  });

  it('says so when its counterpart is far away', () => {
    expect(settle(run({ [other]: { finding: finding(11) } }), 0).because).toEqual([
      'with g off breaks only after 11 steps',
    ]);
  });
});
