/** The orders of a tear-down that the invariants accept are the documented ones, no more and no fewer (H25). */
import { describe, expect, it } from 'vitest';
import { FIVE_STEPS, isLegal, ordersOf } from '../drivers/suites/teardownOrders.js';
import { teardownOrders } from './teardownOrders.js';

const told = (order: readonly string[]): string => order.join(' < ');

describe('tear-down in five steps', () => {
  it('has 120 orders, of which few are legal', () => {
    const orders = ordersOf(FIVE_STEPS);
    expect(new Set(orders.map(told)).size).toBe(120);
    expect(orders.filter((o) => isLegal(o, true)).length).toBe(5);
    expect(orders.filter((o) => isLegal(o, false)).map(told)).toEqual([
      'quiesce < clear entry < flush < free < detach',
      'clear entry < quiesce < flush < free < detach',
      'clear entry < flush < quiesce < free < detach',
    ]);
  });

  it.each([true, false])(
    'accepts the legal orders and no others (the wait drains: %s)',
    { timeout: 60_000 },
    (drains) => {
      const verdicts = teardownOrders(FIVE_STEPS, drains);
      expect(verdicts.filter((v) => v.accepted).map((v) => told(v.order))).toEqual(
        verdicts.filter((v) => v.legal).map((v) => told(v.order)),
      );
      for (const v of verdicts) expect(v.accepted).toBe(v.breaks === '');
    },
  );
});
