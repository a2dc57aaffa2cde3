/**
 * Traces: a run told as a person would tell it, and found again from the states that an exploration stored.
 * Only parents are stored; the choices of each step are found by performing the parent's operations again.
 */
import { DISABLED, type Machine, memberName, NONE, statusName, valueName } from '../model/kernel/index.js';
import type { StateStore } from './store.js';
import type { Canonicalizer } from './symmetry.js';

/** One choice by name: `granter = domain 1`. */
export interface NamedChoice {
  readonly name: string;
  readonly sort: string;
  readonly value: number;
  readonly says: string;
}

/** One changed field. */
export interface Change {
  readonly row: string;
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** One step of a run. Step 0 is the choice of the initial state. */
export interface TraceStep {
  /** Name of the operation; `initial` for step 0; `continue` when a thread goes on with a split operation. */
  readonly operation: string;
  /** Name of the single step taken, under the schedule `split`. */
  readonly step: string;
  readonly agent: string;
  readonly choices: readonly NamedChoice[];
  /** The whole step in words. */
  readonly says: string;
  readonly status: string;
  readonly fault: string;
  readonly changes: readonly Change[];
}

/** Index of the transition kind that a trace step names, or -1. */
export function kindOf(
  m: Machine,
  step: { readonly operation: string; readonly choices: readonly NamedChoice[] },
): number {
  if (step.operation === 'continue') return m.operations.length + (step.choices[0]?.value ?? 0);
  return m.operations.findIndex((o) => o.op.name === step.operation);
}

/** The answers that make a trace step happen again. */
export function digitsOf(step: TraceStep): number[] {
  return step.operation === 'continue' ? step.choices.slice(1).map((c) => c.value) : step.choices.map((c) => c.value);
}

/** The operation that the machine has just performed, in words, without the choices of its steps. */
export function transitionName(m: Machine): string {
  const { op, call } = m.current;
  const agent = typeof op.agent === 'string' ? op.agent : memberName(op.agent, call.agent);
  return `${agent}: ${op.name}${m.currentStep ? ` (${m.currentStep})` : ''}`;
}

/** Describes the transition that the machine has just performed while recording its choices, without its changes. */
export function describeLast(m: Machine, k: number, status: number): Omit<TraceStep, 'changes'> {
  const { op } = m.current;
  const count = m.operations.length;
  const choices: NamedChoice[] = [];
  if (k >= count) {
    choices.push({ name: 'thread', sort: 'thread', value: k - count, says: `thread ${k - count}` });
  }
  for (let i = 0; i < m.choices.used; i++) {
    const s = m.choices.sorts[i];
    const value = m.choices.digits[i];
    if (s) choices.push({ name: m.choices.labels[i], sort: s.name, value, says: memberName(s, value) });
  }
  const agent = typeof op.agent === 'string' ? op.agent : memberName(op.agent, m.current.call.agent);
  const inputs = op.input ?? {};
  const told = (op.says ?? defaultSays(op.name, Object.keys(inputs))).replace(/\{(\w+)\}/g, (_, key: string) => {
    const s = inputs[key];
    const value = m.current.call[key] ?? 0;
    return s ? (value === NONE ? 'none' : memberName(s, value)) : String(value);
  });
  const own = new Set(['agent', 'thread', ...Object.keys(inputs)]);
  const extra = choices.filter((c) => !own.has(c.name)).map((c) => `${c.name}: ${c.says}`);
  const split = m.currentStep ? ` (${m.currentStep})` : '';
  const end = m.finished && status !== 0 ? ` -> ${statusName(status, op.errors)}` : '';
  return {
    operation: k >= count ? 'continue' : op.name,
    step: m.currentStep,
    agent,
    choices,
    says: `${agent} ${told}${split}${extra.length ? ` [${extra.join(', ')}]` : ''}${end}`,
    status: m.finished ? statusName(status, op.errors) : 'goes on',
    fault: op.fault ?? '',
  };
}

function defaultSays(name: string, inputs: readonly string[]): string {
  return inputs.length ? `${name} (${inputs.map((k) => `${k} {${k}}`).join(', ')})` : name;
}

/** What differs between the state before and the state now. */
export function changesOf(m: Machine): Change[] {
  const changes: Change[] = [];
  for (const f of m.layout.fields) {
    if (f.table === 'thread') continue;
    const now = (m as unknown as Record<string, Record<string, ArrayLike<number>>>)[f.table][f.name];
    const was = (m.before as unknown as Record<string, Record<string, ArrayLike<number>>>)[f.table][f.name];
    for (let r = 0; r < f.rows; r++) {
      if (now[r] === was[r]) continue;
      changes.push({
        row: m.rowName(f.base + r),
        field: f.name,
        from: valueName(f.field, was[r]),
        to: valueName(f.field, now[r]),
      });
    }
  }
  return changes;
}

/** Performs kind k with fixed answers on the current state; the step told in full, or undefined when it is not enabled so. */
export function performTold(m: Machine, k: number, digits: ArrayLike<number>): TraceStep | undefined {
  m.beforeWords.set(m.words);
  m.choices.fix(digits);
  m.choices.recording = true;
  const status = m.fire(k);
  m.choices.recording = false;
  if (status === DISABLED || m.choices.mismatch || m.choices.used !== digits.length) {
    m.words.set(m.beforeWords);
    return undefined;
  }
  return { ...describeLast(m, k, status), changes: changesOf(m) };
}

/** Loads the initial state that the answers choose; step 0 of a trace. */
export function initialTold(m: Machine, digits: ArrayLike<number>): TraceStep {
  m.choices.fix(digits);
  m.choices.recording = true;
  m.loadInitial();
  m.choices.recording = false;
  m.beforeWords.set(m.words);
  const choices = [...m.choices.digits.subarray(0, m.choices.used)].map((value, i): NamedChoice => {
    const s = m.choices.sorts[i];
    return { name: m.choices.labels[i], sort: s?.name ?? '', value, says: s ? memberName(s, value) : String(value) };
  });
  const told = choices.map((c) => `${c.name}: ${c.says}`).join(', ');
  return {
    operation: 'initial',
    step: '',
    agent: '',
    choices,
    says: told ? `initial state [${told}]` : 'initial state',
    status: 'ok',
    fault: '',
    changes: [],
  };
}

/**
 * The run that leads to state `id`, told in full. The machine ends in the last state of the run.
 * @param last a further transition out of that state, for step relations
 */
export function traceTo(
  m: Machine,
  store: StateStore,
  id: number,
  symmetry: Canonicalizer | undefined,
  last?: { readonly kind: number; readonly digits: readonly number[] },
): TraceStep[] {
  const path = store.path(id);
  const canonical = new Int32Array(m.words.length);
  const isState = (wanted: number): boolean => {
    if (symmetry) symmetry.canonicalize(m.words, canonical);
    return store.equals(wanted, symmetry ? canonical : m.words);
  };
  const steps: TraceStep[] = [];
  m.choices.begin();
  do {
    m.loadInitial();
    if (isState(path[0])) break;
  } while (m.choices.next());
  steps.push(initialTold(m, m.choices.digits.slice(0, m.choices.used)));
  for (const wanted of path.slice(1)) {
    const found = findTransition(m, () => isState(wanted));
    if (!found)
      throw new Error('a stored state cannot be reached from its parent: the specification is not deterministic');
    const step = performTold(m, found.kind, found.digits);
    if (step) steps.push(step);
  }
  if (last) {
    const step = performTold(m, last.kind, last.digits) ?? matchLast(m, last.kind);
    if (step) steps.push(step);
  }
  return steps;
}

/** Under symmetry the last transition may need the permuted answers; any enabled one of the same kind tells the mechanism. */
function matchLast(m: Machine, kind: number): TraceStep | undefined {
  const found = findTransition(m, (k) => k === kind);
  return found ? performTold(m, found.kind, found.digits) : undefined;
}

/** The first enabled transition of the current state whose result passes the test. Leaves the state as it was. */
export function findTransition(
  m: Machine,
  test: (kind: number, status: number) => boolean,
): { kind: number; digits: number[] } | undefined {
  const from = m.words.slice();
  for (let kind = 0; kind < m.transitionKinds; kind++) {
    m.choices.begin();
    do {
      m.words.set(from);
      const status = m.fire(kind);
      if (status === DISABLED) continue;
      if (test(kind, status)) {
        const digits = [...m.choices.digits.subarray(0, m.choices.used)];
        m.words.set(from);
        return { kind, digits };
      }
    } while (m.choices.next());
  }
  m.words.set(from);
  return undefined;
}
