/** Mistakes of restarts in the Safe Hardware Interface that leave something behind, life after life. */
import { mutant } from '../../../drivers/suite.js';
import {
  connect as askForRing,
  CONNECTED,
  serve,
  works,
} from '../../../model/architectures/safeHardware/deviceChannel.js';
import { receive } from '../../../model/architectures/safeHardware/netReceive.js';
import { bury } from '../../../model/blockManager.js';
import { DYING } from '../../../model/blockState.js';
import { guardWith, omit, replace } from '../../../model/kernel/index.js';

export const buriedMapped = mutant('buried with its mappings', {
  says: 'the place of a dead backend is free although it still has pages mapped',
  source: 'xen/common/domain.c, complete_domain_destroy: only when nothing is held',
  edits: [guardWith(bury, 'dead', (m, op) => m.be.life[op.dead] === DYING)],
});

export const oldRingKept = mutant('old ring kept', {
  says: 'a frontend that connects anew takes another page for its ring, and keeps the old one',
  source: 'M8: free ring, new zeroed ring',
  edits: [omit(askForRing, 'drop the old ring')],
});

export const receivedAgain = mutant('received again', {
  says: 'a guest leaves the packet that it has taken in its ring, and finds it there again',
  source: 'M7: the consumer moves its index',
  edits: [
    replace(receive, 'take the packet', (m, op) => {
      m.rxFrame.packet[op.frame] = 0xff;
    }),
  ],
});

export const takesWhileLeaving = mutant('requests taken while disconnecting', {
  says: 'a backend that waits for its last request to disconnect takes another one behind its own back',
  source: 'M5: deferred acknowledgement; found by taking the steps apart',
  edits: [
    guardWith(
      serve,
      'agent',
      (m) =>
        works(m) &&
        m.back.state[0] === CONNECTED &&
        m.back.refs[0] === 0 &&
        m.front.submitted[0] === 1 &&
        m.back.mapped[0] === m.front.ring[0],
    ),
  ],
});
