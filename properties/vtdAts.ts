/** What device TLBs must keep: nothing of a frame that was given away, nothing beyond what is meant, and no one who is not trusted. */
import {
  type Ats,
  contextWord,
  forgeTranslated,
  sendTranslated,
  sendUntranslated,
  TRUSTED,
} from '../model/vtd/atsUnit.js';
import { ALL_REQUESTS } from '../model/vtd/entries.js';
import { invariant, relation } from './property.js';

const idle = (m: Ats): boolean => m.atsUnit.busy[0] === 0;

/** Best right that any cache or entry gives on the page: IOTLB, device TLBs, tables. */
function cachedRights(m: Ats, page: number): number {
  let rights = m.atsTlb.rights[page] | (m.atsEntry.word[page] & 3);
  for (let at = page; at < m.atc.rows; at += m.atsMeant.rows) rights |= m.atc.rights[at];
  return rights;
}

export const givenUnreachable = invariant<Ats>('I1', 'reach', {
  states: 'a frame that was given away is in no entry, no IOTLB and no device TLB',
  holds: (m) => {
    for (let p = 0; p < m.atsMeant.rows; p++) if (m.atsMeant.given[p] === 1 && cachedRights(m, p) !== 0) return false;
    return true;
  },
  witnesses: {
    'all frames are given away': (m) => !m.atsMeant.given.includes(0),
    'a device holds a page beside one that was given away': (m) =>
      m.atsMeant.given.includes(1) && m.atc.rights.some((r) => r !== 0),
  },
  explain: (m) => {
    for (let p = 0; p < m.atsMeant.rows; p++) {
      if (m.atsMeant.given[p] === 0 || cachedRights(m, p) === 0) continue;
      const where =
        m.atsTlb.rights[p] !== 0
          ? 'the IOTLB'
          : m.atc.at(0, p) >= 0 && m.atc.rights[p] !== 0
            ? 'the device TLB of 00:05.0'
            : 'a cache or the tables';
      return `the frame of page ${p} was given away, and ${where} still holds it`;
    }
    return '';
  },
});

export const devicesShadow = invariant<Ats>('I15', 'shadow', {
  states: 'when a change has returned, no cache holds more rights than are meant',
  holds: (m) => {
    if (!idle(m)) return true;
    for (let p = 0; p < m.atsMeant.rows; p++) if ((cachedRights(m, p) & ~m.atsMeant.rights[p]) !== 0) return false;
    return true;
  },
  witnesses: {
    'a device holds a page for reading only': (m) => idle(m) && m.atc.rights.includes(1),
    'a device holds all pages': (m) => {
      for (let p = 0; p < m.atsMeant.rows; p++) if (m.atc.rights[p] !== 3) return false;
      return true;
    },
    'a stale translation is in the IOTLB, and not yet in the device': (m) => {
      for (let p = 0; p < m.atsMeant.rows; p++) {
        if (m.atsMeant.rights[p] === 0 && m.atsTlb.rights[p] !== 0 && m.atc.rights[p] === 0) return true;
      }
      return false;
    },
  },
});

export const trustedTranslations = relation<Ats>('I8', 'source', {
  states: 'a translated request is let through only from a requester whose translations are invalidated',
  holds: (before, after, status) => {
    const { op, call } = after.current;
    if (status !== 0 || (op.name !== sendTranslated.name && op.name !== forgeTranslated.name)) return true;
    return before.atsContext.word[call.agent] === contextWord(ALL_REQUESTS) && before.atsDevice.noted[call.agent] === 1;
  },
  witnesses: { 'ATS is enabled': (m) => m.atsDevice.enabled.includes(1) && idle(m) },
});

export const notedKeepers = invariant<Ats>('I15', 'keepers', {
  states: 'a device that can keep translations is trusted with them, and one that software invalidates',
  holds: (m) => {
    for (let r = 0; r < m.atsDevice.rows; r++) {
      if (r !== TRUSTED && (m.atsDevice.enabled[r] === 1 || m.atsDevice.noted[r] === 1)) return false;
      if (m.atsDevice.noted[r] === 1) continue;
      if (idle(m) && m.atsContext.word[r] === contextWord(ALL_REQUESTS)) return false;
      if (m.atsDevice.enabled[r] === 1) return false;
      for (let p = 0; p < m.atsMeant.rows; p++) if (m.atc.rights[m.atc.at(r, p)] !== 0) return false;
    }
    return true;
  },
  witnesses: { 'a device TLB holds something': (m) => m.atc.rights.some((r) => r !== 0) },
});

export const untranslatedAllowed = relation<Ats>('I1', 'requests', {
  states: 'an untranslated request reaches only a page that is meant, or that is being taken away',
  holds: (before, after, status) => {
    if (after.current.op.name !== sendUntranslated.name || status !== 0) return true;
    const { page, write } = after.current.call as unknown as { page: number; write: number };
    const meant = (before.atsMeant.rights[page] & (write === 1 ? 2 : 1)) !== 0;
    return meant || (!idle(before) && before.atsMeant.given[page] === 0);
  },
  witnesses: { 'a page may only be read': (m) => idle(m) && m.atsMeant.rights.includes(1) },
});
