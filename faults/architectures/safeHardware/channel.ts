/** The device channel under attack: frontends that name pages of others, backends that die, hang, or answer late; and its mistakes. */
import { mutant } from '../../../drivers/suite.js';
import {
  clearDead,
  destroyHung,
  killBackend,
  restartBackend,
} from '../../../model/architectures/safeHardware/channelRecovery.js';
import {
  ACK,
  type Channel,
  DISCONNECTING,
  doConnect,
  doDisconnect,
  FROM_BACK,
  HUNG,
  RUNNING,
  tellDisconnected,
} from '../../../model/architectures/safeHardware/deviceChannel.js';
import { drop, guardWith, module, omit, operationOn } from '../../../model/kernel/index.js';

const operation = operationOn<Channel>();

const hostileFrontend = operation('front.hostile', {
  agent: 'frontend',
  says: 'names a page of another domain for its ring from now on',
  fault: 'F5',
  where: { agent: (m) => m.front.hostile[0] === 0 },
  touches: (m, _op, may) => may.write(m.front),
  steps: {
    begin: (m) => {
      m.front.hostile[0] = 1;
    },
  },
});

const crashBackend = operation('back.crash', {
  agent: 'backend',
  says: 'crashes',
  fault: 'F10',
  where: { agent: (m) => m.back.life[0] === RUNNING || m.back.life[0] === HUNG },
  touches: (m, _op, may) => may.write(m.back),
  steps: { stop: killBackend },
});

const hangBackend = operation('back.hang', {
  agent: 'backend',
  says: 'hangs',
  fault: 'F11',
  where: { agent: (m) => m.back.life[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.back),
  steps: {
    stop: (m) => {
      m.back.life[0] = HUNG;
      m.killThreads('backend');
    },
  },
});

const suspectBackend = operation('ctl.suspect', {
  agent: 'controller',
  says: 'takes the backend, which works, for hung and destroys it',
  fault: 'F11',
  where: { agent: (m) => m.back.life[0] === RUNNING },
  touches: (m, _op, may) => may.write(m.back),
  steps: { stop: killBackend },
});

/** An acknowledgement of a life that is over reaches the controller after all. */
const lateAnswer = operation('back.lateAnswer', {
  agent: 'backend',
  says: 'that is dead has an acknowledgement arrive late',
  source: 'M4: response matched by id',
  fault: 'F14',
  where: {
    agent: (m) => m.back.epoch[0] > 0 && m.back.life[0] === RUNNING && m.mail.message[FROM_BACK] === 0,
  },
  touches: (m, _op, may) => may.write(m.mail, FROM_BACK),
  steps: {
    arrive: (m) => {
      m.mail.message[FROM_BACK] = ACK;
      m.mail.epoch[FROM_BACK] = m.back.epoch[0] - 1;
    },
  },
});

export const channelFaults = module<Channel, Record<never, never>>('attacks on the device channel', {
  tables: {},
  operations: [hostileFrontend, crashBackend, hangBackend, suspectBackend, lateAnswer],
});

/** GAP-X1 where the ring is mapped. */
export const ringByAddress = mutant('GAP-X1 ring', {
  says: 'the privileged backend maps whatever page the frontend names for its ring',
  source: 'Xen 2.0: backends map guest memory by machine address',
  edits: [omit(doConnect, 'the frontend owns it')],
});

export const disconnectsAtOnce = mutant('disconnection does not wait', {
  says: 'the backend unmaps the ring while a request is in work',
  source: 'M5: deferred acknowledgement',
  edits: [omit(doDisconnect, 'wait for requests in work')],
});

export const toldBeforeAcknowledged = mutant('told before acknowledged', {
  says: 'the frontend hears that it is disconnected as soon as the backend was asked, and uses its ring page again',
  source: 'M4: reuse only after the disconnection is acknowledged; XSA-396',
  edits: [guardWith(tellDisconnected, 'agent', (m) => m.ctl.step[0] === DISCONNECTING && m.mail.message[2] === 0)],
});

export const ringLeftMapped = mutant('ring of the dead left mapped', {
  says: 'a dead backend is taken for gone while its mapping of the ring is still there',
  source: 'M8: the ordering that the code leaves to the controller',
  edits: [omit(clearDead, 'take the ring back')],
});

export const messagesKept = mutant('messages of the dead kept', {
  says: 'a new backend finds what was sent to the old one, and maps a page that is no ring any more',
  source: 'M4: unacknowledged control messages are dropped',
  edits: [omit(clearDead, 'drop the messages')],
});

export const hungForEver = mutant('no time-out', {
  says: 'the controller waits for a hung backend for ever',
  source: 'M8: needs a time-out of the controller',
  edits: [drop(destroyHung)],
});

export const backendGone = mutant('backend never replaced', {
  says: 'the controller starts no new backend',
  source: 'M8',
  edits: [drop(restartBackend)],
});
