/**
 * Races of grant tables: named steps of calls on two processors interleave. One suite for each protocol: publishing an entry, marking it
 * in use against its end, and giving back handles, pins and references.
 */

import { referencesFirst } from '../../faults/grantDoing.js';
import {
  dropBeforeFlush,
  exhaustion,
  flagsNotLast,
  freeInPassTwo,
  handleFlagsFirst,
  queryThenAct,
  quota,
  referenceBeforePin,
  statusBlindly,
} from '../../faults/grants.js';
import { reclaimInUse } from '../../faults/memory.js';
import { load, processors, refillTlb } from '../../model/access.js';
import { domains } from '../../model/domains.js';
import { type Frames, frames } from '../../model/frames.js';
import {
  countMappings,
  countPins,
  DEVICE,
  flushOnGrantUnmap,
  type Grants,
  HOST,
  PERMIT,
  READING,
  takeReferences,
  WRITING,
} from '../../model/grants.js';
import { grants as grantTable } from '../../model/grantUnmap.js';
import { module } from '../../model/kernel/index.js';
import {
  countGranted,
  mappingsMatch,
  pinnedAlive,
  pinsMatch,
  statusTells,
  wholeHandles,
} from '../../properties/grantCounts.js';
import { keptFromPeers, lastOneOnly, ownQuota, reachGranted, revoked } from '../../properties/grants.js';
import { claim, suite } from '../suite.js';
import { leaveOut } from './parts.js';

export const GRANTER = 1;
export const MAPPER = 2;

/** The first frame (or the first two) belongs to the granter, the others to the mapper. */
function ownership(m: Frames, ofGranter: number): void {
  for (let f = 0; f < m.frame.rows; f++) {
    m.frame.owner[f] = f < ofGranter ? GRANTER : MAPPER;
    m.frame.allocated[f] = 1;
    m.frame.refs[f] = 1;
  }
}

/** The granter's entry 0 is in force: frame 0, writable, for the mapper. */
function published(m: Grants): void {
  ownership(m, 1);
  const row = m.grant.at(GRANTER, 0);
  m.grant.flags[row] = PERMIT;
  m.grant.domid[row] = MAPPER;
  m.grant.frame[row] = 0;
  m.grant.inForce[row] = 1;
}

/** The mapper has it mapped for host and device by its handle 0. */
function mapped(m: Grants): void {
  published(m);
  const row = m.grant.at(GRANTER, 0);
  const h = m.maptrack.at(MAPPER, 0);
  m.grant.flags[row] |= READING | WRITING;
  m.active.domid[row] = MAPPER;
  m.active.frame[row] = 0;
  takeReferences(m, 0, GRANTER, 2, true);
  countPins(m, row, HOST | DEVICE, true, 1);
  countMappings(m, MAPPER, 0, HOST | DEVICE, true, 1);
  m.maptrack.taken[h] = 1;
  m.maptrack.granter[h] = GRANTER;
  m.maptrack.ref[h] = 0;
  m.maptrack.flags[h] = HOST | DEVICE;
  m.maptrackFree.count[MAPPER]--;
}

type Nothing = Record<never, never>;
const startOwned = module<Grants, Nothing>('start', { tables: {}, operations: [], initial: (m) => ownership(m, 2) });
export const startPublished = module<Grants, Nothing>('start published', {
  tables: {},
  operations: [],
  initial: published,
});
const startMapped = module<Grants, Nothing>('start mapped', { tables: {}, operations: [], initial: mapped });
const reclamation = module<Grants, Nothing>('reclamation', { tables: {}, operations: [reclaimInUse] });

/** No domain dies: a death waits for the calls in progress. */
const living = { ...domains, operations: [] };
const fixed = { ...frames, operations: [] };
const loads = { ...processors, operations: [refillTlb, load] };

/** What is done for the dead: nobody dies here. */
const ofTheDead = ['grant.destroy', 'grant.relinquish'];

const assumptions = [
  'atomic: each named step of a call; what the VMM does under the lock of an active entry is one step',
  'scope: no domain dies during a call; no frame is allocated or released by its owner',
];
const scope = { domain: 3, party: 2, granting: 1, grant: 1, pin: 2, vcpu: 3, 'shared part': 2 };

export const grantPublication = suite('grants-publish', {
  title: 'a mapper maps an entry while its granter is still writing it',
  machine: {
    name: 'grant publication',
    modules: leaveOut([living, fixed, loads, grantTable, startOwned], ...ofTheDead),
    threads: () => [GRANTER],
    split: ['grant.publish', 'grant.end'],
  },
  scope: {
    default: { ...scope, frame: 2, handle: 1 },
    small: { ...scope, frame: 2, handle: 1, pin: 1 },
    large: { ...scope, frame: 2, handle: 1, grant: 2 },
  },
  schedule: 'split',
  claims: [
    claim('an entry gives what its granter meant, at every moment of its publication', {
      keeps: [revoked, keptFromPeers, reachGranted],
      against: [],
      without: [{ off: flagsNotLast, breaks: revoked }],
    }),
  ],
  assumptions,
});

export const grantRace = suite('grants-race', {
  title: 'a granter ends access while a mapper maps',
  machine: {
    name: 'grant race',
    modules: leaveOut([living, fixed, loads, grantTable, startPublished], ...ofTheDead),
    threads: () => [GRANTER, MAPPER],
    split: ['grant.end', 'grant.map'],
  },
  scope: {
    small: { ...scope, frame: 1, handle: 1 },
    default: { ...scope, frame: 2, handle: 1 },
    large: { ...scope, frame: 2, handle: 2 },
  },
  schedule: 'split',
  claims: [
    claim('a grant is never both ended and mapped', {
      keeps: [revoked, statusTells, keptFromPeers],
      against: [],
      without: [
        { off: queryThenAct, breaks: revoked },
        { off: statusBlindly, breaks: revoked },
      ],
    }),
    claim(
      'nobody sees a handle that is half written, and every reference is counted, however often a mapping is tried',
      {
        keeps: [wholeHandles, countGranted],
        against: [],
        without: [
          { off: handleFlagsFirst, breaks: wholeHandles },
          { off: referencesFirst, breaks: countGranted },
        ],
      },
    ),
  ],
  assumptions,
});

export const handleRace = suite('grants-handles', {
  title: 'two processors of a mapper unmap and copy, and the tool stack takes the frame back',
  machine: {
    name: 'handle race',
    modules: leaveOut([living, fixed, loads, grantTable, reclamation, startMapped], ...ofTheDead),
    threads: () => [MAPPER, MAPPER],
    split: ['grant.unmap', 'grant.copy'],
  },
  scope: {
    small: { ...scope, frame: 1, handle: 1 },
    default: { ...scope, frame: 2, handle: 1 },
    large: { ...scope, frame: 2, handle: 2 },
  },
  schedule: 'split',
  claims: [
    claim('handles, pins and references are given back once, in the right order', {
      keeps: [pinsMatch, countGranted, mappingsMatch, pinnedAlive, reachGranted],
      against: ['F4'],
      without: [
        { off: freeInPassTwo, breaks: pinsMatch },
        { off: dropBeforeFlush, breaks: reachGranted },
        { off: flushOnGrantUnmap, breaks: reachGranted },
        { off: referenceBeforePin, breaks: pinnedAlive },
      ],
    }),
  ],
  assumptions,
});

export const grantQuota = suite('grants-quota', {
  title: 'a mapper takes every handle that it can get',
  machine: { name: 'grant quota', modules: [domains, fixed, loads, grantTable, exhaustion, startPublished] },
  scope: {
    small: { ...scope, frame: 2, handle: 1, generation: 1 },
    default: { ...scope, party: 3, granting: 3, frame: 2, handle: 1, pin: 1, generation: 1 },
    large: { ...scope, party: 3, granting: 3, frame: 3, handle: 2, generation: 2 },
  },
  claims: [
    claim('one domain’s mappings cannot use up the handles of another', {
      keeps: [ownQuota, lastOneOnly],
      against: ['F12'],
      without: [{ off: quota, breaks: ownQuota }],
    }),
  ],
  assumptions: ['scope: no domain maps its own grants; no frame is allocated or released'],
});
