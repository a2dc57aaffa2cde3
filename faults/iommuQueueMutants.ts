/**
 * Mutants of the invalidation queue (time-outs, full queue, completions without a tag: H18, XSA-373), of what is given back after a flush
 * or a domain's death, and of the range of invalidations (H41).
 */
import { mutant } from '../drivers/suite.js';
import {
  ABANDONED,
  advance,
  COMPLETED,
  detach,
  flushDid,
  IDLE,
  IOMMU_ERRNO,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  type Iommu,
  isSplit,
  LATE,
  NO_COMMAND,
  perform,
  processQueue,
  queued,
  reap,
  revokeWrite,
  submitAtcs,
  submitIotlbPage,
  takeHead,
  unmapPage,
  waitTimeout,
} from '../model/iommu/index.js';
import { AGAIN, drop, insertBefore, NONE, OK, omit, replace } from '../model/kernel/index.js';

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

export const neverDetached = mutant('devices of the dead kept', {
  says: 'nobody detaches the devices of a dead domain',
  source: 'generated: omitted operation',
  edits: [drop(detach)],
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
