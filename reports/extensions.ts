/** Fields that reports have beyond report.ts and claims.ts. */
import type { Place } from './places.js';

declare module './report.js' {
  interface Report {
    readonly shard?: { readonly index: number; readonly of: number; readonly suites: readonly string[] };
  }
  interface FindingReport {
    readonly at?: Place | null;
  }
}
declare module './claims.js' {
  interface ClaimReport {
    readonly reachedWitnesses?: readonly string[];
  }
}
