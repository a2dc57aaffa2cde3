/** What must hold of interrupt lines that are associated with DD/OSes: DD-S8, DD-L1. */
import { isWired, type Lines, STOPPED } from '../../../model/architectures/driverReuse/irqAssociation.js';
import { ABSENT, HUNG, RUNNING } from '../../../model/architectures/driverReuse/restartState.js';
import { NONE } from '../../../model/kernel/index.js';
import { invariant, progress, relation } from '../../property.js';

const isHeld = (m: Lines): boolean => m.wire.holder.some((d) => d !== NONE);
const inService = (m: Lines): boolean => m.wire.to.some((d) => d !== NONE);
const died = (m: Lines): boolean => m.vm.life.includes(STOPPED);
const returned = (m: Lines): boolean => m.vm.generation.some((g) => g > 0);

/** Who gets the messages. */
export const lineHolder = invariant<Lines>('DD-S8', 'line messages', {
  states: 'a message about a line is with the instance of the DD/OS that holds the line',
  holds: (m) => {
    for (let l = 0; l < m.wire.rows; l++) {
      const d = m.wire.to[l];
      if (d === NONE) continue;
      if (m.wire.holder[l] !== d || m.wire.of[l] !== m.vm.generation[d]) return false;
    }
    return true;
  },
  witnesses: {
    'a message is with its handler': inService,
    'its line is being let go of': (m) => m.wire.to.some((d, l) => d !== NONE && m.wire.leaving[l] === 1),
    'a DD/OS died with a message': (m) => m.wire.to.some((d) => d !== NONE && m.vm.life[d] === STOPPED),
  },
});

/** Who may hold a line. */
export const lineWired = invariant<Lines>('DD-S8', 'line holder', {
  states: 'a line is held by a DD/OS that has a device on it',
  holds: (m) => {
    for (let l = 0; l < m.wire.rows; l++) {
      if (m.wire.holder[l] !== NONE && !isWired(m, m.wire.holder[l], l)) return false;
    }
    return true;
  },
  witnesses: { 'a line is held': isHeld },
});

/** One holder at a time. */
export const lineOneHolder = relation<Lines>('DD-S8', 'one holder', {
  states: 'a line goes from one DD/OS to another only by way of nobody, and of no message',
  ofChange: true,
  holds: (before, after) => {
    for (let l = 0; l < after.wire.rows; l++) {
      const from = before.wire.holder[l];
      const to = after.wire.holder[l];
      if (from === to) continue;
      if (from !== NONE && to !== NONE) return false;
      if (to === NONE && after.wire.to[l] !== NONE) return false;
    }
    return true;
  },
  witnesses: { 'a line is held by the second DD/OS': (m) => m.wire.holder[0] === 1, 'a DD/OS came back': returned },
});

/** A line without a holder sends nothing. */
export const lineMasked = invariant<Lines>('DD-S8', 'line masked', {
  states: 'a line that nobody holds, or that is being let go of, is masked',
  holds: (m) => {
    for (let l = 0; l < m.wire.rows; l++) {
      if ((m.wire.holder[l] === NONE || m.wire.leaving[l] === 1) && m.wire.masked[l] === 0) return false;
    }
    return true;
  },
  witnesses: {
    'a line that nobody holds is asserted': (m) => m.wire.holder.some((d, l) => d === NONE && m.wire.asserted[l] === 1),
    'a line is being let go of': (m) => m.wire.leaving.includes(1),
  },
});

/** Nothing of the dead. */
export const lineNothingLeft = invariant<Lines>('DD-L1', 'lines of the dead', {
  states: 'a DD/OS that is gone holds no line, and no message is for it',
  holds: (m) => {
    for (let l = 0; l < m.wire.rows; l++) {
      const d = m.wire.holder[l];
      if (d !== NONE && m.vm.life[d] === ABSENT) return false;
      const to = m.wire.to[l];
      if (to !== NONE && m.vm.life[to] === ABSENT) return false;
    }
    return true;
  },
  witnesses: {
    'a DD/OS is gone': (m) => m.vm.life.includes(ABSENT),
    'a DD/OS died that held a line': (m) => m.wire.holder.some((d) => d !== NONE && m.vm.life[d] === STOPPED),
  },
});

/** Others keep theirs. */
export const lineOthers = relation<Lines>('DD-L1', 'lines of others', {
  states: 'the end of one DD/OS changes nothing of a line that another holds',
  ofChange: true,
  holds: (before, after) => {
    if (after.current.op.name !== 'monitor.releaseLines') return true;
    for (let l = 0; l < after.wire.rows; l++) {
      const d = before.wire.holder[l];
      if (d === NONE || d === after.current.call.ddos) continue;
      if (after.wire.holder[l] !== d || after.wire.to[l] !== before.wire.to[l]) return false;
      if (after.wire.masked[l] !== before.wire.masked[l]) return false;
    }
    return true;
  },
  witnesses: {
    'one DD/OS died and the other holds a line': (m) =>
      died(m) && m.wire.holder.some((d) => d !== NONE && m.vm.life[d] === RUNNING),
  },
});

/** DD-L1, for an interrupt. */
export const lineHandled = progress<Lines>('DD-L1', 'interrupt handled', {
  states: 'an interrupt of a line that a DD/OS holds which runs is handled',
  pending: (m) => m.wire.asserted[0] === 1 && m.wire.holder[0] !== NONE && m.vm.life[m.wire.holder[0]] === RUNNING,
  goal: (m) => m.wire.asserted[0] === 0,
  witnesses: { 'the line is masked and asserted': (m) => m.wire.asserted[0] === 1 && m.wire.masked[0] === 1 },
});

/** DD-L1, for a line. */
export const lineFree = progress<Lines>('DD-L1', 'line free again', {
  states: 'a line that a DD/OS held when it crashed or hung is free again',
  pending: (m) => m.wire.holder[0] !== NONE && m.vm.life[m.wire.holder[0]] !== RUNNING,
  goal: (m) => m.wire.holder[0] === NONE,
  witnesses: {
    'its holder hangs': (m) => m.wire.holder[0] !== NONE && m.vm.life[m.wire.holder[0]] === HUNG,
    'its holder died': (m) => m.wire.holder[0] !== NONE && m.vm.life[m.wire.holder[0]] === STOPPED,
  },
});
