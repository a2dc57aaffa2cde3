/** Single orders of a restart: the paper's is accepted, and what a wrong one breaks has a name. */
import { describe, expect, it } from 'vitest';
import { isLegalOrder } from '../drivers/architectures/reconstructingIoOrders.js';
import { RESTART_ORDER, type RestartStep } from '../model/architectures/reconstructingIo/restart.js';
import { judge } from './restartOrders.js';

/** The paper's order with one step moved in front of another. */
function moved(step: RestartStep, before: RestartStep): RestartStep[] {
  return RESTART_ORDER.filter((s) => s !== step).flatMap((s) => (s === before ? [step, s] : [s]));
}

describe('an order of a restart', () => {
  it.each([true, false])('is accepted as the paper has it (the wait drains: %s)', (drains) => {
    expect(isLegalOrder(RESTART_ORDER, drains)).toBe(true);
    expect(judge(RESTART_ORDER, drains).breaks).toBe('');
  });

  it.each<[string, RestartStep[], string]>([
    [
      'memory that comes back while its domain runs',
      moved('destroy the old domain', 'build a new domain'),
      'I1 memory of the living',
    ],
    ['unmapping before waiting', moved('unmap and invalidate', 'wait for requests'), 'R-S1 confinement'],
    [
      'a new domain while the old one has the memory',
      moved('build a new domain', 'release its frames'),
      'R-L1 recovery',
    ],
    ['clients before the device', moved('reconnect its clients', 'assign the device'), 'R-S3 reconnection'],
    ['clients before the epoch', moved('reconnect its clients', 'next epoch'), 'R-S3 reconnection'],
    ['waiting before bus mastering is off', moved('wait for requests', 'bus mastering off'), 'R-S1 confinement'],
  ])('is refused: %s', (_name, order, breaks) => {
    expect(isLegalOrder(order, false)).toBe(false);
    expect(judge(order, false).breaks).toBe(breaks);
  });
});
