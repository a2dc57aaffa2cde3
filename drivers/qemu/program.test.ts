/** Programs say what they do, read back as they were written, and the mirror follows what they write. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentsOf } from './aims.js';
import { programs } from './generate.js';
import { allKnown, knownFor } from './known.js';
import { memoryMap } from './layout.js';
import { Mirror } from './mirror.js';
import { FAMILIES, familyOf, requestsOf, type Step, stepName } from './program.js';
import { Software } from './software.js';
import { lockstepTraceOf, readLockstepTrace, writeLockstepTrace } from './traceFile.js';

const map = memoryMap(11, 8);
const about = { targetVersion: '7.2.22', mechanism: 'forbidden write', says: 'says' };

describe('programs', () => {
  it('survive a trace file, and every step has a name', () => {
    fc.assert(
      fc.property(programs, (steps) => {
        fc.pre(steps.length > 0);
        const trace = readLockstepTrace(writeLockstepTrace(lockstepTraceOf(about, steps)));
        expect(trace.steps).toEqual(steps);
        for (const s of steps) expect(stepName(s)).not.toMatch(/undefined|NaN/);
      }),
      { numRuns: 200 },
    );
  });

  it('contain every family and every aim, and leave families out', () => {
    const seen = new Set<string>();
    let without = 0;
    for (const steps of fc.sample(programs, { numRuns: 400, seed: 1 })) {
      const families = new Set(steps.map(familyOf));
      for (const f of families) seen.add(f);
      if (families.size < 4 && steps.length > 8) without++;
      for (const r of steps.flatMap(requestsOf)) seen.add(`${r.direction} ${r.aim.at}`);
    }
    for (const f of FAMILIES) expect(seen).toContain(f);
    for (const at of [
      'page',
      'superpage',
      'data frame',
      'table frame',
      'top',
      'beyond',
      'peer device',
      'interrupt window',
    ]) {
      expect(seen).toContain(`write ${at}`);
      expect(seen).toContain(`read ${at}`);
    }
    expect(without).toBeGreaterThan(0);
  });

  it.each([
    ['{"format":"ringfence-lockstep"', /RF-TRACE-JSON/],
    ['{"format":"ringfence-trace","version":1}', /RF-TRACE-FORMAT/],
    [
      writeLockstepTrace(lockstepTraceOf(about, [{ do: 'unmap', space: 0, page: 1 }])).replace(
        '"space": 0',
        '"space": 7',
      ),
      /RF-TRACE-FORMAT.*steps\.0/,
    ],
  ])('refuse a trace file that is broken', (text, message) => {
    expect(() => readLockstepTrace(text)).toThrow(message);
  });

  it('know the disagreements of a version, each with a trace', () => {
    expect(allKnown().length).toBeGreaterThanOrEqual(3);
    expect(new Set(allKnown().map((k) => k.id)).size).toBe(allKnown().length);
    expect(knownFor('7.2.22')).toHaveLength(allKnown().length);
    expect(knownFor('6.2.0')).toHaveLength(0);
  });
});

describe('requests', () => {
  const request = (aim: Extract<Step, { do: 'dma' }>['aim']) =>
    fragmentsOf({ do: 'dma', device: 0, direction: 'write', aim, offset: 64 }, map);

  it('are cut where a page ends', () => {
    expect(request({ at: 'page', page: 511, straddle: true })).toEqual({
      ...{ lo: 0x1ffff0, hi: 0 },
      fragments: [
        { page: { lo: 511, hi: 0 }, offset: 4080, length: 16 },
        { page: { lo: 512, hi: 0 }, offset: 0, length: 16 },
      ],
    });
  });

  it('wrap at the top of the address space', () => {
    const { lo, hi, fragments } = request({ at: 'top' });
    expect([lo, hi]).toEqual([0xfffffff0, 0xffffffff]);
    expect(fragments[1]?.page).toEqual({ lo: 0, hi: 0 });
  });

  it('name physical addresses', () => {
    expect(request({ at: 'data frame', frame: 3 })).toMatchObject({ lo: 0x403040, hi: 0 });
    expect(request({ at: 'beyond', bits: 48 })).toMatchObject({ lo: 64, hi: 0x10000 });
    expect(request({ at: 'beyond', bits: 39 })).toMatchObject({ lo: 64, hi: 0x80 });
  });
});

describe('the mirror', () => {
  it('takes the words of software, and sees the byte that differs', () => {
    const mirror = new Mirror(map);
    mirror.reset();
    new Software(map, [0x28, 0x30]).setUp((address, lo, hi) => mirror.writeEntry(address, lo, hi));
    // Root entry, and the context entry of 00:05.0: space A, 3 levels, domain id 1.
    expect(mirror.word(mirror.firstTable, 0)).toBe(map.tables + 4096 + 1);
    expect(mirror.word(mirror.firstTable + 1, 0x28 * 4 + 2)).toBe(0x101);
    const data = mirror.data.slice();
    expect(mirror.differs(mirror.tables, data)).toBeUndefined();
    data[3 * 4096 + 0x123] ^= 1;
    expect(mirror.differs(mirror.tables, data)).toBe('data frame 3 at offset 123h');
    expect(mirror.strayed).toBe(false);
    mirror.word(5, 0);
    expect(mirror.strayed).toBe(true);
    // RAM, a hole, the interrupt window (where a device answers something), beyond 4 GiB.
    expect([5, 0x3f000, 0xfee01, 0x100000, -1].map((f) => mirror.reaches(f))).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });
});
