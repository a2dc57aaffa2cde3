/** Table entries: bit positions, reserved bits and widths as the manual has them. */
import { describe, expect, it } from 'vitest';
import {
  addressWidth,
  contextReserved,
  contextSupported,
  domainId,
  entryLow,
  frameOf,
  isLeaf,
  rootReserved,
  secondLevelReserved,
  translationType,
  type UnitCapability,
} from './entries.js';

const unit: UnitCapability = {
  ...{ hostBits: 39, guestBits: 48, widths: 0b110, superpages: 3 },
  ...{ passThrough: false, deviceTlb: false, snoopControl: false },
};

describe('VT-d entries', () => {
  it('reads fields where the manual has them', () => {
    expect(frameOf(0x12345003, 0x7)).toBe(0x712345);
    expect(frameOf(0x1000, 0x1000)).toBe(-1);
    expect(frameOf(0x1000, 0xbff00000 | 0)).toBe(1);
    expect(translationType(0x9)).toBe(2);
    expect(addressWidth(0xabcd02)).toBe(2);
    expect(domainId(0xabcd02)).toBe(0xabcd);
  });

  it.each([
    ['root bit 11', () => rootReserved(unit, 0x801, 0, 0, 0)],
    ['root bit 39', () => rootReserved(unit, 1, 1 << 7, 0, 0)],
    ['root upper half', () => rootReserved(unit, 1, 0, 0, 1)],
    ['context bit 4', () => contextReserved(unit, 0x11, 0, 0, 0)],
    ['context bit 71', () => contextReserved(unit, 1, 0, 0x80, 0)],
    ['context bit 88', () => contextReserved(unit, 1, 0, 1 << 24, 0)],
    ['context bit 127', () => contextReserved(unit, 1, 0, 0, 1 << 31)],
    ['page bit 11', () => secondLevelReserved(unit, 0x803, 0, 1)],
    ['page bit 39', () => secondLevelReserved(unit, 3, 1 << 7, 1)],
    ['page bit 62', () => secondLevelReserved(unit, 3, 1 << 30, 1)],
    ['2 MiB page bit 12', () => secondLevelReserved(unit, 0x1083, 0, 2)],
    ['1 GiB page bit 29', () => secondLevelReserved(unit, 0x20000083, 0, 3)],
    ['page size at level 4', () => secondLevelReserved(unit, 0x83, 0, 4)],
    ['page size without superpages', () => secondLevelReserved({ ...unit, superpages: 1 }, 0x83, 0, 3)],
  ])('takes %s for reserved', (_name, reserved) => {
    expect(reserved()).toBe(true);
  });

  it.each([
    ['root address', () => rootReserved(unit, entryLow(0xfffff, 1), 0x7f, 0, 0)],
    ['context FPD, TT, AW, ignored bits and DID', () => contextReserved(unit, 0xf, 0x7f, 0xffff7f, 0)],
    ['page bits 52 to 61 and 63', () => secondLevelReserved(unit, 3, 0xbff00000, 1)],
    ['page bits 2 to 10', () => secondLevelReserved(unit, 0x7ff, 0, 1)],
    ['2 MiB page bit 21', () => secondLevelReserved(unit, 0x200083, 0, 2)],
    ['page bit 62 where there are device TLBs', () => secondLevelReserved({ ...unit, deviceTlb: true }, 3, 1 << 30, 1)],
    ['snoop bit where supported', () => secondLevelReserved({ ...unit, snoopControl: true }, 0x803, 0, 1)],
  ])('does not take %s for reserved', (_name, reserved) => {
    expect(reserved()).toBe(false);
  });

  it('knows leaves and supported context entries', () => {
    expect([isLeaf(3, 1), isLeaf(3, 2), isLeaf(0x83, 2), isLeaf(0x83, 3), isLeaf(0x83, 4)]).toEqual([
      ...[true, false, true, true, false],
    ]);
    expect(contextSupported(unit, 1, 1)).toBe(true);
    expect(contextSupported(unit, 1, 3)).toBe(false);
    expect(contextSupported(unit, 1 | (1 << 2), 1)).toBe(false);
    expect(contextSupported(unit, 1 | (2 << 2), 1)).toBe(false);
    expect(contextSupported({ ...unit, deviceTlb: true }, 1 | (1 << 2), 1)).toBe(true);
    expect(contextSupported({ ...unit, passThrough: true }, 1 | (2 << 2), 1)).toBe(true);
  });
});
