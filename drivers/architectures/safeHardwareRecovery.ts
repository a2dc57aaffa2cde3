/** Ways back to service in the Safe Hardware Interface: a request, a packet out, a packet in, and the messages of the control interface. */
import { type Channel, CONNECTED } from '../../model/architectures/safeHardware/channelState.js';
import { DRIVER, type Net } from '../../model/architectures/safeHardware/netState.js';
import { type Receive, TOLD } from '../../model/architectures/safeHardware/receiveState.js';
import { SENT, type Transmit } from '../../model/architectures/safeHardware/transmitState.js';
import { RUNNING } from '../../model/domains.js';
import type { Era } from './architecture.js';
import { blockRecovery } from './blockCosts.js';
import type { CostStep } from './cost.js';
import { type Failure, failures, type RecoveryRun } from './recovery.js';
import { channelMachine } from './safeHardwareChannel.js';
import { missing, receiveMachine, transmitMachine } from './safeHardwareNetMachines.js';

const guest = (operation: string): CostStep => ({ operation, in: 'guest' });
const driver = (operation: string): CostStep => ({ operation, in: 'driver domain' });
const hardware = (operation: string): CostStep => ({ operation });
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
    scope: { domain: 3, generation: 2, guest: 1, slot: 1, index: 2, work: 1, 'named slot': 2, frame: 2 },
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
    scope: { domain: 3, generation: 2, guest: 1, buffer: 1, frame: 3 },
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
export const recoveryRuns: readonly RecoveryRun[] = (['then', 'now'] as const).flatMap((era) => [
  ...blockRecovery(era, missing(era)),
  ...transmitRecovery(era),
  ...receiveRecovery(era),
  ...channelRecovery(era),
]);
