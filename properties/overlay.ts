/** What special pages of a domain must keep while two of its processors change them. */
import { NONE } from '../model/kernel/index.js';
import { type Overlay, setVersion } from '../model/overlay.js';
import { isQuiescent } from './paths.js';
import { invariant, relation } from './property.js';

export const specialReach = invariant<Overlay>('I1', 'reach', {
  states: 'what the domain has mapped or set is neither free nor another’s',
  holds: (m) => {
    for (let p = 0; p < m.mapped.rows; p++)
      if (m.mapped.frame[p] !== NONE && m.special.use[m.mapped.frame[p]] !== 2) return false;
    return m.guest.overlay[0] === NONE || m.special.use[m.guest.overlay[0]] === 1;
  },
  witnesses: {
    'the status frame is mapped, and another frame is somebody else’s': (m) =>
      m.mapped.frame.some((f) => f !== NONE) && m.special.use.includes(3),
    'an overlay is set': (m) => m.guest.overlay[0] !== NONE,
  },
});

export const specialCounted = invariant<Overlay>('I2', 'count', {
  states:
    'a free frame has no reference; a special one has one for each who holds it, is mapped at one place at most, and the lock is free, whenever no call is under way',
  holds: (m) => {
    for (let f = 0; f < m.special.rows; f++) if (m.special.use[f] === 0 && m.special.refs[f] !== 0) return false;
    if (!isQuiescent(m)) return true;
    if (m.guest.locked[0] === 1) return false;
    for (let f = 0; f < m.special.rows; f++) {
      if (m.special.use[f] === 3) continue;
      let places = 0;
      for (let p = 0; p < m.mapped.rows; p++) if (m.mapped.frame[p] === f) places++;
      const holders = (m.guest.overlay[0] === f ? 1 : 0) + (m.guest.status[0] === f ? 1 : 0) + places;
      if (places > 1 || m.special.refs[f] !== holders) return false;
    }
    return true;
  },
  witnesses: { 'two frames are in use': (m) => m.special.use.includes(1) && m.special.use.includes(2) },
});

export const statusGone = relation<Overlay>('I4', 'version', {
  states: 'when the table is back at version 1, its status frame is nowhere',
  holds: (_before, after, status) => {
    if (after.current.op.name !== setVersion.name || status !== 0 || !after.finished) return true;
    if (after.current.call.two === 1) return true;
    return after.guest.status[0] === NONE && after.mapped.frame.every((f) => f === NONE);
  },
  witnesses: { 'the status frame is mapped': (m) => m.mapped.frame.some((f) => f !== NONE) },
});
