/**
 * Why what did not happen could not happen: for a state of a trace, which operations of interest were disabled there, and by what: the
 * early guard of an input, or the step that answered DISABLED or AGAIN. Told when a trace is told again, never while states are explored.
 */
import {
  AGAIN,
  DISABLED,
  isFailure,
  isJump,
  labelled,
  type Machine,
  memberName,
  numberOf,
  OK,
  statusName,
} from '../model/kernel/index.js';
import { digitsOf, kindOf, type TraceStep } from './trace.js';

/** What stood in the way, and how far the call had come: the deeper, the nearer it was. */
interface Stop {
  readonly depth: number;
  readonly by: string;
}

/** Calls of one operation that are tried in one state; of an operation with more nothing is told. */
const MAX_CALLS = 20_000;
const MAX_JUMPS = 1000;
/** Steps lie deeper than the guards of all inputs. */
const STEPS = 1000;
/** Longest guard that is told in its own words, in characters. */
const MAX_GUARD = 160;
/** Operations told of one state. */
const MAX_TOLD = 16;

/** Kinds worth telling of: what the adversary can do, and what the trace itself does. */
export function kindsOfInterest(m: Machine, trace: readonly TraceStep[]): number[] {
  const used = new Set(trace.map((s) => s.operation));
  const kinds = m.operations.filter(({ op }) => op.fault !== undefined || used.has(op.name)).map((o) => o.index);
  return [...kinds, ...m.threadAgents.map((_, t) => m.operations.length + t)];
}

/**
 * What could not happen in the machine's current state, one line each; the state is left as it was.
 * @param last the step that completes the breach: told first, with its own inputs, as long as it is still to come
 */
export function disabledHere(m: Machine, kinds: readonly number[], last?: TraceStep): string[] {
  const state = m.words.slice();
  const before = m.beforeWords.slice();
  m.beforeWords.set(state);
  const recording = m.choices.recording;
  m.choices.recording = true;
  const back = (): void => m.words.set(state);
  const lines = last ? [stillToCome(m, last)] : [];
  for (const k of kinds) {
    const stop = disabledBy(m, k, back);
    if (stop) lines.push(`${nameOf(m, k)}: ${stop.by}`);
    back();
  }
  back();
  m.choices.recording = recording;
  m.beforeWords.set(before);
  const told = lines.filter((line) => line !== '');
  const left = told.length - MAX_TOLD;
  return left > 0 ? [...told.slice(0, MAX_TOLD), `and ${left} more`] : told;
}

/** Why exactly this step cannot be taken in the current state, or ''. Leaves the state changed. */
export function whyNot(m: Machine, step: TraceStep): string {
  const k = kindOf(m, step);
  if (k < 0) return '';
  const recording = m.choices.recording;
  m.choices.recording = true;
  m.choices.fix(digitsOf(step));
  const { stop, status } = attempt(m, k);
  m.choices.recording = recording;
  if (stop) return stop.by;
  return isFailure(status) ? `possible, but it would end '${statusName(status, m.current.op.errors)}'` : '';
}

function stillToCome(m: Machine, last: TraceStep): string {
  const state = m.words.slice();
  const why = whyNot(m, last);
  m.words.set(state);
  return why === '' ? '' : `the last step of this trace: ${why}`;
}

/** What disables every call of a kind: of all that stand in the way, the one that was met last. */
function disabledBy(m: Machine, k: number, back: () => void): Stop | undefined {
  let deepest: Stop | undefined;
  let calls = 0;
  m.choices.begin();
  do {
    back();
    const { stop } = attempt(m, k);
    if (!stop || ++calls > MAX_CALLS) return undefined;
    if (!deepest || stop.depth > deepest.depth) deepest = stop;
  } while (m.choices.next());
  return deepest?.by === '' ? undefined : deepest;
}

function nameOf(m: Machine, k: number): string {
  const t = k - m.operations.length;
  if (t < 0) {
    const op = m.operations[k]?.op;
    return `${op?.name}${op?.fault ? ` {${op.fault}}` : ''}`;
  }
  const agent = m.threadAgents[t];
  const { op } = m.current;
  const whose = typeof op.agent === 'string' ? op.agent : memberName(op.agent, numberOf(agent));
  return `thread ${t} of ${whose}, in ${op.name}`;
}

/** Tries kind k with the choices at hand: what disables it, or the status that it ends with. */
function attempt(m: Machine, k: number): { stop: Stop | undefined; status: number } {
  const op = m.operations[k];
  if (op && !op.split) {
    m.beginExecution();
    m.current = op;
    m.currentStep = '';
    if (!op.bind(m, m.choices, op.call, -1)) return { stop: guardOf(m), status: DISABLED };
    return takeSteps(m);
  }
  m.currentStep = '';
  const status = m.fire(k);
  if (status !== DISABLED) return { stop: undefined, status };
  if (m.currentStep !== '') return { stop: waiting(m, m.currentStep), status };
  // Nothing to go on with is no news.
  if (!op) return { stop: { depth: 0, by: '' }, status };
  return { stop: guardOf(m), status };
}

/** The guard that said no: that of the input which was chosen last. */
function guardOf(m: Machine): Stop {
  const { used, labels } = m.choices;
  const label = used === 0 ? 'agent' : (labels[used - 1] ?? '');
  if (label === 'thread' && !m.current.guards.agent)
    return { depth: 0, by: 'disabled: no thread of its agent is idle' };
  const key = label === 'thread' ? 'agent' : label;
  const whom = key === 'agent' ? 'the agent' : `'${key}'`;
  return { depth: used, by: `disabled by its guard on ${whom}${textOf(m.current.guards[key])}` };
}

const waiting = (m: Machine, step: string): Stop => ({
  depth: STEPS + m.current.stepNames.indexOf(step),
  by: `disabled by its step '${step}'`,
});

/** The steps of a whole operation, one by one, up to one that disables it. */
function takeSteps(m: Machine): { stop: Stop | undefined; status: number } {
  const op = m.current;
  for (let at = 0, jumps = 0; at < op.steps.length; ) {
    const answer = op.steps[at]?.(m, op.call);
    if (answer === undefined || answer === OK) at++;
    else if (answer === DISABLED || answer === AGAIN) {
      return { stop: waiting(m, op.stepNames[at] ?? ''), status: DISABLED };
    } else if (isJump(answer) && ++jumps < MAX_JUMPS) at = labelled(op, answer);
    else return { stop: undefined, status: answer };
  }
  return { stop: undefined, status: OK };
}

/** A guard in its own words: its expression, or the body of a function. */
function textOf(guard: unknown): string {
  const whole = String(guard ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  const arrow = /^\(?[\w, ]*\)? => /.exec(whole);
  const body = whole.slice(arrow ? arrow[0].length : Math.max(0, whole.indexOf('{')));
  const text = body.replace(/^\{ ?(?:return )?(.*?);? ?\}$/, '$1');
  if (text === '') return '';
  return text.length > MAX_GUARD ? ` (${text.slice(0, MAX_GUARD)} ...)` : ` (${text})`;
}
