/**
 * The sheet: what the two gates read of every operation of every suite. Plain data without times, so that equal runs give equal sheets.
 */
import type { Allocation } from './attribution.js';
import type { FamilyReading, OperationReading } from './gates.js';
import { HEAP_NUMBER_BYTES } from './meter.js';

/** One gate's reading of one operation. */
export interface GateReading {
  readonly bytes: number;
  readonly calls: number;
  readonly tier: string;
}

export interface OperationRow {
  readonly operation: string;
  /** Fault class, when it is an injected fault. */
  readonly fault: string | undefined;
  /** `not exercised`: the mix never performed it (it may have attempted it); nothing is claimed. */
  readonly verdict: 'zero' | 'allocates' | 'not exercised';
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
  readonly schema: 1;
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

/** Whether nothing allocated, something was measured in every suite, and the meter saw its control. */
export function sheetHolds(sheet: FastpathSheet): boolean {
  return (
    sheet.suites.length > 0 &&
    sheet.suites.every(
      (s) =>
        controlHolds(s) &&
        s.families.every((f) => f.bytes === 0) &&
        s.operations.some((o) => o.verdict === 'zero') &&
        s.operations.every((o) => o.verdict !== 'allocates'),
    )
  );
}

/** Puts the readings of one operation together. */
export function rowOf(
  a: OperationReading,
  b: OperationReading,
  more: Pick<OperationRow, 'fault' | 'outcomes' | 'allocations'>,
): OperationRow {
  const verdict = a.bytes !== 0 || b.bytes !== 0 ? 'allocates' : a.exercised && b.exercised ? 'zero' : 'not exercised';
  return {
    operation: a.operation,
    verdict,
    ...more,
    gateA: { bytes: a.bytes, calls: a.calls, tier: a.tier },
    gateB: { bytes: b.bytes, calls: b.calls, tier: b.tier },
  };
}

/** `0 bytes in 60,000 calls at tier turbofan on V8 11.3.244.8`: never more than was measured. */
export function claimOf(reading: GateReading, v8: string): string {
  const calls = reading.calls.toLocaleString('en-US');
  return `${reading.bytes.toLocaleString('en-US')} bytes in ${calls} calls at tier ${reading.tier || 'none'} on V8 ${v8}`;
}
