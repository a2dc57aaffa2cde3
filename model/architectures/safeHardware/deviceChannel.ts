/**
 * Control interface and device channel (M4, M5): frontend, backend and controller agree on a ring page by messages. Source: Xen 2.0
 * `public/io/domain_controller.h`, Xend, blkfront and blkback.
 *
 * State: one message a mailbox (the 8-slot rings carry one at a time here), the two ends' states, what the backend has mapped, and what the
 * frontend does with each of its pages. Must keep: the ring is mapped in step 7 only and belongs to the frontend; nobody uses the ring
 * before step 8; a page is used again only when the disconnection was acknowledged, or the dead backend's mapping taken back; messages to
 * and from a dead backend are dropped (M4).
 */
import {
  blockedBy,
  DISABLED,
  gate,
  type Machine,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { CONTROL_MESSAGE, charge } from '../../ledger.js';

/** Pages: the last one belongs to another domain, the others to the frontend. */
export const channelPage = sort('page');
/** Lives of the backend. */
export const epoch = sort('epoch');
export const mailbox = sort('mailbox', {
  members: ['to the backend', 'from the backend', 'to the frontend', 'from the frontend'],
});
export const TO_BACK = 0;
export const FROM_BACK = 1;
export const TO_FRONT = 2;
export const FROM_FRONT = 3;

const MESSAGES = [
  'none',
  'CREATE',
  'CONNECT',
  'DISCONNECT',
  'done',
  'failed',
  'UP',
  'STATUS(DISCONNECTED)',
  'STATUS(CONNECTED)',
] as const;
export const CREATE = 1;
export const CONNECT = 2;
export const DISCONNECT = 3;
export const ACK = 4;
export const REFUSED = 5;
export const UP = 6;
export const IS_DISCONNECTED = 7;
export const IS_CONNECTED = 8;

export const CLOSED = 0;
export const DISCONNECTED = 1;
export const CONNECTED = 2;

export const RUNNING = 0;
export const HUNG = 1;
export const DEAD = 2;
export const GONE = 3;

/** What the controller waits for. */
export const IDLE = 0;
export const CREATING = 1;
export const CREATED = 2;
export const CONNECTING = 3;
export const SERVING = 4;
export const DISCONNECTING = 5;

export const channelTables = {
  mail: table([mailbox], { message: oneOf(...MESSAGES), page: ref(channelPage), epoch: u8() }),
  front: table([], {
    state: oneOf('closed', 'disconnected', 'connected'),
    ring: ref(channelPage),
    /** Frees its ring and asks for another connection. */
    recovering: oneOf('no', 'yes'),
    submitted: oneOf('no', 'yes'),
    hostile: oneOf('no', 'yes'),
  }),
  /** What the frontend does with a page: nothing, ring, or its own data. */
  own: table([channelPage], { use: oneOf('free', 'ring', 'data') }),
  back: table([], {
    life: oneOf('running', 'hung', 'dead', 'gone'),
    state: oneOf('none', 'disconnected', 'connected'),
    mapped: ref(channelPage),
    /** Requests in work: a disconnection waits for them. */
    refs: u8(),
    leaving: oneOf('no', 'yes'),
    epoch: u8(),
  }),
  ctl: table([], {
    step: oneOf('idle', 'creating', 'created', 'connecting', 'serving', 'disconnecting'),
    page: ref(channelPage),
  }),
};

export type Channel = Machine & State<typeof channelTables>;
const operation = operationOn<Channel>();

/** The VMM maps for the backend only what the frontend owns. */
export const ringOwner = gate('ring page ownership');
/** An answer counts only for the life of the backend that the question went to. */
export const messageEpoch = gate('message id match');

/** Whether the page is the frontend's. */
export const ownPage = (m: Channel, p: number): boolean => p < m.own.rows - 1;
const isEmpty = (m: Channel, box: number): boolean => m.mail.message[box] === 0;
const works = (m: Channel): boolean => m.back.life[0] === RUNNING;

function post(m: Channel, box: number, message: number, page: number): void {
  m.mail.message[box] = message;
  m.mail.page[box] = page;
  m.mail.epoch[box] = m.back.epoch[0];
  charge(m, CONTROL_MESSAGE);
}

export function takeMail(m: Channel, box: number): void {
  m.mail.message[box] = 0;
  m.mail.page[box] = NONE;
  m.mail.epoch[box] = 0;
}

/** An answer of the backend for the controller, of its present life. */
function answered(m: Channel, message: number): boolean {
  if (m.mail.message[FROM_BACK] !== message) return false;
  return !m.on(messageEpoch) || m.mail.epoch[FROM_BACK] === m.back.epoch[0];
}

/** Steps 1 and 2. */
export const create = operation('ctl.create', {
  agent: 'controller',
  says: 'tells the backend to create the interface',
  source: 'M5, 1 and 2',
  where: { agent: (m) => works(m) && m.ctl.step[0] === IDLE && m.back.state[0] === 0 && isEmpty(m, TO_BACK) },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, TO_BACK);
  },
  steps: {
    send: (m) => {
      post(m, TO_BACK, CREATE, NONE);
      m.ctl.step[0] = CREATING;
    },
  },
});

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

/** Step 4: the backend has the interface, the frontend may connect. */
export const tellDisconnected = operation('ctl.statusDisconnected', {
  agent: 'controller',
  says: 'tells the frontend that it is disconnected',
  source: 'M5, 4; M4: DOWN of a backend reaches the affected frontends',
  where: {
    agent: (m) => {
      if (!isEmpty(m, TO_FRONT)) return false;
      if (m.ctl.step[0] === CREATING) return answered(m, ACK) && m.mail.message[FROM_FRONT] === UP;
      return m.ctl.step[0] === DISCONNECTING && (answered(m, ACK) || m.back.life[0] === GONE);
    },
  },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    for (let box = 0; box < 4; box++) may.write(m.mail, box);
  },
  steps: {
    'take the answer': (m) => {
      // A request for a connection that nobody has passed on is void: the frontend will ask again, with another page.
      takeMail(m, FROM_FRONT);
      takeMail(m, FROM_BACK);
    },
    send: (m) => {
      m.ctl.step[0] = m.ctl.step[0] === CREATING || m.back.life[0] === RUNNING ? CREATED : IDLE;
      m.ctl.page[0] = NONE;
      post(m, TO_FRONT, IS_DISCONNECTED, NONE);
    },
  },
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

/** Step 6: the controller makes an event channel and passes the page on. */
export const forward = operation('ctl.connect', {
  agent: 'controller',
  says: 'passes the ring on to the backend',
  source: 'M5, 6',
  where: {
    agent: (m) =>
      works(m) && m.mail.message[FROM_FRONT] === CONNECT && m.ctl.step[0] === CREATED && isEmpty(m, TO_BACK),
  },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, FROM_FRONT);
    may.write(m.mail, TO_BACK);
  },
  steps: {
    send: (m) => {
      m.ctl.page[0] = m.mail.page[FROM_FRONT];
      m.ctl.step[0] = CONNECTING;
      takeMail(m, FROM_FRONT);
      post(m, TO_BACK, CONNECT, m.ctl.page[0]);
    },
  },
});

/** A backend that was started anew has the interface created before it hears of a ring. */
export const created = operation('ctl.created', {
  agent: 'controller',
  says: 'hears that the interface is created again',
  source: 'M8: the new backend goes through M5, 1 and 2',
  where: {
    agent: (m) => m.ctl.step[0] === CREATING && answered(m, ACK) && m.front.state[0] !== CLOSED,
  },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, FROM_BACK);
  },
  steps: {
    note: (m) => {
      takeMail(m, FROM_BACK);
      m.ctl.step[0] = CREATED;
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

/** Step 8. */
export const tellConnected = operation('ctl.statusConnected', {
  agent: 'controller',
  says: 'tells the frontend that it is connected',
  source: 'M5, 8',
  where: { agent: (m) => m.ctl.step[0] === CONNECTING && answered(m, ACK) && isEmpty(m, TO_FRONT) },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, FROM_BACK);
    may.write(m.mail, TO_FRONT);
  },
  steps: {
    send: (m) => {
      takeMail(m, FROM_BACK);
      m.ctl.step[0] = SERVING;
      post(m, TO_FRONT, IS_CONNECTED, NONE);
    },
  },
});

/** The backend could not map the ring: the frontend stays disconnected, and may ask again with a page of its own. */
export const tellRefused = operation('ctl.refused', {
  agent: 'controller',
  says: 'tells the frontend that its ring was refused',
  source: 'M5, 7: the error of the backend',
  where: { agent: (m) => m.ctl.step[0] === CONNECTING && answered(m, REFUSED) && isEmpty(m, TO_FRONT) },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, FROM_BACK);
    may.write(m.mail, TO_FRONT);
  },
  steps: {
    send: (m) => {
      takeMail(m, FROM_BACK);
      m.ctl.step[0] = CREATED;
      m.ctl.page[0] = NONE;
      post(m, TO_FRONT, IS_DISCONNECTED, NONE);
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

/** The controller ends a connection. */
export const disconnect = operation('ctl.disconnect', {
  agent: 'controller',
  says: 'tells the backend to disconnect',
  source: 'M4, backend messages: disconnect',
  where: {
    agent: (m) =>
      works(m) && m.ctl.step[0] === SERVING && isEmpty(m, TO_BACK) && isEmpty(m, FROM_BACK) && isEmpty(m, TO_FRONT),
  },
  touches: (m, _op, may) => {
    may.write(m.ctl);
    may.write(m.mail, TO_BACK);
  },
  steps: {
    send: (m) => {
      post(m, TO_BACK, DISCONNECT, NONE);
      m.ctl.step[0] = DISCONNECTING;
    },
  },
});

/** The backend unmaps the ring when nothing is in work any more, and only then acknowledges. */
export const doDisconnect = operation('back.disconnect', {
  agent: 'backend',
  says: 'unmaps the ring and acknowledges',
  source: 'M5: disconnect completes when the request count is 0 (deferred acknowledgement)',
  where: { agent: (m) => works(m) && m.mail.message[TO_BACK] === DISCONNECT && isEmpty(m, FROM_BACK) },
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
      m.back.state[0] = DISCONNECTED;
      takeMail(m, TO_BACK);
      post(m, FROM_BACK, ACK, NONE);
    },
  },
});

/** The frontend uses a page that is not a ring for data of its own. */
export const useData = operation('front.useData', {
  agent: 'frontend',
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
