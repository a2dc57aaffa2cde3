/** Every mechanism, invariant and gap of the five descriptions is in the suites of its architecture, and something breaks it. */
import { describe, expect, it } from 'vitest';
import { isMutant, type Suite } from '../suite.js';
import { architectures } from './index.js';
import { descriptions } from './mechanisms.js';
import { safeHardwarePublished } from './safeHardwarePublished.js';

const suitesOf = (id: string): Suite[] => {
  const a = architectures.find((x) => x.id === id);
  const published = id === 'safe-hardware' ? safeHardwarePublished : [];
  return a ? [...new Set([...a.suites.then, ...a.suites.now, ...published])] : [];
};

describe.each(architectures.map((a) => a.id))('%s', (id) => {
  const suites = suitesOf(id);
  const description = descriptions[id];
  const claims = suites.flatMap((s) => s.claims);
  const counterparts = claims.flatMap((c) => c.without);

  it('is described', () => {
    expect(description?.mechanisms.length).toBeGreaterThan(0);
    expect(description?.invariants.length).toBeGreaterThan(0);
  });

  it.each(description?.mechanisms ?? [])('$id: $says', ({ operations, without }) => {
    const has = new Set(suites.flatMap((s) => s.machine.modules.flatMap((m) => m.operations.map((o) => o.name))));
    const breaks = new Set(counterparts.map((w) => w.off.name));
    expect(operations.filter((o) => !has.has(o))).toEqual([]);
    expect(without.filter((w) => !breaks.has(w))).toEqual([]);
    expect(operations.length * without.length).toBeGreaterThan(0);
  });

  it.each(description?.invariants ?? [])('%s is a property that something breaks', (invariant) => {
    const broken = counterparts.filter((w) => w.breaks.id === invariant);
    const open = claims.filter((c) => c.expects === 'not contained' && c.keeps.some((p) => p.id === invariant));
    expect(claims.some((c) => c.keeps.some((p) => p.id === invariant))).toBe(true);
    expect(broken.length + open.length).toBeGreaterThan(0);
  });

  it.each(description?.gaps ?? [])('%s is a mutant or a reading as published', (gap) => {
    const named = (text: string): boolean => new RegExp(`${gap}(?!\\d)`).test(text);
    const mutants = counterparts.filter((w) => isMutant(w.off) && (named(w.off.name) || named(w.off.source)));
    const published = claims.filter((c) => c.expects === 'not contained' && named(c.says));
    expect(mutants.length + published.length).toBeGreaterThan(0);
  });
});
