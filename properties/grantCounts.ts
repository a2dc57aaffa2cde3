/**
 * The books of grant tables: I2 count (pins, references, mappings), and the rules GT1, GT2, GT4 and GT7 of the protocol. All of them are
 * recomputed from what is authoritative: handles, and entries in page tables and IOMMU.
 */
import { isHostile, RUNNING } from '../model/domains.js';
import { TYPE_VMM } from '../model/frames.js';
import { DEVICE, type Grants, HOST, pinsOf, READ_ONLY, READING, WRITING, writePinsOf } from '../model/grants.js';
import { NONE } from '../model/kernel/index.js';
import { countsMatch, tellCounts } from './memory.js';
import { isQuiescent, ownerOf } from './paths.js';
import { invariant } from './property.js';

/** Granter of a row of the grant tables. */
export function granterOf(m: Grants, row: number): number {
  return Math.floor(row / (m.grant.rows / m.domain.rows));
}

/** Live mappings of the entry in `row` by kind and right, counted from the handles; -1 when a handle is not its mapper's. */
function handlesOf(m: Grants, row: number, kind: number, write: boolean): number {
  const refs = m.grant.rows / m.domain.rows;
  const handles = m.maptrack.rows / m.domain.rows;
  let count = 0;
  for (let h = 0; h < m.maptrack.rows; h++) {
    const flags = m.maptrack.flags[h];
    if ((flags & kind) === 0 || ((flags & READ_ONLY) === 0) !== write) continue;
    if (m.maptrack.granter[h] * refs + m.maptrack.ref[h] !== row) continue;
    if (Math.floor(h / handles) !== m.active.domid[row]) return -1;
    count++;
  }
  return count;
}

/** Row of the grant tables whose pins differ from its handles, or -1. */
function badPins(m: Grants): number {
  const { active } = m;
  for (let row = 0; row < active.rows; row++) {
    if (active.hostReads[row] !== handlesOf(m, row, HOST, false)) return row;
    if (active.hostWrites[row] !== handlesOf(m, row, HOST, true)) return row;
    if (active.devReads[row] !== handlesOf(m, row, DEVICE, false)) return row;
    if (active.devWrites[row] !== handlesOf(m, row, DEVICE, true)) return row;
  }
  return -1;
}

export const pinsMatch = invariant<Grants>('I2', 'pins', {
  states: 'the pins of each grant equal the live handles of its one mapper, and a free handle is in the free list once',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    if (badPins(m) >= 0) return false;
    return badFreeList(m) < 0;
  },
  witnesses: {
    'one handle maps for host and device': (m) => m.maptrack.flags.includes(HOST | DEVICE),
    'a grant is pinned': (m) => m.active.domid.some((d) => d !== NONE),
  },
  explain: (m) => {
    const row = badPins(m);
    if (row < 0) {
      const d = badFreeList(m);
      return `domain ${d} has ${m.maptrackFree.count[d]} handles on its free list, but others are free`;
    }
    return `grant ${row % (m.grant.rows / m.domain.rows)} of domain ${granterOf(m, row)} has ${pinsOf(m, row)} pins, which its handles do not account for`;
  },
});

/** Domain whose free list disagrees with its handles, or -1. */
function badFreeList(m: Grants): number {
  const handles = m.maptrack.rows / m.domain.rows;
  for (let d = 0; d < m.domain.rows; d++) {
    let free = 0;
    for (let h = 0; h < handles; h++) if (m.maptrack.taken[d * handles + h] === 0) free++;
    if (free !== m.maptrackFree.count[d]) return d;
  }
  return -1;
}

/** Pins on a frame, and how many of them write. */
function framePins(m: Grants, f: number, writing: boolean): number {
  let pins = 0;
  for (let row = 0; row < m.active.rows; row++) {
    if (m.active.frame[row] === f) pins += writing ? writePinsOf(m, row) : pinsOf(m, row);
  }
  return pins;
}

export const countGranted = invariant<Grants>('I2', 'count', {
  states: 'reference and type counts of each frame equal its holders, grants included, whenever no call is in progress',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] !== TYPE_VMM && !countsMatch(m, f, framePins(m, f, false), framePins(m, f, true)))
        return false;
    }
    return true;
  },
  witnesses: { 'a frame is mapped by a grant for writing': (m) => m.frame.types.some((n) => n > 0) },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const pins = framePins(m, f, false);
      const writing = framePins(m, f, true);
      if (m.frame.type[f] !== TYPE_VMM && !countsMatch(m, f, pins, writing)) return tellCounts(m, f, pins, writing);
    }
    return '';
  },
});

/** Entries in page tables and IOMMU that the grant operations made, against the handles of their domain. */
function badMappings(m: Grants): number {
  const refs = m.grant.rows / m.domain.rows;
  const handles = m.maptrack.rows / m.domain.rows;
  for (let d = 0; d < m.domain.rows; d++) {
    for (let f = 0; f < m.frame.rows; f++) {
      let sum = 0;
      for (let h = d * handles; h < (d + 1) * handles; h++) {
        const flags = m.maptrack.flags[h];
        if ((flags & (HOST | DEVICE)) === 0) continue;
        if (m.active.frame[m.maptrack.granter[h] * refs + m.maptrack.ref[h]] !== f) continue;
        const unit = (flags & READ_ONLY) === 0 ? 16 : 1;
        sum += (flags & HOST ? unit : 0) + (flags & DEVICE ? unit << 8 : 0);
      }
      const row = m.pte.at(d, f);
      const cpu = m.pte.grantReads[row] + 16 * m.pte.grantWrites[row];
      if (sum !== cpu + 256 * (m.grantDma.reads[row] + 16 * m.grantDma.writes[row])) return row;
    }
  }
  return -1;
}

export const mappingsMatch = invariant<Grants>('I2', 'mappings', {
  states: 'what page tables and the IOMMU hold by grants equals the live handles, whenever no call is in progress',
  holds: (m) => !isQuiescent(m) || badMappings(m) < 0,
  witnesses: { 'a device mapping is live': (m) => m.grantDma.reads.includes(1) },
  explain: (m) => {
    const at = badMappings(m);
    const d = Math.floor(at / m.frame.rows);
    return `domain ${d} maps frame ${at % m.frame.rows} by grants otherwise than its handles say`;
  },
});

/** Row of an honest granter whose in-use bits do not tell its pins, or -1. */
function badStatus(m: Grants): number {
  for (let row = 0; row < m.grant.rows; row++) {
    const granter = granterOf(m, row);
    if (isHostile(m, granter) || m.domain.life[granter] !== RUNNING) continue;
    const flags = m.grant.flags[row];
    if (((flags & READING) !== 0) !== pinsOf(m, row) > 0) return row;
    if (((flags & WRITING) !== 0) !== writePinsOf(m, row) > 0) return row;
  }
  return -1;
}

export const statusTells = invariant<Grants>('GT1', 'status', {
  states: 'an entry is marked in use exactly while pins stand for it',
  holds: (m) => !isQuiescent(m) || badStatus(m) < 0,
  witnesses: { 'an entry is marked as written': (m) => m.grant.flags.some((flags) => (flags & WRITING) !== 0) },
  explain: (m) => {
    const row = badStatus(m);
    return `grant ${row % (m.grant.rows / m.domain.rows)} of domain ${granterOf(m, row)} has ${pinsOf(m, row)} pins and flags ${m.grant.flags[row]}`;
  },
});

export const pinnedAlive = invariant<Grants>('GT2', 'pinned', {
  states: 'a pinned frame is referenced and still its granter’s; one domain uses a grant at a time (GT4)',
  holds: (m) => {
    for (let row = 0; row < m.active.rows; row++) {
      if (pinsOf(m, row) === 0) continue;
      const f = m.active.frame[row];
      if (f === NONE || m.active.domid[row] === NONE) return false;
      if (m.frame.refs[f] === 0 || m.frame.owner[f] !== granterOf(m, row)) return false;
    }
    return true;
  },
  witnesses: {
    'a frame outlives its release by a grant': (m) => {
      for (let row = 0; row < m.active.rows; row++) {
        const f = m.active.frame[row];
        if (f !== NONE && m.frame.allocated[f] === 0) return true;
      }
      return false;
    },
  },
  explain: (m) => {
    for (let row = 0; row < m.active.rows; row++) {
      const f = m.active.frame[row];
      if (pinsOf(m, row) > 0 && f !== NONE && m.frame.owner[f] !== granterOf(m, row)) {
        return `domain ${m.active.domid[row]} pins a grant of domain ${granterOf(m, row)}, but it stands for ${ownerOf(m, f)}`;
      }
    }
    return 'a pin stands for a frame without references';
  },
});

export const wholeHandles = invariant<Grants>('GT7', 'handles', {
  states: 'a handle with flags names its grant, and is taken; one without is free, whenever no call is in progress',
  holds: (m) => {
    for (let h = 0; h < m.maptrack.rows; h++) {
      if (m.maptrack.flags[h] === 0) {
        if (m.maptrack.taken[h] === 1 && isQuiescent(m)) return false;
        continue;
      }
      if (m.maptrack.taken[h] === 0 || m.maptrack.granter[h] === NONE || m.maptrack.ref[h] === NONE) return false;
    }
    return true;
  },
  witnesses: { 'a handle is live': (m) => m.maptrack.flags.some((flags) => flags !== 0) },
});
