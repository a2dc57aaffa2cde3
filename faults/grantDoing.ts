/** Generated mutants of grant mappings whose steps race: what is taken before it is known whether it may be. */
import { mutant } from '../drivers/suite.js';
import { mapGrant } from '../model/grantMap.js';
import { reorder, undoWith } from '../model/kernel/index.js';

export const referencesFirst = mutant('references first, and kept', {
  says: 'a mapping takes its references before it has read the entry, and keeps them when the entry is gone',
  source: 'generated: order of steps',
  edits: [
    reorder(mapGrant, [
      'find the granter, take a handle',
      'check the pins, lock the entry',
      'take the references',
      'read the entry',
      'set the status bits',
      'count the pins',
      'enter the host mapping',
      'enter the device mapping',
      'unlock the entry',
      'write the handle',
      'write the flags of the handle',
    ]),
    undoWith(mapGrant, 'take the references', undefined),
  ],
});
