/**
 * Grant tables, version 1: a granter, a mapper and a third domain that may be given what they release; the last domain is hostile in
 * both roles. Whole calls; their races are in grantRaces.ts.
 */
import {
  deadGrants,
  endedNotCleared,
  entryUnchecked,
  failureIgnored,
  grantFaults,
  handleKept,
  handlesOfOthers,
  hostPinsOnly,
  localUnchecked,
  mapperNotReleased,
  oneTypeForTwo,
  pinsNotUndone,
  pinsUnchecked,
  pinsWrap,
  privateAnywhere,
  statusKept,
} from '../../faults/grants.js';
import { earlyRelease, reclaimInUse, teardownOfOthers } from '../../faults/memory.js';
import { load, processors, refillTlb, relinquishTable } from '../../model/access.js';
import { crashDomain, domains, releaseDomain } from '../../model/domains.js';
import { type Frames, frames, relinquishFrame } from '../../model/frames.js';
import { copyGrant } from '../../model/grantCopy.js';
import { endAccess, grantAccess } from '../../model/grantGuest.js';
import { flushOnGrantUnmap, type Grants, pinning, statusBits } from '../../model/grants.js';
import { grants as grantTable } from '../../model/grantUnmap.js';
import { module } from '../../model/kernel/index.js';
import { mapFrame, pinTable, unpinTable, validation } from '../../model/mmu.js';
import {
  countGranted,
  mappingsMatch,
  pinnedAlive,
  pinsMatch,
  statusTells,
  wholeHandles,
} from '../../properties/grantCounts.js';
import { endedIsEnded, ownGrants } from '../../properties/grantDoing.js';
import {
  copiesGranted,
  freshGrants,
  grantedType,
  keptFromPeers,
  meantForThisLife,
  reachGranted,
  revoked,
} from '../../properties/grants.js';
import { everythingReturns, independentOfCrashes, independentOfSecrets, lifeCycle } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';
import { leaveOut } from './parts.js';

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
const loads = { ...processors, operations: [refillTlb, load, relinquishTable] };
const reclamation = module<Grants, Record<never, never>>('reclamation', { tables: {}, operations: [reclaimInUse] });

const assumptions = [
  'scope: no domain maps its own grants; references are in range; the last domain alone is hostile',
  'stub: owners reach their own frames without page tables of their own, which the suite `memory` has',
  'stub: a device reaches what the one-to-one entry of its domain allows; caches of the IOMMU are in its own suites',
  'trusted: the control domain, except that it may take frames back while they are in use (F4)',
];

/** All three domains take part; the first two grant. */
const threeParties = {
  domain: 3,
  party: 3,
  granting: 2,
  frame: 2,
  grant: 1,
  handle: 1,
  pin: 2,
  vcpu: 3,
  generation: 1,
  'shared part': 2,
};

export const grants = suite('grants', {
  title: 'grant tables, with a hostile granter and mapper, crashes and reclaimed frames',
  machine: {
    name: 'grants',
    modules: leaveOut([domains, frames, loads, grantTable, reclamation, start], 'mmu.relinquishTable'),
  },
  scope: {
    small: {
      domain: 3,
      party: 2,
      granting: 1,
      frame: 2,
      grant: 1,
      handle: 1,
      pin: 2,
      vcpu: 3,
      generation: 1,
      'shared part': 2,
    },
    default: {
      domain: 3,
      party: 2,
      granting: 1,
      frame: 2,
      grant: 1,
      handle: 2,
      pin: 1,
      vcpu: 3,
      generation: 2,
      'shared part': 2,
    },
    large: {
      domain: 3,
      party: 3,
      granting: 3,
      frame: 2,
      grant: 2,
      handle: 2,
      pin: 2,
      vcpu: 3,
      generation: 2,
      'shared part': 2,
    },
  },
  failures: 'any',
  claims: [
    claim("a domain reaches another's memory only by a grant in force", {
      keeps: [reachGranted, pinnedAlive],
      against: ['F4', 'F10'],
      without: [
        { off: pinning, breaks: reachGranted },
        { off: pinning, breaks: pinnedAlive },
        { off: flushOnGrantUnmap, breaks: reachGranted },
      ],
    }),
    claim('references, types, pins and mappings are counted', {
      keeps: [countGranted, pinsMatch, mappingsMatch, statusTells, wholeHandles],
      against: ['F4', 'F10'],
      without: [
        { off: oneTypeForTwo, breaks: countGranted },
        { off: pinning, breaks: countGranted },
        { off: pinsNotUndone, breaks: pinsMatch },
        { off: pinsWrap, breaks: pinsMatch },
        { off: pinsUnchecked, breaks: pinsMatch, scope: threeParties },
        { off: statusBits, breaks: statusTells },
        { off: statusKept, breaks: statusTells },
        { off: handleKept, breaks: wholeHandles },
      ],
    }),
    claim('what a domain has ended is out of its peer’s reach, and what it keeps private stays so', {
      keeps: [revoked, keptFromPeers, copiesGranted],
      against: ['F4', 'F10'],
      without: [
        { off: statusBits, breaks: revoked },
        { off: hostPinsOnly, breaks: revoked },
        { off: failureIgnored, breaks: revoked },
        { off: entryUnchecked, breaks: revoked },
        { off: failureIgnored, breaks: keptFromPeers },
        { off: localUnchecked, breaks: copiesGranted },
        { off: privateAnywhere, breaks: copiesGranted },
        { off: localUnchecked, breaks: keptFromPeers },
      ],
    }),
    claim('an id that is free holds nothing by grants', {
      keeps: [freshGrants],
      against: ['F10'],
      without: [{ off: earlyRelease, breaks: freshGrants }],
    }),
    claim('grants change by the calls of those whose they are, and a call that succeeds has done what it says', {
      keeps: [ownGrants, endedIsEnded, lifeCycle],
      against: ['F4', 'F10'],
      without: [
        { off: handlesOfOthers, breaks: ownGrants },
        { off: endedNotCleared, breaks: endedIsEnded },
        { off: deadGrants, breaks: lifeCycle },
      ],
    }),
  ],
  assumptions,
});
/** What a granter may make of its frames besides. */
const retyping = module<Grants, Record<never, never>>('retyping', { tables: {}, operations: [pinTable, unpinTable] });

/** Grant tables without the guests' honest use of them. */
const underAttack = {
  ...grantTable,
  operations: grantTable.operations.filter((op) => op !== grantAccess && op !== endAccess && op !== copyGrant),
};

/** The smallest scope in which something is granted and mapped. */
const oneFrame = { domain: 3, party: 2, frame: 1, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1 };

export const hostileGranter = suite('grants-hostile', {
  title: 'grant tables of a granter that rewrites its entries and loses frames in use',
  machine: {
    name: 'hostile granter',
    modules: [domains, frames, loads, underAttack, retyping, reclamation, grantFaults, start],
  },
  scope: {
    small: oneFrame,
    default: { domain: 3, party: 2, frame: 2, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 2 },
    large: { domain: 3, party: 3, frame: 2, grant: 2, handle: 2, pin: 2, vcpu: 3, generation: 2 },
  },
  failures: 'any',
  claims: [
    claim('a granter that rewrites its entries reaches nobody else’s memory, and nobody by it reaches others', {
      keeps: [reachGranted, pinnedAlive, pinsMatch, countGranted, mappingsMatch],
      against: ['F4', 'F6', 'F10'],
      without: [{ off: pinning, breaks: reachGranted }],
    }),
    claim('nobody writes a page table by a grant', {
      keeps: [grantedType],
      against: ['F4', 'F6'],
      without: [
        { off: pinning, breaks: grantedType },
        { off: oneTypeForTwo, breaks: grantedType },
      ],
    }),
    claim('a dead domain returns everything, whatever it granted and had mapped', {
      keeps: [freshGrants, everythingReturns],
      against: ['F6', 'F10'],
      without: [{ off: mapperNotReleased, breaks: everythingReturns, scope: oneFrame }],
    }),
  ],
  assumptions,
});

/** Whole calls of the honest guests only. */
const peaceful = { name: 'grants between peers', modules: [domains, frames, loads, grantTable, start] };

const halfFrame = {
  domain: 3,
  party: 2,
  granting: 1,
  frame: 1,
  grant: 1,
  handle: 1,
  pin: 1,
  vcpu: 3,
  generation: 1,
  'shared part': 1,
};

export const subPage = suite('grants-sub-page', {
  title: 'a granted buffer takes half a frame, and something private lies in the other half',
  machine: peaceful,
  scope: { small: halfFrame, default: halfFrame, large: { ...halfFrame, frame: 2 } },
  claims: [
    claim('what lies beside a granted buffer in its frame stays private', {
      keeps: [keptFromPeers],
      against: [],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions,
});

const twoLives = { ...halfFrame, generation: 2, 'shared part': 2 };

export const staleIds = suite('grants-stale-id', {
  title: 'a granter does not end its grants to a domain that has died',
  machine: peaceful,
  scope: { small: twoLives, default: twoLives, large: { ...twoLives, frame: 2 } },
  claims: [
    claim('a grant to a dead domain gives nothing to the next domain of its id', {
      keeps: [meantForThisLife],
      against: ['F10'],
      without: [],
      expects: 'not contained',
    }),
  ],
  assumptions,
});

/** The victim, domain 1, keeps to itself; domains 2 and 3 grant each other frames, and all keep secrets. */
const secrets = module<Grants, Record<never, never>>('start with secrets', {
  tables: {},
  operations: [],
  initial: (m) => {
    for (let c = 0; c < m.content.rows; c++) {
      const owner = m.frame.owner[c >> 1];
      m.content.writer[c] = owner;
      m.content.secret[c] = owner;
    }
  },
});
const mapping = module<Grants, Record<never, never>>('mapping', { tables: {}, operations: [mapFrame] });

const fourDomains = {
  domain: 4,
  party: 2,
  granting: 1,
  frame: 2,
  grant: 1,
  handle: 1,
  pin: 1,
  vcpu: 4,
  generation: 1,
  'shared part': 2,
};

export const grantStrangers = suite('grants-strangers', {
  title: 'a domain beside two others that grant each other frames, and one of which crashes',
  machine: {
    name: 'grants beside a stranger',
    modules: [
      { ...domains, operations: [crashDomain, releaseDomain] },
      { ...frames, operations: [relinquishFrame] },
      loads,
      grantTable,
      mapping,
      start,
      secrets,
    ],
  },
  scope: { small: fourDomains, default: fourDomains, large: { ...fourDomains, handle: 2 } },
  claims: [
    claim('what a domain sees does not depend on secret or crash of those that it has no grants with', {
      keeps: [independentOfSecrets, independentOfCrashes],
      against: ['F10'],
      without: [
        { off: validation, breaks: independentOfSecrets },
        { off: teardownOfOthers, breaks: independentOfCrashes },
      ],
    }),
  ],
  assumptions: [...assumptions, 'scope: memory is not allocated anew, for what one returns another may get'],
});
