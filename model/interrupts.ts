/**
 * Interrupt lines: several domains may share one; a line stays masked until each of them has said that it is done.
 * Source: Fraser et al., "Safe Hardware Access with the Xen VMM" (OASIS 2004); Xen `xen/arch/x86/irq.c` (pirq_guest_bind, __do_IRQ_guest,
 * pirq_guest_eoi, pirq_guest_unbind), PHYSDEVOP_eoi in `xen/include/public/physdev.h`. Message-signalled interrupts: messageInterrupts.ts.
 *
 * The event reaches a domain by a port of state PIRQ (eventChannels.ts). Must keep: X-S5, the line is masked exactly while somebody
 * holds it, and the count equals the holders (I2); only who has bound it is signalled (I8); one raise a notification (I14).
 * A sharer that dies lets go; one that hangs does not: that is the manager's time-out's business, not the line's.
 */
import { CONTROL, DYING, domain, domains, RUNNING } from './domains.js';
import {
  EBUSY,
  EEXIST,
  ENOSPC,
  EPERM,
  EVENT_ERRORS,
  eventTables,
  freeChannel,
  freePort,
  noChannels,
  PIRQ,
  portsOf,
  rowOf,
} from './eventChannels.js';
import { handleEvents, maskEvent, unmaskEvent } from './eventDelivery.js';
import {
  answers,
  deliverLine,
  holdsLine,
  type Interrupts,
  letGoOf,
  line,
  linePermission,
  lineTables,
  managerTimeOut,
  placeOf,
  sharer,
  touchesDelivery,
  touchesUnbinding,
} from './interruptLines.js';
import { flag, type MachineDef, module, NONE, operationOn } from './kernel/index.js';

const operation = operationOn<Interrupts>();

/** EVTCHNOP_bind_pirq: joins the sharers of a line, by the lowest free port. */
export const bindLine = operation('line.bind', {
  agent: domain,
  says: 'binds {line}, shared: {share}',
  source: 'xen/common/event_channel.c, evtchn_bind_pirq; xen/arch/x86/irq.c, pirq_guest_bind',
  input: { line, share: flag },
  locals: ['port'],
  where: { agent: (m, op) => answers(m, op.agent) },
  errors: EVENT_ERRORS,
  touches: (m, op, may) => {
    may.write(m.line, op.line);
    may.write(m.sharers, m.sharers.at(op.line, Math.min(m.line.count[op.line], m.size(sharer) - 1)));
    may.write(m.pirq, m.pirq.at(op.agent, op.line));
    const p = freePort(m, op.agent);
    if (p > 0) may.write(m.channel, rowOf(m, op.agent, p));
  },
  steps: {
    'check permission': (m, op) =>
      ((m.line.allowed[op.line] >> op.agent) & 1) === 0 && m.on(linePermission) ? EPERM : 0,
    'not bound yet': (m, op) => (m.pirq.port[m.pirq.at(op.agent, op.line)] === NONE ? 0 : EEXIST),
    'find a free port': (m, op) => {
      op.port = freePort(m, op.agent);
      return op.port < 0 ? ENOSPC : 0;
    },
    'may be shared': (m, op) => {
      if (m.line.count[op.line] === 0) return 0;
      if (m.line.shareable[op.line] === 0 || op.share === 0) return EBUSY;
      return m.line.count[op.line] < m.size(sharer) ? 0 : EBUSY;
    },
    'join sharers': (m, op) => {
      const l = op.line;
      if (m.line.count[l] === 0) m.line.shareable[l] = op.share;
      m.sharers.guest[m.sharers.at(l, m.line.count[l])] = op.agent;
      m.line.count[l]++;
    },
    'publish port': (m, op) => {
      m.channel.state[rowOf(m, op.agent, op.port)] = PIRQ;
      m.pirq.port[m.pirq.at(op.agent, op.line)] = op.port;
    },
  },
});

/** Takes a domain off a line. Steps of unbinding and of death alike. */
const unbindingSteps = {
  'let go': (m: Interrupts, op: { target: number; line: number }): void => letGoOf(m, op.target, op.line),
  'close the gap': (m: Interrupts, op: { target: number; line: number }): void => {
    const at = placeOf(m, op.line, op.target);
    if (at < 0) return;
    const last = m.line.count[op.line] - 1;
    for (let i = at; i < last; i++) {
      m.sharers.guest[m.sharers.at(op.line, i)] = m.sharers.guest[m.sharers.at(op.line, i + 1)];
    }
    m.sharers.guest[m.sharers.at(op.line, last)] = NONE;
    m.line.count[op.line] = last;
    if (last === 0) m.line.shareable[op.line] = 0;
  },
  'close port': (m: Interrupts, op: { target: number; line: number }): void => {
    const at = m.pirq.at(op.target, op.line);
    const row = rowOf(m, op.target, m.pirq.port[at]);
    m.channel.pending[row] = 0;
    freeChannel(m, row);
    m.pirq.port[at] = NONE;
  },
};

/** EVTCHNOP_close of a PIRQ port; a domain unbinds only itself. */
export const unbindLine = operation('line.unbind', {
  agent: domain,
  says: 'unbinds {line}',
  source: 'xen/arch/x86/irq.c, pirq_guest_unbind',
  input: { line, target: domain },
  where: {
    agent: (m, op) => answers(m, op.agent),
    line: (m, op) => m.pirq.port[m.pirq.at(op.agent, op.line)] !== NONE,
    target: (_m, op) => op.target === op.agent,
  },
  touches: (m, op, may) => touchesUnbinding(m, op.target, op.line, may),
  steps: unbindingSteps,
});

/** A dying domain's ports are closed, and with them its share of every line. */
export const unbindDead = operation('line.unbindDead', {
  agent: 'vmm',
  says: 'takes {target}, which is dying, off {line}',
  source: 'xen/common/event_channel.c, evtchn_destroy; xen/arch/x86/irq.c, free_domain_pirqs',
  input: { line, target: domain },
  where: {
    target: (m, op) => m.domain.life[op.target] === DYING && m.pirq.port[m.pirq.at(op.target, op.line)] !== NONE,
  },
  touches: (m, op, may) => touchesUnbinding(m, op.target, op.line, may),
  steps: unbindingSteps,
});

/** When its last port is closed, a dying domain's shared-info page goes too. */
export const freeWords = operation('line.freeWords', {
  agent: 'vmm',
  says: 'frees the shared-info page of {target}, which is dying',
  source: 'xen/arch/x86/domain.c, arch_domain_destroy',
  input: { target: domain },
  where: { target: (m, op) => m.domain.life[op.target] === DYING && hasNoLine(m, op.target) && hasPage(m, op.target) },
  touches: (m, op, may) => {
    may.write(m.vcpu, op.target);
    may.write(m.driver, op.target);
    for (let p = 1; p < portsOf(m); p++) may.write(m.channel, rowOf(m, op.target, p));
  },
  steps: {
    free: (m, op) => {
      for (let p = 1; p < portsOf(m); p++) m.channel.mask[rowOf(m, op.target, p)] = 0;
      m.vcpu.upcallPending[op.target] = 0;
      m.vcpu.selector[op.target] = 0;
      m.driver.hung[op.target] = 0;
    },
  },
});

function hasNoLine(m: Interrupts, d: number): boolean {
  for (let l = 0; l < m.line.rows; l++) if (m.pirq.port[m.pirq.at(d, l)] !== NONE) return false;
  return true;
}

function hasPage(m: Interrupts, d: number): boolean {
  if (m.vcpu.upcallPending[d] !== 0 || m.vcpu.selector[d] !== 0 || m.driver.hung[d] !== 0) return true;
  for (let p = 1; p < portsOf(m); p++) if (m.channel.mask[rowOf(m, d, p)] !== 0) return true;
  return false;
}

/** A device asserts the line, which is bound and not masked. */
export const raiseLine = operation('line.raise', {
  agent: 'device',
  path: 'notify',
  says: 'raises {line}',
  source: 'xen/arch/x86/irq.c, do_IRQ, __do_IRQ_guest',
  input: { line },
  where: {
    line: (m, op) => m.line.count[op.line] > 0 && m.line.masked[op.line] === 0 && m.line.inflight[op.line] === 0,
  },
  touches: (m, op, may) => touchesDelivery(m, op.line, may),
  steps: { deliver: (m, op) => deliverLine(m, op.line) },
});

/** PHYSDEVOP_eoi (2004: PHYSDEVOP_IRQ_UNMASK_NOTIFY): done with every line that it holds and whose port it has not masked. */
export const notifyUnmask = operation('line.notify', {
  agent: domain,
  path: 'notify',
  says: 'says that it is done with its lines',
  source: 'M2 UnmaskNotify; xen/arch/x86/irq.c, pirq_guest_eoi',
  where: { agent: (m, op) => answers(m, op.agent) && hasDone(m, op.agent) },
  touches: (m, op, may) => {
    for (let l = 0; l < m.line.rows; l++) if (isDone(m, op.agent, l)) may.write(m.line, l);
  },
  steps: {
    'let go': (m, op) => {
      for (let l = 0; l < m.line.rows; l++) if (isDone(m, op.agent, l)) letGoOf(m, op.agent, l);
    },
  },
});

function isDone(m: Interrupts, d: number, l: number): boolean {
  const p = m.pirq.port[m.pirq.at(d, l)];
  return holdsLine(m, d, l) && p !== NONE && m.channel.mask[rowOf(m, d, p)] === 0;
}

function hasDone(m: Interrupts, d: number): boolean {
  for (let l = 0; l < m.line.rows; l++) if (isDone(m, d, l)) return true;
  return false;
}

/** The manager notices that a driver domain does not answer, and ends it. */
export const endHungDriver = operation('line.endHung', {
  agent: 'control',
  says: 'ends {target}, which does not answer',
  source: 'Fraser et al. 2004, the controller restarts failed drivers',
  input: { target: domain },
  where: {
    target: (m, op) =>
      m.on(managerTimeOut) &&
      op.target !== CONTROL &&
      m.domain.life[op.target] === RUNNING &&
      m.driver.hung[op.target] === 1,
  },
  touches: (m, op, may) => may.write(m.domain, op.target),
  steps: {
    stop: (m, op) => {
      m.domain.life[op.target] = DYING;
      m.killThreads(op.target);
    },
  },
});

/** Nobody has bound a line; one domain may not have been given it. */
function noLines(m: Interrupts): void {
  noChannels(m);
  m.sharers.guest.fill(NONE);
  m.pirq.port.fill(NONE);
  const all = (1 << m.vcpu.rows) - 1;
  const last = 1 << (m.vcpu.rows - 1);
  m.line.allowed.fill(m.choose(flag, 'the last domain was given the lines') === 1 ? all : all & ~last);
}

/** Lines and their ports. Scope: `domain`, `generation`, `port`, `word`, `line`, `sharer`. */
export const interrupts = module<Interrupts, typeof eventTables & typeof lineTables>('interrupt lines', {
  tables: { ...eventTables, ...lineTables },
  operations: [
    bindLine,
    unbindLine,
    unbindDead,
    freeWords,
    raiseLine,
    notifyUnmask,
    endHungDriver,
    handleEvents,
    maskEvent,
    unmaskEvent,
  ],
  initial: noLines,
  holds: (m, d) => !hasNoLine(m, d) || hasPage(m, d),
  map: (m) =>
    [...m.line.count].map((count, l) => {
      const guests = [...m.sharers.guest].slice(m.sharers.at(l, 0), m.sharers.at(l, 0) + count);
      return `line ${l}: domains ${guests.join(', ') || 'none'}, held by ${m.line.inflight[l]}${m.line.masked[l] ? ', masked' : ''}`;
    }),
});

/** Domains that share interrupt lines. */
export const interruptMachine: MachineDef = { name: 'interrupt lines', modules: [domains, interrupts] };
