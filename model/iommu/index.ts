/** The abstract IOMMU as a module of a machine: hardware, and the VMM's operations on it. */
import { module, NONE, valueName } from '../kernel/index.js';
import { assignments } from './assignment.js';
import { dmas } from './dma.js';
import { mappings } from './mapping.js';
import { processQueue, reap } from './queue.js';
import { clearIommu, type Iommu, iommuTables, SLOT_FREE, SUPERPAGE, TABLE } from './state.js';
import { refills } from './walk.js';

export * from './assignment.js';
export * from './commands.js';
export * from './dma.js';
export * from './dmaState.js';
export * from './mapping.js';
export * from './queue.js';
export * from './state.js';
export * from './walk.js';

/** Whether the domain still has a device, a DID, or a request in flight. */
export function holdsIommu(m: Iommu, d: number): boolean {
  for (let v = 0; v < m.device.rows; v++) if (m.device.home[v] === d) return true;
  for (let i = 0; i < m.ioDomain.rows; i++) if (m.ioDomain.owner[i] === d) return true;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.as[s] === d) return true;
  return false;
}

const rightsName = (rights: number): string => valueName(iommuTables.ioEntry.fields.rights, rights);
const commandName = (command: number): string => valueName(iommuTables.queue.fields.command, command);

/** Lines of the memory map: devices, tables, caches, queue, DMA in flight. */
export function iommuMap(m: Iommu): string[] {
  const lines: string[] = [];
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let v = 0; v < m.device.rows; v++) {
    const home = m.device.home[v];
    const entry = m.deviceEntry.valid[v] === 1 ? `DID ${m.deviceEntry.did[v]}` : 'no entry';
    const cached = m.configCache.did[v] === NONE ? '' : `, cached DID ${m.configCache.did[v]}`;
    lines.push(
      `device ${v}: ${home === NONE ? 'unassigned' : `domain ${home}`}, ${entry}${cached}, bus master ${m.device.busMaster[v] ? 'on' : 'off'}`,
    );
  }
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const owner = m.ioDomain.owner[d];
    const kind = m.ioDirectory.kind[d];
    const shown =
      kind === TABLE ? `table in frame ${m.ioDirectory.target[d]}` : kind === SUPERPAGE ? 'superpage' : 'empty';
    lines.push(`DID ${d}: ${owner === NONE ? 'free' : `domain ${owner}`}, ${shown}`);
    if (kind === SUPERPAGE)
      lines.push(`  superpage: frame ${m.ioDirectory.target[d]} ${rightsName(m.ioDirectory.rights[d])}`);
    for (let p = 0; p < pages; p++) {
      const e = m.ioEntry.at(d, p);
      if (m.ioEntry.rights[e])
        lines.push(`  iova ${p}: frame ${m.ioEntry.frame[e]} ${rightsName(m.ioEntry.rights[e])}`);
      if (m.iotlb.rights[e]) lines.push(`  IOTLB ${p}: frame ${m.iotlb.frame[e]} ${rightsName(m.iotlb.rights[e])}`);
    }
    if (m.iotlbSuper.rights[d])
      lines.push(`  IOTLB superpage: frame ${m.iotlbSuper.frame[d]} ${rightsName(m.iotlbSuper.rights[d])}`);
    if (m.structureCache.table[d] !== NONE)
      lines.push(`  cached pointer to the table in frame ${m.structureCache.table[d]}`);
  }
  for (let r = 0; r < m.atc.rows; r++) {
    if (m.atc.rights[r]) {
      lines.push(
        `ATC of device ${Math.floor(r / pages)}: iova ${r % pages} frame ${m.atc.frame[r]} ${rightsName(m.atc.rights[r])}`,
      );
    }
  }
  for (let i = 0; i < m.queue.rows; i++) {
    if (m.queue.command[i]) lines.push(`queue ${i}: ${commandName(m.queue.command[i])} ${m.queue.target[i]}`);
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE) continue;
    lines.push(
      `DMA ${s}: device ${m.dma.device[s]} ${m.dma.state[s] === 1 ? 'reads' : 'writes'} frame ${m.dma.frame[s]}`,
    );
  }
  return lines;
}

/** The honest operations: caches that refill, the queue, the VMM, DMA. Attacks are in faults/dma.ts. */
export const iommuOperations = [...refills, processQueue, reap, ...mappings, ...assignments, ...dmas];

/** The module. */
export const iommu = module<Iommu, typeof iommuTables>('iommu', {
  tables: iommuTables,
  operations: iommuOperations,
  initial: clearIommu,
  holds: holdsIommu,
  map: iommuMap,
});
