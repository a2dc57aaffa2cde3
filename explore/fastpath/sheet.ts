/**
 * The sheet: what the two gates read of every operation of every suite. Plain data without times, so that equal runs give equal sheets.
 */
import type { DataPathRole } from '../../model/kernel/index.js';
import type { Allocation } from './attribution.js';
import type { FamilyReading, OperationReading } from './gates.js';
import { HEAP_NUMBER_BYTES } from './meter.js';
import type { Missing } from './recording.js';

/** One gate's reading of one operation. */
export interface GateReading {
  readonly bytes: number;
  readonly calls: number;
  readonly tier: string;
}

export type Verdict = 'zero' | 'allocates' | 'cannot happen' | 'not exercised';

export interface OperationRow {
  readonly operation: string;
  /** Fault class, when it is an injected fault. */
  readonly fault: string | undefined;
  /** Its part on the data path, when it is on it. */
  readonly role: DataPathRole | undefined;
  /**
   * `cannot happen`: it is enabled in no state of the suite's scope, which was shown. `not exercised`: the mix never performed it (it may
   * have attempted it), and nothing is claimed.
   */
  readonly verdict: Verdict;
  /** Why nothing was measured; '' when something was. */
  readonly why: string;
  /** Outcomes that the recorded calls had: `ok`, error names, gates. */
  readonly outcomes: readonly string[];
  readonly gateA: GateReading;
  readonly gateB: GateReading;
  /** Which functions allocate, over `attributedCalls` calls; empty when none do. */
  readonly allocations: readonly Allocation[];
}

export interface SuiteSheet {
  readonly suite: string;
  /** Calls in the recorded mix. */
  readonly mix: number;
  /** What the negative control read in the processes of both gates: 16, or the readings mean nothing. */
  readonly controlA: number;
  readonly controlB: number;
  /** The whole mix in gate B: warmed up, then after each fault family. */
  readonly families: readonly FamilyReading[];
  /** Which functions allocate while the whole mix runs, where no single operation shows it. */
  readonly mixAllocations: readonly Allocation[];
  readonly operations: readonly OperationRow[];
}

export interface FastpathSheet {
  readonly schema: 2;
  readonly node: string;
  readonly v8: string;
  readonly flagsA: readonly string[];
  readonly flagsB: readonly string[];
  readonly seed: number;
  /** Calls behind each list of allocations. */
  readonly attributedCalls: number;
  readonly suites: readonly SuiteSheet[];
}

/** Whether the controls read what they must: otherwise a zero is worth nothing. */
export function controlHolds(s: SuiteSheet): boolean {
  return s.controlA === HEAP_NUMBER_BYTES && s.controlB === HEAP_NUMBER_BYTES;
}

/** A data-path operation that might happen and was not measured: the sheet must not pass for a proof. */
export const isGap = (o: OperationRow): boolean => o.role !== undefined && o.verdict === 'not exercised';

/** Whether anything of the suite allocated, alone or in the mix. */
export function suiteAllocates(s: SuiteSheet): boolean {
  return s.operations.some((o) => o.verdict === 'allocates') || s.families.some((f) => f.bytes !== 0);
}

/** Whether nothing allocated, the whole data path and something of every suite was measured, and the meter saw its control. */
export function sheetHolds(sheet: FastpathSheet): boolean {
  return (
    sheet.suites.length > 0 &&
    sheet.suites.every(
      (s) =>
        controlHolds(s) &&
        !suiteAllocates(s) &&
        s.operations.some((o) => o.verdict === 'zero') &&
        !s.operations.some(isGap),
    )
  );
}

/** Puts the readings of one operation together. */
export function rowOf(
  a: OperationReading,
  b: OperationReading,
  missing: Missing,
  more: Pick<OperationRow, 'fault' | 'role' | 'outcomes' | 'allocations'>,
): OperationRow {
  return {
    operation: a.operation,
    verdict: verdictOf(a, b, missing),
    why: missing.why,
    ...more,
    gateA: { bytes: a.bytes, calls: a.calls, tier: a.tier },
    gateB: { bytes: b.bytes, calls: b.calls, tier: b.tier },
  };
}

function verdictOf(a: OperationReading, b: OperationReading, missing: Missing): Verdict {
  if (a.bytes !== 0 || b.bytes !== 0) return 'allocates';
  if (a.exercised && b.exercised) return 'zero';
  return missing.impossible ? 'cannot happen' : 'not exercised';
}

/** `0 bytes in 60,000 calls at tier turbofan on V8 11.3.244.8`: never more than was measured. */
export function claimOf(reading: GateReading, v8: string): string {
  const calls = reading.calls.toLocaleString('en-US');
  return `${reading.bytes.toLocaleString('en-US')} bytes in ${calls} calls at tier ${reading.tier || 'none'} on V8 ${v8}`;
}
