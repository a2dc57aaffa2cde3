/** Devices given, used and taken back, one call at a time. */
import { describe, expect, it } from 'vitest';
import { performTold } from '../explore/trace.js';
import { domains } from './domains.js';
import { ioSpace } from './ioAssignment.js';
import type { IoSpace } from './ioSpace.js';
import { build, NONE } from './kernel/index.js';

const def = { name: 'I/O space', modules: [domains, ioSpace] };

/** @param shared whether devices 0 and 1 have their windows in one page */
function machine(shared: 0 | 1): { m: IoSpace; call: (name: string, ...answers: number[]) => string } {
  const m = build(def, {
    scope: { domain: 3, generation: 2, device: 2, 'register page': 2, window: 4 },
  }) as IoSpace;
  m.choices.fix([shared]);
  m.loadInitial();
  const call = (name: string, ...answers: number[]): string =>
    performTold(
      m,
      m.operations.findIndex((o) => o.op.name === name),
      answers,
    )?.status ?? 'disabled';
  return { m, call };
}

describe('I/O space', () => {
  it('denies everything until a device is given', () => {
    const { call } = machine(0);
    expect(call('io.port', 1, 0)).toBe('disabled');
    expect(call('io.mmio', 1, 0)).toBe('disabled');
    expect(call('io.map', 1, 0)).toBe('-EPERM');
    expect(call('io.setBusMaster', 1, 0, 1)).toBe('-EPERM');
    expect(call('io.writeBar', 1, 0, 0)).toBe('-EPERM');
  });

  it('gives a device to one domain, once, and to none that is not running', () => {
    const { m, call } = machine(0);
    expect(call('io.grant', 1, 0)).toBe('ok');
    expect([m.access.ports[1], m.device.irq[0], m.device.holders[0]]).toEqual([1, 1, 2]);
    expect([call('io.grant', 1, 0), call('io.grant', 2, 0)]).toEqual(['-EBUSY', '-EBUSY']);
    call('domain.crash', 2);
    expect(call('io.grant', 2, 1)).toBe('-ESRCH');
  });

  it('maps a page of registers only when every window in it is the domain’s', () => {
    const apart = machine(0);
    apart.call('io.grant', 1, 0);
    expect(apart.call('io.map', 1, 0)).toBe('ok');
    expect(apart.call('io.mmio', 1, 0)).toBe('ok');
    const shared = machine(1);
    shared.call('io.grant', 1, 0);
    expect(shared.call('io.map', 1, 0)).toBe('-EPERM');
    shared.call('io.grant', 1, 1);
    expect(shared.call('io.map', 1, 0)).toBe('ok');
  });

  it('sizes a base address in the domain’s copy, and refuses to move it', () => {
    const { m, call } = machine(0);
    call('io.grant', 1, 1);
    const window = m.device.window[1];
    expect([call('io.writeBar', 1, 1, 0), m.device.bar[1], m.device.window[1]]).toEqual(['ok', 1, window]);
    expect([call('io.writeBar', 1, 1, 2), m.device.bar[1]]).toEqual(['-EINVAL', 1]);
    expect([call('io.writeBar', 1, 1, 1), m.device.bar[1]]).toEqual(['ok', 0]);
  });

  it('does DMA in two steps, and only for a device that masters the bus and was told something', () => {
    const { m, call } = machine(0);
    call('io.grant', 1, 0);
    expect(call('io.dmaIssue', 0)).toBe('disabled');
    call('io.port', 1, 0);
    expect(call('io.dmaIssue', 0)).toBe('disabled');
    call('io.setBusMaster', 1, 0, 1);
    expect(call('io.dmaIssue', 0)).toBe('ok');
    expect(m.device.dma[0]).toBe(1);
    expect(call('io.dmaComplete', 0)).toBe('ok');
    expect(m.device.dma[0]).toBe(NONE);
  });

  it('leaves nothing of a device that was taken back, from the living and the dead', () => {
    for (const dies of [false, true]) {
      const { m, call } = machine(0);
      call('io.grant', 1, 0);
      call('io.map', 1, 0);
      call('io.mmio', 1, 0);
      call('io.setBusMaster', 1, 0, 1);
      call('io.dmaIssue', 0);
      if (dies) call('domain.crash', 1);
      if (dies) expect(call('domain.release', 1)).toBe('disabled');
      expect(call('io.revoke', 1, 0)).toBe('ok');
      const left = [m.device.holders[0], m.device.busMaster[0], m.access.ports[1], m.access.pages[1]];
      expect(left).toEqual([0, 0, 0, 0]);
      expect([m.device.program[0], m.device.dma[0], m.device.irq[0]]).toEqual([NONE, NONE, NONE]);
      if (dies) expect(call('domain.release', 1)).toBe('ok');
    }
  });
});
