/** Ways to put on the path of a translation what does not belong there, in the bit-level VT-d, as edits. */
import { mutant } from '../drivers/suite.js';
import { insertBefore } from '../model/kernel/index.js';
import { booked } from '../model/ledger.js';
import { vtdBook } from '../model/vtd/book.js';
import { entryLow, READ_WRITE } from '../model/vtd/entries.js';
import { dropTranslation } from '../model/vtd/invalidate.js';
import { entryRow } from '../model/vtd/software.js';
import { A_LEVEL_1, A_LEVEL_2, FIRST_TABLE, meantFrame, pageNumber, type Vtd, wordRow } from '../model/vtd/state.js';
import { dmaCached, dmaWalked } from '../model/vtd/unit.js';

export const mapOnRequest = mutant('a mapping for each translation', {
  says: 'a page is mapped when a request for it is walked',
  source: 'Leslie and Heiser 2003: map and unmap are the measured cost; VT-d 7.4, page requests',
  edits: [
    insertBefore(
      dmaWalked,
      'find context',
      'map the page',
      booked(vtdBook, (m: Vtd, op: { page: number }) => {
        const frame = meantFrame(op.page, pageNumber(op.page));
        if (frame >= 0) m.vtdMemory.word[entryRow(op.page)] = entryLow(frame, READ_WRITE);
      }),
    ),
  ],
});

export const tableOnRequest = mutant('a table for each translation', {
  says: 'a directory that is missing is put in place when a request is walked',
  source: 'Linux drivers/iommu/intel/iommu.c, pfn_to_dma_pte allocates levels that are missing',
  edits: [
    insertBefore(
      dmaWalked,
      'find context',
      'allocate the directory',
      booked(vtdBook, (m: Vtd) => {
        m.vtdMemory.word[wordRow(A_LEVEL_2, 0)] = entryLow(FIRST_TABLE + A_LEVEL_1, READ_WRITE);
      }),
    ),
  ],
});

export const flushOnRequest = mutant('an invalidation for each translation', {
  says: 'what is cached for other pages is dropped when a request is served',
  source: 'Linux drivers/iommu/dma-iommu.c in strict mode',
  edits: [
    insertBefore(
      dmaCached,
      'check rights',
      'drop the translations',
      booked(vtdBook, (m: Vtd) => {
        for (let w = 0; w < m.iotlb.rows; w++) dropTranslation(m, w);
      }),
    ),
  ],
});
