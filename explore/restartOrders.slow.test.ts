/** All 362880 orders of a restart: the properties accept the documented ones, no more and no fewer. */
import { describe, expect, it } from 'vitest';
import { isLegalOrder, ordersOf } from '../drivers/architectures/reconstructingIoOrders.js';
import { RESTART_ORDER } from '../model/architectures/reconstructingIo/restart.js';
import { restartOrders } from './restartOrders.js';

describe('a restart in nine steps', () => {
  const all = ordersOf(RESTART_ORDER);

  it.each([
    [true, 1260],
    [false, 128],
  ])('accepts exactly the legal orders (the wait drains: %s)', { timeout: 300_000 }, (drains, legal) => {
    expect(all.length).toBe(362_880);
    const documented = all.filter((o) => isLegalOrder(o, drains)).map((o) => o.join(' < '));
    expect(documented.length).toBe(legal);
    const { accepted } = restartOrders(drains);
    expect(new Set(accepted.map((o) => o.join(' < ')))).toEqual(new Set(documented));
  });
});
