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
  OK,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../kernel/index.js';
import { ALL_REQUESTS, entryLow, PRESENT, READ_WRITE, type UnitCapability } from './entries.js';
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

export const TRUSTED = 0;
export const atsPage = sort('ATS page', { members: ['page 0', 'page 1', 'page 2', 'page 3'] });
/** What one invalidation asks for: 2^n pages from the first. */
export const range = sort('range', {
  members: ['page 0', 'page 1', 'pages 0 and 1', 'pages 2 and 3', 'pages 0 to 3', 'all pages'],
});
export const RANGE_FIRST = [0, 1, 0, 2, 0, 0] as const;
/** Logarithm of the number of pages; ALL_PAGES for everything. */
export const ALL_PAGES = 52;
export const RANGE_SIZE = [0, 0, 1, 1, 2, ALL_PAGES] as const;
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

/** Low word of a context entry of this translation type. */
export const contextWord = (type: number): number => entryLow(0x10, PRESENT | (type << 2));
