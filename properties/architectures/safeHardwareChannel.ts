/** What the device channel must keep: whose page the ring is, when it is mapped and used again, and that a connection comes back. */
import {
  type Channel,
  CONNECTED,
  DEAD,
  epoch,
  FROM_BACK,
  GONE,
  HUNG,
  ownPage,
  RUNNING,
  SERVING,
  TO_BACK,
} from '../../model/architectures/safeHardware/deviceChannel.js';
import { NONE } from '../../model/kernel/index.js';
import { invariant, progress } from '../property.js';

const RING = 1;

export const ringOfFrontend = invariant<Channel>('X-S2', 'ring page', {
  states: 'a backend maps as a ring only a page that the frontend owns',
  holds: (m) => m.back.mapped[0] === NONE || ownPage(m, m.back.mapped[0]),
  witnesses: {
    'the ring is mapped': (m) => m.back.mapped[0] !== NONE,
    'a hostile frontend waits': (m) => m.front.hostile[0] === 1,
  },
});

export const ringReused = invariant<Channel>('XB4', 'ring page', {
  states: 'what a backend has mapped as a ring, the frontend uses for nothing else',
  holds: (m) => m.back.mapped[0] === NONE || !ownPage(m, m.back.mapped[0]) || m.own.use[m.back.mapped[0]] === RING,
  witnesses: {
    'a page is used for data': (m) => m.own.use.includes(2),
    'a dead backend has the ring mapped': (m) => m.back.life[0] === DEAD && m.back.mapped[0] !== NONE,
  },
});

export const usedWhenConnected = invariant<Channel>('XB1', 'connected', {
  states:
    'a frontend takes itself for connected only while the backend has its ring, or something ends that it will hear of',
  holds: (m) => {
    if (m.front.state[0] !== CONNECTED || m.ctl.step[0] !== SERVING) return true;
    if (m.back.life[0] !== RUNNING) return true;
    return m.back.state[0] === CONNECTED && m.back.mapped[0] === m.front.ring[0];
  },
  witnesses: {
    'a connection came back': (m) => m.front.state[0] === CONNECTED && m.back.epoch[0] > 0 && m.ctl.step[0] === SERVING,
  },
});

export const workHasRing = invariant<Channel>('M5', 'requests in work', {
  states: 'a backend with a request in work has the ring that it came from',
  holds: (m) => m.back.refs[0] === 0 || m.back.mapped[0] !== NONE,
  witnesses: { 'a request is in work': (m) => m.back.refs[0] === 1 },
});

export const deadAreSilent = invariant<Channel>('M4', 'dropped messages', {
  states: 'when a dead backend counts as gone, no message is on its way to it or from it',
  holds: (m) => m.back.life[0] !== GONE || (m.mail.message[TO_BACK] === 0 && m.mail.message[FROM_BACK] === 0),
  witnesses: { 'a backend is gone': (m) => m.back.life[0] === GONE },
});

const lastLifeIsOver = (m: Channel): boolean => m.back.life[0] === GONE && m.back.epoch[0] + 1 >= m.size(epoch);

export const connectionReturns = progress<Channel>('X-L1', 'connection', {
  states: 'an honest frontend is connected again, as long as its backend has another life',
  pending: (m) => m.front.hostile[0] === 0 && m.back.life[0] !== RUNNING,
  goal: (m) => (m.front.state[0] === CONNECTED && m.back.life[0] === RUNNING) || lastLifeIsOver(m),
  without: ['ctl.disconnect'],
  witnesses: { 'a backend hangs': (m) => m.back.life[0] === HUNG },
});

export const connectionReturnsUnaided = progress<Channel>('X-L1', 'connection unaided', {
  states: 'an honest frontend gets its requests done although its backend hangs and nobody ends it',
  pending: (m) => m.front.hostile[0] === 0 && m.back.life[0] === HUNG && m.front.submitted[0] === 1,
  goal: (m) => m.front.submitted[0] === 0 || lastLifeIsOver(m),
  without: ['ctl.destroy', 'ctl.suspect'],
  witnesses: { 'a backend hangs': (m) => m.back.life[0] === HUNG },
});
