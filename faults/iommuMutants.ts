/**
 * Mutants of the IOMMU specification: real bugs put back (history.md, H16 to H28 and 60b), and every omitted invalidation.
 * None of them shows in the specification: each is an edit from outside.
 */
import { mutant } from '../drivers/suite.js';
import { getPage, getType, putPage, putType, scrub, TYPE_WRITABLE } from '../model/frames.js';
import {
  attach,
  detach,
  freeTable,
  freeTables,
  giveUp,
  holdEntry,
  IOMMU_ERRNO,
  type Iommu,
  issueDma,
  mapPage,
  mapSuperpage,
  READ,
  revokeWrite,
  shared,
  splitSuperpage,
  storeDirectory,
  TABLE,
  unmapPage,
  WRITE,
} from '../model/iommu/index.js';
import {
  DONE,
  guardWith,
  initially,
  insertBefore,
  NONE,
  OK,
  omit,
  reorder,
  replace,
  undoWith,
} from '../model/kernel/index.js';

export const unmapKeepsIotlb = mutant('unmap: IOTLB kept', {
  says: 'unmap clears the entry and leaves the IOTLB as it is',
  source: 'omitted step; XSA-321',
  edits: [omit(unmapPage, 'invalidate IOTLB')],
});

export const unmapKeepsAtc = mutant('unmap: ATC kept', {
  says: 'unmap leaves the device its own translation',
  source: 'omitted step; pkvm-ia issues 84 and 86',
  edits: [omit(unmapPage, 'invalidate ATC')],
});

export const detachKeepsConfig = mutant('detach: config cache kept', {
  says: 'detach clears the device entry and leaves the cached one',
  source: 'omitted step; seL4 PR 1729',
  edits: [omit(detach, 'invalidate config')],
});

export const detachKeepsIotlb = mutant('XSA-442', {
  says: 'detach invalidates the device entry but not the translations tagged with the DID',
  source: 'H19b; CVE-2023-34326, Xen 5fc98b9708',
  edits: [omit(detach, 'invalidate IOTLB')],
});

export const detachKeepsAtc = mutant('detach: ATC kept', {
  says: 'detach leaves the device its own translations',
  source: 'omitted step',
  edits: [omit(detach, 'invalidate ATC')],
});

export const atcFirst = mutant('SMMUv3 ATC before TLB', {
  says: 'unmap invalidates the ATC first: the device asks again, is answered from the stale IOTLB, and keeps that for good',
  source: 'H22; Linux 353e3cf8590c',
  edits: [
    reorder(unmapPage, ['clear entry', 'invalidate ATC', 'invalidate IOTLB', 'wait', 'completed', 'drop reference']),
  ],
});

export const dropBeforeWait = mutant('reference dropped before the wait', {
  says: 'unmap gives the page back before the invalidation has completed',
  source: 'XSA-480, XSA-401 (order of flush and commit)',
  edits: [
    reorder(unmapPage, ['clear entry', 'invalidate IOTLB', 'invalidate ATC', 'drop reference', 'wait', 'completed']),
  ],
});

export const downgradeNotFlushed = mutant('XSA-275', {
  says: 'a mapping that loses the write right is not flushed: its address has not changed',
  source: 'H19a; Xen efe21ad442',
  edits: [omit(revokeWrite, 'invalidate IOTLB'), omit(revokeWrite, 'invalidate ATC')],
});

export const splitNotFlushed = mutant('XSA-366', {
  says: 'splitting a superpage leaves the cached superpage: the flush is skipped above level 0',
  source: 'H16b; Xen 76d369d331',
  edits: [omit(splitSuperpage, 'invalidate IOTLB')],
});

export const newTableNotWrittenBack = mutant('XSA-321 c', {
  says: 'the new table is linked, and its entries are still in the CPU\u2019s cache only',
  source: 'H16c; Xen a852040fe3',
  edits: [
    replace(splitSuperpage, 'link table', (m, op) => {
      for (let i = 0; i < m.ioEntry.rows / m.ioDirectory.rows; i++) {
        m.ioEntry.walkedFrame[m.ioEntry.at(op.did, i)] = NONE;
        m.ioEntry.walkedRights[m.ioEntry.at(op.did, i)] = 0;
      }
      storeDirectory(m, op.did, TABLE, op.table, READ | WRITE);
    }),
  ],
});

export const tableFreedCached = mutant('CVE-2025-71089', {
  says: 'a table is freed while the paging-structure cache still points to it',
  source: 'H24; also XSA-480',
  edits: [omit(freeTable, 'invalidate structures')],
});

export const tableFreedEarly = mutant('table freed before the wait', {
  says: 'a table\u2019s frame is freed before the invalidation has completed',
  source: 'XSA-480, Xen 8b8c324af6',
  edits: [reorder(freeTable, ['unlink table', 'invalidate structures', 'free frame', 'wait', 'completed'])],
});

export const detachReturnsEarly = mutant('XSA-386', {
  says: 'detach returns early, as if done: the device entry stays, and the tables are freed',
  source: 'H20; CVE-2021-28702, Xen 192aaf7e14',
  edits: [
    insertBefore(detach, 'clear device entry', 'return early', (m, op) => {
      if (!shared(m, op.device)) freeTables(m, op.did);
      giveUp(m, op.device, op.did);
      return DONE;
    }),
  ],
});

export const attachOver = mutant('attach before the old detach', {
  says: 'a device is attached to its next domain while it is still attached to the last one',
  source: 'H25; Linux vfio 6586b561, cloud-hypervisor 6298',
  edits: [guardWith(attach, 'device', undefined)],
});

export const bypassAtBoot = mutant('CVE-2025-11901', {
  says: 'translation is off until the operating system takes over',
  source: 'H26',
  edits: [
    initially((m: Iommu) => {
      m.iommu.translation[0] = 0;
    }),
  ],
});

export const mapWithoutType = mutant('mapping without a type reference', {
  says: 'a writable mapping takes a page reference and no type reference',
  source: 'XSA-288 class (type confusion of IOMMU-mapped pages)',
  edits: [
    replace(mapPage, 'take references', (m, op) =>
      getPage(m, op.frame, m.ioDomain.owner[op.did]) ? OK : IOMMU_ERRNO.EINVAL,
    ),
    undoWith(mapPage, 'take references', (m, op) => putPage(m, op.frame)),
  ],
});

export const mapWithoutReference = mutant('mapping without a page reference', {
  says: 'a mapping takes no page reference, so the page can be reclaimed under the device',
  source: 'F4: memory reclaimed with DMA in flight; GAP-V5 of the DD/OS design',
  edits: [
    replace(mapPage, 'take references', (m, op) =>
      op.write !== 0 && !getType(m, op.frame, TYPE_WRITABLE) ? IOMMU_ERRNO.EBUSY : OK,
    ),
    undoWith(mapPage, 'take references', (m, op) => {
      if (op.write !== 0) putType(m, op.frame);
    }),
  ],
});

export const mapNotUndone = mutant('map: references not given back', {
  says: 'a map that fails for want of a table keeps the references that it took',
  source: 'generated: omitted undo; XSA-247 class',
  edits: [undoWith(mapPage, 'take references', undefined)],
});

export const superpageHalfCounted = mutant('superpage: second page not counted', {
  says: 'mapping a superpage takes the references of its first page only',
  source: 'generated: omitted step; XSA-154 class',
  edits: [omit(mapSuperpage, 'take references to the second')],
});

export const superpageNotUndone = mutant('superpage: references not given back', {
  says: 'a superpage whose second page is refused keeps the references to its first',
  source: 'generated: omitted undo; XSA-247 class',
  edits: [undoWith(mapSuperpage, 'take references to the first', undefined)],
});

export const unmapForgetsHolding = mutant('unmap: reference lost', {
  says: 'unmap clears the entry and never gives its references back',
  source: 'generated: omitted step',
  edits: [
    replace(unmapPage, 'clear entry', (m, op) => {
      holdEntry(m, op.did, m.ioEntry.at(op.did, op.iova));
      m.flush.frame[op.did] = NONE;
      m.flush.drop[op.did] = 0;
      return OK;
    }),
  ],
});

export const fullLogStops = mutant('full fault log stops translation', {
  says: 'once the fault log has overflowed, no request of any device is served',
  source: 'I14; Xen iommu_page_fault (containment by disabling)',
  edits: [
    insertBefore(issueDma, 'translate', 'the log has room', (m) =>
      m.iommu.overflow[0] === 1 ? IOMMU_ERRNO.EBUSY : OK,
    ),
  ],
});

export const subPage = mutant('Thunderclap sub-page', {
  says: 'the page of a buffer also holds another domain\u2019s secret in its other half',
  source: 'H27a; NDSS 2019',
  edits: [
    initially((m: Iommu) => {
      scrub(m, 2);
      m.content.secret[m.content.at(2, 1)] = 0;
    }),
  ],
});
