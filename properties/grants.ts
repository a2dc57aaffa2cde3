/**
 * What must hold of grants: I1 reach, I2 count, I3 type, I4 revoke, I9 fresh, I11 bytes, I14 fair, and the rules GT1 to GT7 of the
 * grant-table protocol. The last domain may be hostile: what concerns only a granter's own entries is asked of the others.
 */
import { ABSENT, isHostile, RUNNING } from '../model/domains.js';
import { TYPE_PAGE_TABLE, TYPE_VMM } from '../model/frames.js';
import { copyGrant } from '../model/grantCopy.js';
import { mapGrant } from '../model/grantMap.js';
import {
  DEVICE,
  GNTST,
  type Grants,
  GTF_READ_ONLY,
  HOST,
  PERMIT,
  pinsOf,
  READ_ONLY,
  READING,
  WRITING,
  writePinsOf,
} from '../model/grants.js';
import { NONE, OK } from '../model/kernel/index.js';
import { NO_RIGHT, READ, WRITE } from '../model/mmu.js';
import { countsMatch, tellCounts } from './memory.js';
import { isQuiescent, ownerOf, pathOf, reachable } from './paths.js';
import { invariant, relation } from './property.js';

/** Granter of a row of the grant tables. */
function granterOf(m: Grants, row: number): number {
  return Math.floor(row / (m.grant.rows / m.domain.rows));
}

/** What active pins allow domain d on frame f of its owner: host pins for processors, device pins for DMA. */
function granted(m: Grants, d: number, f: number, byDevice: boolean): number {
  let rights = NO_RIGHT;
  const { active } = m;
  for (let row = 0; row < active.rows; row++) {
    if (active.domid[row] !== d || active.frame[row] !== f || granterOf(m, row) !== m.frame.owner[f]) continue;
    if ((byDevice ? active.devWrites[row] : active.hostWrites[row]) > 0) return WRITE;
    if ((byDevice ? active.devReads[row] : active.hostReads[row]) > 0) rights = READ;
  }
  return rights;
}

function dmaRights(m: Grants, d: number, f: number): number {
  const row = m.grantDma.at(d, f);
  return m.grantDma.writes[row] > 0 ? WRITE : m.grantDma.reads[row] > 0 ? READ : NO_RIGHT;
}

/** First domain-frame pair (d * frames + f) in which d reaches more than it may, or -1. */
function stray(m: Grants): number {
  for (let d = 0; d < m.domain.rows; d++) {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.owner[f] === d) continue;
      const cpu = reachable(m, d, f);
      if (cpu !== NO_RIGHT && cpu > granted(m, d, f, false)) return m.pte.at(d, f);
      const dma = dmaRights(m, d, f);
      if (dma !== NO_RIGHT && dma > granted(m, d, f, true)) return m.pte.at(d, f);
    }
  }
  return -1;
}

export const reachGranted = invariant<Grants>('I1', 'reach', {
  states: "a domain reaches another's frame only while a grant of the owner is pinned for it, and with its rights",
  holds: (m) => stray(m) < 0,
  witnesses: {
    "a processor reaches another's frame": (m) => m.pte.grantWrites.includes(1) && m.tlb.rights.includes(WRITE),
    "a device reaches another's frame": (m) => m.grantDma.writes.includes(1),
  },
  explain: (m) => {
    const at = stray(m);
    const d = Math.floor(at / m.frame.rows);
    const f = at % m.frame.rows;
    if (reachable(m, d, f) > granted(m, d, f, false)) return `${pathOf(m, d, f)} ${ownerOf(m, f)}`;
    return `devices of domain ${d}, by the IOMMU entry of a grant, can ${dmaRights(m, d, f) === WRITE ? 'write' : 'read'} ${ownerOf(m, f)}`;
  },
});

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

export const grantedType = invariant<Grants>('I3', 'type', {
  states: 'nobody, by processor or device, can write a frame that is in use as a page table',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] !== TYPE_PAGE_TABLE || m.frame.types[f] === 0 || m.frame.validating[f] === 1) continue;
      for (let d = 0; d < m.domain.rows; d++) {
        if (reachable(m, d, f) === WRITE || dmaRights(m, d, f) === WRITE) return false;
      }
    }
    return true;
  },
  witnesses: { 'a page table is in use': (m) => m.frame.type.includes(TYPE_PAGE_TABLE) },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      for (let d = 0; d < m.domain.rows; d++) {
        if (m.frame.type[f] !== TYPE_PAGE_TABLE) continue;
        if (reachable(m, d, f) === WRITE) return `${pathOf(m, d, f)} ${ownerOf(m, f)} and is a page table`;
        if (dmaRights(m, d, f) === WRITE) return `devices of domain ${d} can write page table ${f}`;
      }
    }
    return '';
  },
});

/** Row of an honest granter whose pins its owner's driver does not know of, or -1. */
function forgottenPin(m: Grants): number {
  for (let row = 0; row < m.active.rows; row++) {
    if (pinsOf(m, row) === 0) continue;
    const granter = granterOf(m, row);
    if (isHostile(m, granter) || m.domain.life[granter] !== RUNNING) continue;
    const entry = m.grant.flags[row];
    if ((entry & PERMIT) === 0 || m.grant.domid[row] !== m.active.domid[row]) return row;
    if (m.grant.inForce[row] === 0 || m.grant.frame[row] !== m.active.frame[row]) return row;
    if ((entry & GTF_READ_ONLY) !== 0 && writePinsOf(m, row) > 0) return row;
  }
  return -1;
}

export const revoked = invariant<Grants>('I4', 'revoke', {
  states:
    'what an owner has ended, and keeps for private, nobody uses; what it could not end it keeps shared (GT3, GT6)',
  holds: (m) => forgottenPin(m) < 0,
  witnesses: {
    'a grant is in use': (m) => m.grant.flags.some((flags) => (flags & READING) !== 0),
  },
  explain: (m) => {
    const row = forgottenPin(m);
    const granter = granterOf(m, row);
    return `domain ${granter} takes frame ${m.active.frame[row]} for private, but domain ${m.active.domid[row]} has it mapped by its grant`;
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
  states: 'a handle with flags names its grant, and is taken',
  holds: (m) => {
    for (let h = 0; h < m.maptrack.rows; h++) {
      if (m.maptrack.flags[h] === 0) continue;
      if (m.maptrack.taken[h] === 0 || m.maptrack.granter[h] === NONE || m.maptrack.ref[h] === NONE) return false;
    }
    return true;
  },
  witnesses: { 'a handle is live': (m) => m.maptrack.flags.some((flags) => flags !== 0) },
});

export const freshGrants = invariant<Grants>('I9', 'fresh', {
  states: 'a domain id that is free has no handle, no entry, no pin and no mapping',
  holds: (m) => {
    const refs = m.grant.rows / m.domain.rows;
    const handles = m.maptrack.rows / m.domain.rows;
    for (let d = 0; d < m.domain.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      for (let h = d * handles; h < (d + 1) * handles; h++) if (m.maptrack.taken[h] === 1) return false;
      for (let r = d * refs; r < (d + 1) * refs; r++) if (m.grant.flags[r] !== 0 || pinsOf(m, r) > 0) return false;
      for (let row = 0; row < m.active.rows; row++) if (pinsOf(m, row) > 0 && m.active.domid[row] === d) return false;
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] === d || reachable(m, d, f) !== NO_RIGHT || dmaRights(m, d, f) !== NO_RIGHT) return false;
      }
    }
    return true;
  },
  witnesses: { 'an id is free again': (m) => m.domain.life.includes(ABSENT) },
});

/** Honest domain with a handle that is taken for no mapping, or -1. */
function robbed(m: Grants): number {
  const handles = m.maptrack.rows / m.domain.rows;
  for (let h = 0; h < m.maptrack.rows; h++) {
    const d = Math.floor(h / handles);
    if (!isHostile(m, d) && m.maptrack.taken[h] === 1 && m.maptrack.flags[h] === 0) return d;
  }
  return -1;
}

export const ownQuota = invariant<Grants>('I14', 'quota', {
  states: "a domain's handles run out by its own mappings only",
  holds: (m) => !isQuiescent(m) || robbed(m) < 0,
  witnesses: {
    'the hostile domain has used up its handles': (m) => m.maptrackFree.count[m.domain.rows - 1] === 0,
  },
  explain: (m) => `a handle of domain ${robbed(m)} is taken, but not by a mapping of its own`,
});

export const lastOneOnly = relation<Grants>('I14', 'no space', {
  states: 'a mapping is refused for want of handles only to a domain without free ones',
  holds: (before, after, status) => {
    if (status !== GNTST.GNTST_no_device_space || after.current.op === copyGrant) return true;
    return before.maptrackFree.count[after.current.call.agent ?? 0] === 0;
  },
  witnesses: { 'a domain has no free handle': (m: Grants) => m.maptrackFree.count.includes(0) },
});

export const meantForThisLife = relation<Grants>('I9', 'inheritance', {
  states: 'a grant to a domain that has died gives nothing to the next domain of its id',
  holds: (before, after, status) => {
    if (after.current.op.name !== mapGrant.name || status !== OK) return true;
    const { granter, ref, agent } = after.current.call;
    const row = before.grant.at(granter, ref);
    return before.grant.inForce[row] === 0 || before.grant.meant[row] === before.domain.generation[agent ?? 0];
  },
  witnesses: { 'an id lives its second life': (m) => m.domain.generation.includes(1) },
  explain: (_before, after) => {
    const { granter, agent } = after.current.call;
    return `domain ${agent} maps what domain ${granter} granted to the former domain of that id`;
  },
});

/** Secrets of honest domains that domain d has read of others. */
function stolen(m: Grants, d: number): number {
  return m.seen.secrets[d] & ((1 << (m.domain.rows - 1)) - 1);
}

export const keptFromPeers = invariant<Grants>('I11', 'bytes', {
  states: 'no domain has read what an honest one keeps private',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (stolen(m, d) !== 0) return false;
    return true;
  },
  witnesses: {
    'a secret is in memory': (m) => m.content.secret.some((s) => s !== NONE),
  },
  explain: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      if (stolen(m, d) !== 0) return `domain ${d} has read a secret of domain ${31 - Math.clz32(stolen(m, d))}`;
    }
    return '';
  },
});
