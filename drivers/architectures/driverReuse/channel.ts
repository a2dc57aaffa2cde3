/**
 * The channel of the driver-reuse architecture: the ring under attack, reception, interrupts. No hardware of either era changes it, so the
 * suites serve both.
 */

import {
  channelFaults,
  earlyAnswer,
  inPlace,
  openRange,
  receiveFaults,
  sharedStatus,
  silentFinish,
  sleepsAtOnce,
  stormFaults,
  uncheckedAddress,
} from '../../../faults/architectures/driverReuse/channel.js';
import {
  answersLoudly,
  copiesPages,
  copiesTwice,
  mapsPages,
  signalsAlways,
  wakesForEach,
} from '../../../faults/architectures/fastpath.js';
import { channel } from '../../../model/architectures/driverReuse/channel.js';
import {
  addressCheck,
  lastLook,
  ownNotes,
  ownStatusPage,
  rangePrivilege,
  snapshot,
  vectorQuota,
} from '../../../model/architectures/driverReuse/channelState.js';
import { interruptIpc, maskUntilAnswer, scheduled } from '../../../model/architectures/driverReuse/interruptIpc.js';
import { copyBounds, noWaiting, queueBound, receive } from '../../../model/architectures/driverReuse/receive.js';
import type { MachineDef } from '../../../model/kernel/index.js';
import {
  ddCopy,
  ddDelivered,
  ddMasked,
  ddNotes,
  ddOwner,
  ddOwnMemory,
  ddProcessor,
  ddQueue,
  ddRange,
  ddServed,
  ddShare,
  ddSingleFetch,
  ddWake,
} from '../../../properties/architectures/driverReuse/channel.js';
import {
  channelFrugal,
  channelWoken,
  deliverFrugal,
  deliverWoken,
} from '../../../properties/architectures/fastpath.js';
import { claim, suite } from '../../suite.js';
import { open } from './claims.js';

export const channelMachine: MachineDef = {
  name: 'driver reuse: channel',
  modules: [channel, channelFaults],
};
export const receiveMachine: MachineDef = {
  name: 'driver reuse: reception',
  modules: [receive, receiveFaults],
};
export const interruptMachine: MachineDef = {
  name: 'driver reuse: interrupts',
  modules: [interruptIpc, stormFaults],
};

export const CHANNEL_SAYS = {
  malformed: 'the server believes no address that a client leaves in its ring',
  answers: 'a client believes no answer to what it has not asked',
  copies: 'a copy into a client ends where the client\u2019s buffer ends',
  fetch: 'a server that copies the slot before it looks uses what it has validated',
  inPlace: 'the published server, which reads slots in place, uses what it has validated',
  unchecked:
    'the published server, which adds the bus base and checks nothing, keeps to its clients\u2019 memory (GAP-V3)',
  sharedPage: 'with one status page for all clients, no wake-up is lost (GAP-V2)',
  range: 'the published monitor tells nobody where a client\u2019s memory lies (GAP-V1)',
  share: 'no client takes the server\u2019s memory, queue or attention from another',
  packets: 'a client that does not read loses its own packets only',
  storm: 'an interrupt storm takes the DD/OS\u2019s own turns only',
} as const;

const small = { client: 2, slot: 1, vector: 1 };
const twoSlots = { client: 2, slot: 2, vector: 2 };

/** The ring. */
export const channelSuite = suite('driver-reuse-channel', {
  title:
    'a server and its clients share rings with ownership bits; the last client is hostile, and so may the server be',
  machine: channelMachine,
  scope: { small, default: twoSlots, large: { client: 3, slot: 1, vector: 3 } },
  claims: [
    claim(CHANNEL_SAYS.malformed, {
      keeps: [ddOwnMemory, ddRange],
      against: ['F5', 'F13'],
      without: [
        { off: addressCheck, breaks: ddOwnMemory },
        { off: rangePrivilege, breaks: ddRange },
        { off: uncheckedAddress, breaks: ddOwnMemory },
        { off: openRange, breaks: ddRange },
      ],
    }),
    claim(CHANNEL_SAYS.answers, {
      keeps: [ddOwner, ddNotes],
      against: ['F5'],
      without: [
        { off: ownNotes, breaks: ddNotes },
        { off: earlyAnswer, breaks: ddOwner },
      ],
    }),
    claim(CHANNEL_SAYS.fetch, {
      keeps: [ddSingleFetch],
      against: ['F6'],
      without: [
        { off: snapshot, breaks: ddSingleFetch },
        { off: inPlace, breaks: ddSingleFetch },
      ],
    }),
    claim(CHANNEL_SAYS.share, {
      keeps: [ddWake, ddShare, ddServed],
      against: ['F7', 'F12'],
      without: [
        { off: ownStatusPage, breaks: ddWake },
        { off: lastLook, breaks: ddWake },
        { off: vectorQuota, breaks: ddShare },
        { off: sharedStatus, breaks: ddWake },
        { off: sleepsAtOnce, breaks: ddWake },
        { off: silentFinish, breaks: ddServed, scope: small },
      ],
    }),
    claim('a request takes a signal at most, and no mapping, allocation or copy', {
      keeps: [channelFrugal],
      against: ['F5', 'F6', 'F12'],
      without: [
        { off: mapsPages, breaks: channelFrugal, scope: small },
        { off: copiesPages, breaks: channelFrugal, scope: small },
      ],
    }),
    claim('nobody is signalled along a ring in which something waits', {
      keeps: [channelWoken],
      against: ['F7', 'F12'],
      without: [
        { off: signalsAlways, breaks: channelWoken, scope: twoSlots },
        { off: answersLoudly, breaks: channelWoken, scope: twoSlots },
      ],
    }),
  ],
  assumptions: [
    'a hostile server may hand a slot back without having done the I/O: the client asks its own checks of what it reads, end to end',
    'a client page that is lent is lent for reading and writing',
    'a client never waits for the server inside its own operations',
  ],
});

/** The same ring as the code was published. */
export const publishedChannel = suite('driver-reuse-published-channel', {
  title: 'the same rings as the code was published: GAP-V1, GAP-V2, GAP-V3, and slots that are read where they lie',
  machine: channelMachine,
  edits: [...inPlace.edits, ...uncheckedAddress.edits, ...sharedStatus.edits, ...openRange.edits],
  scope: { small, default: small, large: { client: 2, slot: 2, vector: 2 } },
  claims: [
    open(CHANNEL_SAYS.inPlace, ddSingleFetch, ['F6']),
    open(CHANNEL_SAYS.unchecked, ddOwnMemory, ['F5']),
    open(CHANNEL_SAYS.sharedPage, ddWake, ['F7']),
    open(CHANNEL_SAYS.range, ddRange, ['F13']),
  ],
  assumptions: ['the code as published, read from its sources; else as driver-reuse-channel'],
});

const twoReceivers = { client: 3, 'queue length': 2, receiver: 2 };

/** Reception. */
export const receiveSuite = suite('driver-reuse-receive', {
  title: 'packets are copied to clients that wait for them, and dropped for clients that do not',
  machine: receiveMachine,
  scope: {
    small: { client: 2, 'queue length': 1, receiver: 1 },
    default: twoReceivers,
    large: { client: 4, 'queue length': 3, receiver: 2 },
  },
  claims: [
    claim(CHANNEL_SAYS.copies, { keeps: [ddCopy], against: ['F5'], without: [{ off: copyBounds, breaks: ddCopy }] }),
    claim(CHANNEL_SAYS.packets, {
      keeps: [ddQueue, ddDelivered],
      against: ['F12'],
      without: [
        { off: queueBound, breaks: ddQueue },
        { off: noWaiting, breaks: ddDelivered },
      ],
    }),
    claim('a packet is copied once, by the hypervisor, and a client that has packets is not woken for more', {
      keeps: [deliverFrugal, deliverWoken],
      against: ['F12'],
      without: [
        { off: copiesTwice, breaks: deliverFrugal },
        { off: wakesForEach, breaks: deliverWoken, scope: twoReceivers },
      ],
    }),
  ],
  assumptions: ['the hypervisor copies; its own memory and time are not part of this machine'],
});

/** Interrupts. */
export const interruptSuite = suite('driver-reuse-interrupts', {
  title: 'a device interrupts without end; interrupts are messages to a thread of the DD/OS',
  machine: interruptMachine,
  scope: { small: { client: 1 }, default: { client: 2 }, large: { client: 4 } },
  claims: [
    claim(CHANNEL_SAYS.storm, {
      keeps: [ddProcessor, ddMasked],
      against: ['F9'],
      without: [
        { off: scheduled, breaks: ddProcessor },
        { off: maskUntilAnswer, breaks: ddMasked },
      ],
    }),
  ],
  assumptions: [
    'turns, not times: that a turn ends is the timer\u2019s doing',
    'lines are not shared between DD/OSes; masking a line costs the hypervisor the same however often it is asserted',
  ],
});
