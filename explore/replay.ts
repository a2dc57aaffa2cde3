/**
 * Replay: performs the choices of a trace by name. A trace that no longer applies says where it stopped applying, and why.
 */
import { DISABLED, type Machine, type Sort } from '../model/kernel/index.js';
import {
  type AnyProperty,
  FAILURE_CHANGES_NOTHING,
  FRAME_CONDITION,
  type UntypedProperty,
} from '../properties/property.js';
import { whyNot } from './disabled.js';
import { frameViolation } from './exhaustive.js';
import { changesOf, describeLast, digitsOf, initialTold, kindOf, type TraceStep } from './trace.js';

export interface Replayed {
  /** All steps could be performed. */
  readonly applies: boolean;
  /** Index of the step that could not be performed, or -1. */
  readonly stoppedAt: number;
  readonly because: string;
  readonly steps: readonly TraceStep[];
  /** Lines of the memory map after each step. */
  readonly maps: readonly (readonly string[])[];
  /** The property broke in this replay. */
  readonly broken: boolean;
  readonly why: string;
}

/**
 * Replays a run.
 * @param steps as told in a trace file, step 0 being the initial state
 * @param property the one that broke; undefined when the machine no longer has it, or for the frame condition (checked in any case)
 * @param look called with the machine in each state that has a step to come, and the number of that state; leaves the words as they are
 */
export function replayTrace(
  machine: Machine,
  steps: readonly TraceStep[],
  property: AnyProperty | undefined,
  look?: (state: number) => void,
): Replayed {
  const m = machine;
  const p = property as UntypedProperty | undefined;
  const told: TraceStep[] = [initialTold(m, steps[0]?.choices.map((c) => c.value) ?? [])];
  const maps = [mapOf(m)];
  let broken = p?.kind === 'invariant' && !p.holds(m);
  let why = '';
  for (let i = 1; i < steps.length; i++) {
    const wanted = steps[i];
    const stop = (because: string): Replayed => ({
      applies: false,
      stoppedAt: i,
      because,
      steps: told,
      maps,
      broken,
      why,
    });
    const kind = kindOf(m, wanted);
    if (kind < 0) return stop(`the specification has no operation '${wanted.operation}'`);
    look?.(i - 1);
    m.beforeWords.set(m.words);
    m.choices.fix(digitsOf(wanted));
    m.choices.recording = true;
    const status = m.fire(kind);
    m.choices.recording = false;
    if (status === DISABLED) {
      m.words.set(m.beforeWords);
      const because = whyNot(m, wanted);
      m.words.set(m.beforeWords);
      return stop(`${wanted.says}: not enabled here${because === '' ? '' : `, ${because}`}`);
    }
    const differs = firstDifference(m, wanted, kind);
    if (differs) {
      m.words.set(m.beforeWords);
      return stop(`${wanted.says}: ${differs}`);
    }
    told.push({ ...describeLast(m, kind, status), changes: changesOf(m) });
    maps.push(mapOf(m));
    if (broken) continue;
    if (p?.kind === 'invariant' && !p.holds(m)) {
      broken = true;
      why = p.explain?.(m) ?? p.states;
    } else if (p?.kind === 'relation' && !p.holds(m.before, m, status)) {
      broken = true;
      why = p.explain?.(m.before, m, status) ?? p.states;
    } else if (p === undefined && frameViolation(m) >= 0) {
      broken = true;
      why = `${FRAME_CONDITION.states}, but ${m.rowName(frameViolation(m))} changed`;
    } else if (p === undefined && m.mustBeUnchanged(status) && m.words.some((w, j) => w !== m.beforeWords[j])) {
      broken = true;
      why = `not so: ${FAILURE_CHANGES_NOTHING.states}`;
    }
  }
  return { applies: true, stoppedAt: -1, because: '', steps: told, maps, broken, why };
}

/** Choices are matched by role and sort, so that a trace of another specification is not silently read as something else. */
function firstDifference(m: Machine, wanted: TraceStep, kind: number): string {
  const choices = wanted.operation === 'continue' ? wanted.choices.slice(1) : wanted.choices;
  if (m.choices.used !== choices.length) {
    return `the operation now makes ${m.choices.used} choices, and the trace has ${choices.length}`;
  }
  for (let i = 0; i < choices.length; i++) {
    const s: Sort | undefined = m.choices.sorts[i];
    const c = choices[i];
    if (s?.name !== c.sort || m.choices.labels[i] !== c.name) {
      return `choice ${i + 1} is now '${m.choices.labels[i]}' (${s?.name}), and was '${c.name}' (${c.sort})`;
    }
    if (m.choices.mismatch && c.value >= m.size(s)) return `'${c.name}' has no member ${c.value} in this scope`;
  }
  if (m.choices.mismatch) return 'a choice is out of the range of its sort';
  if (kind >= m.operations.length && m.currentStep !== wanted.step) {
    return `the thread is now at the step '${m.currentStep}', and was at '${wanted.step}'`;
  }
  return '';
}

/** Lines of the memory map: what every module says of the current state. */
export function mapOf(m: Machine): string[] {
  return m.modules.flatMap((mod) => (mod.map ? [...(mod.map as (m: Machine) => readonly string[])(m)] : []));
}
