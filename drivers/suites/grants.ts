/**
 * Grant tables, version 1: a granter, a mapper and a third domain; the last domain is hostile in both roles.
 */
import { processors } from '../../model/access.js';
import { type Domains, domains, releaseDomain } from '../../model/domains.js';
import { type Frames, frame, frames, scrubbing } from '../../model/frames.js';
import { type Grants, flushOnGrantUnmap, pinning, statusBits } from '../../model/grants.js';
import { grants as grantTable } from '../../model/grantUnmap.js';
import { module } from '../../model/kernel/index.js';
import { pinTable, unpinTable } from '../../model/mmu.js';
import {
  dropBeforeFlush,
  entryUnchecked,
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
import { earlyRelease, memoryFaults } from '../../faults/memory.js';
import {
  countGranted,
  freshGrants,
  grantedType,
  lastOneOnly,
  mappingsMatch,
  ownQuota,
  pinnedAlive,
  pinsMatch,
  reachGranted,
  revoked,
  statusTells,
  wholeHandles,
  writesGranted,
} from '../../properties/grants.js';
import { everythingReturns, keptSecrets } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

/** Frame f belongs to domain f + 1, as far as there are domains; the rest is free. */
export const grantStart = module<Frames & Domains, Record<never, never>>('start', {
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

const assumptions = ['scope: no domain maps its own grants'];

export const grants = suite('grants', {
  title: 'grant tables, with a hostile granter and mapper, crashes, reclaimed frames and exhausted handles',
  machine: {
    name: 'grants',
    modules: [domains, frames, processors, grantTable, memoryFaults, grantFaults, grantStart],
  },
  scope: {
    small: { domain: 3, frame: 1, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1, 'shared part': 2 },
    default: { domain: 3, frame: 2, grant: 1, handle: 1, pin: 2, vcpu: 3, generation: 1, 'shared part': 2 },
    large: { domain: 3, frame: 2, grant: 2, handle: 2, pin: 2, vcpu: 3, generation: 2, 'shared part': 2 },
  },
  failures: 'any',
  claims: [
    claim("a domain reaches another's memory only by a grant in force", {
      keeps: [reachGranted, writesGranted, pinnedAlive],
      against: ['F1', 'F4', 'F6', 'F10'],
      without: [
        { off: pinning, breaks: reachGranted },
        { off: flushOnGrantUnmap, breaks: reachGranted },
        { off: pinning, breaks: pinnedAlive },
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
    claim('what a domain has ended is out of its peer’s reach', {
      keeps: [revoked, keptSecrets],
      against: ['F4', 'F6', 'F10'],
      without: [
        { off: statusBits, breaks: revoked },
        { off: hostPinsOnly, breaks: revoked },
        { off: failureIgnored, breaks: revoked },
        { off: entryUnchecked, breaks: revoked },
        { off: failureIgnored, breaks: keptSecrets },
        { off: scrubbing, breaks: keptSecrets },
      ],
    }),
    claim('a dead domain returns everything, and its id comes back clean', {
      keeps: [freshGrants, everythingReturns],
      against: ['F10'],
      without: [
        { off: earlyRelease, breaks: freshGrants },
        { off: mapperNotReleased, breaks: everythingReturns },
      ],
    }),
    claim('one domain’s mappings cannot use up the handles of another', {
      keeps: [ownQuota, lastOneOnly],
      against: ['F12'],
      without: [{ off: quota, breaks: ownQuota }],
    }),
  ],
  assumptions,
});
export const later = { frame, dropBeforeFlush, flagsNotLast, freeInPassTwo, handleFlagsFirst, queryThenAct, referenceBeforePin, statusBlindly, grantedType, pinTable, unpinTable };
export type Used = Grants;
export { releaseDomain };
