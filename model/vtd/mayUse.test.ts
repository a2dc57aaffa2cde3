/** What hardware may use: everything the tables allow now, and whatever was allowed and not invalidated since. */
import { describe, expect, it } from 'vitest';
import { contextHigh, entryLow, PAGE_SIZE, READ, READ_WRITE, type UnitCapability } from './entries.js';
import { CONTEXT, GLOBAL, IOTLB, Request, SELECTIVE } from './invalidation.js';
import { MayUse } from './mayUse.js';
import { REASON } from './reasons.js';
import type { TableMemory } from './walk.js';

const unit: UnitCapability = {
  ...{ hostBits: 48, guestBits: 48, widths: 0b110, superpages: 3 },
  ...{ passThrough: true, deviceTlb: false, snoopControl: false },
};
const RID = 0x28;
const OTHER = 0x30;
/** Frames: root 1, context table 2, space A 3 levels from 3 (3, 4, 5), space B from 6 (6, 7, 8). */
class Memory implements TableMemory {
  private readonly words = new Map<number, number>();
  reaches(frame: number): boolean {
    return frame >= 0 && frame < 0x1000;
  }
  word(frame: number, index: number): number {
    return this.words.get(frame * 1024 + index) ?? 0;
  }
  put(frame: number, index: number, value: number): void {
    this.words.set(frame * 1024 + index, value);
  }
  attach(rid: number, space: 0 | 1): void {
    this.put(2, rid * 4, entryLow(space === 0 ? 3 : 6, 1));
    this.put(2, rid * 4 + 2, contextHigh(3, space + 1));
  }
}
const page = (lo: number) => ({ lo, hi: 0 });
const request = (fields: Partial<Request>): Request => Object.assign(new Request(), fields);
const iotlbPage = (did: number, leafOnly = false): Request =>
  request({ type: IOTLB, granularity: SELECTIVE, did, pageLo: 0, leafOnly });

function setUp(): { m: Memory; may: MayUse } {
  const m = new Memory();
  m.put(1, 0, entryLow(2, 1));
  for (const first of [3, 6]) {
    m.put(first, 0, entryLow(first + 1, READ_WRITE));
    m.put(first + 1, 0, entryLow(first + 2, READ_WRITE));
    m.put(first + 2, 0, entryLow(first === 3 ? 0x40 : 0x80, READ_WRITE));
  }
  m.attach(RID, 0);
  m.attach(OTHER, 1);
  const may = new MayUse(unit, m, [RID, OTHER], [page(0), page(1), page(513)]);
  may.clear(1, true);
  may.refill();
  return { m, may };
}
const frames = (may: MayUse, rid = RID, p = 0): readonly number[] => may.request(rid, page(p), true).frames;

describe('what hardware may use', () => {
  it('is what the tables say, while nothing has changed', () => {
    const { may } = setUp();
    expect(may.request(RID, page(0), true)).toMatchObject({ frames: [0x40], blocked: false });
    expect(may.request(RID, page(1), true)).toMatchObject({ frames: [], blocked: true, reasons: 1 << REASON.NO_WRITE });
    expect(frames(may, OTHER)).toEqual([0x80]);
  });

  it('keeps a stale translation, allowed and not demanded, until an invalidation covers it', () => {
    const { m, may } = setUp();
    m.put(5, 0, 0);
    may.refill();
    expect(may.request(RID, page(0), true)).toMatchObject({ frames: [0x40], blocked: true, silent: false });
    may.invalidate(iotlbPage(2));
    expect(frames(may)).toEqual([0x40]);
    may.invalidate(iotlbPage(1));
    expect(may.request(RID, page(0), true)).toMatchObject({ frames: [], blocked: true });
  });

  it('does not let the write go on after rights have shrunk and the page was invalidated', () => {
    const { m, may } = setUp();
    m.put(5, 0, entryLow(0x40, READ));
    may.refill();
    expect(frames(may)).toEqual([0x40]);
    may.invalidate(iotlbPage(1, true));
    expect(frames(may)).toEqual([]);
    expect(may.request(RID, page(0), false).frames).toEqual([0x40]);
  });

  it('walks on from a directory that was taken out, unless the hint is off', () => {
    const { m, may } = setUp();
    m.put(4, 0, 0);
    may.refill();
    m.put(5, 0, entryLow(0x99, READ_WRITE));
    may.refill();
    may.invalidate(iotlbPage(1, true));
    expect(frames(may)).toEqual([0x99]);
    may.invalidate(iotlbPage(1));
    expect(frames(may)).toEqual([]);
  });

  it('tells domain ids apart, and the context cache from the IOTLB', () => {
    const { m, may } = setUp();
    m.attach(RID, 1);
    may.refill();
    expect(new Set(frames(may))).toEqual(new Set([0x40, 0x80]));
    may.noteRequest(RID, page(0));
    may.invalidate(request({ type: CONTEXT, granularity: GLOBAL }));
    expect(frames(may)).toEqual([0x80]);
    expect(new Set(may.request(RID, page(0), true, { untagged: true }).frames)).toEqual(new Set([0x40, 0x80]));
    may.invalidate(iotlbPage(1));
    expect(may.request(RID, page(0), true, { untagged: true }).frames).toEqual([0x80]);
  });

  it('drops a superpage with any of its pages', () => {
    const { m, may } = setUp();
    m.put(4, 2, entryLow(0x200, READ_WRITE | PAGE_SIZE));
    may.refill();
    expect(frames(may, RID, 513)).toEqual([0x201]);
    m.put(4, 2, 0);
    may.refill();
    expect(frames(may, RID, 513)).toEqual([0x201]);
    may.invalidate(request({ type: IOTLB, granularity: SELECTIVE, did: 1, pageLo: 512 + 7 }));
    expect(frames(may, RID, 513)).toEqual([]);
  });

  it('passes requests through while translation is off, and says when faults are disabled', () => {
    const { m, may } = setUp();
    may.translating = false;
    expect(frames(may, RID, 1)).toEqual([1]);
    may.translating = true;
    m.put(2, RID * 4, entryLow(3, 3));
    may.refill();
    may.invalidate(request({ type: CONTEXT, granularity: GLOBAL }));
    expect(may.request(RID, page(1), true)).toMatchObject({ blocked: true, silent: true, recorded: false });
    expect(may.request(OTHER, page(1), true)).toMatchObject({ blocked: true, silent: false, recorded: true });
  });
});
