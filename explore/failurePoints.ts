/**
 * Where failures were injected: for every fault that takes a driver away (crash, hang, wrong suspicion), every operation that was under
 * way when it struck, and the step that it would have taken next. So "at every step of every operation" is read off the reachable states,
 * and a specification that is never interrupted somewhere says so itself.
 */
import { type Machine, runsOn, type Visitor } from '../model/kernel/index.js';
import { exploreExhaustively } from './exhaustive.js';

/** Program counters from here on count undo steps (model/kernel/compile.ts). */
const UNDO = 128;

export interface FailurePoints {
  /** Points at which every fault struck: `operation, before step`. */
  readonly struck: readonly string[];
  /** Points at which a fault never did: `fault: operation, before step`. */
  readonly missed: readonly string[];
  /** Operations of several steps that no failure comes between, though their agent has a thread and they are not declared atomic. */
  readonly whole: readonly string[];
  /** Faults that struck while something was in flight. */
  readonly inFlight: readonly string[];
  readonly states: number;
}

interface ThreadRows {
  readonly thread: { readonly op: Uint8Array; readonly pc: Uint8Array };
}

/** Whether any transition of the kind is enabled. */
class Enabled implements Visitor {
  yes = false;
  visit(): boolean {
    this.yes = true;
    return true;
  }
}

/**
 * Explores the machine (schedule `split`) and looks where its faults strike.
 * @param faults names of the operations that take a driver away
 * @param inFlight whether the device is at work in this state
 */
export function failurePoints(m: Machine, faults: readonly string[], inFlight: (m: never) => boolean): FailurePoints {
  const { progressing } = exploreExhaustively(m, { frameCondition: false, mayStop: () => true });
  const { store } = progressing;
  const { thread } = m as unknown as ThreadRows;
  const kinds = faults.map((name) => m.operations.findIndex((o) => o.op.name === name));
  const struck = new Set<string>();
  const flying = new Set<string>();
  for (let id = 0; id < store.count; id++) {
    for (const [i, kind] of kinds.entries()) {
      store.load(id, m.words);
      store.load(id, m.beforeWords);
      const enabled = new Enabled();
      m.fireAll(kind, enabled);
      if (!enabled.yes) continue;
      store.load(id, m.words);
      if ((inFlight as (m: Machine) => boolean)(m)) flying.add(faults[i]);
      for (let t = 0; t < thread.op.length; t++) {
        if (thread.op[t] !== 0) struck.add(`${faults[i]}: ${pointOf(m, thread.op[t] - 1, thread.pc[t])}`);
      }
    }
  }
  const points = m.operations
    .filter((o) => o.split && o.op.fault === undefined)
    .flatMap((o) => o.stepNames.slice(1).map((step) => `${o.op.name}, before ${step}`));
  const everywhere = (point: string): boolean => faults.every((f) => struck.has(`${f}: ${point}`));
  return {
    struck: points.filter(everywhere),
    missed: points.flatMap((p) => faults.map((f) => `${f}: ${p}`)).filter((p) => !struck.has(p)),
    whole: m.operations.filter((o) => isInterruptible(m, o.index)).map((o) => o.op.name),
    inFlight: faults.filter((f) => flying.has(f)),
    states: store.count,
  };
}

function pointOf(m: Machine, operation: number, pc: number): string {
  const o = m.operations[operation];
  return `${o.op.name}, before ${pc >= UNDO ? o.undoNames[pc - UNDO] : o.stepNames[pc]}`;
}

/** Whether the operation could be interrupted, and is not split. */
function isInterruptible(m: Machine, index: number): boolean {
  const { op, split, steps } = m.operations[index];
  if (split || op.atomic === true || op.fault !== undefined || steps.length < 2) return false;
  return m.threadAgents.some((a) => runsOn(a, op.agent));
}
