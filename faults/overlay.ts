/** H05 and H10: special pages that outlive their use. One mutant for each link of the chain of four. */
import { mutant } from '../drivers/suite.js';
import { OK, omit, replace, undoWith } from '../model/kernel/index.js';
import { mapStatus, setOverlay, setVersion } from '../model/overlay.js';

export const freedMapped = mutant('XSA-255', {
  says: 'the status frame is freed without a look at its references',
  source: 'H05, XSA-255 (Xen 4972c38f79)',
  edits: [
    replace(setVersion, 'nobody maps it', (m, op) => {
      if (op.two === 1) return;
      m.special.refs[m.guest.status[0]] = 1;
    }),
  ],
});
export const mappedTwice = mutant('XSA-379', {
  says: 'a second mapping of the status frame takes the place of the first in the books',
  source: 'H05, XSA-379 (Xen 3882d451ec)',
  edits: [
    omit(mapStatus, 'not mapped elsewhere'),
    replace(mapStatus, 'take a reference', (m, op) => {
      if (m.special.refs[op.frame] === 1) m.special.refs[op.frame] = 2;
    }),
  ],
});
export const lookedUpUnlocked = mutant('XSA-384', {
  says: 'the lock is let go between looking the frame up and entering it',
  source: 'H05, XSA-384 (Xen 47193c7888)',
  edits: [
    replace(mapStatus, 'not mapped elsewhere', (m) => {
      m.guest.locked[0] = 0;
    }),
    replace(mapStatus, 'unlock', () => OK),
  ],
});
export const enteredUnlocked = mutant('XSA-486', {
  says: 'the reference is taken under the lock, and the frame entered after it was let go',
  source: 'H05, XSA-486 (Xen 7dedada019)',
  edits: [
    replace(mapStatus, 'take a reference', (m) => {
      m.guest.locked[0] = 0;
    }),
    replace(mapStatus, 'enter it', (m, op) => {
      m.special.refs[op.frame]++;
      m.mapped.frame[op.place] = op.frame;
    }),
    replace(mapStatus, 'unlock', () => OK),
  ],
});
export const overlayUnlocked = mutant('XSA-472', {
  says: 'two processors set the overlay without a lock; one releases what the other has just installed',
  source: 'H10, XSA-472 (Xen af733b706d)',
  edits: [undoWith(setOverlay, 'lock', undefined), omit(setOverlay, 'lock'), replace(setOverlay, 'unlock', () => OK)],
});
export const oldKept = mutant('old overlay kept', {
  says: 'the overlay that is replaced is not released',
  source: 'generated: omitted step',
  edits: [omit(setOverlay, 'put the old one')],
});
