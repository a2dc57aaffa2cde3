/**
 * DMA of honest hardware: a request is translated at issue and has its effect on memory later. And the fault log.
 * Source: PCI Express (posted writes, completions); VT-d 3.14 and 7.2 (fault recording, overflow).
 */
import { flag, operationOn } from '../kernel/index.js';
import { completeDma, freeSlot, takeSlot } from './dmaState.js';
import { defaultDeny, device, dmaSlot, type Iommu, iova, SLOT_FREE } from './state.js';
import { abstractWalk } from './walk.js';

const operation = operationOn<Iommu>();

/** Records a fault of device v. A full log keeps what it has and notes the overflow; translation goes on (VT-d 7.2.1). */
export function recordFault(m: Iommu, v: number): void {
  for (let r = 0; r < m.faultRecord.rows; r++) {
    if (m.faultRecord.device[r] < m.device.rows) continue;
    m.faultRecord.device[r] = v;
    return;
  }
  if (m.faultRecord.rows > 0) m.iommu.overflow[0] = 1;
}

/** A device reads or writes a page that the tables map for it. */
export const issueDma = operation('dma.issue', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA to {iova} (write: {write})',
  atomic: true,
  input: { iova, write: flag },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1 && freeSlot(m) >= 0,
    write: (m, op) => abstractWalk(m, op.agent, op.iova, op.write) >= 0,
  },
  touches: (m, op, may) => {
    may.read(m.device, op.agent);
    may.read(m.deviceEntry, op.agent);
    may.readAll(m.ioDirectory);
    may.readAll(m.ioEntry);
    may.writeAll(m.dma);
  },
  steps: {
    translate: (m, op) => takeSlot(m, op.agent, abstractWalk(m, op.agent, op.iova, op.write), op.write, 0),
  },
});

/** The request reaches memory. */
export const finishDma = operation('dma.complete', {
  agent: 'memory',
  path: 'complete',
  says: 'takes the effect of {dma}',
  atomic: true,
  input: { dma: dmaSlot },
  where: { dma: (m, op) => m.dma.state[op.dma] !== SLOT_FREE },
  touches: (m, op, may) => {
    may.write(m.dma, op.dma);
    const f = m.dma.frame[op.dma];
    may.write(m.content, m.content.at(f, 0));
    may.write(m.content, m.content.at(f, 1));
  },
  steps: { 'take effect': (m, op) => completeDma(m, op.dma) },
});

/** The VMM reads the fault log and clears it. */
export const readFaults = operation('iommu.readFaults', {
  agent: 'vmm',
  says: 'reads and clears the fault log',
  source: 'VT-d 7.2; Xen iommu_page_fault',
  atomic: true,
  where: { agent: (m) => m.faultRecord.rows > 0 && m.faultRecord.device[0] < m.device.rows },
  touches: (m, _op, may) => {
    may.writeAll(m.faultRecord);
    may.write(m.iommu);
  },
  steps: {
    clear: (m) => {
      m.faultRecord.device.fill(0xff);
      m.iommu.overflow[0] = 0;
    },
  },
});

/** The VMM switches translation on, where power-on has not (only without default deny). */
export const enableTranslation = operation('iommu.enable', {
  agent: 'vmm',
  says: 'switches translation on',
  source: 'VT-d 10.4.4 (global command register, TE); CVE-2025-11901',
  atomic: true,
  where: { agent: (m) => !m.on(defaultDeny) && m.iommu.translation[0] === 0 },
  touches: (m, _op, may) => may.write(m.iommu),
  steps: {
    enable: (m) => {
      m.iommu.translation[0] = 1;
    },
  },
});

/** All operations of honest devices and of the fault log. */
export const dmas = [issueDma, finishDma, readFaults, enableTranslation];
