/**
 * Footprints: which rows of the state an operation may read and write. One declaration gives the frame condition (nothing else
 * changed), the partial-order reduction (which operations commute) and the picture of an access path.
 */
import type { TableCore } from './layout.js';

export const READS = 1;
export const WRITES = 2;

/** A set of rows with rights. Cleared and refilled for every step; allocates nothing after set-up. */
export class Footprint {
  readonly marks: Uint8Array;
  private readonly touched: Int32Array;
  private count = 0;

  constructor(rowCount: number) {
    this.marks = new Uint8Array(rowCount);
    this.touched = new Int32Array(rowCount);
  }

  clear(): void {
    for (let i = 0; i < this.count; i++) this.marks[this.touched[i]] = 0;
    this.count = 0;
  }

  private mark(row: number, right: number): void {
    if (this.marks[row] === 0) this.touched[this.count++] = row;
    this.marks[row] |= right;
  }

  /** The operation may read this row. Rows outside the table are ignored. */
  read(table: TableCore, row = 0): void {
    if (row >= 0 && row < table.rows) this.mark(table.base + row, READS);
  }

  /** The operation may read and write this row. Rows outside the table are ignored: nobody can write them. */
  write(table: TableCore, row = 0): void {
    if (row >= 0 && row < table.rows) this.mark(table.base + row, READS | WRITES);
  }

  readAll(table: TableCore): void {
    for (let r = 0; r < table.rows; r++) this.mark(table.base + r, READS);
  }

  writeAll(table: TableCore): void {
    for (let r = 0; r < table.rows; r++) this.mark(table.base + r, READS | WRITES);
  }

  /** Whether `row` (numbered over the whole machine) may be written. */
  mayWrite(row: number): boolean {
    return (this.marks[row] & WRITES) !== 0;
  }

  /** Whether the two do not commute: one writes what the other reads or writes. */
  conflictsWith(other: Footprint): boolean {
    for (let i = 0; i < this.count; i++) {
      const row = this.touched[i];
      const both = this.marks[row] | other.marks[row];
      if (other.marks[row] !== 0 && (both & WRITES) !== 0) return true;
    }
    return false;
  }
}
