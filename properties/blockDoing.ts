/**
 * Whose doing a change of the block driver is, and that what is called has been done: by those who live and serve, woken by an event, with
 * nothing left granted, and asleep only where the next event wakes up.
 */
import { backFinalCheck, backOperations } from '../model/blockBack.js';
import { collect, frontFinalCheck } from '../model/blockFront.js';
import { close } from '../model/blockFrontLife.js';
import { announce, attach } from '../model/blockManager.js';
import {
  type Block,
  backend,
  DYING,
  FREE,
  HONEST,
  HUNG,
  LENT,
  mask,
  OUTSTANDING,
  page,
  RING,
  RUNNING,
  request,
} from '../model/blockState.js';
import { isFailure, NONE } from '../model/kernel/index.js';
import { eventThreshold } from '../model/ring.js';
import { CLOSING, CONNECTED, INIT_WAIT } from '../model/xenbus.js';
import { invariant, relation } from './property.js';

/** X-S9 at the frontend: a grant that is forgotten is memory that the backend may map for ever. */
export const lentWhileNeeded = invariant<Block>('I2', 'lent', {
  states:
    'an honest frontend grants exactly its ring, the buffers of its outstanding requests, and what it could not take back',
  holds: (m) => {
    const pages = m.size(page);
    const requests = m.size(request);
    for (let f = 0; f < m.fe.rows; f++) {
      if (m.fe.hostile[f] !== HONEST) continue;
      for (let p = 0; p < pages; p++) {
        const row = f * pages + p;
        const use = m.page.use[row];
        const wanted = p < requests && m.client.state[f * requests + p] === OUTSTANDING;
        if ((use === LENT) !== wanted) return false;
        if ((use === RING) !== (m.fe.ringPage[f] === p)) return false;
        if ((m.page.access[row] === 0) !== (use === FREE)) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a buffer is lent': (m) => m.page.use.includes(LENT),
    'all requests have ended': (m) => m.client.state.every((s) => s > OUTSTANDING),
  },
});

/** RG1 after the final check: what comes next passes the threshold. ring.ts has the interleavings. */
export const asleepSafely = invariant<Block>('RG1', 'asleep', {
  states: 'an end that sleeps with no event pending has consumed everything, and asks to be told of the next',
  holds: (m) => {
    for (let f = 0; f < m.fe.rows; f++) {
      if (m.fe.hostile[f] !== HONEST || m.fe.tainted[f] === 1 || m.fe.state[f] !== CONNECTED) continue;
      const { fe, sring } = m;
      const asleep = fe.awake[f] === 0 && fe.event[f] === 0;
      if (asleep && sring.rspProd[f] !== fe.rspCons[f]) return false;
      if (asleep && sring.rspEvent[f] !== eventThreshold(fe.rspCons[f], mask(m))) return false;
      for (let b = 0; b < m.be.rows; b++) {
        const c = m.chan.at(b, f);
        if (m.be.life[b] !== RUNNING || m.be.hostile[b] === 1 || m.chan.ring[c] === NONE) continue;
        if (m.chan.ring[c] !== fe.ringPage[f] || m.chan.awake[c] === 1 || m.chan.event[c] === 1) continue;
        if (sring.reqProd[f] !== m.chan.reqCons[c]) return false;
        if (sring.reqEvent[f] !== eventThreshold(m.chan.reqCons[c], mask(m))) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a frontend sleeps after its first response': (m) =>
      m.fe.state[0] === CONNECTED && m.fe.awake[0] === 0 && m.fe.rspCons[0] === 1,
    'a backend sleeps after its first request': (m) =>
      m.chan.ring[0] !== NONE && m.chan.awake[0] === 0 && m.chan.reqCons[0] === 1,
  },
});

const BACK_CALLS: readonly string[] = backOperations.map((o) => o.name);

/** Calls that return success, and steps of the protocol. */
export const callsDone = relation<Block>('I4', 'done', {
  states:
    'who announces itself is in InitWait, who connects looks for requests from the right place, who closes is Closing, and a last look ends the handler',
  holds: (_before, after, status) => {
    if (isFailure(status) || !after.finished) return true;
    const { op, call } = after.current;
    switch (op.name) {
      case announce.name:
        return after.node.back[call.frontend] === INIT_WAIT;
      case attach.name: {
        const c = after.chan.at(call.agent, call.frontend);
        const from = after.sring.rspProd[call.frontend];
        if (after.node.back[call.frontend] !== CONNECTED || after.chan.awake[c] === 0) return false;
        return after.chan.reqCons[c] === from && after.chan.rspProdPvt[c] === from;
      }
      case close.name:
        return after.fe.state[call.agent] === CLOSING;
      case frontFinalCheck.name:
        return after.fe.awake[call.agent] === 0;
      case backFinalCheck.name:
        return after.chan.awake[after.chan.at(call.agent, call.frontend)] === 0;
      default:
        return true;
    }
  },
  witnesses: {
    'a backend has announced itself': (m) => m.node.back[0] === INIT_WAIT,
    'a frontend closes, and its backend serves': (m) => m.fe.state[0] === CLOSING && m.node.back[0] === CONNECTED,
    'a frontend sleeps': (m) => m.fe.state[0] === CONNECTED && m.fe.awake[0] === 0,
  },
});

/** F11 means what it says. */
export const onlyTheLivingServe = relation<Block>('I9', 'serves', {
  states: 'a backend that hangs, is dead or is hostile serves no request and connects to nobody',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.agent !== backend || op.fault !== undefined) return true;
    if (op.name !== attach.name && !BACK_CALLS.includes(op.name)) return true;
    return before.be.life[call.agent] === RUNNING && before.be.hostile[call.agent] === 0;
  },
  witnesses: {
    'a request is outstanding with its backend hung or dead': (m) =>
      (m.be.life[0] === HUNG || m.be.life[0] === DYING) && m.client.state.includes(OUTSTANDING),
  },
});

/** What runs keeps its mappings, hostile or not: the VMM takes from the dead. */
export const ownMappings = relation<Block>('I14', 'own mappings', {
  states: 'a mapping of a backend ends by its own calls, or when it is dead',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    const actor = op.agent === backend ? call.agent : NONE;
    for (let row = 0; row < after.page.rows; row++) {
      const gone = before.page.readers[row] & ~after.page.readers[row];
      if (gone === 0) continue;
      for (let b = 0; b < after.be.rows; b++) {
        if (((gone >> b) & 1) === 1 && b !== actor && before.be.life[b] !== DYING) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a dead backend has a page mapped': (m) =>
      m.be.life[0] === DYING && m.page.readers.some((readers) => (readers & 1) === 1),
  },
});

/** XB1 at the responses. */
export const collectsAwake = relation<Block>('XB1', 'responses', {
  states: 'a frontend takes responses out of its ring only while it is connected, in the handler of an event',
  ofChange: true,
  holds: (before, after) => {
    const { op, call } = after.current;
    return op.name !== collect.name || (before.fe.awake[call.agent] === 1 && before.fe.state[call.agent] === CONNECTED);
  },
  witnesses: {
    'a response waits in the ring of a frontend that sleeps': (m) =>
      m.fe.awake[0] === 0 && m.sring.rspProd[0] !== m.fe.rspCons[0],
  },
});
