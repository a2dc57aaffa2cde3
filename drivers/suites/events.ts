/**
 * Event channels: who may bind, signal, close and reset (calls as wholes, domains that die and come back), and delivery and closing step
 * by step, where a wake-up could be lost.
 */
import * as doing from '../../faults/doing.js';
import {
  handledBeforeCleared,
  handlerScansAgain,
  maskBeforePending,
  maskIgnored,
  pendingBeforeUnmask,
  selectorNotExchanged,
  unmaskForgetsPending,
  upcallBeforeSelector,
  upcallClearedLate,
  upcallNotCleared,
} from '../../faults/eventDelivery.js';
import {
  anyPortBindable,
  anythingCloses,
  closeLeavesPeer,
  closeLeavesPending,
  eventFaults,
  lockNotLetGo,
  noInitialPending,
  notRegistered,
  spuriousUpcall,
  stormEvents,
  virqTwice,
  xsa343,
  xsa496,
} from '../../faults/events.js';
import { CONTROL, domains } from '../../model/domains.js';
import { eventChannels } from '../../model/eventBinding.js';
import {
  channelLock,
  consent,
  consentEnds,
  freshSharedInfo,
  portPermission,
  privateSharedInfo,
} from '../../model/eventChannels.js';
import { maskEvent, unmaskEvent } from '../../model/eventDelivery.js';
import { closingRaces, deliveryRaces, only } from '../../model/eventRaces.js';
import { type MachineDef, module } from '../../model/kernel/index.js';
import { ownPorts, portsBound, resetDone, tornDown } from '../../properties/doing.js';
import {
  consentAsked,
  consentFresh,
  eventsArrive,
  handlerEnds,
  handlerSettles,
  linksSymmetric,
  locksCounted,
  maskedEdgeSeen,
  maskHolds,
  noLostWakeUp,
  portsFair,
  portsFresh,
  registrationFair,
  reservedStays,
  resetIsWhole,
  signalsEntitled,
  virqsCounted,
} from '../../properties/events.js';
import { lifeCycle } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

/** Two usable ports a domain, in two words of the selector: what a counterpart needs two ports for. */
const TWO_PORTS = { domain: 2, generation: 1, port: 3, word: 2 };

/** All calls but mask and unmask, whose place is in the races. */
const calls: MachineDef = {
  name: 'event channels',
  modules: [
    domains,
    { ...eventChannels, operations: eventChannels.operations.filter((o) => o !== maskEvent && o !== unmaskEvent) },
    module('attacks on event channels', { tables: {}, operations: eventFaults }),
  ],
};

export const events = suite('events', {
  title:
    'event-channel hypercalls with hostile arguments, forged signals, exhaustion, and domains that die and come back',
  machine: calls,
  scope: {
    small: { domain: 2, generation: 2, port: 2, word: 1 },
    default: { domain: 3, generation: 2, port: 2, word: 1 },
    ports: TWO_PORTS,
    large: { domain: 2, generation: 2, port: 3, word: 2 },
  },
  claims: [
    claim('a domain is signalled only by those it is linked with, and nobody takes its events away', {
      keeps: [linksSymmetric, signalsEntitled, noLostWakeUp, handlerSettles, locksCounted],
      against: ['F7', 'F10'],
      without: [
        { off: privateSharedInfo, breaks: signalsEntitled },
        { off: privateSharedInfo, breaks: noLostWakeUp },
        { off: noInitialPending, breaks: noLostWakeUp },
        { off: anyPortBindable, breaks: linksSymmetric, scope: TWO_PORTS },
        { off: closeLeavesPeer, breaks: linksSymmetric },
        { off: upcallNotCleared, breaks: handlerSettles },
      ],
    }),
    claim('a channel is joined only by the domain that it was opened for, in the life that it was opened for', {
      keeps: [consentAsked, consentFresh],
      against: ['F7', 'F10'],
      without: [
        { off: consent, breaks: consentAsked },
        { off: consentEnds, breaks: consentFresh },
      ],
    }),
    claim('a port or domain id that is used again carries nothing of its last use', {
      keeps: [portsFresh, lifeCycle, tornDown, portsBound, resetDone],
      against: ['F10'],
      without: [
        { off: closeLeavesPending, breaks: portsFresh },
        { off: freshSharedInfo, breaks: portsFresh },
        { off: doing.deadOpens, breaks: lifeCycle },
        { off: doing.pageNotFreed, breaks: tornDown },
        { off: doing.ipiNotPublished, breaks: portsBound },
        { off: doing.resetClosesNothing, breaks: resetDone },
      ],
    }),
    claim("nobody uses up another domain's ports, or ends another domain's registration", {
      keeps: [portsFair, ownPorts, registrationFair, virqsCounted, reservedStays],
      against: ['F12'],
      without: [
        { off: portPermission, breaks: portsFair },
        { off: doing.portsOfTheLiving, breaks: ownPorts },
        { off: xsa496, breaks: registrationFair },
        { off: virqTwice, breaks: virqsCounted, scope: TWO_PORTS },
        { off: notRegistered, breaks: virqsCounted },
        { off: anythingCloses, breaks: reservedStays },
      ],
    }),
  ],
  assumptions: [
    'one vCPU a domain takes its events',
    'a hypercall runs as a whole here; the suites events-race and events-closing split it',
    'domain ids are not handed out while an open port names them; Xen hands them out in turn instead',
  ],
});

/** Linked channels, with storms and spurious upcalls. */
const delivery: MachineDef = {
  ...deliveryRaces,
  modules: [
    ...deliveryRaces.modules,
    module('attacks on delivery', { tables: {}, operations: [only(CONTROL, stormEvents), spuriousUpcall] }),
  ],
};

export const eventsRace = suite('events-race', {
  title: 'signal, mask, unmask and upcall handler, interleaved step by step',
  machine: delivery,
  schedule: 'split',
  scope: {
    small: { domain: 2, generation: 1, port: 2, word: 1 },
    default: { domain: 2, generation: 1, port: 3, word: 2 },
    large: { domain: 2, generation: 1, port: 4, word: 2 },
  },
  claims: [
    claim('no wake-up is lost, whatever the order of signallers, masks and handler', {
      keeps: [noLostWakeUp, maskedEdgeSeen, eventsArrive, locksCounted],
      against: ['F7', 'F9'],
      without: [
        { off: maskBeforePending, breaks: noLostWakeUp },
        { off: upcallBeforeSelector, breaks: noLostWakeUp },
        { off: upcallClearedLate, breaks: noLostWakeUp },
        { off: selectorNotExchanged, breaks: noLostWakeUp },
        { off: handledBeforeCleared, breaks: noLostWakeUp },
        { off: pendingBeforeUnmask, breaks: noLostWakeUp },
        { off: unmaskForgetsPending, breaks: noLostWakeUp },
      ],
    }),
    claim('a storm of signals does not keep the handler from returning', {
      keeps: [handlerEnds],
      against: ['F9'],
      without: [{ off: handlerScansAgain, breaks: handlerEnds }],
    }),
  ],
  assumptions: [
    'loads and stores are sequentially consistent; the mutants swap them as missing barriers would',
    'links are set up and stay; no domain dies between two steps of a signal',
  ],
});

export const eventsMasked = suite('events-masked', {
  title: 'signals and storms on masked ports, each call as a whole',
  machine: delivery,
  scope: {
    small: { domain: 2, generation: 1, port: 2, word: 1 },
    default: { domain: 2, generation: 1, port: 3, word: 2 },
    large: { domain: 2, generation: 1, port: 4, word: 2 },
  },
  claims: [
    claim('a domain that masks a port is not woken by it, and finds what came when it unmasks', {
      keeps: [maskHolds, maskedEdgeSeen, noLostWakeUp],
      against: ['F7', 'F9'],
      without: [
        { off: maskIgnored, breaks: maskHolds },
        { off: unmaskForgetsPending, breaks: noLostWakeUp },
      ],
    }),
  ],
  assumptions: ['a signal in the middle of which its port is masked may still wake the domain once'],
});

export const eventsClosing = suite('events-closing', {
  title: 'signals against close, reset and open, interleaved step by step',
  machine: closingRaces,
  schedule: 'split',
  scope: {
    small: { domain: 2, generation: 1, port: 2, word: 1 },
    default: TWO_PORTS,
    large: { domain: 2, generation: 1, port: 4, word: 2 },
  },
  claims: [
    claim('a signal under way never reaches a port that was closed under its feet', {
      keeps: [portsFresh, linksSymmetric, locksCounted],
      against: [],
      without: [
        { off: channelLock, breaks: portsFresh },
        { off: lockNotLetGo, breaks: locksCounted },
      ],
    }),
    claim('a reset that succeeds has closed everything', {
      keeps: [resetIsWhole],
      against: [],
      without: [{ off: xsa343, breaks: resetIsWhole }],
    }),
  ],
  assumptions: ['closing a port holds the event lock and is one step; reset lets the lock go between ports'],
});
