/**
 * Machines around the abstract IOMMU: a control domain, a driver domain with a device, the VMM, and memory for data and tables. They
 * differ in what may happen, so that each stays small: the whole life of a system, one revocation against everything that races with
 * it, superpages and tables, the queue.
 */
import { createDomain, crashDomain, destroyDomain, domains, releaseDomain } from '../../model/domains.js';
import { allocateFrame, frames, releaseFrame, relinquishFrame, TYPE_VMM } from '../../model/frames.js';
import { dmaFaults } from '../../faults/dma.js';
import {
  attach,
  attachNow,
  detach,
  type Iommu,
  iommu,
  iommuOperations,
  refillConfig,
  refillIotlbSuper,
  freeTable,
  mapSuperpage,
  permitWrite,
  refillStructure,
  revokeWrite,
  splitSuperpage,
  unmapPage,
} from '../../model/iommu/index.js';
import { type AnyOperation, type MachineDef, module } from '../../model/kernel/index.js';

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

const powerOn = module<Iommu, Record<never, never>>('power-on', {
  tables: {},
  operations: [],
  initial: (m) => prepare(m, 2, 0),
});
const attached = module<Iommu, Record<never, never>>('attached device', {
  tables: {},
  operations: [],
  initial: (m) => prepare(m, 2, 1),
});

const attachedForSuperpages = module<Iommu, Record<never, never>>('attached device', {
  tables: {},
  operations: [],
  initial: (m) => prepare(m, 3, 1),
});
const twoAttached = module<Iommu, Record<never, never>>('two attached devices', {
  tables: {},
  operations: [],
  initial: (m) => prepare(m, 2, 2),
});

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
    attached,
  ],
  ...VMM_THREAD,
};

/** One attached device: superpages are mapped and split, tables are freed and their frames used again. */
export const iommuTablesMachine: MachineDef = {
  name: 'IOMMU tables',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [allocateFrame, releaseFrame] },
    without(attach, detach, revokeWrite, permitWrite),
    dmaFaults,
    attachedForSuperpages,
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
    attached,
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
