/** Grant tables, version 2: the granter ends an entry by its flags, the VMM marks it by a status word, and both look at the other's. */
import * as faults from '../../faults/grantStatus.js';
import { load, processors, refillTlb } from '../../model/access.js';
import { domains } from '../../model/domains.js';
import { frames } from '../../model/frames.js';
import { grantAccess } from '../../model/grantGuest.js';
import { grantStatus } from '../../model/grantStatus.js';
import type { Grants } from '../../model/grants.js';
import { grants } from '../../model/grantUnmap.js';
import { countGranted } from '../../properties/grantCounts.js';
import { endedIsUnused, endsAtLast, pinsAreMappings, statusStandsForPins } from '../../properties/grantStatus.js';
import { reachByProcessor } from '../../properties/grants.js';
import { claim, suite } from '../suite.js';
import { GRANTER, MAPPER, startPublished } from './grantRaces.js';

/** A driver does not publish anew what it has not ended yet. */
const publish = {
  ...grantAccess,
  where: {
    ...grantAccess.where,
    ref: (m: Grants, op: { agent: number; ref: number }) => m.grant.inForce[m.grant.at(op.agent, op.ref)] === 0,
  },
};

const scope = { domain: 3, party: 2, granting: 1, frame: 1, grant: 1, handle: 1, pin: 2, vcpu: 3, 'shared part': 2 };

export const grantStatusWords = suite('grants-status', {
  title: 'version 2: a granter ends access by its flags while a mapper is marked in a status word',
  machine: {
    name: 'grant status words',
    modules: [
      { ...domains, operations: [] },
      { ...frames, operations: [] },
      { ...processors, operations: [refillTlb, load] },
      { ...grants, operations: [publish] },
      grantStatus,
      startPublished,
    ],
    threads: () => [GRANTER, MAPPER],
    split: ['grant2.end', 'grant2.map'],
  },
  failures: 'any',
  scope: { small: scope, default: { ...scope, frame: 2 }, large: { ...scope, frame: 2, grant: 2 } },
  schedule: 'split',
  claims: [
    claim('a grant of version 2 is never both ended and mapped', {
      keeps: [endedIsUnused],
      against: [],
      without: [
        { off: faults.entryNotReadAgain, breaks: endedIsUnused },
        { off: faults.statusFirst, breaks: endedIsUnused },
      ],
    }),
    claim('a status bit stands for a pin, and a granter gets back what nobody uses', {
      keeps: [statusStandsForPins, endsAtLast],
      against: [],
      without: [
        { off: faults.statusNotRolledBack, breaks: statusStandsForPins },
        { off: faults.statusNotRolledBack, breaks: endsAtLast },
      ],
    }),
    claim('a mapper of version 2 reaches what it has pinned, counted, and nothing after it has unmapped', {
      keeps: [reachByProcessor, pinsAreMappings, countGranted],
      against: [],
      without: [
        { off: faults.statusMappingKept, breaks: reachByProcessor },
        { off: faults.statusPinsKept, breaks: pinsAreMappings },
        { off: faults.statusStaysLocked, breaks: pinsAreMappings },
        { off: faults.statusReferenceKept, breaks: countGranted },
      ],
    }),
  ],
  assumptions: [
    'atomic: each named step of a call; what the VMM does under the lock of an active entry is one step',
    'scope: full-page entries, one mapping an entry, no device mapping; sub-page and transitive entries are not modelled',
  ],
});
