/** Event-channel calls one at a time: what each does to the ports, and the error of the real hypercall when it does not. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../explore/exhaustive.js';
import { performTold, type TraceStep } from '../explore/trace.js';
import { eventMachine } from './eventBinding.js';
import { type EventChannels, FREE, INTERDOMAIN, IPI, rowOf, UNBOUND, VIRQ } from './eventChannels.js';
import { build, NONE, OUTCOMES } from './kernel/index.js';

const SCOPE = { domain: 2, generation: 2, port: 3, word: 2 };

/** A machine in its initial state, and a way to call its operations by name. */
function machine(): { m: EventChannels; call: (name: string, ...answers: number[]) => string } {
  const m = build(eventMachine, { scope: SCOPE }) as EventChannels;
  m.choices.begin();
  m.loadInitial();
  const call = (name: string, ...answers: number[]): string => {
    const kind = m.operations.findIndex((o) => o.op.name === name);
    const told: TraceStep | undefined = performTold(m, kind, answers);
    return told?.status ?? 'disabled';
  };
  return { m, call };
}

describe('event channels', () => {
  it('opens a port for a domain, which binds it; both ends name each other, and the new one is pending once', () => {
    const { m, call } = machine();
    expect(call('event.allocUnbound', 0, 0, 1)).toBe('ok');
    expect(m.channel.state[rowOf(m, 0, 1)]).toBe(UNBOUND);
    expect(call('event.bindInterdomain', 1, 0, 1)).toBe('ok');
    expect([m.channel.state[rowOf(m, 0, 1)], m.channel.state[rowOf(m, 1, 1)]]).toEqual([INTERDOMAIN, INTERDOMAIN]);
    expect([m.channel.remote[rowOf(m, 0, 1)], m.channel.remote[rowOf(m, 1, 1)]]).toEqual([1, 0]);
    expect([m.channel.pending[rowOf(m, 0, 1)], m.channel.pending[rowOf(m, 1, 1)]]).toEqual([0, 1]);
    expect([m.vcpu.upcallPending[1], m.vcpu.selector[1]]).toEqual([1, 1]);
  });

  it('drops a signal on an unbound port and calls that success', () => {
    const { m, call } = machine();
    call('event.allocUnbound', 0, 0, 1);
    expect(call('event.send', 0, 1)).toBe('ok');
    expect(m.channel.pending.every((p) => p === 0)).toBe(true);
  });

  it('coalesces signals, and hands each to the handler once', () => {
    const { m, call } = machine();
    call('event.allocUnbound', 0, 0, 1);
    call('event.bindInterdomain', 1, 0, 1);
    expect(call('event.handle', 1)).toBe('ok');
    expect(call('event.handle', 1)).toBe('disabled');
    expect([call('event.send', 0, 1), call('event.send', 0, 1)]).toEqual(['ok', 'ok']);
    expect(call('event.handle', 1)).toBe('ok');
    expect([m.channel.pending[rowOf(m, 1, 1)], m.vcpu.upcallPending[1], m.vcpu.selector[1]]).toEqual([0, 0, 0]);
    expect(call('event.handle', 1)).toBe('disabled');
  });

  it('keeps an event of a masked port pending, and raises it when the mask goes', () => {
    const { m, call } = machine();
    call('event.bindIpi', 1);
    expect(call('event.mask', 1, 1)).toBe('ok');
    expect(call('event.send', 1, 1)).toBe('ok');
    expect([m.channel.pending[rowOf(m, 1, 1)], m.vcpu.upcallPending[1]]).toEqual([1, 0]);
    expect(call('event.unmask', 1, 1)).toBe('ok');
    expect([m.vcpu.upcallPending[1], m.vcpu.selector[1]]).toEqual([1, 1]);
  });

  it('leaves the peer of a closed port unbound, for the closer again', () => {
    const { m, call } = machine();
    call('event.allocUnbound', 0, 0, 1);
    call('event.bindInterdomain', 1, 0, 1);
    expect(call('event.close', 1, 1)).toBe('ok');
    expect([m.channel.state[rowOf(m, 1, 1)], m.channel.pending[rowOf(m, 1, 1)]]).toEqual([FREE, 0]);
    expect([m.channel.state[rowOf(m, 0, 1)], m.channel.remote[rowOf(m, 0, 1)]]).toEqual([UNBOUND, 1]);
    expect(call('event.bindInterdomain', 1, 0, 1)).toBe('ok');
  });

  it('answers with the errors of the header', () => {
    const { call } = machine();
    expect(call('event.send', 1, 0)).toBe('-EINVAL');
    expect(call('event.send', 1, 1)).toBe('-EINVAL');
    expect(call('event.close', 1, 0)).toBe('-EINVAL');
    expect(call('event.unmask', 1, 2)).toBe('-EINVAL');
    expect(call('event.bindInterdomain', 1, 0, 1)).toBe('-EINVAL');
    expect(call('event.allocUnbound', 1, 0, 1)).toBe('-EPERM');
    expect(call('event.bindVirq', 1, 1)).toBe('-EPERM');
    expect(call('event.reset', 1, 0)).toBe('-EPERM');
    expect([call('event.bindVirq', 1, 0), call('event.bindVirq', 1, 0)]).toEqual(['ok', '-EEXIST']);
    expect([call('event.bindIpi', 1), call('event.bindIpi', 1)]).toEqual(['ok', '-ENOSPC']);
    expect(call('event.send', 1, 1)).toBe('-EINVAL');
    call('domain.crash', 1);
    expect(call('event.allocUnbound', 0, 1, 0)).toBe('-ESRCH');
  });

  it('gives the registration back when binding VIRQ_DOM_EXC fails, and only then', () => {
    const { m, call } = machine();
    call('event.bindIpi', 0);
    call('event.bindIpi', 0);
    expect(call('event.bindVirq', 0, 1)).toBe('-ENOSPC');
    expect(m.registration.holder[0]).toBe(NONE);
    call('event.close', 0, 2);
    expect(call('event.bindVirq', 0, 1)).toBe('ok');
    expect(m.registration.holder[0]).toBe(0);
    expect(call('event.bindVirq', 0, 0)).toBe('-ENOSPC');
    expect(m.registration.holder[0]).toBe(0);
    call('event.close', 0, 2);
    expect(m.registration.holder[0]).toBe(NONE);
  });

  it('resets all ports of a domain at once when nobody is in between', () => {
    const { m, call } = machine();
    call('event.bindIpi', 1);
    call('event.bindVirq', 1, 0);
    expect([m.channel.state[rowOf(m, 1, 1)], m.channel.state[rowOf(m, 1, 2)]]).toEqual([IPI, VIRQ]);
    expect(call('event.reset', 0, 1)).toBe('ok');
    expect([m.channel.state[rowOf(m, 1, 1)], m.channel.state[rowOf(m, 1, 2)]]).toEqual([FREE, FREE]);
  });

  it('takes the ports of a dying domain before its id is free', () => {
    const { m, call } = machine();
    call('event.allocUnbound', 1, 1, 0);
    call('event.bindInterdomain', 0, 1, 1);
    call('domain.crash', 1);
    expect(call('domain.release', 1)).toBe('disabled');
    expect(call('event.tearDown', 1)).toBe('ok');
    expect([m.channel.state[rowOf(m, 0, 1)], m.channel.remote[rowOf(m, 0, 1)]]).toEqual([UNBOUND, 1]);
    // The port of domain 0 still names the dead one.
    expect(call('domain.release', 1)).toBe('disabled');
    call('event.close', 0, 1);
    expect(call('domain.release', 1)).toBe('ok');
    expect(call('domain.create', 1)).toBe('ok');
  });

  it('has the known number of states, and ends every call in every way that it can', () => {
    const m = build(eventMachine, { scope: { domain: 2, generation: 2, port: 2, word: 1 } });
    const found = exploreExhaustively(m, {});
    expect(found).toMatchObject({ verdict: 'complete', findings: [] });
    expect(found.states).toBe(4_386);
    const ways = Object.fromEntries(
      m.operations.map(({ op, index }) => [
        op.name,
        Object.entries({ ok: 0, ...op.errors })
          .filter(([, code]) => m.outcomes[index * OUTCOMES - code] > 0)
          .map(([name]) => name),
      ]),
    );
    expect(ways).toMatchObject({
      'event.allocUnbound': ['ok', '-EPERM', '-ESRCH', '-ENOSPC'],
      'event.bindInterdomain': ['ok', '-ESRCH', '-EINVAL', '-ENOSPC'],
      'event.bindVirq': ['ok', '-EPERM', '-EEXIST', '-ENOSPC'],
      'event.bindIpi': ['ok', '-ENOSPC'],
      'event.close': ['ok', '-EINVAL'],
      'event.reset': ['ok', '-EPERM', '-ESRCH'],
      'event.send': ['ok', '-EINVAL'],
      'event.unmask': ['ok', '-EINVAL'],
    });
  });
});
