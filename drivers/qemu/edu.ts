// QEMU's `edu` device as a source of DMA. It does what the harness tells it at any 64-bit bus address, a tenth of a second of virtual time
// after the doorbell, and it cannot tell whether the access was allowed: that shows in memory and in the IOMMU's fault records.
// Its 4 KiB buffer can be reached by its own DMA only. So the lower half is filled once, before translation is on, with a pattern
// that tells the device and the place; the upper half takes what it reads and is looked at between programs, through tables of the harness.

import { TargetError } from './errors.js';
import { enableFunction } from './pci.js';
import type { Qtest, Slot } from './qtest.js';

/** PCI identity: QEMU's vendor number and the device's own. */
export const EDU_VENDOR = 0x1234;
export const EDU_DEVICE = 0x11e8;

/** Register offsets in BAR 0 (QEMU documentation, "EDU device"). */
const DMA_SOURCE = 0x80;
const DMA_DESTINATION = 0x88;
const DMA_COUNT = 0x90;
const DMA_COMMAND = 0x98;
/** Command bits: run, and the direction out of the device. */
const RUN = 1;
const TO_MEMORY = 2;
/** Where the buffer lies in the device's own address space. */
const BUFFER = 0x40000;
/**
 * The parts of the 4096-byte buffer: the pattern that writes send, and the place where reads arrive. Versions up to 9 take the buffer's
 * very last byte for out of range, and end QEMU over it; so the sink stops short of it.
 */
export const PATTERN_BYTES = 2048;
const SINK = PATTERN_BYTES;
export const SINK_BYTES = 2032;
const DELAY_NS = 100_000_000;

/** One DMA as a device issues it: `bufferOffset` is in the pattern (write) or in the sink (read). */
export interface DmaRequest {
  readonly direction: 'read' | 'write';
  readonly lo: number;
  readonly hi: number;
  readonly lengthBytes: number;
  readonly bufferOffset: number;
}

/** A device that performs DMA on demand. All methods queue; `busy` answers for a slot of the last flush. */
export interface DmaDevice {
  /** Requester id: bus, device, function. */
  readonly rid: number;
  start(request: DmaRequest): void;
  status(): Slot;
  busy(slot: Slot): boolean;
}

/** The byte that a device's pattern has at an offset: the tag in the high nibble's place, position mixed in, never zero. */
export function patternByte(tag: number, offset: number): number {
  return ((tag << 6) | ((offset * 7 + (offset >> 5)) & 0x3f) | 0x80) & 0xff;
}

/** An `edu` function, ready to use. */
export class EduDevice implements DmaDevice {
  private constructor(
    private readonly q: Qtest,
    readonly rid: number,
    private readonly base: number,
    private readonly ownClock: boolean,
    /** 0 or 1: tells the two devices' writes apart. */
    readonly tag: number,
  ) {}

  /**
   * Maps and enables the function.
   * @param ownClock true with the qtest accelerator, where time moves only when told.
   */
  static async open(q: Qtest, devfn: number, base: number, ownClock: boolean, tag: number): Promise<EduDevice> {
    await enableFunction(q, devfn, base);
    const identity = q.readl(base);
    await q.flush();
    if ((q.u32(identity) & 0xffff) !== 0x00ed) {
      throw new TargetError('RF-QEMU-DEVICE', `no edu device answers at 0x${base.toString(16)}`);
    }
    return new EduDevice(q, devfn, base, ownClock, tag);
  }

  /** What a write of this device brings into memory. */
  expectedBytes(bufferOffset: number, lengthBytes: number): Buffer {
    const bytes = Buffer.alloc(lengthBytes);
    for (let i = 0; i < lengthBytes; i++) bytes[i] = patternByte(this.tag, bufferOffset + i);
    return bytes;
  }

  start(request: DmaRequest): void {
    const { direction, lengthBytes, bufferOffset } = request;
    const half = direction === 'write' ? PATTERN_BYTES : SINK_BYTES;
    // Out of its buffer the device would end QEMU, so that is ours to prevent.
    if (lengthBytes < 1 || bufferOffset < 0 || bufferOffset + lengthBytes > half) {
      throw new RangeError(`edu: ${lengthBytes} bytes at ${bufferOffset} are not within ${half}`);
    }
    this.transfer(
      direction,
      request.lo,
      request.hi,
      BUFFER + (direction === 'write' ? 0 : SINK) + bufferOffset,
      lengthBytes,
    );
  }

  status(): Slot {
    return this.q.readl(this.base + DMA_COMMAND);
  }

  busy(slot: Slot): boolean {
    return (this.q.u32(slot) & RUN) !== 0;
  }

  /** Queues the loading of the pattern from memory at `address`. The device must reach that memory unhindered. */
  loadPattern(address: number): void {
    this.q.write(address, this.expectedBytes(0, PATTERN_BYTES));
    this.transfer('read', address, 0, BUFFER, PATTERN_BYTES);
  }

  /** Queues the copying of the sink into memory at `address`. The device must reach that memory unhindered. */
  dumpSink(address: number): void {
    this.transfer('write', address, 0, BUFFER + SINK, SINK_BYTES);
  }

  /** Queues the refilling of the sink from memory at `address`. The device must reach that memory unhindered. */
  loadSink(address: number): void {
    this.transfer('read', address, 0, BUFFER + SINK, SINK_BYTES);
  }

  private transfer(direction: 'read' | 'write', lo: number, hi: number, buffer: number, lengthBytes: number): void {
    const { q, base } = this;
    const outward = direction === 'write';
    q.writeq(base + DMA_SOURCE, outward ? buffer : lo, outward ? 0 : hi);
    q.writeq(base + DMA_DESTINATION, outward ? lo : buffer, outward ? hi : 0);
    q.writeq(base + DMA_COUNT, lengthBytes, 0);
    q.writeq(base + DMA_COMMAND, outward ? RUN | TO_MEMORY : RUN, 0);
    if (this.ownClock) q.clockStep(DELAY_NS);
  }
}
