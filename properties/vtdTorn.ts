/**
 * What second-level entries that change under the eyes of hardware must keep. `may` of each entry is software's account of the meanings
 * that hardware may still use; the frames and rights follow from the meanings, never from the words.
 */
import {
  ABSENT,
  DIRECTORY,
  LEAF_TABLE,
  MEANINGS,
  MEANT_BITS,
  MEANT_FRAME,
  PAGE,
  SUPERPAGE,
  type Torn,
  tornDma,
} from '../model/vtd/tornMachine.js';
import { invariant, relation } from './property.js';

const RIGHTS = 3;

/** Whether page `page` at `frame` with `rights` is what one of these meanings gives, each entry as a whole. */
function meantBy(page: number, frame: number, rights: number, pages: number, directories: number): boolean {
  if (((directories >> SUPERPAGE) & 1) === 1 && frame === (MEANT_FRAME[DIRECTORY][SUPERPAGE] | page)) return true;
  if (page !== 0 || ((directories >> 1) & 1) === 0) return false;
  for (let i = 1; i < MEANINGS[PAGE].length; i++) {
    if (((pages >> i) & 1) === 0 || MEANT_FRAME[PAGE][i] !== frame) continue;
    if ((rights & ~(MEANT_BITS[PAGE][i] & RIGHTS)) === 0) return true;
  }
  return false;
}

/** Whether everything that the unit has cached is what these meanings give. */
function cachesMeant(m: Torn, pages: number, directories: number): boolean {
  for (let w = 0; w < 2; w++) {
    const rights = m.tornTlb.rights[w];
    if (rights !== 0 && !meantBy(0, m.tornTlb.frame[w], rights, pages, directories)) return false;
  }
  if (m.tornUnit.cachedRights[0] === 0) return true;
  return m.tornUnit.cachedTable[0] === LEAF_TABLE && ((directories >> 1) & 1) === 1;
}

/** Whether everything that the unit holds is what the entries mean, or meant before a change that is under way. */
const within = (m: Torn): boolean => cachesMeant(m, m.tornMeant.may[PAGE], m.tornMeant.may[DIRECTORY]);
/** An entry is meant, and its rights are not written yet. */
const half = (m: Torn, e: number): boolean => m.tornWord.word[e * 2] === 0 && m.tornMeant.now[e] !== ABSENT;

export const wholePages = invariant<Torn>('I13', 'whole entries', {
  states: 'hardware never holds a translation that is half of one second-level entry and half of another',
  holds: (m) => m.tornUnit.busy[0] === 0 || within(m),
  witnesses: {
    'a page above 4 GiB is cached during a change': (m) =>
      m.tornUnit.busy[0] === 1 && m.tornTlb.frame[0] === MEANT_FRAME[PAGE][4] && m.tornTlb.rights[0] === 3,
    'a 2 MiB page is cached': (m) => m.tornTlb.rights[1] !== 0,
    'the words of an entry are of two': (m) => half(m, PAGE) || half(m, DIRECTORY),
  },
});

export const changedPages = invariant<Torn>('I15', 'shadow', {
  states: 'when a change has returned, the unit holds nothing of the entry that was there before',
  holds: (m) => m.tornUnit.busy[0] === 1 || within(m),
  witnesses: {
    'a stale translation is cached during a change': (m) =>
      m.tornUnit.busy[0] === 1 && m.tornTlb.rights[0] !== 0 && m.tornMeant.now[PAGE] === ABSENT,
    'the table is cached while a 2 MiB page takes its place': (m) =>
      m.tornUnit.cachedRights[0] !== 0 && m.tornMeant.now[DIRECTORY] === SUPERPAGE,
  },
});

export const requestsMeant = relation<Torn>('I1', 'reach', {
  states:
    'a request reaches only a frame that an entry as a whole gives it, or gave it and the change has not returned',
  holds: (before, after, status) => {
    if (after.current.op.name !== tornDma.name || status !== 0) return true;
    const { page, frame, write } = after.current.call as unknown as { page: number; frame: number; write: number };
    return meantBy(page, frame, write === 1 ? 2 : 1, before.tornMeant.may[PAGE], before.tornMeant.may[DIRECTORY]);
  },
  witnesses: { 'an entry is read-only': (m) => m.tornMeant.now[PAGE] === 3 && m.tornUnit.busy[0] === 0 },
  explain: (_before, after) => {
    const { page, frame } = after.current.call as unknown as { page: number; frame: number };
    return `a request for page ${page} reaches frame ${frame.toString(16)}h, which no entry as a whole gives it`;
  },
});
