/** Every row of the corpus of historical bugs, run: the property breaks, in as many steps as the table says. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart } from '../explore/suiteChecks.js';
import { embeddedSuites } from './catalogue.js';
import { corpus } from './corpus.js';

describe('corpus of historical bugs', () => {
  it.each(corpus.map((r) => [r.bug, r.what, r.suite, r] as const))('%s, %s, in suite %s', (_bug, _what, _suite, r) => {
    const suite = embeddedSuites.find((s) => s.name === r.suite);
    const counterpart = suite?.claims
      .flatMap((c) => c.without)
      .find((w) => w.off.name === r.off && `${w.breaks.id} ${w.breaks.name}` === r.breaks);
    expect(counterpart).toBeDefined();
    if (!suite || !counterpart) return;
    const { steps, why } = checkCounterpart(suite, counterpart);
    expect(why).not.toBe('');
    expect(steps).toBe(r.steps);
  });
});
