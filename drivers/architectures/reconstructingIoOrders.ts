/**
 * Every order of the nine micro-steps of a restart (R2 of "Reconstructing I/O"): machines in which a restart takes its steps in one given
 * order, or gets no further than the beginning of one, and the orders that are documented as legal. `explore/restartOrders.ts` finds out
 * which the invariants accept.
 */
import { UNGUARDED } from '../../faults/architectures/reconstructingIo.js';
import {
  RESTART_ORDER,
  type RestartStep,
  restart,
  restartSteps,
  stepsIn,
} from '../../model/architectures/reconstructingIo/restart.js';
import { AGAIN, type Edit, insertBefore, omit, reorder, type Scope, replace } from '../../model/kernel/index.js';

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

/** What a restart that stops after the beginning of an order leaves in `service.spare`, when it got that far. */
export const GOT_THERE = 99;

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
    insertBefore(restart, 'done', 'got there', (m, op) => {
      m.service.spare[op.device] = GOT_THERE;
    }),
    replace(restart, 'done', () => AGAIN),
  );
  return edits;
}

/** What must come before what, and why. */
export const PRECEDENCES: readonly (readonly [RestartStep, RestartStep, string])[] = [
  ['destroy the old domain', 'release its frames', 'a domain that runs still writes its memory'],
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

/** Whether the order respects the precedences. */
export function isLegalOrder(order: readonly RestartStep[], waitDrains: boolean): boolean {
  const rules = waitDrains ? PRECEDENCES : [...PRECEDENCES, ...WITHOUT_DRAIN];
  return rules.every(([first, then]) => {
    const a = order.indexOf(first);
    const b = order.indexOf(then);
    return a < 0 ? b < 0 || !order.includes(then) : b < 0 || a < b;
  });
}
