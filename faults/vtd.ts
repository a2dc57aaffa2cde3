/**
 * Mistakes of VT-d units and of the software above them, as edits of the bit-level specification. Sources are advisories and commits; the
 * numbers H17, H21, H23, H41 are those of the project's history of isolation bugs.
 */

import { mutant } from '../drivers/suite.js';
import { blockedBy, type Edit, OK, omit, reorder, replace } from '../model/kernel/index.js';
import { contextHigh, leafMask } from '../model/vtd/entries.js';
import { complete, decode, dropTranslation, forget, invalidate } from '../model/vtd/invalidate.js';
import { CONTEXT, DOMAIN, IOTLB, type Request, SELECTIVE } from '../model/vtd/invalidation.js';
import { attach, disable, enable, map, restrict } from '../model/vtd/software.js';
import { CONTEXT_0, DOMAIN_IDS, pageNumber, SOURCE_IDS, type Vtd, wordRow } from '../model/vtd/state.js';
import { dmaCached, dmaRemapping, findContext, findPage } from '../model/vtd/unit.js';

const BLOCKED = blockedBy(dmaRemapping);

/** Replaces what hardware does with a decoded request. */
const performs = (by: (m: Vtd, q: Request) => void): readonly Edit[] => [
  replace(invalidate, 'hardware performs it', (m, op) => by(m, decode(op))),
];

export const tornPublish = mutant('context entry published first', {
  says: 'the word with the present bit is written before the other one',
  source: 'H17, XSA-347 (Xen 71da63bbb8)',
  edits: [
    reorder(attach, [
      ...(['clear present', 'invalidate the context cache', 'write table and present'] as const),
      ...(['write width and domain id', 'done'] as const),
    ]),
  ],
});

export const replacedInPlace = mutant('context entry replaced while present', {
  says: 'a present context entry is written over word by word',
  source: 'H23, CVE-2026-45944',
  edits: [omit(attach, 'clear present'), omit(attach, 'invalidate the context cache')],
});

export const wrongDepth = mutant('built with 4 levels, walked with 3', {
  says: 'the context entry states another depth than the tables were built with',
  source: 'H21, XSA-445 (Xen fe1e4668b3)',
  edits: [
    replace(attach, 'write width and domain id', (m, op) => {
      m.vtdMemory.word[wordRow(CONTEXT_0, 1)] = contextHigh(3, DOMAIN_IDS[op.to]);
    }),
  ],
});

export const maskNotInverted = mutant('address mask not inverted', {
  says: 'a page-selective invalidation compares the bits below the mask, and not those above',
  source: 'H41 60c (QEMU 6cb99acc28)',
  edits: performs((m, q) => {
    if (q.type !== IOTLB || q.granularity !== SELECTIVE) return forget(m, q);
    const t = m.iotlb;
    for (let w = 0; w < t.rights.length; w++) {
      const below = (1 << q.addressMask) - 1;
      const same = ((t.page[w] ^ q.pageLo) & below) === 0;
      if (t.rights[w] !== 0 && t.did[w] === q.did && t.page[w] <= q.pageLo && same) dropTranslation(m, w);
    }
    if (!q.leafOnly && m.pagingCache.did[0] === q.did) m.pagingCache.rights[0] = 0;
  }),
});

export const superpageMissed = mutant('superpage missed', {
  says: 'a page-selective invalidation inside a superpage does not find the entry of the superpage',
  source: 'VT-d 6.5.1.2',
  edits: performs((m, q) => {
    if (q.type !== IOTLB || q.granularity !== SELECTIVE) return forget(m, q);
    const { page, level, rights, did } = m.iotlb;
    for (let w = 0; w < rights.length; w++) {
      if (rights[w] !== 0 && level[w] === 2 && did[w] === q.did && page[w] !== q.pageLo) return;
    }
    forget(m, q);
  }),
});

export const hintTaken = mutant('paging-structure cache kept', {
  says: 'a page-selective invalidation without the hint is taken as if it had it',
  source: 'XSA-480, CVE-2025-71089',
  edits: performs((m, q) => {
    q.leafOnly = true;
    forget(m, q);
  }),
});

export const hintGiven = mutant('hint given for a directory', {
  says: 'software takes a leaf-only invalidation for enough after it has taken a directory out',
  source: 'VT-d 6.5.3.3',
  edits: [
    replace(invalidate, 'see the completion', (m, op) => {
      complete(m, op.kind);
      m.mayDirectory.used[0] = m.directory.present[0];
    }),
  ],
});

export const globalIgnored = mutant('global invalidation ignored', {
  says: 'an invalidation of everything is decoded as one of domain id 0',
  source: 'H41 60h, 60j (QEMU b6a59a2ebf, 1194140b7f)',
  edits: performs((m, q) => {
    if (q.granularity === 1) {
      q.granularity = DOMAIN;
      q.did = 0;
    }
    forget(m, q);
  }),
});

export const functionMaskIgnored = mutant('function mask ignored', {
  says: 'a device-selective invalidation with a function mask compares the whole source id',
  source: 'VT-d 6.5.1.1',
  edits: performs((m, q) => {
    if (q.type === CONTEXT) q.functionMask = 0;
    forget(m, q);
  }),
});

export const sourceCut = mutant('source id cut to 8 bits', {
  says: 'the context cache compares device and function, but not the bus',
  source: 'H41 60c (QEMU bacabb0afa, 04eb6247eb)',
  edits: [
    replace(dmaCached, 'find context', (m, op) =>
      findContext(m, SOURCE_IDS[op.agent], true, 0xff, op) ? OK : BLOCKED,
    ),
  ],
});

export const domainIgnored = mutant('IOTLB without domain ids', {
  says: 'a cached translation is used whatever domain id it was made under',
  source: 'VT-d 6.2.1',
  edits: [
    replace(dmaCached, 'find translation', (m, op) => {
      const page = pageNumber(op.page);
      const t = m.iotlb;
      for (let w = 0; w < t.rights.length; w++) {
        const inside = leafMask(t.level[w]);
        if (t.rights[w] === 0 || ((t.page[w] ^ page) & ~inside) !== 0) continue;
        op.frame = (t.frame[w] & ~inside) | (page & inside);
        op.rights = t.rights[w];
        return OK;
      }
      return findPage(m, page, true, op) ? OK : BLOCKED;
    }),
  ],
});

export const enabledTooLate = mutant('devices enabled before translation', {
  says: 'devices may send before the unit translates',
  source: 'VT-d 11.3; H41 60e (QEMU f6b5644c90) for the default that lets everything pass',
  edits: [reorder(enable, ['latch the root table', 'invalidate everything', 'let devices send', 'translate'])],
});

export const disabledTooEarly = mutant('translation ended before devices', {
  says: 'translation ends while devices may still send',
  source: 'VT-d 11.3',
  edits: [reorder(disable, ['end translation', 'silence devices'])],
});

export const staleBoot = mutant('caches of the earlier kernel kept', {
  says: 'software switches translation on without the global invalidations that a new root table needs',
  source: 'VT-d 6.6',
  edits: [omit(enable, 'invalidate everything')],
});

export const mapForgotten = mutant('entry not written', {
  says: 'a mapping is meant, and its entry is never written',
  source: 'generated: omitted step',
  edits: [replace(map, 'write the entry', () => {})],
});

export const restrictForgotten = mutant('restriction not written', {
  says: 'a mapping is meant to be read-only, and its entry still lets write',
  source: 'generated: omitted step',
  edits: [replace(restrict, 'write the entry', () => {})],
});

export const movedUninvalidated = mutant('moved without invalidation', {
  says: 'a device is moved, and the context cache is never told',
  source: 'seL4 PR 1729 (H26): caches not invalidated when a context changes',
  edits: [replace(attach, 'invalidate the context cache', () => {})],
});

/** All mutants of the machine `vtd`. */
export const vtdMutants = [
  ...[tornPublish, replacedInPlace, wrongDepth, maskNotInverted, superpageMissed, hintTaken, hintGiven, globalIgnored],
  ...[functionMaskIgnored, sourceCut, domainIgnored, enabledTooLate, disabledTooEarly, staleBoot],
  ...[mapForgotten, restrictForgotten, movedUninvalidated],
] as const;
