/** Suite `virtqueue`: a split virtqueue whose device, or whose driver, is hostile. */
import * as faults from '../../faults/virtqueue.js';
import { chainBound, completionCheck, distanceCheck, queueMachine } from '../../model/virtqueue.js';
import {
  completionsMatch,
  flightsBounded,
  givenUp,
  honestRun,
  lengthsFit,
  mappedMatch,
  takenAvailable,
  usedHonest,
  walksEnd,
} from '../../properties/virtqueue.js';
import { claim, suite } from '../suite.js';

export const virtqueue = suite('virtqueue', {
  title: 'a split virtqueue between a driver and a device, one of which may write what it likes',
  machine: queueMachine,
  scope: {
    small: { descriptor: 2, index: 4 },
    default: { descriptor: 2, index: 4 },
    large: { descriptor: 4, index: 8 },
  },
  claims: [
    claim('a driver takes completions of what is outstanding, and unmaps what it has mapped', {
      keeps: [completionsMatch, mappedMatch, givenUp],
      against: ['F6'],
      without: [
        { off: completionCheck, breaks: completionsMatch },
        { off: faults.idUnchecked, breaks: completionsMatch },
        { off: faults.notOutstanding, breaks: completionsMatch },
        { off: faults.lengthUnchecked, breaks: completionsMatch },
        { off: faults.sharedBelieved, breaks: mappedMatch },
        { off: faults.offersOn, breaks: givenUp },
      ],
    }),
    claim('a device ends every walk, and takes no more than the ring can hold', {
      keeps: [walksEnd, flightsBounded, takenAvailable, lengthsFit],
      against: ['F6'],
      without: [
        { off: chainBound, breaks: walksEnd },
        { off: faults.chainUnbounded, breaks: walksEnd },
        { off: distanceCheck, breaks: takenAvailable },
        { off: faults.distanceIgnored, breaks: takenAvailable },
        { off: faults.inFlightUnbounded, breaks: flightsBounded },
        { off: faults.zeroLength, breaks: lengthsFit },
        { off: faults.totalOverflows, breaks: lengthsFit },
      ],
    }),
    claim('between two honest sides every request is completed once', {
      keeps: [honestRun, usedHonest],
      against: [],
      without: [
        { off: faults.usedNotBounded, breaks: usedHonest },
        { off: faults.usedNotBounded, breaks: honestRun },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    'one descriptor a request of the honest driver; chains are the hostile driver’s',
    'a side that finds the other out stops using the queue; resetting it is a new life',
  ],
});
