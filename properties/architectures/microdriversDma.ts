/**
 * What a microdriver's device must not reach: memory of other processes, memory of the kernel. By tables, by what is cached of them, by
 * requests in flight, and by where its registers lie. The general form (its own domain's memory only, I1) is in ../iommu.ts.
 */
import type { Configuration } from '../../model/architectures/microdrivers/configuration.js';
import { type Iommu, SLOT_FREE } from '../../model/iommu/index.js';
import { NONE } from '../../model/kernel/index.js';
import { invariant } from '../property.js';

/** Whether a frame that the device reaches is the kernel's or nobody's (`kernels`), or another domain's. */
function isStray(m: Iommu, f: number, kernels: boolean): boolean {
  if (f === NONE) return false;
  const owner = m.frame.owner[f];
  return kernels ? owner === NONE : owner !== NONE && owner !== m.device.home[0];
}

/** First such frame, by tables, by the IOTLB or in flight; or -1. */
function strayFrame(m: Iommu, kernels: boolean): number {
  for (let e = 0; e < m.ioEntry.rows; e++) {
    if (m.ioEntry.walkedRights[e] !== 0 && isStray(m, m.ioEntry.walkedFrame[e], kernels))
      return m.ioEntry.walkedFrame[e];
    if (m.iotlb.rights[e] !== 0 && isStray(m, m.iotlb.frame[e], kernels)) return m.iotlb.frame[e];
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] !== SLOT_FREE && isStray(m, m.dma.frame[s], kernels)) return m.dma.frame[s];
  }
  return -1;
}

const witnesses = {
  'a DMA is in flight': (m: Iommu): boolean => m.dma.state.some((s) => s !== SLOT_FREE),
};

export const othersOutOfReach = invariant<Iommu>('I1', 'processes', {
  states: 'the device reaches no memory of another process',
  holds: (m) => strayFrame(m, false) < 0,
  explain: (m) => `the device reaches frame ${strayFrame(m, false)}, which is another process's`,
  witnesses,
});

export const kernelOutOfReach = invariant<Iommu>('I1', 'kernel', {
  states: 'the device reaches no memory of the kernel, and none that is free',
  holds: (m) => strayFrame(m, true) < 0,
  explain: (m) => `the device reaches frame ${strayFrame(m, true)}, which is the kernel's or free`,
  witnesses,
});

export const noForgedInterrupt = invariant<Iommu>('I8', 'interrupts', {
  states: 'the device sends no interrupt but its own',
  holds: (m) => m.device.forged[0] === 0,
  explain: () => 'the device wrote an interrupt that is not its own',
  witnesses,
});

export const windowInPlace = invariant<Configuration>('MD-N1', 'window', {
  states: 'the registers of the device answer where the kernel put them, and nowhere else',
  holds: (m) => m.window.place.every((at) => at === 0),
  explain: () => 'the window of the device lies over memory of the kernel',
  witnesses,
});
