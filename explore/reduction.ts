/**
 * Partial-order reduction from footprints. Instances of operations (operation, agent, inputs) whose footprints never conflict commute,
 * whatever the state; connected instances form clusters, and all enabled operations of one cluster are a persistent set. Instances that
 * write what one part of a property reads are kept in one cluster, so every state of every part is still seen.
 * A footprint that depends on the state is taken to conflict with everything.
 */
import { Footprint, type Machine, type Sort } from '../model/kernel/index.js';
import type { AnyProperty, UntypedProperty } from '../properties/property.js';

export interface Reduction {
  readonly clusterCount: number;
  /** Cluster of the transition that the machine has just performed. */
  clusterOfLast(m: Machine): number;
}

interface Instance {
  readonly key: string;
  readonly footprint: Footprint;
}

/**
 * Computes the clusters of a machine.
 * @param properties those that will be checked: their parts must not be torn apart
 */
export function reductionOf(machine: Machine, properties: readonly AnyProperty[]): Reduction {
  const instances = machine.operations.flatMap((_, k) => instancesOf(machine, k));
  const parent = instances.map((_, i) => i);
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) r = parent[r];
    return r;
  };
  const join = (i: number, j: number): void => {
    parent[root(i)] = root(j);
  };
  for (let i = 0; i < instances.length; i++) {
    for (let j = 0; j < i; j++) if (instances[i].footprint.conflictsWith(instances[j].footprint)) join(i, j);
  }
  for (const p of properties as readonly UntypedProperty[]) {
    for (const part of partsOf(machine, p)) {
      let first = -1;
      for (let i = 0; i < instances.length; i++) {
        if (!writesInto(instances[i].footprint, part)) continue;
        if (first >= 0) join(first, i);
        first = i;
      }
    }
  }
  const clusters = new Map<number, number>();
  const clusterOf = new Map<string, number>();
  for (let i = 0; i < instances.length; i++) {
    const r = root(i);
    const c = clusters.get(r) ?? clusters.size;
    clusters.set(r, c);
    clusterOf.set(instances[i].key, c);
  }
  return { clusterCount: clusters.size, clusterOfLast: (m) => clusterOf.get(keyOfLast(m)) ?? 0 };
}

function keyOfLast(m: Machine): string {
  const { op, call } = m.current;
  let key = `${op.name}:${call.agent}`;
  for (const input of Object.keys(op.input ?? {})) key += `:${call[input]}`;
  return key;
}

/** Every combination of agent and inputs of operation k, with its footprint. */
function instancesOf(m: Machine, k: number): Instance[] {
  const compiled = m.operations[k];
  const { op, call } = compiled;
  const agents: Sort[] = typeof op.agent === 'string' ? [] : [op.agent];
  const inputs = Object.entries(op.input ?? {});
  const sizes = [...agents.map((s) => m.size(s)), ...inputs.map(([, s]) => m.size(s))];
  const found: Instance[] = [];
  const digits = sizes.map(() => 0);
  for (let more = true; more; ) {
    let d = 0;
    call.agent = agents.length > 0 ? digits[d++] : 0;
    for (const [name] of inputs) call[name] = digits[d++];
    m.current = compiled;
    found.push({ key: keyOfLast(m), footprint: staticFootprint(m, k) });
    more = false;
    for (let i = digits.length - 1; i >= 0; i--) {
      if (++digits[i] < sizes[i]) {
        more = true;
        break;
      }
      digits[i] = 0;
    }
  }
  return found;
}

/** The footprint for the call record as it stands; everything, when it is undeclared or reads the state to know. */
function staticFootprint(m: Machine, k: number): Footprint {
  const { touches, call } = m.operations[k];
  const footprint = new Footprint(m.layout.rowCount);
  let readsState = touches === undefined;
  const watching = new Proxy(m, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof name !== 'string' || !m.layout.tables.has(name) || typeof value !== 'object' || value === null)
        return value;
      return new Proxy(value, {
        get(table, field) {
          const inner: unknown = Reflect.get(table, field);
          if (ArrayBuffer.isView(inner)) readsState = true;
          return inner;
        },
      });
    },
  });
  touches?.(watching, call, footprint);
  if (readsState)
    for (let row = 0; row < m.layout.rowCount; row++)
      footprint.write({ tableName: '', rows: 1, base: row, at: () => 0 });
  return footprint;
}

function partsOf(m: Machine, p: UntypedProperty): Footprint[] {
  if (p.kind === 'invariant' && p.parts) {
    const parts: Footprint[] = [];
    for (let i = 0; ; i++) {
      const reads = new Footprint(m.layout.rowCount);
      if (!p.parts(m, i, reads)) return parts;
      parts.push(reads);
    }
  }
  const all = new Footprint(m.layout.rowCount);
  for (let row = 0; row < m.layout.rowCount; row++) all.read({ tableName: '', rows: 1, base: row, at: () => 0 });
  return [all];
}

function writesInto(writer: Footprint, reads: Footprint): boolean {
  for (let row = 0; row < reads.marks.length; row++) {
    if (reads.marks[row] !== 0 && writer.mayWrite(row)) return true;
  }
  return false;
}
