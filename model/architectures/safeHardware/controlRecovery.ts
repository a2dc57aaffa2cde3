/**
 * What becomes of the control interface (M4) when its domain dies, hangs or is found hostile: the controller ends the domain, what nobody
 * acknowledged is dropped, and the page serves the next life of the domain from the beginning. The module is put together here.
 * Source: Xen 2.0 `public/io/domain_controller.h` (a driver that is DOWN), Xend; ctrl_if.c, ctrl_if_resume.
 */
import { type Footprint, module, operationOn, sort } from '../../kernel/index.js';
import { checkRingScope } from '../../ring.js';
import { answer, collect, inWork, outstanding, send, sleep, take, uncollected, untaken, wake } from './controlRing.js';
import {
  ANSWERED,
  ASKED,
  CONTROLLER,
  type Control,
  clearCopy,
  clearSlot,
  controlEnd,
  controlTables,
  DEAD,
  DOMAIN,
  domainLife,
  forgetEnd,
  forgetIndices,
  fullRing,
  GONE,
  HUNG,
  idByte,
  REQUEST,
  RUNNING,
  slots,
  TAKEN,
  writeSlot,
} from './controlState.js';

const operation = operationOn<Control>();

/** The domain does nothing any more, so what it kept to itself is no longer state; what it had in work it will not answer. */
export function stopDomain(m: Control): void {
  m.killThreads(DOMAIN);
  forgetEnd(m, DOMAIN);
  for (let id = 0; id < m.size(idByte); id++) {
    const r = m.request.at(CONTROLLER, id);
    if (m.request.is[r] > ASKED && m.request.is[r] < ANSWERED) m.request.is[r] = ASKED;
  }
}

/** The domain is destroyed, or dies of itself. */
export function killDomain(m: Control): void {
  m.domain.life[0] = DEAD;
  m.domain.hostile[0] = 0;
  m.domain.accused[0] = 0;
  stopDomain(m);
}

/** The controller has one thread: it ends a domain, or clears up behind it, between its other operations. */
export const controllerIsFree = (m: Control, op: { readonly agent: number }): boolean =>
  op.agent === CONTROLLER && !m.isBusy(CONTROLLER);

/** A domain that lets the controller wait for an answer is destroyed. */
export const timeOut = operation('control.timeOut', {
  agent: controlEnd,
  says: 'has waited long enough, and destroys the domain',
  source: 'M8: time-out of the controller',
  where: {
    agent: (m, op) =>
      controllerIsFree(m, op) &&
      m.asker.awaits[CONTROLLER] !== 0 &&
      (m.domain.life[0] === HUNG || (m.domain.life[0] === RUNNING && m.domain.hostile[0] === 1)),
  },
  touches: touchDeath,
  steps: { destroy: killDomain },
});

/** So is one that has put on the page what no honest domain does. */
export const expel = operation('control.expel', {
  agent: controlEnd,
  says: 'destroys the domain, which it has found hostile',
  source: 'this reading: a domain whose page cannot be believed is as good as dead (M4, M8)',
  where: { agent: (m, op) => controllerIsFree(m, op) && m.domain.accused[0] === 1 },
  touches: touchDeath,
  steps: { destroy: killDomain },
});

/** The controller clears up behind a dead domain: nobody else has the page now, so it makes no difference that this is one step. */
export const clearUp = operation('control.clearUp', {
  agent: controlEnd,
  says: 'drops what the dead domain left unanswered, and takes the page back',
  source: 'M4: unacknowledged control messages are dropped, and the shared frame may then be reused',
  where: { agent: (m, op) => controllerIsFree(m, op) && m.domain.life[0] === DEAD },
  touches: (m, _op, may) => {
    may.write(m.domain);
    may.writeAll(m.page);
    may.writeAll(m.slot);
    may.writeAll(m.copy);
    may.writeAll(m.asker);
    may.writeAll(m.answerer);
    may.writeAll(m.side);
    may.writeAll(m.request);
  },
  atomic: true,
  steps: {
    'drop the copies': (m) => {
      for (let place = 0; place < slots(m); place++) clearCopy(m, m.copy.at(DOMAIN, place));
    },
    'release who waits': (m) => {
      m.asker.awaits[CONTROLLER] = 0;
      m.request.is.fill(0);
    },
    'begin the indices anew': (m) => forgetIndices(m, CONTROLLER),
    'zero the page': (m) => {
      m.page.reqProd.fill(0);
      m.page.respProd.fill(0);
      for (let s = 0; s < m.slot.rows; s++) clearSlot(m, s);
    },
    'note that it is gone': (m) => {
      m.side.pending[CONTROLLER] = 0;
      m.side.awake[CONTROLLER] = 0;
      m.domain.life[0] = GONE;
    },
  },
});

/** The domain is built again, on the same page. */
export const rebuild = operation('control.rebuild', {
  agent: controlEnd,
  says: 'builds the domain again, with its page and its event channel',
  source: 'M8; Xen xen/common/event_channel.c, bind_interdomain: a port that is bound is pending once',
  where: {
    agent: (m, op) =>
      controllerIsFree(m, op) && m.domain.life[0] === GONE && m.domain.number[0] + 1 < m.size(domainLife),
  },
  touches: (m, _op, may) => {
    may.write(m.domain);
    may.writeAll(m.side);
  },
  atomic: true,
  steps: {
    start: (m) => {
      m.domain.life[0] = RUNNING;
      m.domain.number[0]++;
    },
    // Whatever may have come before the channel was there is looked for.
    'bind the channel': (m) => {
      m.side.pending.fill(1);
    },
  },
});

/** Rows that the death of the domain changes. */
export function touchDeath(m: Control, _op: unknown, may: Footprint): void {
  may.write(m.domain);
  may.writeAll(m.asker);
  may.writeAll(m.answerer);
  may.writeAll(m.copy);
  may.writeAll(m.request);
  may.write(m.side, DOMAIN);
}

/** Which requests a run has: as many as there are slots in a ring, or in both where the scope says so; or one in each. */
const controlUse = sort('requests', { members: ['of the domain', 'of the controller', 'one of each', 'of both'] });

const OF_CONTROLLER = 1;

const ONE_OF_EACH = 2;

/** Where runs begin. All can be reached from the first; they make counterexamples short. */
const controlStart = sort('start of the control interface', {
  members: ['nothing sent', 'a request sent', 'a request taken', 'a request answered'],
});

function start(m: Control): void {
  checkRingScope(m);
  const use = m.choose(controlUse);
  m.asker.most.fill(use === ONE_OF_EACH || (use > ONE_OF_EACH && m.size(fullRing) < 2) ? 1 : slots(m));
  if (use < ONE_OF_EACH) m.asker.most[use === OF_CONTROLLER ? DOMAIN : CONTROLLER] = 0;
  const from = m.choose(controlStart);
  if (from === 0) return;
  m.side.awake.fill(1);
  for (let ring = 0; ring < 2; ring++) if (m.asker.most[ring] > 0) haveAsked(m, ring, from);
}

/** One request of a ring is sent (1), taken (2), or answered and collected (3). */
function haveAsked(m: Control, ring: number, how: number): void {
  m.asker.reqProd[ring] = 1;
  m.page.reqProd[ring] = 1;
  if (how > 1) m.answerer.reqCons[ring] = 1;
  if (how === 3) {
    m.answerer.respProd[ring] = 1;
    m.page.respProd[ring] = 1;
    m.asker.respCons[ring] = 1;
    return;
  }
  m.asker.awaits[ring] = 1;
  m.request.is[m.request.at(ring, 0)] = how === 1 ? ASKED : TAKEN;
  writeSlot(m, ring, m.slot.at(ring, 0), REQUEST, 0);
  if (how === 2) m.copy.holds[m.copy.at(ring, 0)] = REQUEST;
}

/** Scope: `slot`, `index` (from twice the slots), `message id` (as many as slots), `id byte` (one more), `life`, `full ring`. */
export const controlInterface = module<Control, typeof controlTables>('control interface', {
  tables: controlTables,
  operations: [send, take, answer, collect, wake, sleep, timeOut, expel, clearUp, rebuild],
  initial: start,
  map: (m) => [
    `domain ${['running', 'hung', 'dead', 'gone'][m.domain.life[0]]}${m.domain.hostile[0] ? ', hostile' : ''}${m.domain.accused[0] ? ', given up' : ''}`,
    ringInWords(m, DOMAIN),
    ringInWords(m, CONTROLLER),
  ],
});

function ringInWords(m: Control, ring: number): string {
  const page =
    m.domain.hostile[0] === 1 ? 'anything' : `${untaken(m, ring)} requests, ${uncollected(m, ring)} responses unread`;
  return `${ring === DOMAIN ? 'tx' : 'rx'}: ${outstanding(m, ring)} asked, ${inWork(m, ring)} in work; on the page ${page}`;
}
