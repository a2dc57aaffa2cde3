/**
 * Attacks of a DD/OS on memory, and on the time-multiplexed IO-MMU itself. Each names the gate that stops it; where one passes, the
 * invariants speak. What the paper's code lacked is in muxMutants.ts.
 */
import { MONITOR_ERRORS, mark, takeFlight } from '../../../model/architectures/driverReuse/muxMemory.js';
import {
  attachPrivilege,
  clientDomain,
  clientPageCheck,
  configurationFilter,
  domainOfSpace,
  freeFlight,
  ioMmu,
  LENT,
  type Mux,
  mayReach,
  NO_LONGER_LENT,
  pageTables,
  passes,
  pins,
  SERVER,
  space,
} from '../../../model/architectures/driverReuse/muxState.js';
import { frame } from '../../../model/frames.js';
import { device, interruptRemapping } from '../../../model/iommu/index.js';
import { blockedBy, module, NONE, OK, operationOn } from '../../../model/kernel/index.js';

const operation = operationOn<Mux>();
const STOPPED_BY_IOMMU = blockedBy(ioMmu);

/** The driver scribbles over its own memory. */
export const storeInside = operation('driver.storeInside', {
  agent: space,
  says: 'stores wildly to its own {frame}',
  fault: 'F1',
  atomic: true,
  input: { frame },
  where: {
    frame: (m, op) =>
      m.frame.owner[op.frame] === domainOfSpace(op.agent) &&
      m.content.writer[m.content.at(op.frame, 0)] !== domainOfSpace(op.agent),
  },
  touches: (m, op, may) => {
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    store: (m, op) => {
      m.content.writer[m.content.at(op.frame, 0)] = domainOfSpace(op.agent);
      m.content.writer[m.content.at(op.frame, 1)] = domainOfSpace(op.agent);
    },
  },
});

/** The driver stores to memory that it may not have. */
export const storeOutside = operation('driver.storeOutside', {
  agent: space,
  says: 'stores wildly to {frame}, which is not its own',
  fault: 'F1',
  atomic: true,
  input: { frame },
  where: { frame: (m, op) => !mayReach(m, op.agent, op.frame) },
  touches: (m, op, may) => {
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    store: (m, op) => {
      if (m.on(pageTables)) return blockedBy(pageTables);
      mark(m, op.agent, op.frame);
      return OK;
    },
  },
});

/** The driver gives its device the address of memory that it never had. */
export const dmaForeign = operation('device.dmaForeign', {
  agent: device,
  path: 'translate',
  says: 'aims a DMA at {frame}, which its DD/OS never had',
  fault: 'F2',
  atomic: true,
  input: { frame },
  where: {
    agent: (m, op) => m.master.bus[op.agent] === 1 && freeFlight(m) >= 0,
    frame: (m, op) => {
      const s = m.master.home[op.agent];
      return !mayReach(m, s, op.frame) && m.io.lent[m.io.at(s, op.frame)] !== NO_LONGER_LENT;
    },
  },
  touches: (m, _op, may) => may.writeAll(m.flight),
  steps: {
    translate: (m, op) => {
      if (!passes(m, op.frame)) return STOPPED_BY_IOMMU;
      takeFlight(m, op.agent, op.frame);
      return OK;
    },
  },
});

/** The driver gives its device the address of memory that it had, and has no longer. */
export const dmaLate = operation('device.dmaLate', {
  agent: device,
  path: 'translate',
  says: 'aims a DMA at {frame}, which its DD/OS has no longer',
  fault: 'F3',
  atomic: true,
  input: { frame },
  where: {
    agent: (m, op) => m.master.bus[op.agent] === 1 && freeFlight(m) >= 0,
    frame: (m, op) => {
      const s = m.master.home[op.agent];
      return !mayReach(m, s, op.frame) && m.io.lent[m.io.at(s, op.frame)] === NO_LONGER_LENT;
    },
  },
  touches: (m, _op, may) => may.writeAll(m.flight),
  steps: {
    translate: (m, op) => {
      if (!passes(m, op.frame)) return STOPPED_BY_IOMMU;
      takeFlight(m, op.agent, op.frame);
      return OK;
    },
  },
});

/** A DMA write to the window in which writes are interrupts. It lies above every aperture. */
export const dmaInterrupt = operation('device.dmaInterrupt', {
  agent: device,
  path: 'translate',
  says: 'writes an interrupt that is not its own',
  fault: 'F8',
  atomic: true,
  where: { agent: (m, op) => m.master.bus[op.agent] === 1 && m.master.forged[op.agent] === 0 },
  touches: (m, op, may) => may.write(m.master, op.agent),
  steps: {
    'look the interrupt up': (m, op) => {
      if (m.on(interruptRemapping)) return blockedBy(interruptRemapping);
      m.master.forged[op.agent] = 1;
      return OK;
    },
  },
});

/** The DD/OS asks for pages of a client that it does not serve. */
export const requestForeignPages = operation('driver.requestForeignPages', {
  agent: space,
  says: 'asks for {frame} of a client that it does not serve',
  source: 'LeVasseur et al. 2004, V1 request_client_pages',
  fault: 'F5',
  input: { frame },
  errors: MONITOR_ERRORS,
  where: {
    agent: (_m, op) => op.agent !== SERVER,
    frame: (m, op) => m.frame.owner[op.frame] === clientDomain(m) && m.io.lent[m.io.at(op.agent, op.frame)] !== LENT,
  },
  touches: (m, op, may) => may.write(m.io, m.io.at(op.agent, op.frame)),
  steps: {
    'check the client': (m) => (m.on(clientPageCheck) ? blockedBy(clientPageCheck) : OK),
    'map hook': (m, op) => {
      m.io.entry[m.io.at(op.agent, op.frame)] = 1;
    },
  },
});

/** The DD/OS rewrites the northbridge: its table becomes the active one. */
export const writeNorthbridge = operation('config.northbridge', {
  agent: space,
  says: 'writes the base of its table into the northbridge',
  source: 'LeVasseur et al. 2004, patches: the guard is commented out (GAP-V8)',
  fault: 'F13',
  where: { agent: (m, op) => m.northbridge.current[0] !== op.agent },
  touches: (m, _op, may) => may.write(m.northbridge),
  steps: {
    filter: (m) => (m.on(configurationFilter) ? blockedBy(configurationFilter) : OK),
    'switch base': (m, op) => {
      m.northbridge.current[0] = op.agent;
    },
  },
});

/** The DD/OS writes the registers of a device that another DD/OS drives. */
export const writeForeignDevice = operation('config.foreignDevice', {
  agent: space,
  says: 'writes the registers of {device}, which it does not drive',
  source: 'LeVasseur et al. 2004, 5a: a PCI DD/OS serves configuration space to the others',
  fault: 'F13',
  input: { device },
  where: { device: (m, op) => m.master.home[op.device] !== op.agent && m.master.tampered[op.device] === 0 },
  touches: (m, op, may) => may.write(m.master, op.device),
  steps: {
    filter: (m) => (m.on(configurationFilter) ? blockedBy(configurationFilter) : OK),
    write: (m, op) => {
      m.master.tampered[op.device] = 1;
    },
  },
});

/** The DD/OS registers a device of another one for its own table. */
export const attachForeign = operation('driver.attachForeign', {
  agent: space,
  says: 'registers {device} for its own table',
  source: 'LeVasseur et al. 2004, patches: attach has no privilege check (GAP-V8)',
  fault: 'F13',
  input: { device },
  where: { device: (m, op) => m.master.home[op.device] !== op.agent && m.master.table[op.device] !== op.agent },
  touches: (m, op, may) => may.write(m.master, op.device),
  steps: {
    'check the caller': (m) => (m.on(attachPrivilege) ? blockedBy(attachPrivilege) : OK),
    register: (m, op) => {
      m.master.table[op.device] = op.agent;
    },
  },
});

/** A device does not complete what it has begun. */
export const sticks = operation('device.sticks', {
  agent: device,
  says: 'does not complete its DMA',
  source: 'LeVasseur et al. 2004, patches: a hung disk controller hangs the machine',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.master.stuck[op.agent] === 0 && m.flight.device.includes(op.agent) },
  touches: (m, op, may) => may.write(m.master, op.agent),
  steps: {
    stick: (m, op) => {
      m.master.stuck[op.agent] = 1;
    },
  },
});

/** F4: the balloon: the monitor would take back a page of the client's that a device of the DD/OS is at work in. */
export const reclaimInFlight = operation('monitor.reclaimInFlight', {
  agent: 'monitor',
  says: 'would take {frame} back from the client while a device is at work in it',
  source: 'LeVasseur et al. 2004, V5 pin rule (the balloon must refuse pinned pages)',
  fault: 'F4',
  atomic: true,
  onFailure: 'safe',
  input: { frame },
  where: { frame: (m, op) => m.frame.owner[op.frame] === clientDomain(m) && m.flight.frame.includes(op.frame) },
  touches: (m, op, may) => may.write(m.frame, op.frame),
  steps: {
    'look at the pins': (m, op) => {
      if (m.on(pins) && m.frame.refs[op.frame] > 1) return blockedBy(pins);
      m.frame.allocated[op.frame] = 0;
      m.frame.owner[op.frame] = NONE;
      m.frame.refs[op.frame]--;
      return OK;
    },
  },
});

/** The attacks as a module: no state of their own. */
export const muxFaults = module<Mux, Record<never, never>>('attacks of a DD/OS on memory', {
  tables: {},
  operations: [
    storeInside,
    storeOutside,
    reclaimInFlight,
    dmaForeign,
    dmaLate,
    dmaInterrupt,
    requestForeignPages,
    writeNorthbridge,
    writeForeignDevice,
    attachForeign,
    sticks,
  ],
});
