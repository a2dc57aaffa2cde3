// Driving a VT-d unit through its registers: discovery, translation on and off, invalidation by queue and by register, fault records.
// Every method queues; nothing happens before the client's flush. QEMU performs each command before it answers the write, so
// the polling that real hardware asks for is one read in the same batch, and the check of what it read is `confirm`.

import { TargetError } from './errors.js';
import type { Qtest, Slot } from './qtest.js';
import {
  type Capability,
  contextCommand,
  decodeCapability,
  decodeFault,
  type FaultRecord,
  FSTS,
  GCMD,
  type Invalidation,
  invalidationDescriptor,
  iotlbCommand,
  REG,
  type Words4,
  waitDescriptor,
} from './registers.js';

/** Where QEMU's q35 machine has its unit. */
export const VTD_BASE = 0xfed90000;
/** Entries of a queue of one page (IQA.QS = 0). */
const QUEUE_ENTRIES = 256;

/** The slots of one reading of fault status and all fault records. */
export interface FaultSlots {
  readonly status: Slot;
  readonly records: readonly (readonly [Slot, Slot])[];
}

/** What a reading of the fault registers showed. */
export interface FaultReading {
  /** FSTS as read. */
  readonly status: number;
  readonly overflow: boolean;
  readonly queueError: boolean;
  readonly records: readonly FaultRecord[];
}

/** How an invalidation's completion will be read: the value expected of a slot, on the bits of a mask. */
export interface Completion {
  readonly slot: Slot;
  readonly half: 'lo' | 'hi';
  readonly mask: number;
  readonly expected: number;
}

/** A VT-d unit behind a qtest client. */
export class Vtd {
  /** Bits of GCMD that are states, not orders; kept because every GCMD write states them all. */
  private held = 0;
  private tail = 0;
  private sequence = 0;

  private constructor(
    private readonly q: Qtest,
    readonly capability: Capability,
    private readonly queueAddress: number,
    private readonly statusAddress: number,
  ) {}

  /**
   * Finds the unit.
   * @param queueAddress one page for the invalidation queue; @param statusAddress a 32-bit word for its completions.
   * @throws TargetError RF-QEMU-DEVICE if there is none, or it lacks queued invalidation.
   */
  static async discover(q: Qtest, queueAddress: number, statusAddress: number): Promise<Vtd> {
    const version = q.readl(VTD_BASE + REG.VER);
    const cap = q.readq(VTD_BASE + REG.CAP);
    const ecap = q.readq(VTD_BASE + REG.ECAP);
    await q.flush();
    const seen = q.u32(version);
    if (seen === 0 || seen === 0xffffffff) {
      throw new TargetError(
        'RF-QEMU-DEVICE',
        `no VT-d unit at 0x${VTD_BASE.toString(16)}; start QEMU with -device intel-iommu`,
      );
    }
    const capability = decodeCapability(q.lo(cap), q.hi(cap), q.lo(ecap), q.hi(ecap));
    if (!capability.queuedInvalidation) {
      throw new TargetError('RF-QEMU-DEVICE', 'this VT-d unit has no queued invalidation (ECAP.QI is 0)');
    }
    return new Vtd(q, capability, queueAddress, statusAddress);
  }

  private command(order: number): void {
    this.q.writel(VTD_BASE + REG.GCMD, (this.held | order) >>> 0);
  }

  /** Queues TE on or off (10.4.4). */
  setTranslation(on: boolean): void {
    this.held = on ? this.held | GCMD.TE : this.held & ~GCMD.TE;
    this.command(0);
  }

  /** Queues interrupt remapping on or off, with a remapping table of 2^(sizeLog2+1) entries in memory at `table`. */
  setInterruptRemapping(on: boolean, table = 0, sizeLog2 = 0): void {
    if (on) {
      this.q.writeq(VTD_BASE + 0xb8, (table | sizeLog2) >>> 0, 0); // IRTA_REG, 10.4.29
      this.command(GCMD.SIRTP);
    }
    this.held = on ? this.held | GCMD.IRE : this.held & ~GCMD.IRE;
    this.command(0);
  }

  /** Queues a new root table (legacy mode) and the order that makes the unit take it. */
  setRootTable(address: number): void {
    this.q.writeq(VTD_BASE + REG.RTADDR, address, 0);
    this.command(GCMD.SRTP);
  }

  /** Queues switching on queued invalidation, with an empty queue. Requires that it is off. */
  enableQueue(): void {
    this.tail = 0;
    this.q.writeq(VTD_BASE + REG.IQT, 0, 0);
    this.q.writeq(VTD_BASE + REG.IQA, this.queueAddress, 0);
    this.held |= GCMD.QIE;
    this.command(0);
  }

  /** Queues switching it off: allowed when the queue is drained, which a last wait descriptor makes sure of (6.5.2). */
  disableQueue(): void {
    if ((this.held & GCMD.QIE) === 0) return;
    this.submit([]);
    this.held &= ~GCMD.QIE;
    this.command(0);
  }

  /** Queues a read of GSTS; `confirm` compares it after the flush. */
  readStatus(): Slot {
    return this.q.readl(VTD_BASE + REG.GSTS);
  }

  /** @throws TargetError RF-QEMU-DEVICE if the unit's status is not what was commanded. */
  confirm(slot: Slot): void {
    const states = (GCMD.TE | GCMD.QIE | GCMD.IRE) >>> 0;
    const got = (this.q.u32(slot) & states) >>> 0;
    const want = (this.held & states) >>> 0;
    if (got !== want) {
      throw new TargetError(
        'RF-QEMU-DEVICE',
        `VT-d status is 0x${got.toString(16)}, 0x${want.toString(16)} was commanded`,
      );
    }
  }

  /** Queues raw descriptors and a wait behind them; the completion holds when its status word has arrived. */
  submit(descriptors: readonly Words4[]): Completion {
    this.sequence = (this.sequence + 1) >>> 0;
    const expected = this.sequence;
    for (const words of [...descriptors, waitDescriptor(this.statusAddress, expected)]) {
      const entry = Buffer.alloc(16);
      for (let i = 0; i < 4; i++) entry.writeUInt32LE((words[i] ?? 0) >>> 0, i * 4);
      this.q.write(this.queueAddress + this.tail * 16, entry);
      this.tail = (this.tail + 1) % QUEUE_ENTRIES;
    }
    this.q.writeq(VTD_BASE + REG.IQT, this.tail * 16, 0);
    return { slot: this.q.readl(this.statusAddress), half: 'lo', mask: 0xffffffff, expected };
  }

  /** Queues an invalidation through the queue. */
  invalidateByQueue(requests: readonly Invalidation[]): Completion {
    return this.submit(requests.map(invalidationDescriptor));
  }

  /** Queues an invalidation through CCMD or IOTLB_REG: the unit allows that only while its queue is off, so that is put off and on again. */
  invalidateByRegister(request: Invalidation): Completion {
    const queueWasOn = (this.held & GCMD.QIE) !== 0;
    this.disableQueue();
    let slot: Slot;
    if (request.cache === 'context') {
      const [lo, hi] = contextCommand(request);
      this.q.writeq(VTD_BASE + REG.CCMD, lo, hi);
      slot = this.q.readq(VTD_BASE + REG.CCMD);
    } else {
      const { command, iva } = iotlbCommand(request);
      const registers = VTD_BASE + this.capability.ivaOffset;
      if (iva !== undefined) this.q.writeq(registers, iva[0], iva[1]);
      this.q.writeq(registers + 8, command[0], command[1]);
      slot = this.q.readq(registers + 8);
    }
    if (queueWasOn) this.enableQueue();
    return { slot, half: 'hi', mask: 0x80000000, expected: 0 };
  }

  /** After the flush: has that invalidation completed? */
  completed(completion: Completion): boolean {
    const got = completion.half === 'lo' ? this.q.lo(completion.slot) : this.q.hi(completion.slot);
    return (got & completion.mask) >>> 0 === completion.expected;
  }

  /** Queues a reading of fault status and records. */
  readFaults(): FaultSlots {
    const status = this.q.readl(VTD_BASE + REG.FSTS);
    const records: [Slot, Slot][] = [];
    for (let i = 0; i < this.capability.faultRecords; i++) {
      const at = VTD_BASE + this.capability.faultOffset + i * 16;
      records.push([this.q.readq(at), this.q.readq(at + 8)]);
    }
    return { status, records };
  }

  /** After the flush: what it showed. */
  faults(slots: FaultSlots): FaultReading {
    const status = this.q.u32(slots.status);
    const records: FaultRecord[] = [];
    if ((status & FSTS.PPF) !== 0) {
      for (const [low, high] of slots.records) {
        const fault = decodeFault([this.q.lo(low), this.q.hi(low), this.q.lo(high), this.q.hi(high)]);
        if (fault !== undefined) records.push(fault);
      }
    }
    return { status, overflow: (status & FSTS.PFO) !== 0, queueError: (status & FSTS.IQE) !== 0, records };
  }

  /** Queues clearing of every record's F bit, then of the status bits, all write-one-to-clear. */
  clearFaults(): void {
    for (let i = 0; i < this.capability.faultRecords; i++) {
      this.q.writel(VTD_BASE + this.capability.faultOffset + i * 16 + 12, 0x80000000);
    }
    this.q.writel(VTD_BASE + REG.FSTS, FSTS.PFO | FSTS.IQE | FSTS.ICE | FSTS.ITE);
  }

  /** Queues recovery from a queue error: what is left of the queue becomes waits, the error is cleared, and the tail is told again. */
  recoverQueue(): void {
    const page = Buffer.alloc(QUEUE_ENTRIES * 16);
    for (let at = 0; at < page.length; at += 16) {
      waitDescriptor(this.statusAddress, 0).forEach((word, i) => {
        page.writeUInt32LE(word, at + i * 4);
      });
    }
    this.q.write(this.queueAddress, page);
    this.clearFaults();
    this.q.writeq(VTD_BASE + REG.IQT, this.tail * 16, 0);
  }
}
