/** Mistakes of table walkers, as edits of the request of machine `vtd-walk`. */

import { mutant } from '../drivers/suite.js';
import { type Edit, replace } from '../model/kernel/index.js';
import { PAGE_SIZE, READ_WRITE, type UnitCapability } from '../model/vtd/entries.js';
import { accessFault, fetchContext, type TableMemory, translate, translateIn, walkTables } from '../model/vtd/walk.js';
import { deliver, lastWalk, requestOf, send } from '../model/vtd/walkMachine.js';

type Request = ReturnType<typeof requestOf>;
const walks = (by: (r: Request) => number): readonly Edit[] => [
  replace(send, 'walk', (m, op) => deliver(op, by(requestOf(m, op)))),
];
/** The request with other words: what a walker that misreads an entry sees. */
const misread = (r: Request, change: (word: number, index: number, frame: number) => number): TableMemory => ({
  reaches: (frame) => r.memory.reaches(frame),
  word: (frame, index) => change(r.memory.word(frame, index), index, frame),
});
const again = (r: Request, memory: TableMemory, unit: UnitCapability = r.unit): number =>
  translate(unit, memory, r.root, r.sourceId, r.lo, r.hi, r.write, lastWalk);
const isTable = (frame: number): boolean => frame >= 0x12;

export const reservedIgnored = mutant('reserved bits ignored', {
  says: 'reserved bits of second-level entries are not looked at',
  source: 'H41 60o (QEMU issues 3550, 3554, 3555)',
  edits: walks((r) =>
    again(
      r,
      misread(r, (w, i, f) => (isTable(f) ? ((i & 1) === 1 ? w & 0x7f : w & ~0x800) : w)),
    ),
  ),
});
export const ignoredTaken = mutant('ignored bits taken for an address', {
  says: 'bits of an entry that are for software change the frame that it names',
  source: 'VT-d 9.8',
  edits: walks((r) =>
    again(
      r,
      misread(r, (w, i, f) =>
        isTable(f) && (i & 1) === 0 && r.memory.word(f, i + 1) >>> 20 !== 0 ? w ^ 0x40000000 : w,
      ),
    ),
  ),
});
export const superpageAsTable = mutant('superpage taken for a table', {
  says: 'the page-size bit of an entry is overlooked, and the page is walked as a table',
  source: 'H41 60n (leaf and non-leaf confused)',
  edits: walks((r) =>
    again(
      r,
      misread(r, (w, i, f) => (isTable(f) && (i & 1) === 0 ? w & ~PAGE_SIZE : w)),
    ),
  ),
});
export const rightsOr = mutant('rights combined with OR', {
  says: 'a right that one level gives is given',
  source: 'VT-d 3.7.1',
  edits: walks((r) => {
    let seen = 0;
    return again(
      r,
      misread(r, (w, i, f) => {
        if (!isTable(f) || (i & 1) === 1 || (w & READ_WRITE) === 0) return w;
        seen |= w & READ_WRITE;
        return seen === READ_WRITE ? w | READ_WRITE : w | (seen & READ_WRITE);
      }),
    );
  }),
});
export const leafRightsOnly = mutant('rights of the leaf only', {
  says: 'the rights of the tables above a page are not looked at',
  source: 'VT-d 3.7.1',
  edits: walks((r) => {
    const reason = fetchContext(r.unit, r.memory, r.root, r.sourceId, lastWalk);
    if (reason !== 0) return reason;
    const above = misread(r, (w, i, f) =>
      isTable(f) && f < 0x15 && (i & 1) === 0 && (w & 3) !== 0 ? w | READ_WRITE : w,
    );
    return translateIn(r.unit, above, r.lo, r.hi, r.write, lastWalk);
  }),
});
export const widthIgnored = mutant('address width ignored', {
  says: 'address bits above the width of the tables are dropped, so a high address wraps onto a low one',
  source: 'VT-d 3.7; wrap at the top of the address space',
  edits: walks((r) => {
    const reason = fetchContext(r.unit, r.memory, r.root, r.sourceId, lastWalk);
    if (reason !== 0) return reason;
    const broken = walkTables(r.unit, r.memory, lastWalk.table, lastWalk.levels, r.lo & 0x7ffffff, 0, 3, lastWalk);
    return broken !== 0 ? broken : accessFault(lastWalk.rights, r.write);
  }),
});
export const absentIsOpen = mutant('absent context entry lets pass', {
  says: 'a request without a context entry is passed through untranslated',
  source: 'H41 60e (QEMU f6b5644c90)',
  edits: walks((r) => {
    const reason = again(r, r.memory);
    if (reason !== 2) return reason;
    lastWalk.frame = r.lo;
    return 0;
  }),
});
export const hostWidthIgnored = mutant('host address cut', {
  says: 'address bits above the host width are cut off',
  source: 'H41 60c (size and address cut to fewer bits)',
  edits: walks((r) =>
    again(
      r,
      misread(r, (w, i, f) => (isTable(f) && (i & 1) === 1 ? 0 : w)),
    ),
  ),
});

export const vtdWalkMutants = [
  ...[reservedIgnored, superpageAsTable, rightsOr, leafRightsOnly, widthIgnored, absentIsOpen, hostWidthIgnored],
] as const;
