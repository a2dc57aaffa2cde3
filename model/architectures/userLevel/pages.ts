/**
 * Pages of processes: allocation, munmap, fork with copy on write, write faults, exit. Pins survive them all.
 * Source: Leslie and Heiser 2003; LKML review of the 2005 patches (copy on write under DMA); Linux copy_present_page, get_user_pages.
 *
 * Must keep: L-S1 (a process writes its own pages only), L-S2 (a pinned page stays the page of the process that pinned it).
 */
import { DYING, domain, generation, RUNNING, runs } from '../../domains.js';
import { frame, isFree } from '../../frames.js';
import { device, iova } from '../../iommu/index.js';
import { operationOn } from '../../kernel/index.js';
import {
  bitOf,
  CLIENT,
  DRIVER,
  givePage,
  heapFrame,
  maps,
  OTHER,
  takePage,
  tlbFlush,
  touchPage,
  type UserDrivers,
  unshare,
  unsharing,
} from './state.js';

const operation = operationOn<UserDrivers>();

/** mmap and first touch. The bystander has what it needs. */
export const allocatePage = operation('page.allocate', {
  agent: domain,
  says: 'is given {frame}',
  source: 'Linux do_anonymous_page',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent) && op.agent !== OTHER,
    frame: (m, op) => isFree(m, op.frame) && op.frame === heapFrame(m),
  },
  touches: (m, op, may) => touchPage(m, may, op.frame),
  steps: { map: (m, op) => givePage(m, op.frame, op.agent) },
});

/** munmap, or the end of a buffer’s life in the process. What is pinned stays. */
export const unmapPages = operation('page.unmap', {
  agent: domain,
  says: 'unmaps {frame} from its memory',
  source: 'Linux munmap; LKML review of the 2005 patches',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent) && op.agent !== CLIENT,
    frame: (m, op) => maps(m, op.agent, op.frame) && !(op.agent === OTHER && m.pin.count[op.frame] > 0),
  },
  touches: (m, op, may) => touchPage(m, may, op.frame),
  steps: { unmap: (m, op) => takePage(m, op.frame, op.agent) },
});

/** exit_mmap: the pages of a dying process, one at a time, before or after its devices are closed. */
export const exitPages = operation('page.exit', {
  agent: 'vmm',
  says: 'takes {frame} from {process}, which is dying',
  source: 'Linux exit_mmap',
  atomic: true,
  input: { process: domain, frame },
  where: {
    process: (m, op) => m.domain.life[op.process] === DYING,
    frame: (m, op) => maps(m, op.process, op.frame),
  },
  touches: (m, op, may) => touchPage(m, may, op.frame),
  steps: { unmap: (m, op) => takePage(m, op.frame, op.process) },
});

/** fork: the child shares the parent’s pages until somebody writes. Pinned pages stay with the parent alone. */
export const fork = operation('page.fork', {
  agent: domain,
  says: 'forks',
  source: 'Linux dup_mmap, MADV_DONTFORK, copy_present_page; LKML review of the 2005 patches',
  where: {
    agent: (m, op) =>
      op.agent === DRIVER &&
      runs(m, DRIVER) &&
      m.domain.life[OTHER] === 0 &&
      m.domain.generation[OTHER] + 1 < m.size(generation),
  },
  touches: (m, _op, may) => {
    may.write(m.domain, OTHER);
    may.writeAll(m.page);
    may.writeAll(m.frame);
  },
  steps: {
    'share pages': (m, op) => {
      m.domain.life[OTHER] = RUNNING;
      m.domain.generation[OTHER]++;
      const both = ~(bitOf(op.agent) | bitOf(OTHER));
      for (let f = 0; f < m.frame.rows; f++) {
        if (!maps(m, op.agent, f) || (m.pin.count[f] > 0 && m.on(unsharing))) continue;
        m.page.mapped[f] |= bitOf(OTHER);
        m.page.writable[f] &= both;
        if (m.on(tlbFlush)) m.page.cached[f] &= both;
        m.frame.refs[f]++;
      }
    },
  },
});

/** A write to a shared page: the writer gets a copy, whoever else maps the page keeps it. */
export const writeFault = operation('page.writeFault', {
  agent: domain,
  says: 'writes {frame}, which it shares or which is protected',
  source: 'Linux do_wp_page',
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => maps(m, op.agent, op.frame) && (m.page.writable[op.frame] & bitOf(op.agent)) === 0,
  },
  touches: (m, op, may) => {
    touchPage(m, may, op.frame);
    touchPage(m, may, heapFrame(m));
  },
  steps: {
    copy: (m, op) => {
      unshare(m, op.frame, op.agent);
    },
  },
});

/** A processor caches a translation with which the process writes. */
export const fillTlb = operation('page.cache', {
  agent: domain,
  says: 'caches its translation of {frame}',
  idle: true,
  atomic: true,
  input: { frame },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => (m.page.writable[op.frame] & ~m.page.cached[op.frame] & bitOf(op.agent)) !== 0,
  },
  touches: (m, op, may) => may.write(m.page, op.frame),
  steps: {
    fill: (m, op) => {
      m.page.cached[op.frame] |= bitOf(op.agent);
    },
  },
});

/** The driver puts a bus address into the device’s descriptors, or takes it out. */
export const programDevice = operation('user.program', {
  agent: domain,
  path: 'submit',
  says: 'puts {iova} into the descriptors of {device}, or takes it out',
  source: 'registers are mapped into the process: no call',
  atomic: true,
  input: { device, iova },
  where: {
    agent: (m, op) => op.agent === DRIVER && runs(m, DRIVER),
    device: (m, op) => m.device.home[op.device] === op.agent && m.handle.locked[op.device] === 0,
    // Only what is mapped goes in; what is in can come out.
    iova: (m, op) =>
      m.ioEntry.rights[m.ioEntry.at(op.device, op.iova)] !== 0 ||
      (m.handle.programmed[op.device] & bitOf(op.iova)) !== 0,
  },
  touches: (m, op, may) => may.write(m.handle, op.device),
  steps: {
    write: (m, op) => {
      m.handle.programmed[op.device] ^= bitOf(op.iova);
    },
  },
});

/** A device whose descriptors were right when they were written finds the entry gone: a fault that the driver has not caused. */
export const loseMapping = operation('dma.lost', {
  agent: device,
  says: 'finds {iova}, which is in its descriptors, unmapped',
  source:
    'HP zx1: a request without a valid entry is a hard failure (machine check); Xen pci.c: ten faults disable a device',
  atomic: true,
  input: { iova },
  where: {
    agent: (m, op) => m.device.busMaster[op.agent] === 1 && m.handle.lost[op.agent] === 0,
    iova: (m, op) =>
      (m.handle.programmed[op.agent] & bitOf(op.iova)) !== 0 &&
      m.ioEntry.walkedRights[m.ioEntry.at(op.agent, op.iova)] === 0,
  },
  touches: (m, op, may) => may.write(m.handle, op.agent),
  steps: {
    fault: (m, op) => {
      m.handle.lost[op.agent] = 1;
    },
  },
});

export const pageOperations = [allocatePage, unmapPages, exitPages];
