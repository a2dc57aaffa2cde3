/**
 * Invalidation commands: what each removes, and the queue that they stand in.
 * Source: VT-d 6.5.2 (descriptors); AMD-Vi 2.4 (commands); SMMUv3 4.2 to 4.7.
 */
import { type Footprint, NONE } from '../kernel/index.js';
import { ABANDONED, COMPLETED, type Iommu, LATE } from './state.js';

/** Commands, in the order of the names in `state.ts`. */
export const NO_COMMAND = 0;
export const CONFIG_OF_DEVICE = 1;
export const CONFIG_OF_DID = 2;
export const CONFIG_ALL = 3;
export const IOTLB_PAGE = 4;
export const IOTLB_OF_DID = 5;
export const IOTLB_ALL = 6;
export const STRUCTURES_OF_DID = 7;
export const ATC_PAGE = 8;
export const ATC_OF_DEVICE = 9;
export const WAIT = 10;

/** Commands in the queue. */
export function queued(m: Iommu): number {
  let n = 0;
  while (n < m.queue.rows && m.queue.command[n] !== NO_COMMAND) n++;
  return n;
}

function clearIotlb(m: Iommu, row: number): void {
  m.iotlb.frame[row] = NONE;
  m.iotlb.rights[row] = 0;
}

function clearSuper(m: Iommu, d: number): void {
  m.iotlbSuper.frame[d] = NONE;
  m.iotlbSuper.rights[d] = 0;
}

function clearAtc(m: Iommu, row: number): void {
  m.atc.frame[row] = NONE;
  m.atc.rights[row] = 0;
}

/** Removes all translations and structures of a DID. */
export function flushDid(m: Iommu, d: number): void {
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let page = 0; page < pages; page++) clearIotlb(m, m.iotlb.at(d, page));
  clearSuper(m, d);
  m.structureCache.table[d] = NONE;
}

/** Removes all that a device keeps itself. */
export function flushAtc(m: Iommu, v: number): void {
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let page = 0; page < pages; page++) clearAtc(m, m.atc.at(v, page));
}

/**
 * Performs one invalidation command, exactly on its range.
 * A page-selective command removes the small translation of its page only: whether it also removes a superpage that covers the page
 * differs between IOMMUs, so software must not rely on it.
 */
export function perform(m: Iommu, command: number, target: number, page: number): void {
  switch (command) {
    case CONFIG_OF_DEVICE:
      m.configCache.did[target] = NONE;
      return;
    case CONFIG_OF_DID:
      for (let v = 0; v < m.configCache.rows; v++) if (m.configCache.did[v] === target) m.configCache.did[v] = NONE;
      return;
    case CONFIG_ALL:
      for (let v = 0; v < m.configCache.rows; v++) m.configCache.did[v] = NONE;
      return;
    case IOTLB_PAGE:
      clearIotlb(m, m.iotlb.at(target, page));
      return;
    case IOTLB_OF_DID:
      flushDid(m, target);
      return;
    case IOTLB_ALL:
      for (let d = 0; d < m.ioDomain.rows; d++) flushDid(m, d);
      return;
    case STRUCTURES_OF_DID:
      m.structureCache.table[target] = NONE;
      return;
    case ATC_PAGE:
      clearAtc(m, m.atc.at(target, page));
      return;
    case ATC_OF_DEVICE:
      flushAtc(m, target);
      return;
    case WAIT:
      m.flush.state[target] = m.flush.state[target] === ABANDONED ? LATE : COMPLETED;
      return;
    default:
      return;
  }
}

/** Takes the command at the head out of the queue. */
export function advance(m: Iommu): void {
  const last = m.queue.rows - 1;
  for (let i = 0; i < last; i++) {
    m.queue.command[i] = m.queue.command[i + 1];
    m.queue.target[i] = m.queue.target[i + 1];
    m.queue.page[i] = m.queue.page[i + 1];
  }
  m.queue.command[last] = NO_COMMAND;
  m.queue.target[last] = 0;
  m.queue.page[last] = NONE;
}

/** Puts a command behind the others; there is room. */
export function enqueue(m: Iommu, command: number, target: number, page: number): void {
  const i = queued(m);
  m.queue.command[i] = command;
  m.queue.target[i] = target;
  m.queue.page[i] = page;
}

/** Rows that the command in place i may touch. */
export function mayPerform(m: Iommu, may: Footprint, i: number): void {
  const target = m.queue.target[i];
  const page = m.queue.page[i];
  switch (m.queue.command[i]) {
    case CONFIG_OF_DEVICE:
      may.write(m.configCache, target);
      return;
    case CONFIG_OF_DID:
    case CONFIG_ALL:
      may.writeAll(m.configCache);
      return;
    case IOTLB_PAGE:
      may.write(m.iotlb, m.iotlb.at(target, page));
      return;
    case IOTLB_OF_DID:
      for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) may.write(m.iotlb, m.iotlb.at(target, p));
      may.write(m.iotlbSuper, target);
      may.write(m.structureCache, target);
      return;
    case IOTLB_ALL:
      may.writeAll(m.iotlb);
      may.writeAll(m.iotlbSuper);
      may.writeAll(m.structureCache);
      return;
    case STRUCTURES_OF_DID:
      may.write(m.structureCache, target);
      return;
    case ATC_PAGE:
      may.write(m.atc, m.atc.at(target, page));
      return;
    case ATC_OF_DEVICE:
      for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) may.write(m.atc, m.atc.at(target, p));
      return;
    case WAIT:
      may.write(m.flush, target);
      return;
    default:
      return;
  }
}
