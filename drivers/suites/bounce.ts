/** Suite `bounce`: bounce buffers of several users, and a device that writes less than it announces. */
import * as faults from '../../faults/bounce.js';
import { bounceMachine } from '../../model/bounce.js';
import { buffersClean, contentKept, slotsOnce, unmappedStill } from '../../properties/bounce.js';
import { claim, suite } from '../suite.js';

export const bounce = suite('bounce', {
  title: 'bounce buffers that users share one after the other, with a device that writes less than announced',
  machine: bounceMachine,
  scope: {
    small: { 'bounce user': 2, 'bounce slot': 2 },
    default: { 'bounce user': 2, 'bounce slot': 2 },
    large: { 'bounce user': 3, 'bounce slot': 2 },
  },
  claims: [
    claim('no user finds another’s data in its buffer, and no slot has two users', {
      keeps: [buffersClean, slotsOnce, unmappedStill, contentKept],
      against: [],
      without: [
        { off: faults.notInitialised, breaks: buffersClean },
        { off: faults.halfInitialised, breaks: buffersClean },
        { off: faults.wholeCopiedBack, breaks: buffersClean },
        { off: faults.wholeCopiedBack, breaks: contentKept },
        { off: faults.slotTwice, breaks: slotsOnce },
        { off: faults.slotLost, breaks: slotsOnce },
      ],
    }),
  ],
  assumptions: [
    'the device writes at most what is mapped: what it writes beside it is in the IOMMU suites',
    'data are labels',
  ],
});
