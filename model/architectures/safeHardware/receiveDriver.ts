/** What card and driver domain do with a packet that comes in (M7): receive it into a frame, drop it or flip the frame to its guest, flush, tell. */
import { RUNNING } from '../../domains.js';
import { frame } from '../../frames.js';
import { type Footprint, NONE, OK, operationOn } from '../../kernel/index.js';
import { ALLOCATION, charge, hypercall, NOTIFICATION, PAGE_FLIP } from '../../ledger.js';
import {
  cardReaches,
  DRIVER,
  flushBeforeResponse,
  flushTlb,
  guest,
  guestDomain,
  ioMap,
  ioUnmap,
  own,
  serves,
  startDma,
  stopCard,
  touchReach,
} from './netState.js';
import {
  dropWithoutRoom,
  EBUSY,
  ENOMEM,
  ESRCH,
  FILLING,
  FLIPPED,
  FLUSHED,
  FULL,
  freeFrame,
  ownedBy,
  type Receive,
  SPARE,
  TOLD,
  TRANSFER_ERRORS,
  touchFrames,
} from './receiveState.js';

const operation = operationOn<Receive>();

/** The card starts to write a packet into a spare frame of the driver domain. */
export const arrive = operation('rx.arrive', {
  agent: 'card',
  path: 'translate',
  says: 'starts to write a packet for {guest} into {frame}',
  input: { guest, frame },
  where: {
    guest: (m) => m.domain.life[DRIVER] === RUNNING && m.nic.dma[0] === NONE,
    frame: (m, op) =>
      m.frame.owner[op.frame] === DRIVER && m.rxFrame.stage[op.frame] === SPARE && cardReaches(m, op.frame),
  },
  touches: (m, op, may) => {
    may.write(m.nic);
    may.write(m.reach, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  atomic: true,
  steps: {
    'start the DMA': (m, op) => {
      startDma(m, op.frame, 1, op.guest, 0);
      m.rxFrame.stage[op.frame] = FILLING;
    },
  },
});

/** ...and has written it. */
export const filled = operation('rx.filled', {
  agent: 'card',
  path: 'complete',
  says: 'has written a packet',
  where: { agent: (m) => m.nic.dma[0] !== NONE && m.nic.write[0] === 1 },
  touches: (m, _op, may) => {
    may.write(m.nic);
    may.write(m.rxFrame, m.nic.dma[0]);
  },
  atomic: true,
  steps: {
    'write the packet': (m) => {
      const f = m.nic.dma[0];
      if (m.rxFrame.stage[f] === FILLING) {
        m.rxFrame.packet[f] = m.nic.guest[0];
        m.rxFrame.stage[f] = FULL;
      }
      stopCard(m);
    },
  },
});

/** Drops a packet that its guest has no room for: the frame is spare again. */
export const dropPacket = operation('rx.drop', {
  agent: 'driver domain',
  path: 'complete',
  says: 'drops the packet in {frame}',
  source: 'Xen 2.0 netback, netif_be_start_xmit: drop when the ring is empty',
  input: { frame },
  where: {
    frame: (m, op) => {
      if (!serves(m) || !m.on(dropWithoutRoom)) return false;
      if (m.frame.owner[op.frame] !== DRIVER || m.rxFrame.stage[op.frame] !== FULL) return false;
      return m.rx.credits[m.rxFrame.packet[op.frame]] === 0 || freeFrame(m) === NONE || !canTake(m, op.frame);
    },
  },
  touches: (m, op, may) => may.write(m.rxFrame, op.frame),
  steps: {
    'drop it': (m, op) => {
      m.rxFrame.stage[op.frame] = SPARE;
      m.rxFrame.packet[op.frame] = NONE;
    },
  },
});

/** Whether the guest of a packet can still be given anything. */
export function canTake(m: Receive, f: number): boolean {
  const g = m.rxFrame.packet[f];
  if (m.domain.life[guestDomain(g)] !== RUNNING || m.rxFrame.second[f] === 1) return false;
  return ownedBy(m, guestDomain(g)) < m.rx.reservation[g];
}

/** A fresh frame from the heap becomes the driver domain's, mapped where the old one was. */
export function replaceFrame(m: Receive, f: number): void {
  const fresh = freeFrame(m);
  own(m, fresh, DRIVER);
  charge(m, ALLOCATION);
  m.reach.entry[fresh] = 1;
  m.reach.tlb[fresh] = 1;
  ioMap(m, fresh);
  m.reach.entry[f] = 0;
}

export type Flip = { frame: number; guest: number };

/** Transfer, as the VMM does it: all guards, then the effects. The fresh frame is the driver domain's own business. */
export const transferSteps = {
  'only the allocation reference': (m: Receive, op: Flip): number => (m.frame.refs[op.frame] === 1 ? OK : EBUSY),
  'the guest is not dying': (m: Receive, op: Flip): number =>
    m.domain.life[guestDomain(op.guest)] === RUNNING ? OK : ESRCH,
  'room in its reservation': (m: Receive, op: Flip): number =>
    ownedBy(m, guestDomain(op.guest)) < m.rx.reservation[op.guest] ? OK : ENOMEM,
  'remap to a fresh frame': (m: Receive, op: Flip): void => replaceFrame(m, op.frame),
  'take it out of the I/O table': (m: Receive, op: Flip): void => ioUnmap(m, op.frame),
  reassign: (m: Receive, op: Flip): void => {
    m.frame.owner[op.frame] = guestDomain(op.guest);
    m.rxFrame.stage[op.frame] = FLIPPED;
    charge(m, PAGE_FLIP);
  },
};

/** Names what a transfer may write. */
export function touchTransfer(m: Receive, op: Flip, may: Footprint): void {
  touchFrames(m, may);
  touchReach(m, may);
  may.write(m.rx, op.guest);
}

/** Page flip: one entry of the multicall that the flush ends. */
export const flip = operation('rx.flip', {
  agent: 'driver domain',
  path: 'complete',
  says: 'gives {frame} with its packet to {guest}',
  source: 'Xen 2.0 netback, net_rx_action (MMUEXT_REASSIGN_PAGE)',
  input: { frame, guest },
  errors: TRANSFER_ERRORS,
  where: {
    frame: (m, op) =>
      serves(m) && m.frame.owner[op.frame] === DRIVER && m.rxFrame.stage[op.frame] === FULL && freeFrame(m) !== NONE,
    guest: (m, op) => m.rxFrame.packet[op.frame] === op.guest && m.rx.credits[op.guest] > 0,
  },
  touches: (m, op, may) => touchTransfer(m, op, may),
  steps: {
    ...transferSteps,
    'take the request': (m, op) => {
      m.rx.credits[op.guest]--;
    },
  },
});

/** End of the batch: one multicall with one flush. */
export const flush = operation('rx.flush', {
  agent: 'driver domain',
  path: 'complete',
  says: 'ends the batch: the TLB is flushed',
  source: 'Xen 2.0 netback, net_rx_action (UVMF_FLUSH_TLB on the last entry)',
  where: { agent: (m) => serves(m) && m.rxFrame.stage.includes(FLIPPED) },
  touches: (m, _op, may) => {
    touchReach(m, may);
    for (let f = 0; f < m.rxFrame.rows; f++) may.write(m.rxFrame, f);
  },
  steps: {
    'flush the TLB': (m) => {
      hypercall(m);
      if (m.on(flushBeforeResponse)) flushTlb(m);
    },
    'note it': (m) => {
      for (let f = 0; f < m.rxFrame.rows; f++) if (m.rxFrame.stage[f] === FLIPPED) m.rxFrame.stage[f] = FLUSHED;
    },
  },
});

/** Whether the guest has been told of a packet that it has not received. */
export function packetWaits(m: Receive, g: number): boolean {
  for (let f = 0; f < m.rxFrame.rows; f++) if (m.rxFrame.stage[f] === TOLD && m.rxFrame.packet[f] === g) return true;
  return false;
}

/** Tells the guests what they have got. */
export const tell = operation('rx.respond', {
  agent: 'driver domain',
  path: 'notify',
  says: 'tells the guests of their packets',
  source: 'Xen 2.0 netback, make_rx_response (event index)',
  locals: ['told'],
  where: { agent: (m) => serves(m) && m.rxFrame.stage.includes(FLUSHED) },
  touches: (m, _op, may) => {
    for (let f = 0; f < m.rxFrame.rows; f++) may.write(m.rxFrame, f);
  },
  steps: {
    'post the responses': (m, op) => {
      for (let f = 0; f < m.rxFrame.rows; f++) {
        if (m.rxFrame.stage[f] !== FLUSHED) continue;
        const g = m.rxFrame.packet[f];
        if (g !== NONE && !packetWaits(m, g)) op.told |= 1 << g;
        m.rxFrame.stage[f] = TOLD;
      }
    },
    notify: (m, op) => {
      for (let told = op.told; told !== 0; told &= told - 1) {
        charge(m, NOTIFICATION);
        hypercall(m);
      }
    },
  },
});
