/** How far each architecture's way back is: the scripted way, in operations, steps and crossings, and the shortest there is. */
import { describe, expect, it } from 'vitest';
import { recoveryRuns } from '../drivers/architectures/index.js';
import { recoveriesOf } from './recoveryDistance.js';

/** Operations, shortest, steps, crossings; the same in both eras. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>> = {
  'safe-hardware': {
    'block, crash': [15, 15, 48, 17],
    'block, hang': [16, 16, 49, 18],
    'block, wrong suspicion': [15, 15, 48, 17],
    'net transmit, crash': [13, 13, 24, 10],
    'net transmit, hang': [14, 14, 25, 10],
    'net transmit, wrong suspicion': [13, 13, 24, 9],
    'net receive, crash': [15, 15, 30, 14],
    'net receive, hang': [16, 16, 31, 14],
    'net receive, wrong suspicion': [15, 15, 30, 13],
    'device channel, crash': [13, 13, 22, 9],
    'device channel, hang': [14, 14, 23, 9],
    'device channel, wrong suspicion': [13, 13, 22, 9],
  },
  // A suspect that works may answer before it is destroyed: then three operations are enough.
  'reconstructing-io': {
    'device, crash': [3, 3, 20, 9],
    'device, hang': [3, 3, 20, 9],
    'device, wrong suspicion': [2, 2, 19, 9],
    'block, crash': [6, 6, 10, 9],
    'block, hang': [6, 6, 10, 9],
    'block, wrong suspicion': [5, 3, 9, 9],
    'net transmit, crash': [8, 8, 12, 12],
    'net transmit, hang': [8, 8, 12, 12],
    'net transmit, wrong suspicion': [7, 3, 11, 12],
    'net receive, crash': [8, 8, 12, 10],
    'net receive, hang': [8, 8, 12, 10],
    'net receive, wrong suspicion': [7, 3, 11, 10],
  },
  microdrivers: {
    'a kernel thread\u2019s call, crash': [2, 2, 6, 1],
    'a kernel thread\u2019s call, hang': [0, null, 0, 0],
    'the user half, crash': [0, null, 0, 0],
    'block and net, crash': [4, 4, 11, 1],
    'block and net, hang': [0, null, 0, 0],
  },
  // The specification of the request does not ask whether the device has moved the data: the search leaves the DMA out.
  'user-level-drivers': {
    'block, crash': [24, 22, 40, 21],
    'block, hang': [25, 23, 41, 22],
    'block, wrong suspicion': [24, 22, 40, 21],
    'net, crash': [24, 22, 39, 21],
    'net, hang': [25, 23, 40, 22],
    'net, wrong suspicion': [24, 22, 39, 21],
  },
  'driver-reuse': {
    'block, crash': [9, 9, 16, 10],
    'block, hang': [10, 10, 17, 10],
    'block, wrong suspicion': [9, 9, 16, 10],
    'net, crash': [9, 9, 16, 11],
    'net, hang': [10, 10, 17, 11],
    'net, wrong suspicion': [9, 9, 16, 11],
  },
};

describe.each([...recoveryRuns])('%s', (id, runs) => {
  const found = recoveriesOf(runs);

  it.each(['then', 'now'])('comes back as far as expected, on the hardware of %s', (era) => {
    const ways = found
      .filter((r) => r.era === era)
      .map((r) => [`${r.what}, ${r.from}`, [r.operations, r.shortest, r.steps, r.charges['domain crossing']]]);
    expect(Object.fromEntries(ways)).toEqual(EXPECTED[id]);
  });

  it('takes out of the IOMMU what is in it, where there is one', () => {
    for (const r of found.filter((x) => x.ends && x.era === 'now')) {
      const { unmapping, invalidation } = r.charges;
      if (unmapping > 0) expect(invalidation).toBeGreaterThan(0);
    }
    const alone = ['safe-hardware', 'reconstructing-io', 'microdrivers'];
    const then = found.filter((r) => r.era === 'then').map((r) => r.charges.unmapping);
    if (alone.includes(id)) expect(then.every((n) => n === 0)).toBe(true);
    else expect(then.some((n) => n > 0)).toBe(true);
  });
});
