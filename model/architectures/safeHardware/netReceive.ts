/**
 * Reception (M7): a packet arrives in a frame of the driver domain, which gives the frame itself to the guest and keeps a fresh one (page
 * flip). A guest makes room by giving a frame back; a packet for a guest without room is dropped: it must not wait.
 * Source: Xen 2.0 netback (net_rx_action), xen/common/memory.c (DecreaseReservation), xen/arch/x86/mm.c (MMUEXT_REASSIGN_PAGE).
 *
 * Must keep: X-S3 (transfer conserves frames), X-S2 (nothing of the frame stays in the driver domain's reach when the guest hears of it),
 * X-L3 (a guest without buffers holds up nobody), no packet is delivered to another guest or twice.
 */
import { DYING, RUNNING } from '../../domains.js';
import { frame, isFree, putPage, touchFrame } from '../../frames.js';
import {
  type Footprint,
  gate,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { ALLOCATION, charge, hypercall, NOTIFICATION, PAGE_FLIP } from '../../ledger.js';
import {
  CONNECTED,
  cardReaches,
  connectedNet,
  DRIVER,
  flushBeforeResponse,
  flushTlb,
  guest,
  guestDomain,
  guestRuns,
  ioMap,
  ioUnmap,
  type Net,
  netMap,
  netTables,
  own,
  serves,
  startDma,
  stillReached,
  stopCard,
  touchReach,
} from './netState.js';

/** Frames that each guest owns in the beginning: its reservation. */
export const buffer = sort('buffer');

/** Stages of a frame of the driver domain. */
export const SPARE = 0;
export const FILLING = 1;
export const FULL = 2;
/** Given away; translations may be left. */
export const FLIPPED = 3;
/** They are not; the guest may be told. */
export const FLUSHED = 4;
/** The guest has been told. */
export const TOLD = 5;

export const receiveTables = {
  rx: table([guest], {
    /** Buffers that the guest has asked for and not got. */
    credits: u8(),
    /** Frames that the VMM lets it own. */
    reservation: u8(),
    misdelivered: oneOf('no', 'yes'),
  }),
  rxFrame: table([frame], {
    stage: oneOf('spare', 'filling', 'full', 'flipped', 'flushed', 'told'),
    /** Guest that the packet in it is for. */
    packet: ref(guest),
    /** A second mapping in the driver domain, with a reference of its own. */
    second: oneOf('no', 'yes'),
  }),
};

export type Receive = Net & State<typeof receiveTables>;
const operation = operationOn<Receive>();

/** A packet for a guest without room is dropped. */
export const dropWithoutRoom = gate('drop without a posted buffer');

const EBUSY = -16;
const ESRCH = -3;
const ENOMEM = -12;
export const TRANSFER_ERRORS = { '-ESRCH': ESRCH, '-EBUSY': EBUSY, '-ENOMEM': ENOMEM } as const;

export function ownedBy(m: Receive, d: number): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === d) n++;
  return n;
}

function freeFrame(m: Receive): number {
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) return f;
  return NONE;
}

function touchFrames(m: Receive, may: Footprint): void {
  for (let f = 0; f < m.frame.rows; f++) {
    touchFrame(m, may, f);
    may.write(m.rxFrame, f);
  }
}

/** The guest asks for a packet: gives a frame back to make room, and posts the request. */
export const post = operation('rx.post', {
  agent: guest,
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

/** The card starts to write a packet into a spare frame of the driver domain. */
export const arrive = operation('rx.arrive', {
  agent: 'card',
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
function canTake(m: Receive, f: number): boolean {
  const g = m.rxFrame.packet[f];
  if (m.domain.life[guestDomain(g)] !== RUNNING || m.rxFrame.second[f] === 1) return false;
  return ownedBy(m, guestDomain(g)) < m.rx.reservation[g];
}

/** A fresh frame from the heap becomes the driver domain's, mapped where the old one was. */
function replaceFrame(m: Receive, f: number): void {
  const fresh = freeFrame(m);
  own(m, fresh, DRIVER);
  charge(m, ALLOCATION);
  m.reach.entry[fresh] = 1;
  m.reach.tlb[fresh] = 1;
  ioMap(m, fresh);
  m.reach.entry[f] = 0;
}

type Flip = { frame: number; guest: number };

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

/** Tells the guests what they have got. */
export const tell = operation('rx.respond', {
  agent: 'driver domain',
  says: 'tells the guests of their packets',
  source: 'Xen 2.0 netback, make_rx_response',
  where: { agent: (m) => serves(m) && m.rxFrame.stage.includes(FLUSHED) },
  touches: (m, _op, may) => {
    for (let f = 0; f < m.rxFrame.rows; f++) may.write(m.rxFrame, f);
  },
  steps: {
    'post the responses': (m) => {
      for (let f = 0; f < m.rxFrame.rows; f++) if (m.rxFrame.stage[f] === FLUSHED) m.rxFrame.stage[f] = TOLD;
    },
    notify: (m) => {
      charge(m, NOTIFICATION);
      hypercall(m);
    },
  },
});

/** The guest takes its packet. */
export const receive = operation('rx.receive', {
  agent: guest,
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

/** A frame of a dead domain goes back to the heap, when it is out of everybody's reach. */
export const relinquish = operation('rx.relinquish', {
  agent: 'vmm',
  says: 'takes {frame} back from its dying owner',
  source: 'xen/arch/x86/domain.c, relinquish_memory',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.frame.owner[op.frame] !== NONE &&
      m.domain.life[m.frame.owner[op.frame]] === DYING &&
      m.rxFrame.second[op.frame] === 0 &&
      !stillReached(m, op.frame),
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  atomic: true,
  steps: {
    'forget its packet': (m, op) => {
      m.rxFrame.stage[op.frame] = SPARE;
      m.rxFrame.packet[op.frame] = NONE;
    },
    'free it': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

/** A new driver domain gets its frames from the heap. */
export const refill = operation('rx.refill', {
  agent: 'driver domain',
  says: 'is given {frame} for packets',
  source: 'xen/common/memory.c, increase_reservation',
  input: { frame },
  where: {
    frame: (m, op) => serves(m) && isFree(m, op.frame) && ownedBy(m, DRIVER) === 0,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.reach, op.frame);
  },
  steps: {
    'take it': (m, op) => own(m, op.frame, DRIVER),
    'map it': (m, op) => {
      m.reach.entry[op.frame] = 1;
      m.reach.tlb[op.frame] = 1;
      ioMap(m, op.frame);
    },
  },
});

/** A guest whose connection is gone gets its frames back from the heap, and asks for nothing. */
export const regain = operation('rx.regain', {
  agent: guest,
  says: 'is given {frame} back',
  source: 'M8: net, buffers are posted again after the restart',
  input: { frame },
  where: {
    agent: (m, op) =>
      guestRuns(m, op.agent) && ownedBy(m, guestDomain(op.agent)) + m.rx.credits[op.agent] < m.rx.reservation[op.agent],
    frame: (m, op) => isFree(m, op.frame),
  },
  touches: (m, op, may) => may.write(m.frame, op.frame),
  steps: { 'take it': (m, op) => own(m, op.frame, guestDomain(op.agent)) },
});

/** The VMM drops a second mapping that a dead driver domain had of a frame of its own. */
export const dropSecond = operation('rx.dropSecond', {
  agent: 'vmm',
  says: 'drops the second mapping of {frame} in the dead driver domain',
  source: 'xen/arch/x86/domain.c, relinquish_memory',
  input: { frame },
  where: { frame: (m, op) => m.domain.life[DRIVER] === DYING && m.rxFrame.second[op.frame] === 1 },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  atomic: true,
  steps: {
    'drop it': (m, op) => {
      m.rxFrame.second[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

function forgetFrame(m: Receive, f: number): void {
  m.rxFrame.stage[f] = SPARE;
  m.rxFrame.packet[f] = NONE;
}

/** What the driver domain knew of its frames is lost with it. A frame that it gave away stays what it is: its guest has not heard of it. */
export function forgetPackets(m: Receive): void {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === DRIVER) forgetFrame(m, f);
}

/** A guest discards what was outstanding: frames that it had got without hearing of it are now its own. */
export function discardReceive(m: Receive, g: number): void {
  m.rx.credits[g] = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === guestDomain(g)) forgetFrame(m, f);
}

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
