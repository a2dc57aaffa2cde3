// The VT-d layouts against bit positions read off the specification: no QEMU needed.

import { describe, expect, it } from 'vitest';
import {
  contextCommand,
  contextEntry,
  decodeCapability,
  decodeFault,
  invalidationDescriptor,
  iotlbCommand,
  secondLevelEntry,
  waitDescriptor,
} from './registers.js';

describe('VT-d register layouts', () => {
  it('decodes the capabilities of a 39-bit unit', () => {
    const seen = decodeCapability(0x22260206, 0x00d2008c, 0x00f00f4a, 0);
    expect(seen).toMatchObject({
      ...{
        threeLevel: true,
        fourLevel: false,
        addressBits: 39,
        cachingMode: false,
        superpage2M: true,
        superpage1G: true,
      },
      ...{ pageSelective: true, maxAddressMask: 18, faultOffset: 0x220, faultRecords: 1, ivaOffset: 0xf0 },
      ...{ queuedInvalidation: true, interruptRemapping: true, passThrough: true },
    });
  });

  it('reads FRO across the halves and counts records from NFR', () => {
    const seen = decodeCapability(0xff000000, (7 << 8) | 3, 0, 0);
    expect(seen.faultOffset).toBe(0x3ff * 16);
    expect(seen.faultRecords).toBe(8);
  });

  it('encodes every invalidation descriptor', () => {
    expect(invalidationDescriptor({ cache: 'context', scope: 'global' })).toEqual([0x11, 0, 0, 0]);
    expect(invalidationDescriptor({ cache: 'context', scope: 'domain', domainId: 0xfffe })).toEqual([
      0xfffe0021, 0, 0, 0,
    ]);
    expect(
      invalidationDescriptor({ cache: 'context', scope: 'device', domainId: 2, sourceId: 0x28, functionMask: 3 }),
    ).toEqual([0x20031, 0x30028, 0, 0]);
    expect(invalidationDescriptor({ cache: 'iotlb', scope: 'global' })).toEqual([0xd2, 0, 0, 0]);
    expect(invalidationDescriptor({ cache: 'iotlb', scope: 'domain', domainId: 5 })).toEqual([0x500e2, 0, 0, 0]);
    expect(
      invalidationDescriptor({
        cache: 'iotlb',
        scope: 'page',
        domainId: 5,
        lo: 0xfffff123,
        hi: 7,
        addressMask: 2,
        leafOnly: true,
      }),
    ).toEqual([0x500f2, 0, 0xfffff042, 7]);
    expect(waitDescriptor(0x101000, 9)).toEqual([0x25, 9, 0x101000, 0]);
  });

  it('encodes the register forms', () => {
    expect(contextCommand({ cache: 'context', scope: 'device', domainId: 2, sourceId: 0x28, functionMask: 1 })).toEqual(
      [0x280002, 0xe0000001],
    );
    expect(contextCommand({ cache: 'context', scope: 'global' })).toEqual([0, 0xa0000000]);
    expect(iotlbCommand({ cache: 'iotlb', scope: 'page', domainId: 3, lo: 0x5000, hi: 1, addressMask: 1 })).toEqual({
      command: [0, 0xb0030003],
      iva: [0x5001, 1],
    });
    expect(iotlbCommand({ cache: 'iotlb', scope: 'domain', domainId: 3 })).toEqual({
      command: [0, 0xa0030003],
      iva: undefined,
    });
  });

  it('decodes a fault record, and nothing where F is clear', () => {
    expect(decodeFault([0x1fff, 0x7f, 0x28, 0xc0000006])).toEqual({
      reason: 6,
      access: 'read',
      sourceId: 0x28,
      pageLo: 0x1000,
      pageHi: 0x7f,
    });
    expect(decodeFault([0x1000, 0, 0x30, 0x80000005])?.access).toBe('write');
    expect(decodeFault([0x1000, 0, 0x30, 0x40000005])).toBeUndefined();
  });

  it('encodes table entries', () => {
    expect(contextEntry(0x5000, 4, 2)).toEqual([0x5001, 0, 0x202, 0]);
    expect(secondLevelEntry(0x80000000, { read: true, write: false, superpage: true })).toBe(0x80000081);
  });
});
