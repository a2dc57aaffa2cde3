/** What must hold of a DD/OS's memory and of the time-multiplexed IO-MMU: DD-S1 to DD-S5, DD-S8 and DD-L2. */
import {
  clientDomain,
  domainOfSpace,
  LENT,
  type Mux,
  mayReach,
  NO_LONGER_LENT,
  SERVER,
} from '../../../model/architectures/driverReuse/muxState.js';
import { TYPE_VMM } from '../../../model/frames.js';
import { NONE } from '../../../model/kernel/index.js';
import { isQuiescent } from '../../paths.js';
import { invariant, progress, relation } from '../../property.js';

const inFlight = (m: Mux): boolean => m.flight.device.some((v) => v !== NONE);
const secondHasTurn = (m: Mux): boolean => m.northbridge.current[0] === 1;
const wasLent = (m: Mux): boolean => m.io.lent.includes(NO_LONGER_LENT);

/** DD-S1. */
export const ddMemory = invariant<Mux>('DD-S1', 'memory', {
  states: 'no frame carries what a DD/OS wrote that may not write it',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const writer = m.content.writer[m.content.at(f, 0)];
      if (writer !== NONE && writer !== m.frame.owner[f]) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const writer = m.content.writer[m.content.at(f, 0)];
      if (writer !== NONE && writer !== m.frame.owner[f]) return `frame ${f} carries what domain ${writer} wrote`;
    }
    return '';
  },
  witnesses: { 'a DD/OS has stored wildly': (m) => m.content.writer.some((w) => w !== NONE) },
});

/** DD-S1, as a relation: what a store of a DD/OS's processor changes. */
export const ddStores = relation<Mux>('DD-S1', 'stores', {
  states: 'a store of a DD/OS changes nothing but its own memory',
  holds: (before, after) => {
    const { name } = after.current.op;
    if (name !== 'driver.storeInside' && name !== 'driver.storeOutside') return true;
    const who = domainOfSpace(after.current.call.agent);
    for (let f = 0; f < after.frame.rows; f++) {
      const row = after.content.at(f, 0);
      if (before.content.writer[row] !== after.content.writer[row] && after.frame.owner[f] !== who) return false;
    }
    return true;
  },
  witnesses: { 'a DD/OS has stored wildly': (m) => m.content.writer.some((w) => w !== NONE) },
});

/** The frame of a request in flight that its device's DD/OS may not have, or -1. */
function strayFlight(m: Mux, isOfKind: (m: Mux, s: number, f: number) => boolean): number {
  for (let i = 0; i < m.flight.rows; i++) {
    const v = m.flight.device[i];
    if (v === NONE) continue;
    const s = m.master.home[v];
    const f = m.flight.frame[i];
    if (isOfKind(m, s, f) && !mayReach(m, s, f)) return f;
  }
  return -1;
}

const ofVmm = (m: Mux, _s: number, f: number): boolean => m.frame.type[f] === TYPE_VMM;
const ofOthers = (m: Mux, s: number, f: number): boolean =>
  m.frame.type[f] !== TYPE_VMM && m.io.lent[m.io.at(s, f)] !== NO_LONGER_LENT;
const noLongerLent = (m: Mux, s: number, f: number): boolean => m.io.lent[m.io.at(s, f)] === NO_LONGER_LENT;

/** DD-S2, for the hypervisor's memory. */
export const ddVmm = invariant<Mux>('DD-S2', 'hypervisor', {
  states: 'no DMA that has passed translation goes to memory of the hypervisor',
  holds: (m) => strayFlight(m, ofVmm) < 0,
  explain: (m) => `a DMA to frame ${strayFlight(m, ofVmm)}, the hypervisor's, is in flight`,
  witnesses: { 'a DMA is in flight': inFlight },
});

/** DD-S2, for memory of others. */
export const ddOthers = invariant<Mux>('DD-S2', 'others', {
  states: 'no DMA that has passed translation goes to memory that its DD/OS never had',
  holds: (m) => strayFlight(m, ofOthers) < 0,
  explain: (m) => {
    const f = strayFlight(m, ofOthers);
    return `a DMA to frame ${f} of domain ${m.frame.owner[f]} is in flight`;
  },
  witnesses: { 'a DMA is in flight': inFlight, 'the second space has its turn': secondHasTurn },
});

/** DD-S2, for memory that was lent. */
export const ddStale = invariant<Mux>('DD-S2', 'stale', {
  states: 'no DMA, no entry and no cached translation leads a DD/OS to memory that it has no longer',
  holds: (m) => {
    if (strayFlight(m, noLongerLent) >= 0) return false;
    for (let s = 0; s < m.space.rows; s++) {
      for (let f = 0; f < m.frame.rows; f++) {
        if (!noLongerLent(m, s, f) || mayReach(m, s, f)) continue;
        if (m.io.entry[m.io.at(s, f)] === 1 || m.gart.from[f] === s) return false;
      }
    }
    return true;
  },
  explain: (m) => {
    const f = strayFlight(m, noLongerLent);
    return f >= 0 ? `a DMA to frame ${f}, unmapped since, is in flight` : 'a translation of an unmapped page is left';
  },
  witnesses: { 'a page is no longer lent': wasLent },
});

/** A space and frame whose entry does not agree with what the DD/OS may have, as row of the tables, or -1. */
function disagrees(m: Mux): number {
  for (let s = 0; s < m.space.rows; s++) {
    for (let f = 0; f < m.frame.rows; f++) {
      if ((m.io.entry[m.io.at(s, f)] === 1) !== mayReach(m, s, f)) return m.io.at(s, f);
    }
  }
  return -1;
}

/** DD-S2 with what it is for: the hooks keep the table beside the page tables. */
export const ddTable = invariant<Mux>('DD-S2', 'table', {
  states: 'between calls the table of a DD/OS has an entry for each page that the DD/OS may have, and for no other',
  holds: (m) => !isQuiescent(m) || disagrees(m) < 0,
  explain: (m) => {
    const row = disagrees(m);
    const f = row % m.frame.rows;
    const has =
      m.io.entry[row] === 1 ? 'an entry for a page that it may not have' : 'no entry for a page that it may have';
    return `space ${(row - f) / m.frame.rows} has ${has}: frame ${f}`;
  },
  witnesses: {
    'a client page is lent': (m) => m.io.lent.includes(LENT),
    'a page is no longer lent': wasLent,
    'the second space has been given a page': (m) => secondOwns(m) > 1,
  },
});

function secondOwns(m: Mux): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === domainOfSpace(1)) n++;
  return n;
}

/** DD-S2 stale, of requests alone: what an adversary can begin, once it has the memory no longer. */
export const ddLate = relation<Mux>('DD-S2', 'late', {
  states: 'no DMA starts to memory that its DD/OS has no longer',
  holds: (before, after) => {
    for (let i = 0; i < after.flight.rows; i++) {
      const v = after.flight.device[i];
      if (v === NONE || before.flight.device[i] !== NONE) continue;
      const s = after.master.home[v];
      const f = after.flight.frame[i];
      if (noLongerLent(after, s, f) && !mayReach(after, s, f)) return false;
    }
    return true;
  },
  explain: () => 'a DMA to a page that was unmapped has passed',
  witnesses: { 'a page is no longer lent': wasLent },
});

/** DD-S2: whose translations a device with the bus finds. */
export const ddCurrent = invariant<Mux>('DD-S2', 'current', {
  states: 'a device that has the bus finds translations of its own table only',
  holds: (m) => {
    for (let v = 0; v < m.master.rows; v++) {
      if (m.master.bus[v] === 0) continue;
      for (let f = 0; f < m.gart.rows; f++) {
        if (m.gart.from[f] !== NONE && m.gart.from[f] !== m.master.home[v]) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a translation of the second space is cached': (m) => m.gart.from.includes(1),
  },
});

/** DD-S3. */
export const ddMaster = invariant<Mux>('DD-S3', 'bus master', {
  states: 'a device has the bus only while the table of its DD/OS is the active one',
  holds: (m) => {
    for (let v = 0; v < m.master.rows; v++) {
      if (m.master.bus[v] === 1 && m.master.home[v] !== m.northbridge.current[0]) return false;
    }
    return true;
  },
  witnesses: {
    'the second space has its turn': secondHasTurn,
    'a device waits for its slice': (m) => m.master.wanted.some((w, v) => w === 1 && m.master.bus[v] === 0),
  },
});

/** DD-S4. */
export const ddDrained = invariant<Mux>('DD-S4', 'drained', {
  states: 'what is in flight belongs to the space whose table is active',
  holds: (m) => {
    for (let i = 0; i < m.flight.rows; i++) {
      const v = m.flight.device[i];
      if (v !== NONE && m.master.home[v] !== m.northbridge.current[0]) return false;
    }
    return true;
  },
  witnesses: { 'a switch waits for DMA': (m) => m.northbridge.switching[0] === 1 && inFlight(m) },
});

/** DD-S5. */
export const ddPinned = invariant<Mux>('DD-S5', 'pinned', {
  states: 'a client page that is lent stays the client\u2019s, and pinned',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.io.lent[m.io.at(SERVER, f)] !== LENT) continue;
      if (m.frame.owner[f] !== clientDomain(m) || m.frame.refs[f] < 2) return false;
    }
    return true;
  },
  witnesses: { 'a client page is lent': (m) => m.io.lent.includes(LENT), 'a page is no longer lent': wasLent },
});

/** DD-S8. */
export const ddInterface = invariant<Mux>('DD-S8', 'interface', {
  states: 'a device is programmed by the DD/OS that drives it, and registered for its table',
  holds: (m) => {
    for (let v = 0; v < m.master.rows; v++) {
      if (m.master.tampered[v] === 1) return false;
      if (m.master.table[v] !== NONE && m.master.table[v] !== m.master.home[v]) return false;
    }
    return true;
  },
  witnesses: { 'a device is off the bus': (m) => m.master.wanted.includes(0) },
});

/** Interrupts are no part of what the paper isolates. */
export const ddVector = invariant<Mux>('DD-S8', 'interrupts', {
  states: 'a device sends only interrupts of its own',
  holds: (m) => !m.master.forged.includes(1),
  explain: () => 'a DMA write reached the interrupt window: the IO-MMU does not cover it',
  witnesses: { 'a device has the bus': (m) => m.master.bus.includes(1) },
});

/** DD-L2, for one space. */
const turnOf = (s: number) =>
  progress<Mux>('DD-L2', `turn of space ${s}`, {
    states: `space ${s}, which has a slice, gets the bus`,
    pending: (m) => m.space.slice[s] > 0 && m.northbridge.current[0] !== s,
    goal: (m) => m.northbridge.current[0] === s && m.northbridge.switching[0] === 0,
    witnesses: { 'it has a slice': (m) => m.space.slice[s] > 0 },
  });

export const ddTurns = [turnOf(0), turnOf(1)] as const;
