/**
 * Which orders of the steps of a restart the properties accept: all 9! of them. What breaks in the beginning of an order breaks in every
 * order that begins so, so orders are tried as a tree of beginnings, and each beginning is explored exhaustively once.
 */
import { GOT_THERE, ORDER_SCOPE, restartEdits } from '../drivers/architectures/reconstructingIoOrders.js';
import { restartMachine } from '../drivers/architectures/reconstructingIoMachines.js';
import { RESTART_ORDER, type Restarts, type RestartStep } from '../model/architectures/reconstructingIo/restart.js';
import { drainOnWait } from '../model/iommu/index.js';
import { build } from '../model/kernel/index.js';
import {
  connectedToOwner,
  dmaConfined,
  liveKeepMemory,
  loansReturn,
  memoryOfVmm,
  nothingLeaks,
  oneLiveOwner,
  quietAssignment,
  serviceResumes,
  staysQuiet,
} from '../properties/architectures/reconstructingIo.js';
import { dmaFresh } from '../properties/iommu.js';
import { invariant } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { checkProgress } from './progress.js';

export interface RestartOrders {
  /** Orders that every property accepts. */
  readonly accepted: readonly (readonly RestartStep[])[];
  /** Beginnings that broke a property, with the property: no order that begins so is accepted. */
  readonly rejected: readonly { readonly beginning: readonly RestartStep[]; readonly breaks: string }[];
  /** Orders that the rejected beginnings stand for. */
  readonly rejectedOrders: number;
  /** Machines explored. */
  readonly explored: number;
}

const SAFETY = [
  dmaConfined,
  memoryOfVmm,
  dmaFresh,
  oneLiveOwner,
  liveKeepMemory,
  staysQuiet,
  quietAssignment,
  connectedToOwner,
  nothingLeaks,
];

/** Without their witnesses: a beginning need not show them all. */
const SAFETY_ONLY = SAFETY.map((p) => ({ ...p, witnesses: {} }));

/** Never breaks; its witness tells whether the beginning of the order was ever taken to its end. */
const gotThere = invariant<Restarts>('R-L1', 'got there', {
  states: 'the beginning of the restart is taken to its end',
  holds: () => true,
  witnesses: { 'the beginning has been taken': (m) => m.service.spare[0] === GOT_THERE },
});

/** Tries all orders. @param waitDrains whether a completed wait of the IOMMU has drained the requests translated before it */
export function restartOrders(waitDrains: boolean): RestartOrders {
  const accepted: (readonly RestartStep[])[] = [];
  const rejected: { beginning: readonly RestartStep[]; breaks: string }[] = [];
  let rejectedOrders = 0;
  let explored = 0;
  const descend = (beginning: readonly RestartStep[]): void => {
    const breaks = beginning.length === 0 ? '' : firstBreak(beginning, waitDrains);
    explored++;
    if (breaks !== '') {
      rejected.push({ beginning, breaks });
      rejectedOrders += factorial(RESTART_ORDER.length - beginning.length);
      return;
    }
    if (beginning.length === RESTART_ORDER.length) {
      accepted.push(beginning);
      return;
    }
    for (const next of RESTART_ORDER) if (!beginning.includes(next)) descend([...beginning, next]);
  };
  descend([]);
  return { accepted, rejected, rejectedOrders, explored };
}

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

/** Id and name of the first property that the restart in this order, or with this beginning, breaks; '' when it breaks none. */
export function firstBreak(order: readonly RestartStep[], waitDrains: boolean): string {
  const m = build(restartMachine, {
    scope: ORDER_SCOPE,
    schedule: 'split',
    gatesOff: waitDrains ? [] : [drainOnWait],
    edits: restartEdits(order),
  });
  const options = { frameCondition: false, stopAtFirst: true, mayStop: () => true };
  const result = exploreExhaustively(m, { ...options, properties: order.length < RESTART_ORDER.length ? [...SAFETY_ONLY, gotThere] : SAFETY_ONLY });
  const [finding] = result.findings;
  if (finding) return `${finding.property.id} ${finding.property.name}`;
  // Whoever waits in a step waits for what no later step of the same restart can do: it is not taken before.
  if (order.length < RESTART_ORDER.length) return result.witnesses.every((w) => w.reached) ? '' : 'R-L1 recovery';
  for (const p of [serviceResumes, loansReturn]) {
    if (!checkProgress(m, result.progressing.store, p).holds) return `${p.id} ${p.name}`;
  }
  return '';
}
