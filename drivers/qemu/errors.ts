// The one error type of the QEMU target: what went wrong outside the specification, under a code that scripts may rely on.

/** Stable codes of everything that can go wrong with a QEMU, apart from a disagreement about isolation. */
export type TargetErrorCode =
  | 'RF-QEMU-MISSING' // no such program, or it is not a QEMU
  | 'RF-QEMU-TOO-OLD' // below the oldest version that the harness knows
  | 'RF-QEMU-START' // it ended, or never connected, before it was ready
  | 'RF-QEMU-DIED' // it ended, or closed its socket, while in use
  | 'RF-QEMU-SILENT' // it did not answer within the time allowed
  | 'RF-QEMU-PROTOCOL' // it answered something that is no answer
  | 'RF-QEMU-DEVICE'; // a device or the IOMMU is absent, or does not do what its manual promises

/** An environment failure (exit code 3), never a finding about isolation. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  constructor(
    readonly code: TargetErrorCode,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}
