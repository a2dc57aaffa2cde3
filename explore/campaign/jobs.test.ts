/** The runs that a suite's claims need, and which claim needs which. */
import { describe, expect, it } from 'vitest';
import type { ClaimDescription, CounterpartDescription, PropertyDescription, SuiteDescription } from './described.js';
import { concerns, type ExhaustiveJob, failNthJobs, faultsOf, planJobs } from './jobs.js';
import type { ExhaustiveAnswer } from './results.js';

const property = (id: string, kind: PropertyDescription['kind']): PropertyDescription => ({
  id,
  name: id,
  states: id,
  kind,
  witnesses: [],
});
const off = (gate: string, breaks: PropertyDescription, scope?: Record<string, number>): CounterpartDescription => ({
  off: gate,
  kind: 'gate',
  says: '',
  source: '',
  breaks,
  scope,
});
const p = property('P', 'invariant');
const q = property('Q', 'noninterference');
const open = property('O', 'invariant');
const claims: ClaimDescription[] = [
  { says: 'one', expects: 'contained', keeps: [p], against: ['F2'], without: [off('g', p, { frame: 1 })] },
  { says: 'two', expects: 'contained', keeps: [q], against: [], without: [off('h', q)] },
  { says: 'three', expects: 'not contained', keeps: [open], against: ['F2', 'F9'], without: [] },
];
const suite: SuiteDescription = {
  source: { kind: 'embedded' },
  name: 's',
  title: 's',
  schedule: 'whole',
  failures: 'none',
  scopes: { default: { frame: 2 } },
  claims,
  assumptions: [],
  randomSteps: 10,
  faults: ['F2', 'F5', 'F9'],
  operations: 3,
  stateBytes: 4,
  glance: 1,
};
const plan = (runs: number, isDefault = true) => planJobs(suite, { frame: 2 }, isDefault, { runs, seed: 1 }, undefined);

describe('planned jobs', () => {
  it('are one for each run that a claim needs; random runs cannot tell of two-run properties', () => {
    expect(plan(5).map((j) => j.id)).toEqual([
      's/exhaustive',
      's/two-run/Q Q',
      's/counterpart/0/0',
      's/counterpart/1/0',
      's/breach/2',
      's/random',
      's/random-counterpart/0/0',
    ]);
    expect(plan(0).some((j) => j.kind.startsWith('random'))).toBe(false);
  });

  it("take a counterpart's own scope, unless the user gave one", () => {
    const scope = (isDefault: boolean) => plan(0, isDefault).find((j) => j.id === 's/counterpart/0/0')?.scope;
    expect([scope(true), scope(false)]).toEqual([{ frame: 1 }, { frame: 2 }]);
  });

  it('leave out the faults that only a claim without containment names', () => {
    expect(faultsOf(suite)).toEqual(['F2', 'F5']);
    expect(faultsOf({ ...suite, claims: claims.slice(0, 2) })).toBeUndefined();
  });

  it('concern the claims that they are evidence for', () => {
    const of = (claim: number) =>
      plan(5)
        .filter((j) => concerns(j, suite, claim))
        .map((j) => j.id);
    expect(of(0)).toEqual(['s/exhaustive', 's/counterpart/0/0', 's/random', 's/random-counterpart/0/0']);
    expect(of(1)).toEqual(['s/exhaustive', 's/two-run/Q Q', 's/counterpart/1/0', 's/random']);
    expect(of(2)).toEqual(['s/breach/2']);
  });

  it('are plain data, as threads need it', () => {
    expect(structuredClone(plan(5))).toEqual(plan(5));
  });

  const answered = (more: Partial<ExhaustiveAnswer>): ExhaustiveAnswer => ({
    ...{ kind: 'exhaustive', verdict: 'complete', truncatedBy: '', states: 1, transitions: 1, depth: 1, stateBytes: 4 },
    ...{ specification: '', findings: [], witnesses: [], progress: [], operations: [], stateClasses: [], tookMs: 1 },
    ...{ sites: [{ site: 'a', passed: 9, failed: 0 }], mostSites: 2, resumed: false },
    ...more,
  });
  const exhaustive = plan(0)[0] as ExhaustiveJob;

  it('let each failure site fail that an operation passes', () => {
    expect(failNthJobs(exhaustive, answered({})).map((j) => [j.id, j.open])).toEqual([
      ['s/fail-nth/1', false],
      ['s/fail-nth/2', false],
    ]);
    expect(failNthJobs(exhaustive, answered({ mostSites: 0, sites: [] }))).toEqual([]);
    expect(failNthJobs(exhaustive, answered({ verdict: 'truncated' }))).toEqual([]);
  });

  it.each([
    ['after a checkpoint', { resumed: true }],
    ['round a loop', { mostSites: Number.POSITIVE_INFINITY }],
  ])('count failure sites up until none is hit, where their number is not known: %s', (_name, more) => {
    const [first] = failNthJobs(exhaustive, answered(more));
    expect([first.nth, first.open]).toEqual([1, true]);
    const hit = answered({ kind: 'fail-nth', sites: [{ site: 'a', passed: 9, failed: 1 }] });
    expect(failNthJobs(first, hit).map((j) => j.nth)).toEqual([2]);
    expect(failNthJobs(first, answered({ kind: 'fail-nth' }))).toEqual([]);
  });
});
