/** "Reconstructing I/O" at its default scopes: complete, with exact state counts; and every counterpart breaks what it must, soon. */
import { describe, expect, it } from 'vitest';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { reconstructingIo } from './reconstructingIo.js';

const suites = [...new Set([...reconstructingIo.suites.then, ...reconstructingIo.suites.now])];
const claiming = suites.filter((s) => s.claims.some((c) => c.expects === 'contained'));

const STATES: Readonly<Record<string, number>> = {
  'reconstructing-io-devices-2004': 80460,
  'reconstructing-io-restart-2004': 7904,
  'reconstructing-io-steps-2004': 5773,
  'reconstructing-io-census-2004': 1864,
  'reconstructing-io-calls-2004': 32578,
  'reconstructing-io-class': 36138,
  'reconstructing-io-channel': 38922,
  'reconstructing-io-distrust': 8369,
  'reconstructing-io-lines-2004': 2024,
  'reconstructing-io-strangers': 320,
  'reconstructing-io-devices': 40338,
  'reconstructing-io-restart': 7904,
  'reconstructing-io-steps': 5773,
  'reconstructing-io-census': 1864,
  'reconstructing-io-calls': 21312,
  'reconstructing-io-lines': 13472,
};

describe('the default scope', () => {
  it.each(claiming.map((s) => [s.name, s] as const))('of %s is complete', { timeout: 60_000 }, (name, s) => {
    expect(checkScope(s, s.scope.default, 'claimed')).toEqual({
      verdict: 'complete',
      states: STATES[name],
      findings: [],
      unreached: [],
    });
  });
});

describe('counterparts', () => {
  // Those of architectures 7.3 may take ten steps; this paper's longest is the omitted quiescing, which shows when the device is assigned.
  it.each(claiming.map((s) => [s.name, s] as const))('of %s break what they must', { timeout: 60_000 }, (_name, s) => {
    for (const w of s.claims.flatMap((c) => c.without)) {
      const { steps } = checkCounterpart(s, w);
      expect([w.off.name, w.breaks.name, steps > 0 && steps <= 10]).toEqual([w.off.name, w.breaks.name, true]);
    }
  });
});
