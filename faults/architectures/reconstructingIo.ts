/**
 * Faults of driver domains and their devices under the restart of "Reconstructing I/O" (UCAM-CL-TR-596, 2004), and the mistakes that a
 * restart or a device mapping can be made with (architectures 7.3, numbers 12, 13, 15, 16 and 19), as edits of the specification.
 */
import { mutant } from '../../drivers/suite.js';
import {
  DEVMAP_ERRNO,
  devMap,
  devUnmap,
  endLoan,
  grantOk,
  isForeign,
  type Lending,
  rightsOf,
} from '../../model/architectures/reconstructingIo/lending.js';
import {
  CORRUPT,
  canRestart,
  commandFilter,
  drives,
  HUNG,
  type Restarts,
  RESTART_ORDER,
  type RestartStep,
  restart,
  restartSteps,
  NOT_SUSPECTED,
  SUSPECTED,
  stepsIn,
  submitAll,
  WORKING,
} from '../../model/architectures/reconstructingIo/restart.js';
import { CONTROL, DYING, domain, RUNNING } from '../../model/domains.js';
import { device, dmaRemapping, freeSlot, SLOT_FREE, takeSlot } from '../../model/iommu/index.js';
import { frame } from '../../model/frames.js';
import {
  blockedBy,
  type Edit,
  flag,
  gate,
  guardWith,
  insertBefore,
  module,
  NONE,
  OK,
  omit,
  operationOn,
  reorder,
  replace,
  undoWith,
} from '../../model/kernel/index.js';

const operation = operationOn<Restarts>();
/** The step that a restart in a wrong order would wait at. */
export const UNGUARDED = 'check that nobody has it and it is quiet';
const onLending = operationOn<Lending>();

/** Processors translate every access. The same gate as in the suites of memory. */
export const processorMmu = gate('MMU');
/** What a driver may do with the command register of its device is filtered while the device is restarted. */
const STOPPED_BY_FILTER = blockedBy(commandFilter);
const STOPPED_BY_MMU = blockedBy(processorMmu);
const STOPPED_BY_IOMMU = blockedBy(dmaRemapping);

/** Whether the domain drives a device whose service has another life in this scope, and nothing has befallen it yet. */
function mayFail(m: Restarts, d: number): boolean {
  const v = m.backend.device[d];
  return v !== NONE && m.domain.life[d] === RUNNING && m.backend.health[d] === WORKING && canRestart(m, v);
}

/** F10: a driver domain crashes, with whatever its device has in flight. */
export const crashDriver = operation('driver.crash', {
  agent: domain,
  says: 'crashes',
  source: 'TR-596; domain death is announced to the controller',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => mayFail(m, op.agent) },
  touches: (m, op, may) => may.write(m.domain, op.agent),
  steps: {
    stop: (m, op) => {
      m.domain.life[op.agent] = DYING;
    },
  },
});

/** F11: a driver domain answers nothing any more; its device goes on. */
export const hangDriver = operation('driver.hang', {
  agent: domain,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => mayFail(m, op.agent) },
  touches: (m, op, may) => may.write(m.backend, op.agent),
  steps: {
    hang: (m, op) => {
      m.backend.health[op.agent] = HUNG;
    },
  },
});

/** F11: the manager loses patience with a driver domain that works. */
export const suspectFalsely = operation('manager.suspect', {
  agent: 'manager',
  says: 'suspects the driver of {device}, which works',
  source: 'TR-596, fault recovery: a time-out is only a suspicion',
  fault: 'F11',
  atomic: true,
  input: { device },
  where: {
    device: (m, op) => {
      const home = m.device.home[op.device];
      return home !== NONE && m.service.suspected[op.device] === NOT_SUSPECTED && mayFail(m, home);
    },
  },
  touches: (m, op, may) => may.write(m.service, op.device),
  steps: {
    suspect: (m, op) => {
      m.service.suspected[op.device] = SUSPECTED;
    },
  },
});

/** F1: a wild write inside the driver domain's own memory: it is not itself any more. */
export const scribble = operation('driver.scribble', {
  agent: domain,
  says: 'overwrites its own memory',
  fault: 'F1',
  atomic: true,
  where: { agent: (m, op) => mayFail(m, op.agent) },
  touches: (m, op, may) => may.write(m.backend, op.agent),
  steps: {
    write: (m, op) => {
      m.backend.health[op.agent] = CORRUPT;
    },
  },
});

/** F1: a wild write outside it. */
export const writeOutside = operation('driver.writeOutside', {
  agent: domain,
  says: 'writes {frame}, which is not its own',
  fault: 'F1',
  atomic: true,
  onFailure: 'safe',
  input: { frame },
  where: {
    agent: (m, op) => op.agent !== CONTROL && m.domain.life[op.agent] === RUNNING,
    frame: (m, op) => m.frame.owner[op.frame] !== op.agent,
  },
  touches: (m, op, may) => {
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    'translate and write': (m, op) => {
      if (m.on(processorMmu)) return STOPPED_BY_MMU;
      m.content.writer[m.content.at(op.frame, 0)] = op.agent;
      m.content.writer[m.content.at(op.frame, 1)] = op.agent;
      return OK;
    },
  },
});

/** F13: a driver domain that is being restarted switches bus mastering on again: a write to configuration space. */
export const busMasterAgain = operation('driver.busMasterOn', {
  agent: domain,
  says: 'switches bus mastering of {device} on',
  source: 'architectures 7.2, F13; PCI command register, bit 2',
  fault: 'F13',
  atomic: true,
  onFailure: 'safe',
  input: { device },
  where: {
    agent: (m, op) => m.domain.life[op.agent] === RUNNING,
    device: (m, op) => drives(m, op.agent, op.device) && m.device.busMaster[op.device] === 0,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    write: (m, op) => {
      if (m.service.suspected[op.device] !== NOT_SUSPECTED && m.on(commandFilter)) return STOPPED_BY_FILTER;
      m.device.busMaster[op.device] = 1;
      return OK;
    },
  },
});

/** F3: a device goes on with the addresses that its former driver gave it, although bus mastering is off. */
export const deviceIgnoresReset = operation('device.ignoresReset', {
  agent: device,
  says: 'goes on writing {frame}, which its former driver named, across the reset',
  source: 'TR-596 claims nothing here: devices that keep DMAing across reset',
  fault: 'F4',
  atomic: true,
  input: { frame },
  where: {
    agent: (m, op) => m.service.epoch[op.agent] > 0 && m.device.home[op.agent] !== NONE && freeSlot(m) >= 0,
    frame: (m, op) => m.service.memory[op.agent] === op.frame && m.frame.owner[op.frame] === m.device.home[op.agent],
  },
  touches: (m, op, may) => {
    may.read(m.device, op.agent);
    may.writeAll(m.dma);
  },
  steps: {
    // The tables are the new driver's, and allow it: the address is the same.
    translate: (m, op) => {
      takeSlot(m, op.agent, op.frame, 1, 0);
      for (let s = 0; s < m.dma.rows; s++) {
        if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === op.agent) m.dma.bypass[s] = 1;
      }
    },
  },
});

/** F3: a driver aims its device at a frame that it has unmapped, by the machine address that it remembers. */
export const dmaToFormer = onLending('dma.toFormerFrame', {
  agent: device,
  says: 'aims a DMA at {frame}, which is mapped no more (write: {write})',
  source: 'architectures 7.2, F3',
  fault: 'F3',
  atomic: true,
  onFailure: 'safe',
  input: { frame, write: flag },
  where: {
    agent: (m, op) => m.device.home[op.agent] !== NONE && m.device.busMaster[op.agent] === 1 && freeSlot(m) >= 0,
    frame: (m, op) => m.lent.to[op.frame] === NONE && m.frame.owner[op.frame] === CONTROL,
  },
  touches: (m, op, may) => {
    may.read(m.device, op.agent);
    may.writeAll(m.dma);
  },
  steps: {
    translate: (m, op) => {
      if (m.on(dmaRemapping)) return STOPPED_BY_IOMMU;
      takeSlot(m, op.agent, op.frame, op.write, 1);
      return OK;
    },
  },
});

export const driverFaults = [crashDriver, hangDriver, suspectFalsely, scribble, writeOutside, busMasterAgain];

/** Failing drivers, as a module. */
export const driverFailures = module<Restarts, Record<never, never>>('driver failures', {
  tables: {},
  operations: driverFaults,
});

/** The restart with its micro-steps in another order, and no check at the assignment. */
function inOrder(...order: readonly RestartStep[]): readonly Edit[] {
  return [reorder(restart, stepsIn(order)), omit(restart, UNGUARDED)];
}

/** The restart without some of its micro-steps. */
function without(...left: readonly RestartStep[]): readonly Edit[] {
  return left.flatMap((micro) => Object.keys(restartSteps[micro]).map((step) => omit(restart, step)));
}

/** Moves one micro-step in front of another. */
function moved(step: RestartStep, before: RestartStep): readonly Edit[] {
  const others = RESTART_ORDER.filter((s) => s !== step);
  return inOrder(...others.flatMap((s) => (s === before ? [step, s] : [s])));
}

export const noQuiesce = mutant('GAP-V4 here', {
  says: 'a device changes hands without bus mastering off, without waiting for its requests, and nobody checks',
  source: 'architectures 7.3, 12',
  edits: [...without('bus mastering off', 'wait for requests'), omit(restart, UNGUARDED)],
});

export const tablesFirst = mutant('tables before quiescing', {
  says: 'frames and tables of the failed driver go before its device is quiet and the IOTLB is invalidated',
  source: 'architectures 7.3, 13 (order of the close path)',
  edits: [
    reorder(restart, [
      'begin',
      'destroy the old domain',
      'release its frames',
      'free tables',
      ...stepsIn(RESTART_ORDER).filter(
        (s) => !['begin', 'destroy the old domain', 'release its frames', 'free tables'].includes(s),
      ),
    ]),
  ],
});

export const twoOwners = mutant('restart without destroying', {
  says: 'whoever is suspected is taken to be dead: his domain is not destroyed',
  source: 'TR-596 on suspicion; architectures 7.3 (R-S4)',
  edits: without('destroy the old domain'),
});

export const epochKept = mutant('epoch kept', {
  says: 'clients are reconnected in the old epoch',
  source: 'omitted step',
  edits: without('next epoch'),
});

export const reconnectFirst = mutant('clients before device', {
  says: 'clients are reconnected before there is a new domain that has the device',
  source: 'order of R2',
  edits: moved('reconnect its clients', 'bus mastering off'),
});

export const reconnectAll = mutant('all clients reconnected', {
  says: 'a restart reconnects the clients of all devices',
  source: 'R-S3',
  edits: [
    {
      kind: 'replace',
      operation: restart.name,
      step: 'reconnect its clients',
      with: (m: Restarts, op: { device: number; fresh: number }) => {
        for (let c = 0; c < m.channel.rows; c++) {
          m.channel.to[c] = op.fresh;
          m.channel.epoch[c] = m.service.epoch[op.device];
        }
      },
    } as Edit,
  ],
});

export const iotlbKept = mutant('restart: IOTLB kept', {
  says: 'translations of the failed driver survive its restart',
  source: 'architectures 7.3, 19; XSA-442',
  edits: [replace(restart, 'invalidate', (m, op) => submitAll(m, op, false))],
});

export const pinsKept = mutant('restart: pins kept', {
  says: 'a restart frees the tables of the failed driver and forgets the pins of loans',
  source: 'R6; architectures 7.3, 15 (in-use bit not rolled back)',
  edits: [
    {
      kind: 'insert',
      operation: restart.name,
      before: 'free tables',
      step: 'forget the pins',
      with: (m: Restarts) => {
        for (let f = 0; f < m.lent.rows; f++) if (m.lent.to[f] !== NONE) m.lent.pins[f]++;
      },
    } as Edit,
  ],
});

export const framesLost = mutant('frames not released', {
  says: 'the table of the failed driver is unlinked and never freed',
  source: 'census over restarts',
  edits: [
    {
      kind: 'insert',
      operation: restart.name,
      before: 'free tables',
      step: 'lose the table',
      with: (m: Restarts, op: { did: number }) => {
        m.frame.refs[m.ioDirectory.target[op.did]]++;
      },
    } as Edit,
  ],
});

export const lazyIotlb = mutant('lazy IOTLB', {
  says: 'DevUnmap reports that it is done without invalidating',
  source: 'architectures 7.3, 19; Linux commit 82c3cef',
  edits: [omit(devUnmap, 'invalidate IOTLB')],
});

export const dropFirst = mutant('pin dropped before the wait', {
  says: 'DevUnmap gives pin and page back before the invalidation has completed',
  source: 'architectures 7.3, 13 (order)',
  edits: [
    reorder(devUnmap, [
      'clear entry',
      'drop reference and pin',
      'invalidate IOTLB',
      'invalidate ATC',
      'wait',
      'completed',
    ]),
  ],
});

export const endWhileInUse = mutant('XSA-396 here', {
  says: 'a loan is ended although it is still mapped for a device',
  source: 'architectures 7.3, 16; XSA-396',
  edits: [
    guardWith(
      endLoan,
      'frame',
      (m, op) => m.frame.owner[op.frame] === op.agent && m.lent.to[op.frame] !== NONE,
    ),
  ],
});

export const pinNotRolledBack = mutant('pin not rolled back', {
  says: 'a DevMap that finds no device space leaves the loan pinned',
  source: 'architectures 7.3, 15',
  edits: [undoWith(devMap, 'check the grant and pin it', undefined)],
});

export const grantUnchecked = mutant('GAP-X1 here', {
  says: 'a driver domain maps any frame for its device: the backend is privileged',
  source: 'architectures 7.3, 7',
  edits: [
    replace(devMap, 'check the grant and pin it', (m, op) => {
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]++;
    }),
  ],
});

export const pinnedLate = mutant('pinned after the check', {
  says: 'DevMap checks the loan in one step and pins it in a later one: it can be ended in between',
  source: 'found while specifying R4; architectures 6.1 (GT6)',
  edits: [
    replace(devMap, 'check the grant and pin it', (m, op) =>
      grantOk(m, m.ioDomain.owner[op.did], op.frame, rightsOf(op.write)) ? OK : DEVMAP_ERRNO.EPERM,
    ),
    insertBefore(devMap, 'find device space', 'pin the loan', (m, op) => {
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]++;
    }),
  ],
});
