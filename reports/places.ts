/** Where in the sources the step is that completed a breach. */
import type { FindingReport } from './report.js';

export interface Place {
  /** Path with '/', from the folder that the campaign ran in. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The place that a finding names, or null when the campaign did not find it out. */
export function placeOf(f: FindingReport): Place | null {
  const { at } = f as FindingReport & { readonly at?: Place | null };
  return at ?? null;
}
