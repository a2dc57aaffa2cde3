/**
 * Memory: frames, page tables and TLBs of paravirtualized domains, under wild writes, reclamation in use and crashes.
 */

import {
  createdTwice,
  deadActs,
  destroyedLives,
  earlyRelease,
  entriesOfOthers,
  fastPathAnyWritable,
  fastPathLarge,
  fastPathWritable,
  flushBeforeType,
  mappingsNotReleased,
  memoryFaults,
  protectedTwice,
  protectUnheld,
  removalIgnored,
  teardownOfOthers,
  translation,
  unmapKeepsReference,
  unmapKeepsType,
  unpinOfOthers,
} from '../../faults/memory.js';
import { type Memory, mappings, processors, refillTlb } from '../../model/access.js';
import { crashDomain, destroyDomain, domains, releaseDomain } from '../../model/domains.js';
import { flushOnFreeing, frame, frames, relinquishFrame, scrubbing, TYPE_VMM } from '../../model/frames.js';
import { module } from '../../model/kernel/index.js';
import { flushOnRetyping, validation } from '../../model/mmu.js';
import {
  countHolders,
  everythingReturns,
  freshId,
  independentOfCrashes,
  independentOfSecrets,
  intactContent,
  keptSecrets,
  lifeCycle,
  ownDoing,
  reachOwn,
  typeExclusive,
} from '../../properties/memory.js';
import { claim, suite } from '../suite.js';
import { leaveOut } from './parts.js';

/** Frame 0 is domain 1's, frame 1 domain 2's, the last of three or more is the VMM's own; the rest is free. */
function ownership(m: Memory): void {
  for (let f = 0; f < m.frame.rows; f++) {
    if (f >= 2) {
      if (f === m.frame.rows - 1) m.frame.type[f] = TYPE_VMM;
      continue;
    }
    m.frame.owner[f] = f + 1;
    m.frame.allocated[f] = 1;
    m.frame.refs[f] = 1;
  }
}

const start = module<Memory, Record<never, never>>('start', { tables: {}, operations: [], initial: ownership });

/** As `start`, and each frame's owner has its secret in it. */
const secretStart = module<Memory, Record<never, never>>('start with secrets', {
  tables: {},
  operations: [],
  initial: (m) => {
    ownership(m);
    for (let c = 0; c < 4; c++) {
      m.content.writer[c] = m.frame.owner[c >> 1];
      m.content.secret[c] = m.frame.owner[c >> 1];
    }
  },
});

const assumptions = [
  'stub: page tables have one level; a frame is mapped at most once by ordinary entries of a domain',
  'stub: memory holds labels (writer, secret) for each half of a frame, not bytes',
  'trusted: the control domain asks only for creation and destruction',
  'the flush that Xen postpones until a freed frame is allocated again happens when it is freed',
];

export const memory = suite('memory', {
  title: 'frames, page tables and TLBs, with domains that write wildly, crash, and lose memory in use',
  machine: { name: 'memory', modules: [domains, frames, processors, mappings, memoryFaults, start] },
  scope: {
    small: { domain: 3, frame: 1, vcpu: 3, generation: 1 },
    default: { domain: 3, frame: 2, vcpu: 3, generation: 1 },
    large: { domain: 3, frame: 3, vcpu: 4, generation: 2 },
  },
  failures: 'any',
  symmetry: frame,
  claims: [
    claim('a domain reaches its own memory only', {
      keeps: [reachOwn, intactContent],
      against: ['F1', 'F4', 'F10'],
      without: [
        { off: translation, breaks: intactContent },
        { off: validation, breaks: reachOwn },
        { off: flushOnFreeing, breaks: reachOwn },
        { off: removalIgnored, breaks: reachOwn },
        { off: fastPathLarge, breaks: reachOwn },
      ],
    }),
    claim('references and types are counted', {
      keeps: [countHolders],
      against: ['F4', 'F10'],
      without: [
        { off: unmapKeepsType, breaks: countHolders },
        { off: unmapKeepsReference, breaks: countHolders },
        { off: fastPathAnyWritable, breaks: countHolders },
        { off: validation, breaks: countHolders },
      ],
    }),
    claim('nobody writes a page table', {
      keeps: [typeExclusive],
      against: ['F1', 'F4'],
      without: [
        { off: flushOnRetyping, breaks: typeExclusive },
        { off: fastPathWritable, breaks: typeExclusive },
        { off: fastPathAnyWritable, breaks: typeExclusive },
      ],
    }),
    claim('memory that changes hands carries nothing over', {
      keeps: [keptSecrets],
      against: ['F4', 'F10'],
      without: [
        { off: scrubbing, breaks: keptSecrets },
        { off: flushOnFreeing, breaks: keptSecrets },
      ],
    }),
    claim('an id that is free holds no memory', {
      keeps: [freshId],
      against: ['F10'],
      without: [{ off: earlyRelease, breaks: freshId }],
    }),
  ],
  assumptions,
});

export const memoryReuse = suite('memory-reuse', {
  title: 'domains that die in the middle of everything, and others that get their ids and their memory',
  machine: { name: 'memory reuse', modules: [domains, frames, processors, mappings, memoryFaults, start] },
  scope: {
    small: { domain: 3, frame: 1, vcpu: 3, generation: 2 },
    default: { domain: 3, frame: 1, vcpu: 3, generation: 3 },
    large: { domain: 3, frame: 2, vcpu: 3, generation: 3 },
  },
  failures: 'any',
  claims: [
    claim('a dead domain returns everything, and its id comes back clean', {
      keeps: [freshId, lifeCycle, keptSecrets, everythingReturns, ownDoing],
      against: ['F10'],
      without: [
        { off: earlyRelease, breaks: freshId },
        { off: createdTwice, breaks: lifeCycle },
        { off: deadActs, breaks: lifeCycle },
        { off: scrubbing, breaks: keptSecrets },
        { off: mappingsNotReleased, breaks: everythingReturns },
        { off: destroyedLives, breaks: lifeCycle },
        { off: entriesOfOthers, breaks: ownDoing },
        { off: unpinOfOthers, breaks: ownDoing },
      ],
    }),
  ],
  assumptions,
});

export const memoryRace = suite('memory-race', {
  title: 'two processors of one domain change what a frame is used as',
  machine: {
    name: 'memory race',
    modules: leaveOut(
      [{ ...domains, operations: [] }, { ...frames, operations: [] }, processors, mappings, start],
      'mmu.relinquish',
      'mmu.relinquishTable',
    ),
    threads: () => [1, 1],
    split: ['mmu.update', 'mmu.protect', 'mmu.unmap', 'mmu.pin', 'mmu.unpin'],
  },
  scope: {
    small: { domain: 2, frame: 1, vcpu: 2 },
    default: { domain: 2, frame: 1, vcpu: 4 },
    large: { domain: 3, frame: 2, vcpu: 6 },
  },
  schedule: 'split',
  claims: [
    claim('nobody writes a page table while another processor changes the type', {
      keeps: [typeExclusive, countHolders, reachOwn],
      against: [],
      without: [
        { off: flushBeforeType, breaks: typeExclusive },
        { off: flushOnRetyping, breaks: typeExclusive },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [...assumptions, 'atomic: each named step of a page-table call; loads, stores and TLB refills'],
});

export const memoryMaps = suite('memory-maps', {
  title: 'two processors of one domain protect and unpin the same frame',
  machine: {
    name: 'memory maps',
    modules: [
      { ...domains, operations: [] },
      { ...frames, operations: [] },
      { ...processors, operations: [refillTlb] },
      mappings,
      start,
    ],
    threads: () => [1, 1],
    split: ['mmu.protect', 'mmu.unpin'],
  },
  scope: {
    small: { domain: 2, frame: 1, vcpu: 2 },
    default: { domain: 2, frame: 1, vcpu: 2 },
    large: { domain: 2, frame: 2, vcpu: 2 },
  },
  schedule: 'split',
  claims: [
    claim('what one processor takes and gives back for a mapping is counted, whatever the other does', {
      keeps: [countHolders, typeExclusive, reachOwn],
      against: [],
      without: [
        { off: flushOnRetyping, breaks: typeExclusive },
        { off: protectedTwice, breaks: countHolders },
        { off: protectUnheld, breaks: countHolders },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [...assumptions, 'atomic: each named step of the calls that protect and unpin; the others whole'],
});

export const strangers = suite('strangers', {
  title: 'two domains that share nothing, one of which keeps a secret and crashes',
  machine: {
    name: 'strangers',
    modules: [
      { ...domains, operations: [crashDomain, destroyDomain, releaseDomain] },
      { ...frames, operations: [relinquishFrame] },
      processors,
      mappings,
      memoryFaults,
      secretStart,
    ],
  },
  scope: {
    small: { domain: 3, frame: 2, vcpu: 3, generation: 1 },
    default: { domain: 3, frame: 2, vcpu: 3, generation: 1 },
    large: { domain: 3, frame: 2, vcpu: 3, generation: 2 },
  },
  claims: [
    claim('what a domain sees does not depend on the secret or the crash of a stranger', {
      keeps: [independentOfSecrets, independentOfCrashes],
      against: ['F1', 'F10'],
      without: [
        { off: validation, breaks: independentOfSecrets },
        { off: teardownOfOthers, breaks: independentOfCrashes },
      ],
    }),
  ],
  assumptions: [...assumptions, 'scope: memory is not allocated anew, for what one returns another may get'],
});
