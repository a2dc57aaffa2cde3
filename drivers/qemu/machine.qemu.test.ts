// The claims that the real target must support, shown one by one on a live QEMU: permitted DMA arrives, forbidden DMA does not and is
// recorded, stale translations live until they are invalidated, and with the IOMMU off everything is open.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frameFill, SINK_FILL, type StepDma, VtdTarget } from './machine.js';
import { contextEntry, rootEntry, secondLevelEntry } from './registers.js';

const ROOT = 0;
const CONTEXT = 1;
/** First of three table frames (levels 3, 2, 1) of each device's domain. */
const TABLES = [2, 5] as const;
const LENGTH = 32;

let target: VtdTarget;

/** Root, context and upper levels: device d in domain d + 1, 3 levels, nothing mapped. */
function attachBoth(t: VtdTarget): void {
  const both = { read: true, write: true };
  t.writeEntry128(t.tableFrame(ROOT), rootEntry(t.tableFrame(CONTEXT)));
  TABLES.forEach((first, device) => {
    t.writeEntry(t.tableFrame(first), secondLevelEntry(t.tableFrame(first + 1), both), 0);
    t.writeEntry(t.tableFrame(first + 1), secondLevelEntry(t.tableFrame(first + 2), both), 0);
    attach(t, device === 0 ? 0 : 1, device === 0 ? 0 : 1);
  });
}
function attach(t: VtdTarget, device: 0 | 1, domain: 0 | 1): void {
  t.writeEntry128(
    t.tableFrame(CONTEXT) + t.devices[device].rid * 16,
    contextEntry(t.tableFrame(TABLES[domain]), 3, domain + 1),
  );
}
function map(t: VtdTarget, domain: 0 | 1, page: number, frame: number, write = true): void {
  t.writeEntry(
    t.tableFrame(TABLES[domain] + 2) + page * 8,
    secondLevelEntry(t.dataFrame(frame), { read: true, write }),
    0,
  );
}
function unmap(t: VtdTarget, domain: 0 | 1, page: number): void {
  t.writeEntry(t.tableFrame(TABLES[domain] + 2) + page * 8, 0, 0);
}
const dma = (device: 0 | 1, direction: 'read' | 'write', lo: number, bufferOffset = 0, hi = 0): StepDma => ({
  ...{ device, direction, lo, hi, lengthBytes: LENGTH, bufferOffset },
});
const watch = (t: VtdTarget, frame: number, offset = 0) => ({
  address: t.dataFrame(frame) + offset,
  lengthBytes: LENGTH,
});
const untouched = (frame: number): Buffer => Buffer.alloc(LENGTH, frameFill(frame));

beforeAll(async () => {
  target = await VtdTarget.start();
});
afterAll(() => target.stop());

describe('QEMU VT-d', () => {
  beforeEach(async () => {
    await target.reset();
    attachBoth(target);
  });

  it('lets a permitted write arrive, exactly where it belongs', async () => {
    map(target, 0, 1, 3);
    const seen = await target.step(
      [dma(0, 'write', 0x1040)],
      [watch(target, 3, 0x40), watch(target, 3), watch(target, 2, 0x40)],
    );
    expect(seen).toMatchObject({ status: 0, records: [] });
    expect(seen.memory).toEqual([target.devices[0].expectedBytes(0, LENGTH), untouched(3), untouched(2)]);
  });

  it('lets a permitted read arrive, which shows at reset', async () => {
    map(target, 1, 1, 5);
    await target.step([dma(1, 'read', 0x1000, 64)]);
    const { sinks } = await target.reset();
    expect(sinks[1].subarray(64, 64 + LENGTH)).toEqual(untouched(5));
    expect(sinks[1][63]).toBe(SINK_FILL);
    expect(sinks[0].every((byte) => byte === SINK_FILL)).toBe(true);
  });

  it('blocks writes without a mapping, with read-only rights and across devices, and records each', async () => {
    map(target, 0, 1, 0, false);
    map(target, 1, 2, 1);
    const readOnly = await target.step([dma(0, 'write', 0x1000)], [watch(target, 0)]);
    expect(readOnly.records).toEqual([
      { reason: 5, access: 'write', sourceId: target.devices[0].rid, pageLo: 0x1000, pageHi: 0 },
    ]);
    expect(readOnly.memory).toEqual([untouched(0)]);
    const foreign = await target.step([dma(0, 'write', 0x2000)], [watch(target, 1)]);
    expect(foreign.records).toMatchObject([{ reason: 5, pageLo: 0x2000 }]);
    expect(foreign.memory).toEqual([untouched(1)]);
    const rawTables = await target.step([dma(1, 'write', target.tableFrame(ROOT))]);
    expect(rawTables.records).toMatchObject([{ sourceId: target.devices[1].rid, pageLo: target.tableFrame(ROOT) }]);
    expect((await target.step()).status).toBe(0);
  });

  it('blocks a read and gives nothing away', async () => {
    await target.step([dma(0, 'read', target.dataFrame(2))]);
    const { sinks } = await target.reset();
    expect(sinks[0].includes(frameFill(2))).toBe(false);
  });

  it.each(['queue', 'registers'] as const)('keeps a stale translation until it is invalidated (by %s)', async (by) => {
    map(target, 0, 1, 0);
    await target.step([dma(0, 'write', 0x1000)]);
    unmap(target, 0, 1);
    const stale = await target.step([dma(0, 'write', 0x1000, 128)], [watch(target, 0)]);
    expect(stale.memory).toEqual([target.devices[0].expectedBytes(128, LENGTH)]);
    target.invalidate({ cache: 'iotlb', scope: 'page', domainId: 1, lo: 0x1000, hi: 0, addressMask: 0 }, by);
    const after = await target.step([dma(0, 'write', 0x1000, 256)], [watch(target, 0)]);
    expect(after.invalidated).toEqual([true]);
    expect(after.memory).toEqual([target.devices[0].expectedBytes(128, LENGTH)]);
    expect(after.records).toMatchObject([{ reason: 5, pageLo: 0x1000 }]);
  });

  it('keeps a stale context entry until it is invalidated', async () => {
    map(target, 0, 1, 0);
    map(target, 0, 2, 0);
    map(target, 1, 2, 1);
    await target.step([dma(0, 'write', 0x1000)]);
    attach(target, 0, 1);
    const stale = await target.step([dma(0, 'write', 0x2000)], [watch(target, 1)]);
    expect(stale.memory).toEqual([untouched(1)]);
    target.invalidate({ cache: 'context', scope: 'device', domainId: 1, sourceId: target.devices[0].rid });
    target.invalidate({ cache: 'iotlb', scope: 'domain', domainId: 1 });
    const moved = await target.step([dma(0, 'write', 0x2000)], [watch(target, 1)]);
    expect(moved.memory).toEqual([target.devices[0].expectedBytes(0, LENGTH)]);
  });

  it('reports overflow when two devices fault at once, and recovers from a malformed descriptor', async () => {
    const both = await target.step([dma(0, 'write', 0x5000), dma(1, 'write', 0x6000)]);
    expect(both.records).toHaveLength(1);
    expect(both.overflow).toBe(true);
    target.submitDescriptors([[0xf, 0, 0, 0]]);
    expect(await target.step()).toMatchObject({ queueError: true, invalidated: [false] });
    await target.reset();
    target.invalidate({ cache: 'iotlb', scope: 'global' });
    expect(await target.step()).toMatchObject({ queueError: false, invalidated: [true] });
  });

  it('survives interrupts of every kind that a device can write, with its processor still halted', async () => {
    map(target, 0, 1, 0);
    for (let offset = 0; offset < 512; offset += 4) {
      const aim = 0xfee00000 + (((offset * 4099) % 0x100000) & ~3);
      await target.step([{ ...dma(0, 'write', aim, offset), lengthBytes: 4 }]);
    }
    const after = await target.step([dma(0, 'write', 0x1000)], [watch(target, 0)]);
    expect(after.memory).toEqual([target.devices[0].expectedBytes(0, LENGTH)]);
  });

  it('goes through a hundred short programs in seconds', async () => {
    const begin = performance.now();
    for (let program = 0; program < 100; program++) {
      await target.reset();
      attachBoth(target);
      for (let page = 0; page < 5; page++) {
        map(target, 0, page, page);
        target.invalidate({ cache: 'iotlb', scope: 'global' });
        expect((await target.step([dma(0, 'write', page * 4096)])).status).toBe(0);
      }
    }
    // About 0.2 s on an idle machine; the bound is for a busy one.
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it('comes back to its first state', async () => {
    map(target, 0, 1, 4);
    await target.step([dma(0, 'write', 0x1000)]);
    await target.reset();
    const { tables, data } = await target.readAll();
    expect(tables.every((byte) => byte === 0)).toBe(true);
    for (let i = 0; i < target.map.dataFrames; i++) {
      expect(data.subarray(i * 4096, (i + 1) * 4096).every((byte) => byte === frameFill(i))).toBe(true);
    }
    expect((await target.step([dma(0, 'write', 0x1000)])).records).toMatchObject([{ reason: 1 }]);
  });
});

// Where this QEMU parts from the manual, as NOTES.md says. If one of these fails, QEMU has changed: correct the note.
describe('what QEMU does otherwise than the manual', () => {
  beforeEach(async () => {
    await target.reset();
    attachBoth(target);
  });

  it('blocks what a cached entry forbids without recording a fault', async () => {
    map(target, 0, 1, 0, false);
    await target.step([dma(0, 'read', 0x1000)]);
    const seen = await target.step([dma(0, 'write', 0x1000)], [watch(target, 0)]);
    expect(seen.memory).toEqual([untouched(0)]);
    expect(seen.records).toEqual([]);
  });

  it('does not tag IOTLB entries with their domain: a moved device keeps what the old domain gave it', async () => {
    map(target, 0, 1, 0);
    map(target, 1, 1, 1);
    await target.step([dma(0, 'write', 0x1000)]);
    attach(target, 0, 1);
    target.invalidate({ cache: 'context', scope: 'device', domainId: 1, sourceId: target.devices[0].rid });
    target.invalidate({ cache: 'iotlb', scope: 'domain', domainId: 2 });
    const seen = await target.step([dma(0, 'write', 0x1000, 64)], [watch(target, 0), watch(target, 1)]);
    expect(seen.memory).toEqual([target.devices[0].expectedBytes(64, LENGTH), untouched(1)]);
  });

  it('goes on at address 0 when a write passes the top of the 64-bit space', async () => {
    map(target, 0, 0, 0);
    const seen = await target.step([dma(0, 'write', 0xfffffff0, 0, 0xffffffff)], [watch(target, 0)]);
    expect(seen.records).toMatchObject([{ reason: 4, pageLo: 0xfffff000, pageHi: 0xffffffff }]);
    const tail = target.devices[0].expectedBytes(16, 16);
    expect(seen.memory).toEqual([Buffer.concat([tail, untouched(0).subarray(16)])]);
  });

  it('forgets all caches at a new root table pointer', async () => {
    map(target, 0, 1, 0);
    await target.step([dma(0, 'write', 0x1000)]);
    unmap(target, 0, 1);
    target.setRootTable(target.tableFrame(ROOT));
    expect((await target.step([dma(0, 'write', 0x1000)])).records).toMatchObject([{ reason: 5 }]);
  });

  it('writes the permitted part of a straddling access before it faults on the rest', async () => {
    map(target, 0, 1, 0);
    const seen = await target.step([dma(0, 'write', 0x1ff0)], [watch(target, 0, 4096 - LENGTH)]);
    expect(seen.records).toMatchObject([{ reason: 5, pageLo: 0x2000 }]);
    expect(seen.memory).toEqual([Buffer.concat([untouched(0).subarray(16), target.devices[0].expectedBytes(0, 16)])]);
  });
});

describe('QEMU VT-d switched off', () => {
  it('lets any device write anywhere, and records nothing: the breach', async () => {
    const open = await VtdTarget.start({ withIommu: false });
    try {
      attachBoth(open);
      open.setTranslation(true);
      const seen = await open.step([dma(0, 'write', open.dataFrame(6))], [watch(open, 6)]);
      expect(seen.memory).toEqual([open.devices[0].expectedBytes(0, LENGTH)]);
      expect(seen.records).toEqual([]);
    } finally {
      open.stop();
    }
  });

  it('reports a QEMU that dies under a program', async () => {
    const victim = await VtdTarget.start();
    process.kill(victim.process.pid, 'SIGKILL');
    await expect(victim.step([dma(0, 'write', 0x1000)])).rejects.toMatchObject({ code: 'RF-QEMU-DIED' });
    victim.stop();
  });
});
