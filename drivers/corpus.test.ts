/** The corpus of historical bugs: every entry is in the table or has a reason, every row is a counterpart of its suite, the page is up to date. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { embeddedSuites } from './catalogue.js';
import { corpus, corpusText, outOfReach } from './corpus.js';

const NUMBERS = Array.from({ length: 41 }, (_, i) => `H${String(i + 1).padStart(2, '0')}`);

describe('corpus of historical bugs', () => {
  it('has a row or a reason for each of H01 to H41', () => {
    const named = [...corpus.map((r) => r.bug), ...outOfReach.map(([bug]) => bug)].join(' ');
    expect(NUMBERS.filter((n) => !named.includes(n))).toEqual([]);
  });

  it('names counterparts that verify runs', () => {
    const strangers = corpus.filter((r) => {
      const suite = embeddedSuites.find((s) => s.name === r.suite);
      const counterparts = suite?.claims.flatMap((c) => c.without) ?? [];
      return !counterparts.some((w) => w.off.name === r.off && `${w.breaks.id} ${w.breaks.name}` === r.breaks);
    });
    expect(strangers).toEqual([]);
  });

  it('breaks in at most ten steps', () => {
    expect(corpus.filter((r) => r.steps > 10)).toEqual([]);
  });

  it('is what faults/CORPUS.md shows', () => {
    expect(readFileSync(new URL('../faults/CORPUS.md', import.meta.url), 'utf8')).toBe(corpusText());
  });
});
