/**
 * Attacks by user-level drivers: stores where nothing is mapped (F1), DMA without an entry or by another device’s (F2), calls whose
 * arguments name what is not the caller’s (F5) or change under the kernel’s eyes (F6), pins without end (F12). Each names its gate.
 */
import { mayCall } from '../../model/architectures/userLevel/handles.js';
import { note, rightsFor } from '../../model/architectures/userLevel/mappings.js';
import {
  accessCheck,
  argumentCopy,
  bitOf,
  COHERENT,
  DRIVER,
  entryBound,
  faultRecording,
  givePage,
  heapFrame,
  KERNEL_FRAME,
  maps,
  mayPin,
  NO_MAPPING,
  ownDirectory,
  pinBound,
  pinPage,
  STREAMING,
  touchPage,
  type UserDrivers,
} from '../../model/architectures/userLevel/state.js';
import { runs } from '../../model/domains.js';
import { frame } from '../../model/frames.js';
import { device, dmaRemapping, freeSlot, iova, READ, storeEntry, takeSlot, WRITE } from '../../model/iommu/index.js';
import { blockedBy, type Footprint, flag, OK, operationOn } from '../../model/kernel/index.js';
import { translation } from '../memory.js';

const operation = operationOn<UserDrivers>();

/** F1: the driver stores to a page that it may not write. */
export const wildStore = operation('fault.wildStore', {
  agent: 'driver',
  says: 'stores to {frame}, which its process may not write',
  fault: 'F1',
  atomic: true,
  onFailure: 'safe',
  input: { frame },
  where: {
    agent: (m) => runs(m, DRIVER),
    frame: (m, op) => ((m.page.writable[op.frame] | m.page.cached[op.frame]) & bitOf(DRIVER)) === 0,
  },
  touches: (m, op, may) => may.write(m.page, op.frame),
  steps: {
    translate: (m, op) => {
      if (m.on(translation)) return blockedBy(translation);
      m.page.scribbled[op.frame] |= bitOf(DRIVER);
      return OK;
    },
  },
});

/** F1: the driver writes over its own memory. */
export const scribble = operation('fault.scribble', {
  agent: 'driver',
  says: 'writes nonsense over {frame}, a page of its own',
  fault: 'F1',
  atomic: true,
  input: { frame },
  where: {
    agent: (m) => runs(m, DRIVER),
    frame: (m, op) => (m.page.writable[op.frame] & bitOf(DRIVER)) !== 0,
  },
  touches: (m, op, may) => may.write(m.content, m.content.at(op.frame, 0)),
  steps: {
    write: (m, op) => {
      m.content.secret[m.content.at(op.frame, 0)] = DRIVER;
    },
  },
});

/** F2: a request to an address that has no entry. On the zx1 that is a hard failure of the machine. */
export const strayDma = operation('dma.stray', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA to an address that has no entry',
  source: 'Linux arch/ia64/hp/common/sba_iommu.c (a hard failure, that is a machine check, beyond a valid entry)',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  where: { agent: (m, op) => m.device.busMaster[op.agent] === 1 && m.device.home[op.agent] === DRIVER },
  touches: (m, _op, may) => may.write(m.platform),
  steps: {
    fault: (m) => {
      if (m.on(faultRecording) || !m.on(dmaRemapping)) return blockedBy(faultRecording);
      m.platform.state[0] = 1;
      return OK;
    },
  },
});

/** F2: one I/O page directory for all devices of a bus bridge: a device uses what was mapped for its neighbour. */
export const neighbourDma = operation('dma.neighbour', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA to {iova} of {peer} (write: {write})',
  source: 'Linux arch/ia64/hp/common/sba_iommu.c (one page directory an I/O controller)',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { peer: device, iova, write: flag },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1 && m.device.home[op.agent] === DRIVER && freeSlot(m) >= 0,
    peer: (m, op) => m.device.home[op.peer] !== m.device.home[op.agent],
    write: (m, op) => (m.ioEntry.walkedRights[m.ioEntry.at(op.peer, op.iova)] & (op.write !== 0 ? WRITE : READ)) !== 0,
  },
  touches: (m, _op, may) => may.writeAll(m.dma),
  steps: {
    'choose the directory': (m, op) => {
      if (m.on(ownDirectory)) return blockedBy(ownDirectory);
      takeSlot(m, op.agent, m.ioEntry.walkedFrame[m.ioEntry.at(op.peer, op.iova)], op.write, 0);
      return OK;
    },
  },
});

const freeAt = (m: UserDrivers, op: { device: number; iova: number }): boolean =>
  m.mapping.kind[m.mapping.at(op.device, op.iova)] === NO_MAPPING && mayCall(m, op.device, DRIVER);

function touchAll(m: UserDrivers, op: { device: number; iova: number }, may: Footprint): void {
  may.write(m.mapping, m.mapping.at(op.device, op.iova));
  may.write(m.ioEntry, m.ioEntry.at(op.device, op.iova));
  for (let f = 0; f < m.frame.rows; f++) touchPage(m, may, f);
}

/** The mapping that the kernel makes once its check has let the call pass. */
function mapNow(m: UserDrivers, op: { device: number; iova: number; frame: number }, write: number): void {
  const row = m.mapping.at(op.device, op.iova);
  pinPage(m, op.frame);
  note(m, row, STREAMING, op.frame, rightsFor(write));
  storeEntry(m, m.ioEntry.at(op.device, op.iova), op.frame, rightsFor(write));
}

/** F5: a range that is not mapped in the caller, or not for it: the kernel’s, another process’s. */
export const mapForeign = operation('fault.mapForeign', {
  agent: 'driver',
  says: 'asks to map {frame}, which is not its own, at {iova} of {device}',
  source: '2005 patches, usr_pci_map (range and access check)',
  fault: 'F5',
  atomic: true,
  onFailure: 'safe',
  input: { device, iova, frame },
  where: { iova: freeAt, frame: (m, op) => !maps(m, DRIVER, op.frame) && m.frame.refs[op.frame] > 0 },
  touches: touchAll,
  steps: {
    'check access': (m, op) => {
      if (m.on(accessCheck)) return blockedBy(accessCheck);
      mapNow(m, op, 1);
      return OK;
    },
  },
});

/** F5: a list with too few entries for the pages: what is beyond it is the kernel’s. */
export const shortList = operation('fault.shortList', {
  agent: 'driver',
  says: 'asks to map a range at {iova} of {device} with a list that is too short',
  source: '2005 patches, usr_pci_map (nents >= pages + 2)',
  fault: 'F5',
  atomic: true,
  onFailure: 'safe',
  input: { device, iova },
  where: { iova: freeAt },
  touches: (m, _op, may) => may.write(m.page, KERNEL_FRAME),
  steps: {
    'check the list': (m) => {
      if (m.on(entryBound)) return blockedBy(entryBound);
      m.page.scribbled[KERNEL_FRAME] |= bitOf(DRIVER);
      return OK;
    },
  },
});

/** F6: another thread of the driver changes the arguments between their check and their use. */
export const changeArguments = operation('fault.changeArguments', {
  agent: 'driver',
  says: 'asks to map a page of its own at {iova} of {device}, and makes it {frame} after the check',
  source: 'architectures 4b, Map; kernel calls copy their arguments',
  fault: 'F6',
  atomic: true,
  onFailure: 'safe',
  input: { device, iova, frame },
  where: { iova: freeAt, frame: (m, op) => !maps(m, DRIVER, op.frame) && m.frame.refs[op.frame] > 0 },
  touches: touchAll,
  steps: {
    'read the arguments': (m, op) => {
      if (m.on(argumentCopy)) return blockedBy(argumentCopy);
      mapNow(m, op, 1);
      return OK;
    },
  },
});

/** F12: a page more than the limit allows. */
export const hoard = operation('fault.hoard', {
  agent: 'driver',
  says: 'asks for one more pinned page at {iova} of {device} than it may have',
  source: 'architectures 4c (pinning exhaustion unless limited by rlimit)',
  fault: 'F12',
  atomic: true,
  onFailure: 'safe',
  input: { device, iova },
  where: { agent: (m) => !m.on(pinBound) || !mayPin(m, DRIVER), iova: (m, op) => freeAt(m, op) && heapFrame(m) >= 0 },
  touches: touchAll,
  steps: {
    'check the limit': (m, op) => {
      if (m.on(pinBound)) return blockedBy(pinBound);
      const f = heapFrame(m);
      givePage(m, f, DRIVER);
      pinPage(m, f);
      note(m, m.mapping.at(op.device, op.iova), COHERENT, f, READ | WRITE);
      storeEntry(m, m.ioEntry.at(op.device, op.iova), f, READ | WRITE);
      return OK;
    },
  },
});

export const dmaAttacksOfDrivers = [strayDma, neighbourDma];
export const callAttacks = [mapForeign, shortList, changeArguments, hoard];
export const processorAttacks = [wildStore, scribble];
