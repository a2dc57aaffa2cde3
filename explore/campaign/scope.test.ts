/** Scopes as users give them. */
import { describe, expect, it } from 'vitest';
import type { SuiteDescription } from './described.js';
import { chooseScopes } from './scope.js';

const suite = (name: string, scopes: Record<string, Record<string, number>>): SuiteDescription => ({
  source: { kind: 'embedded' },
  name,
  title: name,
  schedule: 'whole',
  failures: 'none',
  scopes,
  claims: [],
  assumptions: [],
  randomSteps: 1,
  faults: [],
  operations: 1,
  stateBytes: 4,
  glance: 1,
});
const two = [
  suite('a', { small: { domain: 1 }, default: { domain: 2, frame: 3 } }),
  suite('b', { default: { domain: 2, port: 1 } }),
];
const chosen = (wanted: string | undefined) => chooseScopes(two, wanted).map((c) => [c.scopeName, c.scope]);

describe('a scope', () => {
  it('is the default one unless another is named', () => {
    expect(chosen(undefined)).toEqual(chosen('default'));
    expect(chooseScopes(two.slice(0, 1), 'small')).toMatchObject([{ scopeName: 'small', scope: { domain: 1 } }]);
  });

  it('given as sizes replaces those of the default, in the suites that have the sort', () => {
    expect(chosen('frame=5')).toEqual([
      ['custom', { domain: 2, frame: 5 }],
      ['default', { domain: 2, port: 1 }],
    ]);
    expect(chosen('domain=2, frame=3')).toEqual(chosen('default'));
  });

  it.each([
    'small',
    'constructor',
    'domain=0',
    'domain=17',
    'domain=1.5',
    'domain=',
    'domain=1=2',
    'domain=2,,',
    'toString=2',
  ])('%s is refused', (wanted) => expect(() => chosen(wanted)).toThrow('RF-SCOPE: '));

  it.each([
    ['small', "b has no scope 'small'; it has default"],
    ['domain=17', 'domain=17 is out of range; sizes go from 1 to 16'],
    ['toString=2', "no chosen suite has the sort 'toString' in its scope; there is domain, frame, port"],
  ])('the refusal of %s says what would be right', (wanted, says) => expect(() => chosen(wanted)).toThrow(says));
});
