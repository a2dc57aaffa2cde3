/** How often operations ended how, and failure sites failed: what shows that an attack arrived, and where it was stopped. */
import {
  allFailureSites,
  allGates,
  GATE_OUTCOMES,
  type Machine,
  OUTCOMES,
  POSITIVE_OUTCOMES,
} from '../../model/kernel/index.js';
import type { OperationCount, SiteCount } from './results.js';

/** The outcome counters of a machine, by operation, in words. */
export function operationCounts(m: Machine): OperationCount[] {
  const gates = allGates();
  return m.operations.map(({ op, index }) => {
    const refused: Record<string, number> = {};
    const blocked: Record<string, number> = {};
    const errorName = (code: number): string =>
      Object.entries(op.errors ?? {}).find(([, c]) => c === code)?.[0] ?? `error ${code}`;
    for (let o = 1; o < OUTCOMES; o++) {
      const n = m.outcomes[index * OUTCOMES + o];
      if (n === 0) continue;
      if (o < POSITIVE_OUTCOMES) refused[errorName(-o)] = n;
      else if (o < GATE_OUTCOMES) refused[errorName(o - POSITIVE_OUTCOMES)] = n;
      else blocked[gates[o - GATE_OUTCOMES]?.name ?? `gate ${o - GATE_OUTCOMES}`] = n;
    }
    return { operation: op.name, fault: op.fault ?? '', ok: m.outcomes[index * OUTCOMES], refused, blocked };
  });
}

/** Failure sites that the run passed. */
export function failureSites(m: Machine): SiteCount[] {
  return allFailureSites().flatMap((site) => {
    const passed = m.sitesPassed[site.id] ?? 0;
    return passed > 0 ? [{ site: site.name, passed, failed: m.sitesFailed[site.id] ?? 0 }] : [];
  });
}
