/** What the published code of the time-multiplexed IO-MMU lacked (GAP-V5 to GAP-V9), and what it must not lack, as edits. */

import { mutant } from '../../../drivers/suite.js';
import { givePage, lendPage, takeFlight, unlendPage } from '../../../model/architectures/driverReuse/muxMemory.js';
import { tick } from '../../../model/architectures/driverReuse/muxSlices.js';
import { freeFlight, type Mux } from '../../../model/architectures/driverReuse/muxState.js';
import { initially, NONE, OK, omit, reorder, replace } from '../../../model/kernel/index.js';
import { attachForeign, dmaForeign, requestForeignPages, writeNorthbridge } from './mux.js';

const PATCHES = 'LeVasseur et al., hypervisor patches of May 2004';

export const noDrain = mutant('GAP-V5', {
  says: 'the table is switched without waiting for DMA in flight',
  source: PATCHES,
  edits: [omit(tick, 'wait for drain')],
});

export const faultMaps = mutant('GAP-V6', {
  says: 'the handler of an IO fault maps the page at which the device aimed, and lets the DMA through',
  source: PATCHES,
  edits: [
    replace(dmaForeign, 'translate', (m, op) => {
      m.io.entry[m.io.at(m.northbridge.current[0], op.frame)] = 1;
      if (freeFlight(m) >= 0) takeFlight(m, op.agent, op.frame);
      return OK;
    }),
  ],
});

export const noUnmapHook = mutant('GAP-V7', {
  says: 'an unmapped page keeps its entry in the device table',
  source: PATCHES,
  edits: [omit(unlendPage, 'unmap hook'), omit(unlendPage, 'invalidate GART')],
});

export const openNorthbridge = mutant('GAP-V8 northbridge', {
  says: 'a DD/OS may write the northbridge',
  source: PATCHES,
  edits: [omit(writeNorthbridge, 'filter')],
});

export const openAttach = mutant('GAP-V8 attach', {
  says: 'whoever asks may register a device for a table',
  source: PATCHES,
  edits: [omit(attachForeign, 'check the caller')],
});

export const unattachedDevice = mutant('GAP-V8 unattached', {
  says: 'a device that nobody registered keeps the bus under every table',
  source: PATCHES,
  edits: [
    initially((m: Mux) => {
      const v = m.master.rows - 1;
      m.master.table[v] = NONE;
      m.master.bus[v] = 1;
    }),
  ],
});

export const aboveAperture = mutant('GAP-V9', {
  says: 'memory lies above the aperture, where nothing is translated',
  source: 'AMD K8 northbridge: the aperture ends at 2 GiB',
  edits: [
    initially((m: Mux) => {
      m.northbridge.aperture[0] = m.frame.rows - 1;
    }),
  ],
});

export const vmmAboveAperture = mutant('GAP-V9 low', {
  says: 'the aperture covers nothing of what the hypervisor uses',
  source: 'AMD K8 northbridge: the aperture ends at 2 GiB',
  edits: [
    initially((m: Mux) => {
      m.northbridge.aperture[0] = 0;
    }),
  ],
});

export const mastersFirst = mutant('bus masters on before the switch', {
  says: 'devices of the next space have the bus while the old table is active',
  source: 'order of V6 Tick',
  edits: [
    reorder(tick, [
      'count down',
      'bus masters off',
      'wait for drain',
      'bus masters on',
      'switch base',
      'invalidate GART',
    ]),
  ],
});

export const lateInvalidation = mutant('GART invalidated after the masters', {
  says: 'devices of the next space have the bus while translations of the old table are cached',
  source: 'order of V6 Tick',
  edits: [
    reorder(tick, [
      'count down',
      'bus masters off',
      'wait for drain',
      'switch base',
      'bus masters on',
      'invalidate GART',
    ]),
  ],
});

export const unpinnedLoan = mutant('loan without a pin', {
  says: 'a client page is mapped for the DD/OS without being pinned',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  edits: [omit(lendPage, 'pin')],
});

export const loanWithoutEntry = mutant('loan without an entry', {
  says: 'a client page is mapped for the DD/OS and pinned, and its device does not find it',
  source: 'LeVasseur et al. 2004, V6 MapHook',
  edits: [omit(lendPage, 'map hook')],
});

export const pageWithoutEntry = mutant('page without an entry', {
  says: 'a DD/OS is given a page, and its device does not find it',
  source: 'LeVasseur et al. 2004, V6 MapHook',
  edits: [omit(givePage, 'map hook')],
});

export const neverUnpinned = mutant('unmapped and not unpinned', {
  says: 'a page that was unmapped counts as lent for ever, and the client never gets it back',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  edits: [omit(unlendPage, 'unpin')],
});

export const uncheckedRequest = mutant('client pages for anybody', {
  says: 'request_client_pages does not ask whether the caller serves the client',
  source: 'LeVasseur et al. 2004, V1',
  edits: [omit(requestForeignPages, 'check the client')],
});
