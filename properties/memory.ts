/**
 * What must hold of frames, their counts and types, processor mappings and contents, in machines without grants:
 * I1 reach, I2 count, I3 type, I9 fresh, I11 bytes, progress of teardown, and independence of strangers.
 */
import type { Memory } from '../model/access.js';
import { ABSENT, CONTROL, type Domains, DYING, destroyDomain, domain, RUNNING } from '../model/domains.js';
import { type Frames, TYPE_PAGE_TABLE, TYPE_WRITABLE } from '../model/frames.js';
import { NONE } from '../model/kernel/index.js';
import { NO_RIGHT, WRITE } from '../model/mmu.js';
import { cached, isQuiescent, ownerOf, pathOf, reachable } from './paths.js';
import { invariant, noninterference, progress, relation } from './property.js';

/** I1: the frame of another, of nobody or of the VMM that domain d reaches, or -1. */
function strayFrame(m: Memory, d: number): number {
  for (let f = 0; f < m.frame.rows; f++) {
    if (m.frame.owner[f] !== d && reachable(m, d, f) !== NO_RIGHT) return f;
  }
  return -1;
}

export const reachOwn = invariant<Memory>('I1', 'reach', {
  states: 'a domain reaches its own frames only, by tables and by TLB',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (strayFrame(m, d) >= 0) return false;
    return true;
  },
  witnesses: {
    'a frame is in a TLB and no longer in the tables': (m) => {
      for (let d = 0; d < m.domain.rows; d++) {
        for (let f = 0; f < m.frame.rows; f++) {
          if (cached(m, d, f) !== NO_RIGHT && m.pte.rights[m.pte.at(d, f)] === NO_RIGHT) return true;
        }
      }
      return false;
    },
  },
  explain: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      const f = strayFrame(m, d);
      if (f >= 0) return `${pathOf(m, d, f)} ${ownerOf(m, f)}`;
    }
    return '';
  },
});

/** References that the ordinary entries, the allocation and the pin of a table account for. */
export function ordinaryReferences(m: Memory, f: number): number {
  let refs = m.frame.allocated[f] + m.pageTable.pinned[f];
  for (let d = 0; d < m.domain.rows; d++) if (m.pte.rights[m.pte.at(d, f)] !== NO_RIGHT) refs++;
  return refs;
}

/** Writable-type counts that the ordinary entries account for. */
export function ordinaryWriters(m: Memory, f: number): number {
  let writers = 0;
  for (let d = 0; d < m.domain.rows; d++) if (m.pte.rights[m.pte.at(d, f)] === WRITE) writers++;
  return writers;
}

/** Whether reference and type counts of a frame equal its holders: ordinary ones, plus so many grant pins (of them writers). */
export function countsMatch(m: Memory, f: number, pins: number, writePins: number): boolean {
  if (m.frame.refs[f] !== ordinaryReferences(m, f) + pins) return false;
  if (m.pageTable.pinned[f] === 1) {
    return m.frame.type[f] === TYPE_PAGE_TABLE && m.frame.types[f] === 1 && ordinaryWriters(m, f) + writePins === 0;
  }
  if (m.frame.types[f] !== ordinaryWriters(m, f) + writePins) return false;
  return m.frame.types[f] === 0 || m.frame.type[f] === TYPE_WRITABLE;
}

/** The counts of a frame, in words. */
export function tellCounts(m: Memory, f: number, pins: number, writePins: number): string {
  return (
    `frame ${f} counts ${m.frame.refs[f]} references and ${m.frame.types[f]} of its type, ` +
    `its holders are ${ordinaryReferences(m, f) + pins} and ${m.pageTable.pinned[f] + ordinaryWriters(m, f) + writePins}`
  );
}

export const countHolders = invariant<Memory>('I2', 'count', {
  states: 'reference and type counts of each frame equal its holders, whenever no call is in progress',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let f = 0; f < m.frame.rows; f++) if (m.frame.type[f] !== 4 && !countsMatch(m, f, 0, 0)) return false;
    return true;
  },
  witnesses: {
    'a frame is kept alive by a mapping alone': (m) => {
      for (let f = 0; f < m.frame.rows; f++) if (m.frame.refs[f] > 0 && m.frame.allocated[f] === 0) return true;
      return false;
    },
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.frame.type[f] !== 4 && !countsMatch(m, f, 0, 0)) return tellCounts(m, f, 0, 0);
    }
    return '';
  },
});

/** A domain that can write frame f, which is in use as a page table; or -1. */
function tableWriter(m: Memory, f: number): number {
  if (m.frame.type[f] !== TYPE_PAGE_TABLE || m.frame.types[f] === 0 || m.frame.validating[f] === 1) return -1;
  for (let d = 0; d < m.domain.rows; d++) if (reachable(m, d, f) === WRITE) return d;
  return -1;
}

export const typeExclusive = invariant<Memory>('I3', 'type', {
  states: 'no processor can write a frame that is in use as a page table',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) if (tableWriter(m, f) >= 0) return false;
    return true;
  },
  witnesses: {
    'a page table is in use': (m: Frames) => m.frame.type.includes(TYPE_PAGE_TABLE) && !m.frame.validating.includes(1),
  },
  explain: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      const d = tableWriter(m, f);
      if (d >= 0) return `${pathOf(m, d, f)} ${ownerOf(m, f)} and is a page table`;
    }
    return '';
  },
});

export const freshId = invariant<Memory>('I9', 'fresh', {
  states: 'a domain id that is free owns nothing, maps nothing and is in no TLB',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] === d || reachable(m, d, f) !== NO_RIGHT) return false;
      }
    }
    return true;
  },
  witnesses: {
    'an id is free again': (m) => m.domain.life.includes(ABSENT),
  },
  explain: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] === d) return `domain ${d} is gone and its id free, but it still owns frame ${f}`;
        if (reachable(m, d, f) !== NO_RIGHT) return `the id is free, but ${pathOf(m, d, f)} ${ownerOf(m, f)}`;
      }
    }
    return '';
  },
});

export const lifeCycle = relation<Domains>('I9', 'lives', {
  states: 'only running domains act, what is destroyed is dying, and an id lives again only after it was free',
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.agent === domain && before.domain.life[call.agent] !== RUNNING) return false;
    if (op.name === destroyDomain.name && after.domain.life[call.target ?? 0] === RUNNING) return false;
    for (let d = 0; d < after.domain.rows; d++) {
      const was = before.domain.life[d];
      const is = after.domain.life[d];
      if (was === is) {
        if (before.domain.generation[d] !== after.domain.generation[d]) return false;
      } else if (is === RUNNING ? was !== ABSENT : is === DYING ? was !== RUNNING : was !== DYING) return false;
    }
    return true;
  },
  witnesses: { 'a domain has died': (m) => m.domain.life.includes(DYING) },
});

/** Whether somebody else than the running domain d has changed what it maps. */
function mappingsTouched(before: Memory, after: Memory, d: number): boolean {
  for (let row = d * before.frame.rows; row < (d + 1) * before.frame.rows; row++) {
    if (before.pte.rights[row] !== after.pte.rights[row] || before.pte.large[row] !== after.pte.large[row]) return true;
    if (before.pte.grantReads[row] !== after.pte.grantReads[row]) return true;
    if (before.pte.grantWrites[row] !== after.pte.grantWrites[row]) return true;
  }
  return false;
}

export const ownDoing = relation<Memory>('I14', 'own doing', {
  states:
    'what a running domain maps, pins as a page table and owns changes by its own calls only, but for reclamation',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    const actor = op.agent === domain ? call.agent : -1;
    for (let d = 0; d < before.domain.rows; d++) {
      if (d !== actor && before.domain.life[d] === RUNNING && mappingsTouched(before, after, d)) return false;
    }
    for (let f = 0; f < before.frame.rows; f++) {
      const owner = before.frame.owner[f];
      if (owner === NONE || owner === actor || before.domain.life[owner] !== RUNNING) continue;
      if (before.pageTable.pinned[f] !== after.pageTable.pinned[f]) return false;
      if (before.frame.allocated[f] === 1 && after.frame.allocated[f] === 0 && op.fault === undefined) return false;
      if (after.frame.owner[f] !== owner && before.frame.allocated[f] === 1 && op.fault === undefined) return false;
    }
    return true;
  },
  witnesses: {
    'a domain has died, and another maps and pins': (m) =>
      m.domain.life.includes(DYING) && m.pte.rights.some((r) => r !== NO_RIGHT) && m.pageTable.pinned.includes(1),
  },
  explain: (_before, after) => `${after.current.op.name} changes what belongs to another domain, which runs`,
});

export const intactContent = invariant<Memory>('I11', 'content', {
  states: 'what a frame contains was written by its owner',
  holds: (m) => {
    for (let c = 0; c < m.content.rows; c++) {
      const writer = m.content.writer[c];
      if (writer !== NONE && writer !== m.frame.owner[c >> 1]) return false;
    }
    return true;
  },
  witnesses: {
    'two domains have written': (m) => m.content.writer.includes(1) && m.content.writer.includes(2),
  },
  explain: (m) => {
    for (let c = 0; c < m.content.rows; c++) {
      const writer = m.content.writer[c];
      if (writer === NONE || writer === m.frame.owner[c >> 1]) continue;
      return `the ${c % 2 ? 'upper' : 'lower'} half of ${ownerOf(m, c >> 1)}, contains what domain ${writer} wrote`;
    }
    return '';
  },
});

export const keptSecrets = invariant<Memory>('I11', 'bytes', {
  states: 'no domain has read a secret of another',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (m.seen.secrets[d] !== 0) return false;
    return true;
  },
  witnesses: {
    'a secret is in memory': (m) => {
      for (let c = 0; c < m.content.rows; c++) if (m.content.secret[c] !== NONE) return true;
      return false;
    },
  },
  explain: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      for (let s = 0; s < m.domain.rows; s++) {
        if ((m.seen.secrets[d] >> s) & 1) return `domain ${d} has read a secret of domain ${s}`;
      }
    }
    return '';
  },
});

export const everythingReturns = progress<Memory>('I14', 'teardown', {
  states: 'once a domain has died, everything it held is returned and its id is released',
  pending: (m) => m.domain.life.includes(DYING),
  goal: (m) => !m.domain.life.includes(DYING),
  without: ['domain.destroy'],
  witnesses: { 'a domain is dying': (m) => m.domain.life.includes(DYING) },
});

/** Domain 1, in the suites about strangers: it has nothing to do with domain 2. */
export const VICTIM = CONTROL + 1;
export const STRANGER = CONTROL + 2;

/** What the victim sees: its frames with their contents, its rights, and what it has read. */
export function viewOfVictim(m: Memory, out: Int32Array): number {
  let n = 0;
  out[n++] = m.domain.life[VICTIM];
  out[n++] = m.seen.secrets[VICTIM];
  for (let f = 0; f < m.frame.rows; f++) {
    const own = m.frame.owner[f] === VICTIM;
    out[n++] = own ? 1 : 0;
    out[n++] = reachable(m, VICTIM, f);
    out[n++] = own ? m.content.writer[f * 2] : NONE;
    out[n++] = own ? m.content.writer[f * 2 + 1] : NONE;
  }
  return n;
}

export const independentOfSecrets = noninterference<Memory>('I11', 'strangers’ secrets', {
  states: "a domain's view does not depend on the secret of another",
  view: viewOfVictim,
  vary: (m) => {
    for (let c = 0; c < m.content.rows; c++) {
      if (m.frame.owner[c >> 1] === STRANGER) m.content.secret[c] = NONE;
    }
  },
  witnesses: { 'the stranger has a secret': (m) => m.content.secret.includes(STRANGER) },
});

export const independentOfCrashes = noninterference<Memory>('I14', 'strangers’ crashes', {
  states: "a domain's view does not depend on the crash of another that it shares nothing with",
  view: viewOfVictim,
  purge: (_m, operation, agent) => operation === 'domain.crash' && agent === STRANGER,
  witnesses: {
    'the stranger has crashed': (m) => m.domain.life[STRANGER] !== RUNNING,
    'the victim runs on': (m) => m.domain.life[STRANGER] !== RUNNING && m.domain.life[VICTIM] === RUNNING,
  },
});
