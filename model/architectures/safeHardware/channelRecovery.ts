/**
 * Failure of a backend, seen from the control interface (M4): messages are dropped, the VMM takes the mapping back, the frontend is told,
 * and a new backend begins from the creation of the interface. The module is put together here.
 */
import { module, NONE, operationOn, sort } from '../../kernel/index.js';
import {
  type Channel,
  CONNECTED,
  channelTables,
  connect,
  connected,
  create,
  created,
  DEAD,
  DISCONNECTING,
  disconnect,
  doConnect,
  doCreate,
  doDisconnect,
  epoch,
  FROM_BACK,
  finish,
  forward,
  GONE,
  HUNG,
  IDLE,
  IS_DISCONNECTED,
  leave,
  messageEpoch,
  RUNNING,
  SERVING,
  serve,
  submit,
  TO_BACK,
  TO_FRONT,
  takeMail,
  tellConnected,
  tellDisconnected,
  tellRefused,
  up,
  useData,
} from './deviceChannel.js';

const operation = operationOn<Channel>();

/** The backend stops; its mapping is the VMM's to take back. */
export function killBackend(m: Channel): void {
  m.back.life[0] = DEAD;
  m.killThreads('backend');
  m.back.refs[0] = 0;
  m.back.leaving[0] = 0;
}

/** The controller ends a backend that does not answer. */
export const destroyHung = operation('ctl.destroy', {
  agent: 'controller',
  says: 'destroys the backend, which does not answer',
  source: 'M8: time-out of the controller',
  where: { agent: (m) => m.back.life[0] === HUNG },
  touches: (m, _op, may) => may.write(m.back),
  steps: { stop: killBackend },
});

/** The VMM takes the ring back from a dead backend, and the controller drops what was on its way to it and from it. */
export const clearDead = operation('ctl.clear', {
  agent: 'controller',
  says: 'drops the messages of the dead backend, whose mappings the VMM has taken back',
  source: 'M4: unacknowledged control messages are dropped, and the shared frame may then be reused',
  where: { agent: (m) => m.back.life[0] === DEAD },
  touches: (m, _op, may) => {
    may.write(m.back);
    may.write(m.ctl);
    may.write(m.mail, TO_BACK);
    may.write(m.mail, FROM_BACK);
  },
  steps: {
    'take the ring back': (m) => {
      m.back.mapped[0] = NONE;
    },
    'drop the messages': (m) => {
      takeMail(m, TO_BACK);
      takeMail(m, FROM_BACK);
    },
    'note that it is down': (m) => {
      m.back.state[0] = 0;
      m.back.life[0] = GONE;
      m.ctl.step[0] = m.front.state[0] === 0 ? IDLE : DISCONNECTING;
    },
  },
});

/** An answer of an earlier life came late: its id matches nothing. */
export const dropLate = operation('ctl.dropLate', {
  agent: 'controller',
  says: 'drops an answer of an earlier life of the backend',
  source: 'M4: request and response matched by id',
  where: {
    agent: (m) => m.on(messageEpoch) && m.mail.message[FROM_BACK] !== 0 && m.mail.epoch[FROM_BACK] !== m.back.epoch[0],
  },
  touches: (m, _op, may) => may.write(m.mail, FROM_BACK),
  steps: { drop: (m) => takeMail(m, FROM_BACK) },
});

/** A new backend, with nothing of the old one. */
export const restartBackend = operation('ctl.restart', {
  agent: 'controller',
  says: 'starts a new backend',
  source: 'M8',
  where: { agent: (m) => m.back.life[0] === GONE && m.ctl.step[0] === IDLE && m.back.epoch[0] + 1 < m.size(epoch) },
  touches: (m, _op, may) => may.write(m.back),
  steps: {
    start: (m) => {
      m.back.life[0] = RUNNING;
      m.back.epoch[0]++;
    },
  },
});

/** Where runs begin. The last two can be reached from the first; they make counterexamples short. */
const channelStart = sort('start of the channel', { members: ['nothing created', 'connected', 'backend restarted'] });

function start(m: Channel): void {
  for (let box = 0; box < m.mail.rows; box++) takeMail(m, box);
  m.front.ring[0] = NONE;
  m.back.mapped[0] = NONE;
  m.ctl.page[0] = NONE;
  const from = m.choose(channelStart);
  if (from === 0) return;
  m.front.ring[0] = 0;
  m.front.state[0] = CONNECTED;
  m.own.use[0] = 1;
  if (from === 1) {
    m.back.mapped[0] = 0;
    m.back.state[0] = CONNECTED;
    m.ctl.step[0] = SERVING;
    m.ctl.page[0] = 0;
    return;
  }
  m.back.epoch[0] = 1;
  m.mail.message[TO_FRONT] = IS_DISCONNECTED;
}

/** Scope: `page` (one more than the frontend has), `epoch`. */
export const deviceChannel = module<Channel, typeof channelTables>('device channel', {
  tables: channelTables,
  operations: [
    create,
    doCreate,
    up,
    tellDisconnected,
    connect,
    forward,
    created,
    doConnect,
    tellConnected,
    tellRefused,
    connected,
    submit,
    serve,
    finish,
    disconnect,
    leave,
    doDisconnect,
    useData,
    destroyHung,
    clearDead,
    dropLate,
    restartBackend,
  ],
  initial: start,
  map: (m) => [
    `frontend ${['closed', 'disconnected', 'connected'][m.front.state[0]]}, ring ${m.front.ring[0] === NONE ? 'none' : m.front.ring[0]}`,
    `backend ${['running', 'hung', 'dead', 'gone'][m.back.life[0]]}, maps ${m.back.mapped[0] === NONE ? 'nothing' : `page ${m.back.mapped[0]}`}`,
  ],
});
