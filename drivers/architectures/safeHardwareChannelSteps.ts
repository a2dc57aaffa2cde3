/** The device-channel handshake of the Safe Hardware Interface taken apart, with a backend that fails between any two of its steps. */
import {
  hungForEver,
  messagesKept,
  ringLeftMapped,
  toldBeforeAcknowledged,
} from '../../faults/architectures/safeHardware/channel.js';
import { oldRingKept, takesWhileLeaving } from '../../faults/architectures/safeHardware/recoveryMutants.js';
import type { MachineDef } from '../../model/kernel/index.js';
import { channelLeaksNothing } from '../../properties/architectures/safeHardwareCensus.js';
import {
  connectionReturns,
  deadAreSilent,
  ringReused as ringPageReused,
  workHasRing,
} from '../../properties/architectures/safeHardwareChannel.js';
import { claim, suite } from '../suite.js';
import { channelMachine } from './safeHardwareChannel.js';

export const channelStepSays = {
  steps: 'a backend may fail at each step of the handshake: the ring page stays safe, and the connection comes back',
  census: 'connections that come back leak nothing, however often',
} as const;

const CHANNEL_FAULTS = ['back.crash', 'back.hang', 'ctl.suspect'];

/** The handshake with failures only; the backend has a thread. */
export const channelSteps: MachineDef = {
  ...channelMachine,
  name: 'device channel, failing at every step',
  modules: channelMachine.modules.map((mod) => ({
    ...mod,
    operations: mod.operations.filter((o) => o.fault === undefined || CHANNEL_FAULTS.includes(o.name)),
  })),
  threads: () => ['backend'],
};

export const channelStepsSuite = suite('safe-hardware-channel-steps', {
  title:
    'Safe Hardware Interface: the device-channel handshake, with a backend that fails at any step, again and again',
  machine: channelSteps,
  schedule: 'split',
  scope: { small: { page: 3, epoch: 4 }, default: { page: 3, epoch: 4 }, large: { page: 4, epoch: 4 } },
  claims: [
    claim(channelStepSays.steps, {
      keeps: [ringPageReused, workHasRing, deadAreSilent, connectionReturns],
      against: ['F10', 'F11'],
      without: [
        { off: toldBeforeAcknowledged, breaks: ringPageReused },
        { off: ringLeftMapped, breaks: ringPageReused },
        { off: takesWhileLeaving, breaks: workHasRing },
        { off: messagesKept, breaks: deadAreSilent },
        { off: hungForEver, breaks: connectionReturns, scope: { page: 3, epoch: 2 } },
      ],
    }),
    claim(channelStepSays.census, {
      keeps: [channelLeaksNothing],
      against: ['F10', 'F11'],
      without: [{ off: oldRingKept, breaks: channelLeaksNothing }],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'backends are honest until they fail; the other suites of this architecture have hostile ones',
    'one interface, one message on its way in each direction; the rings that carry them are taken apart in safe-hardware-control-steps',
  ],
});
