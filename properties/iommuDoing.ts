/** Calls on the IOMMU that return success have done their work, for domains that live; and what a flush owes is somebody\u2019s. */
import { RUNNING } from '../model/domains.js';
import { attach, type Iommu, permitWrite, readFaults, WRITE } from '../model/iommu/index.js';
import { isFailure, NONE } from '../model/kernel/index.js';
import { inFlight, somethingMapped } from './iommuPaths.js';
import { invariant, relation } from './property.js';

/** I4: the calls that give something. */
export const dmaDone = relation<Iommu>('I4', 'done', {
  states:
    'when attach returns, the device has its entry and may master the bus; a right that was given is in the table; a log that was read is empty',
  holds: (_before, m, status) => {
    if (!m.finished || isFailure(status)) return true;
    const { op, call } = m.current;
    switch (op.name) {
      case attach.name:
        return m.deviceEntry.valid[call.device] === 1 && m.device.busMaster[call.device] === 1;
      case permitWrite.name:
        return (m.ioEntry.rights[m.ioEntry.at(call.did, call.iova)] & WRITE) !== 0;
      case readFaults.name:
        return m.iommu.overflow[0] === 0 && m.faultRecord.device.every((v) => v === NONE);
      default:
        return true;
    }
  },
  witnesses: { 'a page is mapped': somethingMapped },
});

/** Whether a domain that does not run is given something that its device may use. */
function givenToTheDying(before: Iommu, m: Iommu): boolean {
  for (let v = 0; v < m.device.rows; v++) {
    const home = m.device.home[v];
    if (home !== NONE && home !== before.device.home[v] && before.domain.life[home] !== RUNNING) return true;
  }
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const owner = before.ioDomain.owner[d];
    if (owner === NONE || before.domain.life[owner] === RUNNING) continue;
    if ((m.ioDirectory.rights[d] & ~before.ioDirectory.rights[d]) !== 0) return true;
    for (let e = d * pages; e < (d + 1) * pages; e++)
      if ((m.ioEntry.rights[e] & ~before.ioEntry.rights[e]) !== 0) return true;
  }
  return false;
}

/** I9: what is torn down does not grow. */
export const dmaNotForTheDying = relation<Iommu>('I9', 'dying', {
  states: 'a domain that is dying, or dead, gets no device, no mapping and no right to write any more',
  ofChange: true,
  holds: (before, m) => !givenToTheDying(before, m),
  witnesses: {
    'a dying domain has a page mapped': (m) =>
      somethingMapped(m) && m.ioDomain.owner.some((o) => o !== NONE && m.domain.life[o] !== RUNNING),
  },
});

/** I2: what a flush holds back. */
export const dmaOwed = invariant<Iommu>('I2', 'owed', {
  states: 'a flush that holds a reference back holds that of a frame',
  holds: (m) => {
    for (let d = 0; d < m.flush.rows; d++) if ((m.flush.drop[d] !== 0) !== (m.flush.frame[d] !== NONE)) return false;
    return true;
  },
  witnesses: {
    'a reference is held back, and a DMA is in flight': (m) => m.flush.drop.some((o) => o !== 0) && inFlight(m),
  },
});
