// The register and descriptor layouts of Intel's VT-d (Virtualization Technology for Directed I/O, Architecture Specification, revision
// 3.0; register sections are those of its chapter 10.4), as offsets, decoders and encoders without any I/O. 64-bit words are two halves.

/** Register offsets from the unit's base, named as the specification names them. */
export const REG = {
  VER: 0x00, // 10.4.1
  CAP: 0x08, // 10.4.2
  ECAP: 0x10, // 10.4.3
  GCMD: 0x18, // 10.4.4
  GSTS: 0x1c, // 10.4.5
  RTADDR: 0x20, // 10.4.6
  CCMD: 0x28, // 10.4.7
  FSTS: 0x34, // 10.4.9
  FECTL: 0x38, // 10.4.10
  PMEN: 0x64, // 10.4.16
  IQH: 0x80, // 10.4.21
  IQT: 0x88, // 10.4.22
  IQA: 0x90, // 10.4.23
} as const;

/** Global Command and Status bits, sections 10.4.4 and 10.4.5. */
export const GCMD = { TE: 0x80000000, SRTP: 0x40000000, QIE: 0x04000000, IRE: 0x02000000, SIRTP: 0x01000000 } as const;

/** Fault Status bits, section 10.4.9: primary overflow, primary pending, invalidation queue error. */
export const FSTS = { PFO: 1 << 0, PPF: 1 << 1, IQE: 1 << 4, ICE: 1 << 5, ITE: 1 << 6 } as const;

/** Fault reasons of legacy-mode translation, appendix A of the specification. */
export const FAULT_REASON: Readonly<Record<number, string>> = {
  1: 'root entry not present',
  2: 'context entry not present',
  3: 'context entry invalid',
  4: 'address beyond the guest address width',
  5: 'write not permitted',
  6: 'read not permitted',
  7: 'second-level entry unreachable',
  8: 'root table unreachable',
  9: 'context table unreachable',
  10: 'reserved field set in root entry',
  11: 'reserved field set in context entry',
  12: 'reserved field set in second-level entry',
  13: 'translation type of context entry',
  14: 'translated address in the interrupt window',
};

/** What a unit says of itself in CAP and ECAP. */
export interface Capability {
  readonly capLo: number;
  readonly capHi: number;
  readonly ecapLo: number;
  readonly ecapHi: number;
  /** CAP.SAGAW bit 1: 3-level tables, 39 bits; bit 2: 4-level tables, 48 bits. */
  readonly threeLevel: boolean;
  readonly fourLevel: boolean;
  /** CAP.MGAW: widest guest address in bits. */
  readonly addressBits: number;
  readonly cachingMode: boolean;
  /** CAP.SLLPS. */
  readonly superpage2M: boolean;
  readonly superpage1G: boolean;
  readonly pageSelective: boolean;
  /** CAP.MAMV: largest address mask of a page-selective invalidation. */
  readonly maxAddressMask: number;
  /** CAP.FRO and CAP.NFR: where the fault records are, from the unit's base, and how many. */
  readonly faultOffset: number;
  readonly faultRecords: number;
  /** ECAP.IRO: where IVA is; the IOTLB register is 8 bytes on. */
  readonly ivaOffset: number;
  readonly queuedInvalidation: boolean;
  readonly interruptRemapping: boolean;
  readonly passThrough: boolean;
}

/** Decodes CAP (10.4.2) and ECAP (10.4.3). */
export function decodeCapability(capLo: number, capHi: number, ecapLo: number, ecapHi: number): Capability {
  return {
    ...{ capLo, capHi, ecapLo, ecapHi },
    threeLevel: (capLo & (1 << 9)) !== 0,
    fourLevel: (capLo & (1 << 10)) !== 0,
    addressBits: ((capLo >>> 16) & 0x3f) + 1,
    cachingMode: (capLo & (1 << 7)) !== 0,
    superpage2M: (capHi & (1 << 2)) !== 0,
    superpage1G: (capHi & (1 << 3)) !== 0,
    pageSelective: (capHi & (1 << 7)) !== 0,
    maxAddressMask: (capHi >>> 16) & 0x3f,
    faultOffset: ((capLo >>> 24) | ((capHi & 3) << 8)) * 16,
    faultRecords: ((capHi >>> 8) & 0xff) + 1,
    ivaOffset: ((ecapLo >>> 8) & 0x3ff) * 16,
    queuedInvalidation: (ecapLo & (1 << 1)) !== 0,
    interruptRemapping: (ecapLo & (1 << 3)) !== 0,
    passThrough: (ecapLo & (1 << 6)) !== 0,
  };
}

/** A request to forget cached translations, in either of its two forms (descriptor or register). */
export type Invalidation =
  | { readonly cache: 'context'; readonly scope: 'global' }
  | { readonly cache: 'context'; readonly scope: 'domain'; readonly domainId: number }
  | {
      readonly cache: 'context';
      readonly scope: 'device';
      readonly domainId: number;
      readonly sourceId: number;
      /** 0 to 3: how many of the three function bits are left out of the comparison. */
      readonly functionMask?: number;
    }
  | { readonly cache: 'iotlb'; readonly scope: 'global' }
  | { readonly cache: 'iotlb'; readonly scope: 'domain'; readonly domainId: number }
  | {
      readonly cache: 'iotlb';
      readonly scope: 'page';
      readonly domainId: number;
      /** The first page's address; 2^addressMask pages, naturally aligned. */
      readonly lo: number;
      readonly hi: number;
      readonly addressMask: number;
      /** Invalidation hint: only leaf entries have changed. */
      readonly leafOnly?: boolean;
    };

/** A 128-bit descriptor or table entry, least significant word first. */
export type Words4 = readonly [number, number, number, number];

function granularity(scope: Invalidation['scope']): number {
  switch (scope) {
    case 'global':
      return 1;
    case 'domain':
      return 2;
    case 'device':
    case 'page':
      return 3;
  }
}

/** Low and high half of the address word shared by the page-selective descriptor (6.5.2) and the IVA register (10.4.8.2). */
function pageWord(request: Invalidation & { scope: 'page' }): readonly [number, number] {
  const hint = request.leafOnly === true ? 1 << 6 : 0;
  return [((request.lo & 0xfffff000) | hint | (request.addressMask & 0x3f)) >>> 0, request.hi >>> 0];
}

/** The queued form, section 6.5.2: context-cache invalidate (type 1) or IOTLB invalidate (type 2, both drain bits set). */
export function invalidationDescriptor(request: Invalidation): Words4 {
  const scope = granularity(request.scope) << 4;
  const domain = 'domainId' in request ? (request.domainId & 0xffff) << 16 : 0;
  if (request.cache === 'context') {
    const device =
      request.scope === 'device' ? (request.sourceId & 0xffff) | (((request.functionMask ?? 0) & 3) << 16) : 0;
    return [(domain | scope | 1) >>> 0, device >>> 0, 0, 0];
  }
  const [lo, hi] = request.scope === 'page' ? pageWord(request) : [0, 0];
  return [(domain | 0xc0 | scope | 2) >>> 0, 0, lo, hi];
}

/** Invalidation wait descriptor (type 5) that writes `data` to the 32-bit word at `statusAddress` when all before it is done. */
export function waitDescriptor(statusAddress: number, data: number): Words4 {
  return [0x25, data >>> 0, statusAddress >>> 0, 0];
}

/** CCMD (10.4.7), halves. The high half, written last, starts it. */
export function contextCommand(request: Invalidation & { cache: 'context' }): readonly [number, number] {
  const domain = 'domainId' in request ? request.domainId & 0xffff : 0;
  const device = request.scope === 'device' ? request.sourceId << 16 : 0;
  const mask = request.scope === 'device' ? (request.functionMask ?? 0) & 3 : 0;
  return [(device | domain) >>> 0, (0x80000000 | (granularity(request.scope) << 29) | mask) >>> 0];
}

/** IOTLB_REG (10.4.8.1), halves, and the IVA_REG that a page-selective request needs first. */
export function iotlbCommand(request: Invalidation & { cache: 'iotlb' }): {
  readonly command: readonly [number, number];
  readonly iva: readonly [number, number] | undefined;
} {
  const domain = 'domainId' in request ? request.domainId & 0xffff : 0;
  return {
    command: [0, (0x80000000 | (granularity(request.scope) << 28) | (3 << 16) | domain) >>> 0],
    iva: request.scope === 'page' ? pageWord(request) : undefined,
  };
}

/** One fault record (FRCD, 10.4.14). The address is that of the page: hardware keeps no offset. */
export interface FaultRecord {
  readonly reason: number;
  readonly access: 'read' | 'write';
  readonly sourceId: number;
  readonly pageLo: number;
  readonly pageHi: number;
}

/** Decodes a fault record, or undefined if its F bit is clear. */
export function decodeFault(words: Words4): FaultRecord | undefined {
  const [pageLo, pageHi, low, high] = words;
  if ((high & 0x80000000) === 0) return undefined;
  return {
    reason: high & 0xff,
    access: (high & 0x40000000) === 0 ? 'write' : 'read',
    sourceId: low & 0xffff,
    pageLo: (pageLo & 0xfffff000) >>> 0,
    pageHi: pageHi >>> 0,
  };
}

/** Root entry (9.1): present, at the physical address of a context table below 4 GiB. */
export function rootEntry(contextTable: number): Words4 {
  return [(contextTable | 1) >>> 0, 0, 0, 0];
}

/** Context entry (9.3), multi-level translation: `levels` 3 or 4, table below 4 GiB. */
export function contextEntry(table: number, levels: 3 | 4, domainId: number): Words4 {
  return [(table | 1) >>> 0, 0, ((domainId << 8) | (levels - 2)) >>> 0, 0];
}

/** Low half of a second-level entry (9.8) for an address below 4 GiB. */
export function secondLevelEntry(
  address: number,
  rights: { read: boolean; write: boolean; superpage?: boolean },
): number {
  return (address | (rights.read ? 1 : 0) | (rights.write ? 2 : 0) | (rights.superpage === true ? 0x80 : 0)) >>> 0;
}
