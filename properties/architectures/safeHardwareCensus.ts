/** What is held at rest in the Safe Hardware Interface, for each of its machines; and that packets are received once. */
import {
  type Channel,
  CONNECTED as FRONT_CONNECTED,
  SERVING,
} from '../../model/architectures/safeHardware/channelState.js';
import { RUNNING as BACK_RUNNING } from '../../model/architectures/safeHardware/deviceChannel.js';
import { CONNECTED, DRIVER, guestDomain, type Net, serves } from '../../model/architectures/safeHardware/netState.js';
import { ownedBy, type Receive, SPARE } from '../../model/architectures/safeHardware/receiveState.js';
import type { Transmit } from '../../model/architectures/safeHardware/transmitState.js';
import { RUNNING as BACKEND_RUNNING, type Block, KEPT_BACK, LENT, OUTSTANDING, RING } from '../../model/blockState.js';
import { NONE } from '../../model/kernel/index.js';
import { CONNECTED as BUS_CONNECTED } from '../../model/xenbus.js';
import { type Census, leaksNothing } from '../census.js';
import { isQuiescent } from '../paths.js';
import { relation } from '../property.js';

/** How many entries have this value. */
function count(of: ArrayLike<number>, value: number): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) if (of[i] === value) n++;
  return n;
}

/** Sum of the entries. */
function sum(of: ArrayLike<number>): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) n += of[i];
  return n;
}

const ones = (of: ArrayLike<number>): number => count(of, 1);
const none = (): number => 0;
const one = (): number => 1;

const driverServes = (m: Net): boolean =>
  isQuiescent(m) && serves(m) && m.nic.dma[0] === NONE && !m.link.state.some((s) => s !== CONNECTED);

const restarts = (m: Net): number => m.domain.generation[DRIVER];
const domainIds = { held: (m: Net) => m.domain.rows - count(m.domain.life, 0), needed: (m: Net) => m.domain.rows };

/** Transmission: with no packet under way, nothing of the guests is in the driver domain's reach. */
export const transmitCensus: Census<Transmit> = {
  atRest: (m) => driverServes(m) && m.sent.lent.every((f) => f === NONE) && m.txWork.stage.every((s) => s === 0),
  restarts,
  resources: {
    'page-table entries': { held: (m) => ones(m.reach.entry), needed: none },
    translations: { held: (m) => ones(m.reach.tlb) + ones(m.reach.iotlb), needed: none },
    'I/O entries': { held: (m) => ones(m.reach.io), needed: none },
    'references to frames': { held: (m) => sum(m.frame.refs), needed: (m) => m.frame.rows },
    'slots in use': { held: (m) => m.txSlot.rows - count(m.txSlot.state, 0), needed: none },
    'domain ids': domainIds,
  },
};

/** Frames that a domain owns and the card or processor of the driver domain still has. */
function strayEntries(m: Receive): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) {
    if (m.frame.owner[f] === DRIVER) continue;
    n += m.reach.entry[f] + m.reach.tlb[f] + m.reach.io[f] + m.reach.iotlb[f];
  }
  return n;
}

/** Frames of guests, and those that they have given back for a packet to come. */
function framesOfGuests(m: Receive): number {
  let n = 0;
  for (let g = 0; g < m.rx.rows; g++) n += ownedBy(m, guestDomain(g)) + m.rx.credits[g];
  return n;
}

/** Reception: the driver domain has the frames that it was given, mapped; guests have what is theirs. */
export const receiveCensus: Census<Receive> = {
  atRest: (m) =>
    driverServes(m) &&
    m.rxFrame.stage.every((s) => s === SPARE) &&
    ownedBy(m, DRIVER) > 0 &&
    framesOfGuests(m) >= sum(m.rx.reservation),
  restarts,
  resources: {
    'frames of the driver domain': { held: (m) => ownedBy(m, DRIVER), needed: one },
    'frames of guests': { held: framesOfGuests, needed: (m) => sum(m.rx.reservation) },
    'page-table entries': { held: (m) => ones(m.reach.entry), needed: (m) => ownedBy(m, DRIVER) },
    'entries and translations of others\u2019 frames': { held: strayEntries, needed: none },
    'second mappings': { held: (m) => ones(m.rxFrame.second), needed: none },
    'domain ids': domainIds,
  },
};

/** Pages of all frontends that some backend has mapped, each mapping counted. */
function mappings(m: Block): number {
  let n = 0;
  for (let row = 0; row < m.page.rows; row++) for (let bits = m.page.readers[row]; bits !== 0; bits &= bits - 1) n++;
  return n;
}

/** Block: one backend, one ring, mapped once. */
export const blockCensus: Census<Block> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.fe.state[0] === BUS_CONNECTED &&
    m.node.back[0] === BUS_CONNECTED &&
    m.fe.epoch[0] === m.device.epoch[0] &&
    m.node.epoch[0] === m.device.epoch[0] &&
    count(m.be.life, BACKEND_RUNNING) === 1 &&
    !m.client.state.includes(OUTSTANDING) &&
    m.pool.stage.every((s) => s === 0),
  restarts: (m) => m.device.epoch[0],
  resources: {
    'mappings of pages': { held: mappings, needed: one },
    'pages for rings': { held: (m) => count(m.page.use, RING), needed: one },
    'pages lent or kept back': { held: (m) => count(m.page.use, LENT) + count(m.page.use, KEPT_BACK), needed: none },
    grants: { held: (m) => m.page.rows - count(m.page.access, 0), needed: one },
    'entries of the shadow': { held: (m) => m.shadow.rows - count(m.shadow.request, NONE), needed: none },
    'places of backends': { held: (m) => m.be.rows - count(m.be.life, 0), needed: one },
  },
};

/** The device channel: one ring page, and no message on its way. */
export const channelCensus: Census<Channel> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.back.life[0] === BACK_RUNNING &&
    m.front.state[0] === FRONT_CONNECTED &&
    m.front.submitted[0] === 0 &&
    m.ctl.step[0] === SERVING &&
    m.mail.message.every((x) => x === 0),
  restarts: (m) => m.back.epoch[0],
  resources: {
    'pages for rings': { held: (m) => ones(m.own.use), needed: one },
    'mappings of rings': { held: (m) => (m.back.mapped[0] === NONE ? 0 : 1), needed: one },
    'requests in work': { held: (m) => m.back.refs[0], needed: none },
  },
};

export const transmitLeaksNothing = leaksNothing('X-R1', 'census of transmission, k restarts', transmitCensus);
export const receiveLeaksNothing = leaksNothing('X-R1', 'census of reception, k restarts', receiveCensus);
export const blockLeaksNothing = leaksNothing('X-R1', 'census of block, k restarts', blockCensus);
export const channelLeaksNothing = leaksNothing('X-R1', 'census of the channel, k restarts', channelCensus);

/** M8: frames may be lost, and none comes twice. */
export const receivedOnce = relation<Receive>('X-S7', 'received once', {
  states: 'what a guest receives, the card has written for it, and it has not received before',
  holds: (before, m) =>
    m.current.op.name !== 'rx.receive' || before.rxFrame.packet[m.current.call.frame] === m.current.call.agent,
  explain: (_before, m) => `guest ${m.current.call.agent} receives what it has received before, or what is not for it`,
  witnesses: {
    'a packet waits for its guest after a restart': (m) => m.rxFrame.stage.includes(5) && restarts(m) > 0,
    'a guest has been told by a driver domain that is dead': (m) =>
      m.rxFrame.stage.includes(5) && m.domain.life[DRIVER] !== 1,
  },
});
