/**
 * Where a function of a driver goes: the split decision over its call graph.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D1: roots are labelled, labels go down the calls to a fixpoint, then each
 * function is decided: no body, a kernel service; a kernel label, the kernel half; a user label alone or none, the user half.
 *
 * Twice: as a function over any call graph, with its two checks, and as a machine that goes through every graph of a scope and every order
 * of propagation. Must keep MD-S2: (i) what a critical root reaches is in the kernel half; (ii) no call from the kernel half to the user
 * half can be reached from a context that must not sleep.
 */
import {
  bitsOf,
  flag,
  type Machine,
  type MachineDef,
  module,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
} from '../../kernel/index.js';

export const KERNEL_LABEL = 1;
export const USER_LABEL = 2;

export const UNDECIDED = 0;
export const IN_KERNEL = 1;
export const IN_USER = 2;

/** The decision for one function. Several labels: a kernel label is among them. */
export function decide(hasBody: boolean, labels: number): typeof IN_KERNEL | typeof IN_USER {
  if (!hasBody) return IN_KERNEL;
  return (labels & KERNEL_LABEL) !== 0 ? IN_KERNEL : IN_USER;
}

export interface CallGraph {
  /** Functions; a critical root is reached in a context that must not sleep, or is critical for performance; a user root is an entry of the slow path. */
  readonly functions: readonly {
    readonly name: string;
    readonly hasBody: boolean;
    readonly root?: 'critical' | 'user';
  }[];
  /** Caller and callee, as indices into `functions`. */
  readonly calls: readonly (readonly [from: number, to: number])[];
}

/** Labels of all functions at the fixpoint: bits KERNEL_LABEL and USER_LABEL. */
export function labelsOf(graph: CallGraph): number[] {
  const labels: number[] = graph.functions.map((f) =>
    f.root === undefined ? 0 : f.root === 'critical' ? KERNEL_LABEL : USER_LABEL,
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const [from, to] of graph.calls) {
      // A kernel service calls nothing of the driver.
      const more = graph.functions[from].hasBody ? labels[from] & ~labels[to] : 0;
      if (more === 0) continue;
      labels[to] |= more;
      changed = true;
    }
  }
  return labels;
}

/** The half of each function. */
export function splitOf(graph: CallGraph): (typeof IN_KERNEL | typeof IN_USER)[] {
  const labels = labelsOf(graph);
  return graph.functions.map((f, i) => decide(f.hasBody, labels[i]));
}

/** What is wrong with a split, by the two checks; empty when nothing is. Reachability is computed apart from labels. */
export function checkSplit(graph: CallGraph, halves: readonly number[]): string[] {
  const reached = new Set(graph.functions.flatMap((f, i) => (f.root === 'critical' ? [i] : [])));
  for (const from of reached) {
    if (!graph.functions[from].hasBody) continue;
    for (const [a, b] of graph.calls) if (a === from) reached.add(b);
  }
  const names = graph.functions.map((f) => f.name);
  const outside = [...reached].filter((i) => halves[i] !== IN_KERNEL);
  const upward = graph.calls.filter(
    ([a, b]) => graph.functions[a].hasBody && reached.has(a) && halves[a] === IN_KERNEL && halves[b] === IN_USER,
  );
  return [
    ...outside.map((i) => `${names[i]} is reached from a critical root and is in the user half`),
    ...upward.map(([a, b]) => `${names[a]} may run where nothing may sleep and calls ${names[b]} in the user half`),
  ];
}

/** Functions of the small driver. */
export const driverFunction = sort('function', { members: ['interrupt handler', 'configure', 'helper A', 'helper B'] });
export const HANDLER = 0;
export const CONFIGURE = 1;
export const HELPER_A = 2;
export const HELPER_B = 3;

export const splitTables = {
  functions: table([driverFunction], {
    hasBody: oneOf('no', 'yes'),
    labels: bitsOf('kernel', 'user'),
    half: oneOf('undecided', 'kernel half', 'user half'),
  }),
  calls: table([driverFunction, driverFunction], { exists: oneOf('no', 'yes') }),
};

export type Split = Machine & State<typeof splitTables>;
const operation = operationOn<Split>();

/** Whether the call carries labels that the callee does not have. */
export function carries(m: Split, from: number, to: number): boolean {
  if (m.calls.exists[m.calls.at(from, to)] === 0 || m.functions.hasBody[from] === 0) return false;
  return (m.functions.labels[from] & ~m.functions.labels[to]) !== 0;
}

function isFixpoint(m: Split): boolean {
  for (let a = 0; a < m.functions.rows; a++)
    for (let b = 0; b < m.functions.rows; b++) if (carries(m, a, b)) return false;
  return true;
}

/** Labels of a caller become the callee's. */
export const propagate = operation('split.propagate', {
  agent: 'slicer',
  says: 'carries labels from {from} to {to}',
  source: 'D1: propagate',
  input: { from: driverFunction, to: driverFunction },
  where: {
    agent: (m) => m.functions.half[HANDLER] === UNDECIDED,
    to: (m, op) => carries(m, op.from, op.to),
  },
  touches: (m, op, may) => may.write(m.functions, op.to),
  steps: {
    'add labels': (m, op) => {
      m.functions.labels[op.to] |= m.functions.labels[op.from];
    },
  },
});

/** At the fixpoint, every function is decided. */
export const decideAll = operation('split.decide', {
  agent: 'slicer',
  says: 'decides',
  source: 'D1: decide',
  where: { agent: (m) => m.functions.half[HANDLER] === UNDECIDED && isFixpoint(m) },
  touches: (m, _op, may) => may.writeAll(m.functions),
  steps: {
    decide: (m) => {
      for (let f = 0; f < m.functions.rows; f++) {
        m.functions.half[f] = decide(m.functions.hasBody[f] === 1, m.functions.labels[f]);
      }
    },
  },
});

/** Calls that a graph of this scope may have. */
const POSSIBLE_CALLS: readonly (readonly [number, number, string])[] = [
  [HANDLER, HELPER_A, 'the handler calls helper A'],
  [HANDLER, HELPER_B, 'the handler calls helper B'],
  [CONFIGURE, HELPER_A, 'configure calls helper A'],
  [CONFIGURE, HELPER_B, 'configure calls helper B'],
  [HELPER_A, HELPER_B, 'helper A calls helper B'],
  [HELPER_B, HELPER_A, 'helper B calls helper A'],
  [HELPER_A, CONFIGURE, 'helper A calls configure'],
];

/** Every graph over four functions with these calls; helper B may be a kernel service. */
export const splitMachine: MachineDef = {
  name: 'split decision',
  modules: [
    module<Split, typeof splitTables>('split decision', {
      tables: splitTables,
      operations: [propagate, decideAll],
      initial: (m) => {
        for (let i = 0; i < POSSIBLE_CALLS.length; i++) {
          const [from, to, label] = POSSIBLE_CALLS[i];
          m.calls.exists[m.calls.at(from, to)] = m.choose(flag, label);
        }
        m.functions.hasBody.fill(1);
        m.functions.hasBody[HELPER_B] = m.choose(flag, 'helper B has a body');
        m.functions.labels[HANDLER] = KERNEL_LABEL;
        m.functions.labels[CONFIGURE] = USER_LABEL;
      },
      map: (m) =>
        ['interrupt handler', 'configure', 'helper A', 'helper B'].map(
          (name, f) => `${name}: ${['undecided', 'kernel half', 'user half'][m.functions.half[f]]}`,
        ),
    }),
  ],
};
