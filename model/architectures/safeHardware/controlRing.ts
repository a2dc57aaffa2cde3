/**
 * The two rings of the control interface (M4) at work: send, take, answer, collect, and the event that wakes an end up. One set of
 * operations serves both ends of both rings. Source: Xen 2.0 `public/io/domain_controller.h`; Linux 2.6 `arch/xen/kernel/ctrl_if.c`; Xend, `xu.c`.
 *
 * State: controlState.ts; death, time-out and reuse of the page: controlRecovery.ts. Must keep: an end believes of its peer only indices
 * within the ring, ids that it awaits and lengths that fit; each request is acted upon once; no wake-up is lost.
 *
 * In ctrl_if.c the domain believes the controller, and reads even its own producer back from the page. Here both ends check alike.
 */
import { blockedBy, DISABLED, OK, operationOn } from '../../kernel/index.js';
import { CONTROL_MESSAGE, charge } from '../../ledger.js';
import { ahead, following, indexMask, ringSlot, slotOf } from '../../ring.js';
import {
  ANSWERED,
  ASKED,
  accuse,
  type Control,
  clearCopy,
  clearSlot,
  controlEnd,
  DONE_WITH,
  EMPTY,
  FITS,
  facesHostile,
  freeId,
  freePlace,
  idByte,
  idMatch,
  indexTest,
  lengthByte,
  lengthTest,
  loadIndex,
  notify,
  REFUSED,
  REQUEST,
  RESPONSE,
  slots,
  TAKEN,
  touchRing,
  works,
  writeSlot,
} from './controlState.js';

const operation = operationOn<Control>();

const header = 'Xen 2.0 public/io/domain_controller.h';

/** Requests on the page that the answering end has not taken. */
export const untaken = (m: Control, ring: number): number =>
  ahead(m.page.reqProd[ring], m.answerer.reqCons[ring], indexMask(m));

/** Responses on the page that the asking end has not collected. */
export const uncollected = (m: Control, ring: number): number =>
  ahead(m.page.respProd[ring], m.asker.respCons[ring], indexMask(m));

/** Requests that a ring was sent and whose responses were not collected. */
export const outstanding = (m: Control, ring: number): number =>
  ahead(m.asker.reqProd[ring], m.asker.respCons[ring], indexMask(m));

/** Requests taken and not answered. */
export const inWork = (m: Control, ring: number): number =>
  ahead(m.answerer.reqCons[ring], m.answerer.respProd[ring], indexMask(m));

/** An end that may fill its ring goes on, and is told to try again; one that is held to fewer requests stops there. */
const asksMore = (m: Control, e: number): boolean =>
  m.asker.most[e] === slots(m) || outstanding(m, e) < m.asker.most[e];

/** Notes how far a request has come; false when it is not where it must have been. */
function moveOn(m: Control, ring: number, id: number, from: number, to: number): boolean {
  const r = m.request.at(ring, id);
  if (m.request.is[r] !== from) return false;
  m.request.is[r] = to;
  return true;
}

/** Puts a request into the ring that the end asks in. */
export const send = operation('control.send', {
  agent: controlEnd,
  says: 'sends a request',
  source: `${header}; ctrl_if.c, ctrl_if_send_message_noblock`,
  locals: ['at', 'id'],
  errors: { EAGAIN: -11 },
  where: { agent: (m, op) => works(m, op.agent) && asksMore(m, op.agent) },
  touches: (m, op, may) => {
    touchRing(m, may, op.agent);
    may.write(m.side, 1 - op.agent);
  },
  steps: {
    'find room': (m, op) => (outstanding(m, op.agent) >= slots(m) ? -11 : OK),
    'note who waits for the answer': (m, op) => {
      op.at = m.slot.at(op.agent, slotOf(m.asker.reqProd[op.agent], slots(m)));
      op.id = freeId(m, op.agent);
      m.asker.awaits[op.agent] |= 1 << op.id;
      m.request.is[m.request.at(op.agent, op.id)] = ASKED;
    },
    'write the request': (m, op) => {
      charge(m, CONTROL_MESSAGE);
      writeSlot(m, op.agent, op.at, REQUEST, op.id);
    },
    'publish the index': (m, op) => {
      m.asker.reqProd[op.agent] = following(m.asker.reqProd[op.agent], indexMask(m));
      m.page.reqProd[op.agent] = m.asker.reqProd[op.agent];
    },
    'send the event': (m, op) => notify(m, 1 - op.agent),
  },
});

/** Copies a request out of the ring that the peer asks in. */
export const take = operation('control.take', {
  agent: controlEnd,
  says: 'takes a request',
  source: `${header}; ctrl_if.c, __ctrl_if_rx_tasklet; Xend xu.c, xu_port_read_request`,
  locals: ['at'],
  where: { agent: (m, op) => works(m, op.agent) && m.side.awake[op.agent] === 1 },
  touches: (m, op, may) => {
    touchRing(m, may, 1 - op.agent);
    may.write(m.domain);
    may.write(m.done, op.agent);
  },
  onFailure: 'safe',
  steps: {
    'read the index of requests': (m, op) => {
      const ring = 1 - op.agent;
      const cons = m.answerer.reqCons[ring];
      const producer = loadIndex(m, op.agent, m.page.reqProd[ring], 'req_prod');
      // A hostile domain may take its index back, too: then it is answered twice, which is its own affair.
      if (producer === cons) return DISABLED;
      if (m.on(indexTest) && ahead(producer, m.answerer.respProd[ring], indexMask(m)) > slots(m))
        return accuse(m, indexTest);
      if (m.on(indexTest) && inWork(m, ring) >= slots(m)) return DISABLED;
      return OK;
    },
    'copy it': (m, op) => {
      const ring = 1 - op.agent;
      const from = m.slot.at(ring, slotOf(m.answerer.reqCons[ring], slots(m)));
      op.at = m.copy.at(ring, freePlace(m, ring));
      if (facesHostile(m, op.agent)) {
        // The id is only echoed: which one it is makes no difference to the controller.
        m.copy.length[op.at] = m.choose(lengthByte, 'length');
        m.copy.life[op.at] = m.domain.number[0];
      } else {
        if (m.slot.holds[from] !== REQUEST) m.done.readUnwritten[op.agent] = 1;
        m.copy.id[op.at] = m.slot.id[from];
        m.copy.length[op.at] = m.slot.length[from];
        m.copy.life[op.at] = m.slot.life[from];
        moveOn(m, ring, m.slot.id[from], ASKED, TAKEN);
      }
      m.copy.holds[op.at] = REQUEST;
    },
    'step over the slot': (m, op) => {
      m.answerer.reqCons[1 - op.agent] = following(m.answerer.reqCons[1 - op.agent], indexMask(m));
    },
    'check the length': (m, op) => {
      if (m.copy.length[op.at] === FITS || !m.on(lengthTest)) return OK;
      m.copy.holds[op.at] = REFUSED;
      m.copy.length[op.at] = FITS;
      return blockedBy(lengthTest);
    },
  },
});

/** Acts on a request, and puts the response into the slot that is next. Handlers that were deferred are overtaken by others. */
export const answer = operation('control.answer', {
  agent: controlEnd,
  says: 'acts on its copy in {slot}, and answers',
  source: `${header}; ctrl_if.c, ctrl_if_send_response`,
  input: { slot: ringSlot },
  locals: ['id'],
  where: {
    agent: (m, op) => works(m, op.agent),
    slot: (m, op) => m.copy.holds[m.copy.at(1 - op.agent, op.slot)] !== EMPTY,
  },
  touches: (m, op, may) => {
    touchRing(m, may, 1 - op.agent);
    may.write(m.side, 1 - op.agent);
    may.write(m.done, op.agent);
  },
  steps: {
    'act on the copy': (m, op) => {
      const ring = 1 - op.agent;
      const c = m.copy.at(ring, op.slot);
      op.id = m.copy.id[c];
      if (m.copy.holds[c] === REFUSED) return;
      if (m.copy.length[c] !== FITS) m.done.readBeyond[op.agent] = 1;
      if (m.copy.life[c] !== m.domain.number[0]) m.done.usedDead[op.agent] = 1;
      else if (!facesHostile(m, op.agent) && !moveOn(m, ring, op.id, TAKEN, DONE_WITH)) m.done.actedAgain[op.agent] = 1;
    },
    'let go of the copy': (m, op) => clearCopy(m, m.copy.at(1 - op.agent, op.slot)),
    'write the response': (m, op) => {
      const ring = 1 - op.agent;
      charge(m, CONTROL_MESSAGE);
      writeSlot(m, op.agent, m.slot.at(ring, slotOf(m.answerer.respProd[ring], slots(m))), RESPONSE, op.id);
    },
    'publish the index': (m, op) => {
      const ring = 1 - op.agent;
      m.answerer.respProd[ring] = following(m.answerer.respProd[ring], indexMask(m));
      m.page.respProd[ring] = m.answerer.respProd[ring];
      if (!facesHostile(m, op.agent)) moveOn(m, ring, op.id, DONE_WITH, ANSWERED);
    },
    'send the event': (m, op) => notify(m, 1 - op.agent),
  },
});

/** Reads a response, and wakes whoever waits for the request that it answers. */
export const collect = operation('control.collect', {
  agent: controlEnd,
  says: 'collects a response',
  source: `${header}; ctrl_if.c, __ctrl_if_tx_tasklet; Xend xu.c, xu_port_read_response`,
  locals: ['at', 'id', 'length'],
  where: { agent: (m, op) => works(m, op.agent) && m.side.awake[op.agent] === 1 },
  touches: (m, op, may) => {
    touchRing(m, may, op.agent);
    may.write(m.domain);
    may.write(m.done, op.agent);
  },
  onFailure: 'safe',
  steps: {
    'read the index of responses': (m, op) => {
      const ring = op.agent;
      const cons = m.asker.respCons[ring];
      const producer = loadIndex(m, ring, m.page.respProd[ring], 'resp_prod');
      if (producer === cons) return DISABLED;
      if (m.on(indexTest) && ahead(producer, cons, indexMask(m)) > outstanding(m, ring)) return accuse(m, indexTest);
      return OK;
    },
    'copy it': (m, op) => {
      const hostile = facesHostile(m, op.agent);
      op.at = m.slot.at(op.agent, slotOf(m.asker.respCons[op.agent], slots(m)));
      op.id = hostile ? m.choose(idByte, 'id') : m.slot.id[op.at];
      op.length = hostile ? m.choose(lengthByte, 'length') : m.slot.length[op.at];
      if (hostile) return;
      if (m.slot.holds[op.at] !== RESPONSE) m.done.readUnwritten[op.agent] = 1;
      if (m.slot.life[op.at] !== m.domain.number[0]) m.done.usedDead[op.agent] = 1;
    },
    'check the id': (m, op) => {
      if (m.on(idMatch) && ((m.asker.awaits[op.agent] >> op.id) & 1) === 0) return accuse(m, idMatch);
      return OK;
    },
    'check the length': (m, op) => (op.length !== FITS && m.on(lengthTest) ? accuse(m, lengthTest) : OK),
    'tell who waited': (m, op) => {
      const awaited = (m.asker.awaits[op.agent] >> op.id) & 1;
      const r = m.request.at(op.agent, op.id);
      if (awaited === 0 || (!facesHostile(m, op.agent) && m.request.is[r] !== ANSWERED))
        m.done.believedUnasked[op.agent] = 1;
      if (op.length !== FITS) m.done.readBeyond[op.agent] = 1;
      m.asker.awaits[op.agent] &= ~(1 << op.id);
      m.request.is[r] = 0;
    },
    'step over the slot': (m, op) => {
      m.asker.respCons[op.agent] = following(m.asker.respCons[op.agent], indexMask(m));
      clearSlot(m, op.at);
    },
  },
});

/** The upcall: the pending bit is cleared first, so what comes while the handlers look makes them run again. */
export const wake = operation('control.wake', {
  agent: controlEnd,
  says: 'is woken up by an event',
  source: 'Xen 2.0 public/event_channel.h; ctrl_if.c, ctrl_if_interrupt',
  where: {
    agent: (m, op) => works(m, op.agent) && m.side.pending[op.agent] === 1 && m.side.awake[op.agent] === 0,
  },
  touches: (m, op, may) => may.write(m.side, op.agent),
  steps: {
    'clear the event': (m, op) => {
      m.side.pending[op.agent] = 0;
    },
    'run the handlers': (m, op) => {
      m.side.awake[op.agent] = 1;
    },
  },
});

/** The handlers have found both rings empty, and return. */
export const sleep = operation('control.sleep', {
  agent: controlEnd,
  says: 'finds both rings empty, and sleeps',
  source: 'ctrl_if.c: both tasklets end when they have caught up with the index on the page',
  where: { agent: (m, op) => works(m, op.agent) && m.side.awake[op.agent] === 1 },
  touches: (m, op, may) => may.write(m.side, op.agent),
  steps: {
    'look once more': (m, op) => (findsNothing(m, op.agent) ? OK : DISABLED),
    return: (m, op) => {
      m.side.awake[op.agent] = 0;
    },
  },
});

/** Neither requests nor responses for the end. A hostile domain shows that, too, when it likes. */
export function findsNothing(m: Control, e: number): boolean {
  return facesHostile(m, e) || (untaken(m, 1 - e) === 0 && uncollected(m, e) === 0);
}
