/** Mistakes in the protocol of status words, version 2 of grant tables. */
import { mutant } from '../drivers/suite.js';
import { endStatus, mapStatus, unmapStatus } from '../model/grantStatus.js';
import { countPins, HOST, writePinsOf } from '../model/grants.js';
import { omit, reorder, replace, undoWith } from '../model/kernel/index.js';

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

export const statusMappingKept = mutant('mapping of version 2 kept', {
  says: 'unmapping drops pins and references, and the page table keeps the mapping',
  source: 'generated: omitted step',
  edits: [
    replace(unmapStatus, 'remove the mapping', (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      op.frame = m.active.frame[row];
      op.write = writePinsOf(m, row) > 0 ? 1 : 0;
    }),
  ],
});

export const statusPinsKept = mutant('pins of version 2 kept', {
  says: 'unmapping removes the mapping and keeps pins, references and status bits',
  source: 'generated: omitted step',
  edits: [replace(unmapStatus, 'drop pins and references, clear the status bits', () => {})],
});

export const statusStaysLocked = mutant('entry of version 2 stays locked', {
  says: 'a mapping that is refused leaves the entry locked',
  source: 'generated: omitted undo',
  edits: [undoWith(mapStatus, 'check the pins, lock the entry', undefined)],
});

export const statusReferenceKept = mutant('references of version 2 kept', {
  says: 'unmapping drops the pin and keeps the references that it stood for',
  source: 'generated: omitted step',
  edits: [
    replace(unmapStatus, 'drop pins and references, clear the status bits', (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      countPins(m, row, HOST, op.write === 1, -1);
      m.grantStatus.bits[row] = 0;
    }),
  ],
});
