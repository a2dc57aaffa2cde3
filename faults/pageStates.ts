/**
 * Bugs of page-state machines, one for each transition and side, and of the shadow tables beside them. The completer's side of sharing and
 * donating is missing: what its initiator owns alone nobody else can have, so those two checks are redundant (`sweep.json`).
 */
import { mutant } from '../drivers/suite.js';
import { OK, omit, replace } from '../model/kernel/index.js';
import { donatePage, mapDma, setFaultInterrupt, sharePage, unmapDma, unsharePage } from '../model/pageStates.js';

const SOURCE = 'H11, Linux 985bb51f';

export const shareInitiator = mutant('share: initiator unchecked', {
  says: 'a party shares a page that is not its own, or that it has shared already',
  source: SOURCE,
  edits: [omit(sharePage, 'check the initiator')],
});
export const unshareInitiator = mutant('unshare: initiator unchecked', {
  says: 'a party takes back what it has not shared',
  source: SOURCE,
  edits: [omit(unsharePage, 'check the initiator')],
});
export const unshareCompleter = mutant('unshare acknowledgement', {
  says: 'a page is taken back from a party that does not borrow it; the one that does keeps it',
  source: SOURCE,
  edits: [omit(unsharePage, 'check the completer')],
});
export const donateInitiator = mutant('donate: initiator unchecked', {
  says: 'a party gives away a page that it only borrows or has shared',
  source: SOURCE,
  edits: [omit(donatePage, 'check the initiator')],
});
export const donatedInUse = mutant('donated under DMA', {
  says: 'a page is given to a guest while a device of the host maps it',
  source: 'H12: what the count is for',
  edits: [omit(donatePage, 'check that no device maps it')],
});

export const dataTakenForTable = mutant('data page taken for a table', {
  says: 'unmapping within a large entry goes on into the data page, and drops counts for what it takes for entries',
  source: 'H12, pkvm-ia issue 104',
  edits: [
    replace(unmapDma, 'split a large entry', (m, op) => {
      if (m.shadow.large[0] === 0) return OK;
      m.shadow.large[0] = 0;
      m.hostDma.count[1 - op.page]--;
      return OK;
    }),
  ],
});
export const failedSplitIgnored = mutant('failed split ignored', {
  says: 'the failure to split a large entry is dropped; the count goes, the mapping stays',
  source: 'H09, H12: an error that is dropped (pkvm-ia issue 91)',
  edits: [
    omit(unmapDma, 'split a large entry'),
    replace(unmapDma, 'clear the entry', (m, op) => {
      if (m.shadow.large[0] === 0) m.hostDma.mapped[op.page] = 0;
    }),
  ],
});
export const firstPageOnly = mutant('first page checked only', {
  says: 'of a large mapping only the first page is looked at',
  source: 'I7: “first element only”; after pkvm-ia issue 104',
  edits: [
    replace(mapDma, 'check the pages', (m, op) => {
      const state = m.view.state[m.view.at(0, op.page)];
      return state !== 0 && state !== 3 && m.hostDma.mapped[op.page] + (op.large === 1 ? m.hostDma.mapped[1] : 0) === 0
        ? OK
        : -1;
    }),
  ],
});
export const borrowedMapped = mutant('mapped without a look at the owner', {
  says: 'the host maps pages that are not its own for its devices',
  source: 'generated: omitted step',
  edits: [
    replace(mapDma, 'check the pages', (m, op) =>
      m.hostDma.mapped[op.page] + m.hostDma.mapped[op.page + op.large] === 0 ? OK : -16,
    ),
  ],
});
export const faultAnywhere = mutant('fault interrupt anywhere', {
  says: 'the address of the unit’s fault interrupt is not looked at',
  source: 'H12, pkvm-ia issue 94',
  edits: [omit(setFaultInterrupt, 'check the address')],
});
