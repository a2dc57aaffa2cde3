/** The fast path in the page: a suite that is clean is folded, its parts of the data path are named, and what was not measured says why. */
import { describe, expect, it } from 'vitest';
import { sampleSheet } from '../samples/fastpathSheet.js';
import { fastpathSection } from './fastpathSection.js';

const shown = (...args: Parameters<typeof sampleSheet>): string => fastpathSection(sampleSheet(...args)).text;

describe('the fast path in the page', () => {
  it('folds what is clean, and opens what is not', () => {
    expect(shown(0)).toContain('<details class="suite" data-suite="lending"><summary>');
    expect(shown(32)).toContain('data-suite="lending" open>');
    expect(shown(32)).toContain('<code>write</code> model/lending.ts:7: 32 bytes');
    expect(shown(0, 'not exercised')).toContain('data-suite="lending" open>');
  });

  it('names the part on the data path, and counts', () => {
    expect(shown(0)).toContain('<span class="chip">translate</span>');
    expect(shown(0)).toContain('1 operation, 1 on the data path: 1 allocate nothing');
  });

  it('says why nothing was measured', () => {
    expect(shown(0, 'not exercised')).toContain('<b>not exercised</b> no run met it');
  });
});
