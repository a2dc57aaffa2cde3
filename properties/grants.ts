/**
 * What must hold of grants: I1 reach, I3 type, I4 revoke (GT3, GT6), I9 fresh, I11 bytes and I14 fair; the books are in grantCounts.ts.
 * The last domain may be hostile: what concerns only a granter's own entries is asked of the others.
 */
import { ABSENT, domain, isHostile, RUNNING } from '../model/domains.js';
import { TYPE_PAGE_TABLE } from '../model/frames.js';
import { copyGrant } from '../model/grantCopy.js';
import { mapGrant } from '../model/grantMap.js';
import { GNTST, type Grants, GTF_READ_ONLY, PERMIT, pinsOf, READING, writePinsOf } from '../model/grants.js';
import { NONE, OK } from '../model/kernel/index.js';
import { NO_RIGHT, READ, WRITE } from '../model/mmu.js';
import { granterOf } from './grantCounts.js';
import { isQuiescent, ownerOf, pathOf, reachable } from './paths.js';
import { invariant, relation } from './property.js';

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

/** The same where nobody maps for devices. */
export const reachByProcessor: typeof reachGranted = {
  ...reachGranted,
  witnesses: {
    "a processor reaches another's frame": (m) => m.pte.grantWrites.includes(1) && m.tlb.rights.includes(WRITE),
  },
};

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

/** Whether an entry of the owner of frame f, or a pin, lets domain d write it. */
function letsWrite(m: Grants, d: number, f: number): boolean {
  const owner = m.frame.owner[f];
  for (let row = 0; row < m.grant.rows; row++) {
    if (granterOf(m, row) !== owner) continue;
    if (m.active.domid[row] === d && m.active.frame[row] === f && writePinsOf(m, row) > 0) return true;
    if (m.grant.domid[row] !== d || m.grant.frame[row] !== f) continue;
    if ((m.grant.flags[row] & (PERMIT | GTF_READ_ONLY)) === PERMIT) return true;
  }
  return false;
}

export const copiesGranted = relation<Grants>('I11', 'copies', {
  states: 'a domain writes, by a copy or otherwise, frames of its own or granted to it for writing, and no others',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.agent !== domain) return true;
    const { agent } = call;
    const copies = op.name === copyGrant.name;
    for (let c = 0; c < after.content.rows; c++) {
      if (before.content.writer[c] === after.content.writer[c]) continue;
      // Scrubbing is the VMM's.
      if (!copies && after.content.writer[c] !== agent) continue;
      const f = c >> 1;
      // The last reference went with the copy, and the frame was scrubbed.
      if (after.frame.owner[f] === NONE) continue;
      if (before.frame.owner[f] !== agent && !letsWrite(before, agent, f)) return false;
    }
    return true;
  },
  witnesses: {
    "another's frame has been written": (m) => {
      for (let c = 0; c < m.content.rows; c++) {
        const writer = m.content.writer[c];
        if (writer !== NONE && writer !== m.frame.owner[c >> 1]) return true;
      }
      return false;
    },
  },
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
