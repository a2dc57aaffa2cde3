/** What jobs answer, as plain data that crosses threads. Nothing here depends on time or on the number of workers, but for `tookMs`. */
import type { Scope } from '../../model/kernel/index.js';
import type { AnyProperty } from '../../properties/property.js';
import type { SourceLine } from '../locations.js';
import type { ClassCounts } from '../stateClasses.js';
import type { TraceStep } from '../trace.js';
import type { SuiteDescription } from './described.js';
import type { Blame } from './errors.js';

export interface PlainFinding {
  readonly property: { readonly id: string; readonly name: string; readonly states: string };
  readonly why: string;
  readonly mechanism: string;
  readonly trace: readonly TraceStep[];
  /** The trace file, ready to be written. */
  readonly file: string;
  readonly minimal: boolean;
  /** The line of the step that completed the breach, where it was asked for. */
  readonly at: SourceLine | null;
}

export interface Witness {
  readonly property: string;
  readonly witness: string;
  readonly reached: boolean;
}

/** How often an operation ended how. */
export interface OperationCount {
  readonly operation: string;
  /** Fault class, or ''. */
  readonly fault: string;
  readonly ok: number;
  /** By error name. */
  readonly refused: Readonly<Record<string, number>>;
  /** By gate. */
  readonly blocked: Readonly<Record<string, number>>;
  /** The same by the class of the state that the operation left, in the order of `stateClasses`; the last number is of no class. */
  readonly inStates?: ClassCounts;
}

export interface SiteCount {
  readonly site: string;
  readonly passed: number;
  readonly failed: number;
}

/** An exhaustive run in figures. */
export interface Explored {
  readonly verdict: 'complete' | 'truncated';
  /** '' when complete. */
  readonly truncatedBy: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly stateBytes: number;
}

export interface ProgressAnswer {
  readonly property: string;
  readonly holds: boolean;
  readonly pendingStates: number;
}

interface Done {
  readonly tookMs: number;
}

export interface ExhaustiveAnswer extends Done, Explored {
  readonly kind: 'exhaustive' | 'fail-nth';
  /** Hash of the specification. */
  readonly specification: string;
  readonly findings: readonly PlainFinding[];
  readonly witnesses: readonly Witness[];
  readonly progress: readonly ProgressAnswer[];
  readonly operations: readonly OperationCount[];
  /** Names of the state classes: the witnesses of the properties. */
  readonly stateClasses: readonly string[];
  readonly sites: readonly SiteCount[];
  /** Most failure sites that one operation passed, or a bound above it. */
  readonly mostSites: number;
  /** The run went on from a checkpoint. */
  readonly resumed: boolean;
}

export interface TwoRunAnswer extends Done {
  readonly kind: 'two-run';
  readonly property: string;
  readonly verdict: 'complete' | 'truncated';
  readonly pairs: number;
  readonly differing: number;
  readonly witnesses: readonly Witness[];
  readonly findings: readonly PlainFinding[];
}

/** A counterpart's run, or that of a claim which is expected not to hold. */
export interface BrokenAnswer extends Done {
  readonly kind: 'counterpart' | 'breach';
  readonly verdict: 'complete' | 'truncated';
  readonly truncatedBy: string;
  readonly states: number;
  /** The shortest way to the breach; undefined when nothing broke. */
  readonly finding: PlainFinding | undefined;
  /** What was done on the way there; of a counterpart nobody asks. */
  readonly operations: readonly OperationCount[];
}

export interface RandomAnswer extends Done {
  readonly kind: 'random' | 'random-counterpart';
  readonly verdict: 'holds' | 'broken' | 'disagreement';
  readonly runs: number;
  readonly executed: number;
  readonly perOperation: Readonly<Record<string, number>>;
  readonly findings: readonly (PlainFinding & {
    readonly shrunkLength: number;
    readonly seed: number;
    readonly path: string;
  })[];
  readonly disagreements: readonly string[];
  readonly witnesses: readonly Witness[];
  /** Fewer runs than wanted, without a finding. */
  readonly cutShort: boolean;
}

export interface DescribeAnswer extends Done {
  readonly kind: 'describe';
  readonly suites: readonly SuiteDescription[];
}

export interface ReplayedStep {
  readonly step: TraceStep;
  /** Lines of the memory map after the step. */
  readonly map: readonly string[];
  /** What could not happen in that state, and why. */
  readonly disabled: readonly string[];
}

export interface ReplayAnswer extends Done {
  readonly kind: 'replay';
  readonly suite: string;
  readonly applies: boolean;
  /** Step of the trace that could not be taken, or -1. */
  readonly stoppedAt: number;
  /** Why it stopped, or ''. */
  readonly because: string;
  readonly steps: readonly ReplayedStep[];
  /** Steps that the trace has, without the initial state. */
  readonly length: number;
  readonly property: PlainFinding['property'];
  /** Its kind as the suite has it now; '' for what the harness checks of every suite, `unknown` when the suite has no such property. */
  readonly propertyKind: AnyProperty['kind'] | '' | 'unknown';
  /** The property broke in this replay. */
  readonly broken: boolean;
  readonly why: string;
  /** The specification is the one that the trace was found on. */
  readonly sameSpecification: boolean;
  readonly minimal: boolean;
  /** Index of the step since which even the repaired machine would break, or -1 when that is not known. */
  readonly inevitableSince: number;
  readonly scope: Scope;
  readonly gatesOff: readonly string[];
  readonly mutant: string;
}

/** The job did not run, or did not end. */
export interface ErrorAnswer extends Done {
  readonly kind: 'error';
  /** Stable code: `RF-...`. */
  readonly code: string;
  readonly blame: Blame;
  readonly says: string;
}

export interface SkippedAnswer extends Done {
  readonly kind: 'skipped';
  /** `error`: another job of the suite failed. */
  readonly reason: 'time' | 'interrupt' | 'error';
}

export type Answer =
  | ExhaustiveAnswer
  | TwoRunAnswer
  | BrokenAnswer
  | RandomAnswer
  | DescribeAnswer
  | ReplayAnswer
  | ErrorAnswer
  | SkippedAnswer;

/** Length of a trace as people count it: without the initial state. */
export function lengthOf(f: { readonly trace: readonly TraceStep[] }): number {
  return Math.max(0, f.trace.length - 1);
}
