/**
 * The fault classes, the gate that should stop each, and what the oracle looks at. A wild write, a malformed ring and a malicious DMA are
 * one adversary before three different gates; the gates are modelled apart so that each can be switched off.
 */
import type { FaultId } from '../model/kernel/index.js';

export interface FaultClass {
  readonly id: FaultId;
  readonly title: string;
  /** The mechanism that should stop it. */
  readonly gate: string;
  /** The invariants that it aims at. */
  readonly aims: readonly string[];
}

const define = (id: FaultId, title: string, gate: string, ...aims: readonly string[]): FaultClass => ({
  id,
  title,
  gate,
  aims,
});

/** F1 to F14, in order. */
export const faultClasses: readonly FaultClass[] = [
  define('F1', 'wild write by a CPU', 'MMU', 'I1', 'I3', 'I11'),
  define('F2', 'DMA to memory of others or of the VMM', 'IOMMU', 'I1', 'I8'),
  define('F3', 'DMA after unmap, or completed late', 'invalidation and drain', 'I1', 'I4', 'I15'),
  define('F4', 'memory reclaimed with DMA in flight', 'pins', 'I1', 'I2'),
  define('F5', 'indices, ids or lengths out of range', 'validator', 'I7', 'I12'),
  define('F6', 'shared memory changed between check and use', 'private copy', 'I5'),
  define('F7', 'event dropped, duplicated or forged', 'event-channel rules', 'I8'),
  define('F8', 'interrupt written by DMA', 'interrupt remapping', 'I8'),
  define('F9', 'interrupt storm', 'masking', 'I14'),
  define('F10', 'crash at any step', 'recovery', 'I9', 'I10'),
  define('F11', 'hang', 'time-out', 'I14'),
  define('F12', 'exhaustion of grants, handles, pins, queues', 'quotas', 'I14'),
  define('F13', 'configuration space rewritten', 'configuration filter', 'I8', 'I13'),
  define('F14', 'responses of an older epoch', 'epoch check', 'I6', 'I9'),
];

/** The class of an id. */
export function faultClass(id: FaultId): FaultClass {
  const found = faultClasses.find((c) => c.id === id);
  if (!found) throw new RangeError(`no fault class ${id}`);
  return found;
}
