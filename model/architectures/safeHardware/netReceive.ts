/**
 * Reception (M7): a packet arrives in a frame of the driver domain, which gives the frame itself to the guest and keeps a fresh one (page
 * flip). A guest makes room by giving a frame back; a packet for a guest without room is dropped: it must not wait.
 * Source: Xen 2.0 netback (net_rx_action), xen/common/memory.c (DecreaseReservation), xen/arch/x86/mm.c (MMUEXT_REASSIGN_PAGE).
 *
 * Must keep: X-S3 (transfer conserves frames), X-S2 (nothing of the frame stays in the driver domain's reach when the guest hears of it),
 * X-L3 (a guest without buffers holds up nobody), no packet is delivered to another guest or twice.
 */
import { frame, putPage, touchFrame } from '../../frames.js';
import { module, NONE, operationOn } from '../../kernel/index.js';
import { hypercall } from '../../ledger.js';
import {
  CONNECTED,
  connectedNet,
  DRIVER,
  guest,
  guestDomain,
  guestRuns,
  ioMap,
  netMap,
  netTables,
  own,
} from './netState.js';
import { arrive, dropPacket, filled, flip, flush, tell } from './receiveDriver.js';
import { dropSecond, refill, regain, relinquish } from './receiveFrames.js';
import { buffer, type Receive, receiveTables, SPARE, TOLD } from './receiveState.js';

const operation = operationOn<Receive>();

/** The guest asks for a packet: gives a frame back to make room, and posts the request. */
export const post = operation('rx.post', {
  agent: guest,
  path: 'submit',
  says: 'gives {frame} back and asks for a packet',
  source: 'Xen 2.0 netfront, network_alloc_rx_buffers (MEMOP_decrease_reservation)',
  input: { frame },
  where: {
    agent: (m, op) =>
      guestRuns(m, op.agent) &&
      m.link.state[op.agent] === CONNECTED &&
      m.rx.credits[op.agent] < m.rx.reservation[op.agent],
    frame: (m, op) =>
      m.frame.owner[op.frame] === guestDomain(op.agent) &&
      m.rxFrame.packet[op.frame] === NONE &&
      m.rxFrame.stage[op.frame] === SPARE,
  },
  touches: (m, op, may) => {
    may.write(m.rx, op.agent);
    touchFrame(m, may, op.frame);
  },
  steps: {
    'give the frame back': (m, op) => {
      hypercall(m);
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
    'post the request': (m, op) => {
      m.rx.credits[op.agent]++;
    },
  },
});

/** The guest takes its packet. */
export const receive = operation('rx.receive', {
  agent: guest,
  path: 'complete',
  says: 'receives what is in {frame}',
  source: 'Xen 2.0 netfront, netif_poll',
  input: { frame },
  where: {
    agent: (m, op) => guestRuns(m, op.agent),
    frame: (m, op) => m.frame.owner[op.frame] === guestDomain(op.agent) && m.rxFrame.stage[op.frame] === TOLD,
  },
  touches: (m, op, may) => {
    may.write(m.rx, op.agent);
    may.write(m.rxFrame, op.frame);
  },
  steps: {
    'take the packet': (m, op) => {
      const of = m.rxFrame.packet[op.frame];
      if (of !== NONE && of !== op.agent) m.rx.misdelivered[op.agent] = 1;
      m.rxFrame.packet[op.frame] = NONE;
      m.rxFrame.stage[op.frame] = SPARE;
    },
  },
});

/** Everybody connected; each guest has its reservation, the driver domain the rest, which is where the card may write. */
function start(m: Receive): void {
  connectedNet(m);
  m.rxFrame.packet.fill(NONE);
  const each = m.size(buffer);
  m.rx.reservation.fill(each);
  for (let g = 0; g < m.rx.rows; g++) for (let b = 0; b < each; b++) own(m, 1 + g * each + b, guestDomain(g));
  for (let f = 1 + m.rx.rows * each; f < m.frame.rows; f++) {
    own(m, f, DRIVER);
    m.reach.entry[f] = 1;
    m.reach.tlb[f] = 1;
    ioMap(m, f);
  }
}

export const receiveOperations = [
  post,
  arrive,
  filled,
  dropPacket,
  flip,
  flush,
  tell,
  receive,
  relinquish,
  dropSecond,
  refill,
  regain,
];

/** Scope: `domain` (two more than guests), `generation`, `guest`, `buffer`, `frame` (one more than guests and the driver domain have). */
export const netReceive = module<Receive, typeof netTables & typeof receiveTables>('net reception', {
  tables: { ...netTables, ...receiveTables },
  operations: receiveOperations,
  initial: start,
  map: netMap,
});

export * from './receiveDriver.js';
export * from './receiveFrames.js';
export * from './receiveState.js';
