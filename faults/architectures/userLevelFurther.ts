/**
 * Further attacks by and upon user-level drivers: DMA that goes on without translation (F3), memory taken back while a device has it (F4), a line answered for by who has not opened it
 * (F7), configuration space written past the calls (F13), an answer out of a driver's earlier life (F14). Each names its gate.
 */
import { type Irqs, irq, responds } from '../../model/architectures/userLevel/interrupts.js';
import {
  ANSWERED,
  driverOf,
  ISSUED,
  QUEUED,
  request,
  type Service,
} from '../../model/architectures/userLevel/service.js';
import {
  BUFFER,
  DRIVER,
  maps,
  takePage,
  touchPage,
  type UserDrivers,
} from '../../model/architectures/userLevel/state.js';
import { CONTROL, domain, runs } from '../../model/domains.js';
import { frame, putPage } from '../../model/frames.js';
import { device, dmaRemapping, freeSlot, takeSlot } from '../../model/iommu/index.js';
import { blockedBy, flag, gate, module, OK, oneOf, operationOn, type State, table } from '../../model/kernel/index.js';

/** Reclaim leaves pinned pages alone. */
export const pinsAgainstReclaim = gate('pins against reclaim');
/** Each line is a file of its own: who has not opened it can neither read nor answer for it. */
export const lineFiles = gate('a file for each line');
/** What a driver writes into configuration space is looked at first. The kernels of 2005 had no such filter. */
export const configurationWrites = gate('filter of configuration writes');
/** The memory that a client shares with a driver ends with the driver. */
export const channelOfALife = gate('a channel for each life');

const onUser = operationOn<UserDrivers>();

/** F4: short of memory, the kernel would take a page that a device has. */
export const reclaimPinned = onUser('fault.reclaim', {
  agent: 'vmm',
  says: 'is short of memory, and would take {frame}, which a device has',
  source: 'Linux shrink_folio_list (folio_maybe_dma_pinned); LKML review of the 2005 patches',
  fault: 'F4',
  atomic: true,
  onFailure: 'safe',
  input: { frame },
  where: { frame: (m, op) => m.pin.count[op.frame] > 0 && m.frame.allocated[op.frame] === 1 },
  touches: (m, op, may) => touchPage(m, may, op.frame),
  steps: {
    'look at the pins': (m, op) => {
      if (m.on(pinsAgainstReclaim)) return blockedBy(pinsAgainstReclaim);
      for (let d = 0; d < m.domain.rows; d++) if (maps(m, d, op.frame)) takePage(m, op.frame, d);
      while (m.frame.refs[op.frame] > 0) putPage(m, op.frame);
      return OK;
    },
  },
});

const toldTables = {
  /** The device was told the machine address of the driver's first page. */
  told: table([device], { address: oneOf('no', 'yes') }),
};

type Told = UserDrivers & State<typeof toldTables>;

/** F3: without translation, an address that a device was told is the machine's, and means the same page when its mapping is gone. */
export const goesOn = operationOn<Told>()('fault.goesOn', {
  agent: device,
  says: `goes on at frame ${BUFFER}, which was mapped for it once (write: {write})`,
  source: 'the 2005 patches: without an I/O MMU, pci_map_single returns the machine address',
  fault: 'F3',
  atomic: true,
  onFailure: 'safe',
  input: { write: flag },
  where: {
    agent: (m, op) =>
      m.device.busMaster[op.agent] === 1 &&
      m.told.address[op.agent] === 1 &&
      m.pin.count[BUFFER] === 0 &&
      freeSlot(m) >= 0,
  },
  touches: (m, _op, may) => may.writeAll(m.dma),
  steps: {
    translate: (m, op) => {
      if (m.on(dmaRemapping)) return blockedBy(dmaRemapping);
      takeSlot(m, op.agent, BUFFER, op.write, 0);
      return OK;
    },
  },
});

/** Scope: `device`. What is mapped from the start was told to the device. */
export const addressesOfTheMachine = module<Told, typeof toldTables>('addresses of the machine', {
  tables: toldTables,
  operations: [goesOn],
  initial: (m) => {
    m.told.address[0] = m.ioEntry.rights[m.ioEntry.at(0, 0)] !== 0 ? 1 : 0;
  },
});

/** F13: through the bus's configuration files, the driver writes the base address of a device that is not its own. */
export const movesWindow = onUser('fault.movesWindow', {
  agent: 'driver',
  says: 'writes the base address of {device} in configuration space',
  source: 'Linux proc_bus_pci_write (2005: no filter); vfio_pci_config.c (base addresses are virtual)',
  fault: 'F13',
  atomic: true,
  onFailure: 'safe',
  input: { device },
  where: {
    agent: (m) => runs(m, DRIVER) && m.device.home.includes(DRIVER),
    device: (m, op) => m.device.home[op.device] !== DRIVER,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    'look at the register': (m, op) => {
      if (m.on(configurationWrites)) return blockedBy(configurationWrites);
      m.device.barWriter[op.device] = DRIVER;
      return OK;
    },
  },
});

const onIrqs = operationOn<Irqs>();

/** F7: a process says that it is done with an interrupt of a line that another has opened, and would be told of the next. */
export const answersForOther = onIrqs('fault.answersForOther', {
  agent: domain,
  says: 'reads {irq}, which it has not opened',
  source: '2005 patches, /proc/irq/n/irq (a read needs the open file)',
  fault: 'F7',
  atomic: true,
  onFailure: 'safe',
  input: { irq },
  where: {
    agent: (m, op) => op.agent !== CONTROL && responds(m, op.agent),
    irq: (m, op) => m.irqFile.open[m.irqFile.at(op.agent, op.irq)] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    for (let d = 0; d < m.domain.rows; d++) may.write(m.irqFile, m.irqFile.at(d, op.irq));
  },
  steps: {
    'look for the file': (m, op) => {
      if (m.on(lineFiles)) return blockedBy(lineFiles);
      for (let d = 0; d < m.domain.rows; d++) m.irqFile.count[m.irqFile.at(d, op.irq)] = 0;
      m.irqFile.reading[m.irqFile.at(op.agent, op.irq)] = 1;
      m.irq.masked[op.irq] = 0;
      return OK;
    },
  },
});

const onService = operationOn<Service>();

/** F14: what the driver of an earlier life left in shared memory reads as the answer to a request of now. */
export const staleAnswer = onService('fault.staleAnswer', {
  agent: 'memory',
  says: 'holds an answer of the driver’s earlier life, which fits {request}',
  source: 'Leslie and Heiser 2003 (clients by shared memory); LKML: an interruption, no more',
  fault: 'F14',
  atomic: true,
  onFailure: 'safe',
  input: { request },
  where: {
    request: (m, op) =>
      (m.request.state[op.request] === QUEUED || m.request.state[op.request] === ISSUED) &&
      m.domain.generation[driverOf(m, op.request)] > 0,
  },
  touches: (m, op, may) => {
    may.write(m.request, op.request);
    may.write(m.unit, driverOf(m, op.request));
  },
  steps: {
    'look at the channel': (m, op) => {
      if (m.on(channelOfALife)) return blockedBy(channelOfALife);
      m.request.state[op.request] = ANSWERED;
      m.unit.stale[driverOf(m, op.request)] = 1;
      return OK;
    },
  },
});
