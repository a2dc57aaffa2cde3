/** "Reconstructing I/O" at its small scopes: what it claims holds, what it does not claim breaks; the matrix and the costs. */
import { describe, expect, it } from 'vitest';
import { checkBreaches, checkScope } from '../../explore/suiteChecks.js';
import { matrixRows } from './architecture.js';
import { costOf } from './cost.js';
import { reconstructingIo } from './reconstructingIo.js';
import { BY_BUFFER, BY_DOMAIN, costRun, costRuns } from './reconstructingIoCosts.js';

const suites = [...new Set([...reconstructingIo.suites.then, ...reconstructingIo.suites.now])];
const claiming = suites.filter((s) => s.claims.some((c) => c.expects === 'contained'));
const disclaiming = suites.filter((s) => s.claims.some((c) => c.expects === 'not contained'));

describe('what it claims', () => {
  it.each(claiming.map((s) => [s.name, s] as const))('holds in %s', (_name, s) => {
    const { verdict, findings } = checkScope(s, s.scope.small, 'claimed');
    expect([verdict, ...findings]).toEqual(['complete']);
  });
});

describe('what it does not claim', () => {
  it.each(disclaiming.map((s) => [s.name, s] as const))('breaks in %s', (_name, s) => {
    for (const c of s.claims.filter((open) => open.expects === 'not contained')) {
      for (const { steps } of checkBreaches(s, c, s.scope.default)) {
        expect([c.says, steps > 0 && steps <= 8]).toEqual([c.says, true]);
      }
    }
  });
});

describe('the matrix', () => {
  it('has a cell for each row in both eras', () => {
    expect(reconstructingIo.cells.length).toBe(2 * Object.keys(matrixRows).length);
  });
});

describe('costs', () => {
  it('has a run for each request, batch and era', () => {
    expect(costRuns.length).toBe(16);
  });

  it('adds a mapping and an unmapping to every buffer, and an invalidation to every batch', () => {
    const plain = costOf(costRun('block write', 8, 'now', BY_DOMAIN, false)).perRequest;
    const buffers = costOf(costRun('block write', 8, 'now', BY_BUFFER, false)).perRequest;
    expect([plain.mapping, plain.unmapping, plain.invalidation]).toEqual([0, 0, 0]);
    expect([buffers.mapping, buffers.unmapping, buffers.invalidation]).toEqual([1, 1, 1 / 8]);
  });

  it('copies nothing and allocates nothing, soft device or not', () => {
    for (const run of [...costRuns, costRun('net receive', 8, 'now', BY_BUFFER, true)]) {
      const { perRequest } = costOf(run);
      expect([perRequest.copy, perRequest.allocation, perRequest['control message']]).toEqual([0, 0, 0]);
    }
  });

  it('pays two more events and two more calls for a soft device', () => {
    const plain = costOf(costRun('block read', 1, 'now', BY_DOMAIN, false)).perRequest;
    const behind = costOf(costRun('block read', 1, 'now', BY_DOMAIN, true)).perRequest;
    expect(behind.notification - plain.notification).toBe(2);
    expect(behind.hypercall - plain.hypercall).toBe(2);
    expect(behind['domain crossing'] - plain['domain crossing']).toBe(6);
  });
});
