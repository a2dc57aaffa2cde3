/**
 * The net channel of the Safe Hardware Interface under attack: guests that leave anything in the ring, a driver domain that maps, sends
 * and gives away what it should not, its death and its silence. Each attack names the gate that stops it.
 */

import { transmitEnds } from '../../../model/architectures/safeHardware/netEnds.js';
import {
  FILLING,
  FULL,
  type Receive,
  SPARE,
  TRANSFER_ERRORS,
  touchTransfer,
  transferSteps,
} from '../../../model/architectures/safeHardware/netReceive.js';
import { killDriver, type Recoverable, touchKill } from '../../../model/architectures/safeHardware/netRecovery.js';
import {
  CHANGING,
  cardReaches,
  DRIVER,
  DRIVER_THREAD,
  foreignCheck,
  guest,
  guestDomain,
  guestRuns,
  HONEST,
  MALFORMED,
  type Net,
  startDma,
} from '../../../model/architectures/safeHardware/netState.js';
import { isLent, SENDING, SENT, type Transmit } from '../../../model/architectures/safeHardware/netTransmit.js';
import { DYING, RUNNING } from '../../../model/domains.js';
import { frame } from '../../../model/frames.js';
import { dmaRemapping } from '../../../model/iommu/index.js';
import { blockedBy, flag, NONE, OK, operationOn } from '../../../model/kernel/index.js';

const onNet = operationOn<Net>();
const onTransmit = operationOn<Transmit>();
const onReceive = operationOn<Receive>();
const STOPPED_BY_IOMMU = blockedBy(dmaRemapping);
const STOPPED_BY_CHECK = blockedBy(foreignCheck);

/** The guest's descriptors are anything from now on. */
export const malformedGuest = onNet('guest.malformed', {
  agent: guest,
  says: 'leaves malformed descriptors from now on',
  fault: 'F5',
  where: { agent: (m, op) => guestRuns(m, op.agent) && m.link.hostile[op.agent] === HONEST },
  touches: (m, op, may) => may.write(m.link, op.agent),
  steps: {
    begin: (m, op) => {
      m.link.hostile[op.agent] = MALFORMED;
    },
  },
});

/** ...and what it has written changes whenever it is looked at. */
export const changingGuest = onNet('guest.changing', {
  agent: guest,
  says: 'changes its descriptors and buffers while they are in use',
  source: 'XSA-155',
  fault: 'F6',
  where: { agent: (m, op) => guestRuns(m, op.agent) && m.link.hostile[op.agent] === HONEST },
  touches: (m, op, may) => may.write(m.link, op.agent),
  steps: {
    begin: (m, op) => {
      m.link.hostile[op.agent] = CHANGING;
    },
  },
});

/** The driver domain leaves anything in a guest's ring. */
export const taintRing = onNet('driver.malformed', {
  agent: 'driver domain',
  says: 'leaves malformed responses for {guest} from now on',
  fault: 'F5',
  input: { guest },
  where: {
    guest: (m, op) =>
      m.domain.life[DRIVER] === RUNNING && m.link.tainted[op.guest] === 0 && m.link.hostile[op.guest] === HONEST,
  },
  touches: (m, op, may) => may.write(m.link, op.guest),
  steps: {
    begin: (m, op) => {
      m.link.tainted[op.guest] = 1;
    },
  },
});

/** The driver domain asks the VMM to map a frame by its machine address. */
export const mapForeign = onNet('driver.mapForeign', {
  agent: 'driver domain',
  says: 'maps {frame}, which nobody offered to it',
  source: 'GAP-X1: a privileged backend maps by machine address',
  fault: 'F1',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.domain.life[DRIVER] === RUNNING && m.frame.owner[op.frame] !== DRIVER && m.reach.entry[op.frame] === 0,
  },
  touches: (m, op, may) => may.write(m.reach, op.frame),
  steps: {
    'the owner offered it': (m) => (m.on(foreignCheck) ? STOPPED_BY_CHECK : OK),
    map: (m, op) => {
      m.reach.entry[op.frame] = 1;
    },
  },
});

/** The driver domain aims its card at a frame that is neither its own nor lent to it. */
function aim(name: string, says: string, isForeign: (m: Net, f: number) => boolean) {
  return onNet(name, {
    agent: 'driver domain',
    says,
    source: '1c, not contained: DMA to any machine frame',
    fault: 'F2',
    onFailure: 'safe',
    input: { frame, write: flag },
    where: {
      frame: (m, op) => m.domain.life[DRIVER] === RUNNING && m.nic.dma[0] === NONE && isForeign(m, op.frame),
    },
    touches: (m, op, may) => {
      may.write(m.nic);
      may.write(m.reach, op.frame);
    },
    steps: {
      translate: (m, op) => {
        if (!cardReaches(m, op.frame)) return STOPPED_BY_IOMMU;
        startDma(m, op.frame, op.write, NONE, 0);
        return OK;
      },
    },
  });
}

export const aimTransmit = aim(
  'driver.aimDma',
  'aims its card at {frame}, which is not lent to it (write: {write})',
  (m, f) => !isLent(m as Transmit, f),
);
export const aimReceive = aim(
  'driver.aimDma',
  'aims its card at {frame}, which is not its own (write: {write})',
  (m, f) => m.frame.owner[f] !== DRIVER,
);

/** The driver unmaps and answers while the card still reads. */
export const unmapEarly = onTransmit('driver.unmapEarly', {
  agent: 'driver domain',
  says: 'takes a packet for sent which the card still reads',
  fault: 'F3',
  where: { agent: (m) => m.domain.life[DRIVER] === RUNNING && m.txWork.stage.includes(SENDING) },
  touches: (m, _op, may) => {
    for (let w = 0; w < m.txWork.rows; w++) may.write(m.txWork, w);
  },
  steps: {
    'take it for sent': (m) => {
      m.txWork.stage[m.txWork.stage.indexOf(SENDING)] = SENT;
    },
  },
});

/** The driver gives a frame away into which the card still writes. */
export const flipEarly = onReceive('driver.flipEarly', {
  agent: 'driver domain',
  says: 'takes a frame for full which the card still writes',
  fault: 'F3',
  where: { agent: (m) => m.domain.life[DRIVER] === RUNNING && m.rxFrame.stage.includes(FILLING) },
  touches: (m, _op, may) => {
    for (let f = 0; f < m.rxFrame.rows; f++) may.write(m.rxFrame, f);
  },
  steps: {
    'take it for full': (m) => {
      const f = m.rxFrame.stage.indexOf(FILLING);
      m.rxFrame.stage[f] = FULL;
      m.rxFrame.packet[f] = m.nic.guest[0];
    },
  },
});

/** The driver domain maps a frame of its own once more, so that something is left when it gives the frame away. */
export const keepMapping = onReceive('driver.keepMapping', {
  agent: 'driver domain',
  says: 'maps {frame} a second time',
  source: 'M7 Transfer: only mapping gone',
  fault: 'F4',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.domain.life[DRIVER] === RUNNING && m.frame.owner[op.frame] === DRIVER && m.rxFrame.second[op.frame] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  steps: {
    map: (m, op) => {
      m.frame.refs[op.frame]++;
      m.rxFrame.second[op.frame] = 1;
    },
  },
});

/** The driver domain gives a guest frames that it did not ask for. */
export const pushFrame = onReceive('driver.pushFrame', {
  agent: 'driver domain',
  says: 'gives {frame} to {guest}, which asked for nothing',
  fault: 'F12',
  input: { frame, guest },
  errors: TRANSFER_ERRORS,
  where: {
    frame: (m, op) =>
      m.domain.life[DRIVER] === RUNNING &&
      m.frame.owner[op.frame] === DRIVER &&
      m.rxFrame.stage[op.frame] === SPARE &&
      m.nic.dma[0] !== op.frame &&
      hasFree(m),
    guest: (m, op) => m.domain.life[guestDomain(op.guest)] !== 0,
  },
  touches: (m, op, may) => touchTransfer(m, op, may),
  steps: {
    ...transferSteps,
    'use up the request': (m, op) => {
      if (m.rx.credits[op.guest] > 0) m.rx.credits[op.guest]--;
    },
  },
});

function hasFree(m: Receive): boolean {
  for (let f = 0; f < m.frame.rows; f++) {
    if (m.frame.owner[f] === NONE && m.frame.refs[f] === 0) return true;
  }
  return false;
}

/** A guest dies. */
export const crashGuest = onNet('guest.crash', {
  agent: guest,
  says: 'crashes',
  fault: 'F10',
  where: { agent: (m, op) => guestRuns(m, op.agent) },
  touches: (m, op, may) => may.write(m.domain, guestDomain(op.agent)),
  atomic: true,
  steps: {
    stop: (m, op) => {
      m.domain.life[guestDomain(op.agent)] = DYING;
    },
  },
});

/** The driver domain hangs; a controller that waited too little would think so of a living one. */
export const hangDriver = onNet('driver.hang', {
  agent: 'driver domain',
  says: 'hangs',
  fault: 'F11',
  where: { agent: (m) => m.domain.life[DRIVER] === RUNNING && m.driver.hung[0] === 0 },
  touches: (m, _op, may) => may.write(m.driver),
  atomic: true,
  steps: {
    stop: (m) => {
      m.driver.hung[0] = 1;
      m.killThreads(DRIVER_THREAD);
    },
  },
});

/** Deaths of the driver domain, as a machine's own state needs them. */
export function driverDeaths<M extends Net>(by: Recoverable<M>) {
  const own = operationOn<M>();
  const where = { agent: (m: M) => m.domain.life[DRIVER] === RUNNING };
  /** The driver domain crashes at any step of what it does, with DMA in flight. */
  const crash = own('driver.crash', {
    agent: 'driver domain',
    says: 'crashes',
    fault: 'F10',
    atomic: true,
    where,
    touches: (m, _op, may) => touchKill(m, may, by),
    steps: { stop: (m) => killDriver(m, by) },
  });
  /** The controller takes a living driver domain for hung. */
  const suspect = own('manager.suspect', {
    agent: 'control',
    says: 'takes the driver domain, which works, for hung and destroys it',
    fault: 'F11',
    atomic: true,
    where: { agent: (m) => m.domain.life[DRIVER] === RUNNING && m.driver.hung[0] === 0 },
    touches: (m, _op, may) => touchKill(m, may, by),
    steps: { 'stop it': (m) => killDriver(m, by) },
  });
  return [crash, suspect] as const;
}

/** The operation that takes a living driver domain for hung, by which mutants name it. */
export const suspectDriver = driverDeaths(transmitEnds)[1];
