/** Lines and messages, one call at a time. */
import { describe, expect, it } from 'vitest';
import { performTold } from '../explore/trace.js';
import type { Interrupts } from './interruptLines.js';
import { interruptMachine } from './interrupts.js';
import { build, type MachineDef, NONE, type Scope } from './kernel/index.js';
import { type MessageInterrupts, messageMachine } from './messageInterrupts.js';

function machine<M>(
  def: MachineDef,
  scope: Scope,
  initial: number,
): { m: M; call: (name: string, ...a: number[]) => string } {
  const m = build(def, { scope });
  m.choices.fix([initial]);
  m.loadInitial();
  const call = (name: string, ...answers: number[]): string =>
    performTold(
      m,
      m.operations.findIndex((o) => o.op.name === name),
      answers,
    )?.status ?? 'disabled';
  return { m: m as M, call };
}

const lines = (allGiven: 0 | 1) =>
  machine<Interrupts>(interruptMachine, { domain: 3, generation: 1, port: 2, word: 1, line: 1, sharer: 3 }, allGiven);

describe('interrupt lines', () => {
  it('are bound by who was given them, shared when all agree, up to their room', () => {
    const { m, call } = lines(0);
    expect(call('line.bind', 2, 0, 1)).toBe('-EPERM');
    expect(call('line.bind', 0, 0, 1)).toBe('ok');
    expect(call('line.bind', 0, 0, 1)).toBe('-EEXIST');
    expect(call('line.bind', 1, 0, 0)).toBe('-EBUSY');
    expect(call('line.bind', 1, 0, 1)).toBe('ok');
    expect([...m.sharers.guest]).toEqual([0, 1, NONE]);
  });

  it('stay masked until every holder has notified', () => {
    const { m, call } = lines(1);
    for (const d of [0, 1, 2]) call('line.bind', d, 0, 1);
    expect(call('line.raise', 0)).toBe('ok');
    expect([m.line.masked[0], m.line.inflight[0], [...m.vcpu.upcallPending]]).toEqual([1, 3, [1, 1, 1]]);
    expect(call('line.raise', 0)).toBe('disabled');
    call('line.notify', 0);
    call('line.notify', 2);
    expect([m.line.masked[0], m.line.inflight[0]]).toEqual([1, 1]);
    expect(call('line.notify', 1)).toBe('ok');
    expect([m.line.masked[0], m.line.inflight[0]]).toEqual([0, 0]);
    expect(call('line.raise', 0)).toBe('ok');
  });

  it('are not let go by a notification while the port is masked', () => {
    const { call } = lines(1);
    call('line.bind', 1, 0, 0);
    call('line.raise', 0);
    call('event.mask', 1, 1);
    expect(call('line.notify', 1)).toBe('disabled');
    call('event.unmask', 1, 1);
    expect(call('line.notify', 1)).toBe('ok');
  });

  it('close the gap of a sharer that leaves, and let go of what it held', () => {
    const { m, call } = lines(1);
    for (const d of [0, 1, 2]) call('line.bind', d, 0, 1);
    call('line.raise', 0);
    expect(call('line.unbind', 0, 0, 0)).toBe('ok');
    expect([...m.sharers.guest]).toEqual([1, 2, NONE]);
    expect(m.line.inflight[0]).toBe(2);
    call('domain.crash', 1);
    expect(call('domain.release', 1)).toBe('disabled');
    expect(call('line.unbindDead', 0, 1)).toBe('ok');
    call('line.notify', 2);
    expect([m.line.masked[0], m.line.inflight[0]]).toEqual([0, 0]);
    expect(call('line.freeWords', 1)).toBe('ok');
    expect(call('domain.release', 1)).toBe('ok');
  });
});

const messages = (remapped: 0 | 1) =>
  machine<MessageInterrupts>(messageMachine, { domain: 2, generation: 1, device: 2, vector: 3, entry: 2 }, remapped);

describe('message-signalled interrupts', () => {
  it('name an entry, which names the vector of the device', () => {
    const { m, call } = messages(1);
    expect([call('msi.bind', 0, 1), call('msi.bind', 1, 1)]).toEqual(['ok', 'ok']);
    expect([...m.message.vector]).toEqual([1, 2]);
    expect(call('msi.send', 1)).toBe('ok');
    expect([...m.vector.pending]).toEqual([0, 0, 1]);
    expect(m.iec.source[1]).toBe(1);
    expect(call('msi.take', 1, 2)).toBe('ok');
    expect(m.vector.pending[2]).toBe(0);
  });

  it('name the vector themselves when the hardware cannot remap', () => {
    const { m, call } = messages(0);
    call('msi.bind', 0, 1);
    expect(call('msi.send', 0)).toBe('ok');
    expect([m.vector.pending[1], m.iec.present[0]]).toEqual([1, 0]);
  });

  it('are taken back with the cached entry, and the vector is free again', () => {
    const { m, call } = messages(1);
    call('msi.bind', 0, 1);
    call('msi.fill', 0);
    expect(call('msi.unbind', 0)).toBe('ok');
    expect([m.irte.present[0], m.iec.present[0], m.vector.device[1]]).toEqual([0, 0, NONE]);
    expect(call('msi.send', 0)).toBe('disabled');
    expect(call('msi.bind', 1, 1)).toBe('ok');
    expect(m.message.vector[1]).toBe(1);
  });
});
