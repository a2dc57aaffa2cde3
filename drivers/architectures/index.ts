/** The five architectures, in the order of their publication as the matrix names them. */
import type { Suite } from '../suite.js';
import type { Architecture } from './architecture.js';
import type { CostRun } from './cost.js';

export const architectures: readonly Architecture[] = [];

/** All their suites, both eras, each once. */
export const architectureSuites: readonly Suite[] = [
  ...new Set(architectures.flatMap((a) => [...a.suites.then, ...a.suites.now])),
];

/** Scripted runs for the costs, by architecture. */
export const costRuns: ReadonlyMap<string, readonly CostRun[]> = new Map();
