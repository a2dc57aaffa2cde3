/** What must hold of grants of version 2: a status bit stands for a pin (GT1), and what has been ended nobody uses (I4, GT6). */
import { endStatus, type GrantStatus } from '../model/grantStatus.js';
import { pinsOf, READING, WRITING, writePinsOf } from '../model/grants.js';
import { isQuiescent } from './paths.js';
import { invariant, progress } from './property.js';

/** Row whose status word differs from its pins, or -1. */
function badStatus(m: GrantStatus): number {
  for (let row = 0; row < m.grantStatus.rows; row++) {
    const told = (pinsOf(m, row) > 0 ? READING : 0) | (writePinsOf(m, row) > 0 ? WRITING : 0);
    if ((m.grantStatus.bits[row] & (READING | WRITING)) !== told) return row;
  }
  return -1;
}

export const statusStandsForPins = invariant<GrantStatus>('GT1', 'status words', {
  states: 'a status word says reading or writing exactly while pins stand for it',
  holds: (m) => !isQuiescent(m) || badStatus(m) < 0,
  explain: (m) =>
    `entry ${badStatus(m)} has ${pinsOf(m, badStatus(m))} pins and status ${m.grantStatus.bits[badStatus(m)]}`,
  witnesses: { 'a status word says writing': (m) => m.grantStatus.bits.some((bits) => (bits & WRITING) !== 0) },
});

/** Domain and frame whose mappings by grants are not those that are pinned, as a row of the page tables, or -1. */
function badMappings(m: GrantStatus): number {
  for (let at = 0; at < m.pte.rows; at++) {
    const d = Math.floor(at / m.frame.rows);
    let reads = 0;
    let writes = 0;
    for (let row = 0; row < m.active.rows; row++) {
      if (m.active.domid[row] !== d || m.active.frame[row] !== at % m.frame.rows) continue;
      reads += m.active.hostReads[row];
      writes += m.active.hostWrites[row];
    }
    if (m.pte.grantReads[at] !== reads || m.pte.grantWrites[at] !== writes) return at;
  }
  return -1;
}

/** The VMM's books of version 2, which has no handles here: a pin is a mapping. */
export const pinsAreMappings = invariant<GrantStatus>('I2', 'mappings', {
  states:
    'what page tables hold by grants equals the pins of their mapper, and no entry is locked, whenever no call is in progress',
  holds: (m) => !isQuiescent(m) || (badMappings(m) < 0 && !m.active.locked.includes(1)),
  explain: (m) => {
    const at = badMappings(m);
    if (at < 0) return 'an entry is locked by nobody';
    const d = Math.floor(at / m.frame.rows);
    return `domain ${d} maps frame ${at % m.frame.rows} by grants otherwise than it has pinned it`;
  },
  witnesses: { 'a frame is mapped by a grant': (m) => m.pte.grantReads.includes(1) || m.pte.grantWrites.includes(1) },
});

/** Row that is pinned and whose granter takes the frame for private, or -1. */
function endedInUse(m: GrantStatus): number {
  for (let row = 0; row < m.active.rows; row++) {
    if (pinsOf(m, row) > 0 && (m.grant.inForce[row] === 0 || m.grant.frame[row] !== m.active.frame[row])) return row;
  }
  return -1;
}

export const endedIsUnused = invariant<GrantStatus>('I4', 'ended', {
  states: 'what a granter has ended by version 2 nobody has mapped (GT6)',
  holds: (m) => endedInUse(m) < 0,
  explain: (m) => `entry ${endedInUse(m)} was ended, and is mapped`,
  witnesses: {
    'an entry is cleared while it is mapped': (m) =>
      m.grant.flags.some((flags, row) => flags === 0 && pinsOf(m, row) > 0),
  },
});

/** Row that nobody has pinned and whose granter has cleared it, and has not got it back yet. */
const wanted = (m: GrantStatus): boolean =>
  m.grant.inForce.some((inForce, row) => inForce === 1 && m.grant.flags[row] === 0 && pinsOf(m, row) === 0);

export const endsAtLast = progress<GrantStatus>('GT1', 'ends at last', {
  states: 'a granter that ends an entry which nobody uses any more gets its frame back',
  pending: wanted,
  goal: (m) => !wanted(m),
  witnesses: { [`${endStatus.name} is under way`]: wanted },
});
