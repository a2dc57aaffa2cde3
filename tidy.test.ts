/** House rules that a machine can check: imports run downwards, no circles, short files that say what they are for, no loose ends. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
});
const files = listed.split('\n').filter((f) => f !== '' && existsSync(f) && !f.endsWith('.d.ts'));
const text = new Map(files.map((f) => [f, readFileSync(f, 'utf8')]));
const withoutComments = (f: string): string => (text.get(f) ?? '').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
const sources = files.filter((f) => !f.endsWith('.test.ts') && f.includes('/'));

/** Higher layers may import lower ones. Drivers, properties and faults are siblings. */
const layers: Readonly<Record<string, number>> = {
  model: 0,
  faults: 1,
  properties: 1,
  drivers: 1,
  explore: 2,
  reports: 3,
  cli: 4,
  bench: 4,
  examples: 5,
};
const layerOf = (file: string): number | undefined => layers[file.split('/')[0]];

function importsOf(file: string): string[] {
  const found = (text.get(file) ?? '').matchAll(/^(?:import|export)[^'"]*?from\s+['"](\.[^'"]+)['"]/gms);
  return [...found].map(([, to]) => normalize(join(dirname(file), to)).replace(/\.js$/, '.ts'));
}

const MAX_LINES = 350;

describe('tidiness', () => {
  it('looks at the whole tree', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it('imports run downwards', () => {
    const upwards = sources.flatMap((from) =>
      importsOf(from).flatMap((to) => {
        const [a, b] = [layerOf(from), layerOf(to)];
        return a !== undefined && b !== undefined && b > a ? [`${from} imports ${to}`] : [];
      }),
    );
    expect(upwards).toEqual([]);
  });

  it('imports have no circles', () => {
    // Types flow both ways between a machine and what it is made of; values must not.
    const values = new Map(
      sources.map((f) => {
        const body = (text.get(f) ?? '').replace(/^(?:import|export) type [^;]*;/gms, '');
        const found = body.matchAll(/^(?:import|export)[^'"]*?from\s+['"](\.[^'"]+)['"]/gms);
        return [f, [...found].map(([, to]) => normalize(join(dirname(f), to)).replace(/\.js$/, '.ts'))];
      }),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (f: string, path: readonly string[]): void => {
      if (path.includes(f)) circles.push([...path.slice(path.indexOf(f)), f].join(' -> '));
      if (path.includes(f) || done.has(f)) return;
      for (const to of values.get(f) ?? []) visit(to, [...path, f]);
      done.add(f);
    };
    for (const f of sources) visit(f, []);
    expect(circles).toEqual([]);
  });

  it('files are short enough to read in one sitting', () => {
    const long = files.flatMap((f) => {
      const lines = (text.get(f) ?? '').split('\n').length - 1;
      return lines > MAX_LINES ? [`${f}: ${lines}`] : [];
    });
    expect(long).toEqual([]);
  });

  it('every file opens with what it is for', () => {
    expect(files.filter((f) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(text.get(f) ?? ''))).toEqual([]);
  });

  it('no code has any', () => {
    const pattern = /\bas any\b|: any\b|<any>/;
    expect(files.filter((f) => f !== 'tidy.test.ts' && pattern.test(withoutComments(f)))).toEqual([]);
  });

  it.each([
    [/@ts-ignore|@ts-nocheck/, 'ts-ignore'],
    [/\b(it|describe|test)\.(skip|only|todo)\b/, 'a test that does not run'],
    [/\b(TODO|FIXME|XXX)\b/, 'a loose end'],
    [/\/work\//, 'a path of a machine'],
  ])('no file has %s', (pattern) => {
    expect(files.filter((f) => f !== 'tidy.test.ts' && pattern.test(text.get(f) ?? ''))).toEqual([]);
  });
});
