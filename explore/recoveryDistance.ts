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
import { build, isFailure, type Machine, SpecificationError, type Visitor } from '../model/kernel/index.js';
import { StateStore } from './store.js';

/** States after which the search is given up. */
const MOST_STATES = 300_000;

/** Adds every state that operations lead to, level by level. */
class Search implements Visitor {
  private readonly store: StateStore;
  private from = 0;

  constructor(private readonly m: Machine) {
    this.store = new StateStore(m.layout.wordCount);
  }

  /** Fewest operations from the machine's state to the goal; null when no way leads there. @throws SpecificationError after too many states */
  distance(goal: (m: Machine) => boolean): number | null {
    const { m, store } = this;
    store.add(m.words, -1);
    for (let depth = 0, first = 0, end = 1; first < end; depth++, first = end, end = store.count) {
      for (let id = first; id < end; id++) {
        store.load(id, m.words);
        if (goal(m)) return depth;
      }
      for (let id = first; id < end; id++) this.expand(id);
      if (store.count > MOST_STATES) throw new SpecificationError(`${m.name}: no way back in ${MOST_STATES} states`);
    }
    return null;
  }

  private expand(id: number): void {
    const { m } = this;
    this.from = id;
    this.store.load(id, m.beforeWords);
    m.words.set(m.beforeWords);
    for (let k = 0; k < m.transitionKinds; k++) m.fireAll(k, this);
  }

  visit(_kind: number, status: number): boolean {
    if (!isFailure(status)) this.store.add(this.m.words, this.from);
    return false;
  }
}

/**
 * Fewest operations from the state after the failure to restored service; null when no way leads there.
 * @throws SpecificationError when the search is given up
 */
export function shortestRecovery(run: RecoveryRun): number | null {
  return searchFrom(machineFor(run), run);
}

function searchFrom(m: Machine, run: RecoveryRun): number | null {
  m.words.set(failed(run).m.words);
  return new Search(m).distance((state) => isRestored(run, state));
}

/** The machine of a run, without faults. */
function machineFor(run: RecoveryRun): Machine {
  const { scope, gatesOff = [], edits = [] } = run;
  return build(run.machine, { scope, faults: [], gatesOff, edits });
}

/** Whether two runs are on the same machine: then it is built, and warmed up, once. */
function sameMachine(a: RecoveryRun, b: RecoveryRun): boolean {
  const gates = (r: RecoveryRun): string => (r.gatesOff ?? []).map((g) => g.name).join();
  return (
    a.machine === b.machine &&
    a.edits === b.edits &&
    gates(a) === gates(b) &&
    JSON.stringify(a.scope) === JSON.stringify(b.scope)
  );
}

/** Whether two runs begin in the same state and look for the same: eras that no hardware distinguishes. */
const sameSearch = (a: RecoveryRun, b: RecoveryRun): boolean =>
  sameMachine(a, b) && a.what === b.what && a.from === b.from;

/** The scripted ways with the length of a shortest one beside each, in order. */
export function recoveriesOf(runs: readonly RecoveryRun[]): RecoveryCost[] {
  const machines: { readonly run: RecoveryRun; readonly m: Machine }[] = [];
  const searched: { readonly run: RecoveryRun; readonly shortest: number | null }[] = [];
  const search = (run: RecoveryRun): number | null => {
    let built = machines.find((b) => sameMachine(b.run, run));
    if (!built) {
      built = { run, m: machineFor(run) };
      machines.push(built);
    }
    return searchFrom(built.m, run);
  };
  return runs.map((run) => {
    const cost = recoveryOf(run);
    const known = searched.find((s) => sameSearch(s.run, run));
    const shortest = known ? known.shortest : search(run);
    if (!known) searched.push({ run, shortest });
    if ((shortest === null) !== hasNoWay(run)) {
      const found = shortest === null ? 'no way back' : `a way back of ${shortest} operations`;
      throw new SpecificationError(`${run.machine.name}, ${run.what} after a ${run.from}: ${found} is found`);
    }
    return { ...cost, shortest };
  });
}
