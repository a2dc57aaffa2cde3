/**
 * The net channel of the Safe Hardware Interface, on the hardware of 2004 and on today's: transmission and reception, each with hostile
 * ends, with a driver domain that crashes, hangs or is wrongly suspected with DMA in flight, and its restarts.
 */
import { crashGuest, driverDeaths, keepMapping, pushFrame } from '../../faults/architectures/safeHardware/net.js';
import {
  flushAfterResponse,
  flushForgotten,
  idReleasedEarly,
  netUnboundedId,
  neverRefilled,
  neverRestarted,
  neverRevoked,
  noLookAfterEvent,
  oldMappingKept,
  privilegedBackend,
  reusedTooEarly,
  sentAgain,
  sizeUnchecked,
  takesNothingBack,
  transferBeyond,
  transferToDying,
  transferWhileMapped,
  unmapForgotten,
  waitsForBuffers,
  wrongGuest,
} from '../../faults/architectures/safeHardware/netMutants.js';
import { receiveEnds } from '../../model/architectures/safeHardware/netEnds.js';
import { dropWithoutRoom } from '../../model/architectures/safeHardware/netReceive.js';
import {
  flushBeforeResponse,
  foreignCheck,
  headerCopy,
  netIdTest,
  sizeTest,
} from '../../model/architectures/safeHardware/netState.js';
import { dmaRemapping, drainOnWait, iotlbInvalidation } from '../../model/iommu/index.js';
import { module } from '../../model/kernel/index.js';
import {
  answeredOutOfDma,
  answeredUnmapped,
  censusReceive,
  censusTransmit,
  deadReachesNothing,
  dmaSparesGuests,
  dmaSparesOthers,
  dmaSparesVmm,
  filteredIsSent,
  flippedOutOfDma,
  flippedOutOfReach,
  framesConserved,
  mapsOnlyOffered,
  noSleepBesideWork,
  packetsEnd,
  packetsEndUnaided,
  receptionGoesOn,
  responsesMatch,
  reusedWhenSafe,
  rightGuest,
  sentOnce,
  serviceReturns,
  withinPage,
} from '../../properties/architectures/safeHardwareNet.js';
import { claim, type Suite, suite } from '../suite.js';
import type { Era } from './architecture.js';
import { receiveFast, transmitFast } from './safeHardwareFast.js';
import { missing, receiveMachine, transmitMachine } from './safeHardwareNetMachines.js';

/** Sentences of the claims, by which the cells of the matrix name them. */
export const says = {
  mapped: 'a driver domain maps only what is its own or was offered in a channel, and lets go before it answers',
  malformed: 'neither a malformed descriptor nor a malformed response gets anything done that was not asked for',
  doubleFetch: 'what a guest changes after it was checked has no effect: header and descriptor are copied first',
  dmaVmm: 'the driver domain’s card writes no memory of the VMM',
  dmaOthers: 'the driver domain’s card reaches no memory of another domain that was not lent',
  dmaStale: 'a buffer that was answered is out of the card’s reach',
  flipStale: 'a frame that was given away is out of the card’s reach',
  flipDma: 'the driver domain’s card writes no frame that is another’s or nobody’s',
  flipVmm: 'the driver domain’s card writes no memory of the VMM while it receives',
  crash: 'a driver domain that crashes leaves nothing behind, packets end, and service returns',
  hang: 'a driver domain that hangs is ended, and what it had comes back',
  hangUnaided: 'packets end although the driver domain hangs and nobody ends it',
  wake: 'the driver domain never sleeps beside a packet',
  flip: 'a page flip conserves frames, and nothing of them stays with the driver domain',
  exhaustion: 'a guest without buffers holds up nobody',
  share: 'each guest gets its own packets, and no more frames than it may own',
  rxCrash: 'a driver domain that dies while it receives leaves nothing behind, and its frames come back',
} as const;

const assumptions = [
  'one packet fits one buffer of one page; its header and its rest are told apart, its bytes are not',
  'the card’s I/O address space is the driver domain’s: what it owns or has mapped; entries are entered and taken out with the mapping',
  'messages of the handshake are in the suite of the device channel; here a reconnection is one step',
  'guests and driver domain are different domains; the control domain does not fail',
];

const SMALL = { domain: 3, generation: 2, guest: 1, slot: 1, index: 2, work: 1, 'named slot': 2, frame: 2 };

const TWO_SLOTS = { ...SMALL, slot: 2, index: 4, 'named slot': 3, frame: 3 };

const expectation = (era: Era) => (era === 'then' ? 'not contained' : 'contained');

/** Transmission in one era. */
function transmission(era: Era): Suite {
  const iommu = era === 'now';
  return suite(`safe-hardware-net-tx-${era}`, {
    title: `Safe Hardware Interface, ${iommu ? 'with' : 'without'} IOMMU: packets out, with hostile ends and a driver domain that dies`,
    machine: transmitMachine,
    gatesOff: missing(era),
    scope: {
      small: SMALL,
      default: { ...SMALL, generation: 3 },
      large: { ...SMALL, generation: 3, slot: 2, index: 4, 'named slot': 3, frame: 3 },
    },
    claims: [
      claim(says.mapped, {
        keeps: [mapsOnlyOffered, answeredUnmapped],
        against: ['F1', 'F5', 'F10'],
        without: [
          { off: foreignCheck, breaks: mapsOnlyOffered },
          { off: privilegedBackend, breaks: mapsOnlyOffered },
          { off: flushBeforeResponse, breaks: answeredUnmapped },
          { off: flushForgotten, breaks: answeredUnmapped },
          { off: unmapForgotten, breaks: answeredUnmapped },
        ],
      }),
      claim(says.malformed, {
        keeps: [withinPage, responsesMatch],
        against: ['F5'],
        without: [
          { off: sizeTest, breaks: withinPage },
          { off: sizeUnchecked, breaks: withinPage },
          { off: netIdTest, breaks: responsesMatch },
          { off: netUnboundedId, breaks: responsesMatch },
        ],
      }),
      claim(says.doubleFetch, {
        keeps: [filteredIsSent],
        against: ['F6'],
        without: [{ off: headerCopy, breaks: filteredIsSent }],
      }),
      claim(says.wake, {
        keeps: [noSleepBesideWork],
        against: ['F10'],
        without: [{ off: noLookAfterEvent, breaks: noSleepBesideWork, scope: TWO_SLOTS }],
      }),
      claim(says.dmaVmm, {
        keeps: [dmaSparesVmm],
        against: ['F2'],
        without: iommu ? [{ off: dmaRemapping, breaks: dmaSparesVmm }] : [],
        expects: expectation(era),
      }),
      claim(says.dmaOthers, {
        keeps: [dmaSparesOthers],
        against: ['F2'],
        without: iommu
          ? [
              { off: dmaRemapping, breaks: dmaSparesOthers },
              { off: iotlbInvalidation, breaks: dmaSparesOthers },
            ]
          : [],
        expects: expectation(era),
      }),
      claim(says.dmaStale, {
        keeps: [answeredOutOfDma],
        against: ['F3'],
        without: iommu
          ? [
              { off: iotlbInvalidation, breaks: answeredOutOfDma },
              { off: drainOnWait, breaks: answeredOutOfDma },
            ]
          : [],
        expects: expectation(era),
      }),
      claim(says.crash, {
        keeps: [deadReachesNothing, reusedWhenSafe, sentOnce, packetsEnd, serviceReturns, censusTransmit],
        against: ['F10'],
        without: [
          { off: neverRevoked, breaks: deadReachesNothing },
          { off: idReleasedEarly, breaks: deadReachesNothing },
          { off: reusedTooEarly, breaks: reusedWhenSafe },
          { off: sentAgain, breaks: sentOnce },
          { off: takesNothingBack, breaks: packetsEnd },
          { off: neverRestarted, breaks: serviceReturns },
          { off: idReleasedEarly, breaks: censusTransmit },
        ],
      }),
      claim(says.hang, {
        keeps: [packetsEnd, serviceReturns, deadReachesNothing],
        against: ['F11'],
        without: [
          { off: takesNothingBack, breaks: packetsEnd },
          { off: idReleasedEarly, breaks: deadReachesNothing },
        ],
      }),
      transmitFast(era, SMALL),
      claim(says.hangUnaided, { keeps: [packetsEndUnaided], against: ['F11'], without: [], expects: 'not contained' }),
    ],
    mayStop: () => true,
    assumptions,
  });
}

const RX_SMALL = { domain: 3, generation: 2, guest: 1, buffer: 1, frame: 3 };
const TWO_GUESTS = { domain: 4, generation: 1, guest: 2, buffer: 1, frame: 4 };

/** Reception in one era. */
function reception(era: Era): Suite {
  const iommu = era === 'now';
  return suite(`safe-hardware-net-rx-${era}`, {
    title: `Safe Hardware Interface, ${iommu ? 'with' : 'without'} IOMMU: packets in by page flip, with a hostile driver domain that dies`,
    machine: receiveMachine,
    gatesOff: missing(era),
    scope: {
      small: RX_SMALL,
      default: { ...RX_SMALL, generation: 3 },
      large: { ...TWO_GUESTS, generation: 2 },
    },
    claims: [
      claim(says.flip, {
        keeps: [flippedOutOfReach, framesConserved],
        against: ['F4', 'F10', 'F12'],
        without: [
          { off: transferWhileMapped, breaks: flippedOutOfReach },
          { off: oldMappingKept, breaks: flippedOutOfReach },
          { off: flushBeforeResponse, breaks: flippedOutOfReach },
          { off: flushAfterResponse, breaks: flippedOutOfReach },
          { off: transferToDying, breaks: framesConserved },
        ],
      }),
      claim(says.flipVmm, {
        keeps: [dmaSparesVmm],
        against: ['F2'],
        without: iommu ? [{ off: dmaRemapping, breaks: dmaSparesVmm }] : [],
        expects: expectation(era),
      }),
      claim(says.flipDma, {
        keeps: [dmaSparesGuests],
        against: ['F2'],
        without: iommu
          ? [
              { off: dmaRemapping, breaks: dmaSparesGuests },
              { off: iotlbInvalidation, breaks: dmaSparesGuests },
            ]
          : [],
        expects: expectation(era),
      }),
      claim(says.flipStale, {
        keeps: [flippedOutOfDma],
        against: ['F3'],
        without: iommu
          ? [
              { off: iotlbInvalidation, breaks: flippedOutOfDma },
              { off: drainOnWait, breaks: flippedOutOfDma },
            ]
          : [],
        expects: expectation(era),
      }),
      claim(says.rxCrash, {
        keeps: [deadReachesNothing, serviceReturns, censusReceive],
        against: ['F10', 'F11'],
        without: [
          { off: idReleasedEarly, breaks: deadReachesNothing },
          { off: neverRestarted, breaks: serviceReturns },
          { off: neverRefilled, breaks: censusReceive },
        ],
      }),
      receiveFast(era, RX_SMALL),
    ],
    mayStop: () => true,
    assumptions,
  });
}

/** Two guests on one driver domain that has one life. What it checks does not depend on the hardware: there is no attack by DMA in it. */
export const netGuests = suite('safe-hardware-net-guests', {
  title:
    'Safe Hardware Interface: packets in for two guests, which post nothing, die, or are given what they did not ask for',
  machine: {
    ...receiveMachine,
    name: 'net reception of two guests',
    modules: [
      ...receiveMachine.modules.slice(0, -1),
      module('attacks on two guests', {
        tables: {},
        operations: [keepMapping, pushFrame, crashGuest, ...driverDeaths(receiveEnds)],
      }),
    ],
  },
  gatesOff: missing('then'),
  scope: { small: TWO_GUESTS, default: TWO_GUESTS, large: { ...TWO_GUESTS, generation: 2 } },
  claims: [
    claim(says.share, {
      keeps: [rightGuest, framesConserved, flippedOutOfReach],
      against: ['F4', 'F10', 'F12'],
      without: [
        { off: wrongGuest, breaks: rightGuest },
        { off: transferBeyond, breaks: framesConserved },
        { off: transferWhileMapped, breaks: flippedOutOfReach },
      ],
    }),
    claim(says.exhaustion, {
      keeps: [receptionGoesOn],
      against: ['F12'],
      without: [
        { off: dropWithoutRoom, breaks: receptionGoesOn },
        { off: waitsForBuffers, breaks: receptionGoesOn },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

export const netTxThen = transmission('then');
export const netTxNow = transmission('now');
export const netRxThen = reception('then');
export const netRxNow = reception('now');
