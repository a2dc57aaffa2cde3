/**
 * A mirror of the guest memory that programs can reach: table frames and data frames, as the specification says that they are. The
 * specification's walker reads its tables here.
 */
import type { TableMemory } from '../../model/vtd/walk.js';
import { FRAME_BYTES, frameFill, type MemoryMap } from './layout.js';

/** Frames of guest memory; beyond them nothing answers, but for devices, interrupt controllers and flash below 4 GiB. */
const RAM_FRAMES = 0x4000;
const DEVICE_FRAMES = 0xfe000;
const DEVICE_FRAMES_END = 0x100000;

/** A frame that nothing answers: writes vanish, reads give zero. */
export const HOLE_FRAME = 0x3f000;

export class Mirror implements TableMemory {
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  readonly firstTable: number;
  readonly firstData: number;
  /** A walk has read memory that is not mirrored: what it found is unknown. */
  strayed = false;

  constructor(private readonly map: MemoryMap) {
    this.firstTable = map.tables / FRAME_BYTES;
    this.firstData = map.data / FRAME_BYTES;
    const buffer = new ArrayBuffer((map.tableFrames + map.dataFrames) * FRAME_BYTES);
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
  }

  /** Tables zero, data frames filled: as the target after its reset. */
  reset(): void {
    this.bytes.fill(0, 0, this.map.tableFrames * FRAME_BYTES);
    for (let i = 0; i < this.map.dataFrames; i++) this.frame(this.firstData + i)?.fill(frameFill(i));
    this.strayed = false;
  }

  /** All mirrored frames, by page-frame number. */
  get frames(): readonly number[] {
    const { map } = this;
    return [
      ...Array.from({ length: map.tableFrames }, (_, i) => this.firstTable + i),
      ...Array.from({ length: map.dataFrames }, (_, i) => this.firstData + i),
    ];
  }

  /** Index of a frame among the mirrored ones, or -1. */
  private indexOf(frame: number): number {
    const table = frame - this.firstTable;
    if (table >= 0 && table < this.map.tableFrames) return table;
    const data = frame - this.firstData;
    return data >= 0 && data < this.map.dataFrames ? this.map.tableFrames + data : -1;
  }

  /** Bytes of a frame, to read and write; undefined when it is not mirrored. */
  frame(frame: number): Uint8Array | undefined {
    const i = this.indexOf(frame);
    return i < 0 ? undefined : this.bytes.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES);
  }

  /** All table frames, then all data frames. */
  get tables(): Uint8Array {
    return this.bytes.subarray(0, this.map.tableFrames * FRAME_BYTES);
  }
  get data(): Uint8Array {
    return this.bytes.subarray(this.map.tableFrames * FRAME_BYTES);
  }

  reaches(frame: number): boolean {
    // What a table walk reads from a device is unknown (see `strayed`), but it reads something.
    return frame >= 0 && (frame < RAM_FRAMES || (frame >= DEVICE_FRAMES && frame < DEVICE_FRAMES_END));
  }

  word(frame: number, index: number): number {
    const i = this.indexOf(frame);
    if (i < 0) {
      this.strayed = true;
      return 0;
    }
    return this.words[i * 1024 + index];
  }

  /** Writes a 64-bit entry at a physical address. */
  writeEntry(address: number, lo: number, hi: number): void {
    const frame = Math.floor(address / FRAME_BYTES);
    const i = this.indexOf(frame);
    if (i < 0) throw new RangeError(`no mirrored frame at ${address.toString(16)}h`);
    const at = i * 1024 + ((address % FRAME_BYTES) >> 2);
    this.words[at] = lo >>> 0;
    this.words[at + 1] = hi >>> 0;
  }

  /** What is wrong with the frames as read from the target, or undefined. */
  differs(tables: Uint8Array, data: Uint8Array): string | undefined {
    const at = firstDifference(this.tables, tables);
    if (at >= 0) return `table frame ${Math.floor(at / FRAME_BYTES)} at offset ${(at % FRAME_BYTES).toString(16)}h`;
    const d = firstDifference(this.data, data);
    return d < 0 ? undefined : `data frame ${Math.floor(d / FRAME_BYTES)} at offset ${(d % FRAME_BYTES).toString(16)}h`;
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (Buffer.compare(a, b) === 0) return -1;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}
