/**
 * Control interface and device channel (M4, M5): frontend, backend and controller agree on a ring page by messages. Source: Xen 2.0
 * `public/io/domain_controller.h`, Xend, blkfront and blkback.
 *
 * State: one message a mailbox, the two ends' states, what the backend has mapped, and what the frontend does with each of its pages. The
 * rings that carry the messages are controlRing.ts: a message comes once, to whoever it is for, and never from an earlier life. Here nobody
 * sends on before its last message was taken, so a ring has one message at a time, and a mailbox is what is seen of it.
 *
 * Must keep: the ring is mapped in step 7 only and belongs to the frontend; nobody uses the ring before step 8; a page is used again only
 * when the disconnection was acknowledged, or the dead backend's mapping taken back; messages to and from a dead backend are dropped (M4).
 */
import { blockedBy, DISABLED, NONE, OK, operationOn } from '../../kernel/index.js';
import {
  ACK,
  type Channel,
  CLOSED,
  CONNECT,
  CONNECTED,
  CREATE,
  channelPage,
  DISCONNECT,
  DISCONNECTED,
  FROM_BACK,
  FROM_FRONT,
  IS_CONNECTED,
  IS_DISCONNECTED,
  isEmpty,
  ownPage,
  post,
  REFUSED,
  ringOwner,
  TO_BACK,
  TO_FRONT,
  takeMail,
  UP,
  works,
} from './channelState.js';

const operation = operationOn<Channel>();

export const doCreate = operation('back.create', {
  agent: 'backend',
  says: 'creates the interface',
  source: 'M5, 1 and 2',
  where: { agent: (m) => works(m) && m.mail.message[TO_BACK] === CREATE && isEmpty(m, FROM_BACK) },
  touches: (m, _op, may) => {
    may.write(m.back);
    may.write(m.mail, TO_BACK);
    may.write(m.mail, FROM_BACK);
  },
  steps: {
    create: (m) => {
      m.back.state[0] = DISCONNECTED;
    },
    answer: (m) => {
      takeMail(m, TO_BACK);
      post(m, FROM_BACK, ACK, NONE);
    },
  },
});

/** Step 3; after a failure the frontend reports itself by CONNECT. */
export const up = operation('front.up', {
  agent: 'frontend',
  says: 'reports that its driver is up',
  source: 'M5, 3',
  where: { agent: (m) => m.front.state[0] === CLOSED && isEmpty(m, FROM_FRONT) && isEmpty(m, TO_FRONT) },
  touches: (m, _op, may) => may.write(m.mail, FROM_FRONT),
  steps: { send: (m) => post(m, FROM_FRONT, UP, NONE) },
});

/** Step 5: the frontend drops its old ring, takes a zeroed page, and asks for a connection. */
export const connect = operation('front.connect', {
  agent: 'frontend',
  says: 'takes {page} for its ring and asks for a connection',
  source: 'M5, 5; M8: free ring, new zeroed ring, send CONNECT',
  input: { page: channelPage },
  where: {
    agent: (m) => m.mail.message[TO_FRONT] === IS_DISCONNECTED && isEmpty(m, FROM_FRONT),
    page: (m, op) => (ownPage(m, op.page) ? m.own.use[op.page] !== 1 : m.front.hostile[0] === 1),
  },
  touches: (m, op, may) => {
    may.write(m.front);
    may.write(m.own, op.page);
    if (m.front.ring[0] !== NONE) may.write(m.own, m.front.ring[0]);
    may.write(m.mail, TO_FRONT);
    may.write(m.mail, FROM_FRONT);
  },
  steps: {
    'drop the old ring': (m) => {
      if (m.front.ring[0] !== NONE) m.own.use[m.front.ring[0]] = 0;
      m.front.recovering[0] = m.front.submitted[0];
      m.front.submitted[0] = 0;
    },
    'take a page': (m, op) => {
      m.front.ring[0] = op.page;
      if (ownPage(m, op.page)) m.own.use[op.page] = 1;
      m.front.state[0] = DISCONNECTED;
    },
    ask: (m, op) => {
      takeMail(m, TO_FRONT);
      post(m, FROM_FRONT, CONNECT, op.page);
    },
  },
});

const NOT_OWNED = blockedBy(ringOwner);

/** Step 7: the backend maps the ring, which the VMM allows only if the frontend owns it. */
export const doConnect = operation('back.connect', {
  agent: 'backend',
  says: 'maps the ring and answers',
  source: 'M5, 7: guard owner(frame) is the frontend',
  where: { agent: (m) => works(m) && m.mail.message[TO_BACK] === CONNECT && isEmpty(m, FROM_BACK) },
  touches: (m, _op, may) => {
    may.write(m.back);
    may.write(m.mail, TO_BACK);
    may.write(m.mail, FROM_BACK);
  },
  onFailure: 'safe',
  steps: {
    'the frontend owns it': (m) => {
      if (ownPage(m, m.mail.page[TO_BACK]) || !m.on(ringOwner)) return OK;
      takeMail(m, TO_BACK);
      post(m, FROM_BACK, REFUSED, NONE);
      return NOT_OWNED;
    },
    map: (m) => {
      m.back.mapped[0] = m.mail.page[TO_BACK];
      m.back.state[0] = CONNECTED;
    },
    answer: (m) => {
      takeMail(m, TO_BACK);
      post(m, FROM_BACK, ACK, NONE);
    },
  },
});

/** Step 9: the port is bound; what was outstanding is put into the new ring first. */
export const connected = operation('front.connected', {
  agent: 'frontend',
  says: 'is connected',
  source: 'M5, 9; M8: recovery',
  where: { agent: (m) => m.mail.message[TO_FRONT] === IS_CONNECTED },
  touches: (m, _op, may) => {
    may.write(m.front);
    may.write(m.mail, TO_FRONT);
  },
  steps: {
    'put outstanding requests in': (m) => {
      m.front.submitted[0] = m.front.recovering[0];
      m.front.recovering[0] = 0;
    },
    connect: (m) => {
      takeMail(m, TO_FRONT);
      m.front.state[0] = CONNECTED;
    },
  },
});

/** Uses of the ring. */
export const submit = operation('front.submit', {
  agent: 'frontend',
  path: 'submit',
  says: 'puts a request into the ring',
  where: { agent: (m) => m.front.state[0] === CONNECTED && m.front.submitted[0] === 0 },
  touches: (m, _op, may) => may.write(m.front),
  steps: {
    write: (m) => {
      m.front.submitted[0] = 1;
    },
  },
});

export const serve = operation('back.serve', {
  agent: 'backend',
  path: 'submit',
  says: 'takes the request',
  where: {
    agent: (m) =>
      works(m) &&
      m.back.state[0] === CONNECTED &&
      m.back.leaving[0] === 0 &&
      m.back.refs[0] === 0 &&
      m.front.submitted[0] === 1 &&
      m.back.mapped[0] === m.front.ring[0],
  },
  touches: (m, _op, may) => may.write(m.back),
  steps: {
    take: (m) => {
      m.back.refs[0] = 1;
    },
  },
});

export const finish = operation('back.finish', {
  agent: 'backend',
  path: 'complete',
  says: 'completes the request',
  where: { agent: (m) => works(m) && m.back.refs[0] === 1 },
  touches: (m, _op, may) => {
    may.write(m.back);
    may.write(m.front);
  },
  steps: {
    complete: (m) => {
      m.back.refs[0] = 0;
      if (m.back.mapped[0] === m.front.ring[0]) m.front.submitted[0] = 0;
    },
  },
});

/** Asked to disconnect, the backend takes nothing new. */
export const leave = operation('back.leave', {
  agent: 'backend',
  says: 'takes no new requests: it was asked to disconnect',
  source: 'M5: disconnect completes when the request count is 0; Xen 2.0 blkback, BLKIF_STATE_DISCONNECTING',
  where: { agent: (m) => works(m) && m.mail.message[TO_BACK] === DISCONNECT && m.back.leaving[0] === 0 },
  touches: (m, _op, may) => may.write(m.back),
  steps: {
    leave: (m) => {
      m.back.leaving[0] = 1;
    },
  },
});

/** The backend unmaps the ring when nothing is in work any more, and only then acknowledges. */
export const doDisconnect = operation('back.disconnect', {
  agent: 'backend',
  says: 'unmaps the ring and acknowledges',
  source: 'M5: disconnect completes when the request count is 0 (deferred acknowledgement)',
  where: {
    agent: (m) =>
      works(m) && m.mail.message[TO_BACK] === DISCONNECT && m.back.leaving[0] === 1 && isEmpty(m, FROM_BACK),
  },
  touches: (m, _op, may) => {
    may.write(m.back);
    may.write(m.mail, TO_BACK);
    may.write(m.mail, FROM_BACK);
  },
  steps: {
    'wait for requests in work': (m) => (m.back.refs[0] === 0 ? OK : DISABLED),
    unmap: (m) => {
      m.back.mapped[0] = NONE;
    },
    acknowledge: (m) => {
      m.back.leaving[0] = 0;
      m.back.state[0] = DISCONNECTED;
      takeMail(m, TO_BACK);
      post(m, FROM_BACK, ACK, NONE);
    },
  },
});

/** The frontend uses a page that is not a ring for data of its own. */
export const useData = operation('front.useData', {
  agent: 'frontend',
  path: 'complete',
  says: 'keeps its own data in {page}',
  input: { page: channelPage },
  where: { page: (m, op) => ownPage(m, op.page) && m.own.use[op.page] === 0 },
  touches: (m, op, may) => may.write(m.own, op.page),
  steps: {
    use: (m, op) => {
      m.own.use[op.page] = 2;
    },
  },
});

export * from './channelControl.js';
export * from './channelState.js';
