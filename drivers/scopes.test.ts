/** Every suite of the catalogue has the three named scopes, and SCOPES.md says what the large one costs. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { embeddedSuites } from './catalogue.js';

const documented = readFileSync(new URL('./SCOPES.md', import.meta.url), 'utf8');

describe.each(embeddedSuites.map((s) => [s.name, s] as const))('%s', (name, s) => {
  it('has a small, a default and a large scope of the same sorts', () => {
    const { small, large } = s.scope;
    const sorts = Object.keys(s.scope.default).sort();
    expect(Object.keys(small ?? { none: 0 }).sort()).toEqual(sorts);
    expect(Object.keys(large ?? { none: 0 }).sort()).toEqual(sorts);
  });

  it('is raised in some size by its large scope, or has none that can be', () => {
    const { large } = s.scope;
    const raised = Object.entries(large ?? {}).filter(([sort, n]) => n > (s.scope.default[sort] ?? 0));
    expect(raised.length > 0 || JSON.stringify(large) === JSON.stringify(s.scope.default)).toBe(true);
  });

  it('has its line in SCOPES.md', () => expect(documented).toContain(`| \`${name}\` |`));
});
