/**
 * The state of interrupt lines, and what their operations (interrupts.ts) share: who holds a line, how it is delivered and let go.
 * Source: Xen `xen/arch/x86/irq.c` (irq_guest_action_t, __do_IRQ_guest).
 */
import { domain, runs } from './domains.js';
import { type EventChannels, port, rowOf } from './eventChannels.js';
import { signal } from './eventDelivery.js';
import { type Footprint, gate, NONE, oneOf, ref, type State, setOf, sort, table, u8 } from './kernel/index.js';

export const line = sort('line');
/** Places in a line's array of sharers (Xen: IRQ_MAX_GUESTS). */
export const sharer = sort('sharer');

export const lineTables = {
  line: table([line], {
    /** Sharers in the array. */
    count: u8(),
    shareable: oneOf('no', 'yes'),
    /** Sharers that were signalled and have not notified; `inflight` counts them. */
    held: setOf(domain),
    inflight: u8(),
    masked: oneOf('no', 'yes'),
    /** Domains that may bind it. */
    allowed: setOf(domain),
    /** Kept for properties: times raised since it was last let go; two means more than one. */
    raised: u8(),
  }),
  sharers: table([line, sharer], { guest: ref(domain) }),
  /** The port by which a domain gets the line. */
  pirq: table([domain, line], { port: ref(port) }),
  /** A driver domain that runs but answers nothing any more. */
  driver: table([domain], { hung: oneOf('no', 'yes') }),
};

export type Interrupts = EventChannels & State<typeof lineTables>;

/** Lines are bound only by domains that were given the device. */
export const linePermission = gate('interrupt permission');
/** A line stays masked from its acknowledgement until its last holder has notified. */
export const maskingUntilNotify = gate('masking until notification');
/** The manager ends a driver domain that does not answer. */
export const managerTimeOut = gate('manager time-out');

/** Whether the driver in the domain still answers. */
export function answers(m: Interrupts, d: number): boolean {
  return runs(m, d) && m.driver.hung[d] === 0;
}

export function holdsLine(m: Interrupts, d: number, l: number): boolean {
  return ((m.line.held[l] >> d) & 1) !== 0;
}

/** Place of a domain in the array, or -1. */
export function placeOf(m: Interrupts, l: number, d: number): number {
  for (let i = 0; i < m.line.count[l]; i++) if (m.sharers.guest[m.sharers.at(l, i)] === d) return i;
  return -1;
}

/** One holder fewer; the last one ends the interrupt: the line is unmasked. */
export function letGoOf(m: Interrupts, d: number, l: number): void {
  if (!holdsLine(m, d, l)) return;
  m.line.held[l] &= ~(1 << d);
  m.line.inflight[l]--;
  if (m.line.inflight[l] === 0) {
    m.line.masked[l] = 0;
    m.line.raised[l] = 0;
  }
}

/** Acknowledges and masks the line, and signals every sharer that does not hold it already. */
export function deliverLine(m: Interrupts, l: number): void {
  if (m.on(maskingUntilNotify)) m.line.masked[l] = 1;
  if (m.line.raised[l] < 2) m.line.raised[l]++;
  for (let i = 0; i < m.line.count[l]; i++) {
    const d = m.sharers.guest[m.sharers.at(l, i)];
    if (!holdsLine(m, d, l)) {
      m.line.held[l] |= 1 << d;
      m.line.inflight[l]++;
    }
    const p = m.pirq.port[m.pirq.at(d, l)];
    if (p !== NONE) signal(m, d, p);
  }
}

/** Rows that delivering a line touches. */
export function touchesDelivery(m: Interrupts, l: number, may: Footprint): void {
  may.write(m.line, l);
  for (let d = 0; d < m.vcpu.rows; d++) {
    const p = m.pirq.port[m.pirq.at(d, l)];
    if (p === NONE) continue;
    may.write(m.channel, rowOf(m, d, p));
    may.write(m.vcpu, d);
  }
}

/** Rows that taking a domain off a line touches. */
export function touchesUnbinding(m: Interrupts, d: number, l: number, may: Footprint): void {
  may.write(m.line, l);
  for (let i = 0; i < m.size(sharer); i++) may.write(m.sharers, m.sharers.at(l, i));
  may.write(m.pirq, m.pirq.at(d, l));
  const p = m.pirq.port[m.pirq.at(d, l)];
  if (p !== NONE) may.write(m.channel, rowOf(m, d, p));
}
