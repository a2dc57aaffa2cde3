/** Microdrivers at default scope: complete, without findings, under every fault, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { microdrivers } from './microdrivers.js';

const DEFAULT: Readonly<Record<string, number>> = {
  'microdrivers-split': 2093,
  'microdrivers-xpc': 941,
  'microdrivers-strangers': 174,
  'microdrivers-objects': 32_184,
  'microdrivers-tracker': 50_466,
  'microdrivers-ranges': 8232,
  'microdrivers-functions': 3432,
  'microdrivers-locks': 18_200,
  'microdrivers-interrupts': 4,
  'microdrivers-xpc-steps': 255,
  'microdrivers-locks-steps': 2208,
  'microdrivers-dma-now': 30_985,
};

it.each(Object.entries(DEFAULT))('%s holds at default scope', (name, states) => {
  const s = microdrivers.suites.now.find((x) => x.name === name);
  if (!s) throw new RangeError(`no suite ${name}`);
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
