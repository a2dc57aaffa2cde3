/**
 * The sweep of generated mutants against its file: every mutant is known, every survivor has a reason, and what was noticed is still noticed
 * by the suite that did. `npm run sweep` tries all of them again.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { architectureSuites } from '../../drivers/architectures/index.js';
import { embeddedSuites } from '../../drivers/catalogue.js';
import { Sweep, type SweepFile, targetsOf } from './sweep.js';

const file: SweepFile = JSON.parse(readFileSync(new URL('../../sweep.json', import.meta.url), 'utf8'));
const targets = targetsOf(embeddedSuites.filter((s) => !architectureSuites.includes(s))).filter((t) => !t.unseen);

/** Suites that answer at once: what they noticed is tried again here. */
const QUICK = [
  'grants-transfer',
  'grants-swap',
  'config-space',
  'page-states',
  'xenstore',
  'special-pages',
  'vtd-torn',
];

describe('sweep of generated mutants', () => {
  it('knows every mutant, and no other', () => {
    const known = [...Object.keys(file.killed), ...Object.keys(file.survivors), ...file.untried].sort();
    expect(targets.map((t) => t.name).sort()).toEqual(known);
  });

  it('has a reason for each survivor', () => {
    expect(Object.entries(file.survivors).filter(([, reason]) => reason === '')).toEqual([]);
  });

  it('leaves none undecided, but with what would tell', () => {
    const undecided = Object.entries(file.survivors).filter(([, reason]) => /^open: nothing|not known/.test(reason));
    expect(undecided).toEqual([]);
    expect(file.untried).toEqual([]);
  });

  it('notices again what the quick suites noticed', { timeout: 120_000 }, () => {
    const sweep = new Sweep();
    const quick = targets.filter((t) => QUICK.includes((file.killed[t.name] ?? '').split(':')[0]));
    expect(quick.length).toBeGreaterThan(50);
    expect(quick.filter((t) => !sweep.try(t, file.killed[t.name]).killed).map((t) => t.name)).toEqual([]);
  });
});
