/**
 * What software does to the tables, one word at a time where that matters. Source: VT-d Architecture Specification, 6.5.3 (changes
 * that need invalidation), 6.6 (set root table pointer), 11.3 (hardware enabling) and 3.4.3 (a context entry is 128 bits, so a change of one
 * that is present is seen in parts).
 *
 * `meant` and `may` follow each change as an abstract IOMMU would. Invalidation is an operation of its own: software may come late
 * with it, or leave it out, and `may` keeps the account.
 */
import { flag, module, operationOn } from '../kernel/index.js';
import { entryLow, PAGE_SIZE, READ, READ_WRITE } from './entries.js';
import {
  complete,
  contextInvalidation,
  dropTranslation,
  invalidate,
  invalidationWait,
  WHOLE_CONTEXT,
  WHOLE_IOTLB,
} from './invalidate.js';
import {
  A_LEVEL_1,
  A_LEVEL_2,
  B_LEVEL_2,
  CONTEXT_0,
  contextLow,
  contextWord2,
  DATA_B,
  FIRST_TABLE,
  HOSTILE_ENTRY,
  mapping,
  meantFrame,
  ROOT,
  space,
  type Vtd,
  wordRow,
} from './state.js';
import { unitOperations } from './unit.js';

const operation = operationOn<Vtd>();

/** Software may start something: the unit is on, and no change of several steps is under way. */
const idle = (m: Vtd): boolean => m.vtdUnit.translating[0] === 1 && m.vtdUnit.busy[0] === 0;
/** The entry of the mapping can be written: its table is in place. The scope's `mappings` bounds which ones software changes. */
const inPlace = (m: Vtd, which: number): boolean =>
  which >= 3 - m.scope.mappings && (which === 2 || m.directory.present[0] === 1);
/** Row of the word that holds the mapping's entry. */
export const entryRow = (which: number): number => (which === 2 ? wordRow(B_LEVEL_2, 0) : wordRow(A_LEVEL_1, which));

/** Writes the entry of a mapping. Frames below 2^20: the high word stays 0, so the change is one store. */
function writeEntry(m: Vtd, which: number, rights: number): void {
  m.vtdMemory.word[entryRow(which)] =
    rights === 0
      ? 0
      : entryLow(which === 2 ? DATA_B : meantFrame(which, which), which === 2 ? rights | PAGE_SIZE : rights);
}

export const map = operation('space.map', {
  agent: 'vmm',
  says: 'maps {which} (writable: {write})',
  source: 'VT-d 9.8',
  input: { which: mapping, write: flag },
  where: {
    agent: idle,
    which: (m, op) => inPlace(m, op.which) && m.meant.rights[op.which] === 0,
    // One mapping is enough to see rights change.
    write: (_m, op) => op.write === 1 || op.which === 0,
  },
  touches: (m, op, may) => {
    may.write(m.vtdMemory, entryRow(op.which));
    may.write(m.meant, op.which);
    may.write(m.may, op.which);
  },
  steps: {
    'mean it': (m, op) => {
      m.meant.rights[op.which] = op.write === 1 ? READ_WRITE : READ;
      m.may.rights[op.which] |= m.meant.rights[op.which];
    },
    'write the entry': (m, op) => writeEntry(m, op.which, m.meant.rights[op.which]),
  },
});

export const unmap = operation('space.unmap', {
  agent: 'vmm',
  says: 'unmaps {which}',
  source: 'VT-d 6.5.3.3',
  input: { which: mapping },
  where: { agent: idle, which: (m, op) => inPlace(m, op.which) && m.meant.rights[op.which] !== 0 },
  touches: (m, op, may) => {
    may.write(m.vtdMemory, entryRow(op.which));
    may.write(m.meant, op.which);
  },
  steps: {
    'clear the entry': (m, op) => writeEntry(m, op.which, 0),
    'mean it': (m, op) => {
      m.meant.rights[op.which] = 0;
    },
  },
});

export const restrict = operation('space.restrict', {
  agent: 'vmm',
  says: 'makes {which} read-only',
  source: 'VT-d 6.5.3.3',
  input: { which: mapping },
  where: { agent: idle, which: (m, op) => op.which === 0 && inPlace(m, 0) && m.meant.rights[0] === READ_WRITE },
  touches: (m, op, may) => {
    may.write(m.vtdMemory, entryRow(op.which));
    may.write(m.meant, op.which);
  },
  steps: {
    'write the entry': (m, op) => writeEntry(m, op.which, READ),
    'mean it': (m, op) => {
      m.meant.rights[op.which] = READ;
    },
  },
});

/** Takes the directory of space A out of the tables; its pages go with it. */
export const removeDirectory = operation('space.removeDirectory', {
  agent: 'vmm',
  says: 'takes the directory of space A out',
  source: 'VT-d 6.5.3.3',
  where: { agent: (m) => m.scope.directories > 0 && idle(m) && m.directory.present[0] === 1 },
  touches: (m, _op, may) => {
    may.write(m.vtdMemory, wordRow(A_LEVEL_2, 0));
    may.write(m.directory);
  },
  steps: {
    'clear the entry': (m) => {
      m.vtdMemory.word[wordRow(A_LEVEL_2, 0)] = 0;
    },
    'mean it': (m) => {
      m.directory.present[0] = 0;
    },
  },
});

/** Gives the directory's frame to a guest, which fills it to its liking; allowed once nothing may use it as a table. */
export const recycleDirectory = operation('space.recycleDirectory', {
  agent: 'vmm',
  says: "gives the directory's frame to a guest, which writes entries into it",
  source: 'XSA-480, CVE-2025-71089: a table page is reused while hardware may still hold it',
  where: {
    agent: (m) =>
      idle(m) && m.directory.present[0] === 0 && m.mayDirectory.used[0] === 0 && m.directory.recycled[0] === 0,
  },
  touches: (m, _op, may) => {
    may.write(m.vtdMemory, wordRow(A_LEVEL_1, 0));
    may.write(m.vtdMemory, wordRow(A_LEVEL_1, 1));
    may.write(m.directory);
    may.write(m.meant, 0);
    may.write(m.meant, 1);
    may.read(m.mayDirectory);
  },
  steps: {
    'fill it': (m) => {
      m.vtdMemory.word[wordRow(A_LEVEL_1, 0)] = HOSTILE_ENTRY;
      m.vtdMemory.word[wordRow(A_LEVEL_1, 1)] = HOSTILE_ENTRY;
    },
    'mean it': (m) => {
      m.directory.recycled[0] = 1;
      m.meant.rights[0] = 0;
      m.meant.rights[1] = 0;
    },
  },
});

/** Takes the frame back, clears it, and puts it in place as a directory. */
export const addDirectory = operation('space.addDirectory', {
  agent: 'vmm',
  says: 'puts an empty directory in place',
  source: 'VT-d 9.8',
  where: { agent: (m) => idle(m) && m.directory.recycled[0] === 1 },
  touches: (m, _op, may) => {
    may.write(m.vtdMemory, wordRow(A_LEVEL_1, 0));
    may.write(m.vtdMemory, wordRow(A_LEVEL_1, 1));
    may.write(m.vtdMemory, wordRow(A_LEVEL_2, 0));
    may.write(m.directory);
    may.write(m.mayDirectory);
  },
  steps: {
    'clear the frame': (m) => {
      m.vtdMemory.word[wordRow(A_LEVEL_1, 0)] = 0;
      m.vtdMemory.word[wordRow(A_LEVEL_1, 1)] = 0;
    },
    'mean it': (m) => {
      m.directory.recycled[0] = 0;
      m.directory.present[0] = 1;
      m.mayDirectory.used[0] = 1;
    },
    'write the entry': (m) => {
      m.vtdMemory.word[wordRow(A_LEVEL_2, 0)] = entryLow(FIRST_TABLE + A_LEVEL_1, READ_WRITE);
    },
  },
});

/** Moves 00:05.0 to a space. A present entry is never changed in place: clear P, invalidate, write, and the word with P last. */
export const attach = operation('device.attach', {
  agent: 'vmm',
  says: 'attaches 00:05.0 to {to}',
  source: 'VT-d 3.4.3, 6.5.3.1',
  input: { to: space },
  where: { agent: idle, to: (m, op) => m.attached.space[0] !== op.to + 1 },
  touches: (m, _op, may) => {
    may.write(m.vtdUnit);
    may.write(m.vtdMemory, wordRow(CONTEXT_0, 0));
    may.write(m.vtdMemory, wordRow(CONTEXT_0, 1));
    may.write(m.attached, 0);
    may.write(m.mayAttach, 0);
    may.write(m.mayAttach, 1);
    may.write(m.contextCache, 0);
    may.write(m.contextCache, 1);
  },
  steps: {
    'clear present': (m) => {
      m.vtdUnit.busy[0] = 1;
      m.vtdMemory.word[wordRow(CONTEXT_0, 0)] = 0;
      m.attached.space[0] = 0;
    },
    'invalidate the context cache': (m) => {
      invalidateContexts(m);
      complete(m, WHOLE_CONTEXT);
    },
    'write width and domain id': (m, op) => {
      m.vtdMemory.word[wordRow(CONTEXT_0, 1)] = contextWord2(op.to);
    },
    'write table and present': (m, op) => {
      m.attached.space[0] = op.to + 1;
      m.mayAttach.spaces[0] |= op.to + 1;
      m.vtdMemory.word[wordRow(CONTEXT_0, 0)] = contextLow(op.to);
    },
    done: (m) => {
      m.vtdUnit.busy[0] = 0;
    },
  },
});

/** Detaches 00:05.0; the invalidation that must follow is an operation of its own. */
export const detach = operation('device.detach', {
  agent: 'vmm',
  says: 'detaches 00:05.0',
  source: 'VT-d 6.5.3.1',
  where: { agent: (m) => idle(m) && m.attached.space[0] !== 0 },
  touches: (m, _op, may) => {
    may.write(m.vtdMemory, wordRow(CONTEXT_0, 0));
    may.write(m.attached, 0);
  },
  steps: {
    'clear present': (m) => {
      m.vtdMemory.word[wordRow(CONTEXT_0, 0)] = 0;
    },
    'mean it': (m) => {
      m.attached.space[0] = 0;
    },
  },
});

/** Hardware forgets all context entries, unless the gate is off. */
export function invalidateContexts(m: Vtd): void {
  if (!m.on(contextInvalidation) || !m.on(invalidationWait)) return;
  const c = m.contextCache;
  for (let r = 0; r < c.valid.length; r++) {
    c.valid[r] = 0;
    c.source[r] = 0;
    c.did[r] = 0;
    c.table[r] = 0;
    c.levels[r] = 0;
  }
}

/** 11.3: latch the root table, forget everything, translate, and only then let devices send. */
export const enable = operation('unit.enable', {
  agent: 'vmm',
  says: 'switches translation on',
  source: 'VT-d 6.6, 10.4.4, 11.3',
  where: { agent: (m) => m.vtdUnit.translating[0] === 0 && m.vtdUnit.masters[0] === 0 && m.vtdUnit.busy[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.vtdUnit);
    may.writeAll(m.contextCache);
    may.writeAll(m.iotlb);
    may.write(m.pagingCache);
    may.writeAll(m.may);
    may.writeAll(m.mayAttach);
    may.write(m.mayDirectory);
  },
  steps: {
    'latch the root table': (m) => {
      m.vtdUnit.busy[0] = 1;
      m.vtdUnit.root[0] = FIRST_TABLE + ROOT;
    },
    'invalidate everything': (m) => {
      invalidateContexts(m);
      for (let w = 0; w < m.iotlb.rows; w++) dropTranslation(m, w);
      m.pagingCache.rights[0] = 0;
      m.pagingCache.did[0] = 0;
      m.pagingCache.frame[0] = 0;
      complete(m, WHOLE_CONTEXT);
      complete(m, WHOLE_IOTLB);
    },
    translate: (m) => {
      m.vtdUnit.translating[0] = 1;
    },
    'let devices send': (m) => {
      m.vtdUnit.masters[0] = 1;
      m.vtdUnit.busy[0] = 0;
    },
  },
});

/** The reverse: devices are silenced before translation ends. */
export const disable = operation('unit.disable', {
  agent: 'vmm',
  says: 'switches translation off',
  source: 'VT-d 10.4.4',
  where: { agent: idle },
  touches: (m, _op, may) => may.write(m.vtdUnit),
  steps: {
    'silence devices': (m) => {
      m.vtdUnit.busy[0] = 1;
      m.vtdUnit.masters[0] = 0;
    },
    'end translation': (m) => {
      m.vtdUnit.translating[0] = 0;
      m.vtdUnit.busy[0] = 0;
    },
  },
});

/** Software and unit. */
export const vtdOperations = module<Vtd, Record<never, never>>('VT-d', {
  tables: {},
  operations: [
    ...unitOperations,
    invalidate,
    ...[map, unmap, restrict, removeDirectory, recycleDirectory, addDirectory, attach, detach, enable, disable],
  ],
});
