/**
 * The invariants of the Safe Hardware Interface that its parts keep already, under the ids of the architecture: X-S1 to X-S9, X-L1 and
 * X-L2. What is its own alone is in safeHardwareNet.ts and safeHardwareChannel.ts.
 */
import type { Memory } from '../../model/access.js';
import { type Block, DYING, HUNG } from '../../model/blockState.js';
import * as block from '../block.js';
import * as blockRecovery from '../blockRecovery.js';
import * as events from '../events.js';
import * as interrupts from '../interrupts.js';
import * as io from '../io.js';
import * as memory from '../memory.js';
import { type AnyProperty, noninterference } from '../property.js';

/** The property under another id. What it says and how it is checked stays. */
function named<P extends AnyProperty>(p: P, id: string, name: string): P {
  return { ...p, id, name };
}

export const ioReach = named(io.deviceReach, 'X-S1', 'I/O space');
export const ioCommands = named(io.deviceSource, 'X-S1', 'commands');
export const ioWindows = named(io.windowsStay, 'X-S1', 'windows');
export const ioConfiguration = named(io.configurationSource, 'X-S1', 'configuration');
export const ioOneHolder = named(io.oneHolder, 'X-S1', 'one holder');
export const ioRevoked = named(io.revokedForGood, 'X-S1', 'revocation');
export const ioReleased = named(io.deadReleased, 'X-L1', 'devices of the dead');

export const channelsSymmetric = named(events.linksSymmetric, 'X-S4', 'symmetry');
export const signalsConsented = named(events.signalsEntitled, 'X-S4', 'signals');

export const lineCounted = named(interrupts.holdersCounted, 'X-S5', 'masked while held');
export const lineSignalled = named(interrupts.lineTargets, 'X-S5', 'signalled');
export const lineOnce = named(interrupts.oneRaise, 'X-S5', 'storm');
export const lineReturns = named(interrupts.lineServed, 'X-S5', 'service');
export const lineReturnsUnaided = named(interrupts.lineServedUnaided, 'X-S5', 'service unaided');

export const ringOrder = named(block.privateOrder, 'X-S6', 'private indices');
export const answeredOnce = named(blockRecovery.servedOnce, 'X-S7', 'once an epoch');
export const completedOnce = named(blockRecovery.completedOnce, 'X-S7', 'completed once');
export const extentKept = named(block.insideExtent, 'X-S8', 'extent');
export const requestsEnd = named(blockRecovery.everyRequestEnds, 'X-L1', 'requests');

/** Domain 2, the driver domain of the suite on memory, is a stranger to domain 1, the guest. */
export const domainUnnoticed = named(memory.independentOfCrashes, 'X-L2', 'crash of a driver domain');

export const storesUnnoticed = noninterference<Memory>('X-L2', 'stores of a driver domain', {
  states: 'what a guest sees does not depend on what a driver domain writes, wildly or not',
  view: memory.viewOfVictim,
  purge: (_m, operation, agent) =>
    (operation === 'cpu.store' || operation === 'fault.wildWrite') && agent === memory.STRANGER,
  witnesses: { 'the driver domain has written': (m) => m.content.writer.includes(memory.STRANGER) },
});

const FAILURES = ['backend.crash', 'backend.hang', 'manager.suspectFalsely'];

/** X-L2: the last frontend has a device and a backend of its own; what fails in its suite is the other one's. */
export const diskUnnoticed = noninterference<Block>('X-L2', 'failure of another driver domain', {
  states:
    'what a guest sees of its disk does not depend on whether another disk’s driver domain crashes, hangs or is suspected',
  view: block.viewOfLast,
  purge: (_m, operation) => FAILURES.includes(operation),
  witnesses: {
    'the other driver domain is dead': (m) => m.be.life[0] === DYING,
    'the other driver domain hangs': (m) => m.be.life[0] === HUNG,
    'the other driver domain has been restarted': (m) => m.device.epoch[0] > 0,
  },
});
