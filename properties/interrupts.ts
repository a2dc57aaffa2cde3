/** What interrupts must keep: who is counted, who is signalled, how often, and whose a message is. */
import { ABSENT, CONTROL, DYING } from '../model/domains.js';
import { PIRQ, portsOf, rowOf } from '../model/eventChannels.js';
import { holdsLine, type Interrupts } from '../model/interruptLines.js';

import { NONE } from '../model/kernel/index.js';
import type { MessageInterrupts } from '../model/messageInterrupts.js';
import { invariant, progress } from './property.js';

const someLine = (m: Interrupts, test: (l: number) => boolean): boolean => {
  for (let l = 0; l < m.line.rows; l++) if (test(l)) return true;
  return false;
};

/** X-S5. */
export const holdersCounted = invariant<Interrupts>('I2', 'line holders', {
  states: 'the count of a line equals its holders, and it is masked exactly while there is one',
  holds: (m) => {
    for (let l = 0; l < m.line.rows; l++) {
      let holders = 0;
      for (let d = 0; d < m.vcpu.rows; d++) if (holdsLine(m, d, l)) holders++;
      if (m.line.inflight[l] !== holders) return false;
      if ((m.line.masked[l] === 1) !== holders > 0) return false;
    }
    return true;
  },
  witnesses: {
    'two domains hold a line': (m) => someLine(m, (l) => m.line.inflight[l] > 1),
    'a line is shared by as many as it can be': (m) =>
      someLine(m, (l) => m.line.count[l] * m.line.rows === m.sharers.rows),
  },
});

/** Who is in the array is who has the port, each once; and only those hold the line. */
export const lineTargets = invariant<Interrupts>('I8', 'line targets', {
  states: 'a line signals exactly the domains that have bound it, each once',
  holds: (m) => {
    for (let l = 0; l < m.line.rows; l++) {
      let listed = 0;
      for (let i = 0; i < m.line.count[l]; i++) {
        const d = m.sharers.guest[m.sharers.at(l, i)];
        if (d === NONE || ((listed >> d) & 1) !== 0) return false;
        listed |= 1 << d;
      }
      for (let d = 0; d < m.vcpu.rows; d++) {
        const p = m.pirq.port[m.pirq.at(d, l)];
        if ((p !== NONE) !== (((listed >> d) & 1) !== 0)) return false;
        if (p !== NONE && m.channel.state[rowOf(m, d, p)] !== PIRQ) return false;
      }
      if ((m.line.held[l] & ~listed) !== 0) return false;
    }
    return true;
  },
  witnesses: { 'a line is shared': (m) => someLine(m, (l) => m.line.count[l] > 1) },
});

/** A line is had only by who was given it, and by one alone unless all agreed to share it. */
export const lineGiven = invariant<Interrupts>('I14', 'line sharing', {
  states: 'a line is bound only by domains that were given it, and by one alone unless it is shareable',
  holds: (m) => {
    for (let l = 0; l < m.line.rows; l++) {
      if (m.line.count[l] > 1 && m.line.shareable[l] === 0) return false;
      for (let d = 0; d < m.vcpu.rows; d++) {
        if (m.pirq.port[m.pirq.at(d, l)] !== NONE && ((m.line.allowed[l] >> d) & 1) === 0) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a line is bound by one alone': (m) => someLine(m, (l) => m.line.count[l] === 1 && m.line.shareable[l] === 0),
    'a domain was not given the line': (m) => someLine(m, (l) => m.line.allowed[l] !== (1 << m.vcpu.rows) - 1),
  },
});

/** F9: what a storm costs. */
export const oneRaise = invariant<Interrupts>('I14', 'storm', {
  states: 'a line that is asserted all the time interrupts once between two notifications',
  holds: (m) => {
    for (let l = 0; l < m.line.rows; l++) if (m.line.raised[l] > 1) return false;
    return true;
  },
  witnesses: { 'a line is in service': (m) => someLine(m, (l) => m.line.raised[l] === 1) },
});

/** A domain id that is used again has no line, and nothing set in its page. */
export const linesFresh = invariant<Interrupts>('I9', 'lines', {
  states: 'an id that nobody has is on no line and has nothing pending',
  holds: (m) => {
    for (let d = 0; d < m.vcpu.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      if (m.vcpu.upcallPending[d] !== 0 || m.vcpu.selector[d] !== 0) return false;
      for (let p = 1; p < portsOf(m); p++) if (m.channel.pending[rowOf(m, d, p)] === 1) return false;
      for (let l = 0; l < m.line.rows; l++) {
        if (holdsLine(m, d, l) || m.pirq.port[m.pirq.at(d, l)] !== NONE) return false;
      }
    }
    return true;
  },
  witnesses: { 'an id is free': (m) => m.domain.life.includes(ABSENT) },
});

const inService = (m: Interrupts): boolean => someLine(m, (l) => m.line.inflight[l] > 0);

/** Dead and hung sharers do not wedge a line: the VMM takes the dead off, the manager ends the hung. */
export const lineServed = progress<Interrupts>('I14', 'line service', {
  states: 'a line in service is let go and can interrupt again, whoever dies or hangs',
  pending: inService,
  goal: (m) => !inService(m),
  without: ['domain.destroy', 'line.raise', 'line.unbind'],
  witnesses: { 'a line is in service': inService },
});

/** The same without the manager: not claimed. */
export const lineServedUnaided = progress<Interrupts>('I14', 'line service unaided', {
  states: 'a line in service is let go although a sharer hangs and nobody ends it',
  pending: inService,
  goal: (m) => !inService(m),
  without: ['domain.destroy', 'line.raise', 'line.unbind', 'line.endHung'],
  witnesses: { 'a line is in service': inService },
});

/** Whether every vector that is pending was raised by the device that it was given to. */
function sourcesAreTrue(m: MessageInterrupts): boolean {
  for (let v = 0; v < m.vector.rows; v++) {
    if (m.vector.pending[v] === 1 && m.vector.from[v] !== m.vector.device[v]) return false;
  }
  return true;
}

const explainSource = (m: MessageInterrupts): string => {
  for (let v = 0; v < m.vector.rows; v++) {
    const from = m.vector.from[v];
    if (m.vector.pending[v] === 0 || from === m.vector.device[v]) continue;
    const whose =
      m.vector.device[v] === NONE ? (v === 0 ? 'the VMM’s own' : 'nobody’s') : `device ${m.vector.device[v]}’s`;
    return `device ${from} raises vector ${v}, which is ${whose}`;
  }
  return 'every interrupt comes from its device';
};

export const messageSource = invariant<MessageInterrupts>('I8', 'source of interrupts', {
  states: 'with interrupt remapping, a vector is raised only by the device that it was given to',
  holds: (m) => m.remapping.present[0] === 0 || sourcesAreTrue(m),
  explain: explainSource,
  witnesses: {
    'a remapped interrupt is pending': (m) => m.remapping.present[0] === 1 && m.vector.pending.includes(1),
    'two devices have interrupts': (m) => m.message.vector.every((v) => v !== NONE),
  },
});

/** The same on hardware that cannot remap: not claimed. */
export const messageSourceUnaided = invariant<MessageInterrupts>('I8', 'source of interrupts unaided', {
  states: 'without interrupt remapping, a vector is raised only by the device that it was given to',
  holds: (m) => m.remapping.present[0] === 1 || sourcesAreTrue(m),
  explain: explainSource,
  witnesses: { 'an interrupt is pending': (m) => m.remapping.present[0] === 0 && m.vector.pending.includes(1) },
});

/** Entries and vectors that are used again obey nobody of their past; the cache says what the table says. */
export const entriesFresh = invariant<MessageInterrupts>('I15', 'interrupt entries', {
  states: 'a cached entry equals the entry, and an entry names its device and the vector of that device',
  holds: (m) => {
    for (let e = 0; e < m.irte.rows; e++) {
      if (m.iec.present[e] === 1) {
        if (m.irte.present[e] === 0 || m.iec.source[e] !== m.irte.source[e]) return false;
        if (m.iec.vector[e] !== m.irte.vector[e] || m.iec.verify[e] !== m.irte.verify[e]) return false;
      }
      if (m.irte.present[e] === 0) continue;
      const v = m.irte.vector[e];
      if (m.irte.verify[e] === 0 || v === NONE || m.vector.device[v] !== m.irte.source[e]) return false;
    }
    return true;
  },
  witnesses: { 'an entry is cached': (m) => m.iec.present.includes(1) },
});

/** A vector is a device's exactly while its message names it: none is lost, none is shared. */
export const vectorsCounted = invariant<MessageInterrupts>('I2', 'vectors', {
  states: 'a vector belongs to a device exactly while the device’s message names it',
  holds: (m) => {
    for (let v = 0; v < m.vector.rows; v++) {
      const dev = m.vector.device[v];
      if (dev !== NONE && m.message.vector[dev] !== v) return false;
    }
    for (let dev = 0; dev < m.message.rows; dev++) {
      const v = m.message.vector[dev];
      if (v !== NONE && m.vector.device[v] !== dev) return false;
    }
    return true;
  },
  witnesses: { 'two devices have interrupts': (m) => m.message.vector.every((v) => v !== NONE) },
});

/** Interrupts are posted to living domains, or to dying ones from which they have not been taken yet. */
export const messageTargets = invariant<MessageInterrupts>('I9', 'interrupt targets', {
  states: 'no vector posts to an id that nobody has',
  holds: (m) => {
    for (let v = 0; v < m.vector.rows; v++) {
      const d = m.vector.target[v];
      if (d !== NONE && (d === CONTROL || m.domain.life[d] === ABSENT)) return false;
    }
    return true;
  },
  witnesses: { 'an id is free': (m) => m.domain.life.includes(ABSENT) },
});

/** What the dead had is taken back. */
export const deadLeaveVectors = progress<MessageInterrupts>('I9', 'release', {
  states: 'the interrupts of a dying domain are taken back, and its id is free again',
  pending: (m) => m.domain.life.includes(DYING),
  goal: (m) => !m.domain.life.includes(DYING),
  without: ['domain.destroy'],
  witnesses: {
    'a domain that gets interrupts is dying': (m) =>
      m.vector.target.some((d) => d !== NONE && m.domain.life[d] === DYING),
  },
});

/** What the dead had is taken back: their share of lines. */
export const deadLeaveLines = progress<Interrupts>('I9', 'release of lines', {
  states: 'a dying domain is taken off its lines, and its id is free again',
  pending: (m) => m.domain.life.includes(DYING),
  goal: (m) => !m.domain.life.includes(DYING),
  without: ['domain.destroy', 'line.endHung'],
  witnesses: {
    'a domain with a line is dying': (m) => m.domain.life[1] === DYING && m.pirq.port[m.pirq.at(1, 0)] !== NONE,
  },
});
