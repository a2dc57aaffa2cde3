/** The evidence of a claim in a few words: for tables that have one column for it. */
import type { ClaimReport } from './claims.js';

/** `exhaustive, random, 3 of 3 counterparts broke` */
export function evidenceWords(c: ClaimReport): string {
  const kinds = c.evidence.filter((e) => e !== 'gate off' && e !== 'mutant');
  const broke = c.counterparts.filter((p) => p.outcome === 'broke').length;
  const counterparts = c.counterparts.length > 0 ? [`${broke} of ${c.counterparts.length} counterparts broke`] : [];
  return [...kinds, ...counterparts].join(', ') || 'none';
}
