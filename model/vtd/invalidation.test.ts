/** Invalidation requests, register-based and queued: decoded, and applied to neither less nor more than they name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressWord,
  CONTEXT,
  contextCommandHigh,
  contextCommandLow,
  contextDescriptor0,
  contextDescriptor1,
  coversContext,
  coversDevicePage,
  coversPage,
  coversStructure,
  DEVICE_TLB,
  decodeContextCommand,
  decodeDescriptor,
  decodeIotlbCommand,
  IOTLB,
  iotlbCommandHigh,
  iotlbDescriptor0,
  Request,
  SELECTIVE,
  WAIT,
} from './invalidation.js';

const did = fc.integer({ min: 0, max: 0xffff });
const page = fc.integer({ min: 0, max: 0xfffff });

describe('VT-d invalidation requests', () => {
  it('say the same through queue and registers', () => {
    fc.assert(
      fc.property(did, did, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 }), (d, s, g, fm) => {
        const queued = new Request();
        const commanded = new Request();
        decodeDescriptor(contextDescriptor0(g, d), contextDescriptor1(s, fm), 0, 0, queued);
        decodeContextCommand(contextCommandLow(s, d), contextCommandHigh(g, fm), commanded);
        expect(queued).toEqual(commanded);
        expect(queued).toMatchObject({ type: CONTEXT, granularity: g, did: d, sourceId: s, functionMask: fm });
      }),
    );
    fc.assert(
      fc.property(did, page, fc.integer({ min: 0, max: 63 }), fc.boolean(), (d, p, am, ih) => {
        const queued = new Request();
        const commanded = new Request();
        decodeDescriptor(iotlbDescriptor0(SELECTIVE, d), 0, addressWord(p, am, ih), 0, queued);
        decodeIotlbCommand(iotlbCommandHigh(SELECTIVE, d), addressWord(p, am, ih), 0, commanded);
        expect(queued).toEqual(commanded);
        expect(queued).toMatchObject({ type: IOTLB, did: d, pageLo: p, addressMask: am, leafOnly: ih });
      }),
    );
  });

  it('cover exactly the pages of their naturally aligned range', () => {
    fc.assert(
      fc.property(page, page, fc.integer({ min: 0, max: 40 }), (asked, cached, am) => {
        const q = Object.assign(new Request(), {
          type: IOTLB,
          granularity: SELECTIVE,
          did: 7,
          pageLo: asked,
          addressMask: am,
        });
        const size = 2 ** am;
        const inRange = Math.floor(asked / size) === Math.floor(cached / size);
        expect(coversPage(q, 7, cached, 0, 0)).toBe(inRange);
        expect(coversPage(q, 8, cached, 0, 0)).toBe(false);
        const start = cached & ~511;
        const first = Math.floor(asked / size) * size;
        expect(coversPage(q, 7, start, 0, 511)).toBe(first < start + 512 && start < first + size);
        expect(coversStructure({ ...q, leafOnly: true }, 7, start, 0, 511)).toBe(false);
      }),
    );
  });

  it('cover the functions that the mask leaves open', () => {
    const q = Object.assign(new Request(), { type: CONTEXT, granularity: SELECTIVE, did: 1, sourceId: 0x28 });
    const covered = [0, 1, 2, 3].map((functionMask) => {
      q.functionMask = functionMask;
      return [0x28, 0x29, 0x2a, 0x2c, 0x2f, 0x30].filter((s) => coversContext(q, s, 1));
    });
    expect(covered).toEqual([[0x28], [0x28, 0x2c], [0x28, 0x2a, 0x2c], [0x28, 0x29, 0x2a, 0x2c, 0x2f]]);
  });

  it('cover nothing with a granularity that is reserved', () => {
    const q = Object.assign(new Request(), { granularity: 0, did: 1, sourceId: 0x28 });
    expect(coversContext({ ...q, type: CONTEXT }, 0x28, 1)).toBe(false);
    expect(coversPage({ ...q, type: IOTLB }, 1, 0, 0, 0)).toBe(false);
  });

  it('read device-TLB and wait descriptors', () => {
    const q = new Request();
    decodeDescriptor(DEVICE_TLB, 0x28, (0x5 << 12) | 1, 0, q);
    // Address bits 12 and 14 set, 13 clear: one trailing one, so four pages from 4.
    expect([3, 4, 5, 6, 7, 8].filter((p) => coversDevicePage(q, 0x28, p, 0))).toEqual([4, 5, 6, 7]);
    expect(coversDevicePage(q, 0x29, 5, 0)).toBe(false);
    decodeDescriptor(DEVICE_TLB, 0x28, 0x5 << 12, 0, q);
    expect([4, 5, 6].filter((p) => coversDevicePage(q, 0x28, p, 0))).toEqual([5]);
    decodeDescriptor(WAIT | 0x20, 77, 0x101000, 0, q);
    expect(q).toMatchObject({ type: WAIT, statusWrite: true, statusData: 77, statusAddress: 0x101000 });
  });
});
