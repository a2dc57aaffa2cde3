/** Suites of "Reconstructing I/O" at the class interface: restart, migration and soft devices are delay, or with frames loss. */
import { classAnswersLoudly, classAsks, classMapsAlways, classNotifies } from '../../faults/architectures/fastpath.js';
import {
  answeredEarly,
  blocksLost,
  classFailures,
  copiesDown,
  moveKeepsOld,
  netReplayed,
  performedTwice,
  replayForgotten,
  rightsWidened,
  suspectLives,
} from '../../faults/architectures/reconstructingIoClass.js';
import { classPath } from '../../model/architectures/reconstructingIo/classManager.js';
import { epochTest } from '../../model/architectures/reconstructingIo/classState.js';
import type { MachineDef } from '../../model/kernel/index.js';
import { classFrugal, classWoken } from '../../properties/architectures/fastpath.js';
import {
  classRefinement,
  oneBackend,
  pagesReturn,
  requestsEnd,
  rightsNarrow,
} from '../../properties/architectures/reconstructingIoClass.js';
import { claim, suite } from '../suite.js';

export const classMachine: MachineDef = {
  name: 'reconstructing I/O: class interface',
  modules: [classPath, classFailures],
  threads: () => ['manager'],
};

/** Sentences that cells name. */
export const CLASS_SAYS = {
  refinement: 'whatever happens behind the class interface, a client sees delay, or loss of frames',
  rights: 'rights only narrow on the way down through a soft device',
  owner: 'a service has one live backend, also when it was suspected wrongly, and pages come back from dead ones',
} as const;

const claims = [
  claim(CLASS_SAYS.refinement, {
    keeps: [classRefinement, requestsEnd],
    against: ['F10', 'F11', 'F14'],
    without: [
      { off: epochTest, breaks: classRefinement },
      { off: netReplayed, breaks: classRefinement },
      { off: blocksLost, breaks: classRefinement },
      { off: answeredEarly, breaks: classRefinement },
      { off: performedTwice, breaks: classRefinement },
      { off: replayForgotten, breaks: requestsEnd },
    ],
  }),
  claim('a request costs no copy, no allocation, no mapping and no message to the manager', {
    keeps: [classFrugal],
    against: ['F10', 'F11', 'F14'],
    without: [
      { off: copiesDown, breaks: classFrugal },
      { off: classAsks, breaks: classFrugal },
      { off: classMapsAlways, breaks: classFrugal },
    ],
  }),
  claim('nobody is notified along a level at which something waits', {
    keeps: [classWoken],
    against: ['F10', 'F11', 'F14'],
    without: [
      { off: classNotifies, breaks: classWoken },
      { off: classAnswersLoudly, breaks: classWoken },
    ],
  }),
  claim(CLASS_SAYS.rights, {
    keeps: [rightsNarrow],
    against: ['F10'],
    without: [{ off: rightsWidened, breaks: rightsNarrow }],
  }),
  claim(CLASS_SAYS.owner, {
    keeps: [oneBackend, pagesReturn],
    against: ['F10', 'F11'],
    without: [
      { off: suspectLives, breaks: oneBackend },
      { off: moveKeepsOld, breaks: oneBackend },
    ],
  }),
];

/** Nothing here depends on the hardware: one suite stands for both years. */
export const classSuite = suite('reconstructing-io-class', {
  title: 'a class interface over backends and a soft device that fail, move, come and go',
  machine: classMachine,
  schedule: 'split',
  scope: {
    small: { request: 1, place: 2, changes: 2, buffers: 0 },
    default: { request: 2, place: 2, changes: 2, buffers: 0 },
    large: { request: 3, place: 3, changes: 3, buffers: 0 },
  },
  claims,
  mayStop: () => true,
  assumptions: [
    'all requests of a run are of one kind; a run is made for each of the four',
    'block requests are idempotent: performed again after a restart, they have the same effect',
    'a soft device answers nothing from its own state, and passes on what it was granted',
    'a backend that stops for a planned change takes nothing any more; what it has taken is waited for',
    'confinement is for each domain: with one entry of the I/O table for each buffer, a request costs a mapping, an unmapping and an invalidation (see the costs)',
    'one run for both eras: what it checks does not depend on the hardware',
  ],
});
