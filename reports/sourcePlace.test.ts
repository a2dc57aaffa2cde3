/** Places in a source: the same after everything around them has moved. */
import { describe, expect, it } from 'vitest';
import { placesOf } from './sourcePlace.js';

const SOURCE = `/** Purpose. */
export const mapGrant = operation('grant.map', {
  where: { agent: (m) => m.runs },
  steps: {
    'take a pin': (m, op) => {
      if (m.locked) return AGAIN;
      for (const x of m.rows) {
        if (x) {
          return AGAIN;
        }
        return AGAIN;
      }
    },
  },
});

export function places(
  long: string,
): readonly string[] {
  switch (long) {
    default:
      return [];
  }
}

export class Threads {
  private kill(agent: number): void {
    this.clear();
  }
}
`;

const at = (source: string, text: string, nth = 0) => {
  const lines = source.split('\n').flatMap((l, i) => (l.trim() === text ? [i + 1] : []));
  return placesOf(source)(lines[nth] ?? 0);
};

describe('the place of a line', () => {
  it('names the declarations around it', () => {
    expect(at(SOURCE, 'if (m.locked) return AGAIN;')).toEqual({
      within: 'mapGrant > take a pin',
      text: 'if (m.locked) return AGAIN;',
    });
    expect(at(SOURCE, 'where: { agent: (m) => m.runs },').within).toBe('mapGrant');
    expect(at(SOURCE, 'return [];').within).toBe('places');
    expect(at(SOURCE, 'this.clear();').within).toBe('Threads > kill');
    expect(at(SOURCE, 'export class Threads {')).toEqual({ within: '', text: 'export class Threads {' });
  });

  it('takes lines before it in until its text is the only one there', () => {
    expect(at(SOURCE, 'return AGAIN;').text).toBe('if (x) {\nreturn AGAIN;');
    expect(at(SOURCE, 'return AGAIN;', 1).text).toBe('}\nreturn AGAIN;');
  });

  it('stays when lines come and go around it', () => {
    const moved = SOURCE.replace('export const', '// A comment.\nconst before = 1;\n\nexport const').replace(
      "    'take a pin'",
      "    'before it': (m) => m.other,\n    'take a pin'",
    );
    expect(at(moved, 'return AGAIN;', 1)).toEqual(at(SOURCE, 'return AGAIN;', 1));
  });

  it('differs between steps of the same text', () => {
    const twice = SOURCE.replace(
      "'take a pin'",
      "'drop it': (m) => {\n      if (m.locked) return AGAIN;\n    },\n    'take a pin'",
    );
    expect(at(twice, 'if (m.locked) return AGAIN;').within).toBe('mapGrant > drop it');
    expect(at(twice, 'if (m.locked) return AGAIN;', 1).within).toBe('mapGrant > take a pin');
  });
});
