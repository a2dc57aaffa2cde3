/** What must hold of interrupts as reads (L-S7) and of clients across the death of a driver (L-L1, L-L2). */
import type { Irqs } from '../../model/architectures/userLevel/interrupts.js';
import {
  ANSWERED,
  BLOCK,
  BROKEN,
  COMPLETE,
  IDLE,
  ISSUED,
  LOST,
  NET,
  QUEUED,
  type Service,
} from '../../model/architectures/userLevel/service.js';
import { ABSENT, DYING, generation } from '../../model/domains.js';
import { invariant, noninterference, progress } from '../property.js';

const DRIVER = 1;
const OTHER = 2;

const someFile = (m: Irqs, test: (row: number, d: number, l: number) => boolean): boolean => {
  for (let d = 0; d < m.domain.rows; d++) {
    for (let l = 0; l < m.irq.rows; l++) if (test(m.irqFile.at(d, l), d, l)) return true;
  }
  return false;
};

/** L-S7: masking. */
export const maskedAtWork = invariant<Irqs>('L-S7', 'masked', {
  states: 'a line is masked from its interrupt until its process comes back for the next one',
  holds: (m) =>
    !someFile(m, (row, _d, l) => (m.irqFile.count[row] > 0 || m.irqFile.working[row] === 1) && m.irq.masked[l] === 0),
  explain: () => 'a line is enabled while its process still works on an interrupt of it, or has one to read',
  witnesses: {
    'a process works on an interrupt': (m) => m.irqFile.working.includes(1),
    'a line is enabled': (m) => m.irq.masked.includes(0),
  },
});

/** L-S7: one opener. */
export const oneOpener = invariant<Irqs>('L-S7', 'one opener', {
  states: 'a line has one opener at most, none if the kernel uses it, and interrupts go to the opener alone',
  holds: (m) => {
    for (let l = 0; l < m.irq.rows; l++) {
      let openers = m.irq.kernelUses[l];
      for (let d = 0; d < m.domain.rows; d++) {
        const row = m.irqFile.at(d, l);
        openers += m.irqFile.open[row];
        if (m.irqFile.open[row] === 0 && (m.irqFile.count[row] > 0 || m.irqFile.reading[row] === 1)) return false;
      }
      if (openers > 1) return false;
    }
    return true;
  },
  explain: () => 'a line has two users: the one waits for the other',
  witnesses: {
    'both lines are open': (m) => {
      for (let l = 0; l < m.irq.rows; l++)
        if (!someFile(m, (row, _d, at) => at === l && m.irqFile.open[row] === 1)) return false;
      return true;
    },
    'the kernel uses a line': (m) => m.irq.kernelUses.includes(1),
  },
});

/** F9: what a storm costs. */
export const oneInterruptARead = invariant<Irqs>('L-S7', 'storm', {
  states: 'a line that is asserted all the time interrupts once for each read of its process',
  holds: (m) => m.irq.raised.every((n) => n < 2),
  explain: () => 'a line has interrupted twice between two reads',
  witnesses: { 'a line has interrupted': (m) => m.irq.raised.includes(1) },
});

/** L-S4: lines that nobody has. */
export const linesClosed = invariant<Irqs>('L-S4', 'lines', {
  states: 'a line that nobody has open is masked, and nothing is counted for anybody on it',
  holds: (m) => {
    for (let l = 0; l < m.irq.rows; l++) {
      if (someFile(m, (row, _d, at) => at === l && m.irqFile.open[row] === 1)) continue;
      if (m.irq.masked[l] === 0 || m.irq.raised[l] !== 0) return false;
    }
    return true;
  },
  explain: () => 'a line that nobody has open is enabled',
  witnesses: { 'an id is free': (m) => m.domain.life.includes(ABSENT) },
});

const readingBy = (d: number) => (m: Irqs) => {
  for (let l = 0; l < m.irq.rows; l++) if (m.irqFile.reading[m.irqFile.at(d, l)] === 1) return true;
  return false;
};

/** L-L2: the lines of others, whatever one driver does. */
export const otherServed = progress<Irqs>('L-L2', 'interrupts of others', {
  states: 'another driver that waits for interrupts of its line gets them, although this one hangs, storms or is dead',
  pending: readingBy(OTHER),
  goal: (m) => !readingBy(OTHER)(m),
  without: ['process.kill'],
  witnesses: {
    'the other waits while the driver hangs': (m) => readingBy(OTHER)(m) && m.responds.hung[DRIVER] === 1,
  },
});

const wedged = (m: Irqs): boolean => {
  for (let l = 0; l < m.irq.rows; l++) {
    if (m.irqFile.open[m.irqFile.at(DRIVER, l)] === 1 && m.irq.masked[l] === 1 && m.responds.hung[DRIVER] === 1)
      return true;
  }
  return false;
};

/** L-L1: a hung driver holds its own line until it is killed. */
export const lineFreed = progress<Irqs>('L-L1', 'line freed', {
  states: 'a line that a hung driver holds is free again, once somebody has killed the driver',
  pending: wedged,
  goal: (m) => !wedged(m),
  witnesses: { 'a hung driver holds a masked line': wedged },
});

/** Not claimed: nobody notices a hang by himself. */
export const lineFreedUnaided = progress<Irqs>('L-L1', 'line freed unaided', {
  states: 'a line that a hung driver holds is free again although nobody kills the driver',
  pending: wedged,
  goal: (m) => !wedged(m),
  without: ['process.kill'],
  witnesses: { 'a hung driver holds a masked line': wedged },
});

/** Exactly once for the client. */
export const exactlyOnce = invariant<Service>('L-L1', 'exactly once', {
  states: 'a request completes once for its client, and a frame goes out once at most',
  holds: (m) => {
    for (let r = 0; r < m.request.rows; r++) {
      if (m.request.completions[r] !== (m.request.state[r] === COMPLETE ? 1 : 0)) return false;
      if (m.request.kind[r] === NET && m.request.wire[r] > 1) return false;
    }
    return true;
  },
  explain: () => 'a request was completed, or a frame sent, more often than once',
  witnesses: {
    'a block request is sent again': (m) => m.request.state.includes(BROKEN),
    'a frame is lost': (m) => m.request.state.includes(LOST),
    'a request is complete': (m) => m.request.state.includes(COMPLETE),
  },
});

/** L-S4: nothing of the dead. */
export const noStaleEffect = invariant<Service>('L-S4', 'dead requests', {
  states: 'what a dead driver gave to its device neither takes effect nor is answered under its successor',
  holds: (m) => !m.unit.stale.includes(1),
  explain: () => 'a request of the dead driver reached memory, or its client, while its successor had the device',
  witnesses: {
    'a driver dies with a request at its device': (m) => m.domain.life[DRIVER] === DYING && m.unit.job[DRIVER] === 0,
    'the driver has been started again': (m) => m.unit.life[DRIVER] > 0 && m.unit.owners[DRIVER] !== 0,
  },
});

/** L-S5 across lives: one live owner, and what restarts leave. */
export const nothingLeft = invariant<Service>('L-S5', 'restarts', {
  states: 'a device has one live owner at most, one handle for it, and none after any number of restarts',
  holds: (m) => {
    for (let d = 0; d < m.unit.rows; d++) {
      const owned = m.unit.owners[d] !== 0;
      if (m.unit.handles[d] !== (owned ? 1 : 0)) return false;
      if (owned && (m.unit.owners[d] !== 1 << d || m.domain.life[d] === ABSENT)) return false;
      if (owned && m.domain.life[d] !== DYING && m.unit.life[d] !== m.domain.generation[d]) return false;
      if (!owned && m.unit.busMaster[d] === 1) return false;
    }
    return true;
  },
  explain: () => 'a handle of a dead driver is still there',
  witnesses: {
    'the driver is in its last life, and has its device': (m) =>
      m.domain.generation[DRIVER] + 1 === m.size(generation) && m.unit.owners[DRIVER] !== 0,
  },
});

const waits = (m: Service): boolean => {
  const s = m.request.state[0];
  return m.request.kind[0] === BLOCK && (s === QUEUED || s === ISSUED || s === BROKEN || s === ANSWERED);
};

/** L-L1: an interruption, no more. */
export const served = progress<Service>('L-L1', 'interruption', {
  states:
    'a block request that was sent completes, although its driver crashes or hangs: somebody kills it, and it is started again',
  pending: waits,
  goal: (m) => m.request.state[0] === COMPLETE,
  witnesses: {
    'a client waits for a dying driver': (m) => waits(m) && m.domain.life[DRIVER] === DYING,
    'a client waits for a hung driver': (m) => waits(m) && m.responds.hung[DRIVER] === 1,
  },
});

/** Not claimed: the same although nobody kills a hung driver. */
export const servedUnaided = progress<Service>('L-L1', 'interruption unaided', {
  states: 'a block request completes although its driver hangs and nobody kills it',
  pending: waits,
  goal: (m) => m.request.state[0] === COMPLETE,
  without: ['process.kill'],
  witnesses: { 'a client waits for a hung driver': (m) => waits(m) && m.responds.hung[DRIVER] === 1 },
});

/** L-L2: clients of other drivers. */
export const othersNotice = noninterference<Service>('L-L2', 'clients of others', {
  states: 'a client of another driver sees nothing of the death or the hang of this one',
  view: (m, out) => {
    const r = m.request.rows - 1;
    out[0] = m.request.state[r];
    out[1] = m.request.completions[r];
    out[2] = m.unit.owners[OTHER];
    out[3] = m.domain.life[OTHER];
    return 4;
  },
  purge: (_m, operation) =>
    operation === 'process.dies' || operation === 'process.hang' || operation === 'process.suspected',
  witnesses: {
    'the driver is dying while another’s client waits': (m) =>
      m.domain.life[DRIVER] === DYING && m.request.state[m.request.rows - 1] !== IDLE,
  },
});
