/**
 * R-S1, R-S2 and R-S7 of "Reconstructing I/O" (UCAM-CL-TR-596, 2004): what a driver domain's device reaches, and what is left after an
 * unmapping. Restarts are in reconstructingIoRestart.ts, the class interface is in reconstructingIoClass.ts.
 */
import { devUnmap, type Lending } from '../../model/architectures/reconstructingIo/lending.js';
import { CONTROL } from '../../model/domains.js';
import { TYPE_IOMMU_TABLE, TYPE_VMM } from '../../model/frames.js';
import { READ, SLOT_FREE, SLOT_WRITE, WRITE } from '../../model/iommu/index.js';
import { isFailure, NONE } from '../../model/kernel/index.js';
import { iommuPageHolders, iommuTypeHolders, staleInFlight } from '../iommuPaths.js';
import { isQuiescent } from '../paths.js';
import { invariant, relation } from '../property.js';

/** Whether a device of this home may reach the frame: it is the home's own, or lent to it with the rights. */
function allowed(m: Lending, home: number, f: number, rights: number): boolean {
  if (home === NONE) return false;
  if (m.frame.owner[f] === home) return true;
  return m.lent.to[f] === home && (m.lent.rights[f] & rights) === rights;
}

/** The first way that is not allowed, for `explain`. */
const found = { device: 0, frame: 0, by: '' };

function bad(v: number, f: number, by: string): false {
  found.device = v;
  found.frame = f;
  found.by = by;
  return false;
}

function confinedBy(m: Lending, v: number, d: number): boolean {
  const home = m.device.home[v];
  for (let p = 0; p < m.ioEntry.rows / m.ioDirectory.rows; p++) {
    const e = m.ioEntry.at(d, p);
    const rights = m.ioEntry.walkedRights[e];
    if (rights !== 0 && !allowed(m, home, m.ioEntry.walkedFrame[e], rights))
      return bad(v, m.ioEntry.walkedFrame[e], 'its tables');
    const cached = m.iotlb.rights[e];
    if (cached !== 0 && !allowed(m, home, m.iotlb.frame[e], cached)) return bad(v, m.iotlb.frame[e], 'the IOTLB');
  }
  return true;
}

function confined(m: Lending): boolean {
  for (let v = 0; v < m.device.rows; v++) {
    const cached = m.configCache.did[v];
    const written = m.deviceEntry.valid[v] === 1 ? m.deviceEntry.did[v] : NONE;
    if (cached !== NONE && !confinedBy(m, v, cached)) return false;
    if (written !== NONE && written !== cached && !confinedBy(m, v, written)) return false;
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE) continue;
    const rights = m.dma.state[s] === SLOT_WRITE ? WRITE : READ;
    if (!allowed(m, m.dma.as[s], m.dma.frame[s], rights))
      return bad(m.dma.device[s], m.dma.frame[s], 'a request in flight');
  }
  return true;
}

const someInFlight = (m: Lending): boolean => m.dma.state.some((s) => s !== SLOT_FREE);
const someCached = (m: Lending): boolean => m.iotlb.rights.some((r) => r !== 0);
const someLoanMapped = (m: Lending): boolean => m.lent.pins.some((n) => n > 0);

/** R-S1. */
export const dmaConfined = invariant<Lending>('R-S1', 'confinement', {
  states:
    'whatever a device reaches, by tables, IOTLB or requests in flight, is its home\u2019s own or lent to its home',
  holds: confined,
  explain: (m) => {
    confined(m);
    const { device: v, frame: f, by } = found;
    const owner = m.frame.owner[f] === NONE ? 'nobody' : `domain ${m.frame.owner[f]}`;
    return `device ${v} reaches frame ${f} of ${owner} by ${by}`;
  },
  witnesses: {
    'a DMA is in flight': someInFlight,
    'a translation is cached': someCached,
    'a loan is mapped for a device': someLoanMapped,
  },
});

/** The same, said of DMA that other domains' memory takes: not claimed without an IOMMU. */
export const memoryOfOthers = invariant<Lending>('R-S1', 'memory of others', {
  states: 'no request in flight reaches memory of a domain that has not lent it',
  holds: (m) => {
    for (let s = 0; s < m.dma.rows; s++) {
      if (m.dma.state[s] === SLOT_FREE || m.frame.owner[m.dma.frame[s]] === NONE) continue;
      const rights = m.dma.state[s] === SLOT_WRITE ? WRITE : READ;
      if (!allowed(m, m.dma.as[s], m.dma.frame[s], rights)) return false;
    }
    return true;
  },
  explain: () => 'a request in flight reaches memory of a domain that has not lent it',
  witnesses: { 'a DMA is in flight': someInFlight },
});

/** R-S7 in flight: nothing reaches the VMM's frames. */
export const memoryOfVmm = invariant<Lending>('R-S7', 'VMM memory', {
  states: 'no table entry, cached translation or request in flight leads to a frame of the VMM or to an IOMMU table',
  holds: (m) => {
    for (let e = 0; e < m.ioEntry.rows; e++) {
      if (m.ioEntry.walkedRights[e] !== 0 && isVmms(m, m.ioEntry.walkedFrame[e])) return false;
      if (m.iotlb.rights[e] !== 0 && isVmms(m, m.iotlb.frame[e])) return false;
    }
    for (let s = 0; s < m.dma.rows; s++) {
      if (m.dma.state[s] !== SLOT_FREE && isVmms(m, m.dma.frame[s])) return false;
    }
    return true;
  },
  explain: () => 'a device reaches a frame of the VMM',
  witnesses: { 'a DMA is in flight': someInFlight, 'a translation is cached': someCached },
});

function isVmms(m: Lending, f: number): boolean {
  return m.frame.types[f] > 0 && (m.frame.type[f] === TYPE_VMM || m.frame.type[f] === TYPE_IOMMU_TABLE);
}

/** R-S2. */
export const noStaleWindow = relation<Lending>('R-S2', 'stale window', {
  states: 'when DevUnmap returns, neither the IOTLB nor a request in flight has what it unmapped',
  holds: (_before, m, status) => {
    if (!m.finished || isFailure(status) || m.current.op.name !== devUnmap.name) return true;
    const { did, iova } = m.current.call;
    return m.iotlb.rights[m.iotlb.at(did, iova)] === 0 && !staleInFlight(m);
  },
  explain: () => 'DevUnmap returned, and the frame can still be reached',
  witnesses: { 'a translation is cached': someCached, 'a loan is mapped for a device': someLoanMapped },
});

/** R-S2 without remapping: what is unmapped in the driver's books is reached all the same. */
export const noLateDma = invariant<Lending>('R-S2', 'late DMA', {
  states: 'no request in flight leads to a frame of a client that is lent to nobody',
  holds: (m) => {
    for (let s = 0; s < m.dma.rows; s++) {
      const f = m.dma.frame[s];
      if (m.dma.state[s] !== SLOT_FREE && m.frame.owner[f] === CONTROL && m.lent.to[f] === NONE) return false;
    }
    return true;
  },
  explain: () => 'a request in flight leads to a frame that is lent to nobody',
  witnesses: { 'a DMA is in flight': someInFlight, 'a loan has ended': (m) => m.lent.to.every((d) => d === NONE) },
});

/** I2 for loans: pins equal device mappings, references equal holders. */
export const pinsCounted = invariant<Lending>('I2', 'pins', {
  states:
    'with no call half done, a loan has one pin for each device mapping, and a frame one reference for each holder',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.lent.pins[f] !== mappingsOfLoan(m, f)) return false;
      if (m.frame.type[f] === TYPE_VMM) continue;
      if (m.frame.refs[f] !== m.frame.allocated[f] + iommuPageHolders(m, f)) return false;
      if (m.frame.types[f] !== iommuTypeHolders(m, f)) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const n = mappingsOfLoan(m, f);
      if (m.lent.pins[f] !== n) return `frame ${f} has ${m.lent.pins[f]} pins and ${n} device mappings`;
    }
    return 'a frame has another number of references than holders';
  },
  witnesses: { 'a loan is mapped for a device': someLoanMapped },
});

/** Entries and unfinished flushes that hold a loan of the frame. */
function mappingsOfLoan(m: Lending, f: number): number {
  let n = 0;
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const owner = m.ioDomain.owner[d];
    if (owner === NONE || owner === m.frame.owner[f]) continue;
    if (m.flush.frame[d] === f && m.flush.drop[d] !== 0) n++;
    for (let p = 0; p < pages; p++) {
      const e = m.ioEntry.at(d, p);
      if (m.ioEntry.rights[e] !== 0 && m.ioEntry.frame[e] === f) n++;
    }
  }
  return n;
}

/** I8: no forged interrupts. */
export const ownInterrupts = invariant<Lending>('I8', 'interrupts', {
  states: 'a device interrupts only its own domain',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) if (m.device.forged[v] !== 0) return false;
    return true;
  },
  explain: () => 'a device has sent an interrupt that is not its own',
  witnesses: { 'a device is a bus master': (m) => m.device.busMaster.includes(1) },
});

/** I8: nor writes past the IOMMU. */
export const noPeerWrites = invariant<Lending>('I8', 'peers', {
  states: 'a device does not write another device\u2019s registers',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) if (m.device.barWriter[v] !== NONE) return false;
    return true;
  },
  explain: () => 'a device has written another one\u2019s registers, past the IOMMU',
  witnesses: { 'a device is a bus master': (m) => m.device.busMaster.includes(1) },
});

/** S-conf: what the processor wrote. */
export const contentIntact = invariant<Lending>('I11', 'content', {
  states: 'a frame that is not lent holds nothing that another domain wrote',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const writer = m.content.writer[m.content.at(f, 0)];
      if (m.lent.to[f] === NONE && writer !== NONE && writer !== m.frame.owner[f]) return false;
    }
    return true;
  },
  explain: () => 'a frame holds what a domain wrote that does not own it',
  witnesses: { 'domains have frames': (m) => m.frame.owner.some((d) => d !== NONE && d !== CONTROL) },
});
