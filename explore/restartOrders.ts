/**
 * Which orders of the steps of a restart the properties accept: all 9! of them. What breaks in the beginning of an order breaks in every
 * order that begins so, and two beginnings that take the same steps to the same states have the same futures; so beginnings are explored
 * exhaustively, each once, and only those that need it.
 */
import { restartMachine } from '../drivers/architectures/reconstructingIoMachines.js';
import { gotThere, ORDER_SCOPE, restartEdits } from '../drivers/architectures/reconstructingIoOrders.js';
import {
  NOT_SUSPECTED,
  RESTART_ORDER,
  type RestartStep,
  type Restarts,
} from '../model/architectures/reconstructingIo/restart.js';
import { drainOnWait } from '../model/iommu/index.js';
import { build } from '../model/kernel/index.js';
import { dmaConfined, memoryOfVmm } from '../properties/architectures/reconstructingIo.js';
import {
  connectedToOwner,
  liveKeepMemory,
  loansReturn,
  nothingLeaks,
  oneLiveOwner,
  quietAssignment,
  serviceResumes,
  staysQuiet,
} from '../properties/architectures/reconstructingIoRestart.js';
import { dmaFresh } from '../properties/iommu.js';
import { invariant, progress } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { checkProgress } from './progress.js';

export interface RestartOrders {
  /** Orders that every property accepts. */
  readonly accepted: readonly (readonly RestartStep[])[];
  /** Explored beginnings that broke a property, with the property. */
  readonly rejected: readonly { readonly beginning: readonly RestartStep[]; readonly breaks: string }[];
  /** Machines explored. */
  readonly explored: number;
}

interface Verdict {
  /** Id and name of the first property that broke, or ''. */
  readonly breaks: string;
  /** The steps taken and the states reached by them. */
  readonly future: string;
}

/** Without their witnesses: a beginning need not show them all. */
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
].map((p) => ({ ...p, witnesses: {} }));

/** A beginning is taken to its end: whoever waits in a step waits for nothing that a later step of the same restart could do. */
const beginningEnds = progress<Restarts>('R-L1', 'recovery', {
  states: 'the beginning of the restart is taken to its end',
  pending: (m) => m.service.suspected[0] !== NOT_SUSPECTED && !gotThere(m),
  goal: gotThere,
  witnesses: {},
});

/** Tries all orders. @param waitDrains whether a completed wait of the IOMMU has drained the requests translated before it */
export function restartOrders(waitDrains: boolean): RestartOrders {
  const rejected: { beginning: readonly RestartStep[]; breaks: string }[] = [];
  const ends = new Map<string, readonly (readonly RestartStep[])[]>();
  let explored = 0;
  /** How the beginning can go on to its end and be accepted. */
  const endsOf = (beginning: readonly RestartStep[]): readonly (readonly RestartStep[])[] => {
    let future = '';
    if (beginning.length > 0) {
      explored++;
      const verdict = judge(beginning, waitDrains);
      if (verdict.breaks !== '') {
        rejected.push({ beginning, breaks: verdict.breaks });
        return [];
      }
      if (beginning.length === RESTART_ORDER.length) return [[]];
      future = verdict.future;
    }
    const known = ends.get(future);
    if (known) return known;
    const found = RESTART_ORDER.filter((s) => !beginning.includes(s)).flatMap((next) =>
      endsOf([...beginning, next]).map((end) => [next, ...end]),
    );
    ends.set(future, found);
    return found;
  };
  const accepted = endsOf([]);
  return { accepted, rejected, explored };
}

/** Explores the restart in this order, or with this beginning of one. */
export function judge(order: readonly RestartStep[], waitDrains: boolean): Verdict {
  const m = build(restartMachine, {
    scope: ORDER_SCOPE,
    schedule: 'split',
    gatesOff: waitDrains ? [] : [drainOnWait],
    edits: restartEdits(order),
  });
  const whole = order.length === RESTART_ORDER.length;
  let sum = 0;
  let mixed = 0;
  let states = 0;
  /** Never breaks; adds up what every state that the beginning ends in looks like. */
  const collect = invariant<Restarts>('R-L1', 'states', {
    states: 'the states that a beginning ends in',
    holds: (state) => {
      if (!gotThere(state)) return true;
      let h = 0x811c9dc5;
      let g = 0x9e3779b9;
      for (let i = 0; i < state.words.length; i++) {
        h = Math.imul(h ^ state.words[i], 0x01000193);
        g = Math.imul(g ^ (h >>> 15) ^ state.words[i], 0x85ebca6b);
      }
      sum = (sum + h) | 0;
      mixed = (mixed + g) | 0;
      states++;
      return true;
    },
    witnesses: {},
  });
  const options = { frameCondition: false, stopAtFirst: true, mayStop: () => true };
  const result = exploreExhaustively(m, { ...options, properties: whole ? SAFETY : [...SAFETY, collect] });
  const [finding] = result.findings;
  if (finding) return { breaks: `${finding.property.id} ${finding.property.name}`, future: '' };
  for (const p of whole ? [serviceResumes, loansReturn] : [beginningEnds]) {
    if (!checkProgress(m, result.progressing.store, p).holds) return { breaks: `${p.id} ${p.name}`, future: '' };
  }
  const taken = RESTART_ORDER.map((s) => (order.includes(s) ? 1 : 0)).join('');
  return { breaks: '', future: `${taken} ${states} ${sum} ${mixed}` };
}
