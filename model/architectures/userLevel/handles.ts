/**
 * Handles: open and close of a device by a user-level driver.
 * Source: Leslie and Heiser 2003; the 2005 patches (usr_pci_open, its release).
 *
 * Open tests that nobody has the device and then claims it, in two steps that another open can come between: the claim is made only if
 * the test still holds. Close runs on every way to die, in one order: disable the device, unmap all, unpin, release the claim.
 * Must keep: L-S4 (after close nothing of the handle is left), L-S5 (one handle a device), L-S3 (no unpinning before).
 */
import { domain, runs } from '../../domains.js';
import {
  awaitCompletion,
  device,
  drain,
  IDLE,
  iova,
  makeRoom,
  mayFlush,
  storeEntry,
  submitAtc,
  submitIotlbDid,
  submitWait,
} from '../../iommu/index.js';
import { type Footprint, gate, NONE, OK, operationOn } from '../../kernel/index.js';
import { charge, hypercall, INVALIDATION, UNMAPPING } from '../../ledger.js';
import { bitOf, CLIENT, NO_MAPPING, OTHER, touchPage, USER_ERRNO, type UserDrivers, unpinPage } from './state.js';

const operation = operationOn<UserDrivers>();

/** Close runs for processes that were killed, not only for those that call it. */
export const closeOnDeath = gate('close on every way to die');

const COMMANDS_OF_CLOSE = 3;

/** Pages of a device’s address space. */
export const pagesOf = (m: UserDrivers): number => m.size(iova);

/** Whether the process may make calls on the device now: its handle is open, and no other call is under way. */
export function mayCall(m: UserDrivers, v: number, d: number): boolean {
  return m.device.home[v] === d && runs(m, d) && m.handle.locked[v] === 0;
}

function bystander(d: number, v: number): boolean {
  return d === OTHER && v !== 0;
}

/** Open: the device is enabled for the process. */
export const openDevice = operation('user.open', {
  agent: 'vmm',
  says: 'opens {device} for {process}',
  source: '2005 patches, usr_pci_open (test and claim)',
  input: { device, process: domain },
  errors: USER_ERRNO,
  where: {
    device: (m, op) => m.handle.locked[op.device] === 0,
    process: (m, op) => op.process !== CLIENT && runs(m, op.process) && !bystander(op.process, op.device),
  },
  touches: (m, op, may) => {
    may.write(m.handle, op.device);
    may.write(m.device, op.device);
    may.write(m.ioDomain, op.device);
  },
  steps: {
    test: (m, op) => (m.device.home[op.device] === NONE ? OK : USER_ERRNO.EBUSY),
    claim: (m, op) => {
      if (m.device.home[op.device] !== NONE || m.handle.locked[op.device] === 1) return USER_ERRNO.EBUSY;
      if (!runs(m, op.process)) return USER_ERRNO.EINTR;
      hypercall(m);
      claimDevice(m, op.device, op.process);
      return OK;
    },
    enable: (m, op) => {
      m.device.busMaster[op.device] = 1;
      m.handle.locked[op.device] = 0;
    },
  },
});

/** The device is the process’s, and the handle is locked until it is enabled. */
export function claimDevice(m: UserDrivers, v: number, d: number): void {
  m.device.home[v] = d;
  m.ioDomain.owner[v] = d;
  m.handle.opens[v] |= bitOf(d);
  m.handle.locked[v] = 1;
}

/** All entries of the device leave its I/O page directory. */
export function clearEntries(m: UserDrivers, v: number): void {
  for (let p = 0; p < pagesOf(m); p++) storeEntry(m, m.ioEntry.at(v, p), NONE, 0);
}

/** What that costs. */
function chargeEntries(m: UserDrivers, v: number): void {
  for (let p = 0; p < pagesOf(m); p++) if (m.ioEntry.rights[m.ioEntry.at(v, p)] !== 0) charge(m, UNMAPPING);
}

/** All pages of the handle are unpinned; its set M is empty. */
export function unpinAll(m: UserDrivers, v: number): void {
  for (let p = 0; p < pagesOf(m); p++) {
    const row = m.mapping.at(v, p);
    if (m.mapping.kind[row] === NO_MAPPING) continue;
    const f = m.mapping.frame[row];
    m.mapping.kind[row] = NO_MAPPING;
    m.mapping.frame[row] = NONE;
    m.mapping.rights[row] = 0;
    unpinPage(m, f);
  }
}

/** The device is nobody’s. */
export function releaseClaim(m: UserDrivers, v: number): void {
  m.device.home[v] = NONE;
  m.ioDomain.owner[v] = NONE;
  m.handle.opens[v] = 0;
  m.handle.locked[v] = 0;
  m.handle.programmed[v] = 0;
}

/** Rows that closing a handle may write. */
export function touchClose(m: UserDrivers, v: number, may: Footprint): void {
  may.write(m.handle, v);
  may.write(m.device, v);
  may.write(m.ioDomain, v);
  may.writeAll(m.dma);
  for (let p = 0; p < pagesOf(m); p++) {
    may.write(m.mapping, m.mapping.at(v, p));
    may.write(m.ioEntry, m.ioEntry.at(v, p));
    touchPage(m, may, m.mapping.frame[m.mapping.at(v, p)]);
  }
  for (let f = 0; f < m.frame.rows; f++) {
    may.write(m.content, m.content.at(f, 0));
    may.write(m.content, m.content.at(f, 1));
  }
  mayFlush(m, may, v);
}

/** Step: all that IOMMU and device have cached of the handle’s entries, and a wait behind it. */
export function invalidateAll(m: UserDrivers, v: number): number {
  const room = makeRoom(m, COMMANDS_OF_CLOSE);
  if (room !== OK) return room;
  submitIotlbDid(m, v);
  submitAtc(m, v);
  charge(m, INVALIDATION);
  return submitWait(m, v);
}

type Closing = { device: number };

/** The parts of a close. */
export const closeSteps = {
  disable: (m: UserDrivers, op: Closing): void => {
    hypercall(m);
    m.handle.locked[op.device] = 1;
    m.device.busMaster[op.device] = 0;
  },
  drain: (m: UserDrivers, op: Closing): number => drain(m, op.device),
  'clear entries': (m: UserDrivers, op: Closing): void => {
    chargeEntries(m, op.device);
    clearEntries(m, op.device);
  },
  invalidate: (m: UserDrivers, op: Closing): number => invalidateAll(m, op.device),
  completed: (m: UserDrivers, op: Closing): number => awaitCompletion(m, op.device),
  unpin: (m: UserDrivers, op: Closing): void => unpinAll(m, op.device),
  'release claim': (m: UserDrivers, op: Closing): void => releaseClaim(m, op.device),
};

/** Whether a close of the device may begin: its process calls it, or is dying. */
export function mayClose(m: UserDrivers, v: number): boolean {
  const d = m.device.home[v];
  if (d === NONE || m.handle.locked[v] === 1 || m.flush.state[v] !== IDLE) return false;
  if (runs(m, d)) return !bystander(d, v);
  return m.on(closeOnDeath);
}

/** Close: by call, by exit, by kill. When the wait times out, everything stays with the handle, and close is repeated. */
export const closeDevice = operation('user.close', {
  agent: 'vmm',
  says: 'closes {device}',
  source: '2005 patches, release of the file; order of architectures 4b',
  input: { device },
  errors: USER_ERRNO,
  onFailure: 'safe',
  where: { device: (m, op) => mayClose(m, op.device) },
  touches: (m, op, may) => touchClose(m, op.device, may),
  steps: closeSteps,
  undo: {
    disable: (m, op) => {
      m.handle.locked[op.device] = 0;
    },
  },
});

export const handleOperations = [openDevice, closeDevice];
