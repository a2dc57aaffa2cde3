/** The twenty real mutants as a run found them: by which suite and claim, breaking what, in how many steps. */
import { MOST_STEPS, type RealMutant } from '../drivers/architectures/realMutants.js';
import type { Report } from './report.js';

export interface MutantFind {
  readonly suite: string;
  /** The claim that it is a counterpart of. */
  readonly claim: string;
  readonly mutant: string;
  /** The property that it breaks. */
  readonly breaks: string;
  readonly outcome: 'broke' | 'held' | 'open';
  readonly steps: number | null;
  readonly minimal: boolean;
  readonly trace: string | null;
  /** Without the mutant the claim was proved in the same run. */
  readonly clean: boolean;
}

export interface MutantRow {
  readonly number: number;
  readonly says: string;
  /** `found`: each of its edits within the steps allowed, by a claim that is proved without it. */
  readonly verdict: 'found' | 'missed' | 'not exercised';
  /** All that stand for it, the shortest breach first. */
  readonly finds: readonly MutantFind[];
}

/** Looks every mutant up among the counterparts of the report. */
export function mutantRows(report: Pick<Report, 'suites'>, mutants: readonly RealMutant[]): MutantRow[] {
  return mutants.map(({ number, says, mutants: edits }) => {
    const names = new Set(edits.map((m) => m.name));
    const finds = report.suites
      .flatMap((s) =>
        s.claims.flatMap((c) =>
          c.counterparts
            .filter((p) => p.kind === 'mutant' && names.has(p.off))
            .map(
              (p): MutantFind => ({
                suite: s.name,
                claim: c.says,
                mutant: p.off,
                breaks: p.breaks,
                outcome: p.outcome,
                steps: p.length,
                minimal: p.minimal,
                trace: p.trace,
                clean: c.verdict === 'proved within scope',
              }),
            ),
        ),
      )
      .sort((a, b) => (a.steps ?? Number.MAX_SAFE_INTEGER) - (b.steps ?? Number.MAX_SAFE_INTEGER));
    // Each of the edits, not only the easiest.
    const found = [...names].every((name) =>
      finds.some((f) => f.mutant === name && f.outcome === 'broke' && f.clean && (f.steps ?? Infinity) <= MOST_STEPS),
    );
    const verdict = finds.length === 0 ? 'not exercised' : found ? 'found' : 'missed';
    return { number, says, verdict, finds };
  });
}
