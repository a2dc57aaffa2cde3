/** What the control interface must keep (M4), whatever a domain writes on its page, and however often it dies. */
import { findsNothing, inWork, outstanding, uncollected } from '../../model/architectures/safeHardware/controlRing.js';
import {
  ANSWERED,
  CONTROLLER,
  type Control,
  DEAD,
  DOMAIN,
  domainLife,
  GONE,
  HUNG,
  REFUSED,
  RESPONSE,
  slots,
  works,
} from '../../model/architectures/safeHardware/controlState.js';
import { invariant, progress, relation } from '../property.js';

/** Nothing of the kind was ever done. */
const never = (marks: Uint8Array): boolean => marks[DOMAIN] === 0 && marks[CONTROLLER] === 0;

const hostileAndIn = (m: Control, something: boolean): boolean => m.domain.hostile[0] === 1 && something;

export const controlIndices = invariant<Control>('X-S6', 'control ring', {
  states: 'neither end has more requests in a ring, or in work, than the ring has slots, whatever the page says',
  holds: (m) => {
    for (let e = 0; e < 2; e++) {
      if (works(m, e) && (outstanding(m, e) > slots(m) || inWork(m, 1 - e) > slots(m))) return false;
    }
    return true;
  },
  witnesses: {
    'tx is full': (m) => outstanding(m, DOMAIN) === slots(m),
    'rx is full': (m) => outstanding(m, CONTROLLER) === slots(m),
    'a hostile domain has all its requests in work': (m) => hostileAndIn(m, inWork(m, DOMAIN) === slots(m)),
  },
});

export const honestUnaccused = invariant<Control>('M4', 'accusation', {
  states: 'the controller gives up only a domain that is hostile',
  holds: (m) => m.domain.accused[0] === 0 || m.domain.hostile[0] === 1,
  witnesses: {
    'a domain is given up': (m) => m.domain.accused[0] === 1,
    'a later life works': (m) => m.domain.number[0] > 0 && inWork(m, DOMAIN) > 0,
  },
});

export const workingLives = relation<Control>('X-L2', 'working domain', {
  states: 'a domain that works is destroyed only when it is wrongly suspected',
  holds: (before, after) =>
    !works(before, DOMAIN) || after.domain.life[0] !== DEAD || after.current.op.fault !== undefined,
  ofChange: true,
  witnesses: {
    'a domain is dead': (m) => m.domain.life[0] === DEAD,
    'a working domain lets the controller wait': (m) => works(m, DOMAIN) && m.asker.awaits[CONTROLLER] !== 0,
  },
});

export const lengthsFit = invariant<Control>('I7', 'control message', {
  states: 'no end reads a message beyond the 60 bytes that it has',
  holds: (m) => never(m.done.readBeyond),
  witnesses: {
    'a request that is too long waits for its error': (m) => m.copy.holds.includes(REFUSED),
    'a request is in work': (m) => inWork(m, DOMAIN) > 0,
  },
});

export const actedOnce = invariant<Control>('X-S7', 'control request', {
  states: 'each request is acted upon at most once',
  holds: (m) => never(m.done.actedAgain),
  witnesses: { 'a request was acted upon': (m) => m.request.is.includes(ANSWERED) },
});

export const believedAwaited = invariant<Control>('X-S7', 'control response', {
  states: 'a response is believed only of a request that was answered, and that somebody waits for',
  holds: (m) => never(m.done.believedUnasked),
  witnesses: {
    'a response waits': (m) => m.slot.holds.includes(RESPONSE),
    'a hostile domain owes an answer': (m) => hostileAndIn(m, outstanding(m, CONTROLLER) > 0),
  },
});

/** How many bits are set. */
function countOf(set: number): number {
  let n = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) n++;
  return n;
}

export const waitersCounted = invariant<Control>('M4', 'waiters', {
  states: 'an end waits for as many answers as it has requests in its ring',
  holds: (m) => {
    for (let e = 0; e < 2; e++) if (works(m, e) && countOf(m.asker.awaits[e]) !== outstanding(m, e)) return false;
    return true;
  },
  witnesses: {
    'an end waits for as many answers as a ring has slots': (m) => countOf(m.asker.awaits[DOMAIN]) === slots(m),
  },
});

export const deadCountNothing = invariant<Control>('XB3', 'control message', {
  states: 'no message of an earlier life of the domain is acted upon or believed',
  holds: (m) => never(m.done.usedDead),
  witnesses: {
    'a dead domain leaves a request in work': (m) => m.domain.life[0] === DEAD && inWork(m, DOMAIN) > 0,
    'a dead domain leaves a response': (m) => m.domain.life[0] === DEAD && uncollected(m, CONTROLLER) > 0,
  },
});

/** A message of a working peer, which is done with sending it, is on the page for an end that sleeps and has no event. */
function sleepsOver(m: Control, e: number): boolean {
  if (!works(m, DOMAIN) || m.side.awake[e] === 1 || m.side.pending[e] === 1) return false;
  return !findsNothing(m, e) && !m.isBusy(DOMAIN) && !m.isBusy(CONTROLLER);
}

export const noMessageSleptOver = invariant<Control>('RG1', 'control event', {
  states: 'while both ends work, none sleeps without an event that has a message',
  holds: (m) => !sleepsOver(m, DOMAIN) && !sleepsOver(m, CONTROLLER),
  witnesses: {
    'an event is pending for an end that is awake': (m) =>
      m.side.pending[CONTROLLER] === 1 && m.side.awake[CONTROLLER] === 1,
    'an end sleeps that has an event': (m) => m.side.pending[DOMAIN] === 1 && m.side.awake[DOMAIN] === 0,
  },
});

export const writtenFirst = invariant<Control>('I5', 'control message', {
  states: 'an end reads a message only when it was written',
  holds: (m) => never(m.done.readUnwritten),
  witnesses: { 'a request is read': (m) => m.copy.holds.includes(1) },
});

export const messagesAnswered = progress<Control>('X-L1', 'control message', {
  states: 'what a live end was asked it answers, and the answer arrives',
  pending: (m) => works(m, DOMAIN) && m.asker.awaits[DOMAIN] + m.asker.awaits[CONTROLLER] !== 0,
  goal: (m) => m.asker.awaits[DOMAIN] === 0 && m.asker.awaits[CONTROLLER] === 0,
  witnesses: { 'both wait for each other': (m) => m.asker.awaits[DOMAIN] !== 0 && m.asker.awaits[CONTROLLER] !== 0 },
});

export const wokenOnceByEvent = relation<Control>('RG2', 'control event', {
  states: 'an event wakes its end once: it is not pending any more when the handlers run',
  holds: (before, after) => {
    for (let e = 0; e < 2; e++)
      if (before.side.awake[e] === 0 && after.side.awake[e] === 1 && after.side.pending[e] === 1) return false;
    return true;
  },
  ofChange: true,
  witnesses: { 'an event is pending for an end that sleeps': (m) => m.side.pending[DOMAIN] > m.side.awake[DOMAIN] },
});

const lastLifeIsOver = (m: Control): boolean =>
  m.domain.life[0] === GONE && m.domain.number[0] + 1 >= m.size(domainLife);

export const interfaceReturns = progress<Control>('X-L1', 'control interface', {
  states: 'a domain that died, hangs or is given up has a next life, with which the controller can talk',
  pending: (m) => m.asker.most[CONTROLLER] > 0 && !works(m, DOMAIN),
  goal: (m) => works(m, DOMAIN) || lastLifeIsOver(m),
  witnesses: {
    'a domain hangs': (m) => m.domain.life[0] === HUNG,
    'a domain is given up': (m) => m.domain.accused[0] === 1,
  },
});
