/** Interrupts: shared lines with storms, dead and hung sharers; and messages that devices forge. */
import * as doing from '../../faults/doing.js';
import {
  boundTwice,
  bytesNotElements,
  deadKeepPort,
  deathKeepsHold,
  lineFaults,
  messageFaults,
  notifyForAll,
  sharedAnyway,
  unbindKeepsHold,
  vectorFreedFirst,
  vectorKept,
  xsa33,
  xsa49,
} from '../../faults/interrupts.js';
import { linePermission, managerTimeOut, maskingUntilNotify } from '../../model/interruptLines.js';
import { interruptMachine } from '../../model/interrupts.js';
import { module } from '../../model/kernel/index.js';
import {
  compatibilityBlocked,
  entryInvalidation,
  indexBound,
  interruptRemapping,
  messageMachine,
  sourceVerification,
} from '../../model/messageInterrupts.js';
import { messagesHandled, ownLines, ownVectors } from '../../properties/doing.js';
import { locksCounted, noLostWakeUp } from '../../properties/events.js';
import {
  deadLeaveLines,
  deadLeaveVectors,
  entriesFresh,
  holdersCounted,
  lineGiven,
  lineServed,
  lineServedUnaided,
  linesFresh,
  lineTargets,
  messageSource,
  messageSourceUnaided,
  messageTargets,
  oneRaise,
  vectorsCounted,
} from '../../properties/interrupts.js';
import { lifeCycle } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

/** What the compaction of the sharers needs: one that leaves, and two behind it. */
const THREE_SHARERS = { domain: 3, generation: 1, port: 2, word: 1, line: 1, sharer: 3 };

const TWO_PORTS = { domain: 2, generation: 1, port: 3, word: 1, line: 1, sharer: 2 };

export const interruptLines = suite('interrupts', {
  title: 'interrupt lines shared by domains that storm, hang and die',
  machine: {
    ...interruptMachine,
    modules: [...interruptMachine.modules, module('attacks by lines', { tables: {}, operations: lineFaults })],
  },
  scope: {
    small: { domain: 2, generation: 1, port: 2, word: 1, line: 1, sharer: 2 },
    default: THREE_SHARERS,
    large: { domain: 3, generation: 2, port: 3, word: 1, line: 2, sharer: 3 },
  },
  claims: [
    claim('a line counts and signals exactly those who have bound it and were given it', {
      keeps: [holdersCounted, lineTargets, lineGiven, linesFresh, noLostWakeUp, locksCounted],
      against: ['F9', 'F10'],
      without: [
        { off: linePermission, breaks: lineGiven },
        { off: sharedAnyway, breaks: lineGiven },
        { off: bytesNotElements, breaks: lineTargets, scope: THREE_SHARERS },
        { off: boundTwice, breaks: lineTargets, scope: TWO_PORTS },
        { off: notifyForAll, breaks: holdersCounted },
        { off: unbindKeepsHold, breaks: lineTargets },
        { off: deathKeepsHold, breaks: lineTargets },
      ],
    }),
    claim('a storm interrupts once for each notification', {
      keeps: [oneRaise],
      against: ['F9'],
      without: [{ off: maskingUntilNotify, breaks: oneRaise }],
    }),
    claim('a sharer that dies, or hangs until the manager ends it, does not keep the line from the others', {
      keeps: [lineServed, deadLeaveLines, lifeCycle, ownLines],
      against: ['F10', 'F11'],
      without: [
        { off: managerTimeOut, breaks: lineServed },
        { off: deathKeepsHold, breaks: lineServed },
        { off: deadKeepPort, breaks: deadLeaveLines },
        { off: doing.deadBinds, breaks: lifeCycle },
        { off: doing.linesOfOthers, breaks: ownLines },
        { off: doing.linesOfTheLiving, breaks: ownLines },
        { off: doing.anyDriverEnded, breaks: ownLines },
      ],
    }),
    claim('a hung sharer wedges the line as long as nobody ends it', {
      keeps: [lineServedUnaided],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    'acknowledging, masking and signalling a line is one step of the VMM',
    'a domain is given its lines before it runs; taking them back is in io-space',
  ],
});

export const msi = suite('msi', {
  title: 'message-signalled interrupts that devices forge, with remapping hardware and without',
  machine: {
    ...messageMachine,
    modules: [...messageMachine.modules, module('attacks by messages', { tables: {}, operations: messageFaults })],
  },
  scope: {
    small: { domain: 2, generation: 1, device: 2, vector: 3, entry: 2 },
    default: { domain: 3, generation: 2, device: 2, vector: 3, entry: 2 },
    large: { domain: 3, generation: 2, device: 3, vector: 4, entry: 3 },
  },
  claims: [
    claim('with interrupt remapping, a device raises only the interrupt that it was given', {
      keeps: [
        ...[messageSource, entriesFresh, vectorsCounted, messageTargets, deadLeaveVectors],
        ...[lifeCycle, ownVectors, messagesHandled],
      ],
      against: ['F8', 'F10'],
      without: [
        { off: interruptRemapping, breaks: messageSource },
        { off: compatibilityBlocked, breaks: messageSource },
        { off: sourceVerification, breaks: messageSource },
        { off: indexBound, breaks: messageSource },
        { off: entryInvalidation, breaks: messageSource },
        { off: entryInvalidation, breaks: entriesFresh },
        { off: xsa49, breaks: messageSource },
        { off: xsa33, breaks: messageSource },
        { off: vectorFreedFirst, breaks: entriesFresh },
        { off: vectorKept, breaks: vectorsCounted },
        { off: vectorKept, breaks: deadLeaveVectors },
        { off: doing.deadTakes, breaks: lifeCycle },
        { off: doing.messagesOfOthers, breaks: ownVectors },
        { off: doing.messageNotTaken, breaks: messagesHandled },
      ],
    }),
    claim('without interrupt remapping, any device that can write to the interrupt window raises any vector', {
      keeps: [messageSourceUnaided],
      against: ['F8'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions: [
    'a device that was given an interrupt is the only one with its requester id; bridges appear as the mutant XSA-33',
    'interrupts are posted to the domain as a vector; from there on they are event channels (suite events)',
  ],
});
