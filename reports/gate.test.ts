/** Each regression that the gate must catch, one by one; and an unchanged tree, on which it says one line. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { FastpathSheet } from '../explore/fastpath/sheet.js';
import { baselineOf, baselineText, readBaseline } from './baseline.js';
import type { ClaimReport } from './claims.js';
import { type GateFailure, gate, gateLines } from './gate.js';
import type { Report, SuiteReport } from './report.js';
import { sampleSheet } from './samples/fastpathSheet.js';
import { brokenLendingSuite, lendingSuite } from './samples/lendingSuite.js';
import { sampleReport } from './samples/sampleReport.js';

describe('gate', () => {
  let good: Report;
  let broken: Report;
  beforeAll(async () => {
    good = (await sampleReport([lendingSuite()])).report;
    broken = (await sampleReport([brokenLendingSuite()])).report;
  });

  const changed = (change: (s: SuiteReport) => SuiteReport): Report => ({ ...good, suites: good.suites.map(change) });
  const changedClaim = (change: (c: ClaimReport) => ClaimReport): Report =>
    changed((s) => ({ ...s, claims: s.claims.map(change) }));
  const against = (report: Report, sheet = sampleSheet(0)): readonly GateFailure[] =>
    gate(report, baselineOf(good, sampleSheet(0)), sheet).failures;

  it('says one line on an unchanged tree', () => {
    const result = gate(good, baselineOf(good, sampleSheet(0)), sampleSheet(0));
    expect(result).toEqual({ ok: true, failures: [] });
    expect(gateLines(result, 'baseline.json')).toHaveLength(1);
  });

  it('does not mind more: a larger scope, a further suite, a further claim with evidence', () => {
    const more = changed((s) => ({ ...s, scope: { ...s.scope, frame: 3, ring: 1 } }));
    expect(
      against({ ...more, suites: [...more.suites, ...good.suites.map((s) => ({ ...s, name: 'other' }))] }),
    ).toEqual([]);
  });

  it('fails for a new finding', () => {
    expect(against(broken)[0]).toMatchObject({ kind: 'new finding', suite: 'lending' });
    expect(against(broken)[0]?.says).toContain('I1 reach broken after 4 steps by sample.attack');
  });

  it('accepts a finding that is in the baseline', () => {
    expect(gate(broken, baselineOf(broken, undefined), undefined)).toEqual({ ok: true, failures: [] });
  });

  it('fails for a claim that lost its evidence', () => {
    const sampled = changedClaim((c) => ({ ...c, verdict: 'sampled', because: ['no exhaustive run'] }));
    expect(against(sampled)).toMatchObject([{ kind: 'lost evidence' }]);
    expect(against(sampled)[0]?.says).toContain('was proved within scope, is sampled');
    const noRandom = changedClaim((c) => ({ ...c, evidence: c.evidence.filter((e) => e !== 'random') }));
    expect(against(noRandom)[0]?.says).toContain('no evidence any more from random');
  });

  it('fails for a claim, a suite or a fault class that is gone', () => {
    expect(against(changed((s) => ({ ...s, claims: [] })))).toMatchObject([{ kind: 'lost evidence' }]);
    expect(against({ ...good, suites: [] })).toMatchObject([{ kind: 'lost evidence', suite: 'lending' }]);
    const quiet = changed((s) => ({ ...s, faults: s.faults.map((f) => ({ ...f, injected: 0 })) }));
    expect(against(quiet)[0]?.says).toContain('F2 was injected');
  });

  it('fails for a claim that is not exercised, even a new one', () => {
    const idle = changedClaim((c) => ({
      ...c,
      says: 'new',
      verdict: 'not exercised',
      counterparts: [],
      because: ['nothing'],
    }));
    const report = {
      ...good,
      suites: good.suites.map((s, i) => ({ ...s, claims: [...s.claims, ...(idle.suites[i]?.claims ?? [])] })),
    };
    expect(against(report)).toMatchObject([{ kind: 'lost evidence', says: 'not exercised: new: nothing' }]);
  });

  it('fails for a scope that shrank', () => {
    const smaller = changed((s) => ({ ...s, scope: { ...s.scope, frame: 1 } }));
    expect(against(smaller)).toMatchObject([{ kind: 'scope shrank', says: 'frame was 2, is 1' }]);
    const none = changed((s) => ({ ...s, scope: { device: 2 } }));
    expect(against(none)[0]?.kind).toBe('scope shrank');
    const cut = changed((s) => ({
      ...s,
      exhaustive: s.exhaustive && { ...s.exhaustive, verdict: 'truncated', truncatedBy: 'time' },
    }));
    expect(against(cut)[0]?.says).toContain('cut short by time');
    const split = baselineOf(
      changed((s) => ({ ...s, schedule: 'split' })),
      undefined,
    );
    expect(gate(good, split, undefined).failures[0]?.says).toContain('schedule whole');
  });

  it('fails for a witness that is no longer reached', () => {
    const witness = 'I1 reach: a frame is lent';
    const missing = changedClaim((c) => ({
      ...c,
      verdict: 'not exercised',
      missingWitnesses: [witness],
      reachedWitnesses: c.reachedWitnesses.filter((w) => w !== witness),
    }));
    expect(against(missing)).toMatchObject([{ kind: 'witness not reached' }]);
  });

  it('fails for a mutant that survives, and for one that is no longer tried', () => {
    const held = changedClaim((c) => ({
      ...c,
      verdict: 'broken',
      counterparts: c.counterparts.map((p) => (p.kind === 'mutant' ? { ...p, outcome: 'held', length: null } : p)),
    }));
    expect(against(held)).toMatchObject([{ kind: 'mutant survives' }]);
    const gone = changedClaim((c) => ({ ...c, counterparts: c.counterparts.filter((p) => p.kind !== 'mutant') }));
    expect(against(gone)[0]?.says).toContain('no longer shown to break: mutant table-kept');
  });

  it('fails for bytes on the fast path, for a meter that is blind, and for one that is not asked', () => {
    expect(against(good, sampleSheet(32))).toMatchObject([
      { kind: 'fast path', says: 'sample.attack allocates 32 bytes, in write (model/lending.ts:7)' },
    ]);
    const [suite] = sampleSheet(0).suites;
    expect(against(good, { ...sampleSheet(0), suites: suite ? [{ ...suite, controlA: 0 }] : [] })[0]?.says).toContain(
      'control',
    );
    expect(gate(good, baselineOf(good, sampleSheet(0)), undefined).failures[0]?.kind).toBe('fast path');
  });

  it('fails for an operation of the fast path that lost its measurement, and tells each once', () => {
    const lost = (sheet: FastpathSheet): readonly string[] => against(good, sheet).map((f) => `${f.kind}: ${f.says}`);
    expect(lost(sampleSheet(0))).toEqual([]);
    expect(lost(sampleSheet(0, 'not exercised'))).toEqual([
      'fast path: sample.attack was measured, and is not exercised any more',
    ]);
    expect(lost(sampleSheet(0, 'cannot happen'))).toEqual([
      'fast path: sample.attack was measured, and cannot happen any more',
    ]);
    const [suite] = sampleSheet(0).suites;
    const without = { ...sampleSheet(0), suites: suite ? [{ ...suite, operations: [] }] : [] };
    expect(lost(without)).toEqual(['fast path: sample.attack was measured, and is gone']);
    expect(lost({ ...without, suites: [] })).toEqual(['fast path: was measured, and no longer is']);
  });

  it('fails for a new operation of the data path that was not measured, though not for one that cannot happen', () => {
    const before = baselineOf(good, { ...sampleSheet(0), suites: [] });
    const failures = (sheet: FastpathSheet): readonly string[] => gate(good, before, sheet).failures.map((f) => f.says);
    expect(failures(sampleSheet(0, 'not exercised'))).toEqual([
      'sample.attack is on the data path (translate), and was not exercised: no run met it',
    ]);
    expect(failures(sampleSheet(0, 'cannot happen'))).toEqual([]);
  });

  it('fails for a run that did not end, and for a suite that could not be run', () => {
    expect(against({ ...good, partial: 'time' })).toMatchObject([{ kind: 'error' }]);
    const crashed = changed((s) => ({ ...s, error: { code: 'RF-SUITE-THREW', blame: 'usage', says: 'it threw' } }));
    expect(against(crashed)).toMatchObject([{ kind: 'error', says: 'RF-SUITE-THREW: it threw' }]);
  });

  it('never looks at times or counts of states', () => {
    const slower = changed((s) => ({
      ...s,
      exhaustive: s.exhaustive && { ...s.exhaustive, states: 1, transitions: 1, depth: 1 },
    }));
    expect(against(slower)).toEqual([]);
  });

  it('writes equal baselines as equal bytes, whatever the order of the suites, and reads them back', () => {
    const two = { ...good, suites: [...broken.suites.map((s) => ({ ...s, name: 'other' })), ...good.suites] };
    const turned = { ...two, suites: [...two.suites].reverse() };
    const text = baselineText(baselineOf(two, sampleSheet(0)));
    expect(baselineText(baselineOf(turned, sampleSheet(0)))).toBe(text);
    expect(readBaseline(text, 'b')).toEqual(baselineOf(two, sampleSheet(0)));
    expect(() => readBaseline('{', 'b.json')).toThrow('b.json is not JSON');
    expect(() => readBaseline('{"format":"x"}', 'b.json')).toThrow('b.json is no baseline');
  });
});
