/** Page-table operations call by call: codes, counts, types and TLBs after each. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Memory, mappings, processors } from './access.js';
import { domains } from './domains.js';
import { frames, TYPE_PAGE_TABLE, TYPE_WRITABLE } from './frames.js';
import { build, statusName } from './kernel/index.js';
import { READ, WRITE } from './mmu.js';

let m: Memory;
beforeEach(() => {
  const def = { name: 'memory', modules: [domains, frames, processors, mappings] };
  m = build(def, { scope: { domain: 2, frame: 2, vcpu: 2, generation: 1 } }) as Memory;
  m.loadInitial();
  expect(call('frame.allocate', 1, 0)).toBe('ok');
});

function call(name: string, ...answers: number[]): string {
  const k = m.operations.findIndex((o) => o.op.name === name);
  m.choices.fix(answers);
  return statusName(m.fire(k), m.operations[k]?.op.errors);
}
const map = (write: number): string => call('mmu.map', 1, 0, write);
const set = (bit: number): string => call('mmu.update', 1, 0, bit);

describe('entries', () => {
  it('count a reference each, and a type when they are writable', () => {
    expect(map(1)).toBe('ok');
    expect([m.frame.refs[0], m.frame.type[0], m.frame.types[0]]).toEqual([2, TYPE_WRITABLE, 1]);
    expect(call('mmu.protect', 1, 0)).toBe('ok');
    expect([m.frame.refs[0], m.frame.types[0]]).toEqual([2, 0]);
    expect(set(0)).toBe('ok');
    expect(m.pte.rights[m.pte.at(1, 0)]).toBe(WRITE);
    expect(call('mmu.unmap', 1, 0)).toBe('ok');
    expect([m.frame.refs[0], m.frame.types[0]]).toEqual([1, 0]);
  });
  it("of another's frame are refused", () => {
    expect(call('mmu.map', 0, 0, 0)).toBe('EPERM');
    expect(m.frame.refs[0]).toBe(1);
  });
  it('are never large, whatever else changes', () => {
    map(0);
    expect(set(1)).toBe('EINVAL');
    expect(set(2)).toBe('ok');
    expect(m.pte.rights[m.pte.at(1, 0)]).toBe(READ);
    expect(m.frame.refs[0]).toBe(2);
  });
});

describe('page tables', () => {
  it('may be mapped to read, not to write', () => {
    expect(call('mmu.pin', 1, 0)).toBe('ok');
    expect([m.frame.refs[0], m.frame.type[0], m.frame.types[0]]).toEqual([2, TYPE_PAGE_TABLE, 1]);
    expect(map(1)).toBe('EBUSY');
    expect(map(0)).toBe('ok');
    expect(set(0)).toBe('EBUSY');
    expect(call('mmu.unpin', 1, 0)).toBe('ok');
    expect(set(0)).toBe('ok');
  });
  it('are not made of frames that are mapped writable, and no TLB keeps them so', () => {
    map(1);
    expect(call('cpu.refill', 1, 0)).toBe('ok');
    expect(call('mmu.pin', 1, 0)).toBe('EBUSY');
    expect(call('mmu.unmap', 1, 0)).toBe('ok');
    expect(m.tlb.rights[m.tlb.at(1, 0)]).toBe(WRITE);
    expect(call('mmu.pin', 1, 0)).toBe('ok');
    expect(m.tlb.rights[m.tlb.at(1, 0)]).toBe(0);
  });
});

describe('freed frames', () => {
  it('wait for the last entry, are in no TLB, and are scrubbed', () => {
    map(1);
    call('cpu.refill', 1, 0);
    expect(call('cpu.store', 1, 1, 0, 1)).toBe('ok');
    expect(m.content.secret[1]).toBe(1);
    expect(call('frame.release', 1, 0)).toBe('ok');
    expect(m.frame.owner[0]).toBe(1);
    expect(call('mmu.unmap', 1, 0)).toBe('ok');
    expect([m.frame.owner[0], m.tlb.rights[m.tlb.at(1, 0)], m.content.secret[1]]).toEqual([0xff, 0, 0xff]);
  });
});
