/** Two disks of the Safe Hardware Interface, each with a driver domain of its own; one fails, and the guest of the other notices nothing. */
import { strangersFail } from '../../faults/block.js';
import { oneDomainForAll, restartBeforeDestroy } from '../../faults/blockMutants.js';
import { close } from '../../model/blockFrontLife.js';
import { drop } from '../../model/kernel/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import { diskUnnoticed } from '../../properties/architectures/safeHardware.js';
import { oneOwner } from '../../properties/blockRecovery.js';
import { claim, suite } from '../suite.js';
import { twoDisks } from '../suites/blockScopes.js';
import { assumptions, idleStart } from '../suites/blockStarts.js';

export const STRANGERS_SAY = 'guests of another driver domain notice nothing of a crash, a hang or a wrong suspicion';

export const strangersSuite = suite('safe-hardware-strangers', {
  title: 'Safe Hardware Interface: two disks with a driver domain each, of which one fails and comes back',
  machine: { name: 'block of two driver domains', modules: [splitBlock, strangersFail, idleStart] },
  edits: [drop(close)],
  scope: { small: twoDisks, default: twoDisks, large: { ...twoDisks, request: 2, page: 4 } },
  claims: [
    claim(STRANGERS_SAY, {
      keeps: [diskUnnoticed, oneOwner],
      against: ['F10', 'F11'],
      without: [
        { off: oneDomainForAll, breaks: diskUnnoticed },
        { off: restartBeforeDestroy, breaks: oneOwner },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: [
    ...assumptions,
    'scoped: nobody closes his device; the guest whose driver domain fails is idle, in the other suites it is at work',
    'one run for both eras: what it checks does not depend on the hardware',
  ],
});
