/** Whose doing a change of grants is (I14), and that a call which returns success has done what it says (I4). */
import { DYING, domain, RUNNING } from '../model/domains.js';
import { endAccess } from '../model/grantGuest.js';
import { type Grants, pinsOf, READING, WRITING } from '../model/grants.js';
import { NONE } from '../model/kernel/index.js';
import { granterOf } from './grantCounts.js';
import { relation } from './property.js';

const IN_USE = READING | WRITING;

/** Whether a handle or a device mapping of domain d differs. */
function mapperTouched(before: Grants, after: Grants, d: number): boolean {
  const handles = before.maptrack.rows / before.domain.rows;
  for (let h = d * handles; h < (d + 1) * handles; h++) {
    if (before.maptrack.taken[h] !== after.maptrack.taken[h]) return true;
    if (before.maptrack.flags[h] !== after.maptrack.flags[h]) return true;
  }
  for (let row = d * before.frame.rows; row < (d + 1) * before.frame.rows; row++) {
    if (before.grantDma.reads[row] !== after.grantDma.reads[row]) return true;
    if (before.grantDma.writes[row] !== after.grantDma.writes[row]) return true;
  }
  return false;
}

/** Whether the entry in `row` differs in more than the bits that say that it is in use. */
function entryTouched(before: Grants, after: Grants, row: number): boolean {
  const { grant } = before;
  if (grant.domid[row] !== after.grant.domid[row] || grant.frame[row] !== after.grant.frame[row]) return true;
  return ((grant.flags[row] ^ after.grant.flags[row]) & ~IN_USE) !== 0;
}

/** Whether the pins of the entry in `row`, which are those of its mapper, differ. */
function pinsTouched(before: Grants, after: Grants, row: number): boolean {
  return pinsOf(before, row) > 0 && pinsOf(before, row) !== pinsOf(after, row);
}

export const ownGrants = relation<Grants>('I14', 'own grants', {
  states:
    'handles, mappings and pins of a running mapper, and entries of a running granter, change by its own calls only',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    const actor = op.agent === domain ? call.agent : -1;
    const { life } = before.domain;
    for (let d = 0; d < life.length; d++) {
      if (d !== actor && life[d] === RUNNING && op.fault === undefined && mapperTouched(before, after, d)) return false;
    }
    for (let row = 0; row < before.grant.rows; row++) {
      const granter = granterOf(before, row);
      if (granter !== actor && life[granter] === RUNNING && entryTouched(before, after, row)) return false;
      const mapper = before.active.domid[row];
      if (mapper === NONE || mapper === actor || life[mapper] !== RUNNING) continue;
      if (pinsTouched(before, after, row)) return false;
    }
    return true;
  },
  witnesses: {
    'a granter has died, and its grant is mapped': (m) =>
      m.domain.life.includes(DYING) && m.active.domid.some((d) => d !== NONE),
  },
  explain: (_before, after) => `${after.current.op.name} changes grants of another domain, which runs`,
});

export const endedIsEnded = relation<Grants>('I4', 'ended', {
  states: 'when a granter is told that access has ended, its entry is empty and unused',
  holds: (before, after, status) => {
    const { op, call } = after.current;
    if (op.name !== endAccess.name || status !== 0 || !after.finished) return true;
    const row = after.grant.at(call.agent, call.ref);
    return after.grant.flags[row] === 0 && (before.grant.flags[row] & IN_USE) === 0;
  },
  witnesses: { 'an entry is in use': (m) => m.grant.flags.some((flags) => (flags & IN_USE) !== 0) },
});
