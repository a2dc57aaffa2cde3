/** The ring suites at default scopes: complete, nothing found, nothing vacuous, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { ring, ringHostile } from './ring.js';

it.each([
  [ring, 423_907],
  [ringHostile, 120_833],
])('$name holds at default scope', (s, states) => {
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
