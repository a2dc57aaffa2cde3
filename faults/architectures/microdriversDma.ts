/**
 * What goes wrong with the DMA of a microdriver: the user half returns a bus address (F2), the device goes on with an old one (F3), the
 * kernel half maps what is not its driver's (F2). Interrupts written by DMA are in ../dma.ts.
 */
import { type BusAddress, FIRST_BUFFER, KERNELS, USERS } from '../../model/architectures/microdrivers/busAddress.js';
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
