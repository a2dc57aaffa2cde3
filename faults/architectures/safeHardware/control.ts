/** The control interface under attack: a domain that writes on its page what it likes, dies, hangs, or is not dead enough. */
import {
  controllerIsFree,
  killDomain,
  stopDomain,
  touchDeath,
} from '../../../model/architectures/safeHardware/controlRecovery.js';
import { outstanding } from '../../../model/architectures/safeHardware/controlRing.js';
import {
  CONTROLLER,
  type Control,
  clearSlot,
  controlEnd,
  copyFirst,
  DOMAIN,
  EMPTY,
  FITS,
  HUNG,
  pageTakenBack,
  RESPONSE,
  slots,
  works,
} from '../../../model/architectures/safeHardware/controlState.js';
import { blockedBy, module, OK, operationOn } from '../../../model/kernel/index.js';
import { following, indexMask, ringSlot, slotOf } from '../../../model/ring.js';
import { eventDelivery } from '../../ring.js';

const operation = operationOn<Control>();

const isDomain = (m: Control, op: { readonly agent: number }): boolean => op.agent === DOMAIN && works(m, DOMAIN);

const turnHostile = operation('control.turnHostile', {
  agent: controlEnd,
  says: 'turns hostile: its indices, ids and lengths are anything from now on',
  fault: 'F5',
  atomic: true,
  where: { agent: isDomain },
  touches: (m, op, may) => {
    touchDeath(m, op, may);
    may.writeAll(m.page);
    may.writeAll(m.slot);
  },
  steps: {
    // What it has on the page is chosen at each read, and what it keeps to itself is nobody's business: forget both.
    begin: (m) => {
      m.domain.hostile[0] = 1;
      stopDomain(m);
      m.page.reqProd[DOMAIN] = 0;
      m.page.respProd[CONTROLLER] = 0;
      for (let s = 0; s < m.slot.rows; s++) clearSlot(m, s);
      for (let r = 0; r < m.request.rows; r++) m.request.is[r] = 0;
    },
  },
});

/** F6: the domain changes a request on the page after the controller has looked at it. */
const rewrite = operation('control.rewrite', {
  agent: controlEnd,
  says: 'makes the request longer that the controller has copied to {slot}',
  fault: 'F6',
  atomic: true,
  input: { slot: ringSlot },
  where: {
    agent: isDomain,
    slot: (m, op) => m.copy.holds[m.copy.at(DOMAIN, op.slot)] !== EMPTY,
  },
  touches: (m, op, may) => may.write(m.copy, m.copy.at(DOMAIN, op.slot)),
  steps: {
    // Without a copy, what the controller has in work is what stands on the page.
    'write on the page': (m, op) => {
      if (m.on(copyFirst)) return blockedBy(copyFirst);
      m.copy.length[m.copy.at(DOMAIN, op.slot)] = FITS + 1;
      return OK;
    },
  },
});

const forgeEvent = operation('control.forgeEvent', {
  agent: controlEnd,
  says: 'sends the controller an event for nothing',
  fault: 'F7',
  atomic: true,
  where: {
    agent: (m, op) =>
      op.agent === DOMAIN && m.domain.hostile[0] === 1 && works(m, CONTROLLER) && m.side.pending[CONTROLLER] === 0,
  },
  touches: (m, _op, may) => may.write(m.side, CONTROLLER),
  steps: {
    send: (m) => {
      m.side.pending[CONTROLLER] = 1;
    },
  },
});

const loseEvent = operation('control.loseEvent', {
  agent: 'adversary',
  says: 'drops the event of the {to}',
  fault: 'F7',
  input: { to: controlEnd },
  atomic: true,
  where: { to: (m, op) => m.side.pending[op.to] === 1 },
  touches: (m, op, may) => may.write(m.side, op.to),
  steps: {
    'clear the pending bit': (m, op) => {
      if (m.on(eventDelivery)) return blockedBy(eventDelivery);
      m.side.pending[op.to] = 0;
      return OK;
    },
  },
});

const crash = operation('control.crash', {
  agent: controlEnd,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => op.agent === DOMAIN && m.domain.life[0] <= HUNG },
  touches: touchDeath,
  steps: { stop: killDomain },
});

const hang = operation('control.hang', {
  agent: controlEnd,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: isDomain },
  touches: touchDeath,
  steps: {
    stop: (m) => {
      m.domain.life[0] = HUNG;
      stopDomain(m);
    },
  },
});

const suspect = operation('control.suspect', {
  agent: controlEnd,
  says: 'takes the domain, which works, for hung and destroys it',
  fault: 'F11',
  where: {
    agent: (m, op) => controllerIsFree(m, op) && works(m, DOMAIN) && m.asker.awaits[CONTROLLER] !== 0,
  },
  touches: touchDeath,
  steps: { destroy: killDomain },
});

/** F14: a life that counts as over answers after all what its successor was asked. */
const answerLate = operation('control.answerLate', {
  agent: 'adversary',
  says: 'has an earlier life of the domain write an answer on the page',
  fault: 'F14',
  atomic: true,
  where: {
    agent: (m) => m.domain.number[0] > 0 && works(m, DOMAIN) && outstanding(m, CONTROLLER) > 0,
  },
  touches: (m, _op, may) => {
    may.write(m.page, CONTROLLER);
    for (let s = 0; s < slots(m); s++) may.write(m.slot, m.slot.at(CONTROLLER, s));
  },
  steps: {
    'write the response': (m) => {
      if (m.on(pageTakenBack)) return blockedBy(pageTakenBack);
      const s = m.slot.at(CONTROLLER, slotOf(m.page.respProd[CONTROLLER], slots(m)));
      m.slot.holds[s] = RESPONSE;
      m.slot.life[s] = m.domain.number[0] - 1;
      m.page.respProd[CONTROLLER] = following(m.page.respProd[CONTROLLER], indexMask(m));
      return OK;
    },
  },
});

export const controlDeaths = module<Control, Record<never, never>>('deaths of the domain', {
  tables: {},
  operations: [crash, hang, suspect],
});

export const controlFaults = module<Control, Record<never, never>>('attacks on the control interface', {
  tables: {},
  operations: [turnHostile, rewrite, forgeEvent, loseEvent, answerLate],
});
