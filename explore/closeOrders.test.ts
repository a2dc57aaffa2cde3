/** The one order of a close that the invariants accept is the paper’s; the other 23 break something. */
import { describe, expect, it } from 'vitest';
import { CLOSE_STEPS, closeOrdersOf } from '../drivers/architectures/userLevelOrders.js';
import { closeOrders } from './closeOrders.js';

const told = (order: readonly string[]): string => order.join(' < ');

describe('close in four steps', () => {
  it('has 24 orders', () => {
    expect(new Set(closeOrdersOf(CLOSE_STEPS).map(told)).size).toBe(24);
  });

  it.each([true, false])('accepts one order and no other (a wait drains: %s)', { timeout: 60_000 }, (drains) => {
    const verdicts = closeOrders(CLOSE_STEPS, drains);
    expect(verdicts.filter((v) => v.accepted).map((v) => told(v.order))).toEqual(['disable < unmap < unpin < release']);
    for (const v of verdicts) expect([v.accepted, v.legal]).toEqual([v.breaks === '', v.breaks === '']);
  });
});
