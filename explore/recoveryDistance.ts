/**
 * The shortest way back to service, by breadth-first search from the state after the failure: no fault happens on the way, and everything
 * else may. What the scripts of drivers/architectures say is checked against it: no way is claimed that a shorter one beats unseen, and
 * none is denied that exists.
 */
import {
  failed,
  hasNoWay,
  isRestored,
  type RecoveryCost,
  type RecoveryRun,
  recoveryOf,
} from '../drivers/architectures/recovery.js';
import { build, DISABLED, isFailure, type Machine, SpecificationError } from '../model/kernel/index.js';
import { StateStore } from './store.js';

/** States after which the search is given up. */
const MOST_STATES = 300_000;

/**
 * Fewest operations from the state after the failure to restored service; null when no way leads there.
 * @throws SpecificationError when the search is given up
 */
export function shortestRecovery(run: RecoveryRun): number | null {
  const start = failed(run).m;
  const m = build(run.machine, {
    scope: run.scope,
    faults: [],
    ...(run.gatesOff && { gatesOff: run.gatesOff }),
    ...(run.edits && { edits: run.edits }),
  });
  const store = new StateStore(m.layout.wordCount);
  m.words.set(start.words);
  store.add(m.words, -1);
  for (let depth = 0, from = 0, end = 1; from < end; depth++, from = end, end = store.count) {
    for (let id = from; id < end; id++) {
      store.load(id, m.words);
      if (isRestored(run, m)) return depth;
    }
    for (let id = from; id < end; id++) successors(m, store, id);
    if (store.count > MOST_STATES) {
      throw new SpecificationError(`${run.machine.name}: no way back within ${MOST_STATES} states`);
    }
  }
  return null;
}

/** Adds every state that one operation leads to. */
function successors(m: Machine, store: StateStore, id: number): void {
  store.load(id, m.beforeWords);
  for (let k = 0; k < m.transitionKinds; k++) {
    m.words.set(m.beforeWords);
    m.fireAll(k, {
      visit: (_kind, status) => {
        if (status !== DISABLED && !isFailure(status)) store.add(m.words, id);
        return false;
      },
    });
  }
}

/** The scripted ways with the length of a shortest one beside each, in order. */
export function recoveriesOf(runs: readonly RecoveryRun[]): RecoveryCost[] {
  return runs.map((run) => {
    const cost = recoveryOf(run);
    const shortest = shortestRecovery(run);
    if ((shortest === null) !== hasNoWay(run)) {
      throw new SpecificationError(
        `${run.machine.name}, ${run.what} after a ${run.from}: ${shortest === null ? 'no way back is found' : `a way back of ${shortest} operations is found`}`,
      );
    }
    return { ...cost, shortest };
  });
}
