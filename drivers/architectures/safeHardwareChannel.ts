/** The device channel of the Safe Hardware Interface: the handshake by control messages, its end, and a backend that dies in its course. */
import {
  backendGone,
  channelFaults,
  disconnectsAtOnce,
  hungForEver,
  messagesKept,
  ringByAddress,
  ringLeftMapped,
  toldBeforeAcknowledged,
} from '../../faults/architectures/safeHardware/channel.js';
import { deviceChannel } from '../../model/architectures/safeHardware/channelRecovery.js';
import { messageEpoch, ringOwner } from '../../model/architectures/safeHardware/deviceChannel.js';
import type { MachineDef } from '../../model/kernel/index.js';
import {
  connectionReturns,
  connectionReturnsUnaided,
  deadAreSilent,
  ringOfFrontend,
  ringReused,
  usedWhenConnected,
  workHasRing,
} from '../../properties/architectures/safeHardwareChannel.js';
import { claim, suite } from '../suite.js';

export const channelMachine: MachineDef = { name: 'device channel', modules: [deviceChannel, channelFaults] };

export const channelSays = {
  ring: 'a backend maps a ring only when it was asked to, and only a page of the frontend',
  reuse: 'a ring page is used again only when the disconnection was acknowledged or the dead backend has lost it',
  late: 'messages of a backend that is dead count for nothing',
  returns: 'a connection comes back after a crash, a hang or a wrong suspicion',
  unaided: 'requests end although the backend hangs and nobody ends it',
} as const;

export const channelSuite = suite('safe-hardware-channel', {
  title:
    'Safe Hardware Interface: device-channel handshake by control messages, with a backend that crashes, hangs or is wrongly suspected',
  machine: channelMachine,
  scope: {
    small: { page: 3, epoch: 2 },
    default: { page: 3, epoch: 3 },
    large: { page: 4, epoch: 4 },
  },
  claims: [
    claim(channelSays.ring, {
      keeps: [ringOfFrontend, usedWhenConnected],
      against: ['F5', 'F10', 'F11', 'F14'],
      without: [
        { off: ringOwner, breaks: ringOfFrontend },
        { off: ringByAddress, breaks: ringOfFrontend },
        { off: messageEpoch, breaks: usedWhenConnected },
      ],
    }),
    claim(channelSays.reuse, {
      keeps: [ringReused, workHasRing],
      against: ['F10', 'F11'],
      without: [
        { off: toldBeforeAcknowledged, breaks: ringReused },
        { off: ringLeftMapped, breaks: ringReused },
        { off: disconnectsAtOnce, breaks: workHasRing },
      ],
    }),
    claim(channelSays.late, {
      keeps: [deadAreSilent],
      against: ['F10', 'F14'],
      without: [{ off: messagesKept, breaks: deadAreSilent }],
    }),
    claim(channelSays.returns, {
      keeps: [connectionReturns],
      against: ['F10', 'F11'],
      without: [
        { off: hungForEver, breaks: connectionReturns },
        { off: backendGone, breaks: connectionReturns },
      ],
    }),
    claim(channelSays.unaided, {
      keeps: [connectionReturnsUnaided],
      against: ['F11'],
      without: [],
      expects: 'not contained',
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'one interface, and nobody sends on before its last message was taken: so one message is on its way in each direction, and a mailbox stands for its ring. That rings lose nothing, double nothing and keep nothing of the dead is shown in safe-hardware-control',
    'taking back a dead backend’s mapping is one step of the VMM; it is split in the suites of the net channel and of block',
    'the controller does not fail',
  ],
});
