/** Which orders of a tear-down the invariants accept: every order explored exhaustively. */
import {
  isLegal,
  type MicroStep,
  ordersOf,
  TEARDOWN_SCOPE,
  teardownMachine,
} from '../drivers/suites/teardownOrders.js';
import { drainOnWait } from '../model/iommu/index.js';
import { build } from '../model/kernel/index.js';
import { dmaFresh, dmaReach, dmaSource, dmaType } from '../properties/iommu.js';
import { exploreExhaustively } from './exhaustive.js';

export interface OrderVerdict {
  readonly order: readonly MicroStep[];
  readonly accepted: boolean;
  /** Whether the documentation says that the order is legal. */
  readonly legal: boolean;
  /** The invariant that broke first, and why; empty when none did. */
  readonly breaks: string;
  readonly why: string;
}

/**
 * Explores every order of the steps.
 * @param waitDrains whether a completed wait has drained requests that were translated before it
 */
export function teardownOrders(steps: readonly MicroStep[], waitDrains: boolean): OrderVerdict[] {
  return ordersOf(steps).map((order) => {
    const machine = build(teardownMachine(order), {
      scope: TEARDOWN_SCOPE,
      schedule: 'split',
      gatesOff: waitDrains ? [] : [drainOnWait],
    });
    const result = exploreExhaustively(machine, {
      properties: [dmaReach, dmaType, dmaSource, dmaFresh],
      frameCondition: false,
      stopAtFirst: true,
      mayStop: () => true,
    });
    const [finding] = result.findings;
    return {
      order,
      accepted: finding === undefined && result.verdict === 'complete',
      legal: isLegal(order, waitDrains),
      breaks: finding ? `${finding.property.id} ${finding.property.name}` : '',
      why: finding?.why ?? '',
    };
  });
}
