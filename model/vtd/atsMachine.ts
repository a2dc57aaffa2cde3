/**
 * What software does with pages of devices that keep translations, and the machine `vtd-ats` (state and unit: atsUnit.ts).
 * Source: VT-d Architecture Specification, 4.1.1, 6.5.2.5, 6.5.3.3; PCI Express, 10.5.1.
 */
import { flag, type MachineDef, module, operationOn } from '../kernel/index.js';
import {
  type Ats,
  askTranslation,
  atsTables,
  cacheAtsPage,
  contextWord,
  FIRST_FRAME,
  forgeTranslated,
  inRange,
  invalidateIotlb,
  invalidateNoted,
  range,
  sendTranslated,
  sendUntranslated,
  TRUSTED,
} from './atsUnit.js';
import { ALL_REQUESTS, entryLow, READ, READ_WRITE, UNTRANSLATED_ONLY } from './entries.js';
import { requester } from './state.js';

const operation = operationOn<Ats>();

const idle = (m: Ats): boolean => m.atsUnit.busy[0] === 0;

/** Takes pages, or the right to write them, away. */
export const takePages = operation('ats.take', {
  agent: 'vmm',
  says: 'takes {which} away (all but reading: {read})',
  source: 'VT-d 6.5.2.5, 6.5.3.3; Linux 353e3cf8590c for the order',
  input: { which: range, read: flag },
  where: {
    agent: idle,
    which: (m, op) => {
      for (let p = 0; p < m.atsMeant.rows; p++) if (inRange(op.which, p) && m.atsMeant.rights[p] !== 0) return true;
      return false;
    },
    // One way of taking less than all is enough to see rights change.
    read: (_m, op) => op.read === 0 || op.which === 2,
  },
  touches: (m, _op, may) => {
    may.writeAll(m.atsEntry);
    may.writeAll(m.atsTlb);
    may.writeAll(m.atc);
    may.writeAll(m.atsMeant);
    may.write(m.atsUnit);
  },
  steps: {
    'change the entries': (m, op) => {
      m.atsUnit.busy[0] = 1;
      for (let p = 0; p < m.atsMeant.rows; p++) {
        if (!inRange(op.which, p)) continue;
        m.atsMeant.rights[p] &= op.read === 1 ? READ : 0;
        m.atsEntry.word[p] = m.atsMeant.rights[p] === 0 ? 0 : entryLow(FIRST_FRAME + p, m.atsMeant.rights[p]);
      }
    },
    'invalidate the IOTLB': (m, op) => invalidateIotlb(m, op.which),
    'invalidate the device TLBs': (m, op) => invalidateNoted(m, op.which),
    'give the frames away': (m, op) => {
      m.atsUnit.busy[0] = 0;
      if (op.read === 1) return;
      for (let p = 0; p < m.atsMeant.rows; p++) if (inRange(op.which, p)) m.atsMeant.given[p] = 1;
    },
  },
});

/** Lets the trusted requester keep translations. It is noted first: from the first translation on, there is something to invalidate. */
export const enableAts = operation('ats.enable', {
  agent: 'vmm',
  says: 'enables ATS for {who}',
  source: 'VT-d 4.1.1, 9.3; PCI Express 10.5.1; pkvm-ia issues 84 and 86 for what happens when it is not noted',
  input: { who: requester },
  where: { agent: idle, who: (m, op) => op.who === TRUSTED && m.atsDevice.noted[op.who] === 0 },
  touches: touchAts,
  steps: {
    'note it': (m, op) => {
      m.atsUnit.busy[0] = 1;
      m.atsDevice.noted[op.who] = 1;
    },
    'write the context entry': (m, op) => {
      m.atsContext.word[op.who] = contextWord(ALL_REQUESTS);
    },
    'enable it in the device': (m, op) => {
      m.atsDevice.enabled[op.who] = 1;
      m.atsUnit.busy[0] = 0;
    },
  },
});

/** The reverse: the device forgets everything when it is switched off. */
export const disableAts = operation('ats.disable', {
  agent: 'vmm',
  says: 'disables ATS for {who}',
  source: 'VT-d 4.1.1; PCI Express 10.5.1.3',
  input: { who: requester },
  where: { agent: idle, who: (m, op) => m.atsDevice.noted[op.who] === 1 },
  touches: touchAts,
  steps: {
    'disable it in the device': (m, op) => {
      m.atsUnit.busy[0] = 1;
      m.atsDevice.enabled[op.who] = 0;
      for (let p = 0; p < m.atsMeant.rows; p++) m.atc.rights[m.atc.at(op.who, p)] = 0;
    },
    'write the context entry': (m, op) => {
      m.atsContext.word[op.who] = contextWord(UNTRANSLATED_ONLY);
    },
    'forget it': (m, op) => {
      m.atsDevice.noted[op.who] = 0;
      m.atsUnit.busy[0] = 0;
    },
  },
});

function touchAts(
  m: Ats,
  op: { who: number },
  may: { write(t: Ats['atc' | 'atsDevice' | 'atsUnit' | 'atsContext'], row?: number): void },
): void {
  for (let p = 0; p < m.atsMeant.rows; p++) may.write(m.atc, m.atc.at(op.who, p));
  may.write(m.atsDevice, op.who);
  may.write(m.atsContext, op.who);
  may.write(m.atsUnit);
}

export const vtdAtsMachine: MachineDef = {
  name: 'vtd-ats',
  threads: () => ['vmm'],
  split: ['ats.take', 'ats.enable', 'ats.disable'],
  modules: [
    module<Ats, typeof atsTables>('VT-d device TLBs', {
      tables: atsTables,
      operations: [
        ...[askTranslation, sendTranslated, forgeTranslated, sendUntranslated, cacheAtsPage],
        ...[takePages, enableAts, disableAts],
      ],
      initial: (m) => {
        m.atsMeant.rights.fill(READ_WRITE);
        for (let p = 0; p < m.atsEntry.rows; p++) m.atsEntry.word[p] = entryLow(FIRST_FRAME + p, READ_WRITE);
        m.atsContext.word.fill(contextWord(UNTRANSLATED_ONLY));
        if (m.choose(flag, 'ATS is enabled') === 0) return;
        m.atsContext.word[TRUSTED] = contextWord(ALL_REQUESTS);
        m.atsDevice.enabled[TRUSTED] = 1;
        m.atsDevice.noted[TRUSTED] = 1;
      },
    }),
  ],
};
