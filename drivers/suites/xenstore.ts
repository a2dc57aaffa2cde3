/** Suite `xenstore`: permissions and quotas by domain id, and ids that come back. */
import { earlyRelease } from '../../faults/memory.js';
import * as faults from '../../faults/xenstore.js';
import { storeMachine, storePermissions, storeQuota } from '../../model/xenstore.js';
import { lifeCycle } from '../../properties/memory.js';
import { idsForgotten, nodesCounted, nodesOwn, nodesWithinQuota, readersMeant } from '../../properties/xenstore.js';
import { claim, suite } from '../suite.js';

export const xenstore = suite('xenstore', {
  title: 'xenstore nodes, permissions and quotas of domains that die and whose ids come back',
  machine: storeMachine,
  scope: {
    small: { domain: 3, generation: 2, node: 2, 'node quota': 1 },
    default: { domain: 3, generation: 2, node: 2, 'node quota': 1 },
    large: { domain: 3, generation: 3, node: 3, 'node quota': 2 },
  },
  claims: [
    claim('a domain that gets an id that was used before inherits nothing', {
      keeps: [readersMeant, idsForgotten, lifeCycle],
      against: ['F10'],
      without: [
        { off: faults.permissionKept, breaks: idsForgotten },
        { off: faults.permissionKept, breaks: readersMeant },
        { off: faults.countKept, breaks: idsForgotten },
        { off: earlyRelease, breaks: idsForgotten },
        { off: earlyRelease, breaks: readersMeant },
        { off: storePermissions, breaks: readersMeant },
        { off: faults.permittedUnborn, breaks: readersMeant },
        { off: faults.deadPermits, breaks: lifeCycle },
      ],
    }),
    claim('nodes are counted against those who own them, and nobody changes those of others', {
      keeps: [nodesCounted, nodesWithinQuota, nodesOwn],
      against: ['F10', 'F12'],
      without: [
        { off: storeQuota, breaks: nodesWithinQuota },
        { off: faults.orphansToControl, breaks: nodesWithinQuota },
        { off: faults.removalNotCounted, breaks: nodesCounted },
        { off: faults.anyonePermits, breaks: nodesOwn },
        { off: faults.takenOver, breaks: nodesOwn },
        { off: faults.livingForgotten, breaks: nodesOwn },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'the daemon hears of every death before the id is free',
    'values of nodes, watches and transactions are left out',
  ],
});
