/**
 * Machines around the abstract IOMMU: a control domain, a driver domain with a device, the VMM, and memory for data and tables. They
 * differ in what may happen, so that each stays small: the whole life of a system, one revocation against everything that races with
 * it, superpages and tables, the queue.
 */

import { dmaFaults } from '../../faults/dma.js';
import { crashDomain, createDomain, destroyDomain, domains, releaseDomain } from '../../model/domains.js';
import {
  allocateFrame,
  frames,
  getPage,
  getType,
  releaseFrame,
  relinquishFrame,
  TYPE_IOMMU_TABLE,
  TYPE_PAGE_TABLE,
  TYPE_VMM,
  TYPE_WRITABLE,
} from '../../model/frames.js';
import {
  attach,
  attachNow,
  detach,
  freeTable,
  type Iommu,
  iommu,
  iommuOperations,
  mapPage,
  mapSuperpage,
  permitWrite,
  READ,
  refillConfig,
  refillIotlbSuper,
  refillStructure,
  revokeWrite,
  SUPERPAGE,
  splitSuperpage,
  storeDirectory,
  storeEntry,
  TABLE,
  unmapPage,
  WRITE,
} from '../../model/iommu/index.js';
import { type AnyOperation, flag, type MachineDef, module } from '../../model/kernel/index.js';

export const VMM_FRAME = 0;
export const DRIVER = 1;

/**
 * Frame 0 is the VMM's, frame 1 the control domain's, frame 2 the driver domain's; the rest is free.
 * @param last last frame that somebody owns: 2, or 3 where superpages are mapped
 * @param devices how many devices are attached: device 0 to the driver domain, device 1 to the control domain
 */
function prepare(m: Iommu, last: number, devices: number): void {
  m.frame.type[VMM_FRAME] = TYPE_VMM;
  m.frame.types[VMM_FRAME] = 1;
  m.frame.refs[VMM_FRAME] = 1;
  for (let f = 1; f <= last; f++) {
    m.frame.owner[f] = f === 1 ? 0 : DRIVER;
    m.frame.allocated[f] = 1;
    m.frame.refs[f] = 1;
  }
  for (let v = 0; v < devices; v++) {
    attachNow(m, v, v === 0 ? DRIVER : 0);
    m.deviceEntry.valid[v] = 1;
    m.deviceEntry.did[v] = v;
  }
}

/** A start state as a module. */
const start = (name: string, initial: (m: Iommu) => void) =>
  module<Iommu, Record<never, never>>(name, {
    tables: {},
    operations: [],
    initial: (m) => {
      initial(m);
      writeBack(m);
    },
  });

/** What was set up is in memory, whatever gates are off. */
function writeBack(m: Iommu): void {
  m.ioDirectory.walkedKind.set(m.ioDirectory.kind);
  m.ioDirectory.walkedTarget.set(m.ioDirectory.target);
  m.ioDirectory.walkedRights.set(m.ioDirectory.rights);
  m.ioEntry.walkedFrame.set(m.ioEntry.frame);
  m.ioEntry.walkedRights.set(m.ioEntry.rights);
}

/** Frame f becomes a table of DID d, empty. */
function linkTable(m: Iommu, d: number, f: number): void {
  m.frame.refs[f] = 1;
  m.frame.type[f] = TYPE_IOMMU_TABLE;
  m.frame.types[f] = 1;
  storeDirectory(m, d, TABLE, f, READ | WRITE);
}

/** The frame has one more writable mapping. */
function countMapping(m: Iommu, f: number): void {
  getPage(m, f, DRIVER);
  getType(m, f, TYPE_WRITABLE);
}

const powerOn = start('power-on', (m) => prepare(m, 2, 0));

/** Device 0 is attached, and frame 2 is mapped for it, writable. */
export const mapped = start('attached device, page mapped', (m) => {
  prepare(m, 2, 1);
  linkTable(m, 0, 3);
  countMapping(m, 2);
  storeEntry(m, m.ioEntry.at(0, 0), 2, READ | WRITE);
});

/** Device 0 is attached, with a superpage of frames 2 and 3, or with an empty table. */
const superpageOrTable = start('attached device, superpage or empty table', (m) => {
  prepare(m, 3, 1);
  if (m.choose(flag, 'superpage') === 0) {
    linkTable(m, 0, 4);
    return;
  }
  countMapping(m, 2);
  countMapping(m, 3);
  storeDirectory(m, 0, SUPERPAGE, 2, READ | WRITE);
});

/** Device 0 is attached, nothing is mapped; of the two frames of its domain, the second may be a page table. */
const nothingMapped = start('attached device, nothing mapped', (m) => {
  prepare(m, 3, 1);
  if (m.choose(flag, 'frame 3 is a page table') === 0) return;
  m.frame.type[3] = TYPE_PAGE_TABLE;
  m.frame.types[3] = 1;
  m.frame.refs[3]++;
});

const twoAttached = start('two attached devices', (m) => prepare(m, 2, 2));

const without = (...left: readonly AnyOperation[]): typeof iommu => ({
  ...iommu,
  operations: iommuOperations.filter((o) => !left.includes(o)),
});

const VMM_THREAD = { threads: () => ['vmm'] };

/** From power-on: domains, frames, assignment, mappings of small pages, attacks. */
export const iommuMachine: MachineDef = {
  name: 'IOMMU',
  modules: [
    { ...domains, operations: [crashDomain, destroyDomain, releaseDomain, createDomain] },
    { ...frames, operations: [allocateFrame, releaseFrame, relinquishFrame] },
    without(mapSuperpage, splitSuperpage, refillIotlbSuper),
    dmaFaults,
    powerOn,
  ],
  ...VMM_THREAD,
};

/** One attached device: mappings of small pages change while caches refill and DMA is in flight. */
export const iommuRaceMachine: MachineDef = {
  name: 'IOMMU race',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame, releaseFrame] },
    without(mapSuperpage, splitSuperpage, refillIotlbSuper, freeTable, refillStructure, attach, detach),
    dmaFaults,
    mapped,
  ],
  ...VMM_THREAD,
};

/** One attached device: superpages are mapped and split, tables are freed and their frames used again. */
export const iommuTablesMachine: MachineDef = {
  name: 'IOMMU tables',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame, releaseFrame] },
    without(attach, detach, revokeWrite, permitWrite, mapSuperpage, mapPage),
    dmaFaults,
    superpageOrTable,
  ],
  ...VMM_THREAD,
};

/** One device: small pages and superpages are mapped, superpages are split, the device is taken away with whatever it has. */
export const iommuSuperpagesMachine: MachineDef = {
  name: 'IOMMU superpages',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [releaseFrame] },
    without(revokeWrite, permitWrite, freeTable, refillStructure),
    dmaFaults,
    nothingMapped,
  ],
  ...VMM_THREAD,
};

/** Devices come and go, their domain dies. */
export const iommuTeardownMachine: MachineDef = {
  name: 'IOMMU tear-down',
  modules: [
    { ...domains, operations: [crashDomain, releaseDomain, createDomain] },
    { ...frames, operations: [allocateFrame, relinquishFrame] },
    without(mapSuperpage, splitSuperpage, refillIotlbSuper, freeTable, revokeWrite, permitWrite, unmapPage),
    dmaFaults,
    mapped,
  ],
  ...VMM_THREAD,
};

/** Two attached devices of two domains share the invalidation queue, which times out, and the fault log. */
export const iommuQueueMachine: MachineDef = {
  name: 'IOMMU queue',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame, releaseFrame] },
    without(
      mapSuperpage,
      splitSuperpage,
      refillIotlbSuper,
      freeTable,
      refillStructure,
      refillConfig,
      attach,
      detach,
      revokeWrite,
      permitWrite,
    ),
    dmaFaults,
    twoAttached,
  ],
  ...VMM_THREAD,
};
