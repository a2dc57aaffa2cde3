/**
 * The fast path of the net channel of the Safe Hardware Interface (1d, 2d): a claim for the suites of both eras, whatever dies in them; and
 * batches, two packets at once, so that there is something to be notified of once only.
 */
import {
  flipAllocates,
  flipCopies,
  netAnswersLoudly,
  netAsks,
  netBounces,
  netCopies,
  netNotifies,
  receiveLoudly,
} from '../../faults/architectures/fastpath.js';
import { buffer, FLUSHED, netReceive, type Receive, TOLD } from '../../model/architectures/safeHardware/netReceive.js';
import { DRIVER, guestDomain, own } from '../../model/architectures/safeHardware/netState.js';
import {
  ANSWER,
  AWAKE,
  NOTHING,
  netTransmit,
  REQUEST,
  RESPONSE,
  send,
  type Transmit,
} from '../../model/architectures/safeHardware/netTransmit.js';
import { domains } from '../../model/domains.js';
import { frames } from '../../model/frames.js';

import { flag, module, type Scope } from '../../model/kernel/index.js';
import { ringIndex } from '../../model/ring.js';
import {
  receiveFrugal,
  receiveFrugalPerBuffer,
  receiveWoken,
  transmitFrugal,
  transmitFrugalPerBuffer,
  transmitWoken,
} from '../../properties/architectures/fastpath.js';
import { type Claim, claim, suite } from '../suite.js';
import type { Era } from './architecture.js';

const BATCH = 2;
const bare = [
  { ...domains, operations: [] },
  { ...frames, operations: [] },
];

const frugalBatch = transmitFrugalPerBuffer(BATCH);
const frugalOne = transmitFrugalPerBuffer(1);

/** Transmission, one packet at a time; counterparts run in the scope that is given. */
export function transmitFast(era: Era, scope: Scope): Claim {
  const frugal = era === 'now' ? frugalOne : transmitFrugal;
  return claim('a packet goes out without an allocation, a control message or a copy of its payload', {
    keeps: [frugal],
    against: ['F5', 'F6'],
    without: [netAsks, netCopies, netBounces].map((off) => ({ off, breaks: frugal, scope })),
  });
}

/** Reception. */
export function receiveFast(era: Era, scope: Scope): Claim {
  const frugal = era === 'now' ? receiveFrugalPerBuffer : receiveFrugal;
  return claim('a packet comes in by one page flip, and nobody copies it or asks the control domain', {
    keeps: [frugal],
    against: ['F4', 'F12'],
    without: [flipCopies, flipAllocates].map((off) => ({ off, breaks: frugal, scope })),
  });
}

/** As many packets as there are indices, less one: an index that turns meets an event index that was set a whole turn ago. */
const oneTurn: typeof netTransmit = {
  ...netTransmit,
  operations: netTransmit.operations.map((op) =>
    op.name === send.name ? { ...send, where: { ...send.where, agent: hasTurnLeft } } : op,
  ),
};

function hasTurnLeft(m: Transmit, op: Parameters<NonNullable<NonNullable<typeof send.where>['agent']>>[1]): boolean {
  return m.txRing.prod[op.agent] + 1 < m.size(ringIndex) && (send.where?.agent?.(m, op) ?? true);
}

/** One response to collect, and one to be posted: what two packets lead to when the second is slower. It makes counterexamples short. */
const answeredOne = module<Transmit, Record<never, never>>('start of a batch', {
  tables: {},
  operations: [],
  initial: (m) => {
    if (m.txWork.stage[0] !== NOTHING || m.choose(flag, 'a packet is answered, and another one sent') === 0) return;
    m.txRing.prod[0] = 2;
    m.txRing.cons[0] = 2;
    m.txRing.backend[0] = AWAKE;
    m.txSlot.state[0] = RESPONSE;
    m.txSlot.state[1] = REQUEST;
    m.txSlot.frame[1] = 2;
    for (let s = 0; s < 2; s++) {
      m.sent.lent[s] = 1 + s;
      m.sent.wire[s] = 1;
    }
    m.txWork.stage[1] = ANSWER;
    m.txWork.guest[1] = 0;
    m.txWork.slot[1] = 1;
  },
});

const txScope = { domain: 3, generation: 1, guest: 1, slot: 2, index: 4, work: BATCH, 'named slot': 3, frame: 3 };

export const transmitBatch = suite('safe-hardware-batch-tx', {
  title: 'Safe Hardware Interface: two packets out at once, each mapped once, and one notification a batch',
  machine: {
    name: 'net transmission in batches',
    modules: [...bare, oneTurn, answeredOne],
  },
  scope: {
    small: txScope,
    default: txScope,
    large: { domain: 3, generation: 1, guest: 1, slot: 4, index: 8, work: 2, 'named slot': 5, frame: 4 },
  },
  claims: [
    claim(
      'a batch of packets goes out with one mapping each, and no allocation, control message or copy of a payload',
      {
        keeps: [frugalBatch],
        against: [],
        without: [{ off: netCopies, breaks: frugalBatch }],
      },
    ),
    claim('nobody is notified along a transmission ring in which something waits', {
      keeps: [transmitWoken],
      against: [],
      without: [
        { off: netNotifies, breaks: transmitWoken },
        { off: netAnswersLoudly, breaks: transmitWoken },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'one packet fits one buffer of one page',
    'scoped: indices do not turn; each turn of 2^32 packets may bring one notification for an event index of the turn before',
    'the guest is notified of responses when it has collected all before them: so it sets its event index',
  ],
});

/** One packet to receive, and one to be told of; the frames that the guest has given back are the driver domain's. */
const toldOne = module<Receive, Record<never, never>>('start of a batch', {
  tables: {},
  operations: [],
  initial: (m) => {
    if (m.size(buffer) !== 2 || m.choose(flag, 'a packet is there, and another one flipped') === 0) return;
    for (let f = 1; f < 5; f++) {
      const flipped = f > 2;
      own(m, f, flipped ? guestDomain(0) : DRIVER);
      m.reach.entry[f] = flipped ? 0 : 1;
      m.reach.io[f] = flipped ? 0 : 1;
      m.reach.tlb[f] = 0;
      m.reach.iotlb[f] = 0;
    }
    m.rxFrame.stage[3] = TOLD;
    m.rxFrame.stage[4] = FLUSHED;
    m.rxFrame.packet[3] = 0;
    m.rxFrame.packet[4] = 0;
  },
});

const rxScope = { domain: 3, generation: 1, guest: 1, buffer: 2, frame: 5 };

export const receiveBatch = suite('safe-hardware-batch-rx', {
  title: 'Safe Hardware Interface: two packets in at once, each flipped once, and one notification a batch',
  machine: { name: 'net reception in batches', modules: [...bare, netReceive, toldOne] },
  scope: { small: rxScope, default: rxScope, large: { domain: 3, generation: 1, guest: 1, buffer: 3, frame: 7 } },
  claims: [
    claim('a batch of packets comes in with one page flip each, and no control message or copy', {
      keeps: [receiveFrugalPerBuffer],
      against: [],
      without: [{ off: flipCopies, breaks: receiveFrugalPerBuffer }],
    }),
    claim('no guest is notified of packets while it has some to receive', {
      keeps: [receiveWoken],
      against: [],
      without: [{ off: receiveLoudly, breaks: receiveWoken }],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'the frame that takes the place of one given away is an allocation: a guest gives one back for each that it asks for',
  ],
});

export const batchSuites = [transmitBatch, receiveBatch] as const;
