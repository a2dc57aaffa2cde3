/**
 * What suites are written with: `import { suite, claim, invariant, ... } from 'ringfence'`.
 * The specification kernel, properties, suites and mutants, the explorers, trace files, and the building blocks of the embedded suites.
 */

export { embeddedSuites } from './drivers/catalogue.js';
export * from './drivers/suite.js';
export {
  type ExhaustiveOptions,
  type ExhaustiveResult,
  type ExploreProgress,
  exploreExhaustively,
  type Finding,
} from './explore/exhaustive.js';
export { exploreTwoRuns, type TwoRunLimits, type TwoRunResult } from './explore/noninterference.js';
export { checkProgress, type ProgressResult } from './explore/progress.js';
export { exploreRandomly, type RandomFinding, type RandomOptions, type RandomResult } from './explore/random.js';
export { reductionOf } from './explore/reduction.js';
export { type Replayed, replayTrace } from './explore/replay.js';
export { canonicalizer } from './explore/symmetry.js';
export type { Change, NamedChoice, TraceStep } from './explore/trace.js';
export { readTrace, type TraceFile, TraceFileError, traceFileOf, writeTrace } from './explore/traceFile.js';
export { type FaultClass, faultClass, faultClasses } from './faults/classes.js';
export * from './model/domains.js';
export * from './model/frames.js';
export * from './model/kernel/index.js';
export * from './properties/property.js';
export type { Report } from './reports/report.js';
