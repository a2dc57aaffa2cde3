/**
 * Recovery of the five architectures: suites whose steps are taken apart hold and their counterparts break; failures strike between any
 * two steps, with the device at work; and after one, two and three restarts as much is held, unless a mutant leaks.
 */
import { describe, expect, it } from 'vitest';
import { takeCensus } from '../../explore/census.js';
import { failurePoints } from '../../explore/failurePoints.js';
import { checkCounterpart, checkScope } from '../../explore/suiteChecks.js';
import { deadKeepsPins } from '../../faults/architectures/driverReuse/muxRestart.js';
import { leaksPins } from '../../faults/architectures/driverReuse/restart.js';
import { framesLost, pinsKept } from '../../faults/architectures/reconstructingIoMutants.js';
import { idReleasedEarly } from '../../faults/architectures/safeHardware/netMutants.js';
import { buriedMapped, oldRingKept } from '../../faults/architectures/safeHardware/recoveryMutants.js';
import { closeKeepsEntries } from '../../faults/architectures/userLevelMutants.js';
import { handleLeaks, lineLeftOn } from '../../faults/architectures/userLevelServiceMutants.js';
import { build, type Machine, NONE } from '../../model/kernel/index.js';
import { ddosCensus } from '../../properties/architectures/driverReuse/census.js';
import { muxCensus } from '../../properties/architectures/driverReuse/muxRestart.js';
import { deviceCensus } from '../../properties/architectures/reconstructingIoCensus.js';
import {
  blockCensus,
  channelCensus,
  receiveCensus,
  transmitCensus,
} from '../../properties/architectures/safeHardwareCensus.js';
import { lineCensus, pageCensus, serviceCensus } from '../../properties/architectures/userLevelCensus.js';
import { type Census, RESTARTS } from '../../properties/census.js';
import type { Mutant, Suite } from '../suite.js';
import { lineSuite } from './driverReuse/lines.js';
import { muxRestartSuite, muxStepsSuite } from './driverReuse/muxRestart.js';
import { restartsSuite as ddosRestarts } from './driverReuse/restart.js';
import { callStepsSuite, lockStepsSuite } from './microdriversSteps.js';
import { callsNow } from './reconstructingIoCalls.js';
import { censusNow, censusThen } from './reconstructingIoRestarts.js';
import { channelStepsSuite } from './safeHardwareChannelSteps.js';
import { controlStepsSuite } from './safeHardwareControl.js';
import {
  blockRestartsSuite,
  blockStepsSuite,
  rxStepsNow,
  rxStepsThen,
  txStepsNow,
  txStepsThen,
} from './safeHardwareSteps.js';
import { clientStepsSuite, lineStepsSuite, pageStepsSuite } from './userLevelSteps.js';

const machineOf = (s: Suite, mutant?: Mutant, more: Readonly<Record<string, number>> = {}): Machine =>
  build(s.machine, {
    scope: { ...s.scope.default, ...more },
    schedule: s.schedule ?? 'whole',
    gatesOff: s.gatesOff ?? [],
    edits: [...(s.edits ?? []), ...(mutant?.edits ?? [])],
  });

describe('suites whose steps are taken apart', () => {
  /** Others are counted in the tests of their architectures. */
  const suites: readonly (readonly [Suite, number])[] = [
    [txStepsNow, 3_485],
    [txStepsThen, 3_405],
    [rxStepsNow, 1_854],
    [rxStepsThen, 1_565],
    [blockStepsSuite, 11_756],
    [blockRestartsSuite, 11_164],
    [channelStepsSuite, 4_112],
    [controlStepsSuite, 74_070],
    [pageStepsSuite, 4_970],
    [clientStepsSuite, 4_942],
    [lineStepsSuite, 157],
  ];

  it.each(suites.map(([s, states]) => [s.name, s, states] as const))(
    '%s holds',
    { timeout: 60_000 },
    (_n, s, states) => {
      const expected = { verdict: 'complete', states, findings: [], unreached: [] };
      expect(checkScope(s, s.scope.default, 'claimed')).toEqual(expected);
    },
  );

  it.each(suites.map(([s]) => [s.name, s] as const))('counterparts of %s break', { timeout: 60_000 }, (_n, s) => {
    for (const w of s.claims.flatMap((c) => c.without)) {
      const { steps } = checkCounterpart(s, w);
      expect([w.off.name, w.breaks.name, steps > 0 && steps <= 12]).toEqual([w.off.name, w.breaks.name, true]);
    }
  });
});

interface NetCard {
  readonly nic: { readonly dma: Uint8Array };
}

/** A suite, its failures, whether the device is at work, and what follows the failure or is done by others. */
type Row = readonly [Suite, readonly string[], (m: never) => boolean, readonly string[]];
const sending = (m: NetCard): boolean => m.nic.dma[0] !== NONE;
const driverDeaths = ['driver.crash', 'driver.hang', 'manager.suspect'];

const failing: readonly Row[] = [
  [txStepsNow, driverDeaths, sending, []],
  [txStepsThen, driverDeaths, sending, []],
  [rxStepsNow, driverDeaths, sending, []],
  [
    blockStepsSuite,
    ['backend.crash', 'backend.hang', 'manager.suspectFalsely'],
    (m: { pool: { stage: Uint8Array } }) => m.pool.stage.includes(3),
    ['front.'],
  ],
  [
    channelStepsSuite,
    ['back.crash', 'back.hang', 'ctl.suspect'],
    (m: { back: { refs: Uint8Array } }) => m.back.refs[0] === 1,
    [],
  ],
  [
    controlStepsSuite,
    ['control.crash', 'control.hang', 'control.suspect'],
    (m: { copy: { holds: Uint8Array } }) => m.copy.holds.includes(1),
    [],
  ],
  [callsNow, driverDeaths, (m: { dma: { state: Uint8Array } }) => m.dma.state.some((x) => x !== 0), ['manager.']],
  [callStepsSuite, ['user.crash'], () => true, ['xpc.refuse', 'xpc.clearAway']],
  [
    lockStepsSuite,
    ['fault.holderDies'],
    (m: { request: { state: Uint8Array } }) => m.request.state.includes(1),
    ['lock.break'],
  ],
  [
    pageStepsSuite,
    ['domain.crash'],
    (m: { dma: { state: Uint8Array } }) => m.dma.state.some((x) => x !== 0),
    ['user.close'],
  ],
  [
    ddosRestarts,
    ['ddos.crash', 'ddos.hang', 'ddos.suspected'],
    (m: { ddos: { dma: Uint8Array } }) => m.ddos.dma[0] !== NONE,
    ['monitor.'],
  ],
  [
    lineSuite,
    ['vm.crash', 'vm.hang', 'vm.suspected'],
    (m: { wire: { to: Uint8Array } }) => m.wire.to.some((d) => d !== NONE),
    ['monitor.releaseLines'],
  ],
  [
    muxStepsSuite,
    ['space.crash', 'space.hang', 'space.suspected'],
    (m: { flight: { device: Uint8Array } }) => m.flight.device.includes(0),
    ['monitor.stopSpace', 'monitor.revokeBus', 'monitor.takeBack', 'monitor.reboot'],
  ],
];

describe('failures', () => {
  it.each(failing.map((row) => [row[0].name, row] as const))('strike %s between any two steps', (_n, row) => {
    const [s, faults, inFlight, others] = row;
    const points = failurePoints(machineOf(s), faults, inFlight);
    const isTheirs = (point: string): boolean => !others.some((o) => point.includes(o));
    expect(points.missed.filter(isTheirs)).toEqual([]);
    expect(points.struck.filter(isTheirs).length).toBeGreaterThan(0);
    expect(points.whole.filter(isTheirs)).toEqual([]);
    expect(points.inFlight).toEqual(faults);
  });

  it('are missed where an operation is not taken apart, and where they never come', () => {
    const whole = { ...txStepsNow, machine: { ...txStepsNow.machine, split: ['net.take'] } };
    expect(failurePoints(machineOf(whole), driverDeaths, sending).whole).toContain('net.map');
    const last = machineOf(txStepsNow, undefined, { generation: 1 });
    expect(failurePoints(last, ['manager.restart'], sending).missed.length).toBeGreaterThan(0);
  });
});

const censuses: readonly (readonly [Suite, Census<never>, Mutant, Readonly<Record<string, number>>])[] = [
  [txStepsNow, transmitCensus, idReleasedEarly, {}],
  [txStepsThen, transmitCensus, idReleasedEarly, {}],
  [rxStepsNow, receiveCensus, idReleasedEarly, {}],
  [rxStepsThen, receiveCensus, idReleasedEarly, {}],
  [blockRestartsSuite, blockCensus, buriedMapped, {}],
  [channelStepsSuite, channelCensus, oldRingKept, {}],
  [censusNow, deviceCensus, pinsKept, {}],
  [censusThen, deviceCensus, framesLost, { frame: 7 }],
  [pageStepsSuite, pageCensus, closeKeepsEntries, {}],
  [clientStepsSuite, serviceCensus, handleLeaks, {}],
  [lineStepsSuite, lineCensus, lineLeftOn, {}],
  [ddosRestarts, ddosCensus, leaksPins, {}],
  [muxRestartSuite, muxCensus, deadKeepsPins, {}],
];

describe('the census', () => {
  it.each(censuses.map(([s, of]) => [s.name, s, of] as const))(
    'of %s is the same after 1, 2 and 3 restarts',
    (_n, s, of) => {
      const found = takeCensus(machineOf(s), of);
      const [one, two, three] = RESTARTS.map((k) => found.get(k));
      expect(one?.length).toBeGreaterThan(0);
      expect(two).toEqual(one);
      expect(three).toEqual(one);
    },
  );

  it.each(censuses.map(([s, of, mutant, more]) => [s.name, mutant.name, s, of, mutant, more] as const))(
    'of %s is not with "%s"',
    (_n, _mutant, s, of, mutant, more) => {
      const found = takeCensus(machineOf(s, mutant, more), of);
      const sound = takeCensus(machineOf(s, undefined, more), of);
      expect([...found].map(([k, holdings]) => [k, holdings])).not.toEqual([...sound].map(([k, h]) => [k, h]));
    },
  );
});
