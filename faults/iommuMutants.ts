/**
 * Mutants of the IOMMU specification: real bugs put back (history.md, H16 to H28 and 60b), and every omitted invalidation.
 * None of them shows in the specification: each is an edit from outside.
 */
import { mutant } from '../drivers/suite.js';
import { getPage, getType, putPage, putType, scrub, TYPE_WRITABLE } from '../model/frames.js';
import {
  ABANDONED,
  advance,
  attach,
  COMPLETED,
  detach,
  flushDid,
  freeTable,
  freeTables,
  giveUp,
  holdEntry,
  IDLE,
  IOMMU_ERRNO,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  type Iommu,
  isSplit,
  issueDma,
  LATE,
  mapPage,
  NO_COMMAND,
  perform,
  processQueue,
  queued,
  READ,
  reap,
  revokeWrite,
  shared,
  splitSuperpage,
  storeDirectory,
  submitAtcs,
  submitIotlbPage,
  TABLE,
  takeHead,
  unmapPage,
  WRITE,
  waitTimeout,
} from '../model/iommu/index.js';
import {
  AGAIN,
  DONE,
  drop,
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

export const timeoutSwallowed = mutant('XSA-373 a', {
  says: 'a wait that timed out is taken for one that completed',
  source: 'H18; CVE-2021-28692, Xen 944da2f5b8, 9f8bf2a7dd, dc3e544186',
  edits: [
    replace(unmapPage, 'completed', (m, op) => {
      if (m.flush.state[op.did] !== COMPLETED) {
        if (m.fails(waitTimeout)) {
          m.flush.state[op.did] = ABANDONED;
          return OK;
        }
        if (isSplit(m)) return AGAIN;
        while (m.flush.state[op.did] !== COMPLETED) takeHead(m);
      }
      m.flush.state[op.did] = IDLE;
      return OK;
    }),
  ],
});

export const fullQueueDrops = mutant('XSA-373 b', {
  says: 'a command for a full queue is dropped',
  source: 'H18; CVE-2021-28692, Xen 944da2f5b8, 9f8bf2a7dd, dc3e544186',
  edits: [
    replace(unmapPage, 'invalidate IOTLB', (m, op) =>
      queued(m) < m.queue.rows ? submitIotlbPage(m, op.did, op.iova) : OK,
    ),
    replace(unmapPage, 'invalidate ATC', (m, op) => (queued(m) < m.queue.rows ? submitAtcs(m, op.did, op.iova) : OK)),
  ],
});

export const fullQueueRefuses = mutant('full queue fails the call', {
  says: 'unmap gives up when the queue is full of what another domain left in it',
  source: 'I14; XSA-373 (the queue is shared)',
  edits: [
    insertBefore(unmapPage, 'clear entry', 'the queue has room', (m) =>
      queued(m) < m.queue.rows ? OK : IOMMU_ERRNO.EBUSY,
    ),
  ],
});

/** Waits for the completion for as long as it takes. */
function waitForEver(m: Iommu, op: { readonly did: number }): number {
  if (m.flush.state[op.did] !== COMPLETED) {
    if (isSplit(m)) return AGAIN;
    while (m.flush.state[op.did] !== COMPLETED) takeHead(m);
  }
  m.flush.state[op.did] = IDLE;
  return OK;
}

export const endlessWait = mutant('wait without a time-out', {
  says: 'the queue stands still (a device does not answer), and the VMM waits for ever',
  source: 'VT-d 6.5.2.11 (invalidation time-out errors)',
  edits: [
    drop(processQueue),
    replace(unmapPage, 'completed', waitForEver),
    replace(revokeWrite, 'completed', waitForEver),
  ],
});

export const detachLeaks = mutant('detach: tables leaked', {
  says: 'detach gives the device up and never frees the tables of its last domain',
  source: 'generated: omitted step',
  edits: [omit(detach, 'free tables')],
});

export const neverReaped = mutant('late completion ignored', {
  says: 'what a flush held back when it timed out is never given back',
  source: 'generated: omitted operation',
  edits: [drop(reap)],
});

/** Whether any wait has completed, whosever it is. */
function anyCompleted(m: Iommu): boolean {
  for (let d = 0; d < m.flush.rows; d++) {
    if (m.flush.state[d] === COMPLETED || m.flush.state[d] === LATE) return true;
  }
  return false;
}

export const untaggedCompletion = mutant('XSA-373 c', {
  says: 'completions carry no tag: the late one of an earlier wait is taken for the next wait\u2019s own',
  source: 'H18; CVE-2021-28692, Xen 944da2f5b8, 9f8bf2a7dd, dc3e544186',
  edits: [
    replace(unmapPage, 'completed', (m, op) => {
      if (!anyCompleted(m)) {
        if (m.fails(waitTimeout)) {
          m.flush.state[op.did] = ABANDONED;
          return IOMMU_ERRNO.ETIMEDOUT;
        }
        if (isSplit(m)) return AGAIN;
        while (!anyCompleted(m)) takeHead(m);
      }
      m.flush.state[op.did] = IDLE;
      return OK;
    }),
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

export const rangeTooSmall = mutant('invalidation: first page only', {
  says: 'a page-selective invalidation of a page other than the first does nothing; one of a DID takes the first page only',
  source: 'H41 60j (Linux/QEMU 1194140b7f); I7',
  edits: [
    replace(processQueue, 'perform the commands', (m, op) => {
      for (let i = 0; i <= op.last; i++) {
        const command = m.queue.command[0];
        const target = m.queue.target[0];
        if (command === IOTLB_OF_DID || command === IOTLB_PAGE) {
          if (command === IOTLB_OF_DID || m.queue.page[0] === 0) {
            m.iotlb.frame[m.iotlb.at(target, 0)] = NONE;
            m.iotlb.rights[m.iotlb.at(target, 0)] = 0;
          }
        } else perform(m, command, target, m.queue.page[0]);
        advance(m);
      }
    }),
  ],
});

export const rangeTooLarge = mutant('invalidation widened', {
  says: 'a page-selective invalidation removes all that the DID has cached',
  source: 'H41 60b; QEMU 9a4bb8391f',
  edits: [
    replace(processQueue, 'perform the commands', (m, op) => {
      for (let i = 0; i <= op.last; i++) {
        const command = m.queue.command[0];
        if (command === IOTLB_PAGE) flushDid(m, m.queue.target[0]);
        else if (command !== NO_COMMAND) perform(m, command, m.queue.target[0], m.queue.page[0]);
        advance(m);
      }
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
