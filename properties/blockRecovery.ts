/** What the block split driver must keep over handshake, crash and recovery: each request once, each device one owner, nothing lost. */
import { nextToReplay } from '../model/blockFrontLife.js';
import {
  type Block,
  COMPLETED_TWICE,
  DONE_OK,
  DYING,
  FREE,
  HONEST,
  HUNG,
  KEPT_BACK,
  lives,
  NOT_SERVED,
  OUTSTANDING,
  request,
  ringSize,
  SERVED_TWICE,
} from '../model/blockState.js';
import { NONE } from '../model/kernel/index.js';
import { backMayGo, CLOSED, CLOSING, CONNECTED, frontMayGo, INITIALISED, usesRing } from '../model/xenbus.js';
import { invariant, progress, relation } from './property.js';

/** Whether some page is so. */
export const anyPage = (m: Block, test: (row: number) => boolean): boolean => {
  for (let row = 0; row < m.page.rows; row++) if (test(row)) return true;
  return false;
};

/** I4 and XB4: what is used again is mapped by nobody. */
export const notReusedWhileMapped = invariant<Block>('I4', 'revoke', {
  states: 'a page whose grant was ended is mapped by no backend, dead ones included',
  holds: (m) => !anyPage(m, (row) => m.page.use[row] === FREE && m.page.readers[row] !== 0),
  witnesses: { 'a page is kept back': (m) => m.page.use.includes(KEPT_BACK) },
});

const noWrong = (m: Block, bit: number): boolean => {
  for (let row = 0; row < m.client.rows; row++) if (m.client.wrongs[row] & bit) return false;
  return true;
};

/** I6: exactly once for the client. */
export const completedOnce = invariant<Block>('I6', 'match', {
  states: 'a response completes a request that is outstanding, and no request completes twice',
  holds: (m) => noWrong(m, COMPLETED_TWICE),
  witnesses: { 'a request has completed': (m) => m.client.state.includes(DONE_OK) },
});

/** X-S7: at most once a connection. */
export const servedOnce = invariant<Block>('I6', 'once an epoch', {
  states: 'a request is performed at most once in an epoch',
  holds: (m) => noWrong(m, SERVED_TWICE),
  witnesses: {
    'a request was performed': (m) => m.client.served.some((s) => s !== 0),
  },
});

/** I9: an answer counts only in the epoch that it was given in. */
export const freshAnswers = invariant<Block>('I9', 'fresh', {
  states: 'no request completes without having been performed in the epoch in which it completes',
  holds: (m) => noWrong(m, NOT_SERVED),
  witnesses: {
    'a request was performed in two epochs': (m) => m.client.served.some((s) => (s & (s - 1)) !== 0),
    'a request completed in the second epoch': (m) => m.fe.epoch[0] > 0 && m.client.state.includes(DONE_OK),
  },
});

/** M8: nothing outstanding is forgotten, and nothing new overtakes it. */
export const replayedFirst = invariant<Block>('I9', 'replay', {
  states:
    'a connected frontend has every outstanding request in its present ring, and put the old ones in before any new one',
  holds: (m) => {
    for (let f = 0; f < m.fe.rows; f++) {
      const old = nextToReplay(m, f);
      if (old === NONE) continue;
      if (m.fe.state[f] === CONNECTED) return false;
      for (let s = 0; s < ringSize(m); s++) {
        const entry = m.shadow.at(f, s);
        if (m.shadow.request[entry] !== NONE && m.fe.epoch[f] > 0 && m.shadow.first[entry] === m.fe.epoch[f])
          return false;
      }
    }
    return true;
  },
  witnesses: {
    'a request waits to be replayed': (m) => nextToReplay(m, 0) !== NONE,
    'a request is outstanding with its backend hung': (m) =>
      m.client.state.includes(OUTSTANDING) && m.be.life[0] === HUNG,
  },
});

/** R-S4. */
export const oneOwner = invariant<Block>('R-S4', 'owner', {
  states: 'no device has two live backends',
  holds: (m) => {
    for (let d = 0; d < m.device.rows; d++) if (lives(m, 2 * d) && lives(m, 2 * d + 1)) return false;
    return true;
  },
  witnesses: {
    'a second backend lives': (m) => lives(m, 1),
    'one dies while another lives': (m) => m.be.life[0] === DYING && lives(m, 1),
  },
});

/** XB1. */
export const ringOnlyConnected = invariant<Block>('XB1', 'connected', {
  states: 'a frontend publishes requests and handles interrupts only while it is connected',
  holds: (m) => {
    for (let f = 0; f < m.fe.rows; f++) {
      const state = m.fe.state[f];
      if (m.fe.hostile[f] !== HONEST || state === CONNECTED || state === CLOSING) continue;
      if (m.sring.reqProd[f] !== 0 || m.fe.awake[f] === 1) return false;
    }
    return true;
  },
  witnesses: { 'a frontend recovers': (m) => m.fe.recovering[0] === 1 },
});

/** XB2. */
export const ringMappedInTime = relation<Block>('XB2', 'ring', {
  states: 'a backend maps only the ring of a frontend that is Initialised or Connected',
  holds: (before, after) => {
    for (let c = 0; c < after.chan.rows; c++) {
      if (before.chan.ring[c] !== NONE || after.chan.ring[c] === NONE) continue;
      const f = c % after.fe.rows;
      if (!usesRing(before.fe.state[f]) || after.chan.ring[c] !== before.fe.ringPage[f]) return false;
    }
    return true;
  },
  witnesses: { 'a frontend waits for its backend': (m) => m.fe.state[0] === INITIALISED },
});

/** XB3. */
export const epochsGrow = relation<Block>('XB3', 'epoch', {
  states: 'epochs only grow, and the nodes change as the protocol allows within one',
  holds: (before, after) => {
    for (let f = 0; f < after.fe.rows; f++) {
      if (after.fe.epoch[f] < before.fe.epoch[f] || after.node.epoch[f] < before.node.epoch[f]) return false;
      if (after.fe.epoch[f] > after.node.epoch[f]) return false;
      if (after.fe.epoch[f] === before.fe.epoch[f] && !frontMayGo(before.fe.state[f], after.fe.state[f])) return false;
      if (after.node.epoch[f] === before.node.epoch[f] && !backMayGo(before.node.back[f], after.node.back[f]))
        return false;
    }
    return true;
  },
  witnesses: {
    'the second epoch has begun': (m) => m.fe.epoch[0] === 1,
    'a device is closed': (m) => m.fe.state[0] === CLOSED,
  },
});

/** H36. */
export const tornDownOnce = relation<Block>('I10', 'teardown', {
  states: 'a connection is torn down once',
  holds: (before, after) => {
    if (after.current.op.name !== 'back.disconnect') return true;
    const { agent, frontend } = after.current.call;
    return before.chan.ring[before.chan.at(agent, frontend)] !== NONE;
  },
  witnesses: { 'a backend has disconnected': (m) => m.node.back[0] === CLOSED },
});

const anyOutstanding = (m: Block): boolean => {
  const requests = m.size(request);
  for (let row = 0; row < m.client.rows; row++) {
    if (m.client.state[row] === OUTSTANDING && m.fe.hostile[Math.floor(row / requests)] === HONEST) return true;
  }
  return false;
};

/** X-L1. */
export const everyRequestEnds = progress<Block>('I6', 'end', {
  states: 'every outstanding request of an honest frontend completes, or fails',
  pending: anyOutstanding,
  goal: (m) => !anyOutstanding(m),
  witnesses: {
    'a request is outstanding with its backend dead': (m) => anyOutstanding(m) && m.be.life[0] === DYING,
  },
});

/** What a dead backend held comes back. */
export const everythingReturns = progress<Block>('I2', 'returned', {
  states: 'what a dead backend had mapped is taken back, and every page that was kept back can be used again',
  pending: (m) => m.be.life.includes(DYING) || m.page.use.includes(KEPT_BACK),
  goal: (m) => !m.be.life.includes(DYING) && !m.page.use.includes(KEPT_BACK),
  witnesses: {
    'a dead backend has pages mapped': (m) =>
      m.be.life[0] === DYING && anyPage(m, (row) => (m.page.readers[row] & 1) === 1),
  },
});
