/**
 * Interrupts as IPC: the hypervisor masks the line and sends a message to the DD/OS's interrupt thread, which the scheduler runs when it
 * is its turn. A device that interrupts without end uses up the DD/OS's share of the processor, and nobody else's.
 * Source: LeVasseur et al. 2004; L4 (interrupts are preemptible IPC).
 */
import { gate, type Machine, module, NONE, oneOf, operationOn, ref, type State, table } from '../../kernel/index.js';
import { client } from './channelState.js';

export const interruptTables = {
  irq: table([], {
    asserted: oneOf('no', 'yes'),
    masked: oneOf('no', 'yes'),
    /** The device asserts the line again whenever it is acknowledged. */
    storm: oneOf('no', 'yes'),
    handler: oneOf('waits', 'runs'),
  }),
  /** Who has been given the processor, beside the DD/OS. */
  processor: table([client], { ran: oneOf('no', 'yes') }),
  turn: table([], { of: ref(client) }),
};

export type Interrupts = Machine & State<typeof interruptTables>;
const operation = operationOn<Interrupts>();

/** The interrupt thread has no more than its turn. */
export const scheduled = gate('interrupt threads are scheduled');
/** The line is masked until the thread has answered. */
export const maskUntilAnswer = gate('mask until the answer');

/** The device has something to say. */
export const raise = operation('device.assert', {
  agent: 'device',
  path: 'notify',
  says: 'asserts its interrupt',
  atomic: true,
  where: { agent: (m) => m.irq.asserted[0] === 0 },
  touches: (m, _op, may) => may.write(m.irq),
  steps: {
    assert: (m) => {
      m.irq.asserted[0] = 1;
    },
  },
});

/** The hypervisor masks the line and makes the interrupt thread ready. */
export const deliverInterrupt = operation('hypervisor.interrupt', {
  agent: 'hypervisor',
  path: 'notify',
  says: 'sends the interrupt to the DD/OS',
  where: { agent: (m) => m.irq.asserted[0] === 1 && m.irq.masked[0] === 0 && m.irq.handler[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.irq);
    may.read(m.turn);
  },
  steps: {
    mask: (m) => {
      m.irq.masked[0] = m.on(maskUntilAnswer) ? 1 : 0;
    },
    'make the thread ready': (m) => {
      m.irq.handler[0] = 1;
    },
  },
});

/** The interrupt thread handles the device in the DD/OS's turn, and answers: the line is unmasked. */
export const handle = operation('driver.handle', {
  agent: 'DD/OS',
  path: 'notify',
  says: 'handles the interrupt',
  where: { agent: (m) => m.irq.handler[0] === 1 && (m.turn.of[0] === NONE || !m.on(scheduled)) },
  touches: (m, _op, may) => {
    may.write(m.irq);
    may.write(m.turn);
  },
  steps: {
    handle: (m) => {
      m.irq.handler[0] = 0;
      m.irq.asserted[0] = m.irq.storm[0];
    },
    answer: (m) => {
      m.irq.masked[0] = 0;
    },
  },
});

/** The next turn: a client's, or (none) the DD/OS's. Without the scheduler, a ready interrupt thread goes first. */
export const schedule = operation('hypervisor.schedule', {
  agent: 'hypervisor',
  path: 'notify',
  says: 'gives the processor to the next',
  where: { agent: (m) => m.on(scheduled) || (m.irq.handler[0] === 0 && m.irq.asserted[0] === 0) },
  touches: (m, _op, may) => may.write(m.turn),
  steps: {
    next: (m) => {
      const of = m.turn.of[0];
      m.turn.of[0] = of === NONE ? 0 : of + 1 < m.processor.rows ? of + 1 : NONE;
    },
  },
});

/** A client runs in its turn. */
export const run = operation('client.run', {
  agent: client,
  says: 'runs',
  where: {
    agent: (m, op) =>
      m.turn.of[0] === op.agent &&
      m.processor.ran[op.agent] === 0 &&
      (m.on(scheduled) || (m.irq.handler[0] === 0 && m.irq.asserted[0] === 0)),
  },
  touches: (m, op, may) => {
    may.read(m.turn);
    may.write(m.processor, op.agent);
  },
  steps: {
    run: (m, op) => {
      m.processor.ran[op.agent] = 1;
    },
  },
});

/** A client has work again. */
export const moreWork = operation('client.moreWork', {
  agent: client,
  says: 'has more to do',
  idle: true,
  where: { agent: (m, op) => m.processor.ran[op.agent] === 1 },
  touches: (m, op, may) => may.write(m.processor, op.agent),
  steps: {
    begin: (m, op) => {
      m.processor.ran[op.agent] = 0;
    },
  },
});

export const interruptIpc = module<Interrupts, typeof interruptTables>('interrupts as IPC', {
  tables: interruptTables,
  operations: [raise, deliverInterrupt, handle, schedule, run, moreWork],
  initial: (m) => {
    m.turn.of.fill(NONE);
  },
});
