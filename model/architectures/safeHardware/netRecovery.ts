/**
 * Failure and restart of the driver domain (M8, for the net channel): the controller finds it dead or suspects it, quiesces the card, the
 * VMM takes back what it reached, only then do the guests hear of it and use their buffers again, and a new driver domain is started.
 * Source: Fraser et al. 2004, fault recovery; M1 RevokeDev (quiesce first), which the code of 2004 does not have (GAP-X4).
 *
 * Must keep: nothing that the dead reached is used again before it is out of reach; no DMA outlives its driver; I9: the id holds nothing.
 */
import { ABSENT, DYING, generation, RUNNING, releaseDomain } from '../../domains.js';
import { frame } from '../../frames.js';
import { type AnyOperation, type Footprint, module, operationOn } from '../../kernel/index.js';
import {
  CLOSED,
  CONNECTED,
  DRIVER,
  DRIVER_THREAD,
  flushTlb,
  guest,
  guestRuns,
  ioUnmap,
  type Net,
  stillReached,
  stopCard,
  touchReach,
} from './netState.js';

/** What a machine adds: what its driver keeps in private memory, and what its guests do when their connection is gone. */
export interface Recoverable<M extends Net> {
  /** The driver domain's private state is gone. */
  readonly forget: (m: M) => void;
  /** The guest discards what was outstanding, and gets a new ring. */
  readonly discard: (m: M, g: number) => void;
  /** Names what `forget` and `discard` may write. */
  readonly touches: (m: M, may: Footprint) => void;
}

/** The driver domain stops at once; the card goes on with what it was told. */
export function killDriver<M extends Net>(m: M, by: Recoverable<M>): void {
  m.domain.life[DRIVER] = DYING;
  m.driver.hung[0] = 0;
  m.killThreads(DRIVER_THREAD);
  by.forget(m);
}

/** Names what killing may write. */
export function touchKill<M extends Net>(m: M, may: Footprint, by: Recoverable<M>): void {
  may.write(m.domain, DRIVER);
  may.write(m.driver);
  by.touches(m, may);
}

const operation = operationOn<Net>();

/** RevokeDev: mask the interrupt, clear bus-master, wait for DMA in flight, reset. */
export const quiesce = operation('manager.quiesce', {
  agent: 'control',
  says: 'quiesces the card of the dead driver domain',
  source: 'M1 RevokeDev; PCI Express 6.6.2 (function-level reset)',
  where: { agent: (m) => m.domain.life[DRIVER] === DYING && m.nic.dma[0] !== 0xff },
  touches: (m, _op, may) => may.write(m.nic),
  steps: { 'stop and reset it': (m) => stopCard(m) },
});

/** The VMM takes one frame out of the dead driver domain's reach: after the card is quiet. */
export const takeBack = operation('vmm.takeBack', {
  agent: 'vmm',
  says: 'takes {frame} out of reach of the dead driver domain',
  source: 'xen/arch/x86/domain.c, relinquish_memory; xen/drivers/passthrough (iommu_unmap)',
  input: { frame },
  where: {
    frame: (m, op) => m.domain.life[DRIVER] === DYING && stillReached(m, op.frame) && m.nic.dma[0] !== op.frame,
  },
  touches: (m, _op, may) => touchReach(m, may),
  atomic: true,
  steps: {
    'clear the entry': (m, op) => {
      m.reach.entry[op.frame] = 0;
    },
    'flush the TLB': (m) => flushTlb(m),
    'clear the I/O entry': (m, op) => {
      ioUnmap(m, op.frame);
      m.reach.iotlb[op.frame] = 0;
    },
  },
});

function allClosed(m: Net): boolean {
  for (let g = 0; g < m.link.rows; g++) if (m.link.state[g] !== CLOSED) return false;
  return true;
}

/** The controller starts a new driver domain, when nothing of the old one is left and every guest knows that it is gone. */
export const restart = operation('manager.restart', {
  agent: 'control',
  says: 'starts a new driver domain',
  source: 'M8; Xen 2.0 Xend',
  where: {
    agent: (m) =>
      m.domain.life[DRIVER] === ABSENT && m.domain.generation[DRIVER] + 1 < m.size(generation) && allClosed(m),
  },
  touches: (m, _op, may) => may.write(m.domain, DRIVER),
  steps: {
    'start it': (m) => {
      m.domain.life[DRIVER] = RUNNING;
      m.domain.generation[DRIVER]++;
    },
  },
});

/** Device-channel handshake of a guest with the new driver domain; deviceChannel.ts has its messages. */
export const reconnect = operation('net.reconnect', {
  agent: guest,
  says: 'connects to the new driver domain',
  source: 'M5, M8: STATUS(CONNECTED)',
  where: {
    agent: (m, op) => guestRuns(m, op.agent) && m.domain.life[DRIVER] === RUNNING && m.link.state[op.agent] === CLOSED,
  },
  touches: (m, op, may) => may.write(m.link, op.agent),
  steps: {
    connect: (m, op) => {
      m.link.state[op.agent] = CONNECTED;
      m.link.tainted[op.agent] = 0;
    },
  },
});

/** The operations of one machine that depend on what it keeps. */
export function recoveryOf<M extends Net>(by: Recoverable<M>) {
  const own = operationOn<M>();
  /** The controller destroys a driver domain that does not answer. */
  const destroy = own('manager.destroy', {
    agent: 'control',
    says: 'destroys the driver domain, which does not answer',
    source: 'M8: time-out of the controller',
    where: { agent: (m) => m.domain.life[DRIVER] === RUNNING && m.driver.hung[0] === 1 },
    touches: (m, _op, may) => touchKill(m, may, by),
    steps: { 'stop it': (m) => killDriver(m, by) },
  });
  /** STATUS(DISCONNECTED): sent when the old driver domain has nothing left; the guest may use its buffers again. */
  const disconnected = own('net.disconnected', {
    agent: guest,
    says: 'hears that its driver domain is gone, and discards what was outstanding',
    source: 'M8: net, outstanding tx and rx are discarded',
    where: { agent: (m, op) => m.domain.life[DRIVER] === ABSENT && m.link.state[op.agent] === CONNECTED },
    touches: (m, op, may) => {
      may.write(m.link, op.agent);
      by.touches(m, may);
    },
    steps: {
      discard: (m, op) => by.discard(m, op.agent),
      'close the link': (m, op) => {
        m.link.state[op.agent] = CLOSED;
      },
    },
  });
  return { destroy, disconnected };
}

/** The module: what is held by a dead driver domain keeps its id. */
export function recoveryModule(operations: readonly AnyOperation[]) {
  return module<Net, Record<never, never>>('failure and restart', {
    tables: {},
    operations: [quiesce, takeBack, restart, reconnect, releaseDomain, ...operations],
    holds: (m, d) => {
      if (d !== DRIVER) return false;
      for (let f = 0; f < m.reach.rows; f++) if (stillReached(m, f)) return true;
      return false;
    },
  });
}
