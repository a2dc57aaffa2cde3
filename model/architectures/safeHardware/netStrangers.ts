/**
 * Strangers of the network driver domain (X-L2): another guest, and another driver domain with a card of its own that sends the guest's
 * packets. They share nothing with the first driver domain but the machine: frames, domains, the VMM that takes back what a dead domain
 * reached, the controller that gives cards to driver domains.
 *
 * Their path is that of transmission (M7), one packet at a time and honest: offer, map, copy the header, send, unmap, answer, collect. What
 * a packet consists of is who wrote it last. Source: Fraser et al. 2004; Xen 2.0 netback and netfront.
 */
import { domain, RUNNING } from '../../domains.js';
import { frame } from '../../frames.js';
import { dmaRemapping } from '../../iommu/index.js';
import { type Footprint, module, NONE, oneOf, operationOn, ref, type State, table } from '../../kernel/index.js';
import { type Recoverable, recoveryModule, restart } from './netRecovery.js';
import { CLOSED, CONNECTED, DRIVER, guest, type Net, own } from './netState.js';

/** Stages of the strangers' packet. */
export const IDLE = 0;
export const OFFERED = 1;
export const LENT = 2;
export const COPIED = 3;
export const ON_CARD = 4;
export const OUT = 5;
export const ANSWERED = 6;

export const strangerTables = {
  /** How the other driver domain reaches a frame: its page tables, and its card's I/O address space. */
  otherReach: table([frame], { entry: oneOf('no', 'yes'), io: oneOf('no', 'yes') }),
  other: table([], {
    link: oneOf('closed', 'connected'),
    stage: oneOf('nothing', 'offered', 'mapped', 'header copied', 'on the card', 'out', 'answered'),
    /** The packet that went out last: who had written what the card read of its header, and of its body. */
    header: ref(domain),
    body: ref(domain),
  }),
  /** Which network cards the controller has given to a domain: the first driver domain's, and the other's. */
  drives: table([domain], { first: oneOf('no', 'yes'), second: oneOf('no', 'yes') }),
};

export type Strangers = Net & State<typeof strangerTables>;

/** The guest that the first driver domain does nothing for: the domain behind all of its guests. */
export const otherGuest = (m: Net): number => m.size(guest) + 2;
/** The driver domain that serves that guest. */
export const otherDriver = (m: Net): number => m.size(guest) + 3;
/** The buffer of the other guest. */
export const otherBuffer = (m: Net): number => m.frame.rows - 2;
/** Private memory of the other driver domain, into which it copies headers. */
export const otherPage = (m: Net): number => m.frame.rows - 1;

/** Row of what is in a frame; one half stands for all of it. */
export const contentOf = (m: Net, f: number): number => m.content.at(f, 0);

const guestWorks = (m: Strangers): boolean => m.domain.life[otherGuest(m)] === RUNNING;
const driverWorks = (m: Strangers): boolean => m.domain.life[otherDriver(m)] === RUNNING;

const operation = operationOn<Strangers>();

export const offer = operation('other.send', {
  agent: 'other guest',
  path: 'submit',
  says: 'writes a packet and offers it',
  source: 'Xen 2.0 netfront, network_start_xmit',
  where: { agent: (m) => guestWorks(m) && m.other.link[0] === CONNECTED && m.other.stage[0] === IDLE },
  touches: (m, _op, may) => {
    may.write(m.other);
    may.write(m.content, contentOf(m, otherBuffer(m)));
  },
  steps: {
    'write the packet': (m) => {
      m.content.writer[contentOf(m, otherBuffer(m))] = otherGuest(m);
    },
    'offer it': (m) => {
      m.other.stage[0] = OFFERED;
    },
  },
});

export const lend = operation('other.map', {
  agent: 'other driver domain',
  path: 'submit',
  says: 'maps the packet',
  source: 'Xen 2.0 netback, net_tx_action',
  where: { agent: (m) => driverWorks(m) && m.other.stage[0] === OFFERED },
  touches: (m, _op, may) => {
    may.write(m.other);
    may.write(m.otherReach, otherBuffer(m));
  },
  steps: {
    map: (m) => {
      m.otherReach.entry[otherBuffer(m)] = 1;
      if (m.on(dmaRemapping)) m.otherReach.io[otherBuffer(m)] = 1;
      m.other.stage[0] = LENT;
    },
  },
});

export const copyHeader = operation('other.filter', {
  agent: 'other driver domain',
  path: 'submit',
  says: 'copies the header',
  source: 'Xen 2.0 netback, net_tx_action: PKT_PROT_LEN bytes',
  where: { agent: (m) => driverWorks(m) && m.other.stage[0] === LENT && m.otherReach.entry[otherBuffer(m)] === 1 },
  touches: (m, _op, may) => {
    may.write(m.other);
    may.write(m.content, contentOf(m, otherPage(m)));
  },
  steps: {
    'copy it': (m) => {
      m.content.writer[contentOf(m, otherPage(m))] = m.content.writer[contentOf(m, otherBuffer(m))];
      m.other.stage[0] = COPIED;
    },
  },
});

export const startCard = operation('other.transmit', {
  agent: 'other driver domain',
  path: 'translate',
  says: 'hands the packet to its card',
  source: 'Xen 2.0 netback, dev_queue_xmit',
  where: {
    agent: (m) =>
      driverWorks(m) &&
      m.other.stage[0] === COPIED &&
      m.drives.second[otherDriver(m)] === 1 &&
      (!m.on(dmaRemapping) || m.otherReach.io[otherBuffer(m)] === 1),
  },
  touches: (m, _op, may) => may.write(m.other),
  steps: {
    'write the descriptor': (m) => {
      m.other.stage[0] = ON_CARD;
    },
  },
});

export const sendOut = operation('other.complete', {
  agent: 'other card',
  path: 'complete',
  says: 'sends the packet',
  where: { agent: (m) => m.other.stage[0] === ON_CARD },
  touches: (m, _op, may) => may.write(m.other),
  atomic: true,
  steps: {
    'read and send it': (m) => {
      m.other.header[0] = m.content.writer[contentOf(m, otherPage(m))];
      m.other.body[0] = m.content.writer[contentOf(m, otherBuffer(m))];
      m.other.stage[0] = OUT;
    },
  },
});

export const answer = operation('other.respond', {
  agent: 'other driver domain',
  path: 'complete',
  says: 'unmaps the packet and answers',
  source: 'Xen 2.0 netback, make_tx_response',
  where: { agent: (m) => driverWorks(m) && m.other.stage[0] === OUT },
  touches: (m, _op, may) => {
    may.write(m.other);
    may.write(m.otherReach, otherBuffer(m));
  },
  steps: {
    unmap: (m) => {
      m.otherReach.entry[otherBuffer(m)] = 0;
      m.otherReach.io[otherBuffer(m)] = 0;
    },
    answer: (m) => {
      m.other.stage[0] = ANSWERED;
    },
  },
});

export const takeBuffer = operation('other.collect', {
  agent: 'other guest',
  path: 'complete',
  says: 'collects the answer, and uses its buffer for something else',
  source: 'Xen 2.0 netfront, network_tx_buf_gc',
  where: { agent: (m) => guestWorks(m) && m.other.link[0] === CONNECTED && m.other.stage[0] === ANSWERED },
  touches: (m, _op, may) => {
    may.write(m.other);
    may.write(m.content, contentOf(m, otherBuffer(m)));
  },
  steps: {
    'take the buffer back': (m) => {
      m.content.writer[contentOf(m, otherBuffer(m))] = NONE;
      m.other.header[0] = NONE;
      m.other.body[0] = NONE;
      m.other.stage[0] = IDLE;
    },
  },
});

/** Their packet is mapped in the beginning, which makes counterexamples short. The last two frames are theirs, whoever had them before. */
function start(m: Strangers): void {
  const buffer = otherBuffer(m);
  own(m, buffer, otherGuest(m));
  own(m, otherPage(m), otherDriver(m));
  for (let f = buffer; f < m.frame.rows; f++) {
    m.reach.entry[f] = 0;
    m.reach.tlb[f] = 0;
    m.reach.io[f] = 0;
  }
  m.content.writer[contentOf(m, buffer)] = otherGuest(m);
  m.otherReach.entry[buffer] = 1;
  if (m.on(dmaRemapping)) m.otherReach.io[buffer] = 1;
  m.other.link[0] = CONNECTED;
  m.other.stage[0] = LENT;
  m.other.header[0] = NONE;
  m.other.body[0] = NONE;
  m.drives.first[DRIVER] = 1;
  m.drives.second[otherDriver(m)] = 1;
}

/** Scope: what the first driver domain's part needs, with two `domain`s and two `frame`s more. */
export const netStrangers = module<Strangers, typeof strangerTables>('strangers', {
  tables: strangerTables,
  operations: [offer, lend, copyHeader, startCard, sendOut, answer, takeBuffer],
  initial: start,
  map: (m) => {
    const stage = ['nothing', 'a packet offered', 'mapped', 'header copied', 'on the card', 'out', 'answered'];
    const link = m.other.link[0] === CLOSED ? 'closed' : 'connected';
    const lines = [
      `other guest (domain ${otherGuest(m)}), ${link}, by domain ${otherDriver(m)}: ${stage[m.other.stage[0]]}`,
    ];
    for (let d = 0; d < m.drives.rows; d++) {
      if (m.drives.first[d] === 1) lines.push(`first card: domain ${d}`);
      if (m.drives.second[d] === 1) lines.push(`second card: domain ${d}`);
    }
    return lines;
  },
});

/** The controller gives a new driver domain the first card, and no other. */
export const restartWithCard = operation('manager.restart', {
  ...restart,
  says: 'starts a new driver domain, and gives it the first card',
  touches: (m, _op, may: Footprint) => {
    may.write(m.domain, DRIVER);
    may.write(m.drives, DRIVER);
  },
  steps: {
    ...restart.steps,
    'give it the card': (m) => {
      m.drives.first[DRIVER] = 1;
    },
  },
});

/** What dies with a driver domain beside strangers: its cards are nobody's until the controller gives them away again. */
export function endsBesideStrangers<M extends Strangers>(by: Recoverable<Net & M>): Recoverable<M> {
  return {
    ...by,
    forget: (m) => {
      by.forget(m);
      m.drives.first[DRIVER] = 0;
      m.drives.second[DRIVER] = 0;
    },
    touches: (m, may) => {
      by.touches(m, may);
      may.write(m.drives, DRIVER);
    },
  };
}

/** Failure and restart, with cards that the controller gives away. */
export function recoveryBesideStrangers(...operations: Parameters<typeof recoveryModule>) {
  const plain = recoveryModule(...operations);
  return { ...plain, operations: plain.operations.map((o) => (o.name === restart.name ? restartWithCard : o)) };
}
