/** The twenty mutants of published code: each edit is a counterpart of some claim of the catalogue. */
import { describe, expect, it } from 'vitest';
import { embeddedSuites } from '../catalogue.js';
import { realMutants } from './realMutants.js';

describe('mutants of published code', () => {
  it('are numbered 1 to 20', () => {
    expect(realMutants.map((m) => m.number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it.each(realMutants)('$number: $says', ({ mutants }) => {
    const counterparts = new Set(embeddedSuites.flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => w.off))));
    expect(mutants.length).toBeGreaterThan(0);
    expect(mutants.filter((m) => !counterparts.has(m)).map((m) => m.name)).toEqual([]);
  });

  it('are found by name: no other mutant of the catalogue has one of theirs, but for the same mistake', () => {
    const mine = new Set(realMutants.flatMap((r) => r.mutants));
    const names = new Map([...mine].map((m) => [m.name, m]));
    const others = embeddedSuites
      .flatMap((s) => s.claims.flatMap((c) => c.without.map((w) => w.off)))
      .filter((off) => 'edits' in off && names.has(off.name) && !mine.has(off));
    expect(others.map((off) => off.name)).toEqual([]);
  });
});
