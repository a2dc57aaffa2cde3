/**
 * The two gates. A, strict: interpreted, brackets of 1 to 10,000 calls of each operation, each of which must read 0: what is clean in the
 * interpreter is clean in every tier. B, steady: default tiers, warmed with the whole mix, hostile inputs included; brackets of 20,000
 * calls until three agree, on the mix again after each fault family, then of each operation.
 */
import type { CompiledOperation, Machine } from '../../model/kernel/index.js';
import { Meter } from './meter.js';
import type { Recording } from './recording.js';
import { Replay } from './replay.js';

export const STRICT_BRACKETS = [1, 10, 100, 1_000, 10_000] as const;
export const WARM_UP_CALLS = 60_000;
export const STEADY_CALLS = 20_000;
/** Calls of one fault family between two readings of the mix. */
const FAMILY_CALLS = 5_000;

/** What one gate reads of one operation. */
export interface OperationReading {
  readonly operation: string;
  readonly exercised: boolean;
  /** Bytes of all brackets together. */
  readonly bytes: number;
  /** Calls in the brackets that were read. */
  readonly calls: number;
  readonly tier: string;
}

/** What gate B reads of the whole mix after a fault family. */
export interface FamilyReading {
  /** Fault class, or '' for the mix as warmed up. */
  readonly fault: string;
  /** Of one bracket. */
  readonly bytes: number;
}

/** Gate A: every operation of the machine, interpreted. */
export function strictGate(m: Machine, recording: Recording): readonly OperationReading[] {
  const replay = new Replay(m, recording);
  const meter = new Meter(replay);
  const all = replay.all();
  // Functions are compiled at their first call, on the heap that is measured.
  meter.warm(all, all.length);
  return m.operations.map((o) => {
    const order = replay.ofOperation(o.index);
    const exercised = replay.exercised(o.index);
    if (order.length === 0) return { operation: o.op.name, exercised, bytes: 0, calls: 0, tier: INTERPRETER };
    let bytes = 0;
    let calls = 0;
    for (const n of STRICT_BRACKETS) {
      bytes += meter.bytes(order, n);
      calls += n;
    }
    return { operation: o.op.name, exercised, bytes, calls, tier: INTERPRETER };
  });
}

/** Gate B: the mix, the mix after each fault family, and every operation. */
export function steadyGate(
  m: Machine,
  recording: Recording,
): { readonly families: readonly FamilyReading[]; readonly operations: readonly OperationReading[] } {
  const replay = new Replay(m, recording);
  const meter = new Meter(replay);
  const all = replay.all();
  meter.warm(all, Math.max(WARM_UP_CALLS, 20 * all.length));
  const families: FamilyReading[] = [{ fault: '', bytes: meter.steadyBytes(all, STEADY_CALLS) }];
  for (const fault of faultsOf(m)) {
    const order = replay.ofFault(fault);
    if (order.length === 0) continue;
    meter.renew();
    meter.warm(order, FAMILY_CALLS);
    families.push({ fault, bytes: meter.steadyBytes(all, STEADY_CALLS) });
  }
  const operations = m.operations.map((o) => {
    const order = replay.ofOperation(o.index);
    const exercised = replay.exercised(o.index);
    if (order.length === 0) return { operation: o.op.name, exercised, bytes: 0, calls: 0, tier: '' };
    const bytes = 3 * meter.steadyBytes(order, STEADY_CALLS);
    return { operation: o.op.name, exercised, bytes, calls: 3 * STEADY_CALLS, tier: tierOf(o) };
  });
  return { families, operations };
}

/** Fault classes of the machine's operations, in numeric order. */
export function faultsOf(m: Machine): readonly string[] {
  const faults = new Set(m.operations.flatMap((o) => (o.op.fault ? [o.op.fault as string] : [])));
  return [...faults].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
}

const INTERPRETER = 'interpreter';

/** Bits of %GetOptimizationStatus that V8 has kept since version 9. */
const STATUS = { maglev: 1 << 5, turbofan: 1 << 6, interpreted: 1 << 7, baseline: 1 << 15 } as const;

/**
 * The highest tier that V8 has compiled the operation to; of its steps, when they run one at a time. Code that never left the
 * interpreter after so many calls was inlined into its caller, and runs at the caller's tier.
 */
function tierOf(o: CompiledOperation): string {
  const status = new Function('f', 'return %GetOptimizationStatus(f)') as (f: unknown) => number;
  const own = Math.max(...(o.split ? o.steps : [o.run]).map((f) => rank(status(f))));
  const caller = rank(status(Replay.prototype.perform));
  return own > 0 || caller === 0 ? TIERS[own] : `${TIERS[caller]}, inlined`;
}

const TIERS = [INTERPRETER, 'baseline', 'maglev', 'turbofan'] as const;

function rank(status: number): number {
  if (status & STATUS.turbofan) return 3;
  if (status & STATUS.maglev) return 2;
  return status & STATUS.baseline ? 1 : 0;
}
