/** What the claims behind a cell of a matrix say together: found, evidence, scope, and the shortest breach. */
import type { Claimed, Era } from '../drivers/architectures/architecture.js';
import type { BreachReport, ClaimReport, Evidence } from './claims.js';

export type Found = 'contained' | 'not contained' | 'partly' | 'sampled' | 'not exercised' | 'broken';

/** How good the evidence is for a claim that counts: a proof within a scope, random runs, or a trace that breaks it. */
export type Worth = 'proved within scope' | 'sampled' | 'breach';

export interface CheckedClaim {
  readonly suite: string;
  readonly says: string;
  /** Name of the scope, where the suite ran. */
  readonly scope: string | undefined;
  readonly claim: ClaimReport | undefined;
}

/** The part of a cell that its claims settle. */
export interface Settled {
  readonly found: Found | 'no such surface';
  readonly worth: readonly Worth[];
  readonly evidence: readonly Evidence[];
  /** Suites with their scope: `iommu default`. */
  readonly scopes: readonly string[];
  readonly claims: readonly {
    readonly suite: string;
    readonly says: string;
    readonly verdict: ClaimReport['verdict'];
  }[];
  /** The shortest breach behind a cell that is not contained. */
  readonly breach: (BreachReport & { readonly suite: string }) | null;
}

/** Puts together what several claims say. */
export function settledBy(checked: readonly CheckedClaim[]): Settled & { readonly found: Found } {
  const breaches = checked.flatMap(({ suite, claim }) => (claim?.breach ? [{ ...claim.breach, suite }] : []));
  const shortest = breaches.reduce<(typeof breaches)[number] | null>(
    (best, b) => (best === null || b.length < best.length ? b : best),
    null,
  );
  return {
    found: foundOf(checked.map((c) => c.claim?.verdict)),
    worth: WORTHS.filter((w) => checked.some((c) => c.claim && worthOf(c.claim.verdict) === w)),
    evidence: [...new Set(checked.flatMap((c) => c.claim?.evidence ?? []))],
    scopes: [...new Set(checked.map((c) => `${c.suite} ${c.scope ?? 'not run'}`))],
    claims: checked.map(({ suite, says, claim }) => ({ suite, says, verdict: claim?.verdict ?? 'not exercised' })),
    breach: shortest,
  };
}

const WORTHS: readonly Worth[] = ['proved within scope', 'sampled', 'breach'];

function worthOf(v: ClaimReport['verdict']): Worth | undefined {
  if (v === 'not contained' || v === 'broken') return 'breach';
  return v === 'sampled' || v === 'proved within scope' ? v : undefined;
}

/** What several claims say together. */
function foundOf(verdicts: readonly (ClaimReport['verdict'] | undefined)[]): Found {
  if (verdicts.some((v) => v === 'broken' || v === 'error')) return 'broken';
  if (verdicts.length === 0 || verdicts.some((v) => v === undefined || v === 'not exercised')) return 'not exercised';
  const open = verdicts.filter((v) => v === 'not contained').length;
  if (open === verdicts.length) return 'not contained';
  if (open > 0) return 'partly';
  return verdicts.includes('sampled') ? 'sampled' : 'contained';
}

/** `I` claims containment with an IOMMU: that is to be had today, and in part (with and without) in its time. */
export function agreement(claimed: Claimed, era: Era, found: Found): boolean | null {
  switch (claimed) {
    case 'C':
      return found === 'contained';
    case 'N':
      return found === 'not contained';
    case 'P':
      return found === 'partly' ? true : null;
    case 'I':
      return era === 'now' ? found === 'contained' : found === 'partly' || found === 'contained';
  }
}
