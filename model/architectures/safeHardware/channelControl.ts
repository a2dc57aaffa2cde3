/** The controller's part of the device channel (M5): it passes messages on between frontend and backend, and believes neither. */
import { NONE, operationOn } from '../../kernel/index.js';
import {
  ACK,
  answered,
  type Channel,
  CLOSED,
  CONNECT,
  CONNECTING,
  CREATE,
  CREATED,
  CREATING,
  DISCONNECT,
  DISCONNECTING,
  FROM_BACK,
  FROM_FRONT,
  GONE,
  IDLE,
  IS_CONNECTED,
  IS_DISCONNECTED,
  isEmpty,
  post,
  REFUSED,
  RUNNING,
  SERVING,
  TO_BACK,
  TO_FRONT,
  takeMail,
  UP,
  works,
} from './channelState.js';

const operation = operationOn<Channel>();

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
