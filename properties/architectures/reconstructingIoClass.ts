/**
 * R-S5, R-S6, R-S4 and R-L1 at the class interface of "Reconstructing I/O" (UCAM-CL-TR-596, 2004): whatever happens behind it, the client
 * sees an abstract device of its class. That device has, for each request, `idle`, `outstanding`, `done` and (frames only) `lost`; it
 * performs a request before it is done, and frames at most once.
 */
import {
  ABOVE,
  ABSENT,
  BELOW,
  type ClassPath,
  DONE,
  HUNG,
  IDLE,
  LOST,
  mayLose,
  NOTHING,
  OUTSTANDING,
  RUNNING,
  slotAt,
} from '../../model/architectures/reconstructingIo/classState.js';
import { invariant, progress, relation } from '../property.js';

const outstanding = (m: ClassPath): boolean => m.asked.state.includes(OUTSTANDING);
const softRuns = (m: ClassPath): boolean => m.path.soft[0] === RUNNING;

/** Whether the abstract device may do this to one request. */
function abstractStep(m: ClassPath, was: number, is: number, effect: number): boolean {
  if (was === is) return true;
  switch (m.current.op.name) {
    case 'client.submit':
      return was === IDLE && is === OUTSTANDING;
    case 'client.forget':
      return (was === DONE || was === LOST) && is === IDLE;
    default:
      if (was !== OUTSTANDING) return false;
      return is === DONE ? effect > 0 : is === LOST && mayLose(m);
  }
}

/** R-S5. */
export const classRefinement = relation<ClassPath>('R-S5', 'refinement', {
  states:
    'every step is one of the abstract device of the class, or none: a request is done once and was performed, only frames are lost',
  holds: (before, m) => {
    for (let r = 0; r < m.asked.rows; r++) {
      if (m.asked.wrongs[r] !== 0) return false;
      if (!abstractStep(m, before.asked.state[r], m.asked.state[r], m.asked.effect[r])) return false;
    }
    return true;
  },
  explain: (before, m) => {
    for (let r = 0; r < m.asked.rows; r++) {
      const wrongs = m.asked.wrongs[r];
      if (wrongs !== 0)
        return `request ${r} was ${['', 'completed twice', 'completed but not performed', '', 'performed twice'][wrongs] ?? 'mistreated'}`;
      if (!abstractStep(m, before.asked.state[r], m.asked.state[r], m.asked.effect[r]))
        return `request ${r} changed as no device of its class would change it`;
    }
    return '';
  },
  witnesses: {
    'a request is outstanding over a change': (m) => outstanding(m) && m.path.epoch[0] > 0,
    'a request is outstanding behind a soft device': (m) => outstanding(m) && softRuns(m),
    'a frame is lost': (m) => m.asked.state.includes(LOST),
    'a request is done after a change': (m) => m.asked.state.includes(DONE) && m.path.epoch[0] > 0,
  },
});

/** R-S6. */
export const rightsNarrow = invariant<ClassPath>('R-S6', 'rights', {
  states:
    'what a soft device passes down is no wider than what it has received, and it has no page of a request that is not outstanding',
  holds: (m) => {
    for (let r = 0; r < m.asked.rows; r++) {
      const below = m.slot.rights[slotAt(m, BELOW, r)];
      if ((below & ~m.passed.rights[r]) !== 0) return false;
      if ((m.passed.rights[r] & ~m.slot.rights[slotAt(m, ABOVE, r)]) !== 0) return false;
      if (m.passed.on[r] === 1 && m.asked.state[r] !== OUTSTANDING && m.path.connected[0] === 1) return false;
    }
    return true;
  },
  explain: () => 'rights on a page are wider below a soft device than above it, or are kept too long',
  witnesses: { 'a soft device has passed a request down': (m) => m.passed.on.includes(1) },
});

/** R-S4 at this level. */
export const oneBackend = invariant<ClassPath>('R-S4', 'one backend', {
  states: 'at most one backend lives',
  holds: (m) => {
    let live = 0;
    for (let b = 0; b < m.backend.rows; b++) if (m.backend.life[b] === RUNNING || m.backend.life[b] === HUNG) live++;
    return live <= 1;
  },
  explain: () => 'two backends live',
  witnesses: { 'the second backend serves': (m) => m.backend.life[m.backend.rows - 1] !== ABSENT },
});

/** R6. */
export const pagesReturn = invariant<ClassPath>('R-S2', 'pages', {
  states: 'no backend has a page of a request that the client takes to be over',
  holds: (m) => {
    for (let w = 0; w < m.work.rows; w++) {
      if (m.work.stage[w] !== NOTHING && m.asked.state[w % m.asked.rows] !== OUTSTANDING) return false;
    }
    return true;
  },
  explain: () => 'a backend still has a page of a request that is over for the client',
  witnesses: { 'a backend has a page': (m) => m.work.stage.some((s) => s !== NOTHING) },
});

/** R-L1. */
export const requestsEnd = progress<ClassPath>('R-L1', 'requests end', {
  states: 'an outstanding request is done in the end, or lost where it is a frame',
  pending: outstanding,
  goal: (m) => !outstanding(m),
  without: ['client.submit', 'manager.change'],
  witnesses: { 'a request is outstanding': outstanding },
});
