/** A fast-path sheet as small as sheets get, for tests of what reads sheets. */
import type { FastpathSheet, OperationRow, Verdict } from '../../explore/fastpath/sheet.js';

/** @param bytes what the operation allocates; 0 for a clean one */
export function sampleSheet(bytes: number, verdict: Verdict = bytes ? 'allocates' : 'zero'): FastpathSheet {
  const reading = { bytes, calls: 10_000, tier: 'interpreter' };
  const allocations = bytes ? [{ function: 'write', file: 'model/lending.ts', line: 7, column: 3, bytes }] : [];
  const row: OperationRow = {
    operation: 'sample.attack',
    fault: 'F2',
    role: 'translate',
    verdict,
    why: verdict === 'not exercised' ? 'no run met it' : '',
    outcomes: ['ok'],
    gateA: reading,
    gateB: reading,
    allocations,
  };
  const suite = {
    suite: 'lending',
    mix: 100,
    controlA: 16,
    controlB: 16,
    families: [{ fault: '', bytes: 0 }],
    operations: [row],
    mixAllocations: [],
  };
  return { schema: 2, node: '20', v8: '11', flagsA: [], flagsB: [], seed: 1, attributedCalls: 1_000, suites: [suite] };
}
