/** Reports are saved whole or not at all, and old traces go when nobody names them any more. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkFolder, saveDocuments, saveReport } from './save.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringfence-save-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const trace = (hash: string): string => `door-d1-${hash}.json`;
const documents = new Map([['report.html', 'page']]);
const save = (report: string, traces: readonly string[]): void =>
  saveReport(folder, { report, timings: '{}', traces: new Map(traces.map((t) => [t, 'text'])), documents });

describe('a saved report', () => {
  it('replaces the last one, its traces too, and nothing else', () => {
    save('one', [trace('00000001'), trace('00000002')]);
    writeFileSync(join(folder, 'traces', 'mine.json'), 'kept');
    save('two', [trace('00000002'), trace('00000003')]);
    expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'traces')).sort()).toEqual([trace('00000002'), trace('00000003'), 'mine.json']);
    expect(readdirSync(folder).sort()).toEqual(['report.html', 'report.json', 'timings.json', 'traces']);
  });

  it('is whole after a failure in the middle', () => {
    save('one', [trace('00000001')]);
    // A trace that cannot be renamed into place: its name is taken by a folder.
    const bad = new Map([
      [trace('0000000a'), 'text'],
      ['.', 'text'],
    ]);
    expect(() => saveReport(folder, { report: 'two', timings: '{}', traces: bad, documents })).toThrow('RF-OUT');
    expect(readFileSync(join(folder, 'report.json'), 'utf8')).toBe('one');
    expect(readdirSync(join(folder, 'traces'))).toEqual([trace('00000001')]);
    expect(readdirSync(folder).sort()).toEqual(['report.html', 'report.json', 'timings.json', 'traces']);
  });

  it('is whole after a failure in a document: all of them are replaced, or none', () => {
    save('one', []);
    const bad = new Map([
      ['report.html', 'new page'],
      ['no/such/folder', 'text'],
    ]);
    // The second one cannot be renamed into place, and neither is the first... unless it came before: so it is put last.
    expect(() => saveDocuments(folder, new Map([...bad].reverse()))).toThrow('RF-OUT');
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toBe('page');
    expect(readdirSync(folder).sort()).toEqual(['report.html', 'report.json', 'timings.json', 'traces']);
  });

  it('needs a folder that can be written', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => checkFolder(join(folder, 'file', 'report'))).toThrow(/^RF-OUT: .*--out DIR$/);
    checkFolder(join(folder, 'deep', 'er'));
    expect(existsSync(join(folder, 'deep', 'er', 'traces'))).toBe(true);
    expect(readdirSync(join(folder, 'deep', 'er'))).toEqual(['traces']);
  });
});
