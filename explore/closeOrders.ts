/** Which orders of a close the invariants accept: every order explored exhaustively, with DMA in flight. */
import {
  CLOSE_SCOPE,
  type CloseStep,
  closeMachine,
  closeOrdersOf,
  isLegalClose,
} from '../drivers/architectures/userLevelOrders.js';
import { drainOnWait } from '../model/iommu/index.js';
import { build } from '../model/kernel/index.js';
import {
  closedClean,
  entries,
  oneHandle,
  pinned,
  quietClose,
  reach,
} from '../properties/architectures/userLevelDrivers.js';
import { exploreExhaustively } from './exhaustive.js';

export interface CloseVerdict {
  readonly order: readonly CloseStep[];
  readonly accepted: boolean;
  /** Whether the paper’s order allows it. */
  readonly legal: boolean;
  /** The invariant that broke first, and why; empty when none did. */
  readonly breaks: string;
  readonly why: string;
}

/**
 * Explores every order of the steps.
 * @param waitDrains whether a completed invalidation has drained requests that were translated before it
 */
export function closeOrders(steps: readonly CloseStep[], waitDrains: boolean): CloseVerdict[] {
  return closeOrdersOf(steps).map((order) => {
    const machine = build(closeMachine(order), {
      scope: CLOSE_SCOPE,
      schedule: 'split',
      gatesOff: waitDrains ? [] : [drainOnWait],
    });
    const result = exploreExhaustively(machine, {
      properties: [reach, entries, pinned, closedClean, oneHandle, quietClose],
      frameCondition: false,
      stopAtFirst: true,
      mayStop: () => true,
    });
    const [finding] = result.findings;
    return {
      order,
      accepted: finding === undefined && result.verdict === 'complete',
      legal: isLegalClose(order, waitDrains),
      breaks: finding ? `${finding.property.id} ${finding.property.name}` : '',
      why: finding?.why ?? '',
    };
  });
}
