/**
 * Mutants of user-level drivers: the orders of close that release too early, the open race of the published patches, lazy invalidation,
 * pins that do not hold. Each is an edit from outside.
 */
import { mutant } from '../../drivers/suite.js';
import { claimDevice, closeDevice, openDevice, pagesOf } from '../../model/architectures/userLevel/handles.js';
import { forget, mapStreaming, note, unmapBus } from '../../model/architectures/userLevel/mappings.js';
import { fork, unmapPages } from '../../model/architectures/userLevel/pages.js';
import {
  NO_MAPPING,
  STREAMING,
  takePage,
  USER_ERRNO,
  type UserDrivers,
} from '../../model/architectures/userLevel/state.js';
import { runs } from '../../model/domains.js';
import { IDLE, READ, storeEntry, submitWait, WRITE } from '../../model/iommu/index.js';
import { DONE, guardWith, insertBefore, NONE, OK, omit, reorder, replace } from '../../model/kernel/index.js';
import { ALLOCATION, charge } from '../../model/ledger.js';

const FLUSH = ['invalidate', 'completed'] as const;

/** The lock that the first step takes, before a step that is now the first. */
const lock = (m: UserDrivers, op: { device: number }): void => {
  m.handle.locked[op.device] = 1;
};

export const unpinFirst = mutant('close: unpin first', {
  says: 'close unpins before the device is disabled',
  source: 'architectures 7.3, mutant 13',
  edits: [
    reorder(closeDevice, ['unpin', 'disable', 'drain', 'clear entries', ...FLUSH, 'release claim']),
    insertBefore(closeDevice, 'unpin', 'lock', lock),
  ],
});

export const noQuiesce = mutant('close without quiesce', {
  says: 'close takes the mappings away and leaves the device running',
  source: 'architectures 7.3, mutant 12',
  edits: [replace(closeDevice, 'disable', lock), omit(closeDevice, 'drain')],
});

export const unmapFirst = mutant('close: unmap first', {
  says: 'close unmaps while the device still masters the bus',
  source: 'architectures 4b (1 before 2)',
  edits: [
    reorder(closeDevice, ['clear entries', ...FLUSH, 'disable', 'drain', 'unpin', 'release claim']),
    insertBefore(closeDevice, 'clear entries', 'lock', lock),
  ],
});

export const releaseFirst = mutant('close: release first', {
  says: 'close gives the claim up before it has cleaned up',
  source: 'architectures 4b (4 last)',
  edits: [reorder(closeDevice, ['disable', 'drain', 'release claim', 'clear entries', ...FLUSH, 'unpin'])],
});

export const unpinBeforeFlush = mutant('close: unpin before the flush', {
  says: 'close unpins when the entries are gone, and the translations are not',
  source: 'architectures 4b (2 before 3)',
  edits: [reorder(closeDevice, ['disable', 'drain', 'clear entries', 'unpin', ...FLUSH, 'release claim'])],
});

export const noDrain = mutant('close: no drain', {
  says: 'close disables the device and does not wait for what it has in flight',
  source: 'architectures 4c, L-S3',
  edits: [omit(closeDevice, 'drain')],
});

export const openRace = mutant('open: claim without looking again', {
  says: 'between the test and the claim of an open another open claims the device',
  source: 'race noted in the source of the 2005 patches',
  edits: [
    replace(openDevice, 'claim', (m, op) => {
      if (!runs(m, op.process)) return USER_ERRNO.EINTR;
      claimDevice(m, op.device, op.process);
      return OK;
    }),
  ],
});

export const closeUnlocked = mutant('close beside a map', {
  says: 'close does not wait for a call that is under way on the handle',
  source: 'race of map, close and kill',
  edits: [
    guardWith(
      closeDevice,
      'device',
      (m, op) => m.device.home[op.device] !== NONE && m.flush.state[op.device] === IDLE && op.device === 0,
    ),
  ],
});

export const lazyUnmap = mutant('lazy IOTLB', {
  says: 'unmap unpins at once, and the IOTLB is invalidated some time later',
  source: 'architectures 7.3, mutant 19; Linux 82c3cef',
  edits: [
    replace(unmapBus, 'invalidate', (m, op) => {
      forget(m, m.mapping.at(op.device, op.iova));
      m.handle.locked[op.device] = 0;
      return DONE;
    }),
  ],
});

export const unmapKeepsIotlb = mutant('unmap: IOTLB kept', {
  says: 'unmap clears the entry and leaves the IOTLB as it is',
  source: 'omitted step',
  edits: [replace(unmapBus, 'invalidate', (m, op) => submitWait(m, op.device))],
});

export const closeKeepsIotlb = mutant('close: IOTLB kept', {
  says: 'close clears the entries and leaves the IOTLB as it is',
  source: 'omitted step',
  edits: [replace(closeDevice, 'invalidate', (m, op) => submitWait(m, op.device))],
});

export const closeKeepsEntries = mutant('close: entries kept', {
  says: 'close disables the device and leaves its entries',
  source: 'omitted step',
  edits: [omit(closeDevice, 'clear entries')],
});

export const closeKeepsPins = mutant('close: pins kept', {
  says: 'close empties the set of mappings and leaves their pages pinned',
  source: 'architectures 4b, Close (3): unpin',
  edits: [
    replace(closeDevice, 'unpin', (m, op) => {
      for (let p = 0; p < pagesOf(m); p++) {
        const row = m.mapping.at(op.device, p);
        m.mapping.kind[row] = NO_MAPPING;
        m.mapping.frame[row] = NONE;
        m.mapping.rights[row] = 0;
      }
    }),
  ],
});

export const writableForRead = mutant('direction ignored', {
  says: 'a mapping from which the device only reads gives it the right to write',
  source: 'architectures 4c, L-S2 (rights per direction)',
  edits: [
    replace(mapStreaming, 'install entry', (m, op) => {
      const row = m.mapping.at(op.device, op.iova);
      storeEntry(m, m.ioEntry.at(op.device, op.iova), m.mapping.frame[row], READ | WRITE);
      m.handle.locked[op.device] = 0;
    }),
  ],
});

export const pinIsNoReference = mutant('pin without a reference', {
  says: 'the pin is a count beside the page, and munmap frees the page under it',
  source: 'LKML review of the 2005 patches',
  edits: [
    replace(mapStreaming, 'pin', (m, op) => {
      m.pin.count[op.page]++;
      note(m, m.mapping.at(op.device, op.iova), STREAMING, op.page, op.write === 1 ? READ | WRITE : READ);
    }),
  ],
});

/** Pages that fork shares are pinned as they are. */
export const pinShared = mutant('COW: pinned while shared', {
  says: 'a page that is shared after a fork is pinned as it is, and the next write gives the process another page',
  source: 'CVE-2020-29374; Linux get_user_pages, unsharing before a read-only pin',
  edits: [
    replace(mapStreaming, 'check access', (m, op) => {
      op.page = op.frame;
      m.handle.locked[op.device] = 1;
    }),
  ],
});

/** Pinned pages are shared by fork like any other. */
export const forkShares = mutant('COW under DMA', {
  says: 'fork shares pinned pages too: the parent writes, gets a copy, and the device goes on with the child’s page',
  source: 'LKML review of the 2005 patches; Linux copy_present_page (copied at fork)',
  edits: [
    replace(fork, 'share pages', (m, op) => {
      m.domain.life[2] = 1;
      m.domain.generation[2]++;
      for (let f = 0; f < m.frame.rows; f++) {
        if ((m.page.mapped[f] & (1 << op.agent)) === 0) continue;
        m.page.mapped[f] |= 4;
        m.page.writable[f] &= ~6;
        m.page.cached[f] &= ~6;
        m.frame.refs[f]++;
      }
    }),
  ],
});

export const munmapUnpins = mutant('munmap unpins', {
  says: 'munmap of a pinned page drops the pin with the mapping',
  source: 'LKML review of the 2005 patches (pins must survive munmap)',
  edits: [
    replace(unmapPages, 'unmap', (m: UserDrivers, op) => {
      if (m.pin.count[op.frame] > 0) {
        m.pin.count[op.frame]--;
        m.frame.refs[op.frame]--;
      }
      takePage(m, op.frame, op.agent);
    }),
  ],
});

export const closeLeaksPins = mutant('close: pins kept', {
  says: 'close forgets to unpin',
  source: 'omitted step',
  edits: [omit(closeDevice, 'unpin')],
});

export const mapAllocates = mutant('map allocates', {
  says: 'every mapping allocates its list of bus addresses anew',
  source: 'architectures 4d (a small cache avoids allocation)',
  edits: [insertBefore(mapStreaming, 'pin', 'allocate a list', (m) => charge(m, ALLOCATION))],
});
