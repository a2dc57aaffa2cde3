/** Ways to put on the data path what does not belong there, as edits. Sources are the designs that do so, and pay for it. */
import { mutant } from '../drivers/suite.js';
import { access, respond as respondBlock } from '../model/blockBack.js';
import { pushRequests, submit as submitBlock } from '../model/blockFront.js';
import { iommuBook, pushBook } from '../model/books.js';
import { getPage, getType, isFree, TYPE_WRITABLE } from '../model/frames.js';
import {
  finishDma,
  type Iommu,
  issueDma,
  READ,
  storeEntry,
  submitIotlbPage,
  TABLE,
  WRITE,
} from '../model/iommu/index.js';
import { DISABLED, guardWith, insertBefore, OK, replace } from '../model/kernel/index.js';
import { ALLOCATION, type Bookkeeper, booked, CONTROL_MESSAGE, COPY, charge, NOTIFICATION } from '../model/ledger.js';
import { BACK, FRONT, type Ring, respond, submit } from '../model/ringEnds.js';

/** The first frame of the domain that DID d stands for, or -1. */
function ownedFrame(m: Iommu, d: number): number {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === m.ioDomain.owner[d] && m.frame.refs[f] > 0) return f;
  return -1;
}

export const mapEachBuffer = mutant('a mapping for each request', {
  says: 'a buffer is mapped when the request that names it is issued',
  source:
    'Fraser et al., UCAM-CL-TR-596, 2004: confinement for each buffer; Leslie and Heiser 2003: map and unmap are the measured cost',
  edits: [
    guardWith(issueDma, 'write', () => true),
    insertBefore(
      issueDma,
      'translate',
      'map the buffer',
      booked(iommuBook, (m: Iommu, op: { agent: number; iova: number }) => {
        const d = m.deviceEntry.did[op.agent];
        if (m.deviceEntry.valid[op.agent] === 0 || m.ioDirectory.kind[d] !== TABLE) return DISABLED;
        const e = m.ioEntry.at(d, op.iova);
        if (m.ioEntry.rights[e] === (READ | WRITE)) return OK;
        const f = ownedFrame(m, d);
        if (f < 0 || !getPage(m, f, m.frame.owner[f]) || !getType(m, f, TYPE_WRITABLE)) return DISABLED;
        storeEntry(m, e, f, READ | WRITE);
        return OK;
      }),
    ),
  ],
});

export const flushEachBuffer = mutant('an invalidation for each request', {
  says: 'the translation of a buffer is invalidated when its request completes',
  source: 'Linux drivers/iommu/dma-iommu.c in strict mode',
  edits: [
    insertBefore(
      finishDma,
      'take effect',
      'invalidate the translation',
      booked(iommuBook, (m: Iommu, op: { dma: number }) =>
        submitIotlbPage(m, m.deviceEntry.did[m.dma.device[op.dma]], 0),
      ),
    ),
  ],
});

export const bounceEachBuffer = mutant('a bounce buffer for each request', {
  says: 'a frame is allocated for each request that is issued',
  source: 'Linux kernel/dma/swiotlb.c, with a pool that grows',
  edits: [
    insertBefore(
      issueDma,
      'translate',
      'allocate a bounce buffer',
      booked(iommuBook, (m: Iommu) => {
        for (let f = 0; f < m.frame.rows; f++) {
          if (!isFree(m, f)) continue;
          m.frame.refs[f] = 1;
          return OK;
        }
        return DISABLED;
      }),
    ),
  ],
});

export const askController = mutant('a control message for each request', {
  says: 'the frontend asks the control domain before it publishes a request',
  source: 'Fraser et al., OASIS 2004, section 4: the controller is for set-up only',
  edits: [insertBefore(submit, 'publish the index', 'ask the control domain', (m) => charge(m, CONTROL_MESSAGE))],
});

export const notifyEachRequest = mutant('a notification for each request', {
  says: 'the frontend notifies at every push, whatever the threshold says',
  source: 'xen/include/public/io/ring.h, hold-off of notifications',
  edits: [
    replace(
      submit,
      'notify if the threshold was passed',
      booked(pushBook as Bookkeeper<Ring>, (m: Ring) => {
        m.side.pending[BACK] = 1;
      }),
    ),
  ],
});

export const notifyEachResponse = mutant('a notification for each response', {
  says: 'the backend notifies at every push, whatever the threshold says',
  source: 'xen/include/public/io/ring.h, hold-off of notifications',
  edits: [
    replace(
      respond,
      'notify if the threshold was passed',
      booked(pushBook as Bookkeeper<Ring>, (m: Ring) => {
        m.side.pending[FRONT] = 1;
      }),
    ),
  ],
});

export const askForEachBlock = mutant('a control message for each block request', {
  says: 'the frontend asks the control domain before it pushes a request',
  source: 'Fraser et al., OASIS 2004, section 4: the controller is for set-up only',
  edits: [insertBefore(submitBlock, 'push', 'ask the control domain', (m) => charge(m, CONTROL_MESSAGE))],
});

export const copyEachBlock = mutant('a copy for each block', {
  says: 'the backend copies a block to a page of its own, and gives that to the disk',
  source: 'Linux drivers/block/xen-blkback with persistent grants (commit 0a8704a51f38): a copy for each segment',
  edits: [insertBefore(access, 'note the service', 'copy', (m) => charge(m, COPY))],
});

export const allocateEachBlock = mutant('an allocation for each block answer', {
  says: 'the backend allocates what it answers with',
  source: 'Fraser et al., OASIS 2004, section 4: no allocation on the data path',
  edits: [insertBefore(respondBlock, 'push', 'allocate', (m) => charge(m, ALLOCATION))],
});

export const notifyEachBlock = mutant('a notification for each block request', {
  says: 'the frontend notifies at every push, whatever the threshold says',
  source: 'xen/include/public/io/ring.h, hold-off of notifications',
  edits: [
    replace(submitBlock, 'push', (m, op) => {
      pushRequests(m, op.agent);
      charge(m, NOTIFICATION);
    }),
  ],
});

export const notifyEachBlockAnswer = mutant('a notification for each block answer', {
  says: 'the backend notifies at every push, whatever the threshold says',
  source: 'xen/include/public/io/ring.h, hold-off of notifications',
  edits: [
    insertBefore(respondBlock, 'push', 'notify all the same', (m, op) => {
      if (m.sring.rspProd[op.f] !== m.fe.rspCons[op.f]) charge(m, NOTIFICATION);
    }),
  ],
});
