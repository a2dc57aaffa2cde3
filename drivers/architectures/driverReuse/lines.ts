/** Interrupt lines of DD/OSes: association, disassociation, and what death does to them. No hardware of either era changes it. */
import {
  answerUnmasks,
  deadHolds,
  droppedFirst,
  letsGoAtOnce,
  letsGoUnmasked,
  lineFaults,
  messageOutlives,
  releasesAll,
  sendsBlindly,
  staysMasked,
} from '../../../faults/architectures/driverReuse/lines.js';
import {
  drainLine,
  irqAssociation,
  irqThread,
  lineAccess,
  maskFirst,
  oneHolder,
} from '../../../model/architectures/driverReuse/irqAssociation.js';
import { ddos, hangDetection } from '../../../model/architectures/driverReuse/restartState.js';
import type { MachineDef } from '../../../model/kernel/index.js';
import {
  lineFree,
  lineHandled,
  lineHolder,
  lineMasked,
  lineNothingLeft,
  lineOneHolder,
  lineOthers,
  lineWired,
} from '../../../properties/architectures/driverReuse/lines.js';
import { claim, suite } from '../../suite.js';

export const LINE_SAYS = {
  holder: 'an interrupt goes to the DD/OS that holds the line, and has a device on it',
  dead: 'the lines of a dead DD/OS are masked, drained and free, and those of others untouched',
  handled: 'an interrupt of a line that is held is handled, and a line of the dead is free again',
} as const;

/** Of each DD/OS a thread that asks the monitor, and one that handles interrupts. */
export const lineMachine: MachineDef = {
  name: 'driver reuse: interrupt lines',
  modules: [irqAssociation, lineFaults],
  threads: (scope) => [
    'hypervisor',
    'monitor',
    ...Array.from({ length: scope['DD/OS'] }, (_, member) => ({ sort: ddos, member })),
    ...Array.from({ length: scope['interrupt thread'] }, (_, member) => ({ sort: irqThread, member })),
  ],
};

const one = { 'DD/OS': 2, 'interrupt thread': 2, 'interrupt line': 2, generation: 2 };

export const lineSuite = suite('driver-reuse-lines', {
  title: 'driver operating systems are associated with interrupt lines and disassociated again, and die at any moment',
  machine: lineMachine,
  schedule: 'split',
  scope: { small: one, default: one, large: { ...one, 'interrupt line': 3 } },
  claims: [
    claim(LINE_SAYS.holder, {
      keeps: [lineHolder, lineWired, lineOneHolder, lineMasked],
      against: ['F13'],
      without: [
        { off: lineAccess, breaks: lineWired },
        { off: oneHolder, breaks: lineOneHolder },
        { off: drainLine, breaks: lineHolder },
        { off: maskFirst, breaks: lineMasked },
        { off: letsGoAtOnce, breaks: lineOneHolder },
        { off: answerUnmasks, breaks: lineMasked },
      ],
    }),
    claim(LINE_SAYS.dead, {
      keeps: [lineNothingLeft, lineOthers],
      against: ['F10', 'F11'],
      without: [
        { off: deadHolds, breaks: lineNothingLeft },
        { off: messageOutlives, breaks: lineNothingLeft },
        { off: letsGoUnmasked, breaks: lineMasked },
        { off: droppedFirst, breaks: lineNothingLeft },
        { off: sendsBlindly, breaks: lineNothingLeft },
        { off: releasesAll, breaks: lineOthers },
      ],
    }),
    claim(LINE_SAYS.handled, {
      keeps: [lineHandled, lineFree],
      against: ['F10', 'F11'],
      without: [
        { off: staysMasked, breaks: lineHandled },
        { off: hangDetection, breaks: lineFree },
      ],
    }),
  ],
  assumptions: [
    'line 0 is wired to a device of each DD/OS, another to one of one; who has which device does not change',
    'the hypervisor delivers one interrupt at a time',
    'a DD/OS makes one call at a time, and handles interrupts on another thread: on one thread, a call that waits for the handler waits for ever',
    'a call that a DD/OS made ends when it dies, wherever it is: the monitor releases what it left',
    'a DD/OS fails only while this scope has another life for it',
  ],
});
