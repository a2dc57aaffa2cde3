/**
 * Event channels: ports, the words that Xen and the guest share, and what closing a port does. Binding is in eventBinding.ts, signals and
 * the guest's handler in eventDelivery.ts.
 * Source: Xen `xen/common/event_channel.c`, `xen/common/event_2l.c`, `xen/include/public/event_channel.h`; pending and mask words,
 * selector and upcall flags: `struct shared_info` and `struct vcpu_info` in `xen/include/public/xen.h`.
 *
 * One vCPU a domain takes its events, so selector and upcall flags are the domain's. Must keep: EV1 symmetric links, EV2 no lost wake-up
 * (EV3, a masked edge survives, is part of it), EV5 only the peer, Xen or the domain itself signals; I9 a port that is used again carries
 * nothing; I10 and I14 for every call that fails or comes from a stranger.
 */
import { CONTROL, type Domains, domain, RUNNING } from './domains.js';
import { bitsOf, type Footprint, gate, NONE, oneOf, ref, type State, setOf, sort, table, u8 } from './kernel/index.js';

/** Ports of a domain; port 0 is reserved. */
export const port = sort('port');
/** Words of the pending and mask arrays: what one bit of the selector stands for. */
export const word = sort('word');
/** Kinds of virtual interrupts that a domain can bind: one that is each domain's own, and one with a registration for the whole machine. */
export const virq = sort('virq', { members: ['VIRQ_DEBUG', 'VIRQ_DOM_EXC'] });
export const VIRQ_DOM_EXC = 1;

/** enum in `struct evtchn` (xen/include/xen/sched.h): ECS_FREE and so on. */
export const FREE = 0;
export const RESERVED = 1;
export const UNBOUND = 2;
export const INTERDOMAIN = 3;
/** Bound to a physical line; see interrupts.ts. */
export const PIRQ = 4;
export const VIRQ = 5;
export const IPI = 6;

/** What the guest's handler has still to do. */
export const TODO_UPCALL = 1;
export const TODO_SELECTOR = 2;
export const TODO_EVENT = 4;

export const eventTables = {
  channel: table([domain, port], {
    state: oneOf('free', 'reserved', 'unbound', 'interdomain', 'pirq', 'virq', 'ipi'),
    /** Unbound: who may bind. Interdomain: the peer. */
    remote: ref(domain),
    remotePort: ref(port),
    virq: ref(virq),
    /** Signallers under way on this port: they hold the lock of the channel. */
    busy: u8(),
    /** shared_info: evtchn_pending, evtchn_mask. */
    pending: oneOf('no', 'yes'),
    mask: oneOf('no', 'yes'),
    /** Kept for properties: signalled, or perhaps signalled before it was bound, and the handler has not run since. */
    owed: oneOf('no', 'yes'),
    /** Kept for properties: the life of `remote` that an unbound port was opened for. */
    epoch: u8(),
  }),
  vcpu: table([domain], {
    /** vcpu_info: evtchn_upcall_pending, evtchn_upcall_mask, evtchn_pending_sel. */
    upcallPending: oneOf('no', 'yes'),
    upcallMask: oneOf('no', 'yes'),
    selector: setOf(word),
    /** The handler that runs: what is still to do, the words it took, the port it looks at. */
    todo: bitsOf('clear upcall', 'take selector', 'handle event'),
    words: setOf(word),
    cursor: u8({ holds: port }),
  }),
  /** Who is told of other domains' deaths (VIRQ_DOM_EXC): one for the whole machine. */
  registration: table([], { holder: ref(domain) }),
};

export type EventChannels = Domains & State<typeof eventTables>;

/** Errors of EVENT_CHANNEL_OP (xen/include/public/errno.h). */
export const EVENT_ERRORS = {
  '-EPERM': -1,
  '-ESRCH': -3,
  '-EAGAIN': -11,
  '-EBUSY': -16,
  '-EEXIST': -17,
  '-EINVAL': -22,
  '-ENOSPC': -28,
} as const;
export const EPERM = -1;
export const ESRCH = -3;
export const EAGAIN = -11;
export const EBUSY = -16;
export const EEXIST = -17;
export const EINVAL = -22;
export const ENOSPC = -28;

/** Only the control domain opens or resets ports of another domain. */
export const portPermission = gate('event-port permission');
/** A port is joined only by the domain that it was opened for. */
export const consent = gate('consent to a channel');
/** The page with pending and mask words is mapped by nobody but its domain and Xen. */
export const privateSharedInfo = gate('private shared-info page');
/** Closing a port waits for signallers on the channel (struct evtchn, lock). */
export const channelLock = gate('event-channel lock');
/** A domain id is not used again while an open port names it. Xen itself hands ids out in turn, so that one comes back late. */
export const consentEnds = gate('ids wait for open ports');

/** A new domain gets a shared-info page of its own, and not what is left of the last holder's. */
export const freshSharedInfo = gate('fresh shared-info page');

/** Row of a port. */
export function rowOf(m: EventChannels, d: number, p: number): number {
  return d * (m.channel.rows / m.vcpu.rows) + p;
}

/** Ports of each domain, port 0 included. */
export function portsOf(m: EventChannels): number {
  return m.channel.rows / m.vcpu.rows;
}

/** The bit of the selector that stands for a port's word. Ports 1, 2... lie in words 0, 1... in turn, so that few ports show both cases. */
export function wordBit(m: EventChannels, p: number): number {
  return 1 << ((p - 1) % m.size(word));
}

/** get_free_port: the lowest free port of d, or -ENOSPC. */
export function freePort(m: EventChannels, d: number): number {
  const n = portsOf(m);
  for (let p = 1; p < n; p++) if (m.channel.state[d * n + p] === FREE) return p;
  return ENOSPC;
}

/** The domain that a port's `remote` names lives its first, second... life; one that is absent will live its next. */
export function lifeOf(m: EventChannels, d: number): number {
  return m.domain.life[d] === 0 ? m.domain.generation[d] + 1 : m.domain.generation[d];
}

/** Makes a port unbound, for `remote`. */
export function makeUnbound(m: EventChannels, row: number, remote: number): void {
  m.channel.state[row] = UNBOUND;
  m.channel.remote[row] = remote;
  m.channel.remotePort[row] = NONE;
  m.channel.epoch[row] = lifeOf(m, remote);
}

/** First part of evtchn_close: whoever is bound to the other side learns of it. */
export function leaveBinding(m: EventChannels, d: number, p: number): void {
  const row = rowOf(m, d, p);
  if (m.channel.state[row] === INTERDOMAIN) {
    makeUnbound(m, rowOf(m, m.channel.remote[row], m.channel.remotePort[row]), d);
  } else if (m.channel.state[row] === VIRQ && m.channel.virq[row] === VIRQ_DOM_EXC && m.registration.holder[0] === d) {
    m.registration.holder[0] = NONE;
  }
}

/** Second part, evtchn_free: the port is free. The mask word is the guest's own and stays. */
export function freeChannel(m: EventChannels, row: number): void {
  m.channel.state[row] = FREE;
  m.channel.remote[row] = NONE;
  m.channel.remotePort[row] = NONE;
  m.channel.virq[row] = NONE;
  m.channel.owed[row] = 0;
  m.channel.epoch[row] = 0;
}

/** Whether signallers on the channel keep its port from being closed now. */
export function isBusy(m: EventChannels, row: number): boolean {
  if (!m.on(channelLock)) return false;
  if (m.channel.busy[row] > 0) return true;
  return (
    m.channel.state[row] === INTERDOMAIN &&
    m.channel.busy[rowOf(m, m.channel.remote[row], m.channel.remotePort[row])] > 0
  );
}

/** Whether the port is open: not free, and not the reserved one. */
export function isOpen(m: EventChannels, row: number): boolean {
  return m.channel.state[row] > RESERVED;
}

/** Rows that closing a port touches. */
export function touchesClosing(m: EventChannels, d: number, p: number, may: Footprint): void {
  const row = rowOf(m, d, p);
  may.write(m.channel, row);
  if (m.channel.state[row] === INTERDOMAIN) {
    may.write(m.channel, rowOf(m, m.channel.remote[row], m.channel.remotePort[row]));
    may.read(m.domain, d);
  }
  if (m.channel.state[row] === VIRQ) may.write(m.registration);
}

/** All ports free but port 0; nothing pending, nothing masked. */
export function noChannels(m: EventChannels): void {
  m.channel.remote.fill(NONE);
  m.channel.remotePort.fill(NONE);
  m.channel.virq.fill(NONE);
  m.registration.holder.fill(NONE);
  for (let d = 0; d < m.vcpu.rows; d++) m.channel.state[rowOf(m, d, 0)] = RESERVED;
}

/** Whether anything is set in the domain's shared-info page. */
export function hasWords(m: EventChannels, d: number): boolean {
  if (m.vcpu.upcallPending[d] !== 0 || m.vcpu.upcallMask[d] !== 0 || m.vcpu.selector[d] !== 0) return true;
  const n = portsOf(m);
  for (let row = d * n; row < d * n + n; row++) {
    if (m.channel.mask[row] !== 0 || m.channel.pending[row] !== 0) return true;
  }
  return false;
}

/** The domain still holds a port or its shared-info page, or somebody's open port still names it. */
export function holdsPorts(m: EventChannels, d: number): boolean {
  const n = portsOf(m);
  for (let row = d * n; row < d * n + n; row++) if (isOpen(m, row)) return true;
  if (m.on(freshSharedInfo) && hasWords(m, d)) return true;
  if (!m.on(consentEnds)) return false;
  for (let row = 0; row < m.channel.rows; row++) {
    if (m.channel.state[row] === UNBOUND && m.channel.remote[row] === d) return true;
  }
  return false;
}

/** Whether the caller may act on the target's ports (xsm_evtchn_unbound, xsm_evtchn_reset). */
export function mayActFor(m: EventChannels, caller: number, target: number): boolean {
  return caller === target || caller === CONTROL || !m.on(portPermission);
}

/** Whether hypercalls can name the domain. */
export function exists(m: EventChannels, d: number): boolean {
  return m.domain.life[d] === RUNNING;
}

/** The memory map: ports that are open, with what is pending. */
export function portMap(m: EventChannels): string[] {
  const lines: string[] = [];
  const names = ['free', 'reserved', 'unbound', 'interdomain', 'pirq', 'virq', 'ipi'];
  for (let row = 0; row < m.channel.rows; row++) {
    if (!isOpen(m, row)) continue;
    const n = portsOf(m);
    const to = m.channel.remote[row] === NONE ? '' : ` with domain ${m.channel.remote[row]}`;
    const marks = `${m.channel.pending[row] ? ', pending' : ''}${m.channel.mask[row] ? ', masked' : ''}`;
    lines.push(`domain ${Math.floor(row / n)} port ${row % n}: ${names[m.channel.state[row]]}${to}${marks}`);
  }
  return lines;
}
