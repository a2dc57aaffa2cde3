/**
 * Interrupts of user-level drivers: a line is a file, an interrupt is what a read returns.
 * Source: Leslie and Heiser 2003; the 2005 patches (/proc/irq/n/irq: irq_proc_open, irq_proc_read, irq_proc_irq_handler).
 *
 * The kernel masks the line before it wakes the reader, and unmasks it when the reader comes back for the next one and nothing is counted:
 * so a storm is one interrupt a read. One process opens a line, and none that a kernel driver uses: whoever shares a line could hold it.
 * Must keep: L-S7 (only to the opener; masked while work is outstanding), L-L2 (nobody else waits).
 */
import { CONTROL, type Domains, DYING, domain, RUNNING, runs } from '../../domains.js';
import {
  blockedBy,
  flag,
  gate,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { charge, hypercall, NOTIFICATION } from '../../ledger.js';

/** Interrupt lines. */
export const irq = sort('irq');

export const irqTables = {
  irq: table([irq], {
    masked: oneOf('no', 'yes'),
    /** A driver in the kernel uses the line. */
    kernelUses: oneOf('no', 'yes'),
    /** Kept for properties: interrupts taken since the line was last given work to; two means more than one. */
    raised: u8(),
  }),
  /** A process and a line. */
  irqFile: table([domain, irq], {
    open: oneOf('no', 'yes'),
    /** Interrupts counted and not read; two means more than one. */
    count: u8(),
    /** A read waits. */
    reading: oneOf('no', 'yes'),
    /** A read has returned, and the process has not come back. */
    working: oneOf('no', 'yes'),
  }),
  responds: table([domain], { hung: oneOf('no', 'yes') }),
};

export type Irqs = Domains & State<typeof irqTables>;
const operation = operationOn<Irqs>();

export const IRQ_ERRNO = { EBUSY: -16 } as const;

/** The line is masked at the controller before the reader is woken. */
export const maskBeforeUpcall = gate('mask before the upcall');
/** A line that somebody has is not opened again. */
export const noSharing = gate('no sharing of lines');
/** Somebody kills a driver that does not answer. */
export const operator = gate('operator');

const fileOf = (m: Irqs, op: { process: number; irq: number }): number => m.irqFile.at(op.process, op.irq);

/** Whether a process answers. */
export function responds(m: Irqs, d: number): boolean {
  return runs(m, d) && m.responds.hung[d] === 0;
}

/** Whether somebody has the line open. */
export function isOpen(m: Irqs, l: number): boolean {
  for (let d = 0; d < m.domain.rows; d++) if (m.irqFile.open[m.irqFile.at(d, l)] === 1) return true;
  return false;
}

/** Whether an interrupt of the line is with somebody: counted, or being worked on. */
function isHeld(m: Irqs, l: number): boolean {
  for (let d = 0; d < m.domain.rows; d++) {
    const row = m.irqFile.at(d, l);
    if (m.irqFile.count[row] > 0 || m.irqFile.working[row] === 1) return true;
  }
  return false;
}

/** open: refused to the second, and on lines of the kernel. */
export const openIrq = operation('irq.open', {
  agent: 'vmm',
  says: 'opens {irq} for {process}',
  source: '2005 patches, irq_proc_open (request_irq without SA_SHIRQ)',
  input: { irq, process: domain },
  errors: IRQ_ERRNO,
  where: {
    process: (m, op) => op.process !== CONTROL && responds(m, op.process) && m.irqFile.open[fileOf(m, op)] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    may.write(m.irqFile, fileOf(m, op));
  },
  steps: {
    'is it free': (m, op) =>
      m.on(noSharing) && (isOpen(m, op.irq) || m.irq.kernelUses[op.irq] === 1) ? IRQ_ERRNO.EBUSY : OK,
    open: (m, op) => {
      hypercall(m);
      m.irqFile.open[fileOf(m, op)] = 1;
      // Requesting a line enables it.
      if (!isHeld(m, op.irq)) m.irq.masked[op.irq] = 0;
    },
  },
});

/** The kernel’s handler: mask, count, wake. */
export function deliver(m: Irqs, l: number): void {
  if (m.on(maskBeforeUpcall)) m.irq.masked[l] = 1;
  if (m.irq.raised[l] < 2) m.irq.raised[l]++;
  for (let d = 0; d < m.domain.rows; d++) {
    const row = m.irqFile.at(d, l);
    if (m.irqFile.open[row] === 1 && m.irqFile.count[row] < 2) m.irqFile.count[row]++;
  }
}

/** The device has something to say. */
export const raiseIrq = operation('irq.raise', {
  agent: 'device',
  path: 'notify',
  says: 'raises {irq}',
  source: '2005 patches, irq_proc_irq_handler (disable_irq_nosync)',
  input: { irq },
  where: { irq: (m, op) => isOpen(m, op.irq) && m.irq.masked[op.irq] === 0 && m.irq.raised[op.irq] === 0 },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    for (let d = 0; d < m.domain.rows; d++) may.write(m.irqFile, m.irqFile.at(d, op.irq));
  },
  steps: { 'mask, count, wake': (m, op) => deliver(m, op.irq) },
});

/** read: back for the next one. The line is enabled only when nothing is counted. */
export const readIrq = operation('irq.read', {
  agent: 'vmm',
  path: 'notify',
  says: 'lets {process} read {irq}',
  source: '2005 patches, irq_proc_read',
  input: { irq, process: domain },
  where: {
    process: (m, op) =>
      responds(m, op.process) && m.irqFile.open[fileOf(m, op)] === 1 && m.irqFile.reading[fileOf(m, op)] === 0,
  },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    may.write(m.irqFile, fileOf(m, op));
  },
  steps: {
    'work is done': (m, op) => {
      hypercall(m);
      m.irqFile.working[fileOf(m, op)] = 0;
      m.irqFile.reading[fileOf(m, op)] = 1;
    },
    'enable line': (m, op) => {
      if (isHeld(m, op.irq)) return;
      m.irq.masked[op.irq] = 0;
      m.irq.raised[op.irq] = 0;
    },
  },
});

/** The read returns the count and zeroes it. */
export const returnIrq = operation('irq.return', {
  agent: 'vmm',
  path: 'notify',
  says: 'returns the count of {irq} to {process}',
  source: '2005 patches, irq_proc_read',
  input: { irq, process: domain },
  where: {
    process: (m, op) => m.irqFile.reading[fileOf(m, op)] === 1 && m.irqFile.count[fileOf(m, op)] > 0,
  },
  touches: (m, op, may) => may.write(m.irqFile, fileOf(m, op)),
  steps: {
    'take the count': (m, op) => {
      charge(m, NOTIFICATION);
      m.irqFile.count[fileOf(m, op)] = 0;
      m.irqFile.reading[fileOf(m, op)] = 0;
      m.irqFile.working[fileOf(m, op)] = 1;
    },
  },
});

/** close, exit, kill: the line is masked before it is given up. */
export const closeIrq = operation('irq.close', {
  agent: 'vmm',
  says: 'takes {irq} from {process}',
  source: '2005 patches, irq_proc_release (free_irq)',
  input: { irq, process: domain },
  where: { process: (m, op) => m.domain.life[op.process] === DYING && m.irqFile.open[fileOf(m, op)] === 1 },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    may.write(m.irqFile, fileOf(m, op));
  },
  steps: {
    forget: (m, op) => {
      const row = fileOf(m, op);
      m.irqFile.open[row] = 0;
      m.irqFile.count[row] = 0;
      m.irqFile.reading[row] = 0;
      m.irqFile.working[row] = 0;
    },
    'mask line': (m, op) => {
      const open = isOpen(m, op.irq);
      m.irq.masked[op.irq] = open && !isHeld(m, op.irq) ? 0 : 1;
      m.irq.raised[op.irq] = 0;
    },
  },
});

/** F9: the device asserts its line all the time, with or without reason. */
export const storm = operation('irq.storm', {
  agent: 'device',
  says: 'raises {irq} again and again',
  fault: 'F9',
  atomic: true,
  onFailure: 'safe',
  input: { irq },
  where: { irq: (m, op) => isOpen(m, op.irq) },
  touches: (m, op, may) => {
    may.write(m.irq, op.irq);
    for (let d = 0; d < m.domain.rows; d++) may.write(m.irqFile, m.irqFile.at(d, op.irq));
  },
  steps: {
    assert: (m, op) => {
      if (m.irq.masked[op.irq] === 1) return blockedBy(maskBeforeUpcall);
      deliver(m, op.irq);
      return OK;
    },
  },
});

/** F11: a driver runs, and answers nothing any more. */
export const hang = operation('process.hang', {
  agent: domain,
  says: 'answers nothing any more',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => op.agent !== CONTROL && responds(m, op.agent) },
  touches: (m, op, may) => may.write(m.responds, op.agent),
  steps: {
    hang: (m, op) => {
      m.responds.hung[op.agent] = 1;
    },
  },
});

/** F10: a driver crashes, or is killed. */
export const dies = operation('process.dies', {
  agent: domain,
  says: 'crashes, or is killed',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent) },
  touches: (m, op, may) => {
    may.write(m.domain, op.agent);
    may.write(m.responds, op.agent);
  },
  steps: { stop: (m, op) => stop(m, op.agent) },
});

/** F11: a driver that works is taken to hang, and killed. */
export const killWrongly = operation('process.suspected', {
  agent: domain,
  says: 'works, is taken to hang, and is killed',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => op.agent !== CONTROL && responds(m, op.agent) },
  touches: (m, op, may) => {
    may.write(m.domain, op.agent);
    may.write(m.responds, op.agent);
  },
  steps: { stop: (m, op) => stop(m, op.agent) },
});

/** The process is dying, whatever it was doing. */
function stop(m: Irqs, d: number): void {
  m.domain.life[d] = DYING;
  m.responds.hung[d] = 0;
  m.killThreads(d);
}

/** kill -9 of a driver that does not answer. */
export const killHung = operation('process.kill', {
  agent: 'control',
  says: 'kills {process}, which does not answer',
  source: 'LKML on the 2005 patches: kill -9 and start again',
  input: { process: domain },
  where: {
    process: (m, op) => m.on(operator) && m.domain.life[op.process] === RUNNING && m.responds.hung[op.process] === 1,
  },
  touches: (m, op, may) => {
    may.write(m.domain, op.process);
    may.write(m.responds, op.process);
  },
  steps: {
    kill: (m, op) => stop(m, op.process),
  },
});

/** Lines, masked and unopened; the last may be one of the kernel’s. Scope: `domain`, `generation`, `irq`. */
export const irqs = module<Irqs, typeof irqTables>('interrupts as reads', {
  tables: irqTables,
  operations: [openIrq, raiseIrq, readIrq, returnIrq, closeIrq, storm, hang, dies, killWrongly, killHung],
  initial: (m) => {
    m.irq.masked.fill(1);
    m.irq.kernelUses[m.irq.rows - 1] = m.choose(flag, 'the kernel uses the last line');
  },
  holds: (m, d) => {
    for (let l = 0; l < m.irq.rows; l++) if (m.irqFile.open[m.irqFile.at(d, l)] === 1) return true;
    return m.responds.hung[d] === 1;
  },
  map: (m) => [...m.irq.masked].map((masked, l) => `irq ${l}: ${masked ? 'masked' : 'enabled'}`),
});
