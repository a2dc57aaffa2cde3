/** Driver reuse at default scope: complete, without findings, under every fault, and with known numbers of states. */
import { expect, it } from 'vitest';
import { checkScope } from '../../explore/suiteChecks.js';
import { driverReuse } from './driverReuse.js';

const DEFAULT: Readonly<Record<string, number>> = {
  'driver-reuse-mux': 150_528,
  'driver-reuse-mux-restart': 35_806,
  'driver-reuse-mux-steps': 36_443,
  'driver-reuse-channel': 188_556,
  'driver-reuse-receive': 5832,
  'driver-reuse-interrupts': 60,
  'driver-reuse-lines': 11_475,
  'driver-reuse-commands': 972,
  'driver-reuse-bus': 49,
  'driver-reuse-restart': 91_234,
  'driver-reuse-restarts': 7835,
  'driver-reuse-strangers': 32_041,
  'driver-reuse-iommu': 4192,
};

it.each(Object.entries(DEFAULT))('%s holds at default scope', { timeout: 120_000 }, (name, states) => {
  const s = [...driverReuse.suites.then, ...driverReuse.suites.now].find((x) => x.name === name);
  if (!s) throw new RangeError(`no suite ${name}`);
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});
