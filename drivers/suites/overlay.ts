/** Suite `special-pages`: a domain's overlay page and its status frame, set by two processors at once. */
import * as faults from '../../faults/overlay.js';
import { domainLock, overlayMachine } from '../../model/overlay.js';
import { specialCounted, specialReach, statusGone } from '../../properties/overlay.js';
import { claim, suite } from '../suite.js';

export const specialPages = suite('special-pages', {
  title: 'pages of the VMM that a domain has mapped, changed by two processors at once',
  machine: overlayMachine,
  scope: {
    small: { 'special frame': 2, place: 2 },
    default: { 'special frame': 3, place: 2 },
    large: { 'special frame': 4, place: 2 },
  },
  schedule: 'split',
  claims: [
    claim('a special page is freed when nobody has it, and not before', {
      keeps: [specialReach, specialCounted, statusGone],
      against: [],
      without: [
        { off: domainLock, breaks: specialCounted },
        { off: faults.freedMapped, breaks: specialReach },
        { off: faults.freedMapped, breaks: statusGone },
        { off: faults.mappedTwice, breaks: specialCounted },
        { off: faults.lookedUpUnlocked, breaks: specialCounted },
        { off: faults.enteredUnlocked, breaks: specialReach },
        { off: faults.overlayUnlocked, breaks: specialCounted },
        { off: faults.oldKept, breaks: specialCounted },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: ['two processors of one domain; the lock is the domain’s, held over the whole of a call'],
});
