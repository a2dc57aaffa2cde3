/** Mistakes in changing second-level entries that hardware is reading, as edits of machine `vtd-torn`. */
import { mutant } from '../drivers/suite.js';
import { insertBefore, omit, reorder, replace } from '../model/kernel/index.js';
import { exchangeEntry, highWord, invalidateTorn, lowWord, replaceEntry, type Torn } from '../model/vtd/tornMachine.js';

const SOURCE = 'H17, XSA-347 (Xen 56f8da75e1)';

const writeLow = (m: Torn, op: { entry: number; to: number }): void => {
  m.tornWord.word[op.entry * 2] = lowWord(op.entry, op.to);
};
const writeHigh = (m: Torn, op: { entry: number; to: number }): void => {
  m.tornWord.word[op.entry * 2 + 1] = highWord(op.entry, op.to);
};

export const lowWordFirst = mutant('low word first', {
  says: 'the word with the rights is written before the rest of the address',
  source: SOURCE,
  edits: [
    reorder(replaceEntry, ['clear the rights', 'invalidate', 'write the low word', 'write the high word', 'done']),
  ],
});

export const highWordLive = mutant('high word of a live entry', {
  says: 'the upper half of the address is written while the entry still gives its old rights',
  source: SOURCE,
  edits: [
    reorder(replaceEntry, ['write the high word', 'clear the rights', 'invalidate', 'write the low word', 'done']),
  ],
});

export const exchangeInHalves = mutant('one store that is two', {
  says: 'the store of 64 bits is taken apart, the address first',
  source: SOURCE,
  edits: [insertBefore(exchangeEntry, 'store both words', 'store the high word', writeHigh)],
});

export const rightsBeforeAddress = mutant('rights before the address', {
  says: 'a live entry is changed field by field: the new rights first, with the old address',
  source: SOURCE,
  edits: [
    insertBefore(exchangeEntry, 'store both words', 'store the rights', (m, op) => {
      const at = op.entry * 2;
      if (m.tornWord.word[at] !== 0) m.tornWord.word[at] = (m.tornWord.word[at] & ~3) | (lowWord(op.entry, op.to) & 3);
    }),
  ],
});

export const exchangeNotInvalidated = mutant('exchange without invalidation', {
  says: 'an entry that is changed at once is taken to need no invalidation',
  source: 'H19, XSA-275: deciding whether to flush',
  edits: [omit(exchangeEntry, 'invalidate')],
});

export const directoryAsLeaf = mutant('directory changed with the leaf hint', {
  says: 'the hint that only a leaf has changed is given for a directory entry too',
  source: 'H24, CVE-2025-71089; VT-d 6.5.3.3',
  edits: [replace(exchangeEntry, 'invalidate', (m) => invalidateTorn(m, true))],
});

export const writtenBeforeInvalidation = mutant('entry written before the old one is invalidated', {
  says: 'the new words are written first and the old translation is never invalidated',
  source: 'H19; generated: omitted step',
  edits: [omit(replaceEntry, 'invalidate'), replace(replaceEntry, 'write the low word', writeLow)],
});
