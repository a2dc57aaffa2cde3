/**
 * Memory for DMA: coherent pages, streaming mappings of the driver’s own pages, and unmapping.
 * Source: the 2005 patches (usr_pci_map, usr_pci_munmap, get_user_pages, pci_map_sg); Leslie and Heiser 2003.
 *
 * Map checks that the process itself may access the page in the direction asked for, pins it, notes it in the set M, and only then enters
 * it. Unmap goes the other way round: the entry, the invalidation, the pin. Must keep: L-S2, L-S3, L-S6.
 */
import { domain } from '../../domains.js';
import { frame } from '../../frames.js';
import {
  awaitCompletion,
  device,
  IDLE,
  iova,
  makeRoom,
  mayFlush,
  READ,
  storeEntry,
  strictInvalidation,
  submitAtcs,
  submitIotlbPage,
  submitWait,
  WRITE,
} from '../../iommu/index.js';
import { DONE, type Footprint, failure, flag, NONE, OK, operationOn } from '../../kernel/index.js';
import { ALLOCATION, charge, charging, hypercall, INVALIDATION, MAPPING, UNMAPPING } from '../../ledger.js';
import { mayCall } from './handles.js';
import {
  bitOf,
  COHERENT,
  givePage,
  heapFrame,
  maps,
  mayPin,
  NO_MAPPING,
  pinPage,
  STREAMING,
  touchPage,
  USER_ERRNO,
  type UserDrivers,
  unpinPage,
  unshare,
  unsharing,
} from './state.js';

const operation = operationOn<UserDrivers>();

/** A page for a coherent buffer. */
export const allocateCoherent = charging(failure('allocate a coherent page'), ALLOCATION);

const COMMANDS_OF_UNMAP = 3;

/** Rights that a mapping gives the device. @param write whether the device writes */
export const rightsFor = (write: number): number => (write !== 0 ? READ | WRITE : READ);

/** Notes a mapping in the set M. */
export function note(m: UserDrivers, row: number, kind: number, f: number, rights: number): void {
  m.mapping.kind[row] = kind;
  m.mapping.frame[row] = f;
  m.mapping.rights[row] = rights;
}

/** Forgets it, and unpins its page. */
export function forget(m: UserDrivers, row: number): void {
  const f = m.mapping.frame[row];
  note(m, row, NO_MAPPING, NONE, 0);
  unpinPage(m, f);
}

const unlock = (m: UserDrivers, op: { device: number }): void => {
  m.handle.locked[op.device] = 0;
};

const forgetAt = (m: UserDrivers, op: { device: number; iova: number }): void =>
  forget(m, m.mapping.at(op.device, op.iova));

/** The entry of what M says. */
const install = (m: UserDrivers, op: { device: number; iova: number }): void => {
  const row = m.mapping.at(op.device, op.iova);
  storeEntry(m, m.ioEntry.at(op.device, op.iova), m.mapping.frame[row], m.mapping.rights[row]);
  charge(m, MAPPING);
  m.handle.locked[op.device] = 0;
};

const isFreeAt = (m: UserDrivers, op: { device: number; iova: number }): boolean =>
  m.mapping.kind[m.mapping.at(op.device, op.iova)] === NO_MAPPING;

function touchMapping(m: UserDrivers, v: number, p: number, may: Footprint): void {
  may.write(m.handle, v);
  may.write(m.mapping, m.mapping.at(v, p));
  may.write(m.ioEntry, m.ioEntry.at(v, p));
}

/** Coherent(h, PAGE): one kernel page, pinned, mapped for the process and for its device. */
export const mapCoherent = operation('user.coherent', {
  agent: 'vmm',
  says: 'gives {process} a coherent page at {iova} of {device}',
  source: '2005 patches, coherent allocation',
  input: { device, iova, process: domain },
  locals: ['page'],
  errors: USER_ERRNO,
  where: { iova: isFreeAt, process: (m, op) => mayCall(m, op.device, op.process) },
  touches: (m, op, may) => {
    touchMapping(m, op.device, op.iova, may);
    for (let f = 0; f < m.frame.rows; f++) touchPage(m, may, f);
  },
  steps: {
    allocate: (m, op) => {
      if (!mayPin(m, op.process) || m.fails(allocateCoherent)) return USER_ERRNO.ENOMEM;
      op.page = heapFrame(m);
      if (op.page < 0) return USER_ERRNO.ENOMEM;
      givePage(m, op.page, op.process);
      pinPage(m, op.page);
      note(m, m.mapping.at(op.device, op.iova), COHERENT, op.page, READ | WRITE);
      m.handle.locked[op.device] = 1;
      hypercall(m);
      return OK;
    },
    'install entry': install,
  },
});

/** Map(h, va, len, dir, nents): one page of the process’s own. */
export const mapStreaming = operation('user.map', {
  agent: 'vmm',
  says: 'maps {frame} of {process} at {iova} of {device} (device writes: {write})',
  source: '2005 patches, usr_pci_map; get_user_pages',
  input: { device, iova, process: domain, frame, write: flag },
  locals: ['page'],
  errors: USER_ERRNO,
  where: {
    iova: isFreeAt,
    process: (m, op) => mayCall(m, op.device, op.process),
    frame: (m, op) => maps(m, op.process, op.frame),
  },
  touches: (m, op, may) => {
    touchMapping(m, op.device, op.iova, may);
    touchPage(m, may, op.frame);
    touchPage(m, may, heapFrame(m));
  },
  steps: {
    // What is shared after a fork is copied first, so that the device gets the page of the process.
    'check access': (m, op) => {
      op.page = op.frame;
      if (!mayPin(m, op.process)) return USER_ERRNO.ENOMEM;
      if (m.on(unsharing)) op.page = unshare(m, op.frame, op.process);
      if (op.page < 0) return USER_ERRNO.ENOMEM;
      m.handle.locked[op.device] = 1;
      hypercall(m);
      return OK;
    },
    // The process may have unmapped the page since.
    pin: (m, op) => {
      if (!maps(m, op.process, op.page)) return USER_ERRNO.EFAULT;
      pinPage(m, op.page);
      note(m, m.mapping.at(op.device, op.iova), STREAMING, op.page, rightsFor(op.write));
      return OK;
    },
    'install entry': install,
  },
  undo: { 'check access': unlock },
});

/** Unmap(h, bus). The honest driver has taken the address out of the device’s descriptors. */
export const unmapBus = operation('user.unmap', {
  agent: 'vmm',
  says: 'unmaps {iova} of {device} for {process}',
  source: '2005 patches, usr_pci_munmap',
  input: { device, iova, process: domain },
  errors: USER_ERRNO,
  onFailure: 'safe',
  where: {
    device: (m, op) => m.flush.state[op.device] === IDLE,
    iova: (m, op) => !isFreeAt(m, op) && (m.handle.programmed[op.device] & bitOf(op.iova)) === 0,
    process: (m, op) => mayCall(m, op.device, op.process) && op.device === 0,
  },
  touches: (m, op, may) => {
    touchMapping(m, op.device, op.iova, may);
    touchPage(m, may, m.mapping.frame[m.mapping.at(op.device, op.iova)]);
    mayFlush(m, may, op.device);
  },
  steps: {
    'clear entry': (m, op) => {
      hypercall(m);
      m.handle.locked[op.device] = 1;
      storeEntry(m, m.ioEntry.at(op.device, op.iova), NONE, 0);
      charge(m, UNMAPPING);
      if (m.on(strictInvalidation)) return OK;
      // Deferred: unpinned at once, and whoever gets the page next shares it with the device until some later flush.
      forgetAt(m, op);
      unlock(m, op);
      return DONE;
    },
    invalidate: (m, op) => {
      const room = makeRoom(m, COMMANDS_OF_UNMAP);
      if (room !== OK) return room;
      submitIotlbPage(m, op.device, op.iova);
      submitAtcs(m, op.device, op.iova);
      charge(m, INVALIDATION);
      return submitWait(m, op.device);
    },
    completed: (m, op) => awaitCompletion(m, op.device),
    unpin: (m, op) => {
      forgetAt(m, op);
      unlock(m, op);
    },
  },
  undo: { 'clear entry': unlock },
});

export const mappingOperations = [mapCoherent, mapStreaming, unmapBus];
