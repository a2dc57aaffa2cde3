/**
 * What goes wrong on calls between the halves of a microdriver: a number beyond the table, a reply out of order or to a call that is over,
 * a user half that dies or falls silent with a call outstanding. Classes F5, F10, F11, F14.
 */
import {
  CALL_UP,
  DEAD,
  depthOf,
  functionIdCheck,
  HUNG,
  PARKED,
  REPLY_UP,
  RUNNING,
  replyMatching,
  send,
  taken,
  topSide,
  USER_SIDE,
  type Xpc,
} from '../../model/architectures/microdrivers/xpcState.js';
import { blockedBy, module, OK, operationOn } from '../../model/kernel/index.js';

const operation = operationOn<Xpc>();

/** A call down to a number beyond the table: an index that nobody checked is a jump to anywhere. */
export const callBeyondTable = operation('user.downBeyond', {
  agent: 'user half',
  says: 'calls a function with a number beyond the table',
  source: 'D2: guard, number below the size of the table',
  fault: 'F5',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.kernel),
  steps: {
    'look the function up': (m) => {
      if (m.on(functionIdCheck)) return blockedBy(functionIdCheck);
      m.kernel.corrupt[0] = 1;
      return OK;
    },
  },
});

/** A reply to an older call, while a newer one is outstanding. */
export const replyToOlder = operation('user.replyOlder', {
  agent: 'user half',
  says: 'replies to the oldest call while a newer one is outstanding',
  source: 'D2: nesting',
  fault: 'F5',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING && topSide(m) === USER_SIDE && depthOf(m) > 1 },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    'match the reply': (m) => {
      if (m.on(replyMatching)) return blockedBy(replyMatching);
      send(m, REPLY_UP, 0);
      m.userHalf.state[0] = PARKED;
      return OK;
    },
  },
});

/** F14: the reply to a call that is over, sent again while the next call has not been taken yet. */
export const replyAgain = operation('user.replyAgain', {
  agent: 'user half',
  says: 'sends the reply to an earlier call, while the next one is on its way',
  source: 'D2: a reply ends the call that waits for it',
  fault: 'F14',
  where: { agent: (m) => m.userHalf.state[0] === PARKED && m.message.kind[0] === CALL_UP },
  touches: (m, _op, may) => {
    may.write(m.message);
    may.write(m.kernel);
  },
  steps: {
    'match the reply': (m) => {
      if (m.on(replyMatching)) return blockedBy(replyMatching);
      send(m, REPLY_UP, depthOf(m) - 1);
      m.kernel.believed[0] = 1;
      return OK;
    },
  },
});

/** The process dies, wherever it is. A message to it has no reader any more. */
export const crash = operation('user.crash', {
  agent: 'user half',
  says: 'dies',
  source: 'D6: exit or segmentation fault of the process',
  fault: 'F10',
  where: { agent: (m) => m.userHalf.state[0] !== DEAD },
  touches: (m, _op, may) => {
    may.write(m.userHalf);
    may.write(m.message);
  },
  steps: {
    die: (m) => {
      m.userHalf.state[0] = DEAD;
      taken(m);
    },
  },
});

/** The process runs, and answers no more. */
export const hang = operation('user.hang', {
  agent: 'user half',
  says: 'hangs',
  source: 'D6: no time-out in the runtime',
  fault: 'F11',
  where: { agent: (m) => m.userHalf.state[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.userHalf),
  steps: {
    hang: (m) => {
      m.userHalf.state[0] = HUNG;
    },
  },
});

/** Wrong or dead. */
export const xpcFaults = module<Xpc, Record<never, never>>('wrong or dead user half', {
  tables: {},
  operations: [callBeyondTable, replyToOlder, replyAgain, crash],
});

/** Silent: apart, because the design does not notice. */
export const xpcHang = module<Xpc, Record<never, never>>('silent user half', { tables: {}, operations: [hang] });
