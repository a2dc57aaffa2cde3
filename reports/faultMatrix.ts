/**
 * The finer matrix: fault class F1 to F14 by architecture by hardware era. A cell is settled by every claim of the era's suites that names
 * the class, and only where the run injected it: a claim whose suite never did counts for nothing.
 */
import type { Architecture, Claimed, Era } from '../drivers/architectures/architecture.js';
import { faultClaim } from '../drivers/architectures/faultClaims.js';
import { faultClasses } from '../faults/classes.js';
import type { FaultId } from '../model/kernel/index.js';
import type { ClaimReport } from './claims.js';
import { agreement, type CheckedClaim, type Found, type Settled, settledBy } from './matrixCell.js';
import type { Report, SuiteReport } from './report.js';

export interface FaultCell extends Settled {
  readonly architecture: string;
  readonly fault: FaultId;
  readonly era: Era;
  readonly claimed: Claimed;
  readonly inferred: boolean;
  /** `no such surface`: no suite of the architecture has an operation of the class. */
  readonly found: Found | 'no such surface';
  readonly agrees: boolean | null;
  /** Transitions that were this fault: of exhaustive runs with all gates on, and of the runs that found the breaches. */
  readonly injected: number;
  /** Of those: stopped, by gate. */
  readonly blocked: Readonly<Record<string, number>>;
  /** Refused by the interface's own checks. */
  readonly refused: number;
  /** Neither: within rights, or harmless as long as the claims hold; in a breach, what broke them. */
  readonly through: number;
  /** Suites with a claim on the class whose run never injected it: they settle nothing. */
  readonly idle: readonly string[];
  readonly note: string;
}

/** The cells of the finer matrix, by era, class and architecture. */
export function faultCells(
  report: Pick<Report, 'suites'>,
  architectures: readonly Architecture[],
  eras: readonly Era[],
): FaultCell[] {
  return eras.flatMap((era) =>
    faultClasses.flatMap(({ id }) => architectures.map((a) => faultCell(report, a, era, id))),
  );
}

function faultCell(report: Pick<Report, 'suites'>, a: Architecture, era: Era, fault: FaultId): FaultCell {
  const { claimed, inferred, note } = faultClaim(a, era, fault);
  const suites = a.suites[era].map((suite) => ({ suite, ran: report.suites.find((r) => r.name === suite.name) }));
  const counts = { injected: 0, refused: 0, through: 0, blocked: new Map<string, number>() };
  const checked: CheckedClaim[] = [];
  const idle: string[] = [];
  for (const { suite, ran } of suites) {
    if (!ran) {
      const named = suite.claims.filter((c) => c.against.includes(fault));
      checked.push(...named.map(({ says }) => ({ suite: suite.name, says, scope: undefined, claim: undefined })));
      continue;
    }
    const done = addCounts(counts, ran, fault);
    for (const claim of ran.claims.filter((c) => c.against.includes(fault))) {
      // A claim that was not settled shows, injected or not.
      const open = claim.verdict === 'not exercised' || claim.verdict === 'error';
      const injected = claim.expects === 'contained' ? done : injectedForBreach(claim, fault);
      if (injected > 0 || open) checked.push({ suite: ran.name, says: claim.says, scope: ran.scopeName, claim });
      else idle.push(ran.name);
    }
  }
  const settled = settledBy(checked);
  const surface = suites.some(({ ran }) => !ran || ran.faults.some((f) => f.id === fault && f.modelled));
  const found = surface ? settled.found : 'no such surface';
  return {
    ...settled,
    architecture: a.id,
    fault,
    era,
    claimed,
    inferred,
    found,
    agrees: found === 'no such surface' ? null : agreement(claimed, era, found),
    injected: counts.injected,
    blocked: Object.fromEntries([...counts.blocked].sort(([x], [y]) => (x < y ? -1 : 1))),
    refused: counts.refused,
    through: counts.through,
    idle: [...new Set(idle)],
    note,
  };
}

/** What the run of a breach injected of the class that the claim is about: the first that it names; others only set the stage. */
function injectedForBreach(claim: ClaimReport, fault: FaultId): number {
  return claim.against[0] === fault ? (claim.breach?.injected?.[fault] ?? 0) : 0;
}

interface Counts {
  injected: number;
  refused: number;
  through: number;
  readonly blocked: Map<string, number>;
}

/** Adds what a suite's runs did of a class; the number that its exhaustive run did. */
function addCounts(counts: Counts, s: SuiteReport, fault: FaultId): number {
  const f = s.faults.find((x) => x.id === fault);
  for (const claim of s.claims) {
    const n = claim.breach?.injected?.[fault] ?? 0;
    counts.injected += n;
    counts.through += n;
  }
  if (!f) return 0;
  counts.injected += f.injected;
  counts.through += f.through;
  for (const n of Object.values(f.refused)) counts.refused += n;
  for (const [gate, n] of Object.entries(f.blocked)) counts.blocked.set(gate, (counts.blocked.get(gate) ?? 0) + n);
  return f.injected;
}
