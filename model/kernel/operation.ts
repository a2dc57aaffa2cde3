/**
 * Operations: what an agent may do, as an ordered list of named steps, and edits of such lists from outside (mutants).
 * A step is the atom: guard and effect on the state. Under the schedule `whole` an operation's steps run as one; under `split` other
 * agents move in between, and the inputs and locals of the call live in the state.
 */
import type { Footprint } from './footprint.js';
import type { TableDefs } from './layout.js';
import type { Sort } from './sort.js';

/** Fault classes F1 to F14 (properties of an injection, not of a mechanism); see faults/. */
export type FaultId = `F${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14}`;

/** What an operation does on the data path: the work of every request, as opposed to set-up, teardown and faults. */
export const DATA_PATH_ROLES = ['submit', 'complete', 'notify', 'translate'] as const;
export type DataPathRole = (typeof DATA_PATH_ROLES)[number];

/** The running call: who acts, the inputs that were chosen, and the locals that later steps read. All 32-bit integers. */
export type Call<I extends Record<string, Sort>, L extends string> = { agent: number } & { [K in keyof I]: number } & {
  [K in L]: number;
};

/** A step: mutates the state and answers a status (see status.ts); answering nothing means OK. */
// biome-ignore lint/suspicious/noConfusingVoidType: steps without a verdict read better without `return OK`
export type Step<M, C> = (m: M, op: C) => number | void;

export interface OperationDef<M, I extends Record<string, Sort>, L extends string, S extends string> {
  /** Who acts: a member of a sort, or a named single agent (`vmm`). */
  readonly agent: Sort | string;
  /** In words, with inputs in braces: `maps grant {ref} of {granter}`. The agent is put in front. */
  readonly says?: string;
  /** Manual section, header or paper that the operation follows. */
  readonly source?: string;
  readonly input?: I;
  /** Values that one step leaves for a later one. */
  readonly locals?: readonly L[];
  /** Early guards, each evaluated as soon as its input is chosen; false disables the operation and prunes the enumeration. */
  readonly where?: { readonly [K in keyof I | 'agent']?: (m: M, op: Call<I, L>) => boolean };
  /** Which rows the operation may read and write, seen from the state before it (under `split`: before the step). */
  readonly touches?: (m: M, op: Call<I, L>, may: Footprint) => void;
  readonly steps: { readonly [K in S]: Step<M, Call<I, L>> };
  /** What undoes a step when a later one fails; taken in reverse order. */
  readonly undo?: { readonly [K in S]?: (m: M, op: Call<I, L>) => void };
  /** The interface's error codes by name. */
  readonly errors?: Readonly<Record<string, number>>;
  /** An injected fault: which class. Operations without are the honest system's (or hardware's) own. */
  readonly fault?: FaultId;
  /** Its part in every request; operations without are off the data path. */
  readonly path?: DataPathRole;
  /** Never split: hardware and other agents that have no thread of execution. */
  readonly atomic?: boolean;
  /** A failing call leaves the state as it was (the default), or reaches a safe state that properties describe. */
  readonly onFailure?: 'unchanged' | 'safe';
  /** Steps that are no progress in themselves (a cache that refills, a spurious wake-up): not taken to be fair. */
  readonly idle?: boolean;
}

export interface Operation<M, I extends Record<string, Sort>, L extends string, S extends string>
  extends OperationDef<M, I, L, S> {
  readonly name: string;
}

/** A step of any machine; whoever runs it has built the machine that it was written for. */
// biome-ignore lint/suspicious/noConfusingVoidType: as for Step
export type AnyStep = (m: never, op: never) => number | void;
export type AnyGuard = (m: never, op: never) => boolean;

/** Any operation, whatever its machine and inputs. */
export interface AnyOperation {
  readonly name: string;
  readonly agent: Sort | string;
  readonly says?: string;
  readonly source?: string;
  readonly input?: Readonly<Record<string, Sort>>;
  readonly locals?: readonly string[];
  readonly where?: Readonly<Record<string, AnyGuard | undefined>>;
  readonly touches?: (m: never, op: never, may: Footprint) => void;
  readonly steps: Readonly<Record<string, AnyStep>>;
  readonly undo?: Readonly<Record<string, AnyStep | undefined>>;
  readonly errors?: Readonly<Record<string, number>>;
  readonly fault?: FaultId;
  readonly path?: DataPathRole;
  readonly atomic?: boolean;
  readonly onFailure?: 'unchanged' | 'safe';
  readonly idle?: boolean;
}

/** The definer of operations on machines of type M: `const operation = operationOn<Memory>()`. */
export function operationOn<M>() {
  return <
    const S extends string,
    I extends Record<string, Sort> = Record<never, never>,
    const L extends string = never,
  >(
    name: string,
    def: OperationDef<M, I, L, S>,
  ): Operation<M, I, L, S> => ({ name, ...def });
}

/** A part of a machine: tables, operations, initial values. Machines are compositions of modules. */
export interface Module<M, T extends TableDefs> {
  readonly name: string;
  readonly tables: T;
  readonly operations: readonly AnyOperation[];
  /** Sets the initial values (all fields start as 0); may `choose`, then there are several initial states. */
  readonly initial?: (m: M) => void;
  /** Whether anything of this module is still held by the domain: its id cannot be used again before nothing is. */
  readonly holds?: (m: M, domain: number) => boolean;
  /** Lines of the memory map that `replay` prints. */
  readonly map?: (m: M) => readonly string[];
}

/** A module of any machine. */
export interface AnyModule {
  readonly name: string;
  readonly tables: TableDefs;
  readonly operations: readonly AnyOperation[];
  readonly initial?: AnyStep;
  readonly holds?: (m: never, domain: number) => boolean;
  readonly map?: (m: never) => readonly string[];
}

/** Declares a module. */
export function module<M, T extends TableDefs>(name: string, def: Omit<Module<M, T>, 'name'>): Module<M, T> {
  return { name, ...def };
}

/** An edit of a specification from outside. Naming an operation or step that does not exist is an error. */
export type Edit =
  | { readonly kind: 'omit'; readonly operation: string; readonly step: string }
  | { readonly kind: 'replace'; readonly operation: string; readonly step: string; readonly with: AnyStep }
  | {
      readonly kind: 'insert';
      readonly operation: string;
      readonly before: string;
      readonly step: string;
      readonly with: AnyStep;
    }
  | { readonly kind: 'order'; readonly operation: string; readonly steps: readonly string[] }
  | { readonly kind: 'undo'; readonly operation: string; readonly step: string; readonly with: AnyStep | undefined }
  | { readonly kind: 'where'; readonly operation: string; readonly input: string; readonly with: AnyGuard | undefined }
  | { readonly kind: 'drop'; readonly operation: string }
  | { readonly kind: 'add'; readonly add: AnyOperation }
  | { readonly kind: 'initial'; readonly with: AnyStep };

type StepsOf<O> = O extends Operation<infer _M, infer _I, infer _L, infer S> ? S : never;
type StepOf<O> = O extends Operation<infer M, infer I, infer L, infer _S> ? Step<M, Call<I, L>> : never;
type InputsOf<O> = O extends Operation<infer _M, infer I, infer _L, infer _S> ? keyof I | 'agent' : never;
type GuardOf<O> = O extends Operation<infer M, infer I, infer L, infer _S> ? (m: M, op: Call<I, L>) => boolean : never;

/** Leaves a step out. */
export const omit = <O extends AnyOperation>(of: O, step: StepsOf<O>): Edit => ({
  kind: 'omit',
  operation: of.name,
  step,
});
/** Puts another step in place of one. */
export const replace = <O extends AnyOperation>(of: O, step: StepsOf<O>, by: StepOf<O>): Edit => ({
  kind: 'replace',
  operation: of.name,
  step,
  with: by as AnyStep,
});
/** Inserts a step before another. */
export const insertBefore = <O extends AnyOperation>(of: O, before: StepsOf<O>, step: string, by: StepOf<O>): Edit => ({
  kind: 'insert',
  operation: of.name,
  before,
  step,
  with: by as AnyStep,
});
/** Takes the steps in another order (each exactly once). */
export const reorder = <O extends AnyOperation>(of: O, steps: readonly StepsOf<O>[]): Edit => ({
  kind: 'order',
  operation: of.name,
  steps,
});
/** Leaves the undoing of a step out, or replaces it. */
export const undoWith = <O extends AnyOperation>(of: O, step: StepsOf<O>, by: StepOf<O> | undefined): Edit => ({
  kind: 'undo',
  operation: of.name,
  step,
  with: by as AnyStep | undefined,
});
/** Replaces an early guard, or leaves it out. */
export const guardWith = <O extends AnyOperation>(of: O, input: InputsOf<O>, by: GuardOf<O> | undefined): Edit => ({
  kind: 'where',
  operation: of.name,
  input: String(input),
  with: by as AnyGuard | undefined,
});
/** Leaves an operation out altogether. */
export const drop = (of: AnyOperation): Edit => ({ kind: 'drop', operation: of.name });
/** Adds an operation. */
export const add = (operation: AnyOperation): Edit => ({ kind: 'add', add: operation });
/** Changes the initial state, after all modules have set theirs. */
export const initially = (by: (m: never) => void): Edit => ({ kind: 'initial', with: by });

/** An operation with its steps as an editable list. */
export interface EditedOperation {
  readonly op: AnyOperation;
  readonly steps: { name: string; run: AnyStep; undo: AnyStep | undefined }[];
  readonly where: Record<string, AnyGuard | undefined>;
}

/** Bad specifications and edits: the author's mistake, not a finding. */
export class SpecificationError extends Error {
  readonly code = 'RF-SPEC';
}

/** Applies edits to the operations of a machine. */
export function applyEdits(operations: readonly AnyOperation[], edits: readonly Edit[]): EditedOperation[] {
  const added = edits.flatMap((e) => (e.kind === 'add' ? [e.add] : []));
  const dropped = new Set(edits.flatMap((e) => (e.kind === 'drop' ? [e.operation] : [])));
  const result = [...operations, ...added].map((op): EditedOperation => {
    const steps = Object.entries(op.steps).map(([name, run]) => ({
      name,
      run: run as AnyStep,
      undo: op.undo?.[name] as AnyStep | undefined,
    }));
    return { op, steps, where: { ...op.where } as Record<string, AnyGuard | undefined> };
  });
  const find = (name: string): EditedOperation => {
    const found = result.find((r) => r.op.name === name);
    if (!found) throw new SpecificationError(`an edit names the operation '${name}', which the machine does not have`);
    return found;
  };
  const stepOf = (o: EditedOperation, step: string): number => {
    const at = o.steps.findIndex((s) => s.name === step);
    if (at < 0) throw new SpecificationError(`an edit names the step '${step}', which ${o.op.name} does not have`);
    return at;
  };
  for (const e of edits) {
    switch (e.kind) {
      case 'add':
      case 'initial':
        break;
      case 'drop':
        find(e.operation);
        break;
      case 'omit': {
        const o = find(e.operation);
        o.steps.splice(stepOf(o, e.step), 1);
        break;
      }
      case 'replace': {
        const o = find(e.operation);
        o.steps[stepOf(o, e.step)].run = e.with;
        break;
      }
      case 'insert': {
        const o = find(e.operation);
        o.steps.splice(stepOf(o, e.before), 0, { name: e.step, run: e.with, undo: undefined });
        break;
      }
      case 'order': {
        const o = find(e.operation);
        const sorted = e.steps.map((s) => o.steps[stepOf(o, s)]);
        if (sorted.length !== o.steps.length || new Set(sorted).size !== sorted.length) {
          throw new SpecificationError(`an edit orders the steps of ${e.operation} but does not name each once`);
        }
        o.steps.splice(0, o.steps.length, ...sorted);
        break;
      }
      case 'undo': {
        const o = find(e.operation);
        o.steps[stepOf(o, e.step)].undo = e.with;
        break;
      }
      case 'where': {
        const o = find(e.operation);
        o.where[e.input] = e.with;
        break;
      }
    }
  }
  return result.filter((r) => !dropped.has(r.op.name));
}
