/**
 * Two network driver domains of the Safe Hardware Interface, each with a card and a guest of its own; one fails, or is hostile, and the guest
 * and driver domain of the other notice nothing.
 */
import { driverDeaths, hangDriver, mapForeign } from '../../faults/architectures/safeHardware/net.js';
import { privilegedBackend } from '../../faults/architectures/safeHardware/netMutants.js';
import {
  aimWrite,
  everyCardGiven,
  everyoneDisconnected,
  landWrite,
  oneIoSpace,
  refilledFromAll,
  relinquishedFromAll,
  resetOther,
  spareBesideSuspect,
  store,
  takenFromAll,
  waitsForHung,
} from '../../faults/architectures/safeHardware/strangers.js';
import { translation } from '../../faults/memory.js';
import { receiveEnds, transmitEnds } from '../../model/architectures/safeHardware/netEnds.js';
import { dropSecond, netReceive, type Receive } from '../../model/architectures/safeHardware/netReceive.js';
import { type Recoverable, recoveryOf } from '../../model/architectures/safeHardware/netRecovery.js';
import { foreignCheck } from '../../model/architectures/safeHardware/netState.js';
import {
  endsBesideStrangers,
  netStrangers,
  recoveryBesideStrangers,
  type Strangers,
} from '../../model/architectures/safeHardware/netStrangers.js';
import { idle, netTransmit, sleep, type Transmit } from '../../model/architectures/safeHardware/netTransmit.js';
import { domains } from '../../model/domains.js';
import { frames } from '../../model/frames.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import { registerMmu } from '../../model/ioSpace.js';
import { type AnyModule, type AnyOperation, drop, type MachineDef, module } from '../../model/kernel/index.js';
import {
  netDmaUnnoticed,
  netFailuresUnnoticed,
  netStoresUnnoticed,
  oneDriver,
  othersEnd,
  othersIntact,
} from '../../properties/architectures/safeHardwareStrangers.js';
import { claim, type Suite, suite } from '../suite.js';
import type { Era } from './architecture.js';
import { missing } from './safeHardwareNetMachines.js';

/** Sentences of the claims. */
export const netStrangersSay = {
  failures: 'guests of another network driver domain notice nothing of a crash, a hang or a wrong suspicion',
  stores: 'guests of another network driver domain notice nothing of what a hostile one maps and writes',
  frames: 'guests of another network driver domain notice nothing when one fails whose frames change hands',
  dma: 'guests of another network driver domain notice nothing of what a hostile one’s card writes',
} as const;

/** One half of the net channel beside strangers, with the attacks that its suite is about. */
function beside<M extends Strangers>(
  name: string,
  half: AnyModule,
  ends: Recoverable<M>,
  attacks: readonly AnyOperation[],
): MachineDef {
  const { destroy, disconnected } = recoveryOf(ends);
  return {
    name,
    modules: [
      { ...domains, operations: [] },
      { ...frames, operations: [] },
      half,
      netStrangers,
      recoveryBesideStrangers([destroy, disconnected]),
      module('attacks beside strangers', { tables: {}, operations: [...attacks, hangDriver, ...driverDeaths(ends)] }),
    ],
  };
}

const machine = beside(
  'net transmission beside strangers',
  netTransmit,
  endsBesideStrangers<Transmit & Strangers>(transmitEnds),
  [mapForeign, store, resetOther, aimWrite, landWrite],
);

const assumptions = [
  'scoped: strangers are honest and send one packet at a time; hostile guests are in the suites of transmission and reception',
  'scoped: strangers ask for no memory, so that what the dead return is no news to them',
  'time is no part of what strangers see: that processor, bus and wire are shared is not modelled',
  'messages of the handshake are in the suite of the device channel; here a reconnection is one step',
  'the control domain does not fail; the controller gives a card to a domain in the step in which it starts it',
];

const SCOPE = { domain: 5, generation: 2, guest: 1, slot: 1, index: 2, work: 1, 'named slot': 2, frame: 4 };

function strangers(era: Era): Suite {
  const iommu = era === 'now';
  return suite(`safe-hardware-net-strangers-${era}`, {
    title: `Safe Hardware Interface, ${iommu ? 'with' : 'without'} IOMMU: two network driver domains, of which one is hostile, fails and comes back`,
    machine,
    gatesOff: missing(era),
    edits: [drop(idle), drop(sleep)],
    scope: {
      small: SCOPE,
      default: SCOPE,
      large: { ...SCOPE, generation: 4 },
    },
    claims: [
      claim(netStrangersSay.failures, {
        keeps: [netFailuresUnnoticed, othersEnd, oneDriver],
        against: ['F10', 'F11'],
        without: [
          { off: everyoneDisconnected, breaks: netFailuresUnnoticed },
          { off: takenFromAll, breaks: netFailuresUnnoticed },
          { off: everyCardGiven, breaks: netFailuresUnnoticed },
          { off: takenFromAll, breaks: othersEnd },
          { off: waitsForHung, breaks: othersEnd },
          { off: everyCardGiven, breaks: oneDriver },
          { off: spareBesideSuspect, breaks: oneDriver },
        ],
      }),
      claim(netStrangersSay.stores, {
        keeps: [netStoresUnnoticed, othersIntact],
        against: ['F1'],
        without: [
          { off: translation, breaks: netStoresUnnoticed },
          { off: foreignCheck, breaks: netStoresUnnoticed },
          { off: privilegedBackend, breaks: netStoresUnnoticed },
          { off: registerMmu, breaks: netStoresUnnoticed },
          { off: foreignCheck, breaks: othersIntact },
          { off: takenFromAll, breaks: othersIntact },
        ],
      }),
      claim(netStrangersSay.dma, {
        keeps: [netDmaUnnoticed],
        against: ['F2'],
        without: iommu
          ? [
              { off: dmaRemapping, breaks: netDmaUnnoticed },
              { off: oneIoSpace, breaks: netDmaUnnoticed },
            ]
          : [],
        expects: iommu ? 'contained' : 'not contained',
      }),
    ],
    mayStop: () => true,
    assumptions: [
      ...assumptions,
      'scoped: once woken the first driver domain goes on polling; its event index is in the suites of transmission',
      'what is in a frame is who wrote it last; a DMA that reads is no attack here, for it changes nothing that strangers see',
    ],
  });
}

export const netStrangersThen = strangers('then');
export const netStrangersNow = strangers('now');

const RX_SCOPE = { domain: 5, generation: 2, guest: 1, buffer: 1, frame: 5 };

/** Frames change hands while it receives. There is no attack by DMA in it, so one run speaks for both eras. */
export const netStrangersReceive = suite('safe-hardware-net-strangers-rx', {
  title:
    'Safe Hardware Interface: two network driver domains, of which one receives by page flip, fails and comes back',
  machine: beside(
    'net reception beside strangers',
    netReceive,
    endsBesideStrangers<Receive & Strangers>(receiveEnds),
    [],
  ),
  gatesOff: missing('then'),
  edits: [drop(dropSecond)],
  scope: { small: RX_SCOPE, default: RX_SCOPE, large: { ...RX_SCOPE, generation: 4 } },
  claims: [
    claim(netStrangersSay.frames, {
      keeps: [netFailuresUnnoticed, othersEnd],
      against: ['F10', 'F11'],
      without: [
        { off: relinquishedFromAll, breaks: netFailuresUnnoticed },
        { off: refilledFromAll, breaks: netFailuresUnnoticed },
        { off: everyoneDisconnected, breaks: netFailuresUnnoticed },
        { off: takenFromAll, breaks: netFailuresUnnoticed },
        { off: waitsForHung, breaks: othersEnd },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [...assumptions, 'one run for both eras: what it checks does not depend on the hardware'],
});
