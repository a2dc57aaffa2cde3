/**
 * What must hold of user-level drivers: L-S1 to L-S6, L-L1, L-L2 (Leslie and Heiser 2003), over processors, I/O page directories, their
 * caches and requests in flight. Interrupts and clients: userLevelService.ts.
 */
import { mapStreaming, unmapBus } from '../../model/architectures/userLevel/mappings.js';
import {
  bitOf,
  CLIENT,
  CLIENT_FRAME,
  COHERENT,
  DRIVER,
  KERNEL_FRAME,
  members,
  NO_MAPPING,
  OTHER,
  pinLimit,
  pinsOf,
  STREAMING,
  type UserDrivers,
} from '../../model/architectures/userLevel/state.js';
import { DYING } from '../../model/domains.js';
import { TYPE_VMM } from '../../model/frames.js';
import { SLOT_FREE, SLOT_WRITE } from '../../model/iommu/index.js';
import { NONE } from '../../model/kernel/index.js';
import { ALLOCATION, CROSSING, charged, chargesInWords } from '../../model/ledger.js';
import { isQuiescent } from '../paths.js';
import { invariant, noninterference, progress, relation } from '../property.js';

/** The way by which the last check failed; for `explain` only. */
const found = { by: '', device: 0, frame: 0 };

function note(by: string, v: number, f: number): false {
  found.by = by;
  found.device = v;
  found.frame = f;
  return false;
}

const tell = (m: UserDrivers): string => {
  const { by, device, frame } = found;
  const home = m.device.home[device];
  const owner = m.frame.owner[frame];
  const whose = m.frame.type[frame] === TYPE_VMM ? 'the kernel’s' : owner === NONE ? 'free' : `of process ${owner}`;
  return `device ${device}, of ${home === NONE ? 'nobody' : `process ${home}`}, has frame ${frame}, ${whose}, pinned ${m.pin.count[frame]} times, ${by}`;
};

type Question = (m: UserDrivers, home: number, f: number) => boolean;

/** Asks the question of every frame that a device reaches: by entries, by cached translations, by requests in flight. */
function everyWay(m: UserDrivers, good: Question): boolean {
  const pages = m.ioEntry.rows / m.device.rows;
  for (let v = 0; v < m.device.rows; v++) {
    const home = m.device.home[v];
    for (let p = 0; p < pages; p++) {
      const e = m.ioEntry.at(v, p);
      if (m.ioEntry.walkedRights[e] !== 0 && !good(m, home, m.ioEntry.walkedFrame[e]))
        return note('by an entry', v, m.ioEntry.walkedFrame[e]);
      if (m.iotlb.rights[e] !== 0 && !good(m, home, m.iotlb.frame[e])) return note('by the IOTLB', v, m.iotlb.frame[e]);
      if (e < m.atc.rows && m.atc.rights[e] !== 0 && !good(m, home, m.atc.frame[e]))
        return note('by its own translation', v, m.atc.frame[e]);
    }
  }
  for (let s = 0; s < m.dma.rows; s++) {
    if (m.dma.state[s] === SLOT_FREE || good(m, m.dma.as[s], m.dma.frame[s])) continue;
    return note('by a DMA in flight', m.dma.device[s], m.dma.frame[s]);
  }
  return true;
}

const isOwn: Question = (m, home, f) => home !== NONE && m.frame.owner[f] === home;
const isPinned: Question = (m, _home, f) => m.pin.count[f] > 0;
const isNotKernel: Question = (m, _home, f) => m.frame.type[f] !== TYPE_VMM;
const isNotClient: Question = (m, _home, f) => m.frame.type[f] === TYPE_VMM || m.frame.owner[f] !== CLIENT;

/** Page by page: an entry gives what the set M of the live handle says, and no more. */
function entriesAreNoted(m: UserDrivers): boolean {
  const pages = m.ioEntry.rows / m.device.rows;
  for (let v = 0; v < m.device.rows; v++) {
    for (let p = 0; p < pages; p++) {
      const e = m.ioEntry.at(v, p);
      if (m.ioEntry.walkedRights[e] === 0) continue;
      const row = m.mapping.at(v, p);
      const f = m.ioEntry.walkedFrame[e];
      if (m.device.home[v] === NONE || m.mapping.kind[row] === NO_MAPPING || m.mapping.frame[row] !== f)
        return note('by an entry that no live handle has in its set M', v, f);
      if ((m.ioEntry.walkedRights[e] & ~m.mapping.rights[row]) !== 0)
        return note('by an entry with a right that its direction does not give', v, f);
    }
  }
  return true;
}

const inFlight = (m: UserDrivers): boolean => m.dma.state.some((s) => s !== SLOT_FREE);
const isMapped = (kind: number) => (m: UserDrivers) => m.mapping.kind[0] === kind;

/** L-S1: what processors reach. */
export const cpuContainment = invariant<UserDrivers>('L-S1', 'processor', {
  states: 'a process writes only pages that are its own: by page tables, by translation caches, by anything',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.page.scribbled[f] !== 0) return false;
      const owner = m.frame.owner[f];
      const mine = owner === NONE ? 0 : bitOf(owner);
      if (((m.page.writable[f] | m.page.cached[f]) & ~mine) !== 0) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.page.scribbled[f] !== 0) return `frame ${f} was written by a process that has no right to it`;
      const mine = m.frame.owner[f] === NONE ? 0 : bitOf(m.frame.owner[f]);
      const others = (m.page.writable[f] | m.page.cached[f]) & ~mine;
      if (others !== 0) return `frame ${f} is writable by process ${31 - Math.clz32(others)}, which does not own it`;
    }
    return '';
  },
  witnesses: { 'a translation is cached': (m) => m.page.cached.some((c) => c !== 0) },
});

/** L-S2: what the I/O page directory of a device has. */
export const entries = invariant<UserDrivers>('L-S2', 'entries', {
  states: 'the entries of a device are mappings of the live handle of its owner, with the rights of the direction',
  holds: entriesAreNoted,
  explain: tell,
  witnesses: { 'a page is mapped': isMapped(STREAMING) },
});

/** L-S2: whatever a device reaches. */
export const reach = invariant<UserDrivers>('L-S2', 'reach', {
  states:
    'whatever a device reaches, by entries, caches or requests in flight, belongs to the process that has it open',
  holds: (m) => everyWay(m, isOwn),
  explain: tell,
  witnesses: { 'a page is mapped': isMapped(STREAMING), 'a DMA is in flight': inFlight },
});

/** L-S3: pins. */
export const pinned = invariant<UserDrivers>('L-S3', 'pins', {
  states: 'a page is pinned as long as an entry, a cached translation or a DMA in flight names it',
  holds: (m) => everyWay(m, isPinned),
  explain: tell,
  witnesses: {
    'a translation is cached': (m) => m.iotlb.rights.some((r) => r !== 0),
    'a pinned page is unmapped by its process': (m) => m.page.mapped.some((set, f) => set === 0 && m.pin.count[f] > 0),
  },
});

/** Pins are what M says, and references are mappers and pins. */
export const pinCount = invariant<UserDrivers>('L-S3', 'count of pins', {
  states:
    'with no call half done, pins are the mappings that name the page, and references are pins and processes that map it',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] === TYPE_VMM) continue;
      let n = 0;
      for (let row = 0; row < m.mapping.rows; row++) {
        if (m.mapping.kind[row] !== NO_MAPPING && m.mapping.frame[row] === f) n++;
      }
      if (m.pin.count[f] !== n || m.frame.refs[f] !== n + members(m.page.mapped[f])) return false;
    }
    return true;
  },
  witnesses: { 'a page is pinned': (m) => m.pin.count[2] > 0 },
});

const openByDriver = (m: UserDrivers): boolean => m.device.home[0] === DRIVER;
const closed = (m: UserDrivers): boolean => m.device.home[0] === NONE;

/** L-S4: what close leaves. */
export const closedClean = invariant<UserDrivers>('L-S4', 'after close', {
  states:
    'a device that nobody holds has bus mastering off, and no entry, cached translation, request in flight, mapping or pin',
  holds: (m) => {
    const pages = m.ioEntry.rows / m.device.rows;
    for (let v = 0; v < m.device.rows; v++) {
      if (m.device.home[v] !== NONE) continue;
      if (m.device.busMaster[v] === 1 || m.handle.opens[v] !== 0) return false;
      for (let p = 0; p < pages; p++) {
        const e = m.ioEntry.at(v, p);
        if (m.ioEntry.walkedRights[e] !== 0 || m.iotlb.rights[e] !== 0) return false;
        if (e < m.atc.rows && m.atc.rights[e] !== 0) return false;
        if (m.mapping.kind[m.mapping.at(v, p)] !== NO_MAPPING) return false;
      }
      for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && m.dma.device[s] === v) return false;
    }
    return true;
  },
  explain: (m) =>
    `a device that nobody holds ${m.device.busMaster[0] === 1 ? 'has bus mastering on' : 'still has what its last owner mapped'}`,
  witnesses: {
    'nobody holds the device': closed,
    'the driver holds the device': openByDriver,
    'its process is dying': (m) => openByDriver(m) && m.domain.life[DRIVER] === DYING,
  },
});

/** L-S5: one handle a device. */
export const oneHandle = invariant<UserDrivers>('L-S5', 'one handle', {
  states: 'a device has one handle at most, that of the process that claimed it',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) {
      const home = m.device.home[v];
      if (m.handle.opens[v] !== (home === NONE ? 0 : bitOf(home))) return false;
    }
    return true;
  },
  explain: (m) => `${members(m.handle.opens[0])} processes hold a handle of device 0`,
  witnesses: { 'the device is open': (m) => !closed(m) },
});

/** L-S6: the kernel’s own frames. */
export const kernelOut = invariant<UserDrivers>('L-S6', 'kernel frames', {
  states: 'no device reaches a frame of the kernel, except coherent pages that were allocated for it',
  holds: (m) => everyWay(m, isNotKernel),
  explain: tell,
  witnesses: { 'a coherent page is mapped': isMapped(COHERENT) },
});

/** L-S2, seen from the client: its pages. */
export const clientOut = invariant<UserDrivers>('L-S2', 'client', {
  states: 'no device reaches a page of a process that has mapped none for it',
  holds: (m) => everyWay(m, isNotClient),
  explain: tell,
  witnesses: {
    'a page that a device had is the client’s': (m) => m.frame.owner.some((d, f) => d === CLIENT && f !== CLIENT_FRAME),
    'a DMA is in flight': inFlight,
  },
});

/** L-L2: other devices. */
export const othersRun = invariant<UserDrivers>('L-L2', 'other devices', {
  states: 'the other driver keeps its device, its entries and its registers, whatever happens to this one',
  holds: (m) => {
    for (let v = 1; v < m.device.rows; v++) {
      if (m.device.home[v] !== OTHER || m.device.busMaster[v] !== 1 || m.device.barWriter[v] !== NONE) return false;
      if (m.mapping.kind[m.mapping.at(v, 0)] !== STREAMING) return false;
    }
    return true;
  },
  explain: (m) =>
    m.device.barWriter[1] !== NONE
      ? `process ${m.device.barWriter[1]}’s device wrote the registers of device 1`
      : 'device 1 was taken from its driver',
  witnesses: {
    'a device has a DMA in flight': inFlight,
    'its process is dying': (m) => m.domain.life[DRIVER] === DYING,
  },
});

/** L-L2: the machine. */
export const machineRuns = invariant<UserDrivers>('L-L2', 'no machine check', {
  states: 'a DMA without an entry stops nobody but the driver whose device sent it',
  holds: (m) => m.platform.state[0] === 0,
  explain: () => 'a DMA without an entry is a machine check, and everything stops',
  witnesses: { 'the driver holds the device': openByDriver },
});

/** L-L2: close itself. */
export const quietClose = invariant<UserDrivers>('L-L2', 'quiet close', {
  states:
    'the kernel takes no mapping from under a device that runs: a close causes no fault that nobody can answer for',
  holds: (m) => !m.handle.lost.includes(1),
  explain: () =>
    'the device still masters the bus, and an address in its descriptors is unmapped: an I/O fault, caused by the kernel',
  witnesses: { 'an address is in the descriptors': (m) => m.handle.programmed[0] !== 0 },
});

/** L-S7, for messages: interrupts written by DMA. */
export const interruptSource = invariant<UserDrivers>('L-S7', 'source', {
  states: 'no device raises an interrupt that is not its own',
  holds: (m) => m.device.forged.every((set) => set === 0),
  explain: (m) => `device ${m.device.forged.findIndex((set) => set !== 0)} wrote an interrupt of another`,
  witnesses: { 'the driver holds the device': openByDriver },
});

/** Pins are limited. */
export const pinsBounded = invariant<UserDrivers>('L-L2', 'memory left', {
  states: 'no process pins more than its limit, and some memory is always left to others',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (pinsOf(m, d) > m.size(pinLimit)) return false;
    for (let f = 0; f < m.frame.rows; f++) {
      if (f !== KERNEL_FRAME && f !== CLIENT_FRAME && m.pin.count[f] === 0) return true;
    }
    return false;
  },
  explain: () => 'one process has pinned more than its limit: no frame is left that others could be given',
  witnesses: { 'the limit is reached': (m) => pinsOf(m, DRIVER) === m.size(pinLimit) },
});

/** L-L1: what a dead driver had comes back. */
export const deadReturned = progress<UserDrivers>('L-L1', 'returned', {
  states: 'a killed driver’s devices are closed, its pages come back, and its id is free again',
  pending: (m) => m.domain.life[DRIVER] === DYING,
  goal: (m) => m.domain.life[DRIVER] !== DYING,
  witnesses: {
    'a driver with a mapped page is dying': (m) =>
      m.domain.life[DRIVER] === DYING && openByDriver(m) && m.mapping.kind[0] !== NO_MAPPING,
    'a driver with a DMA in flight is dying': (m) =>
      m.domain.life[DRIVER] === DYING && m.dma.state.some((s, i) => s === SLOT_WRITE && m.dma.as[i] === DRIVER),
  },
});

/** What calls write of the kernel’s own. */
export const kernelIntact = invariant<UserDrivers>('L-S1', 'kernel memory', {
  states: 'no call makes the kernel write over memory of its own that the call has no business with',
  holds: (m) => m.page.scribbled[KERNEL_FRAME] === 0,
  explain: () => 'the kernel wrote past the end of a list of bus addresses',
  witnesses: { 'a page is mapped': isMapped(STREAMING) },
});

/** The fast path: what a buffer costs. */
export const oneCall = relation<UserDrivers>('L-F', 'one call', {
  states: 'a streaming mapping, and its end, are one call each: one crossing each way, no allocation',
  holds: (_before, m) => {
    const { name } = m.current.op;
    if (name !== mapStreaming.name && name !== unmapBus.name) return true;
    return charged(m, ALLOCATION) === 0 && charged(m, CROSSING) <= 2;
  },
  explain: (_before, m) => `${m.current.op.name} cost ${chargesInWords(m)}`,
  witnesses: { 'a page is mapped': isMapped(STREAMING) },
});

const PURGED: ReadonlySet<string> = new Set(['fault.scribble', 'fault.wildStore']);

/** What a driver does to its own memory is its own affair. */
export const silence = noninterference<UserDrivers>('L-L2', 'silence', {
  states: 'what a driver writes over its own pages, or tries to write over others’, changes nothing for anybody else',
  view: (m, out) => {
    let n = 0;
    for (let f = 0; f < m.frame.rows; f++) {
      // A child begins with what its parent has written: it is the driver too.
      const own = m.frame.owner[f] === DRIVER || m.frame.owner[f] === OTHER;
      out[n++] = own ? 1 : 0;
      if (own) continue;
      out[n++] = m.frame.owner[f];
      out[n++] = m.page.scribbled[f];
      out[n++] = m.content.secret[m.content.at(f, 0)];
    }
    return n;
  },
  purge: (_m, operation) => PURGED.has(operation),
  witnesses: { 'the driver has written over its page': (m) => m.content.secret.includes(DRIVER) },
});
