/** What must hold of a DD/OS's memory on today's hardware: DD-S1, DD-S2 and DD-S5 with an IOMMU for each device. */
import {
  CLIENT,
  CLIENT_WINDOW,
  type ClientMemory,
  DD_OS,
  mayHave,
} from '../../../model/architectures/driverReuse/clientMemory.js';
import { TYPE_IOMMU_TABLE, TYPE_VMM } from '../../../model/frames.js';
import { hasAtc, SLOT_FREE } from '../../../model/iommu/index.js';
import { NONE } from '../../../model/kernel/index.js';
import { invariant, relation } from '../../property.js';

const NEVER = 0;
const LENT = 1;
const NO_LONGER = 2;
const wasLent = (m: ClientMemory): boolean => m.lent.state.includes(NO_LONGER);
const flies = (m: ClientMemory): boolean => m.dma.state.some((s) => s !== SLOT_FREE);
const isMonitors = (m: ClientMemory, f: number): boolean =>
  m.frame.type[f] === TYPE_VMM || (m.frame.types[f] > 0 && m.frame.type[f] === TYPE_IOMMU_TABLE);

/** The slot of a request to a frame of this kind that its device's DD/OS may not have, or -1. */
function stray(m: ClientMemory, isOfKind: (m: ClientMemory, f: number) => boolean): number {
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE) continue;
    const f = m.dma.frame[s];
    if (isOfKind(m, f) && !mayHave(m, m.dma.as[s], f)) return s;
  }
  return -1;
}

const ofOthers = (m: ClientMemory, f: number): boolean => !isMonitors(m, f) && m.lent.state[f] !== NO_LONGER;
const ofLate = (m: ClientMemory, f: number): boolean => !isMonitors(m, f) && m.lent.state[f] === NO_LONGER;

/** DD-S1. What the device wrote into a page while it was lent stays there. */
export const nowMemory = invariant<ClientMemory>('DD-S1', 'memory', {
  states: 'no frame carries what the DD/OS wrote that may not write it',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const writer = m.content.writer[m.content.at(f, 0)];
      if (writer !== NONE && writer !== m.frame.owner[f] && m.lent.state[f] === NEVER) return false;
    }
    return true;
  },
  witnesses: { 'a DD/OS has stored wildly': (m) => m.content.writer.includes(DD_OS) },
});

/** DD-S1, as a relation. */
export const nowStores = relation<ClientMemory>('DD-S1', 'stores', {
  states: 'a store of a DD/OS changes nothing but its own memory',
  holds: (before, after) => {
    const { name } = after.current.op;
    if (name !== 'driver.storeInside' && name !== 'driver.storeOutside') return true;
    for (let f = 0; f < after.frame.rows; f++) {
      const row = after.content.at(f, 0);
      if (before.content.writer[row] !== after.content.writer[row] && after.frame.owner[f] !== DD_OS) return false;
    }
    return true;
  },
  witnesses: { 'a DD/OS has stored wildly': (m) => m.content.writer.includes(DD_OS) },
});

/** DD-S2, for the hypervisor's memory. */
export const nowVmm = invariant<ClientMemory>('DD-S2', 'hypervisor', {
  states: 'no DMA that has passed translation goes to memory or tables of the hypervisor',
  holds: (m) => stray(m, isMonitors) < 0,
  explain: (m) => `a DMA to frame ${m.dma.frame[stray(m, isMonitors)]}, the hypervisor's, is in flight`,
  witnesses: { 'a DMA is in flight': flies },
});

/** DD-S2, for memory of others. */
export const nowOthers = invariant<ClientMemory>('DD-S2', 'others', {
  states: 'no DMA that has passed translation goes to memory that its DD/OS never had',
  holds: (m) => stray(m, ofOthers) < 0,
  explain: (m) => `a DMA to frame ${m.dma.frame[stray(m, ofOthers)]}, which the DD/OS never had, is in flight`,
  witnesses: { 'a DMA is in flight': flies },
});

/** Whether a way to the frame is left that the monitor does not know of. */
function leads(m: ClientMemory, rights: number, f: number): boolean {
  return rights !== 0 && !mayHave(m, DD_OS, f);
}

/** DD-S2, for memory that was lent. */
export const nowStale = invariant<ClientMemory>('DD-S2', 'stale', {
  states: 'no DMA, no entry and no cached translation leads the DD/OS to memory that it has no longer',
  holds: (m) => {
    if (stray(m, ofLate) >= 0) return false;
    const e = m.ioEntry.at(0, CLIENT_WINDOW);
    if (leads(m, m.ioEntry.walkedRights[e], m.ioEntry.walkedFrame[e])) return false;
    if (leads(m, m.iotlb.rights[e], m.iotlb.frame[e])) return false;
    if (!hasAtc(m, 0)) return true;
    const a = m.atc.at(0, CLIENT_WINDOW);
    return !leads(m, m.atc.rights[a], m.atc.frame[a]);
  },
  explain: (m) => (stray(m, ofLate) >= 0 ? 'a DMA to an unmapped page is in flight' : 'a translation is left'),
  witnesses: { 'a page is no longer lent': wasLent, 'a translation is cached': (m) => m.iotlb.rights[0] !== 0 },
});

/** DD-S5. */
export const nowPinned = invariant<ClientMemory>('DD-S5', 'pinned', {
  states: 'a client page that is lent stays the client\u2019s, and pinned',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.lent.state[f] === LENT && (m.frame.owner[f] !== CLIENT || m.frame.refs[f] < 2)) return false;
    }
    return true;
  },
  witnesses: { 'a client page is lent': (m) => m.lent.state.includes(LENT), 'a page is no longer lent': wasLent },
});

/** What interrupt remapping contains. */
export const nowVector = invariant<ClientMemory>('DD-S8', 'interrupts', {
  states: 'a device sends only interrupts of its own',
  holds: (m) => m.device.forged.every((set) => set === 0),
  witnesses: { 'a DMA is in flight': flies },
});

/** What access control services contain. */
export const nowPeers = invariant<ClientMemory>('DD-S8', 'peers', {
  states: 'no device writes the registers of a device that another domain has',
  holds: (m) => m.device.barWriter.every((writer) => writer === NONE),
  witnesses: { 'a DMA is in flight': flies },
});
