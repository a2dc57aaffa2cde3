/** Mistakes in transferring frames and swapping entries. */
import { mutant } from '../drivers/suite.js';
import { forget } from '../model/grantGuest.js';
import { COMMITTED, GNTST, TRANSFER } from '../model/grants.js';
import { swapGrants, transferFrame, withdrawTransfer } from '../model/grantTransfer.js';
import { guardWith, NONE, OK, omit, reorder, replace, undoWith } from '../model/kernel/index.js';

export const stolenInUse = mutant('frame transferred while in use', {
  says: 'a frame is taken from its donor without a look at its references',
  source: 'xen/arch/x86/mm.c, steal_page: the reference count',
  edits: [
    replace(transferFrame, 'steal the page', (m, op) => {
      if (m.frame.owner[op.frame] !== op.agent || m.frame.allocated[op.frame] === 0) return GNTST.GNTST_bad_page;
      m.frame.owner[op.frame] = NONE;
      m.frame.allocated[op.frame] = 0;
      return OK;
    }),
  ],
});

export const donorUnchecked = mutant('frame from anybody', {
  says: 'an entry takes a frame from a donor that it does not name',
  source: 'grant_table.c, gnttab_prepare_for_transfer: the domain in the compare-and-exchange',
  edits: [
    replace(transferFrame, 'commit the entry', (m, op) => {
      const row = m.grant.at(op.recipient, op.ref);
      if (m.grant.flags[row] !== TRANSFER) return GNTST.GNTST_bad_gntref;
      m.grant.flags[row] |= COMMITTED;
      return OK;
    }),
  ],
});

export const entryNotCommitted = mutant('entry not committed', {
  says: 'an entry is not marked before the frame is on its way, and may be withdrawn under it',
  source: 'grant_table.h, GTF_transfer_committed',
  edits: [
    replace(transferFrame, 'commit the entry', (m, op) => {
      const row = m.grant.at(op.recipient, op.ref);
      return m.grant.flags[row] === TRANSFER && m.grant.domid[row] === op.agent ? OK : GNTST.GNTST_bad_gntref;
    }),
  ],
});

export const completedFirst = mutant('entry completed first', {
  says: 'the entry is completed before the number of its frame is written',
  source: 'grant_table.h, the order of GTF_transfer_completed (smp_wmb)',
  edits: [
    reorder(transferFrame, [
      ...(['steal the page', 'flush the TLBs', 'find the recipient', 'commit the entry', 'assign the page'] as const),
      ...(['complete the entry', 'write the frame'] as const),
    ]),
  ],
});

export const reservationIgnored = mutant('reservation ignored', {
  says: 'a recipient is given more than it may own',
  source: 'grant_table.c, gnttab_transfer: "no reservation headroom"',
  edits: [
    replace(transferFrame, 'assign the page', (m, op) => {
      m.frame.owner[op.frame] = op.recipient;
      m.frame.allocated[op.frame] = 1;
    }),
  ],
});

export const stolenLost = mutant('frame lost', {
  says: 'a transfer that fails leaves the frame nobody’s and referenced',
  source: 'grant_table.c, unlock_and_copyback; generated: omitted undo',
  edits: [undoWith(transferFrame, 'steal the page', undefined)],
});

export const commitLeft = mutant('commitment left', {
  says: 'a transfer that fails leaves the entry committed for ever',
  source: 'generated: omitted undo',
  edits: [undoWith(transferFrame, 'commit the entry', undefined)],
});

export const withdrawnBlindly = mutant('withdrawn without comparing', {
  says: 'a recipient clears an entry that was committed meanwhile',
  source: 'after XSA-396: query-then-act on the other type of entry',
  edits: [
    replace(withdrawTransfer, 'clear by compare-and-exchange', (m, op) => forget(m, m.grant.at(op.agent, op.ref))),
  ],
});

export const swappedInUse = mutant('entry swapped in use', {
  says: 'entries are swapped though one of them is in use',
  source: 'grant_table.c, swap_grant_ref: the pins',
  edits: [omit(swapGrants, 'neither is in use')],
});

export const swappedInPart = mutant('entry swapped in part', {
  says: 'flags and domain are swapped, and the frame is forgotten',
  source: 'generated: omitted part',
  edits: [
    replace(swapGrants, 'swap', (m, op) => {
      const a = m.grant.at(op.agent, op.ref);
      const b = m.grant.at(op.agent, op.other);
      const { flags, domid } = m.grant;
      [flags[a], flags[b]] = [flags[b], flags[a]];
      [domid[a], domid[b]] = [domid[b], domid[a]];
    }),
  ],
});

export const deadAccepts = mutant('dead recipient withdraws', {
  says: 'a dead domain still withdraws its entry',
  source: 'generated: omitted guard',
  edits: [guardWith(withdrawTransfer, 'agent', undefined)],
});
