/**
 * Since when a breach was inevitable: the first state of a trace from which even the repaired machine (all gates on, no mutant) still
 * breaks the property. What happens before it could still have been mended; what happens after it is only the damage showing.
 */
import { DISABLED, Machine, type MachineOptions } from '../model/kernel/index.js';
import type { Invariant, UntypedProperty } from '../properties/property.js';
import { StateStore } from './store.js';
import { digitsOf, initialTold, kindOf, type TraceStep } from './trace.js';

/** Bounds the search from each state of the trace. */
const MAX_STATES = 20_000;

/**
 * Index of the step since which the breach was inevitable; 0 when the initial state was doomed, -1 when the search was cut short or the
 * property is not a state invariant.
 * @param machine the machine on which the trace was found
 * @param trace told steps, step 0 being the initial state
 */
export function inevitableSince(machine: Machine, trace: readonly TraceStep[], property: UntypedProperty): number {
  if (property.kind !== 'invariant') return -1;
  const repaired = repair(machine);
  // A mutant that adds fields or operations has another layout: then the states mean nothing to the repaired machine.
  if (repaired.layout.wordCount !== machine.layout.wordCount || machine.threadAgents.length > 0) return -1;
  const states = statesOf(machine, trace);
  if (states.length !== trace.length) return -1;
  // From the end: there the way to the breach is short, so all but one of the searches are; and its stretch has no gap.
  for (let i = states.length - 1; i >= 0; i--) {
    const broken = reaches(repaired, states[i], property, states.length - 1 - i);
    if (broken === undefined) return -1;
    if (!broken) return i + 1 < states.length ? i + 1 : -1;
  }
  return 0;
}

function repair(machine: Machine): Machine {
  const { scope, schedule, faults, failures } = machine.options;
  const options: MachineOptions = {
    scope,
    ...(schedule ? { schedule } : {}),
    ...(faults ? { faults } : {}),
    ...(failures ? { failures } : {}),
  };
  return new Machine(machine.def, options);
}

function statesOf(m: Machine, trace: readonly TraceStep[]): Int32Array[] {
  initialTold(m, trace[0]?.choices.map((c) => c.value) ?? []);
  const states = [m.words.slice()];
  for (const step of trace.slice(1)) {
    const kind = kindOf(m, step);
    if (kind < 0) break;
    m.choices.fix(digitsOf(step));
    if (m.fire(kind) === DISABLED) break;
    states.push(m.words.slice());
  }
  return states;
}

/** Whether the machine breaks the property within `depth` steps from this state; undefined when the bound was met first. */
function reaches(m: Machine, from: Int32Array, p: Invariant<Machine>, depth: number): boolean | undefined {
  const store = new StateStore(from.length);
  m.words.set(from);
  store.add(m.words, -1);
  if (!p.holds(m)) return true;
  let found = false;
  let parent = 0;
  const visitor = {
    visit(): boolean {
      if (store.add(m.words, parent) >= 0 && !p.holds(m)) found = true;
      return found;
    },
  };
  let levelEnd = 1;
  let level = 0;
  for (; parent < store.count; parent++) {
    if (parent === levelEnd) {
      levelEnd = store.count;
      level++;
    }
    if (level >= depth) return false;
    if (store.count > MAX_STATES) return undefined;
    store.load(parent, m.beforeWords);
    m.words.set(m.beforeWords);
    for (let k = 0; k < m.transitionKinds && !found; k++) m.fireAll(k, visitor);
    if (found) return true;
  }
  return false;
}
