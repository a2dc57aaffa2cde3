/**
 * Compiles operations for the explorers: generated straight lines of steps, generated loops over inputs. Generated, because stores to named
 * fields of the call record and calls of known functions are many times faster than keyed and indirect ones, and this code runs once for
 * every attempted transition.
 */
import type { Choices } from './choices.js';
import type { Footprint } from './footprint.js';
import type { Machine } from './machine.js';
import { type AnyGuard, type AnyOperation, type AnyStep, SpecificationError } from './operation.js';
import type { Sort } from './sort.js';
import { DISABLED, labelCount, labelName, OUTCOMES, outcomeIndex } from './status.js';

/** Program counters from here on count undo steps. */
export const UNDO = 128;
/** Words up to which copies of the state are written out in generated code. */
const UNROLLED_WORDS = 24;

/**
 * Generated functions carry their operation's name: engines share what they learn between functions of the same text, and then inline
 * none of them.
 */
const commentOf = (op: AnyOperation): string => op.name.replace(/[^\w.-]/g, '_');

export type CallRecord = Record<string, number> & { agent: number };
/** Steps as the machine runs them: their own types are known only to the specification. */
export type RunStep = (m: Machine, call: CallRecord) => number | undefined;
type RunGuard = (m: Machine, call: CallRecord) => boolean;
type RunTouches = (m: Machine, call: CallRecord, may: Footprint) => void;

/** An operation ready to run. */
export interface CompiledOperation {
  readonly index: number;
  readonly op: AnyOperation;
  readonly stepNames: readonly string[];
  /** `undo <step>`, for each step. */
  readonly undoNames: readonly string[];
  readonly steps: readonly RunStep[];
  readonly undo: readonly (RunStep | undefined)[];
  readonly touches: RunTouches | undefined;
  readonly hasUndo: boolean;
  /** Step index of each jump label (-1: none). */
  readonly labels: Int32Array;
  /** The one call record of this operation, refilled for each execution. */
  readonly call: CallRecord;
  /** The early guards as edited, by input, for whoever tells why an operation is disabled. */
  readonly guards: Readonly<Record<string, AnyGuard | undefined>>;
  /** Inputs, then locals: what is kept in the state between split steps. */
  readonly registers: readonly string[];
  readonly split: boolean;
  /** Chooses agent and inputs, evaluating early guards; false when the operation is disabled. */
  readonly bind: (m: Machine, choices: Choices, call: CallRecord, threadAgent: number) => boolean;
  /** Takes the steps of the bound call in order; the status it ends with, or DISABLED. */
  readonly run: (m: Machine, call: CallRecord) => number;
  /**
   * Performs every enabled call of the operation on the state in `m.beforeWords` (schedule `whole`), and shows each result to the
   * visitor; true when the visitor wants no more. `m.words` equals `m.beforeWords` before and after.
   */
  readonly enumerate: (m: Machine, choices: Choices, call: CallRecord, visitor: Visitor) => boolean;
}

/** Who looks at the result of each transition: an explorer. */
export interface Visitor {
  /** `m.words` holds the state after; true stops the enumeration. */
  visit(kind: number, status: number): boolean;
}

/** Compiles one operation of a machine. @throws SpecificationError */
export function compile(
  op: AnyOperation,
  steps: readonly { name: string; run: AnyStep; undo: AnyStep | undefined }[],
  where: Record<string, AnyGuard | undefined>,
  index: number,
  split: boolean,
  sizeOf: (s: Sort) => number,
  wordCount: number,
): CompiledOperation {
  if (steps.length === 0) throw new SpecificationError(`${op.name} has no steps`);
  if (steps.length >= UNDO) throw new SpecificationError(`${op.name} has more than ${UNDO} steps`);
  const inputs = Object.entries(op.input ?? {});
  const locals = op.locals ?? [];
  for (const name of [...inputs.map(([k]) => k), ...locals]) {
    if (!/^[a-zA-Z]\w*$/.test(name) || name === 'agent') {
      throw new SpecificationError(`${op.name} has an input or local named '${name}'`);
    }
  }
  for (const name of Object.keys(where)) {
    if (name !== 'agent' && !inputs.some(([k]) => k === name)) {
      throw new SpecificationError(`${op.name} guards '${name}', which is none of its inputs`);
    }
  }
  const call: CallRecord = { agent: 0 };
  for (const [k] of inputs) call[k] = 0;
  for (const k of locals) call[k] = 0;
  const labels = new Int32Array(labelCount()).fill(-1);
  for (let i = 0; i < labels.length; i++) {
    labels[i] = steps.findIndex((s) => s.name === labelName(i));
  }
  const compiled: { -readonly [K in keyof CompiledOperation]: CompiledOperation[K] } = {
    index,
    op,
    stepNames: steps.map((s) => s.name),
    undoNames: steps.map((s) => `undo ${s.name}`),
    steps: steps.map((s) => s.run as RunStep),
    undo: steps.map((s) => s.undo as RunStep | undefined),
    touches: op.touches as RunTouches | undefined,
    hasUndo: steps.some((s) => s.undo !== undefined),
    labels,
    call,
    guards: where,
    registers: [...inputs.map(([k]) => k), ...locals],
    split,
    bind: binder(op, inputs, locals, where, split, sizeOf),
    run: () => DISABLED,
    enumerate: () => false,
  };
  compiled.run = runner(compiled);
  compiled.enumerate = enumerator(compiled, inputs, locals, where, sizeOf, wordCount);
  return compiled;
}

/** Generates the straight line of an operation's steps; whatever is not straight goes to `settle`. */
function runner(compiled: CompiledOperation): CompiledOperation['run'] {
  const names = compiled.steps.map((_, i) => `step${i}`);
  const body = names.map((name, i) => `r = ${name}(m, op); if (r) return m.settle(compiled, ${i}, r);`);
  const make = new Function(
    'compiled',
    ...names,
    `/* ${commentOf(compiled.op)} */ return function run(m, op) { let r; ${body.join(' ')} return 0; }`,
  );
  return make(compiled, ...compiled.steps) as CompiledOperation['run'];
}

/**
 * Generates the nested loops over agent and inputs, with each early guard in its loop. This is the inner loop of exhaustive exploration.
 */
function enumerator(
  compiled: CompiledOperation,
  inputs: readonly (readonly [string, Sort])[],
  locals: readonly string[],
  where: Record<string, AnyGuard | undefined>,
  sizeOf: (s: Sort) => number,
  wordCount: number,
): CompiledOperation['enumerate'] {
  const { op, index } = compiled;
  const loops: (readonly [string, Sort])[] = typeof op.agent === 'string' ? [] : [['agent', op.agent]];
  loops.push(...inputs);
  const names: string[] = ['compiled', 'run', 'DISABLED', 'index', 'OUTCOMES', 'outcomeIndex'];
  const values: unknown[] = [compiled, compiled.run, DISABLED, index, OUTCOMES, outcomeIndex];
  const bind = (name: string, value: unknown): string => {
    names.push(name);
    values.push(value);
    return name;
  };
  let open = '';
  let close = '';
  if (typeof op.agent === 'string') {
    open += 'op.agent = 0;';
    if (where.agent) open += `if (!${bind('guard_agent', where.agent)}(m, op)) return false;`;
  }
  loops.forEach(([key, s], depth) => {
    open += `for (let i${depth} = 0; i${depth} < ${sizeOf(s)}; i${depth}++) { op.${key} = i${depth};`;
    if (where[key]) open += `if (!${bind(`guard_${key}`, where[key])}(m, op)) continue;`;
    close += '}';
  });
  const depth = loops.length;
  const digits = loops.map((_, d) => `c.digits[${d}] = i${d};`).join(' ');
  const rebind = loops.map(([key], d) => `op.${key} = i${d};`).join(' ');
  // Small states are restored without a loop.
  const restore =
    wordCount <= UNROLLED_WORDS
      ? Array.from({ length: wordCount }, (_, i) => `words[${i}] = pre[${i}];`).join(' ')
      : 'for (let i = 0; i < n; i++) words[i] = pre[i];';
  const body = `/* ${commentOf(op)} */ return function enumerate(m, c, op, visitor) {
    const words = m.words, pre = m.beforeWords, n = words.length;
    ${open}
      c.beginBelow(${depth}); ${digits}
      do {
        ${rebind} ${locals.map((k) => `op.${k} = 0;`).join(' ')}
        m.beginExecution();
        const status = run(m, op);
        if (status === DISABLED) continue;
        m.outcomes[index * OUTCOMES + outcomeIndex(status)]++;
        if (visitor.visit(index, status)) return true;
        ${restore}
      } while (c.next(${depth}));
    ${close}
    return false;
  }`;
  return new Function(...names, body)(...values) as CompiledOperation['enumerate'];
}

/**
 * Generates the function that chooses agent and inputs and evaluates the early guards. Generated, because stores to named fields of
 * the call record are many times faster than keyed ones, and this runs for every attempted transition.
 */
function binder(
  op: AnyOperation,
  inputs: readonly (readonly [string, Sort])[],
  locals: readonly string[],
  where: Record<string, AnyGuard | undefined>,
  split: boolean,
  sizeOf: (s: Sort) => number,
): CompiledOperation['bind'] {
  // Where there is nobody to act, or nothing to choose from, nothing is done.
  const isEmpty = (s: Sort): boolean => sizeOf(s) === 0;
  if ((typeof op.agent !== 'string' && isEmpty(op.agent)) || inputs.some(([, s]) => isEmpty(s))) return () => false;
  const sorts: Sort[] = [];
  const guards: RunGuard[] = [];
  const body: string[] = [];
  const guard = (key: string): void => {
    const g = where[key];
    if (g) body.push(`if (!guards[${guards.push(g as RunGuard) - 1}](m, op)) return false;`);
  };
  if (split) body.push('op.agent = agent;');
  else if (typeof op.agent === 'string') body.push('op.agent = 0;');
  else body.push(`op.agent = c.choose(sorts[${sorts.push(op.agent) - 1}], 'agent');`);
  guard('agent');
  for (const [key, s] of inputs) {
    body.push(`op.${key} = c.choose(sorts[${sorts.push(s) - 1}], '${key}');`);
    guard(key);
  }
  for (const key of locals) body.push(`op.${key} = 0;`);
  body.push('return true;');
  const make = new Function(
    'sorts',
    'guards',
    `/* ${commentOf(op)} */ return function bind(m, c, op, agent) { ${body.join(' ')} }`,
  );
  return make(sorts, guards) as CompiledOperation['bind'];
}
