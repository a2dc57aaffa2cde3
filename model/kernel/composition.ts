/** What a machine is composed of, whatever its state: definition and options, operations, tables, sizes of sorts, and the hash of it all. */
import { createHash } from 'node:crypto';
import type { CompiledOperation, RunStep } from './compile.js';
import type { Layout, TableDefs } from './layout.js';
import type { Machine } from './machine.js';
import { type AnyModule, applyEdits, type Edit, type EditedOperation, SpecificationError } from './operation.js';
import type { Sort } from './sort.js';
import type { Gate } from './status.js';
import { runsOn, type ThreadAgent, thread } from './threads.js';

/** Sizes of the sorts: `{ domain: 3, frame: 2 }`. */
export type Scope = Readonly<Record<string, number>>;

export interface MachineDef {
  readonly name: string;
  readonly modules: readonly AnyModule[];
  /** Agents of the threads of execution under `split`: a member of the agent sort (or of the one named), or the name of a single agent. */
  readonly threads?: (scope: Scope) => readonly ThreadAgent[];
  /** Names of the operations that are split under `split`; default: all that have more than one step and are not atomic. */
  readonly split?: readonly string[];
}

export interface MachineOptions {
  readonly scope: Scope;
  readonly schedule?: 'whole' | 'split';
  readonly gatesOff?: readonly Gate[];
  /** Fault classes that may be injected; default: all that the machine has. */
  readonly faults?: readonly string[];
  readonly edits?: readonly Edit[];
  /** Whether `fails(site)` may answer yes: never, by choice (at most once an operation), or always at its n-th call in an operation. */
  readonly failures?: 'none' | 'any' | { readonly nth: number };
}

/** The operations of all modules as the edits leave them, without those whose fault class is not injected. */
export function composedOperations(def: MachineDef, { edits, faults }: MachineOptions): readonly EditedOperation[] {
  const edited = applyEdits(
    def.modules.flatMap((mod) => mod.operations),
    edits ?? [],
  ).filter((e) => !e.op.fault || !faults || faults.includes(e.op.fault));
  const names = new Set<string>();
  for (const { op } of edited) {
    if (names.has(op.name)) throw new SpecificationError(`two operations are named '${op.name}'`);
    names.add(op.name);
  }
  return edited;
}

/** Registers that a thread needs to keep the inputs and locals of any of these operations. */
export function registersFor(operations: readonly EditedOperation[]): number {
  const needed = ({ op }: EditedOperation): number => Object.keys(op.input ?? {}).length + (op.locals?.length ?? 0);
  return operations.reduce((most, e) => Math.max(most, needed(e)), 0);
}

/** Whether an operation is taken apart under `split`: it is to be, and somebody has a thread to run it on. */
export function isSplitIn(
  def: MachineDef,
  { op, steps }: EditedOperation,
  threadAgents: readonly ThreadAgent[],
): boolean {
  const wanted = def.split ? def.split.includes(op.name) : steps.length > 1 && op.atomic !== true;
  return wanted && threadAgents.some((a) => runsOn(a, op.agent));
}

/** What sets the initial state up: modules in their order, then edits. */
export function initialsOf(def: MachineDef, { edits }: MachineOptions): readonly RunStep[] {
  return [
    ...def.modules.flatMap((mod) => (mod.initial ? [mod.initial as RunStep] : [])),
    ...(edits ?? []).flatMap((e) => (e.kind === 'initial' ? [e.with as RunStep] : [])),
  ];
}

/** What says whether a domain still holds something. */
export function holdersOf(def: MachineDef): readonly ((m: Machine, domain: number) => boolean)[] {
  return def.modules.flatMap((mod) => (mod.holds ? [mod.holds as (m: Machine, domain: number) => boolean] : []));
}

/** The tables of all modules. */
export function composedTables(def: MachineDef): Record<string, TableDefs[string]> {
  const tables: Record<string, TableDefs[string]> = {};
  for (const mod of def.modules) {
    for (const [name, t] of Object.entries(mod.tables)) {
      if (tables[name]) throw new SpecificationError(`two modules of ${def.name} have a table named '${name}'`);
      tables[name] = t;
    }
  }
  return tables;
}

/** Number of members of a sort in a scope. */
export function membersOf(s: Sort, scope: Scope, threads: number, machine: string): number {
  const size = s === thread ? threads : (s.members?.length ?? scope[s.name]);
  if (size === undefined) {
    throw new SpecificationError(`the scope of ${machine} does not say how many members '${s.name}' has`);
  }
  return size;
}

/** A hash of a specification: operations, steps, guards, layout. */
export function specificationHash(name: string, layout: Layout, operations: readonly CompiledOperation[]): string {
  const h = createHash('sha256');
  h.update(name);
  for (const f of layout.fields) h.update(`${f.table}.${f.name}:${f.offset}:${f.field.bytes};`);
  for (const o of operations) {
    h.update(`${o.op.name}:${o.split ? 'split' : 'whole'}:`);
    for (const [key, guard] of Object.entries(o.op.where ?? {})) h.update(`${key}${String(guard)}`);
    for (let i = 0; i < o.steps.length; i++)
      h.update(`${o.stepNames[i]}${String(o.steps[i])}${String(o.undo[i] ?? '')}`);
  }
  return h.digest('hex').slice(0, 16);
}
