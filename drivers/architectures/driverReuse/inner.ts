/** Suites of what lies inside and between DD/OSes: the command ring between server and Linux (V8), the bus that one serves to others. */
import {
  busFaults,
  callersNotTold,
  commandFaults,
  takenFromTheNextOnly,
} from '../../../faults/architectures/driverReuse/inner.js';
import { blockingCall, commandRing, waitWhenFull } from '../../../model/architectures/driverReuse/commandRing.js';
import { hangDetection } from '../../../model/architectures/driverReuse/restartState.js';
import { busPorts, noWider, virtualBus } from '../../../model/architectures/driverReuse/virtualBus.js';
import {
  ddCallsEnd,
  ddCallsEndUnaided,
  ddCommands,
  ddOnlyByServer,
  ddRecursion,
} from '../../../properties/architectures/driverReuse/inner.js';
import { claim, suite } from '../../suite.js';
import { open } from './claims.js';

export const INNER_SAYS = {
  commands: 'a command is in one place until its client is answered, however full the ring',
  calls: 'a call of the server ends, also when Linux dies or hangs under it',
  callsUnaided: 'a call of the server ends although Linux hangs and nobody boots it again',
  recursion: 'a DD/OS that has a device from another may do no more with it than that one',
} as const;

export const commandSuite = suite('driver-reuse-commands', {
  title: 'commands between the server thread and its Linux, while the ring is full and Linux dies or hangs',
  machine: { name: 'driver reuse: command ring', modules: [commandRing, commandFaults] },
  scope: {
    small: { client: 2, command: 1 },
    default: { client: 3, command: 2 },
    large: { client: 4, command: 3 },
  },
  claims: [
    claim(INNER_SAYS.commands, {
      keeps: [ddCommands],
      against: ['F10', 'F11', 'F12'],
      without: [
        { off: waitWhenFull, breaks: ddCommands, scope: { client: 2, command: 1 } },
        { off: blockingCall, breaks: ddCommands },
      ],
    }),
    claim(INNER_SAYS.calls, {
      keeps: [ddCallsEnd],
      against: ['F10', 'F11'],
      without: [
        { off: hangDetection, breaks: ddCallsEnd },
        { off: callersNotTold, breaks: ddCallsEnd },
      ],
    }),
    open(INNER_SAYS.callsUnaided, ddCallsEndUnaided, ['F11']),
  ],
  assumptions: ['a command carries nothing; what it does is in the other suites', 'the ring of the code has 8 entries'],
});

export const busSuite = suite('driver-reuse-bus', {
  title: 'one DD/OS drives the bus and serves its configuration space to another, and that one to a third',
  machine: { name: 'driver reuse: virtual configuration space', modules: [virtualBus, busFaults] },
  scope: {
    small: { 'DD/OS': 3, device: 1 },
    default: { 'DD/OS': 3, device: 2 },
    large: { 'DD/OS': 4, device: 3 },
  },
  claims: [
    claim(INNER_SAYS.recursion, {
      keeps: [ddRecursion, ddOnlyByServer],
      against: ['F13'],
      without: [
        { off: noWider, breaks: ddRecursion },
        { off: takenFromTheNextOnly, breaks: ddRecursion },
        { off: busPorts, breaks: ddOnlyByServer },
      ],
    }),
  ],
  assumptions: [
    'scope: DD/OSes in a row, each served by the one before',
    'an access is one step: every server on its way answers',
  ],
});
