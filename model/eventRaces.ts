/**
 * Event channels in the middle of a signal: domain 0 and domain 1 have each of their ports linked, domain 0 signals, domain 1 has two vCPUs
 * of which one may run the handler while the other masks, unmasks, closes or resets. No domain dies here (eventBinding.ts has that).
 *
 * Two machines, so that each stays small: `deliveryRaces` for delivery, `closingRaces` for closing ports under a signal's feet.
 */
import { CONTROL, type Domains, domainTables, RUNNING } from './domains.js';
import { allocUnbound, closeEvent, resetEvents } from './eventBinding.js';
import { type EventChannels, eventTables, INTERDOMAIN, noChannels, portsOf, rowOf, wordBit } from './eventChannels.js';
import { handleEvents, maskEvent, sendEvent, unmaskEvent } from './eventDelivery.js';
import { type AnyOperation, flag, type MachineDef, module } from './kernel/index.js';

const GUEST = 1;

/** The same operation, for one agent only. */
export function only(agent: number, op: AnyOperation): AnyOperation {
  const guard = op.where?.agent as ((m: EventChannels, call: { agent: number }) => boolean) | undefined;
  const both = (m: EventChannels, call: { agent: number }): boolean =>
    call.agent === agent && (guard === undefined || guard(m, call));
  return { ...op, where: { ...op.where, agent: both } };
}

/** Domains that only run. */
const running = module<Domains, typeof domainTables>('running domains', {
  tables: domainTables,
  operations: [],
  initial: (m) => {
    m.domain.life.fill(RUNNING);
  },
});

/** Every port of domain 0 is linked with the port of the same number of domain 1. */
function linked(m: EventChannels): void {
  noChannels(m);
  for (let d = 0; d < 2; d++) {
    for (let p = 1; p < portsOf(m); p++) {
      const row = rowOf(m, d, p);
      m.channel.state[row] = INTERDOMAIN;
      m.channel.remote[row] = 1 - d;
      m.channel.remotePort[row] = p;
    }
  }
}

/** Linked; and an event of domain 1 may have arrived already. */
function linkedAndRaised(m: EventChannels): void {
  linked(m);
  if (m.choose(flag, 'an event is pending already') === 0) return;
  const row = rowOf(m, GUEST, 1);
  m.channel.pending[row] = 1;
  m.channel.owed[row] = 1;
  m.vcpu.selector[GUEST] = wordBit(m, 1);
  m.vcpu.upcallPending[GUEST] = 1;
}

/** Signal, mask, unmask and handle, step by step. Scope: `domain` (2), `port`, `word`, `generation` (1). */
export const deliveryRaces: MachineDef = {
  name: 'event delivery, step by step',
  modules: [
    running,
    module<EventChannels, typeof eventTables>('linked channels', {
      tables: eventTables,
      operations: [
        only(CONTROL, sendEvent),
        only(GUEST, maskEvent),
        only(GUEST, unmaskEvent),
        only(GUEST, handleEvents),
      ],
      initial: linkedAndRaised,
    }),
  ],
  threads: () => [CONTROL, GUEST, GUEST],
};

/** Signal against close, reset and open. Scope: as above. */
export const closingRaces: MachineDef = {
  name: 'closing event channels, step by step',
  modules: [
    running,
    module<EventChannels, typeof eventTables>('linked channels', {
      tables: eventTables,
      operations: [
        only(CONTROL, sendEvent),
        only(GUEST, closeEvent),
        only(GUEST, resetEvents),
        only(GUEST, allocUnbound),
      ],
      initial: linked,
    }),
  ],
  threads: () => [CONTROL, GUEST, GUEST],
};
