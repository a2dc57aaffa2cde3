/** Crash, hang, restart and reattachment of the driver-reuse architecture; no hardware of either era changes them. */
import {
  detachAtOnce,
  forgetsRequests,
  joinsTheDead,
  keepsBus,
  leaksPins,
  noReplay,
  reclaimAtOnce,
  reclaimsAll,
  replaysFrames,
  restartFaults,
  ringFirst,
  unpinnedStart,
} from '../../../faults/architectures/driverReuse/restart.js';
import { client } from '../../../model/architectures/driverReuse/channelState.js';
import { restart } from '../../../model/architectures/driverReuse/restart.js';
import {
  ddos,
  epochCheck,
  hangDetection,
  oneOwner,
  quiesceDead,
  quiesceDetach,
  reclaimDead,
} from '../../../model/architectures/driverReuse/restartState.js';
import type { MachineDef, Scope, ThreadAgent } from '../../../model/kernel/index.js';
import { ddLeaksNothing } from '../../../properties/architectures/driverReuse/census.js';
import {
  ddBlockOnce,
  ddCensus,
  ddCompletes,
  ddFrameOnce,
  ddOneOwner,
  ddReturns,
  ddStrangers,
  ddTold,
  ddUnderDma,
} from '../../../properties/architectures/driverReuse/restart.js';
import { between } from '../../../properties/paths.js';
import { claim, suite } from '../../suite.js';

const SPLIT = ['server.start', 'server.answer', 'server.detach', 'client.reattach'];

const servers = (scope: Scope): ThreadAgent[] =>
  Array.from({ length: scope['DD/OS'] }, (_, member) => ({ sort: ddos, member }));
const clients = (scope: Scope): ThreadAgent[] =>
  Array.from({ length: scope.client }, (_, member) => ({ sort: client, member }));

export const restartMachine: MachineDef = {
  name: 'driver reuse: restart',
  modules: [restart, restartFaults],
  threads: (scope) => [...servers(scope), ...clients(scope)],
  split: SPLIT,
};

export const RESTART_SAYS = {
  owner: 'two live owners of a device never exist, and nothing of a dead one is left',
  requests: 'a client is told once of what was done; frames are lost, never sent twice',
  returns: 'a DD/OS that crashed comes back, and what was under way is completed',
  hang: 'a DD/OS that hangs, or seems to, is replaced without harm',
  detach: 'a client that was detached has its memory for itself',
  unwatched: 'a DD/OS that hangs is replaced though nobody watches it',
  publishedDetach: 'the published detach, which does not wait, leaves a client its memory for itself (GAP-V4)',
  restarts: 'restarts leak nothing, however many',
  steps: 'a DD/OS may fail at each step of its own work and of its restart',
  strangers: 'clients of other DD/OSes notice nothing',
} as const;

const one = { 'DD/OS': 1, client: 1, request: 2, generation: 2 };

/** One DD/OS, its clients, its instances. */
export const restartSuite = suite('driver-reuse-restart', {
  title:
    'a driver operating system crashes, hangs or is suspected at any moment; it is booted again and its clients reattach',
  machine: restartMachine,
  schedule: 'split',
  scope: {
    small: one,
    default: { ...one, client: 2 },
    large: { ...one, client: 2, generation: 4 },
  },
  claims: [
    claim(RESTART_SAYS.owner, {
      keeps: [ddOneOwner, ddCensus],
      against: ['F10', 'F11'],
      without: [
        { off: quiesceDead, breaks: ddOneOwner },
        { off: reclaimDead, breaks: ddCensus },
        { off: oneOwner, breaks: ddOneOwner },
        { off: reclaimAtOnce, breaks: ddOneOwner },
        { off: keepsBus, breaks: ddCensus },
        { off: leaksPins, breaks: ddCensus },
        { off: ringFirst, breaks: ddCensus, scope: one },
        { off: joinsTheDead, breaks: ddCensus, scope: { ...one, generation: 3 } },
      ],
    }),
    claim(RESTART_SAYS.requests, {
      keeps: [ddTold, ddBlockOnce, ddFrameOnce],
      against: ['F10', 'F11', 'F14'],
      without: [
        { off: epochCheck, breaks: ddTold },
        { off: forgetsRequests, breaks: ddBlockOnce },
        { off: replaysFrames, breaks: ddFrameOnce },
      ],
    }),
    claim(RESTART_SAYS.returns, {
      keeps: [ddCompletes],
      against: ['F10'],
      without: [{ off: noReplay, breaks: ddCompletes, scope: one }],
    }),
    claim(RESTART_SAYS.hang, {
      keeps: [ddReturns],
      against: ['F11'],
      without: [{ off: hangDetection, breaks: ddReturns, scope: one }],
    }),
    claim(RESTART_SAYS.detach, {
      keeps: [ddUnderDma],
      against: ['F10', 'F11'],
      without: [
        { off: quiesceDetach, breaks: ddUnderDma },
        { off: detachAtOnce, breaks: ddUnderDma },
        { off: unpinnedStart, breaks: ddUnderDma },
      ],
    }),
  ],
  assumptions: [
    'somebody (an operator, a watchdog) stops a DD/OS that hangs: with the gate off nobody does',
    'a device that has begun a DMA completes it (a device that does not is in driver-reuse-mux)',
    'requests that a detachment ends are answered with an error',
    'a DD/OS fails only while this scope has another life for it',
  ],
});

/** The monitor's work taken apart as well. */
export const restartSteps: MachineDef = {
  ...restartMachine,
  name: 'driver reuse: restart, taken apart',
  threads: (scope) => [...servers(scope), ...clients(scope), 'monitor'],
  split: [...SPLIT, 'monitor.reclaim', 'monitor.boot', 'monitor.stopHung', 'monitor.leaveBus'],
};

/** In the middle of a boot, the device is taken for an instance that does not run yet. */
const census = between(ddCensus);

/** Once, twice, three times: the census is the same after each. */
export const restartsSuite = suite('driver-reuse-restarts', {
  title: 'the same driver operating system fails at any step, again and again, with one client',
  machine: restartSteps,
  schedule: 'split',
  scope: {
    small: { ...one, generation: 4 },
    default: { ...one, generation: 4 },
    large: { ...one, client: 2, generation: 4 },
  },
  claims: [
    claim(RESTART_SAYS.restarts, {
      keeps: [ddLeaksNothing, census],
      against: ['F10', 'F11'],
      without: [
        { off: leaksPins, breaks: ddLeaksNothing },
        { off: leaksPins, breaks: census },
      ],
    }),
    claim(RESTART_SAYS.steps, {
      keeps: [ddOneOwner, ddUnderDma, ddTold, ddBlockOnce, ddFrameOnce, ddCompletes, ddReturns],
      against: ['F10', 'F11', 'F14'],
      without: [
        { off: reclaimAtOnce, breaks: ddOneOwner },
        { off: epochCheck, breaks: ddTold },
        { off: forgetsRequests, breaks: ddBlockOnce },
        { off: hangDetection, breaks: ddReturns, scope: one },
      ],
    }),
  ],
  assumptions: ['as driver-reuse-restart'],
});

/** Nobody watches. */
export const unwatchedSuite = suite('driver-reuse-unwatched', {
  title: 'a driver operating system hangs, and nobody is there to stop it',
  machine: restartMachine,
  schedule: 'split',
  gatesOff: [hangDetection],
  scope: { small: one, default: one, large: { ...one, client: 2 } },
  claims: [
    claim(RESTART_SAYS.unwatched, { keeps: [ddReturns], against: ['F11'], without: [], expects: 'not contained' }),
  ],
  assumptions: ['as driver-reuse-restart'],
});

/** Detachment as published. */
export const publishedDetach = suite('driver-reuse-published-detach', {
  title: 'detachment as the code was published: GAP-V4',
  machine: restartMachine,
  schedule: 'split',
  edits: detachAtOnce.edits,
  scope: { small: one, default: one, large: { ...one, client: 2 } },
  claims: [
    claim(RESTART_SAYS.publishedDetach, { keeps: [ddUnderDma], against: [], without: [], expects: 'not contained' }),
  ],
  assumptions: ['the code as published; else as driver-reuse-restart'],
});

/** Two DD/OSes. */
export const strangersSuite = suite('driver-reuse-strangers', {
  title: 'one driver operating system fails, the clients of another go on',
  machine: restartMachine,
  schedule: 'split',
  scope: {
    small: { 'DD/OS': 2, client: 2, request: 1, generation: 2 },
    default: { 'DD/OS': 2, client: 2, request: 1, generation: 2 },
    large: { 'DD/OS': 2, client: 2, request: 2, generation: 2 },
  },
  claims: [
    claim(RESTART_SAYS.strangers, {
      keeps: [ddStrangers],
      against: ['F10', 'F11'],
      without: [{ off: reclaimsAll, breaks: ddStrangers }],
    }),
  ],
  assumptions: ['as driver-reuse-restart; the time that a restart takes is no part of the view'],
});
