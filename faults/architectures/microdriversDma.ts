/**
 * What goes wrong with the DMA of a microdriver: the user half returns a bus address (F2), the device goes on with an old one (F3), the
 * kernel half maps what is not its driver's (F2) or frees what its device still has (F4), the user half has configuration space written
 * (F13). Interrupts written by DMA are in ../dma.ts.
 */
import { type BusAddress, FIRST_BUFFER, KERNELS, USERS } from '../../model/architectures/microdrivers/busAddress.js';
import type { Configuration } from '../../model/architectures/microdrivers/configuration.js';
import { frame } from '../../model/frames.js';
import {
  device,
  dmaRemapping,
  freeSlot,
  type Iommu,
  READ,
  storeEntry,
  TABLE,
  takeSlot,
  WRITE,
} from '../../model/iommu/index.js';
import { blockedBy, flag, module, NONE, OK, operationOn } from '../../model/kernel/index.js';

type None = Record<never, never>;

const onBus = operationOn<BusAddress>();

/** F2: the user half returns a bus address, and the kernel half programs it. */
export const returnsAddress = onBus('fault.returnsAddress', {
  agent: 'user half',
  says: 'returns the address of {frame} for {device}, and the kernel half programs it',
  source: 'D3: values are not validated; no part restricts DMA',
  fault: 'F2',
  input: { device, frame },
  where: { frame: (m, op) => m.register.address[op.device] !== op.frame },
  touches: (m, op, may) => may.write(m.register, op.device),
  steps: {
    'copy out, and program': (m, op) => {
      m.register.address[op.device] = op.frame;
      m.register.from[op.device] = USERS;
    },
  },
});

const blockedByRemapping = blockedBy(dmaRemapping);

/** Whether the frame that the register names is not (or no longer) the driver's. */
function namesForeign(m: BusAddress, v: number): boolean {
  const f = m.register.address[v];
  return f !== NONE && freeSlot(m) >= 0 && m.frame.owner[f] !== m.device.home[v];
}

/** F2: the device works at the address that the user half returned. */
export const worksAtReturned = onBus('fault.worksAtReturned', {
  agent: device,
  path: 'translate',
  says: 'works at the returned address (write: {write})',
  fault: 'F2',
  atomic: true,
  input: { write: flag },
  where: { agent: (m, op) => m.register.from[op.agent] === USERS && namesForeign(m, op.agent) },
  touches: (m, _op, may) => may.writeAll(m.dma),
  steps: {
    translate: (m, op) => {
      if (m.on(dmaRemapping)) return blockedByRemapping;
      takeSlot(m, op.agent, m.register.address[op.agent], op.write, 1);
      return OK;
    },
  },
});

/** F3: the device goes on at the address of a buffer that is the driver's no longer. */
export const worksAtOld = onBus('fault.worksAtOld', {
  agent: device,
  path: 'translate',
  says: `goes on at frame ${FIRST_BUFFER}, which was a buffer once (write: {write})`,
  fault: 'F3',
  atomic: true,
  input: { write: flag },
  where: { agent: (m, op) => m.register.from[op.agent] === KERNELS && namesForeign(m, op.agent) },
  touches: (m, _op, may) => may.writeAll(m.dma),
  steps: {
    translate: (m, op) => {
      if (m.on(dmaRemapping)) return blockedByRemapping;
      takeSlot(m, op.agent, m.register.address[op.agent], op.write, 1);
      return OK;
    },
  },
});

export const busFaults = module<BusAddress, None>('wrong bus addresses', {
  tables: {},
  operations: [returnsAddress, worksAtReturned, worksAtOld],
});

const onIommu = operationOn<Iommu>();

/** F2: the kernel half has any frame mapped for its device: it is the kernel that it asks, and the kernel that it is. */
export const kernelMapsAnything = onIommu('fault.kernelMaps', {
  agent: 'kernel half',
  says: 'maps {frame} for its device',
  source: 'the kernel trusts the kernel half completely',
  fault: 'F2',
  input: { frame },
  where: { agent: (m) => m.ioDirectory.kind[0] === TABLE, frame: (m, op) => m.ioEntry.frame[0] !== op.frame },
  touches: (m, _op, may) => may.write(m.ioEntry, 0),
  steps: { write: (m, op) => storeEntry(m, 0, op.frame, READ | WRITE) },
});

export const kernelMapFaults = module<Iommu, None>('kernel half maps', {
  tables: {},
  operations: [kernelMapsAnything],
});

/** F4: the kernel half frees its buffer while its device has a request under way: nothing asks the device, nothing counts it. */
export const kernelFrees = onIommu('fault.kernelFrees', {
  agent: 'kernel half',
  says: `frees frame ${FIRST_BUFFER}, which its device is at work in`,
  source: 'the kernel trusts the kernel half completely; the DMA interface takes no reference',
  fault: 'F4',
  where: { agent: (m) => m.frame.allocated[FIRST_BUFFER] === 1 && m.dma.frame.includes(FIRST_BUFFER) },
  touches: (m, _op, may) => may.write(m.frame, FIRST_BUFFER),
  steps: {
    free: (m) => {
      m.frame.allocated[FIRST_BUFFER] = 0;
      m.frame.owner[FIRST_BUFFER] = NONE;
      m.frame.refs[FIRST_BUFFER] = 0;
    },
  },
});

const onConfiguration = operationOn<Configuration>();

/** F13: the user half calls the function that writes configuration space, with a value that nobody looks at. */
export const movesWindow = onConfiguration('fault.movesWindow', {
  agent: 'user half',
  says: 'has the base address of {device} written: its window lies over memory of the kernel',
  source: 'D2 (calls down), D3 (values are not validated)',
  fault: 'F13',
  input: { device },
  where: { device: (m, op) => m.window.place[op.device] === 0 },
  touches: (m, op, may) => may.write(m.window, op.device),
  steps: {
    write: (m, op) => {
      m.window.place[op.device] = 1;
    },
  },
});

export const halfFaults = module<Configuration, None>('what both halves may do', {
  tables: {},
  operations: [kernelFrees, movesWindow],
});
