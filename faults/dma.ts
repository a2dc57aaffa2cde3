/**
 * Attacks by DMA: what a device does when its driver, or the device itself, is malicious. Each names the gate that should stop it.
 * Classes: F2 (memory of others), F3 (after unmap, late, through stale caches), F8 (interrupt window). Where an attack passes, the request
 * is in flight like any other, and the invariants speak.
 */
import { domain } from '../model/domains.js';
import { frame } from '../model/frames.js';
import {
  abstractWalk,
  acsRedirect,
  addressWidth,
  device,
  dmaRemapping,
  everyPage,
  freeSlot,
  hasAtc,
  type Iommu,
  interruptRemapping,
  iova,
  path,
  recordFault,
  takeSlot,
  translate,
  translatedRefused,
} from '../model/iommu/index.js';
import { blockedBy, type Footprint, flag, module, NONE, OK, operationOn } from '../model/kernel/index.js';

const operation = operationOn<Iommu>();

/** A device can start a request: bus mastering is on, and there is room in flight. */
function canIssue(m: Iommu, v: number): boolean {
  return m.device.busMaster[v] === 1 && freeSlot(m) >= 0;
}

function mayAttack(m: Iommu, may: Footprint): void {
  may.writeAll(m.dma);
  may.writeAll(m.faultRecord);
  may.write(m.iommu);
  may.readAll(m.device);
}

/** Whether frame f belongs to somebody else than the device's domain: another domain's, the VMM's, a table, or nobody's. */
function foreign(m: Iommu, v: number, f: number): boolean {
  return m.frame.owner[f] !== m.device.home[v] || m.device.home[v] === NONE;
}

/** The driver programs a machine address: another domain's frame, the VMM's, a page table, an IOMMU table. */
export const dmaToFrame = operation('dma.toForeignFrame', {
  agent: device,
  path: 'translate',
  says: 'aims a DMA at {frame} (write: {write})',
  source: 'Xen driver domains without an IOMMU; VT-d 3.1',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { frame, write: flag },
  where: { agent: (m, op) => canIssue(m, op.agent), frame: (m, op) => foreign(m, op.agent, op.frame) },
  touches: (m, _op, may) => mayAttack(m, may),
  steps: {
    translate: (m, op) => {
      if (m.on(dmaRemapping) && m.iommu.translation[0] === 1) {
        recordFault(m, op.agent);
        return blockedBy(dmaRemapping);
      }
      takeSlot(m, op.agent, op.frame, op.write, 1);
      return OK;
    },
  },
});

/** A device uses a translation that the tables no longer hold: through the IOTLB, or one that it kept itself. */
export const dmaStale = operation('dma.stale', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA to {iova} by a translation of {path} that is no more (write: {write})',
  source: 'Markuze et al., ASPLOS 2016',
  fault: 'F3',
  atomic: true,
  input: { iova, path, write: flag },
  where: {
    agent: (m, op) => canIssue(m, op.agent),
    write: (m, op) => {
      const f = translate(m, op.agent, op.iova, op.write, op.path);
      return f >= 0 && f !== abstractWalk(m, op.agent, op.iova, op.write);
    },
  },
  touches: (m, op, may) => {
    may.read(m.device, op.agent);
    may.writeAll(m.dma);
  },
  steps: {
    translate: (m, op) => takeSlot(m, op.agent, translate(m, op.agent, op.iova, op.write, op.path), op.write, 0),
  },
});

/** One request that begins in a mapped page and ends in the next one, which is not mapped. */
export const dmaStraddle = operation('dma.straddle', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA that begins at the end of {iova} and ends in the page behind it (write: {write})',
  source: 'PCI Express 2.2.7 (no request crosses a 4 KiB boundary); a device need not obey',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { iova, write: flag },
  where: {
    agent: (m, op) => canIssue(m, op.agent),
    write: (m, op) => {
      const first = abstractWalk(m, op.agent, op.iova, op.write);
      if (first < 0 || first + 1 >= m.frame.rows) return false;
      return op.iova + 1 >= m.size(iova) || abstractWalk(m, op.agent, op.iova + 1, op.write) < 0;
    },
  },
  touches: (m, _op, may) => mayAttack(m, may),
  steps: {
    'translate the second page': (m, op) => {
      if (m.on(everyPage)) {
        recordFault(m, op.agent);
        return blockedBy(everyPage);
      }
      takeSlot(m, op.agent, abstractWalk(m, op.agent, op.iova, op.write) + 1, op.write, 0);
      return OK;
    },
  },
});

/** A request to the top of the address space, which wraps to the bottom: frame 0. */
export const dmaWrap = operation('dma.wrap', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA at the top of the address space that wraps (write: {write})',
  source: 'VT-d 3.6 (address width, faults beyond it)',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { write: flag },
  where: { agent: (m, op) => canIssue(m, op.agent) && foreign(m, op.agent, 0) },
  touches: (m, _op, may) => mayAttack(m, may),
  steps: {
    'check the width': (m, op) => {
      if (m.on(addressWidth)) {
        recordFault(m, op.agent);
        return blockedBy(addressWidth);
      }
      takeSlot(m, op.agent, 0, op.write, 0);
      return OK;
    },
  },
});

/** A device without a trusted ATC marks its request as already translated, and names a frame. */
export const dmaForgedTranslated = operation('dma.forgedTranslated', {
  agent: device,
  path: 'translate',
  says: 'sends a request marked as translated to {frame} (write: {write})',
  source: 'Thunderclap (NDSS 2019); VT-d 4.2.3 (translated requests, translation type)',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { frame, write: flag },
  where: {
    agent: (m, op) => canIssue(m, op.agent) && !hasAtc(m, op.agent),
    frame: (m, op) => foreign(m, op.agent, op.frame),
  },
  touches: (m, _op, may) => mayAttack(m, may),
  steps: {
    'check the translation type': (m, op) => {
      if (m.on(translatedRefused)) {
        recordFault(m, op.agent);
        return blockedBy(translatedRefused);
      }
      takeSlot(m, op.agent, op.frame, op.write, 0);
      return OK;
    },
  },
});

/** A device writes another device's registers; without ACS the switch between them never asks the IOMMU. */
export const dmaPeer = operation('dma.peer', {
  agent: device,
  path: 'translate',
  says: 'writes the registers of {peer}',
  source: 'PCI Express 6.12 (access control services)',
  fault: 'F2',
  atomic: true,
  onFailure: 'safe',
  input: { peer: device },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1,
    peer: (m, op) => op.peer !== op.agent && m.device.home[op.peer] !== m.device.home[op.agent],
  },
  touches: (m, op, may) => {
    may.write(m.device, op.peer);
    may.read(m.device, op.agent);
    may.writeAll(m.faultRecord);
    may.write(m.iommu);
  },
  steps: {
    route: (m, op) => {
      if (m.on(acsRedirect)) {
        recordFault(m, op.agent);
        return blockedBy(acsRedirect);
      }
      m.device.barWriter[op.peer] = m.device.home[op.agent];
      return OK;
    },
  },
});

/** A DMA write to the interrupt window is an interrupt: any vector of any domain, unless the source is looked up. */
export const dmaInterrupt = operation('dma.interruptWindow', {
  agent: device,
  path: 'translate',
  says: 'writes an interrupt for {victim}',
  source: 'CVE-2011-1898; VT-d 5.1 (interrupt remapping)',
  fault: 'F8',
  atomic: true,
  onFailure: 'safe',
  input: { victim: domain },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1,
    victim: (m, op) => m.device.home[op.agent] !== op.victim,
  },
  touches: (m, op, may) => {
    may.write(m.device, op.agent);
    may.writeAll(m.faultRecord);
    may.write(m.iommu);
  },
  steps: {
    'look the source up': (m, op) => {
      if (m.on(interruptRemapping)) {
        recordFault(m, op.agent);
        return blockedBy(interruptRemapping);
      }
      m.device.forged[op.agent] |= 1 << op.victim;
      return OK;
    },
  },
});

/** All attacks by DMA. */
export const dmaAttacks = [dmaToFrame, dmaStale, dmaStraddle, dmaWrap, dmaForgedTranslated, dmaPeer, dmaInterrupt];

/** The attacks as a module: no state of its own. */
export const dmaFaults = module<Iommu, Record<never, never>>('DMA faults', { tables: {}, operations: dmaAttacks });
