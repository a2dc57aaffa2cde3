/**
 * Every order of a close: machines in which a driver’s device is closed in one given order while its caches refill and its DMA goes on,
 * and the orders that are legal. `explore/closeOrders.ts` finds out which the invariants accept.
 */
import {
  clearEntries,
  invalidateAll,
  mayClose,
  openDevice,
  releaseClaim,
  unpinAll,
} from '../../model/architectures/userLevel/handles.js';
import type { UserDrivers } from '../../model/architectures/userLevel/state.js';
import { awaitCompletion, device, drain } from '../../model/iommu/index.js';
import { type AnyOperation, type MachineDef, operationOn, type Scope } from '../../model/kernel/index.js';
import { closingMachine } from './userLevelMachines.js';

/** The four of the paper: disabling waits for what is in flight. */
export const CLOSE_STEPS = ['disable', 'unmap', 'unpin', 'release'] as const;
/** The same with the wait apart: 120 orders. */
export const CLOSE_STEPS_APART = ['bus master off', 'drain', 'unmap', 'unpin', 'release'] as const;

export type CloseStep = (typeof CLOSE_STEPS)[number] | (typeof CLOSE_STEPS_APART)[number];

/** Two devices, of two drivers. */
export const CLOSE_SCOPE: Scope = {
  domain: 3,
  generation: 1,
  frame: 5,
  device: 2,
  ats: 0,
  iova: 1,
  did: 2,
  queue: 3,
  dma: 1,
  record: 0,
  worker: 1,
  'pin limit': 1,
};

type Closing = { device: number };
// biome-ignore lint/suspicious/noConfusingVoidType: as in the kernel, steps without a verdict read better
type Part = (m: UserDrivers, op: Closing) => number | void;

const busMasterOff: Part = (m, op) => {
  m.device.busMaster[op.device] = 0;
};

/** What each step consists of. */
function partsOf(step: CloseStep): Readonly<Record<string, Part>> {
  switch (step) {
    case 'disable':
      return { 'bus mastering off': busMasterOff, drain: (m, op) => drain(m, op.device) };
    case 'bus master off':
      return { 'bus mastering off': busMasterOff };
    case 'drain':
      return { drain: (m, op) => drain(m, op.device) };
    case 'unmap':
      return {
        'clear entries': (m, op) => clearEntries(m, op.device),
        invalidate: (m, op) => invalidateAll(m, op.device),
        completed: (m, op) => awaitCompletion(m, op.device),
      };
    case 'unpin':
      return { unpin: (m, op) => unpinAll(m, op.device) };
    case 'release':
      return { 'release claim': (m, op) => releaseClaim(m, op.device) };
  }
}

/** The close in this order. */
function closeIn(order: readonly CloseStep[]): AnyOperation {
  const steps: Record<string, Part> = {
    lock: (m, op) => {
      m.handle.locked[op.device] = 1;
    },
  };
  for (const step of order) Object.assign(steps, partsOf(step));
  return operationOn<UserDrivers>()('close', {
    agent: 'vmm',
    says: `closes {device}: ${order.join(', ')}`,
    input: { device },
    where: { device: (m, op) => mayClose(m, op.device) },
    steps,
  });
}

/** The machine in which a device is closed in this order, opened again, and opened by another. */
export function closeMachine(order: readonly CloseStep[]): MachineDef {
  return closingMachine(`close: ${order.join(', ')}`, [openDevice, closeIn(order)]);
}

/** All orders of the steps. */
export function closeOrdersOf(steps: readonly CloseStep[]): CloseStep[][] {
  if (steps.length === 0) return [[]];
  return steps.flatMap((first) => closeOrdersOf(steps.filter((s) => s !== first)).map((rest) => [first, ...rest]));
}

/**
 * The order of the paper. Where the wait stands apart, it may stand anywhere after bus mastering is off and before unpinning; and anywhere
 * at all if the completion of an invalidation has drained what was translated before it.
 */
export function isLegalClose(order: readonly CloseStep[], waitDrains: boolean): boolean {
  const at = (s: CloseStep): number => order.indexOf(s);
  if (!order.includes('drain')) return CLOSE_STEPS.every((s, i) => at(s) === i);
  const chain = ['bus master off', 'unmap', 'unpin', 'release'] as const;
  const inOrder = chain.every((s, i) => i === 0 || at(chain[i - 1] ?? s) < at(s));
  return inOrder && (waitDrains || (at('bus master off') < at('drain') && at('drain') < at('unpin')));
}
