/**
 * Association of interrupt lines with DD/OSes (V1): the monitor lets a DD/OS that has a device on a line receive its interrupts, as
 * messages to a thread of the DD/OS; one DD/OS at a time. It lets go of a line only when the line is masked and no message is on its way,
 * when the DD/OS asks for it and when the DD/OS has died.
 * Source: LeVasseur et al. 2004, V1 (de)associate interrupt; L4 (an interrupt is a message to the thread that is associated with it).
 * Must keep: DD-S8: a message about a line goes to the DD/OS that holds it, and only one that has a device there may; DD-L1.
 *
 * Line 0 is wired to a device of each DD/OS, line n to one of DD/OS n modulo their number.
 */
import { generation } from '../../domains.js';
import {
  AGAIN,
  gate,
  type Machine,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { hypercall } from '../../ledger.js';
import { ABSENT, ddos, HUNG, hangDetection, RUNNING } from './restartState.js';

/** The thread of a DD/OS that is sent its interrupts: of the same number. */
export const irqThread = sort('interrupt thread');
/** Lines of the interrupt controller. */
export const irqLine = sort('interrupt line');

/** Stopped: its lines are to be released. */
export const STOPPED = 3;

export const lineTables = {
  vm: table([ddos], {
    life: oneOf('absent', 'running', 'hung', 'stopped'),
    /** Counts its instances. */
    generation: u8(),
    /** How often it may still be booted again, in this scope. */
    spare: u8(),
  }),
  wire: table([irqLine], {
    holder: ref(ddos),
    masked: oneOf('no', 'yes'),
    asserted: oneOf('no', 'yes'),
    /** The holder is about to lose it: it is not unmasked any more. */
    leaving: oneOf('no', 'yes'),
    /** Whose interrupt thread has the message, and which instance's. */
    to: ref(ddos),
    of: u8(),
  }),
};

export type Lines = Machine & State<typeof lineTables>;
const operation = operationOn<Lines>();

/** Error codes of the resource monitor. */
export const LINE_ERRORS = { EPERM: -1, EBUSY: -16 } as const;

/** Only a DD/OS that has a device on the line is associated with it. */
export const lineAccess = gate('device check at association');
/** A line is associated with one DD/OS at a time. */
export const oneHolder = gate('one holder of a line');
/** A line that is let go of is masked first. */
export const maskFirst = gate('mask before letting a line go');
/** A line is let go of when no message about it is on its way, or in work. */
export const drainLine = gate('drain before letting a line go');

/** Whether the DD/OS has a device on the line. */
export const isWired = (m: Lines, d: number, l: number): boolean => l === 0 || l % m.vm.rows === d;

/** The monitor associates a line with a DD/OS that asks for it. */
export const associateLine = operation('monitor.associate', {
  agent: ddos,
  says: 'is associated with {line}',
  source: 'LeVasseur et al. 2004, V1 associate interrupt',
  input: { line: irqLine },
  errors: LINE_ERRORS,
  where: {
    agent: (m, op) => m.vm.life[op.agent] === RUNNING,
    line: (m, op) => isWired(m, op.agent, op.line) && m.wire.holder[op.line] !== op.agent,
  },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    'have no other holder': (m, op) => {
      if (m.on(oneHolder) && m.wire.holder[op.line] !== NONE) return LINE_ERRORS.EBUSY;
      hypercall(m);
      m.wire.holder[op.line] = op.agent;
      return OK;
    },
    unmask: (m, op) => {
      m.wire.masked[op.line] = 0;
    },
  },
});

/** A DD/OS asks the monitor to let go of a line. */
export const disassociateLine = operation('monitor.disassociate', {
  agent: ddos,
  says: 'asks to be disassociated from {line}',
  source: 'LeVasseur et al. 2004, V1 disassociate interrupt',
  input: { line: irqLine },
  where: {
    agent: (m, op) => m.vm.life[op.agent] === RUNNING,
    line: (m, op) => m.wire.holder[op.line] === op.agent,
  },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    mask: (m, op) => {
      hypercall(m);
      m.wire.leaving[op.line] = 1;
      if (m.on(maskFirst)) m.wire.masked[op.line] = 1;
    },
    'wait for the handler': (m, op) => (m.on(drainLine) && m.wire.to[op.line] !== NONE ? AGAIN : OK),
    'let go': (m, op) => letGo(m, op.line),
  },
});

/** Nobody holds the line. */
export function letGo(m: Lines, l: number): void {
  m.wire.holder[l] = NONE;
  m.wire.leaving[l] = 0;
}

/** A device has something to say. */
export const assertLine = operation('line.assert', {
  agent: 'device',
  path: 'notify',
  says: 'asserts {line}',
  atomic: true,
  input: { line: irqLine },
  where: { line: (m, op) => m.wire.asserted[op.line] === 0 },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    assert: (m, op) => {
      m.wire.asserted[op.line] = 1;
    },
  },
});

/** The hypervisor masks the line, and sends the message to whoever holds it. */
export const deliverLine = operation('line.deliver', {
  agent: 'hypervisor',
  path: 'notify',
  says: 'sends the interrupt of {line} to its holder',
  source: 'L4: an interrupt is a message',
  input: { line: irqLine },
  where: {
    line: (m, op) => m.wire.asserted[op.line] === 1 && m.wire.masked[op.line] === 0 && m.wire.to[op.line] === NONE,
  },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    mask: (m, op) => {
      m.wire.masked[op.line] = 1;
    },
    // Whoever holds it now: it may have been let go of since it was masked.
    send: (m, op) => {
      const holder = m.wire.holder[op.line];
      if (holder === NONE || m.wire.leaving[op.line] === 1) return;
      m.wire.to[op.line] = holder;
      m.wire.of[op.line] = m.vm.generation[holder];
    },
  },
});

/** The interrupt thread handles the device, and answers: the line is unmasked, unless it is being let go of. */
export const handleLine = operation('driver.handleLine', {
  agent: irqThread,
  path: 'notify',
  says: 'handles the interrupt of {line}',
  input: { line: irqLine },
  where: {
    agent: (m, op) => m.vm.life[op.agent] === RUNNING,
    line: (m, op) => m.wire.to[op.line] === op.agent,
  },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    handle: (m, op) => {
      m.wire.asserted[op.line] = 0;
    },
    answer: (m, op) => {
      m.wire.to[op.line] = NONE;
      m.wire.of[op.line] = 0;
      if (m.wire.leaving[op.line] === 0) m.wire.masked[op.line] = 0;
    },
  },
});

/** The DD/OS does nothing any more. */
export function end(m: Lines, d: number, life: number): void {
  m.vm.life[d] = life;
  m.killThreads(d, ddos);
  m.killThreads(d, irqThread);
}

/** A DD/OS that does not answer is stopped. */
export const stopVm = operation('monitor.stopVm', {
  agent: 'monitor',
  says: 'stops the hung {ddos}',
  source: 'LeVasseur et al. 2004, V7',
  input: { ddos },
  where: { ddos: (m, op) => m.on(hangDetection) && m.vm.life[op.ddos] === HUNG },
  touches: (m, op, may) => {
    may.write(m.vm, op.ddos);
  },
  steps: {
    stop: (m, op) => {
      end(m, op.ddos, STOPPED);
    },
  },
});

/** The lines of a DD/OS that is dead are masked, messages to it dropped, and the lines let go of. */
export const releaseLines = operation('monitor.releaseLines', {
  agent: 'monitor',
  says: 'releases the lines of the dead {ddos}',
  source: 'LeVasseur et al. 2004, V1, V7',
  input: { ddos },
  where: { ddos: (m, op) => m.vm.life[op.ddos] === STOPPED },
  touches: (m, op, may) => {
    may.write(m.vm, op.ddos);
    may.writeAll(m.wire);
  },
  steps: {
    mask: (m, op) => {
      for (let l = 0; l < m.wire.rows; l++) {
        if (m.wire.holder[l] !== op.ddos) continue;
        m.wire.leaving[l] = 1;
        if (m.on(maskFirst)) m.wire.masked[l] = 1;
      }
    },
    'drop its messages': (m, op) => {
      if (!m.on(drainLine)) return;
      for (let l = 0; l < m.wire.rows; l++) {
        if (m.wire.to[l] !== op.ddos) continue;
        m.wire.to[l] = NONE;
        m.wire.of[l] = 0;
      }
    },
    'let go': (m, op) => {
      for (let l = 0; l < m.wire.rows; l++) if (m.wire.holder[l] === op.ddos) letGo(m, l);
    },
    'forget it': (m, op) => {
      m.vm.life[op.ddos] = ABSENT;
    },
  },
});

/** The virtual machine is booted again; it has to ask for its lines. */
export const bootVm = operation('monitor.bootVm', {
  agent: 'monitor',
  says: 'boots {ddos} again',
  source: 'LeVasseur et al. 2004, V7',
  input: { ddos },
  where: { ddos: (m, op) => m.vm.life[op.ddos] === ABSENT && canReturn(m, op.ddos) },
  touches: (m, op, may) => may.write(m.vm, op.ddos),
  steps: {
    run: (m, op) => {
      m.vm.life[op.ddos] = RUNNING;
      m.vm.generation[op.ddos]++;
      m.vm.spare[op.ddos]--;
    },
  },
});

/** A DD/OS may still be booted again: only then does it fail, so that what must recover can. */
export const canReturn = (m: Lines, d: number): boolean => m.vm.spare[d] > 0;

export const irqAssociation = module<Lines, typeof lineTables>('interrupt lines of DD/OSes', {
  tables: lineTables,
  operations: [associateLine, disassociateLine, assertLine, deliverLine, handleLine, stopVm, releaseLines, bootVm],
  initial: (m) => {
    m.vm.life.fill(RUNNING);
    m.vm.spare[m.choose(ddos, 'may die')] = m.size(generation) - 1;
    m.wire.holder.fill(NONE);
    m.wire.to.fill(NONE);
    m.wire.masked.fill(1);
  },
  map: (m) =>
    [...m.wire.holder].map(
      (d, l) =>
        `line ${l}: ${d === NONE ? 'nobody\u2019s' : `of DD/OS ${d}`}, ${m.wire.masked[l] ? 'masked' : 'unmasked'}${
          m.wire.to[l] === NONE ? '' : `, a message to DD/OS ${m.wire.to[l]}`
        }`,
    ),
});
