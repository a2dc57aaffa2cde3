/** The grant suites at default scope: complete, without findings, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { grantPublication, grantQuota, grantRace, handleRace } from './grantRaces.js';
import { grants, hostileGranter } from './grants.js';

it.each([
  [grants, 214_468],
  [hostileGranter, 128_428],
  [grantPublication, 717],
  [grantRace, 176_570],
  [handleRace, 68_576],
  [grantQuota, 54_608],
])('$name holds at default scope', (s, states) => {
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
