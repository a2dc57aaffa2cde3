/** The same with invalidation and wait apart: 720 orders. */
import { describe, expect, it } from 'vitest';
import { MICRO_STEPS } from '../drivers/suites/teardownOrders.js';
import { teardownOrders } from './teardownOrders.js';

describe('tear-down in six steps', () => {
  it.each([
    [true, 6],
    [false, 4],
  ])('accepts exactly the legal orders of 720 (the wait drains: %s)', { timeout: 240_000 }, (drains, legal) => {
    const verdicts = teardownOrders(MICRO_STEPS, drains);
    expect(verdicts.length).toBe(720);
    expect(verdicts.filter((v) => v.accepted !== v.legal)).toEqual([]);
    expect(verdicts.filter((v) => v.accepted).length).toBe(legal);
  });
});
