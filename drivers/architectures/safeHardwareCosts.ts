/** What requests cost in the Safe Hardware Interface, in the steady state, on the hardware of both eras. */
import type { MachineDef } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';
import { blockCostRuns } from './blockCosts.js';
import { type CostRun, type CostStep, repeated } from './cost.js';
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
