/** The memory suites at default scope: complete, without findings, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { memory, memoryRace } from './memory.js';

it.each([
  [memory, 227_203],
  [memoryRace, 113_521],
])('$name holds at default scope', (s, states) => {
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
