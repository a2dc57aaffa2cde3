/** All 120 orders of a close whose wait for what is in flight is a step of its own. */
import { expect, it } from 'vitest';
import { CLOSE_STEPS_APART } from '../drivers/architectures/userLevelOrders.js';
import { closeOrders } from './closeOrders.js';

const told = (order: readonly string[]): string => order.join(' < ');

it.each([
  [true, 5],
  [false, 2],
] as const)('accepts the legal orders and no others (a wait drains: %s)', { timeout: 300_000 }, (drains, count) => {
  const verdicts = closeOrders(CLOSE_STEPS_APART, drains);
  expect(verdicts.length).toBe(120);
  const accepted = verdicts.filter((v) => v.accepted).map((v) => told(v.order));
  expect(accepted).toEqual(verdicts.filter((v) => v.legal).map((v) => told(v.order)));
  expect(accepted.length).toBe(count);
});
