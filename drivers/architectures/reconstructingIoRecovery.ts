/**
 * Ways back to service in "Reconstructing I/O": of a device (quiesce, invalidate, destroy, build, assign) and of a request at the class
 * interface (replay or loss). The two machines share no state, so each tells its own part; a recovery is both.
 */
import { type ClassPath, DONE } from '../../model/architectures/reconstructingIo/classState.js';
import { NOT_SUSPECTED, type Restarts } from '../../model/architectures/reconstructingIo/restart.js';
import { ABSENT, DYING, RUNNING } from '../../model/domains.js';
import type { Era } from './architecture.js';
import type { CostStep } from './cost.js';
import { classMachine } from './reconstructingIoClass.js';
import { LACKED_THEN } from './reconstructingIoDevices.js';
import { restartMachine } from './reconstructingIoMachines.js';
import { RESTART_SCOPE } from './reconstructingIoRestarts.js';
import { type Failure, failures, type RecoveryRun } from './recovery.js';

const manager = (operation: string): CostStep => ({ operation, in: 'device manager' });
const vmm = (operation: string): CostStep => ({ operation, in: 'VMM' });
const guest = (operation: string, choices: Record<string, number> = {}): CostStep => ({
  operation,
  in: 'guest',
  with: choices,
});
const hardware = (operation: string): CostStep => ({ operation });
const missing = (era: Era) => (era === 'then' ? LACKED_THEN : []);

/** Whether somebody has to notice: a suspicion, right or wrong, is the notice itself. */
const noticed = (from: Failure): CostStep[] => (from === 'wrong suspicion' ? [] : [manager('manager.notice')]);

const DEVICE_FAULTS = { crash: 'driver.crash', hang: 'driver.hang', 'wrong suspicion': 'manager.suspect' } as const;

/** The device is served in a new epoch, and its former domain is gone. */
function deviceRestored(m: Restarts): boolean {
  return (
    m.service.epoch[0] === 1 &&
    m.service.suspected[0] === NOT_SUSPECTED &&
    m.domain.life[m.device.home[0]] === RUNNING &&
    m.domain.life[1] === ABSENT &&
    !m.domain.life.includes(DYING)
  );
}

/** A failure with a DMA in flight into a loan, until the device serves a new driver domain. */
function deviceRecovery(era: Era): RecoveryRun[] {
  return failures.map((from) => ({
    what: 'device',
    from,
    era,
    machine: restartMachine,
    scope: RESTART_SCOPE.small,
    gatesOff: missing(era),
    initial: { 'already suspected': 0 },
    restored: deviceRestored,
    before: [
      hardware('dma.issue'),
      {
        ...hardware(DEVICE_FAULTS[from]),
        with: { [from === 'wrong suspicion' ? 'device' : 'agent']: from === 'wrong suspicion' ? 0 : 1 },
      },
    ],
    // The wait of the restart is for the DMA in flight.
    steps: [...noticed(from), manager('manager.restart'), vmm('domain.release')],
  }));
}

const CLASS_FAULTS = { crash: 'backend.crash', hang: 'backend.hang', 'wrong suspicion': 'manager.suspect' } as const;
const KINDS = { block: 0, 'net transmit': 2, 'net receive': 3 } as const;

/** A failure with a request performed and not answered, until it is done, or until the next frame is. */
function requestRecovery(what: keyof typeof KINDS, era: Era): RecoveryRun[] {
  const backend = (place: number): CostStep[] =>
    ['backend.take', 'backend.perform', 'backend.answer'].map((operation) => ({
      operation,
      in: place === 0 ? 'driver domain' : 'new driver domain',
      with: { agent: place },
    }));
  return failures.map((from) => ({
    what,
    from,
    era,
    machine: classMachine,
    scope: { request: 1, place: 2, changes: 1, buffers: 1 },
    gatesOff: missing(era),
    initial: { beginning: 0, 'what is asked for': KINDS[what], mapped: era === 'now' ? 1 : 0 },
    restored: (m: ClassPath) => m.path.epoch[0] === 1 && m.asked.state[0] === DONE,
    before: [guest('client.submit'), ...backend(0).slice(0, 2), hardware(CLASS_FAULTS[from])],
    steps: [
      ...noticed(from),
      manager('manager.restart'),
      ...(what === 'block' ? [] : [guest('client.forget'), guest('client.submit')]),
      ...backend(1),
      guest('client.complete'),
    ],
  }));
}

/** Ways back to service, both eras. */
export const recoveryRuns: readonly RecoveryRun[] = (['then', 'now'] as const).flatMap((era) => [
  ...deviceRecovery(era),
  ...(Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((what) => requestRecovery(what, era)),
]);
