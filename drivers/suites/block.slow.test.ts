/** The block suites at default scopes: complete, nothing found, nothing vacuous, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { block, blockDistrust, blockFailures } from './block.js';
import { blockHostile } from './blockHostile.js';
import { blockSecrets } from './blockSharing.js';

it.each([
  [block, 278_506],
  [blockFailures, 175_547],
  [blockHostile, 68_993],
  [blockDistrust, 297_843],
  [blockSecrets, 205_060],
])('$name holds at default scope', (s, states) => {
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
