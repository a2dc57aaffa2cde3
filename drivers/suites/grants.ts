/**
 * Grant tables, version 1: a granter, a mapper and a third domain that may be given what they release; the last domain is hostile in
 * both roles. `grants` takes whole calls; the races are between named steps of calls on two processors.
 */
import { load, processors, refillTlb } from '../../model/access.js';
import { domains } from '../../model/domains.js';
import { type Frames, frames, scrubbing } from '../../model/frames.js';
import { copyGrant } from '../../model/grantCopy.js';
import { destroyEntry, endAccess, grantAccess, usePrivately } from '../../model/grantGuest.js';
import { flushOnGrantUnmap, type Grants, pinning, statusBits } from '../../model/grants.js';
import { grants as grantTable } from '../../model/grantUnmap.js';
import { module } from '../../model/kernel/index.js';
import { pinTable, unpinTable } from '../../model/mmu.js';
import {
  dropBeforeFlush,
  entryUnchecked,
  exhaustion,
  failureIgnored,
  flagsNotLast,
  freeInPassTwo,
  grantFaults,
  handleFlagsFirst,
  hostPinsOnly,
  mapperNotReleased,
  oneTypeForTwo,
  pinsNotUndone,
  pinsUnchecked,
  queryThenAct,
  quota,
  referenceBeforePin,
  statusBlindly,
  statusKept,
} from '../../faults/grants.js';
import { earlyRelease, reclaimInUse } from '../../faults/memory.js';
import {
  countGranted,
  freshGrants,
  grantedType,
  keptFromPeers,
  lastOneOnly,
  mappingsMatch,
  ownQuota,
  pinnedAlive,
  pinsMatch,
  reachGranted,
  revoked,
  statusTells,
  wholeHandles,
} from '../../properties/grants.js';
import { everythingReturns } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

/** Frame f belongs to domain f + 1, as far as there are domains; the rest is free. */
const start = module<Frames, Record<never, never>>('start', {
  tables: {},
  operations: [],
  initial: (m) => {
    for (let f = 0; f < m.frame.rows && f + 1 < m.domain.rows; f++) {
      m.frame.owner[f] = f + 1;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
    }
  },
});

/** Processors that cache and load. What they may store follows from what they reach. */
const loads = { ...processors, operations: [refillTlb, load] };
const reclamation = module<Grants, Record<never, never>>('reclamation', { tables: {}, operations: [reclaimInUse] });
const deaths = domains;

const assumptions = [
  'scope: no domain maps its own grants; references are in range; the last domain alone is hostile',
  'stub: owners reach their own frames without page tables of their own, which the suite `memory` has',
  'stub: a device reaches what the one-to-one entry of its domain allows; caches of the IOMMU are in its own suites',
  'trusted: the control domain, except that it may take frames back while they are in use (F4)',
];

export const grants = suite('grants', {
  title: 'grant tables, with a hostile granter and mapper, crashes and reclaimed frames',
  machine: {
    name: 'grants',
    modules: [deaths, frames, loads, grantTable, reclamation, start],
  },
  scope: {
    small: { domain: 3, party: 2, granting: 1, frame: 1, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1, 'shared part': 2 },
    default: { domain: 3, party: 2, granting: 1, frame: 2, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1, 'shared part': 2 },
    large: { domain: 3, party: 3, granting: 3, frame: 2, grant: 2, handle: 2, pin: 2, vcpu: 3, generation: 2, 'shared part': 2 },
  },
  failures: 'any',
  claims: [
    claim("a domain reaches another's memory only by a grant in force", {
      keeps: [reachGranted, pinnedAlive],
      against: ['F4', 'F6', 'F10'],
      without: [
        { off: pinning, breaks: reachGranted },
        { off: pinning, breaks: pinnedAlive },
        { off: flushOnGrantUnmap, breaks: reachGranted },
      ],
    }),
    claim('references, types, pins and mappings are counted', {
      keeps: [countGranted, pinsMatch, mappingsMatch, statusTells, wholeHandles],
      against: ['F4', 'F6', 'F10'],
      without: [
        { off: oneTypeForTwo, breaks: countGranted },
        { off: pinning, breaks: countGranted },
        { off: pinsNotUndone, breaks: pinsMatch },
        { off: pinsUnchecked, breaks: pinsMatch },
        { off: statusBits, breaks: statusTells },
        { off: statusKept, breaks: statusTells },
      ],
    }),
    claim('what a domain has ended is out of its peer’s reach, and what it keeps private stays so', {
      keeps: [revoked, keptFromPeers],
      against: ['F4', 'F6', 'F10'],
      without: [
        { off: statusBits, breaks: revoked },
        { off: hostPinsOnly, breaks: revoked },
        { off: failureIgnored, breaks: revoked },
        { off: entryUnchecked, breaks: revoked },
        { off: failureIgnored, breaks: keptFromPeers },
        { off: scrubbing, breaks: keptFromPeers },
      ],
    }),
    claim('an id that is free holds nothing by grants', {
      keeps: [freshGrants],
      against: ['F10'],
      without: [{ off: earlyRelease, breaks: freshGrants }],
    }),
  ],
  assumptions,
});
/** Grant tables without the guests' honest use of them. */
const underAttack = {
  ...grantTable,
  operations: grantTable.operations.filter((op) => op !== grantAccess && op !== endAccess && op !== copyGrant),
};

export const hostileGranter = suite('grants-hostile', {
  title: 'grant tables of a granter that rewrites its entries and loses frames in use',
  machine: {
    name: 'hostile granter',
    modules: [deaths, frames, loads, underAttack, reclamation, grantFaults, start],
  },
  scope: {
    small: { domain: 3, party: 2, frame: 1, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1 },
    default: { domain: 3, party: 2, frame: 2, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1 },
    large: { domain: 3, party: 3, frame: 2, grant: 2, handle: 2, pin: 2, vcpu: 3, generation: 2 },
  },
  failures: 'any',
  claims: [
    claim('a granter that rewrites its entries reaches nobody else’s memory, and nobody by it reaches others', {
      keeps: [reachGranted, pinnedAlive, keptFromPeers, pinsMatch, countGranted, mappingsMatch],
      against: ['F4', 'F6', 'F10'],
      without: [{ off: pinning, breaks: reachGranted }],
    }),
  ],
  assumptions,
});

export const later = {
  destroyEntry,
  usePrivately,
  pinTable,
  unpinTable,
  dropBeforeFlush,
  exhaustion,
  flagsNotLast,
  freeInPassTwo,
  handleFlagsFirst,
  mapperNotReleased,
  queryThenAct,
  quota,
  referenceBeforePin,
  statusBlindly,
  grantedType,
  lastOneOnly,
  ownQuota,
  everythingReturns,
};
