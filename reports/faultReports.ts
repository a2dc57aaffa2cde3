/** Proof that attacks arrived: for each fault class, how often it was injected, what let it through, and what stopped it. */

import type { SuiteDescription } from '../explore/campaign/described.js';
import type { ExhaustiveAnswer, RandomAnswer } from '../explore/campaign/results.js';
import { faultClasses } from '../faults/classes.js';

export interface FaultReport {
  readonly id: string;
  readonly title: string;
  /** A claim of the suite names it. */
  readonly claimed: boolean;
  /** The machine has operations for it. */
  readonly modelled: boolean;
  /** Transitions of the exhaustive run with all gates on that were this fault. */
  readonly injected: number;
  /** Of those: decided at the boundary, by a gate or by an interface's own check. */
  readonly reached: number;
  /** By gate. */
  readonly blocked: Readonly<Record<string, number>>;
  /** By the error that the interface answered. */
  readonly refused: Readonly<Record<string, number>>;
  /** Neither blocked nor refused: within the rights of whoever did it, or harmless as long as the properties hold. */
  readonly through: number;
  /** Operations of this class that were never enabled. */
  readonly never: readonly string[];
  /** Times that random runs injected it. */
  readonly sampled: number;
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((n, m) => n + m, 0);

/** One entry for each class that the machine has or a claim names. */
export function faultReports(
  suite: SuiteDescription,
  main: ExhaustiveAnswer | undefined,
  random: RandomAnswer | undefined,
): FaultReport[] {
  const claimed = new Set<string>(suite.claims.flatMap((c) => c.against));
  return faultClasses
    .filter((f) => claimed.has(f.id) || suite.faults.includes(f.id))
    .map(({ id, title }) => {
      const operations = (main?.operations ?? []).filter((o) => o.fault === id);
      const blocked = merge(operations.map((o) => o.blocked));
      const refused = merge(operations.map((o) => o.refused));
      const through = operations.reduce((n, o) => n + o.ok, 0);
      const reached = sum(blocked) + sum(refused);
      return {
        id,
        title,
        claimed: claimed.has(id),
        modelled: suite.faults.includes(id),
        injected: reached + through,
        reached,
        blocked,
        refused,
        through,
        never: operations.filter((o) => o.ok + sum(o.blocked) + sum(o.refused) === 0).map((o) => o.operation),
        sampled: operations.reduce((n, o) => n + (random?.perOperation[o.operation] ?? 0), 0),
      };
    });
}

function merge(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const counts of all) for (const [key, n] of Object.entries(counts)) merged[key] = (merged[key] ?? 0) + n;
  return merged;
}
