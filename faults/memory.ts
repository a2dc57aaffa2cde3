/**
 * What goes wrong with memory: wild writes (F1), memory taken back while it is in use (F4); and the historical bugs of page types,
 * page-table updates and reclamation, as edits of the specification. Crashes (F10) are in model/domains.ts.
 */

import { mutant } from '../drivers/suite.js';
import { type Memory, reach, relinquishEntry, writePart } from '../model/access.js';
import { createDomain, DYING, destroyDomain, domain, generation, releaseDomain, runs } from '../model/domains.js';
import { frame, part, putPage, relinquishFrame, touchFrame } from '../model/frames.js';
import {
  blockedBy,
  DONE,
  drop,
  gate,
  guardWith,
  module,
  NONE,
  OK,
  omit,
  operationOn,
  reorder,
  replace,
} from '../model/kernel/index.js';
import {
  domainOf,
  mapFrame,
  NO_RIGHT,
  pinTable,
  READ,
  splitTable,
  unmapFrame,
  unpinTable,
  updateEntry,
  WRITE,
  withdrawFrame,
  writeProtect,
} from '../model/mmu.js';

const operation = operationOn<Memory>();

/** Processors translate every access, and refuse what no entry allows. */
export const translation = gate('MMU');

/** Whether some vCPU of domain d can write frame f. */
function canWrite(m: Memory, d: number, f: number): boolean {
  for (let v = 0; v < m.tlb.rows / m.frame.rows; v++) if (domainOf(m, v) === d && reach(m, v, f) === WRITE) return true;
  return false;
}

/** F1: a domain writes where nothing allows it: a read-only frame of its own, another's frame, a free one, the VMM's. */
export const wildWrite = operation('fault.wildWrite', {
  agent: domain,
  says: 'writes the {part} of {frame}, which it has not mapped writable',
  fault: 'F1',
  input: { frame, part },
  where: {
    agent: (m, op) => runs(m, op.agent),
    frame: (m, op) => !canWrite(m, op.agent, op.frame),
  },
  touches: (m, op, may) => may.write(m.content, m.content.at(op.frame, op.part)),
  atomic: true,
  steps: {
    'translate and write': (m, op) => {
      if (m.on(translation)) return blockedBy(translation);
      writePart(m, op.agent, op.frame, op.part);
      return OK;
    },
  },
});

/** F4: the tool stack takes a frame back while mappings of it are in use. Whoever still holds a reference keeps it alive. */
export const reclaimInUse = operation('fault.reclaim', {
  agent: 'control',
  says: 'takes {frame} back while it is in use',
  fault: 'F4',
  input: { frame },
  where: { frame: (m, op) => m.frame.allocated[op.frame] === 1 && m.frame.refs[op.frame] > 1 },
  touches: (m, op, may) => touchFrame(m, may, op.frame),
  atomic: true,
  steps: {
    'drop the allocation reference': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

export const memoryFaults = module<Memory, Record<never, never>>('memory faults', {
  tables: {},
  operations: [wildWrite, reclaimInUse],
});

const RW = 0;
const PSE = 1;

/** H06: each bit that an update may not set without validation. `accessed` is the bit that it may: that mutant is equivalent. */
export const fastPathWritable = mutant('XSA-182', {
  says: 'an update that sets RW on an entry for a page table skips validation',
  source: 'XSA-182, CVE-2016-6258',
  edits: [
    replace(updateEntry, 'check the fast path', (m, op) => {
      if (op.bit === PSE) return OK;
      if (op.bit !== RW || m.pageTable.pinned[op.frame] === 0) return op.bit === RW ? OK : DONE;
      m.pte.rights[m.pte.at(op.agent, op.frame)] = WRITE;
      return DONE;
    }),
  ],
});

export const fastPathAnyWritable = mutant('XSA-148 RW', {
  says: 'an update that sets RW skips validation, whatever the entry',
  source: 'XSA-148, CVE-2015-7835',
  edits: [
    replace(updateEntry, 'check the fast path', (m, op) => {
      if (op.bit === PSE) return OK;
      if (op.bit === RW) m.pte.rights[m.pte.at(op.agent, op.frame)] = WRITE;
      return DONE;
    }),
  ],
});

export const fastPathLarge = mutant('XSA-148 PSE', {
  says: 'an update that sets the page-size bit skips validation',
  source: 'XSA-148, CVE-2015-7835',
  edits: [
    replace(updateEntry, 'check the fast path', (m, op) => {
      if (op.bit === RW) return OK;
      if (op.bit === PSE) m.pte.large[m.pte.at(op.agent, op.frame)] = 1;
      return DONE;
    }),
  ],
});

/** H07. */
export const flushBeforeType = mutant('XSA-401', {
  says: 'the TLBs are flushed before the new type is taken',
  source: 'XSA-401, CVE-2022-26362',
  edits: [
    reorder(pinTable, ['take a reference', 'read the type', 'flush the TLBs', 'take the type', 'validate and pin']),
  ],
});

/** H09. */
export const removalIgnored = mutant('XSA-247', {
  says: 'the failure to remove a mapping is ignored, and the frame freed',
  source: 'XSA-222, XSA-247',
  edits: [
    replace(withdrawFrame, 'remove the mapping', (m, op) => {
      const row = m.pte.at(op.agent, op.frame);
      op.had = m.pte.rights[row];
      if (!m.fails(splitTable)) m.pte.rights[row] = NO_RIGHT;
      return OK;
    }),
  ],
});

export const unmapKeepsType = mutant('unmap keeps the type', {
  says: 'unmapping a writable entry does not drop the type count',
  source: 'generated: omitted step of a revocation',
  edits: [omit(unmapFrame, 'drop the type')],
});

export const unmapKeepsReference = mutant('unmap keeps the reference', {
  says: 'unmapping does not drop the reference',
  source: 'generated: omitted step of a revocation',
  edits: [omit(unmapFrame, 'drop the reference')],
});

export const mappingsNotReleased = mutant('mappings not released', {
  says: 'what a dead domain had mapped is not unmapped',
  source: 'generated: omitted operation',
  edits: [drop(relinquishEntry)],
});

export const createdTwice = mutant('created twice', {
  says: 'a domain is created under an id that is in use',
  source: 'generated: omitted guard',
  edits: [guardWith(createDomain, 'target', (m, op) => m.domain.generation[op.target] + 1 < m.size(generation))],
});

export const deadActs = mutant('dead domain maps', {
  says: 'a dead domain still maps',
  source: 'generated: omitted guard',
  edits: [guardWith(mapFrame, 'agent', undefined)],
});

export const earlyRelease = mutant('id released early', {
  says: 'the id of a dead domain is released while it still holds something',
  source: 'after XSA-322: a number that comes back',
  edits: [omit(releaseDomain, 'wait until nothing is held')],
});

export const teardownOfOthers = mutant('teardown of others', {
  says: "taking a dead domain's memory back does not look at the owner",
  source: 'generated: omitted guard',
  edits: [
    guardWith(
      relinquishFrame,
      'frame',
      (m, op) => m.frame.owner[op.frame] !== NONE && m.frame.allocated[op.frame] === 1 && m.domain.life.includes(DYING),
    ),
  ],
});

export const entriesOfOthers = mutant('entries of the living taken back', {
  says: 'the VMM takes mappings back without a look at whether their domain is dying',
  source: 'generated: omitted guard',
  edits: [guardWith(relinquishEntry, 'target', undefined)],
});

export const unpinOfOthers = mutant('page table of another unpinned', {
  says: 'a domain ends the use of a page table that is not its own',
  source: 'generated: omitted guard',
  edits: [guardWith(unpinTable, 'frame', undefined)],
});

export const destroyedLives = mutant('destroyed and alive', {
  says: 'the call that destroys a domain returns success, and the domain runs on',
  source: 'generated: omitted step',
  edits: [replace(destroyDomain, 'stop it', () => {})],
});

export const protectedTwice = mutant('protected twice', {
  says: 'two processors that take the same right away drop its type count twice',
  source: 'after XSA-218: two that give one thing back',
  edits: [
    replace(writeProtect, 'write the entry', (m, op) => {
      m.pte.rights[m.pte.at(op.agent, op.frame)] = READ;
    }),
  ],
});

export const protectUnheld = mutant('protected without a reference', {
  says: 'the frame is not held while its type is dropped: it may be free by then',
  source: 'H08, XSA-299: what is worked on is not held',
  edits: [omit(writeProtect, 'take a reference'), omit(writeProtect, 'drop the reference of the old entry')],
});
