/** Death and return of a DD/OS beneath the time-multiplexed IO-MMU: the hardware of 2004. */
import { dmaForeign, dmaLate, sticks } from '../../../faults/architectures/driverReuse/mux.js';
import {
  bootedOnTheBus,
  bootedWithoutEntry,
  callsOverlooked,
  deadKeepsBus,
  deadKeepsGart,
  deadKeepsPins,
  deadKeepsSlice,
  deadKeepsTable,
  deferredOutlives,
  freedFirst,
  keepsTheBus,
  muxDeaths,
  neverGranted,
  noSliceAgain,
  resetsAll,
  revokesAll,
  slicesDropped,
  takenInFlight,
  wishForgotten,
} from '../../../faults/architectures/driverReuse/muxRestart.js';
import { mux } from '../../../model/architectures/driverReuse/muxMemory.js';
import { muxRestart } from '../../../model/architectures/driverReuse/muxRestart.js';
import {
  deferredEnable,
  drainBeforeSwitch,
  drainTimeout,
  gartInvalidation,
  ioMmu,
  type Mux,
  rebootReserve,
  SERVER,
  space,
  startMux,
} from '../../../model/architectures/driverReuse/muxState.js';
import {
  hangDetection,
  oneOwner,
  quiesceDead,
  reclaimDead,
} from '../../../model/architectures/driverReuse/restartState.js';
import { domains, generation } from '../../../model/domains.js';
import { frames } from '../../../model/frames.js';
import { type MachineDef, module } from '../../../model/kernel/index.js';
import {
  ddDrained,
  ddMaster,
  ddOthers,
  ddPinned,
  ddStale,
  ddTable,
} from '../../../properties/architectures/driverReuse/mux.js';
import {
  muxGranted,
  muxLeaksNothing,
  muxNeighbours,
  muxNothingLeft,
  muxOffTheBus,
  muxOneOwner,
  muxReturns,
  muxReused,
  muxSurvives,
  muxUnwritten,
  muxWish,
} from '../../../properties/architectures/driverReuse/muxRestart.js';
import { claim, suite } from '../../suite.js';
import { MUX_RESTART_SAYS } from './claims.js';

/** Both spaces have a slice; which one may die is a choice. */
const restartStart = module<Mux, Record<never, never>>('two spaces with a slice, either may die', {
  tables: {},
  operations: [],
  initial: (m) => {
    startMux(m, 1);
    m.space.spare[m.choose(space, 'may die')] = m.size(generation) - 1;
  },
});

/** As often as this scope allows, it is the first that dies: the one with a client. */
const firstDies = module<Mux, Record<never, never>>('two spaces with a slice, the first may die', {
  tables: {},
  operations: [],
  initial: (m) => {
    startMux(m, 1);
    m.space.spare[SERVER] = m.size(generation) - 1;
  },
});

const CALLS = ['mux.tick', 'monitor.unmapClientPage', 'config.command', 'monitor.mapClientPage'];

const modules = [
  { ...domains, operations: [] },
  { ...frames, operations: [] },
  mux,
  { ...muxDeaths, operations: [...muxDeaths.operations, dmaForeign, dmaLate, sticks] },
  muxRestart,
];

/** What DD/OSes ask of the monitor, and the tick, are taken apart; what the monitor does about the dead is not. */
export const muxRestartMachine: MachineDef = {
  name: 'driver reuse: death beneath the time-multiplexed IO-MMU',
  modules: [...modules, firstDies],
  threads: () => ['hypervisor', SERVER],
  split: CALLS,
};

/** What the monitor does about the dead is taken apart as well. */
export const muxStepsMachine: MachineDef = {
  ...muxRestartMachine,
  modules: [...modules, restartStart],
  name: 'driver reuse: death beneath the time-multiplexed IO-MMU, taken apart',
  split: [...CALLS, 'monitor.stopSpace', 'monitor.revokeBus', 'monitor.takeBack', 'monitor.reboot'],
};

/** Two lives, for each step of the way; four, for a census after one, two and three restarts. */
const one = { domain: 4, generation: 2, space: 2, frame: 4, device: 2, dma: 1 };
const four = { ...one, generation: 4 };

export const muxRestartSuite = suite('driver-reuse-mux-restart', {
  title: 'one of two driver operating systems that take turns with the IO-MMU table dies, and comes back',
  machine: muxRestartMachine,
  schedule: 'split',
  scope: { small: four, default: four, large: { ...four, dma: 2 } },
  claims: [
    claim(MUX_RESTART_SAYS.left, {
      keeps: [muxOneOwner, muxNothingLeft, muxOffTheBus],
      against: ['F10', 'F11'],
      without: [
        { off: quiesceDead, breaks: muxOneOwner },
        { off: oneOwner, breaks: muxOneOwner },
        { off: reclaimDead, breaks: muxNothingLeft },
        { off: takenInFlight, breaks: muxOneOwner },
        { off: deadKeepsTable, breaks: muxNothingLeft },
        { off: deadKeepsGart, breaks: muxNothingLeft },
        { off: deadKeepsPins, breaks: muxNothingLeft },
        { off: deadKeepsBus, breaks: muxOffTheBus },
        { off: deferredOutlives, breaks: muxOffTheBus },
        { off: deadKeepsSlice, breaks: muxOffTheBus },
        { off: callsOverlooked, breaks: muxOffTheBus },
      ],
    }),
    claim(MUX_RESTART_SAYS.reused, {
      keeps: [muxReused, muxUnwritten, ddOthers, ddStale, ddPinned],
      against: ['F2', 'F3', 'F10', 'F11'],
      without: [
        { off: quiesceDead, breaks: muxUnwritten },
        { off: reclaimDead, breaks: muxReused },
        { off: gartInvalidation, breaks: muxReused },
        { off: ioMmu, breaks: ddOthers },
        { off: takenInFlight, breaks: muxReused },
        { off: deadKeepsTable, breaks: ddStale },
      ],
    }),
    claim(MUX_RESTART_SAYS.turns, {
      keeps: [muxNeighbours, muxSurvives[1], ddMaster, ddDrained],
      against: ['F10', 'F11'],
      without: [
        { off: drainTimeout, breaks: muxSurvives[1], scope: one },
        { off: deferredEnable, breaks: ddMaster },
        { off: drainBeforeSwitch, breaks: ddDrained },
        { off: bootedOnTheBus, breaks: ddMaster },
        { off: revokesAll, breaks: muxNeighbours },
        { off: resetsAll, breaks: muxNeighbours },
        { off: slicesDropped, breaks: muxSurvives[1], scope: one },
      ],
    }),
    claim(MUX_RESTART_SAYS.returns, {
      keeps: [muxReturns[0], muxWish, muxGranted, ddTable],
      against: ['F10', 'F11'],
      without: [
        { off: hangDetection, breaks: muxReturns[0], scope: one },
        { off: rebootReserve, breaks: muxReturns[0], scope: one },
        { off: wishForgotten, breaks: muxWish, scope: one },
        { off: keepsTheBus, breaks: muxWish, scope: one },
        { off: neverGranted, breaks: muxGranted, scope: one },
        { off: noSliceAgain, breaks: muxReturns[0], scope: one },
        { off: bootedWithoutEntry, breaks: ddTable, scope: one },
      ],
    }),
    claim(MUX_RESTART_SAYS.restarts, {
      keeps: [muxLeaksNothing],
      against: ['F10', 'F11'],
      without: [{ off: deadKeepsPins, breaks: muxLeaksNothing }],
    }),
  ],
  assumptions: [
    'as driver-reuse-mux, with two spaces that both have a slice',
    'a call that a DD/OS made of the monitor is the monitor\u2019s work, and goes on when its caller dies',
    'a device that works for a dead DD/OS goes on starting DMA until it is off the bus: its descriptors are in memory',
    'the second DD/OS makes no calls of its own: its device has asked for the bus, once',
    'a DD/OS that was booted again has one page, and its devices are off the bus until it asks',
    'a DD/OS fails only while this scope has another life for it',
  ],
});

export const muxStepsSuite = suite('driver-reuse-mux-steps', {
  title: 'one of the two dies, at each step of its calls, of the tick, and of what the monitor does then',
  machine: muxStepsMachine,
  schedule: 'split',
  scope: { small: one, default: one, large: { ...one, generation: 4 } },
  claims: [
    claim(MUX_RESTART_SAYS.steps, {
      keeps: [
        muxOneOwner,
        muxOffTheBus,
        muxReused,
        muxUnwritten,
        muxNeighbours,
        ...muxSurvives,
        ...muxReturns,
        ddMaster,
        ddStale,
      ],
      against: ['F2', 'F3', 'F10', 'F11'],
      without: [
        { off: takenInFlight, breaks: muxOneOwner },
        { off: callsOverlooked, breaks: muxOffTheBus },
        { off: freedFirst, breaks: muxReused },
        { off: hangDetection, breaks: muxReturns[0] },
      ],
    }),
  ],
  assumptions: ['as driver-reuse-mux-restart'],
});
