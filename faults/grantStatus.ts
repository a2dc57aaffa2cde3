/** Mistakes in the protocol of status words, version 2 of grant tables. */
import { mutant } from '../drivers/suite.js';
import { endStatus, mapStatus } from '../model/grantStatus.js';
import { omit, reorder, undoWith } from '../model/kernel/index.js';

export const statusNotRolledBack = mutant('status bit not rolled back', {
  says: 'a mapping that finds the entry gone leaves the status bits that it has set',
  source: 'architectures 7.3, mutant 15; grant_table.c, _set_status_v2 (the roll-back)',
  edits: [undoWith(mapStatus, 'set the status bits', undefined)],
});

export const entryNotReadAgain = mutant('entry not read again', {
  says: 'a mapping sets its status bits and does not look at the entry again',
  source: 'grant_table.c, _set_status_v2 (the second read)',
  edits: [omit(mapStatus, 'read the entry again')],
});

export const statusFirst = mutant('status looked at first', {
  says: 'the granter looks at the status word before it clears the entry, as without the memory barrier',
  source: 'grant_table.h, removing an unused entry of version 2',
  edits: [reorder(endStatus, ['look at the status', 'clear the flags', 'take it for private'])],
});
