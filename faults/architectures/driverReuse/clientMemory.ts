/** Attacks of a DD/OS's processor on memory, on today's hardware, and mutants of the client's loan. DMA attacks are those of faults/dma.ts. */
import { mutant } from '../../../drivers/suite.js';
import {
  CLIENT,
  type ClientMemory,
  DD_OS,
  mapClientPage,
  mayHave,
  pinnedStays,
  unmapClientPage,
} from '../../../model/architectures/driverReuse/clientMemory.js';
import { pageTables } from '../../../model/architectures/driverReuse/muxState.js';
import { frame } from '../../../model/frames.js';
import { blockedBy, module, NONE, OK, omit, operationOn, reorder } from '../../../model/kernel/index.js';

const operation = operationOn<ClientMemory>();

function scribble(m: ClientMemory, f: number): void {
  m.content.writer[m.content.at(f, 0)] = DD_OS;
  m.content.writer[m.content.at(f, 1)] = DD_OS;
}

/** The driver scribbles over its own memory. */
export const storesInside = operation('driver.storeInside', {
  agent: 'DD/OS',
  says: 'stores wildly to its own {frame}',
  fault: 'F1',
  atomic: true,
  input: { frame },
  where: {
    frame: (m, op) => m.frame.owner[op.frame] === DD_OS && m.content.writer[m.content.at(op.frame, 0)] !== DD_OS,
  },
  touches: (m, op, may) => {
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: { store: (m, op) => scribble(m, op.frame) },
});

/** The driver stores to memory that it may not have. */
export const storesOutside = operation('driver.storeOutside', {
  agent: 'DD/OS',
  says: 'stores wildly to {frame}, which is not its own',
  fault: 'F1',
  atomic: true,
  input: { frame },
  where: { frame: (m, op) => !mayHave(m, DD_OS, op.frame) },
  touches: (m, op, may) => {
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    store: (m, op) => {
      if (m.on(pageTables)) return blockedBy(pageTables);
      scribble(m, op.frame);
      return OK;
    },
  },
});

/** F4: the balloon: the monitor would take back a page of the client's that the device has. */
export const reclaimUnderDma = operation('monitor.reclaimInFlight', {
  agent: 'monitor',
  says: 'would take {frame} back from the client while the device is at work in it',
  source: 'LeVasseur et al. 2004, V5 pin rule (the balloon must refuse pinned pages)',
  fault: 'F4',
  atomic: true,
  onFailure: 'safe',
  input: { frame },
  where: { frame: (m, op) => m.frame.owner[op.frame] === CLIENT && m.dma.frame.includes(op.frame) },
  touches: (m, op, may) => may.write(m.frame, op.frame),
  steps: {
    'look at the pins': (m, op) => {
      if (m.on(pinnedStays) && m.frame.refs[op.frame] > 1) return blockedBy(pinnedStays);
      m.frame.allocated[op.frame] = 0;
      m.frame.owner[op.frame] = NONE;
      m.frame.refs[op.frame]--;
      return OK;
    },
  },
});

export const storeFaults = module<ClientMemory, Record<never, never>>('wild stores of a DD/OS, and a balloon', {
  tables: {},
  operations: [storesInside, storesOutside, reclaimUnderDma],
});

export const loanNotFlushed = mutant('loan not flushed', {
  says: 'a client page is unmapped without invalidating the IOTLB',
  source: 'GAP-V7 on today\u2019s hardware',
  edits: [omit(unmapClientPage, 'invalidate IOTLB')],
});

export const loanUnpinnedEarly = mutant('loan unpinned early', {
  says: 'a client page is unpinned before the invalidation has completed',
  source: 'LeVasseur et al. 2004, V5 pin rule; UNSW-CSE-TR-0303 4b Close',
  edits: [
    reorder(unmapClientPage, ['clear entry', 'unpin', 'invalidate IOTLB', 'invalidate ATC', 'wait', 'completed']),
  ],
});

export const loanKeepsAtc = mutant('loan kept by the device', {
  says: 'a client page is unmapped without invalidating the device\u2019s own translations',
  source: 'PCI Express ATS',
  edits: [omit(unmapClientPage, 'invalidate ATC')],
});

export const loanUnpinned = mutant('loan without a pin', {
  says: 'a client page is mapped for the DD/OS without being pinned',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  edits: [omit(mapClientPage, 'pin')],
});
