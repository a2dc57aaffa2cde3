/**
 * Faults of driver domains and their devices under the restart of "Reconstructing I/O" (UCAM-CL-TR-596, 2004): crash, hang, false
 * suspicion, wild writes, configuration space, late DMA. The mistakes of a restart are in reconstructingIoMutants.ts.
 */
import type { Lending } from '../../model/architectures/reconstructingIo/lending.js';
import {
  CORRUPT,
  canRestart,
  commandFilter,
  drives,
  HUNG,
  NOT_SUSPECTED,
  type Restarts,
  SUSPECTED,
  WORKING,
} from '../../model/architectures/reconstructingIo/restart.js';
import { CONTROL, DYING, domain, RUNNING } from '../../model/domains.js';
import { frame } from '../../model/frames.js';
import { device, dmaRemapping, freeSlot, takeSlot } from '../../model/iommu/index.js';
import { blockedBy, flag, gate, module, NONE, OK, operationOn } from '../../model/kernel/index.js';

const operation = operationOn<Restarts>();
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

/** F4: a device goes on with the addresses that its former driver gave it, although bus mastering is off. */
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
    // The tables are the new driver's, and allow it: the address is the same. It is marked as none of his requests.
    translate: (m, op) => takeSlot(m, op.agent, op.frame, 1, 1),
  },
});

/** F3: a driver aims its device at a frame that it has unmapped, by the machine address that it remembers. */
export const dmaToFormer = onLending('dma.toFormerFrame', {
  agent: device,
  path: 'translate',
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
