/** What requests cost in the Safe Hardware Interface, in the steady state, on the hardware of both eras. */
import { type Channel, CONNECTED } from '../../model/architectures/safeHardware/channelState.js';
import { DRIVER, type Net } from '../../model/architectures/safeHardware/netState.js';
import { type Receive, TOLD } from '../../model/architectures/safeHardware/receiveState.js';
import { SENT, type Transmit } from '../../model/architectures/safeHardware/transmitState.js';
import { RUNNING } from '../../model/domains.js';
import type { MachineDef } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';
import { blockCostRuns, blockRecovery } from './blockCosts.js';
import { type CostRun, type CostStep, repeated } from './cost.js';
import { type Failure, failures, type RecoveryRun } from './recovery.js';
import { channelMachine } from './safeHardwareChannel.js';
import { missing, receiveMachine, transmitMachine } from './safeHardwareNetMachines.js';

const guest = (operation: string): CostStep => ({ operation, in: 'guest' });
const driver = (operation: string): CostStep => ({ operation, in: 'driver domain' });
const hardware = (operation: string): CostStep => ({ operation });

const TRANSMIT_SCOPE = { domain: 3, generation: 1, guest: 1, slot: 8, index: 16, work: 8, 'named slot': 9, frame: 9 };
/** The guest and the driver domain own eight frames each; the first one is the VMM's. */
const RECEIVE_SCOPE = { domain: 3, generation: 1, guest: 1, buffer: 8, frame: 17 };

/** One multicall maps the batch, one unmaps it; headers are copied and packets sent one by one. */
function transmitSteps(batch: number): CostStep[] {
  return [
    ...repeated(batch, () => [guest('net.send')]),
    driver('net.wake'),
    ...repeated(batch, () => [driver('net.take')]),
    driver('net.map'),
    ...repeated(batch, () => [driver('net.filter')]),
    ...repeated(batch, () => [driver('net.transmit'), hardware('net.complete')]),
    driver('net.unmap'),
    driver('net.respond'),
    driver('net.idle'),
    driver('net.sleep'),
    ...repeated(batch, () => [guest('net.collect')]),
  ];
}

/** Frames are given back, filled, and flipped; one multicall ends the batch. */
function receiveSteps(batch: number): CostStep[] {
  return [
    ...repeated(batch, () => [guest('rx.post')]),
    ...repeated(batch, () => [hardware('rx.arrive'), hardware('rx.filled')]),
    ...repeated(batch, () => [driver('rx.flip')]),
    driver('rx.flush'),
    driver('rx.respond'),
    ...repeated(batch, () => [guest('rx.receive')]),
  ];
}

function netRuns(era: Era): CostRun[] {
  const run = (
    what: CostRun['what'],
    batch: 1 | 8,
    machine: MachineDef,
    scope: CostRun['scope'],
    steps: readonly CostStep[],
  ): CostRun => ({ what, batch, era, machine, scope, gatesOff: missing(era), steps });
  return ([1, 8] as const).flatMap((batch) => [
    run('net transmit', batch, transmitMachine, TRANSMIT_SCOPE, transmitSteps(batch)),
    run('net receive', batch, receiveMachine, RECEIVE_SCOPE, receiveSteps(batch)),
  ]);
}

const erasInOrder: readonly Era[] = ['then', 'now'];

/** All runs, both eras. */
export const costRuns: readonly CostRun[] = erasInOrder.flatMap((era) => [
  ...blockCostRuns(era, missing(era)),
  ...netRuns(era),
]);

const vmm = (operation: string): CostStep => ({ operation, in: 'VMM' });
const control = (operation: string): CostStep => ({ operation, in: 'control domain' });

/** How a failure of the driver domain comes, and how it is noticed. */
const FAILURES: Readonly<Record<Failure, { readonly fault: CostStep; readonly noticed: readonly CostStep[] }>> = {
  crash: { fault: hardware('driver.crash'), noticed: [] },
  hang: { fault: hardware('driver.hang'), noticed: [control('manager.destroy')] },
  'wrong suspicion': { fault: control('manager.suspect'), noticed: [] },
};

/** Until a new driver domain runs and its guest is connected to it. `taken`: what the VMM takes back, from frame to frame. */
const back = (from: Failure, taken: readonly string[]): CostStep[] => [
  ...FAILURES[from].noticed,
  control('manager.quiesce'),
  ...taken.map(vmm),
  vmm('domain.release'),
  guest('net.disconnected'),
  control('manager.restart'),
  guest('net.reconnect'),
];

const lives = (m: Net): boolean => m.domain.generation[DRIVER] > 0 && m.domain.life[DRIVER] === RUNNING;

/** A failure with a packet on its way to the wire, until the next packet is there. */
function transmitRecovery(era: Era): RecoveryRun[] {
  return failures.map((from) => ({
    what: 'net transmit',
    from,
    era,
    machine: transmitMachine,
    scope: { ...TRANSMIT_SCOPE, generation: 2, slot: 1, index: 2, work: 1, 'named slot': 2, frame: 2 },
    gatesOff: missing(era),
    restored: (m: Transmit) => lives(m) && m.txWork.stage.includes(SENT),
    before: [
      guest('net.send'),
      ...['net.wake', 'net.take', 'net.map', 'net.filter', 'net.transmit'].map(driver),
      FAILURES[from].fault,
    ],
    steps: [
      ...back(from, ['vmm.takeBack']),
      guest('net.send'),
      ...['net.wake', 'net.take', 'net.map', 'net.filter', 'net.transmit'].map(driver),
      hardware('net.complete'),
    ],
  }));
}

/** A failure with a packet on its way into memory, until the guest is told of the next one. */
function receiveRecovery(era: Era): RecoveryRun[] {
  return failures.map((from) => ({
    what: 'net receive',
    from,
    era,
    machine: receiveMachine,
    scope: { ...RECEIVE_SCOPE, generation: 2, buffer: 1, frame: 3 },
    gatesOff: missing(era),
    restored: (m: Receive) => lives(m) && m.rxFrame.stage.includes(TOLD),
    before: [guest('rx.post'), hardware('rx.arrive'), FAILURES[from].fault],
    steps: [
      ...back(from, ['vmm.takeBack', 'rx.relinquish']),
      vmm('rx.refill'),
      ...['rx.regain', 'rx.post'].map(guest),
      hardware('rx.arrive'),
      hardware('rx.filled'),
      ...['rx.flip', 'rx.flush', 'rx.respond'].map(driver),
    ],
  }));
}

/** The same failures seen from the control interface: every message until the request is done on the new connection. */
function channelRecovery(era: Era): RecoveryRun[] {
  const fault = { crash: 'back.crash', hang: 'back.hang', 'wrong suspicion': 'ctl.suspect' } as const;
  return failures.map((from) => ({
    what: 'device channel',
    from,
    era,
    machine: channelMachine,
    scope: { page: 3, epoch: 2 },
    initial: { 'start of the channel': 1 },
    restored: (m: Channel) =>
      m.back.epoch[0] === 1 &&
      m.back.state[0] === CONNECTED &&
      m.back.refs[0] === 0 &&
      m.front.state[0] === CONNECTED &&
      m.front.submitted[0] === 0,
    before: [guest('front.submit'), driver('back.serve'), hardware(fault[from])],
    steps: [
      ...(from === 'hang' ? [control('ctl.destroy')] : []),
      ...['ctl.clear', 'ctl.statusDisconnected'].map(control),
      guest('front.connect'),
      ...['ctl.restart', 'ctl.create'].map(control),
      driver('back.create'),
      ...['ctl.created', 'ctl.connect'].map(control),
      driver('back.connect'),
      control('ctl.statusConnected'),
      guest('front.connected'),
      ...['back.serve', 'back.finish'].map(driver),
    ],
  }));
}

/** Ways back to service, both eras. */
export const recoveryRuns: readonly RecoveryRun[] = erasInOrder.flatMap((era) => [
  ...blockRecovery(era, missing(era)),
  ...transmitRecovery(era),
  ...receiveRecovery(era),
  ...channelRecovery(era),
]);
