/**
 * Every order of the nine micro-steps of a restart (R2 of "Reconstructing I/O"): machines in which a restart takes its steps in one given
 * order, or gets no further than the beginning of one, and the orders that are documented as legal. `explore/restartOrders.ts` finds out
 * which the invariants accept.
 */
import { UNGUARDED } from '../../faults/architectures/reconstructingIoMutants.js';
import {
  RESTART_ORDER,
  type RestartStep,
  type Restarts,
  restart,
  restartSteps,
  stepsIn,
} from '../../model/architectures/reconstructingIo/restart.js';
import { AGAIN, type Edit, insertBefore, omit, reorder, replace, type Scope } from '../../model/kernel/index.js';

/** One device with a loan mapped, one restart; the driver may be alive, hung or dead. */
export const ORDER_SCOPE: Scope = {
  domain: 3,
  generation: 1,
  frame: 4,
  device: 1,
  ats: 0,
  iova: 2,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
  restarts: 1,
  client: 1,
};

/** Whether a restart that stops after the beginning of an order got that far: it then notes that in a field that nobody else here writes. */
export const gotThere = (m: Restarts): boolean => m.iommu.overflow[0] === 1;

/**
 * Edits that make the restart take these micro-steps, in this order and without its guard; when some are missing, it stops after them
 * for good.
 */
export function restartEdits(order: readonly RestartStep[]): Edit[] {
  const missing = RESTART_ORDER.filter((s) => !order.includes(s));
  const edits: Edit[] = [reorder(restart, stepsIn([...order, ...missing]))];
  for (const micro of missing) {
    for (const step of Object.keys(restartSteps[micro])) if (step !== UNGUARDED) edits.push(omit(restart, step));
  }
  edits.push(omit(restart, UNGUARDED));
  if (missing.length === 0) return edits;
  edits.push(
    insertBefore(restart, 'done', 'got there', (m) => {
      m.iommu.overflow[0] = 1;
    }),
    replace(restart, 'done', () => AGAIN),
  );
  return edits;
}

/** What must come before what, and why. */
export const PRECEDENCES: readonly (readonly [RestartStep, RestartStep, string])[] = [
  ['unmap and invalidate', 'build a new domain', 'mappings hold references: the memory is not free before'],
  ['release its frames', 'build a new domain', 'the memory set aside for the device is needed again'],
  ['build a new domain', 'assign the device', 'somebody must be there to be given it'],
  ['bus mastering off', 'assign the device', 'a device that is given to somebody must be quiet'],
  ['assign the device', 'reconnect its clients', 'clients are connected to the owner of their device'],
  ['next epoch', 'reconnect its clients', 'clients must know old answers from new ones'],
];

/** What is added where a wait of the IOMMU does not drain. */
export const WITHOUT_DRAIN: typeof PRECEDENCES = [
  ['bus mastering off', 'wait for requests', 'else the wait is for nothing'],
  ['wait for requests', 'unmap and invalidate', 'unmapping frees what a request in flight still reaches'],
];

/**
 * Whether the order respects the precedences, and destroys the old domain before its memory is free: a domain that runs still writes it.
 * It is free when it is released and no mapping holds a reference any more, whichever comes last. (The paper's order, which
 * releases after unmapping and destroying, is the only one that needs no references for that.)
 */
export function isLegalOrder(order: readonly RestartStep[], waitDrains: boolean): boolean {
  const at = (step: RestartStep): number => order.indexOf(step);
  const rules = waitDrains ? PRECEDENCES : [...PRECEDENCES, ...WITHOUT_DRAIN];
  const freed = Math.max(at('release its frames'), at('unmap and invalidate'));
  return at('destroy the old domain') < freed && rules.every(([first, then]) => at(first) < at(then));
}

/** All orders of the steps. */
export function ordersOf(steps: readonly RestartStep[]): RestartStep[][] {
  if (steps.length === 0) return [[]];
  return steps.flatMap((first) => ordersOf(steps.filter((s) => s !== first)).map((rest) => [first, ...rest]));
}
