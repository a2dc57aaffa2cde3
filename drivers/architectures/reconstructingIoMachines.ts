/**
 * Machines of "Reconstructing I/O": device mappings by grant, and restarts with DMA in flight. The class interface, the ring and the
 * interrupt lines are machines of their own: what shares no state with the IOMMU needs none of it.
 */
import {
  crashDriver,
  deviceIgnoresReset,
  dmaToFormer,
  driverFailures,
} from '../../faults/architectures/reconstructingIo.js';
import { dmaForgedTranslated, dmaInterrupt, dmaPeer, dmaStale, dmaToFrame } from '../../faults/dma.js';
import {
  endLoan,
  type Lending,
  lending,
  provideTable,
  takeMapping,
} from '../../model/architectures/reconstructingIo/lending.js';
import {
  NOT_SUSPECTED,
  type Restarts,
  restarts,
  SUSPECTED,
} from '../../model/architectures/reconstructingIo/restart.js';
import { ABSENT, CONTROL, domains, releaseDomain } from '../../model/domains.js';
import { frames, TYPE_VMM } from '../../model/frames.js';
import {
  attachNow,
  finishDma,
  iommu,
  issueDma,
  processQueue,
  READ,
  refillConfig,
  refillIotlb,
  storeEntry,
  WRITE,
} from '../../model/iommu/index.js';
import { flag, type MachineDef, module, sort } from '../../model/kernel/index.js';

/** What is mapped for a device: all memory of its domain and loans on top, or nothing but the buffers of requests. */
export const granularity = sort('granularity', { members: ['by domain', 'by buffer'] });
export const BY_DOMAIN = 0;

export const VMM_FRAME = 0;
export const CLIENT_FRAME = 1;

/** Frame of the driver domain's memory, and the one of its device's table. */
const memoryOf = (v: number): number => 2 + 2 * v;

/** Frame 0 is the VMM's, 1 a client's (the control domain plays it); device v and a frame belong to domain v + 1. */
function prepare(m: Lending, devices: number): void {
  m.frame.type[VMM_FRAME] = TYPE_VMM;
  m.frame.types[VMM_FRAME] = 1;
  m.frame.refs[VMM_FRAME] = 1;
  own(m, CLIENT_FRAME, CONTROL);
  for (let v = 0; v < devices; v++) {
    own(m, memoryOf(v), v + 1);
    attachNow(m, v, v + 1);
    m.deviceEntry.valid[v] = 1;
    m.deviceEntry.did[v] = v;
  }
}

function own(m: Lending, f: number, d: number): void {
  m.frame.owner[f] = d;
  m.frame.allocated[f] = 1;
  m.frame.refs[f] = 1;
}

function mapAt(m: Lending, did: number, page: number, f: number): void {
  provideTable(m, did);
  takeMapping(m, f, READ | WRITE);
  storeEntry(m, m.ioEntry.at(did, page), f, READ | WRITE);
}

/** What was set up is in memory, whatever gates are off. */
function writeBack(m: Lending): void {
  m.ioDirectory.walkedKind.set(m.ioDirectory.kind);
  m.ioDirectory.walkedTarget.set(m.ioDirectory.target);
  m.ioDirectory.walkedRights.set(m.ioDirectory.rights);
  m.ioEntry.walkedFrame.set(m.ioEntry.frame);
  m.ioEntry.walkedRights.set(m.ioEntry.rights);
}

/** One driver domain, with either granularity. */
const dmaStart = module<Lending, Record<never, never>>('start of device mappings', {
  tables: {},
  operations: [],
  initial: (m) => {
    prepare(m, 1);
    if (m.choose(granularity) === BY_DOMAIN) mapAt(m, 0, 0, memoryOf(0));
    writeBack(m);
  },
});

/** Loans, device mappings, caches, DMA and the attacks by it. Domain 0 lends, domain 1 drives device 0. */
export const deviceMapMachine: MachineDef = {
  name: 'reconstructing I/O: device mappings',
  modules: [
    { ...domains, operations: [] },
    { ...frames, operations: [] },
    { ...iommu, operations: [refillConfig, refillIotlb, processQueue, issueDma, finishDma] },
    lending,
    module('attacks by DMA', {
      tables: {},
      operations: [dmaToFrame, dmaToFormer, dmaStale, dmaForgedTranslated, dmaPeer, dmaInterrupt],
    }),
    dmaStart,
  ],
  threads: () => ['vmm'],
};

/** Every device has its driver domain; the last id is free; a client's frame is lent to the first driver, and mapped. */
const restartStart = module<Restarts, Record<never, never>>('start of restarts', {
  tables: {},
  operations: [],
  initial: (m) => {
    prepare(m, m.device.rows);
    for (let v = 0; v < m.device.rows; v++) {
      m.service.memory[v] = memoryOf(v);
      m.backend.device[v + 1] = v;
      mapAt(m, v, 0, memoryOf(v));
    }
    // Only the first device's driver fails in this scope: the others are strangers to it.
    m.service.spare[0] = m.scope.restarts;
    m.service.suspected[0] = m.choose(flag, 'already suspected') === 1 ? SUSPECTED : NOT_SUSPECTED;
    for (let d = m.device.rows + 1; d < m.domain.rows; d++) m.domain.life[d] = ABSENT;
    for (let c = 0; c < m.channel.rows; c++) {
      const v = c % m.device.rows;
      m.channel.to[c] = v + 1;
      m.channel.epoch[c] = m.service.epoch[v];
    }
    m.lent.to[CLIENT_FRAME] = 1;
    m.lent.rights[CLIENT_FRAME] = READ | WRITE;
    if (m.scope.iova > 1) {
      m.lent.pins[CLIENT_FRAME] = 1;
      mapAt(m, 0, 1, CLIENT_FRAME);
    }
    writeBack(m);
  },
});

const restartParts = [
  { ...domains, operations: [releaseDomain] },
  { ...frames, operations: [] },
  { ...iommu, operations: [refillConfig, refillIotlb, processQueue, issueDma, finishDma] },
  { ...lending, operations: [endLoan] },
  restarts,
] as const;

/** Two devices, each with a driver domain; the first one fails in every way, and is restarted while DMA goes on. */
export const restartMachine: MachineDef = {
  name: 'reconstructing I/O: restarts',
  modules: [...restartParts, driverFailures, module('stale', { tables: {}, operations: [dmaStale] }), restartStart],
  threads: () => ['manager'],
};

/** The same with a device that does not let itself be reset. */
export const stubbornMachine: MachineDef = {
  name: 'reconstructing I/O: a device that ignores its reset',
  modules: [
    ...restartParts,
    module('stubborn device', { tables: {}, operations: [crashDriver, deviceIgnoresReset] }),
    restartStart,
  ],
  threads: () => ['manager'],
};
