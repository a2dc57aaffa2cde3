/**
 * Machines of user-level drivers: a kernel, a client (process 0), a driver (process 1) with device 0, and a bystander: another driver
 * (process 2) with device 1, or the driver’s child. They differ in what may happen, so that each stays small.
 */
import { callAttacks, dmaAttacksOfDrivers, processorAttacks } from '../../faults/architectures/userLevelDrivers.js';
import {
  addressesOfTheMachine,
  answersForOther,
  movesWindow,
  reclaimPinned,
  staleAnswer,
} from '../../faults/architectures/userLevelFurther.js';
import { dmaInterrupt, dmaPeer, dmaStale, dmaToFrame } from '../../faults/dma.js';
import { claimDevice, closeDevice, handleOperations, openDevice } from '../../model/architectures/userLevel/handles.js';
import {
  dies,
  hang,
  type Irqs,
  irqs,
  killHung,
  killWrongly,
  openIrq,
  raiseIrq,
  readIrq,
  responds,
  returnIrq,
} from '../../model/architectures/userLevel/interrupts.js';
import { mappingOperations, mapStreaming, note, unmapBus } from '../../model/architectures/userLevel/mappings.js';
import {
  allocatePage,
  exitPages,
  fillTlb,
  fork,
  loseMapping,
  pageOperations,
  programDevice,
  writeFault,
} from '../../model/architectures/userLevel/pages.js';
import {
  answerRequest,
  issueRequest,
  nextRequest,
  openUnit,
  performRequest,
  receiveAnswer,
  type Service,
  sendRequest,
  service,
} from '../../model/architectures/userLevel/service.js';
import {
  BUFFER,
  CLIENT,
  CLIENT_FRAME,
  clearUser,
  DRIVER,
  givePage,
  holdsUser,
  OTHER,
  pinPage,
  STREAMING,
  type UserDrivers,
  userTables,
} from '../../model/architectures/userLevel/state.js';
import { crashDomain, createDomain, domains, generation, releaseDomain, runs } from '../../model/domains.js';
import { frames } from '../../model/frames.js';
import {
  finishDma,
  iommu,
  issueDma,
  processQueue,
  READ,
  reap,
  refillAtc,
  refillIotlb,
  storeEntry,
  WRITE,
} from '../../model/iommu/index.js';
import { type AnyOperation, flag, type MachineDef, module, type Scope } from '../../model/kernel/index.js';

/** The process that the bystander’s pages follow: frame 4. */
const OTHER_FRAME = 4;

/** The driver crashes, is killed, exits: at any step. */
const driverDies = {
  ...crashDomain,
  where: { agent: (m: UserDrivers, op: { agent: number }) => op.agent === DRIVER && runs(m, DRIVER) },
};

/** The driver is started again; its parent gives it a new life, and nothing of the old one. */
const driverRestarts = {
  ...createDomain,
  where: {
    target: (m: UserDrivers, op: { agent: number; target: number }) =>
      op.target === DRIVER && (createDomain.where?.target?.(m, op) ?? false),
  },
};

/** The device is the process’s, with one page mapped at address 0. */
function openAt(m: UserDrivers, v: number, d: number, f: number): void {
  claimDevice(m, v, d);
  m.handle.locked[v] = 0;
  m.device.busMaster[v] = 1;
  pinPage(m, f);
  note(m, m.mapping.at(v, 0), STREAMING, f, READ | WRITE);
  storeEntry(m, m.ioEntry.at(v, 0), f, READ | WRITE);
  m.ioEntry.walkedFrame.set(m.ioEntry.frame);
  m.ioEntry.walkedRights.set(m.ioEntry.rights);
}

/** Power-on, and then either nothing is open yet or the driver has its device with a page mapped. */
function begin(m: UserDrivers): void {
  clearUser(m);
  givePage(m, CLIENT_FRAME, CLIENT);
  givePage(m, BUFFER, DRIVER);
  if (m.choose(flag, 'the driver has its device, and a page is mapped') === 1) openAt(m, 0, DRIVER, BUFFER);
}

export const userLevel = (name: string, operations: readonly AnyOperation[], initial: (m: UserDrivers) => void) =>
  module<UserDrivers, typeof userTables>(name, {
    tables: userTables,
    operations,
    initial,
    holds: holdsUser,
    map: (m) => [
      ...[...m.device.home].map((home, v) => `device ${v}: ${home < m.domain.rows ? `process ${home}` : 'free'}`),
      ...[...m.pin.count].map((n, f) => `frame ${f}: pins ${n}`),
    ],
  });

export const bare = { ...frames, operations: [] };

/** Kernel threads: system calls on behalf of processes, and the exit of processes. */
const threads = (scope: Scope): readonly string[] => Array.from({ length: scope.worker ?? 1 }, () => 'vmm');

/** The bystander: another driver, with a device and a page mapped for it. */
function withBystander(m: UserDrivers): void {
  begin(m);
  givePage(m, OTHER_FRAME, OTHER);
  openAt(m, 1, OTHER, OTHER_FRAME);
}

const hardware = [processQueue, reap, refillIotlb, refillAtc, issueDma, finishDma];
const life = { ...domains, operations: [driverDies, driverRestarts, releaseDomain] };

/** DMA: two drivers, each with a device; calls split, against caches, DMA in flight and death. */
export const dmaMachine: MachineDef = {
  name: 'user-level drivers, DMA',
  modules: [
    life,
    bare,
    { ...iommu, operations: [...hardware, dmaStale, dmaToFrame] },
    userLevel(
      'handles, mappings, pages',
      [...handleOperations, ...mappingOperations, ...pageOperations, programDevice, loseMapping],
      withBystander,
    ),
  ],
  threads,
};

/** The same on a machine without an I/O MMU, where a device goes on at addresses that it was told once. */
export const dmaBareMachine: MachineDef = {
  ...dmaMachine,
  name: 'user-level drivers, DMA without I/O MMU',
  modules: [...dmaMachine.modules, addressesOfTheMachine],
};

/** The same calls by two threads of the kernel at once, without attacks by DMA. */
export const raceMachine: MachineDef = {
  name: 'user-level drivers, races',
  modules: [
    { ...domains, operations: [driverDies, releaseDomain] },
    bare,
    { ...iommu, operations: hardware },
    userLevel(
      'handles, mappings, pages',
      [...handleOperations, mapStreaming, unmapBus, ...pageOperations],
      withBystander,
    ),
  ],
  threads,
};

/** The bus: what devices can do to one another and to the machine. Calls run as one step. */
export const busMachine: MachineDef = {
  name: 'user-level drivers, bus',
  modules: [
    { ...domains, operations: [driverDies, releaseDomain] },
    bare,
    { ...iommu, operations: [issueDma, finishDma, processQueue, reap, dmaPeer, dmaInterrupt] },
    userLevel(
      'handles, mappings, pages',
      [...handleOperations, mapStreaming, unmapBus, exitPages, ...dmaAttacksOfDrivers, movesWindow],
      withBystander,
    ),
  ],
};

export const begins = (m: UserDrivers): void => {
  begin(m);
  m.domain.life[OTHER] = 0;
};

const oneDevice = [
  { ...domains, operations: [driverDies, releaseDomain] },
  bare,
  { ...iommu, operations: [issueDma, finishDma, processQueue, reap] },
] as const;

/** Pages: fork, copy on write, munmap, translation caches, wild stores. Calls run as one step. */
export const pageMachine: MachineDef = {
  name: 'user-level drivers, pages',
  modules: [
    ...oneDevice,
    userLevel(
      'handles, mappings, pages',
      [
        closeDevice,
        mapStreaming,
        unmapBus,
        ...pageOperations,
        fork,
        writeFault,
        fillTlb,
        ...processorAttacks,
        reclaimPinned,
      ],
      begins,
    ),
  ],
};

/** Calls: arguments that are wrong, that change, and pins without end. Calls run as one step. */
export const callMachine: MachineDef = {
  name: 'user-level drivers, calls',
  modules: [
    ...oneDevice,
    userLevel(
      'handles, mappings, pages',
      [...handleOperations, ...mappingOperations, ...pageOperations, ...callAttacks],
      begins,
    ),
  ],
};

const notLast = (m: UserDrivers | Irqs, d: number): boolean => m.domain.generation[d] + 1 < m.size(generation);

/** Lines: two drivers, two lines, one of which the kernel may use. */
export const irqMachine: MachineDef = {
  name: 'user-level drivers, interrupts',
  modules: [
    { ...domains, operations: [releaseDomain, createDomain] },
    { ...irqs, operations: [...irqs.operations, answersForOther] },
  ],
};

/** The driver is killed, rightly or wrongly; as often as it can be started again. */
export const driverKilled = {
  ...dies,
  where: { agent: (m: Irqs, op: { agent: number }) => op.agent === DRIVER && runs(m, DRIVER) && notLast(m, DRIVER) },
};

/** A driver that can be started again is taken to hang. */
export const driverSuspected = {
  ...killWrongly,
  where: {
    agent: (m: Irqs, op: { agent: number }) => op.agent === DRIVER && responds(m, DRIVER) && notLast(m, DRIVER),
  },
};

/** A driver hangs that can be started again. */
export const driverHangs = {
  ...hang,
  where: {
    agent: (m: Irqs, op: { agent: number }) => op.agent === DRIVER && responds(m, DRIVER) && notLast(m, DRIVER),
  },
};

/** Clients of two drivers, one of which dies and hangs and is started again. */
export const serviceMachine: MachineDef = {
  name: 'user-level drivers, clients',
  modules: [
    { ...domains, operations: [releaseDomain] },
    { ...irqs, operations: [driverKilled, driverHangs, driverSuspected, killHung] },
    { ...service, operations: [...service.operations, staleAnswer] },
  ],
};

/** One close against everything that goes on in the hardware: caches refill, DMA is in flight, the device follows its descriptors. */
export function closingMachine(name: string, calls: readonly AnyOperation[]): MachineDef {
  return {
    name,
    modules: [
      { ...domains, operations: [driverDies] },
      bare,
      { ...iommu, operations: [...hardware, dmaStale] },
      userLevel(
        'handles, mappings, pages',
        [...calls, allocatePage, exitPages, programDevice, loseMapping],
        withBystander,
      ),
    ],
    threads,
  };
}

export const oneKind = module<Service, Record<never, never>>('all requests of one kind', {
  tables: {},
  operations: [],
  initial: (m) => {
    m.request.kind.fill(m.request.kind[0]);
  },
});

/** Everything that a request passes, without faults: what it costs. */
export const pathMachine: MachineDef = {
  name: 'user-level drivers, data path',
  modules: [
    { ...domains, operations: [] },
    bare,
    { ...iommu, operations: [issueDma, finishDma] },
    userLevel('handles, mappings, pages', [openDevice, ...mappingOperations, allocatePage], begins),
    { ...irqs, operations: [openIrq, raiseIrq, readIrq, returnIrq] },
    {
      ...service,
      operations: [openUnit, sendRequest, issueRequest, performRequest, answerRequest, receiveAnswer, nextRequest],
    },
    oneKind,
  ],
};
