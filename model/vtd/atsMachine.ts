/**
 * Devices that keep translations of their own (ATS), at the level of bits. Source: VT-d Architecture Specification, 4.1 (device TLBs),
 * 6.5.2.5 (device-TLB invalidate descriptor), 9.3 (translation type of a context entry); PCI Express, 10.2 and 10.3 (ATS).
 *
 * Two requesters in one address space of four pages. The first may be given ATS; the second is not trusted with it. Software takes pages
 * away, one or several at a time: entries, IOTLB, then the device TLB of every requester that it has noted as having one; after that it
 * gives the frames to somebody else. A device TLB fills from the IOTLB, stale or not, which is why the IOTLB comes first.
 *
 * Must keep: I1, a frame that was given away is in no cache; I15, after a change has returned, no cache holds more than is meant; I8, a
 * translated request is let through only from a requester that is trusted with them.
 */
import {
  blockedBy,
  DISABLED,
  flag,
  gate,
  i32,
  type Machine,
  type MachineDef,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../kernel/index.js';
import {
  ALL_REQUESTS,
  entryLow,
  PRESENT,
  READ,
  READ_WRITE,
  UNTRANSLATED_ONLY,
  type UnitCapability,
} from './entries.js';
import { iotlbInvalidation } from './invalidate.js';
import {
  addressWord,
  coversDevicePage,
  coversPage,
  decodeDescriptor,
  deviceAddressHigh,
  deviceAddressWord,
  deviceDescriptor0,
  deviceDescriptor1,
  iotlbDescriptor0,
  Request,
  SELECTIVE,
} from './invalidation.js';
import { requester, SOURCE_IDS } from './state.js';
import { dmaRemapping } from './unit.js';
import { accessFault, decodeContext, type TableMemory, Walk, walkTables as walkFrom } from './walk.js';

export const atsPage = sort('ATS page', { members: ['page 0', 'page 1', 'page 2', 'page 3'] });
/** What one invalidation asks for: 2^n pages from the first. */
export const range = sort('range', {
  members: ['page 0', 'page 1', 'pages 0 and 1', 'pages 2 and 3', 'pages 0 to 3', 'all pages'],
});
export const RANGE_FIRST = [0, 1, 0, 2, 0, 0] as const;
/** Logarithm of the number of pages; ALL_PAGES for everything. */
export const ALL_PAGES = 52;
export const RANGE_SIZE = [0, 0, 1, 1, 2, ALL_PAGES] as const;
const TRUSTED = 0;
const DOMAIN_ID = 1;
const LEAF_TABLE = 0x12;
export const FIRST_FRAME = 0x20;

const UNIT: UnitCapability = {
  ...{ hostBits: 39, guestBits: 48, widths: 0b110, superpages: 0 },
  ...{ passThrough: false, deviceTlb: true, snoopControl: false },
};

export const atsTables = {
  /** Low words of the entries of the pages, and of the requesters' context entries. */
  atsEntry: table([atsPage], { word: i32() }),
  atsContext: table([requester], { word: i32() }),
  /** IOTLB and device TLBs: rights, 0 for empty. */
  atsTlb: table([atsPage], { rights: u8() }),
  atc: table([requester, atsPage], { rights: u8() }),
  atsDevice: table([requester], {
    /** The device's ATS capability is enabled. */
    enabled: oneOf('no', 'yes'),
    /** Software has noted that it must invalidate the device's TLB. */
    noted: oneOf('no', 'yes'),
  }),
  atsUnit: table([], { busy: oneOf('no', 'yes') }),
  /** What software means: rights of each page; whether its frame is somebody else's now. */
  atsMeant: table([atsPage], { rights: u8(), given: oneOf('no', 'yes') }),
};
export type Ats = Machine & State<typeof atsTables>;
const operation = operationOn<Ats>();

export const deviceTlbInvalidation = gate('device-TLB invalidation');
/** Translated requests are let through only from devices whose context entry says so. */
export const translationType = gate('translation type');
const BLOCKED = blockedBy(dmaRemapping);
const BLOCKED_BY_TYPE = blockedBy(translationType);

class AtsMemory implements TableMemory {
  m: Ats | undefined = undefined;
  reaches(frame: number): boolean {
    return frame === LEAF_TABLE;
  }
  word(_frame: number, index: number): number {
    return (index & 1) === 0 && index < 8 && this.m !== undefined ? this.m.atsEntry.word[index >> 1] : 0;
  }
}
const memory = new AtsMemory();
const walk = new Walk();
const request = new Request();

/** Rights of a page for a requester, from the IOTLB where it may be used, else from the tables. */
function rightsOf(m: Ats, r: number, page: number, cached: boolean): number {
  if (decodeContext(UNIT, m.atsContext.word[r], 0, contextHighWord, 0, walk) !== 0) return 0;
  if (cached && m.atsTlb.rights[page] !== 0) return m.atsTlb.rights[page];
  memory.m = m;
  return walkFrom(UNIT, memory, LEAF_TABLE, 1, page, 0, READ_WRITE, walk) === 0 ? walk.rights : 0;
}
/** 3 levels, domain id 1. */
const contextHighWord = (DOMAIN_ID << 8) | 1;

/** Whether the requester's context entry lets it send translated requests and ask for translations. */
function mayTranslate(m: Ats, r: number): boolean {
  return decodeContext(UNIT, m.atsContext.word[r], 0, contextHighWord, 0, walk) === 0 && walk.type === ALL_REQUESTS;
}

/** An ATS translation request: the device keeps the answer. */
export const askTranslation = operation('ats.ask', {
  agent: requester,
  says: 'asks for the translation of {page} (answered from the IOTLB: {cached})',
  source: 'VT-d 4.1.1; PCI Express 10.2.2',
  input: { page: atsPage, cached: flag },
  locals: ['rights'],
  idle: true,
  where: { agent: (m, op) => m.atsDevice.enabled[op.agent] === 1 },
  touches: (m, op, may) => {
    for (let p = 0; p < m.atsEntry.rows; p++) may.write(m.atc, m.atc.at(op.agent, p));
  },
  steps: {
    'look up': (m, op) => {
      if (!mayTranslate(m, op.agent)) return BLOCKED_BY_TYPE;
      op.rights = rightsOf(m, op.agent, op.page, op.cached === 1);
      return op.rights === 0 ? DISABLED : OK;
    },
    keep: (m, op) => {
      m.atc.rights[m.atc.at(op.agent, op.page)] = op.rights;
    },
  },
});

/** A request that the device has translated itself: nothing but its own TLB says what it may do. */
export const sendTranslated = operation('ats.send', {
  agent: requester,
  says: 'sends a translated request for {page} (write: {write})',
  source: 'VT-d 4.1.2; PCI Express 10.2.3',
  fault: 'F3',
  input: { page: atsPage, write: flag },
  where: { page: (m, op) => m.atc.rights[m.atc.at(op.agent, op.page)] !== 0 },
  touches: (m, _op, may) => may.readAll(m.atc),
  steps: {
    'check the context entry': (m, op) => (mayTranslate(m, op.agent) ? OK : BLOCKED_BY_TYPE),
    'check rights': (m, op) =>
      accessFault(m.atc.rights[m.atc.at(op.agent, op.page)], op.write === 1) !== 0 ? BLOCKED : OK,
  },
});

/** A request that claims to be translated: any frame, whatever the tables say. What a trusted device does is trusted. */
export const forgeTranslated = operation('ats.forge', {
  agent: requester,
  says: 'claims that a request for {page} is translated',
  source: 'Thunderclap (NDSS 2019): ATS is believed',
  fault: 'F2',
  input: { page: atsPage },
  where: { agent: (_m, op) => op.agent !== TRUSTED },
  touches: (m, _op, may) => may.readAll(m.atsContext),
  steps: {
    'check the context entry': (m, op) => (mayTranslate(m, op.agent) || !m.on(translationType) ? OK : BLOCKED_BY_TYPE),
  },
});

/** A request with an address that the unit translates. */
export const sendUntranslated = operation('ats.dma', {
  agent: requester,
  says: 'sends a request for {page} (write: {write}, from the IOTLB: {cached})',
  source: 'VT-d 3.7',
  fault: 'F2',
  input: { page: atsPage, write: flag, cached: flag },
  touches: (m, _op, may) => {
    may.readAll(m.atsEntry);
    may.readAll(m.atsTlb);
  },
  steps: {
    translate: (m, op) => {
      if (!m.on(dmaRemapping)) return OK;
      return accessFault(rightsOf(m, op.agent, op.page, op.cached === 1), op.write === 1) !== 0 ? BLOCKED : OK;
    },
  },
});

export const cacheAtsPage = operation('ats.cachePage', {
  agent: 'unit',
  says: 'caches the translation of {page}',
  source: 'VT-d 6.2.3',
  input: { page: atsPage },
  locals: ['rights'],
  idle: true,
  touches: (m, op, may) => may.write(m.atsTlb, op.page),
  steps: {
    fetch: (m, op) => {
      op.rights = rightsOf(m, TRUSTED, op.page, false);
      return op.rights === 0 || op.rights === m.atsTlb.rights[op.page] ? DISABLED : OK;
    },
    keep: (m, op) => {
      m.atsTlb.rights[op.page] = op.rights;
    },
  },
});

/** Whether a page is in the range. */
export function inRange(which: number, page: number): boolean {
  const size = RANGE_SIZE[which];
  return size === ALL_PAGES || page >> size === RANGE_FIRST[which] >> size;
}

/** Hardware forgets what an IOTLB descriptor for the range covers. */
export function invalidateIotlb(m: Ats, which: number): void {
  if (!m.on(iotlbInvalidation)) return;
  const all = RANGE_SIZE[which] === ALL_PAGES;
  const granularity = all ? SELECTIVE - 1 : SELECTIVE;
  const address = all ? 0 : addressWord(RANGE_FIRST[which], RANGE_SIZE[which], true);
  decodeDescriptor(iotlbDescriptor0(granularity, DOMAIN_ID), 0, address, 0, request);
  for (let p = 0; p < m.atsTlb.rights.length; p++) {
    if (coversPage(request, DOMAIN_ID, p, 0, 0)) m.atsTlb.rights[p] = 0;
  }
}

/** A device forgets what a descriptor for the range, sent to source id `sourceId`, covers. */
export function invalidateDevice(m: Ats, which: number, sourceId: number): void {
  if (!m.on(deviceTlbInvalidation)) return;
  const first = RANGE_FIRST[which];
  const size = RANGE_SIZE[which];
  decodeDescriptor(
    deviceDescriptor0(),
    deviceDescriptor1(sourceId),
    deviceAddressWord(first, size),
    deviceAddressHigh(size),
    request,
  );
  for (let r = 0; r < SOURCE_IDS.length; r++) {
    for (let p = 0; p < m.atsTlb.rights.length; p++) {
      if (coversDevicePage(request, SOURCE_IDS[r], p, 0)) m.atc.rights[m.atc.at(r, p)] = 0;
    }
  }
}

/** Software invalidates the device TLBs that it has noted. */
export function invalidateNoted(m: Ats, which: number): void {
  for (let r = 0; r < SOURCE_IDS.length; r++) if (m.atsDevice.noted[r] === 1) invalidateDevice(m, which, SOURCE_IDS[r]);
}

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

/** Low word of a context entry of this translation type. */
export const contextWord = (type: number): number => entryLow(0x10, PRESENT | (type << 2));

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
