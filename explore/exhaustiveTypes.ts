/** What an exhaustive exploration is asked for, and what it answers. */
import type { AnyProperty } from '../properties/property.js';
import type { Reduction } from './reduction.js';
import type { StateClasses } from './stateClasses.js';
import type { StateStore } from './store.js';
import type { Canonicalizer } from './symmetry.js';
import type { TraceStep } from './trace.js';

export interface ExhaustiveOptions {
  readonly properties?: readonly AnyProperty[];
  /** Check that operations change only what their footprints name, and that failing calls change nothing (default: yes). */
  readonly frameCondition?: boolean;
  /** States without an enabled operation are findings unless this says that the machine may stop there. */
  readonly mayStop?: ((m: never) => boolean) | undefined;
  /** Identify states that differ only by a permutation of interchangeable members. */
  readonly symmetry?: Canonicalizer | undefined;
  /** Leave out orders of independent operations. */
  readonly reduction?: Reduction | undefined;
  /** Count outcomes by the classes of the states that operations leave. */
  readonly classes?: StateClasses | undefined;
  readonly maxStates?: number | undefined;
  readonly maxDepth?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Stop at the first finding (gate-off runs), or go on and collect one finding for each property and mechanism. */
  readonly stopAtFirst?: boolean;
  /** Go on from an interrupted exploration. */
  readonly resume?: Progressing | undefined;
  /** Called every few thousand expanded states; answering true stops the exploration, which is then truncated. */
  readonly onProgress?: ((progress: ExploreProgress) => boolean) | undefined;
}

export interface ExploreProgress {
  readonly states: number;
  readonly expanded: number;
  readonly transitions: number;
  readonly depth: number;
}

/** What an interrupted exploration needs to go on. */
export interface Progressing {
  readonly store: StateStore;
  readonly expanded: number;
  readonly transitions: number;
  readonly depth: number;
  readonly levelEnd: number;
}

/** A property that broke, with the shortest way there. */
export interface Finding {
  readonly property: { readonly id: string; readonly name: string; readonly states: string };
  /** Why, in words; the access path where the property can tell. */
  readonly why: string;
  readonly trace: readonly TraceStep[];
  /** Findings are one when property and mechanism (the operation that completed the breach) are. */
  readonly mechanism: string;
}

export interface ExhaustiveResult {
  readonly verdict: 'complete' | 'truncated';
  /** Why the exploration was cut short. */
  readonly truncatedBy: 'states' | 'depth' | 'memory' | 'interrupt' | 'finding' | undefined;
  readonly states: number;
  readonly transitions: number;
  /** Length of the longest shortest path. */
  readonly depth: number;
  readonly bytes: number;
  readonly stateBytes: number;
  readonly findings: readonly Finding[];
  /** Witnesses by property id and name: reached or not. */
  readonly witnesses: readonly { readonly property: string; readonly witness: string; readonly reached: boolean }[];
  readonly progressing: Progressing;
}
