// The machine under test: a QEMU with a VT-d unit, two DMA devices and a fixed memory map, driven in steps. A step is what was queued
// (table entries, invalidations), then at most one DMA a device, then one look at faults and memory. A step without DMA is one round
// trip, one with DMA is two. `reset` brings the machine back to its first state without starting a new one.

import { EDU_DEVICE, EDU_VENDOR, EduDevice, SINK_BYTES } from './edu.js';
import { TargetError } from './errors.js';
import {
  DEVICE_BARS,
  FRAME_BYTES,
  frameFill,
  type MemoryMap,
  memoryMap,
  type Observation,
  SINK_FILL,
  type Sinks,
  type StepDma,
  type VtdTargetOptions,
  type Watch,
} from './layout.js';
import { findFunctions } from './pci.js';
import { locateQemu, type QemuInfo, QemuProcess } from './process.js';
import { Qtest, type Slot } from './qtest.js';
import {
  type Capability,
  contextEntry,
  type Invalidation,
  rootEntry,
  secondLevelEntry,
  type Words4,
} from './registers.js';
import { type Completion, type FaultSlots, Vtd } from './vtd.js';

export * from './layout.js';

/**
 * Queues what keeps the halted processor halted when a device's write to the interrupt window reaches it as an NMI or an SMI, which no
 * mask stops: the NMI vector of real mode points at the boot image's halt, and the system-management entry is a halt of its own.
 */
function quietProcessor(q: Qtest): void {
  q.write(2 * 4, Uint8Array.of(0xf0, 0xff, 0x00, 0xf0));
  q.write(0x38000, Uint8Array.of(0xfa, 0xf4, 0xeb, 0xfd));
}

/** QEMU's VT-d, ready for programs. */
export class VtdTarget {
  private completions: Completion[] = [];
  private clearFirst = false;
  private queueBroken = false;
  private readonly used: [boolean, boolean] = [true, true];

  private constructor(
    readonly info: QemuInfo,
    readonly process: QemuProcess,
    readonly qtest: Qtest,
    readonly vtd: Vtd,
    readonly devices: readonly [EduDevice, EduDevice],
    readonly map: MemoryMap,
    readonly withIommu: boolean,
  ) {}

  /**
   * Starts a QEMU and makes it ready: as after `reset`.
   * @throws TargetError RF-QEMU-*.
   */
  static async start(options: VtdTargetOptions = {}): Promise<VtdTarget> {
    const map = memoryMap(options.tableFrames, options.dataFrames);
    const info = await locateQemu(options.qemuPath);
    const edu = (slot: number): string => `edu,addr=${slot},dma_mask=0xffffffffffffffff`;
    const process = await QemuProcess.start(info, {
      devices: [`intel-iommu,intremap=on,aw-bits=${options.addressBits ?? 39}`, edu(5), edu(6)],
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
    try {
      const qtest = new Qtest(process, options.timeoutMs ?? 5_000);
      const found = (await findFunctions(qtest)).filter((f) => f.vendor === EDU_VENDOR && f.device === EDU_DEVICE);
      const [first, second] = found;
      if (first === undefined || second === undefined) {
        throw new TargetError(
          'RF-QEMU-DEVICE',
          `${found.length} edu devices found, 2 are needed; is this QEMU built without edu?`,
        );
      }
      const devices = [
        await EduDevice.open(qtest, first.devfn, DEVICE_BARS[0], info.qtestAccel, 0),
        await EduDevice.open(qtest, second.devfn, DEVICE_BARS[1], info.qtestAccel, 1),
      ] as const;
      const vtd = await Vtd.discover(qtest, map.invalidationQueue, map.invalidationStatus);
      const target = new VtdTarget(info, process, qtest, vtd, devices, map, options.withIommu ?? true);
      vtd.enableQueue();
      // Translation is still off: the devices reach memory as it is.
      devices.forEach((device, i) => {
        device.loadPattern(map.bounce[i === 0 ? 0 : 1]);
      });
      await target.waitIdle();
      await target.reset();
      return target;
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  get capability(): Capability {
    return this.vtd.capability;
  }

  /** Physical address of table frame or data frame `index`. */
  tableFrame(index: number): number {
    if (index < 0 || index >= this.map.tableFrames) throw new RangeError(`VtdTarget: no table frame ${index}`);
    return this.map.tables + index * FRAME_BYTES;
  }
  dataFrame(index: number): number {
    if (index < 0 || index >= this.map.dataFrames) throw new RangeError(`VtdTarget: no data frame ${index}`);
    return this.map.data + index * FRAME_BYTES;
  }

  /** Queues a 64-bit table entry (second-level, or half of a root or context entry). */
  writeEntry(address: number, lo: number, hi: number): void {
    this.prepare();
    this.qtest.writeq(address, lo, hi);
  }

  /**
   * Queues a 128-bit root or context entry. The half with the present bit is written last, as software must when the entry appears;
   * nothing looks in between, because a step is not interrupted.
   */
  writeEntry128(address: number, words: Words4): void {
    this.writeEntry(address + 8, words[2], words[3]);
    this.writeEntry(address, words[0], words[1]);
  }

  /** Queues bytes into memory, as the processor would write them: no IOMMU is asked. */
  writeMemory(address: number, data: Uint8Array): void {
    this.prepare();
    this.qtest.write(address, data);
  }

  /** Queues an invalidation; its completion is in the step's observation. */
  invalidate(request: Invalidation, by: 'queue' | 'registers' = 'queue'): void {
    this.prepare();
    this.completions.push(
      by === 'queue' ? this.vtd.invalidateByQueue([request]) : this.vtd.invalidateByRegister(request),
    );
  }

  /** Queues raw invalidation descriptors (malformed ones too) with a wait behind them. */
  submitDescriptors(descriptors: readonly Words4[]): void {
    this.prepare();
    this.completions.push(this.vtd.submit(descriptors));
  }

  /** Queues the root table pointer; QEMU forgets its caches with it, which the manual leaves to software. */
  setRootTable(address: number): void {
    this.prepare();
    this.vtd.setRootTable(address);
  }

  /** Queues translation on or off. Without an IOMMU (the negative control) it stays off. */
  setTranslation(on: boolean): void {
    this.prepare();
    this.vtd.setTranslation(on && this.withIommu);
  }

  /**
   * Performs what is queued, then the DMAs (one a device at most, started together), and looks.
   * @throws TargetError RF-QEMU-*, RF-QEMU-SILENT if a device does not finish.
   */
  async step(dma: readonly StepDma[] = [], watch: readonly Watch[] = []): Promise<Observation> {
    this.prepare();
    const { qtest } = this;
    const completions = this.completions;
    this.completions = [];
    for (const request of dma) {
      this.devices[request.device].start(request);
      if (request.direction === 'read') this.used[request.device] = true;
    }
    const together = dma.length === 0 || this.info.qtestAccel;
    let invalidated: boolean[] = [];
    if (!together) {
      await qtest.flush();
      invalidated = completions.map((c) => this.vtd.completed(c));
    }
    const deadline = Date.now() + 2_000;
    for (;;) {
      // Status is read before the faults: once idle, everything that the DMA caused is in what follows.
      const states = dma.map((request) => [request.device, this.devices[request.device].status()] as const);
      const slots = this.vtd.readFaults();
      const reads = watch.map((w) => qtest.read(w.address, w.lengthBytes));
      await qtest.flush();
      if (together && invalidated.length === 0) invalidated = completions.map((c) => this.vtd.completed(c));
      if (!states.some(([device, slot]) => this.devices[device].busy(slot)))
        return this.observe(slots, reads, invalidated);
      if (Date.now() > deadline)
        throw new TargetError('RF-QEMU-SILENT', 'a device did not finish its DMA within 2000 ms');
    }
  }

  /**
   * Back to the first state: tables zero, data frames filled with `frameFill`, caches and faults empty, an empty root table set,
   * translation on (unless `withIommu` is false). Gives what the devices had read since the last reset.
   */
  async reset(): Promise<Sinks> {
    const { qtest, vtd, map } = this;
    if (this.queueBroken) vtd.recoverQueue();
    this.queueBroken = false;
    this.clearFirst = false;
    this.completions = [];
    const sinks = await this.collectSinks();
    vtd.clearFaults();
    // A device that was let loose may have written anywhere.
    quietProcessor(qtest);
    qtest.memset(map.tables, map.tableFrames * FRAME_BYTES, 0);
    for (let i = 0; i < map.dataFrames; i++) qtest.memset(this.dataFrame(i), FRAME_BYTES, frameFill(i));
    vtd.setRootTable(map.tables);
    const done = vtd.invalidateByQueue([
      { cache: 'context', scope: 'global' },
      { cache: 'iotlb', scope: 'global' },
    ]);
    vtd.setTranslation(this.withIommu);
    const status = vtd.readStatus();
    const slots = vtd.readFaults();
    await qtest.flush();
    vtd.confirm(status);
    if (!vtd.completed(done) || vtd.faults(slots).status !== 0) {
      throw new TargetError('RF-QEMU-DEVICE', 'the VT-d unit did not come back to its first state');
    }
    return { sinks };
  }

  /** Reads all of the tables and data frames: for a check at the end of a program that nothing strayed. */
  async readAll(): Promise<{ readonly tables: Buffer; readonly data: Buffer }> {
    this.prepare();
    const tables = this.qtest.read(this.map.tables, this.map.tableFrames * FRAME_BYTES);
    const data = this.qtest.read(this.map.data, this.map.dataFrames * FRAME_BYTES);
    await this.qtest.flush();
    return { tables: this.qtest.bytes(tables), data: this.qtest.bytes(data) };
  }

  /** Ends the machine. Safe to call twice. */
  stop(): void {
    this.process.kill();
  }

  /** Faults seen by the last step are cleared with the next batch: clearing them in the batch that read them could lose a later one. */
  private prepare(): void {
    if (!this.clearFirst) return;
    this.clearFirst = false;
    this.vtd.clearFaults();
  }

  private observe(slots: FaultSlots, reads: readonly Slot[], invalidated: readonly boolean[]): Observation {
    const reading = this.vtd.faults(slots);
    this.clearFirst = reading.status !== 0;
    if (reading.queueError) this.queueBroken = true;
    return { ...reading, invalidated, memory: reads.map((slot) => this.qtest.bytes(slot)) };
  }

  /**
   * Queues tables of the harness's own, in which both devices see the low 2 MiB of memory as they are, and has the unit take them. Turning
   * translation off would do as well, but QEMU rebuilds its address spaces over that, which takes ten times as long.
   */
  private setHarnessTables(): void {
    const { qtest, vtd } = this;
    const [root, context, upper, lower] = this.map.harnessTables;
    const both = { read: true, write: true };
    const put128 = (address: number, words: Words4): void => {
      qtest.writeq(address, words[0], words[1]);
      qtest.writeq(address + 8, words[2], words[3]);
    };
    put128(root, rootEntry(context));
    for (const device of this.devices) put128(context + device.rid * 16, contextEntry(upper, 3, 0xffff));
    qtest.writeq(upper, secondLevelEntry(lower, both), 0);
    qtest.writeq(lower, secondLevelEntry(0, { ...both, superpage: true }), 0);
    vtd.setRootTable(root);
    vtd.invalidateByQueue([
      { cache: 'context', scope: 'global' },
      { cache: 'iotlb', scope: 'global' },
    ]);
  }

  /** Fetches the sinks that were used, refills them, and gives both. Leaves the harness's tables set. */
  private async collectSinks(): Promise<readonly [Buffer, Buffer]> {
    const { qtest, map, devices } = this;
    const sinks: [Buffer, Buffer] = [Buffer.alloc(SINK_BYTES, SINK_FILL), Buffer.alloc(SINK_BYTES, SINK_FILL)];
    const used = ([0, 1] as const).filter((i) => this.used[i]);
    if (used.length === 0) return sinks;
    this.setHarnessTables();
    for (const i of used) devices[i].dumpSink(map.bounce[i]);
    await this.waitIdle();
    const slots = used.map((i) => qtest.read(map.bounce[i], SINK_BYTES));
    for (const i of used) {
      qtest.memset(map.bounce[i], SINK_BYTES, SINK_FILL);
      devices[i].loadSink(map.bounce[i]);
      this.used[i] = false;
    }
    await qtest.flush();
    used.forEach((i, n) => {
      const slot = slots[n];
      if (slot !== undefined) sinks[i] = qtest.bytes(slot);
    });
    await this.waitIdle();
    return sinks;
  }

  private async waitIdle(): Promise<void> {
    await this.qtest.flush();
    const deadline = Date.now() + 2_000;
    for (;;) {
      const slots = this.devices.map((device) => device.status());
      await this.qtest.flush();
      if (!this.devices.some((device, i) => device.busy(slots[i] ?? 0))) return;
      if (Date.now() > deadline)
        throw new TargetError('RF-QEMU-SILENT', 'a device did not finish its DMA within 2000 ms');
    }
  }
}
