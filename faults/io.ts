/**
 * Attacks on I/O space, and the mistakes that have been made in giving devices and taking them back.
 */

import { mutant } from '../drivers/suite.js';
import { domain, releaseDomain, runs } from '../model/domains.js';
import { grantDevice, revokeDevice } from '../model/ioAssignment.js';
import {
  ALL_ONES,
  barWindow,
  configFilter,
  configOwnership,
  device,
  holdsDevice,
  homeWindow,
  type IoSpace,
  mapRegisters,
  portBitmap,
  reachesRegisters,
  registerMmu,
  writeBar,
} from '../model/ioSpace.js';
import { blockedBy, NONE, omit, operationOn, reorder, replace } from '../model/kernel/index.js';

const operation = operationOn<IoSpace>();
const STOPPED_BY_BITMAP = blockedBy(portBitmap);
const STOPPED_BY_MMU = blockedBy(registerMmu);
const STOPPED_BY_OWNERSHIP = blockedBy(configOwnership);
const STOPPED_BY_FILTER = blockedBy(configFilter);

/** IN or OUT on ports that are not the driver's. */
export const wildPort = operation('io.wildPort', {
  agent: domain,
  says: 'uses the ports of {device}, which it was not given',
  source: 'M1 Port: anything outside the allow-set faults',
  fault: 'F1',
  atomic: true,
  input: { device },
  where: {
    agent: (m, op) => runs(m, op.agent),
    device: (m, op) => ((m.access.ports[op.agent] >> op.device) & 1) === 0,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    write: (m, op) => {
      if (m.on(portBitmap)) return STOPPED_BY_BITMAP;
      m.device.program[op.device] = op.agent;
      return 0;
    },
  },
});

/** A store to registers that the driver has not mapped. */
export const wildStore = operation('io.wildStore', {
  agent: domain,
  says: 'stores to the registers of {device}, which it has not mapped',
  fault: 'F1',
  atomic: true,
  input: { device },
  where: { agent: (m, op) => runs(m, op.agent), device: (m, op) => !reachesRegisters(m, op.agent, op.device) },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    store: (m, op) => {
      if (m.on(registerMmu)) return STOPPED_BY_MMU;
      m.device.program[op.device] = op.agent;
      return 0;
    },
  },
});

/** Bus-master of a stranger's device. */
export const foreignConfig = operation('io.foreignConfig', {
  agent: domain,
  says: 'switches on bus-mastering of {device}, which it was not given',
  source: 'M1 CfgWrite: the guard',
  fault: 'F13',
  atomic: true,
  input: { device },
  where: {
    agent: (m, op) => runs(m, op.agent),
    device: (m, op) => !holdsDevice(m, op.agent, op.device) && m.device.busMaster[op.device] === 0,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    write: (m, op) => {
      if (m.on(configOwnership)) return STOPPED_BY_OWNERSHIP;
      m.device.busMaster[op.device] = 1;
      return 0;
    },
  },
});

/** Moves a window of the driver's own device: over the registers of another, or nowhere. */
export const moveWindow = operation('io.moveWindow', {
  agent: domain,
  says: 'moves the window of {device} to {to}',
  source: 'M1 CfgWrite: the real BAR is never written',
  fault: 'F13',
  atomic: true,
  input: { device, to: barWindow },
  where: {
    agent: (m, op) => runs(m, op.agent),
    device: (m, op) => holdsDevice(m, op.agent, op.device),
    to: (m, op) => m.device.window[op.device] !== op.to,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    write: (m, op) => {
      if (m.on(configFilter)) return STOPPED_BY_FILTER;
      m.device.window[op.device] = op.to;
      return 0;
    },
  },
});

export const ioFaults = [wildPort, wildStore, foreignConfig, moveWindow];

/** M1's sub-machine for base addresses, short-circuited. */
export const sizingWrittenThrough = mutant('sizing written through', {
  says: 'all ones, written to learn the size of a window, reach the real base address register',
  source: 'M1 CfgWrite (the real BAR is never written); PCI Local Bus 3.0, 6.2.5.1',
  edits: [
    replace(writeBar, 'write', (m, op) => {
      m.device.window[op.device] = op.value === ALL_ONES ? NONE : homeWindow(m, op.device);
      return 0;
    }),
  ],
});

/** GAP-X3. */
export const pageGranular = mutant('page-granular MMIO', {
  says: 'a page of registers can be mapped when one window in it is ours, whosever the others are',
  source: 'architectures GAP-X3: MMIO is granted by pages',
  edits: [
    replace(mapRegisters, 'every window in it is ours', (m, op) => {
      for (let dev = 0; dev < m.device.rows; dev++) {
        if (homeWindow(m, dev) >> 1 === op.page && holdsDevice(m, op.agent, dev)) return 0;
      }
      return -1;
    }),
  ],
});

export const windowUnchecked = mutant('register pages unchecked', {
  says: 'any page of registers can be mapped',
  source: 'M1 MapMMIO: the guard left out',
  edits: [omit(mapRegisters, 'every window in it is ours')],
});

/** GAP-X2, as an omission; the gate `exclusive assignment` is the same check. */
export const doubleAssignment = mutant('double assignment', {
  says: 'a device that somebody has is given to another as well',
  source: 'architectures GAP-X2: nothing in the 2004 code refuses it',
  edits: [omit(grantDevice, 'nobody has it')],
});

export const revokeKeepsIrq = mutant('revocation leaves the interrupt routed', {
  says: 'interrupts of the device still go to its former holder',
  source: 'M1 RevokeDev: mask irq',
  edits: [omit(revokeDevice, 'mask irq')],
});

export const revokeKeepsMapping = mutant('revocation leaves registers mapped', {
  says: 'MMIO is checked when it is mapped and never later, so a mapping that stays is a right that stays',
  source: 'M1 RevokeDev: unmap MMIO',
  edits: [omit(revokeDevice, 'unmap MMIO')],
});

export const revokeKeepsPorts = mutant('revocation leaves the ports allowed', {
  says: 'the former holder still reaches the device by its ports',
  source: 'M1 RevokeDev: drop ports',
  edits: [omit(revokeDevice, 'drop ports')],
});

export const revokeKeepsBusMaster = mutant('revocation leaves bus-mastering on', {
  says: 'a device that nobody holds may still start DMA',
  source: 'M1 RevokeDev: clear bus-master; Linux driver core 376991db4b',
  edits: [omit(revokeDevice, 'clear bus-master')],
});

/** GAP-V4: detach without quiesce. */
export const revokeWithoutQuiesce = mutant('revocation without quiesce', {
  says: 'the device is taken away while DMA for its former holder is in flight and while it is still told what to do',
  source: 'architectures GAP-V4: detach without quiesce',
  edits: [omit(revokeDevice, 'quiesce'), omit(revokeDevice, 'wait and reset')],
});

/** M1's order to the letter: the wait comes first, while the driver still reaches the device. */
export const quiesceOnlyFirst = mutant('quiesce only at the beginning', {
  says: 'the wait for DMA comes before ports and mappings are gone, so a driver that still runs starts the device again',
  source: 'M1 RevokeDev: the order as written, against a driver that does not cooperate',
  edits: [
    replace(revokeDevice, 'quiesce', (m, op) => {
      m.device.revoking[op.device] = 1;
      m.device.program[op.device] = 0xff;
      m.device.dma[op.device] = 0xff;
    }),
    omit(revokeDevice, 'wait and reset'),
  ],
});

export const removedFirst = mutant('removed before it is shut', {
  says: 'the device is handed out again while the ports and mappings of its former holder are still there',
  source: 'M1 RevokeDev: the order; Linux vfio 6586b561',
  edits: [
    reorder(revokeDevice, [
      'remove',
      'quiesce',
      'mask irq',
      'unmap MMIO',
      'drop ports',
      'clear bus-master',
      'wait and reset',
    ]),
  ],
});

export const givenToAnybody = mutant('device given to an id that nobody has', {
  says: 'a device is given without a look at whether the domain lives; the next holder of the id finds it',
  source: 'xen/common/domctl.c, XEN_DOMCTL_assign_device: -ESRCH',
  edits: [omit(grantDevice, 'check domain')],
});

export const idFreedEarly = mutant('id freed while something is held', {
  says: 'a dead domain’s id is free before its devices were taken back',
  source: 'xen/common/domain.c, domain_relinquish_resources before complete_domain_destroy',
  edits: [omit(releaseDomain, 'wait until nothing is held')],
});

export const portsForgotten = mutant('ports of the dead forgotten', {
  says: 'when a device is taken back its ports stay in the set, and the id of the dead domain is never free',
  source: 'M1 RevokeDev: drop ports',
  edits: [omit(revokeDevice, 'drop ports')],
});
