/** DMA slots: taking one at issue, and the effect on memory at completion. Apart from the operations, because draining needs it. */
import { NONE } from '../kernel/index.js';
import { type Iommu, SLOT_FREE, SLOT_READ, SLOT_WRITE } from './state.js';

/** Lowest free slot, or -1. */
export function freeSlot(m: Iommu): number {
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] === SLOT_FREE) return s;
  return -1;
}

/** The request of device v has been translated to frame f: its effect comes later. */
export function takeSlot(m: Iommu, v: number, f: number, write: number, bypass: number): void {
  const s = freeSlot(m);
  m.dma.state[s] = write !== 0 ? SLOT_WRITE : SLOT_READ;
  m.dma.device[s] = v;
  m.dma.frame[s] = f;
  m.dma.as[s] = m.device.home[v];
  m.dma.bypass[s] = bypass;
}

/** The effect on memory. What a device writes into its own domain's frame is not told apart; a write elsewhere leaves its mark. */
export function completeDma(m: Iommu, s: number): void {
  const f = m.dma.frame[s];
  if (m.dma.state[s] === SLOT_WRITE && m.frame.owner[f] !== m.dma.as[s]) {
    m.content.writer[m.content.at(f, 0)] = m.dma.as[s];
    m.content.writer[m.content.at(f, 1)] = m.dma.as[s];
  }
  m.dma.state[s] = SLOT_FREE;
  m.dma.device[s] = NONE;
  m.dma.frame[s] = NONE;
  m.dma.as[s] = NONE;
  m.dma.bypass[s] = 0;
}
