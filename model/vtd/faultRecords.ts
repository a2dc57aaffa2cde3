/**
 * Fault recording (VT-d Architecture Specification, 7.2.2 primary fault logging; 10.4.9 FSTS, 10.4.14 FRCD), over typed arrays: the
 * fields of a table in a packed state, or arrays of their own.
 *
 * Must keep: a fault is recorded, or compressed into a pending record of the same source, or the overflow bit is set; nothing is recorded
 * while overflow is set; PPF is set exactly while a record is pending; FRI names the first one.
 */

/** FSTS bits. */
export const OVERFLOW = 1;
export const PENDING = 2;

/** Fault registers: one element a record, FSTS and the index of the next record in single elements. */
export interface FaultRegisters {
  readonly pending: Uint8Array;
  readonly source: Uint16Array;
  readonly reason: Uint8Array;
  readonly write: Uint8Array;
  readonly page: Int32Array;
  /** [FSTS low byte, next record, index of the first pending record (FRI)]. */
  readonly status: Uint8Array;
}

export const FSTS = 0;
export const NEXT = 1;
export const FRI = 2;

/** What became of a fault. */
export const RECORDED = 0;
export const COMPRESSED = 1;
export const LOST = 2;

/** 7.2.2: logs a fault. Compression of faults of one source is the hardware's choice: `compress` says whether this unit does it. */
export function recordFault(
  r: FaultRegisters,
  sourceId: number,
  reason: number,
  write: boolean,
  page: number,
  compress: boolean,
): number {
  if ((r.status[FSTS] & OVERFLOW) !== 0) return LOST;
  if (compress) {
    for (let i = 0; i < r.pending.length; i++) if (r.pending[i] !== 0 && r.source[i] === sourceId) return COMPRESSED;
  }
  const at = r.status[NEXT];
  if (r.pending[at] !== 0) {
    r.status[FSTS] |= OVERFLOW;
    return LOST;
  }
  r.source[at] = sourceId;
  r.reason[at] = reason;
  r.write[at] = write ? 1 : 0;
  r.page[at] = page;
  r.pending[at] = 1;
  r.status[NEXT] = at + 1 < r.pending.length ? at + 1 : 0;
  if ((r.status[FSTS] & PENDING) === 0) {
    r.status[FSTS] |= PENDING;
    r.status[FRI] = at;
  }
  return RECORDED;
}

/** 10.4.14: software writes one to F. PPF follows; the record's other fields mean nothing any more. */
export function clearRecord(r: FaultRegisters, record: number): void {
  r.pending[record] = 0;
  r.source[record] = 0;
  r.reason[record] = 0;
  r.write[record] = 0;
  r.page[record] = 0;
  const count = r.pending.length;
  for (let i = 1; i <= count; i++) {
    const at = (record + i) % count;
    if (r.pending[at] !== 0) {
      r.status[FRI] = at;
      return;
    }
  }
  r.status[FSTS] &= ~PENDING;
  r.status[FRI] = 0;
}

/** 10.4.9: software writes one to PFO. */
export function clearOverflow(r: FaultRegisters): void {
  r.status[FSTS] &= ~OVERFLOW;
}
