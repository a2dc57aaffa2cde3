/** Mistakes at the control interface: in its rings, in its events, and in what is done when its domain is dead. */
import { mutant } from '../../../drivers/suite.js';
import { clearUp, expel, timeOut } from '../../../model/architectures/safeHardware/controlRecovery.js';
import { answer, collect, send, sleep, take, wake } from '../../../model/architectures/safeHardware/controlRing.js';
import { CONTROLLER, DEAD, loadIndex } from '../../../model/architectures/safeHardware/controlState.js';
import { drop, guardWith, insertBefore, omit, reorder, replace } from '../../../model/kernel/index.js';
import { following, indexMask } from '../../../model/ring.js';

const header = 'Xen 2.0 public/io/domain_controller.h';

export const noRoomTest = mutant('no test for room', {
  says: 'a request is sent without looking whether the ring has room',
  source: `${header}; ctrl_if.c, TX_FULL`,
  edits: [omit(send, 'find room')],
});

export const producerFromPage = mutant('own producer read back', {
  says: 'an end that sends reads its own producer index back from the page, which the peer may have written',
  source: 'Linux 2.6 ctrl_if.c, ctrl_if_send_message_noblock: tx_req_prod is incremented on the page',
  edits: [
    replace(send, 'publish the index', (m, op) => {
      const own = loadIndex(m, op.agent, m.page.reqProd[op.agent], 'own req_prod');
      m.asker.reqProd[op.agent] = following(own, indexMask(m));
      m.page.reqProd[op.agent] = m.asker.reqProd[op.agent];
    }),
  ],
});

export const takenTwice = mutant('request taken twice', {
  says: 'the answering end forgets to step over the slot that it has read',
  source: `${header}: private consumer index`,
  edits: [omit(take, 'step over the slot')],
});

export const copyKept = mutant('answered request kept', {
  says: 'the answering end keeps its copy of a request that it has answered, and answers again',
  source: 'Linux 2.6 ctrl_if.c, __ctrl_if_rxmsg_deferred',
  edits: [omit(answer, 'let go of the copy')],
});

export const collectedTwice = mutant('response collected twice', {
  says: 'the asking end forgets to step over the response that it has read',
  source: 'Linux 2.6 ctrl_if.c, __ctrl_if_tx_tasklet: the message is stepped over after it was read',
  edits: [omit(collect, 'step over the slot')],
});

export const responseDropped = mutant('response dropped', {
  says: 'the answering end acts on a request, and publishes no response',
  source: `${header}: each request has a response`,
  edits: [omit(answer, 'publish the index')],
});

export const requestUntold = mutant('request without event', {
  says: 'a request is published, and nobody is told',
  source: 'Linux 2.6 ctrl_if.c, ctrl_if_notify_controller',
  edits: [omit(send, 'send the event')],
});

export const responseUntold = mutant('response without event', {
  says: 'a response is published, and nobody is told',
  source: 'Linux 2.6 ctrl_if.c, ctrl_if_notify_controller',
  edits: [omit(answer, 'send the event')],
});

export const requestPublishedEarly = mutant('request published before it is written', {
  says: 'the producer index is on the page before the request that it announces',
  source: 'Linux 2.6 ctrl_if.c: wmb between message and index',
  edits: [
    reorder(send, [
      'find room',
      'note who waits for the answer',
      'publish the index',
      'write the request',
      'send the event',
    ]),
  ],
});

export const responsePublishedEarly = mutant('response published before it is written', {
  says: 'the producer index is on the page before the response that it announces',
  source: 'Linux 2.6 ctrl_if.c: wmb between message and index',
  edits: [
    reorder(answer, [
      'act on the copy',
      'let go of the copy',
      'publish the index',
      'write the response',
      'send the event',
    ]),
  ],
});

export const eventClearedLate = mutant('event cleared late', {
  says: 'the pending event is cleared when the handlers have found nothing more, and not before they look',
  source: 'Linux 2.6 evtchn.c: clear_evtchn before the handler',
  edits: [
    omit(wake, 'clear the event'),
    insertBefore(sleep, 'return', 'clear the event', (m, op) => {
      m.side.pending[op.agent] = 0;
    }),
  ],
});

export const eventNeverCleared = mutant('control event not cleared', {
  says: 'the upcall leaves its event pending, and runs the handlers for ever',
  source: 'Linux 2.6 evtchn.c: clear_evtchn before the handler',
  edits: [omit(wake, 'clear the event')],
});

export const impatient = mutant('time-out too short', {
  says: 'the controller destroys a domain that works, because its answer is not there at once',
  source: 'M8: a time-out is a suspicion',
  edits: [
    guardWith(
      timeOut,
      'agent',
      (m, op) => op.agent === CONTROLLER && m.asker.awaits[CONTROLLER] !== 0 && m.domain.life[0] < DEAD,
    ),
  ],
});

export const hungIsKept = mutant('no time-out of the controller', {
  says: 'the controller waits for the answer of a hung domain for ever',
  source: 'M8: needs a time-out of the controller',
  edits: [drop(timeOut)],
});

export const accusedIsKept = mutant('hostile domain not destroyed', {
  says: 'the controller turns away from a domain that it has found hostile, and lets it be',
  source: 'M4, M8',
  edits: [drop(expel)],
});

export const pageNotZeroed = mutant('control page not zeroed', {
  says: 'the next life of the domain finds the page as the last one left it',
  source: 'M4: the frame may be reused when messages were dropped',
  edits: [omit(clearUp, 'zero the page')],
});

export const copiesOfDeadKept = mutant('copies of the dead kept', {
  says: 'the controller still has requests of the dead domain in work when the next one runs',
  source: 'M4: unacknowledged control messages are dropped',
  edits: [omit(clearUp, 'drop the copies')],
});

export const waitersKept = mutant('waiters for the dead kept', {
  says: 'whoever waits for an answer of the dead domain goes on waiting',
  source: 'M4; Linux 2.6 ctrl_if.c, ctrl_if_txmsg_id_mapping',
  edits: [omit(clearUp, 'release who waits')],
});

export const indicesKept = mutant('indices of the dead kept', {
  says: 'the controller goes on with its private indices on the page of the next life',
  source: 'Linux 2.6 ctrl_if.c, ctrl_if_resume: synchronised with the page',
  edits: [omit(clearUp, 'begin the indices anew')],
});

export const clearedUnderWay = mutant('cleared up under way', {
  says: 'the controller clears up behind a dead domain while its own handlers are in the middle of a message',
  source: 'Linux 2.6 ctrl_if.c, ctrl_if_suspend: the interrupt is let go first',
  edits: [guardWith(clearUp, 'agent', (m, op) => op.agent === CONTROLLER && m.domain.life[0] === DEAD)],
});
