/**
 * Interrupts of a microdriver's device: the handler is in the kernel half and runs to its end whenever the line is raised.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008): interrupt code is a critical root and stays in the kernel; nothing masks the line
 * between its handler's end and the next interrupt.
 *
 * State: the line, what the device was asked to do, how many interrupts ran since any thread did. An honest device raises the line once for
 * each request. Not kept by the design: threads run although the device interrupts all the time (I14).
 */
import { type Machine, module, oneOf, operationOn, type State, table, u8 } from '../../kernel/index.js';

export const stormTables = {
  deviceLine: table([], { raised: oneOf('no', 'yes'), asked: oneOf('no', 'yes') }),
  processor: table([], {
    /** Interrupts handled since a thread last ran. */
    inARow: u8(),
  }),
};

export type Storm = Machine & State<typeof stormTables>;
const operation = operationOn<Storm>();

/** Interrupts that may follow each other before a thread runs. */
export const FAIR_ROW = 2;

/** A thread runs, while no interrupt is pending, and gives the device something to do. */
export const runThread = operation('thread.run', {
  agent: 'thread',
  says: 'runs, and asks the device for something',
  where: { agent: (m) => m.deviceLine.raised[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.processor);
    may.write(m.deviceLine);
  },
  steps: {
    run: (m) => {
      m.processor.inARow[0] = 0;
      m.deviceLine.asked[0] = 1;
    },
  },
});

/** The device has done it. */
export const raiseOnce = operation('device.raise', {
  agent: 'device',
  path: 'notify',
  says: 'raises its line',
  atomic: true,
  where: { agent: (m) => m.deviceLine.asked[0] === 1 && m.deviceLine.raised[0] === 0 },
  touches: (m, _op, may) => may.write(m.deviceLine),
  steps: {
    raise: (m) => {
      m.deviceLine.raised[0] = 1;
      m.deviceLine.asked[0] = 0;
    },
  },
});

/** The kernel half's handler: before any thread. */
export const handleLine = operation('device.handle', {
  agent: 'interrupt',
  path: 'notify',
  says: 'runs the handler',
  source: 'D1: functions of the interrupt handler\u2019s type are roots of the kernel half',
  atomic: true,
  where: { agent: (m) => m.deviceLine.raised[0] === 1 },
  touches: (m, _op, may) => {
    may.write(m.deviceLine);
    may.write(m.processor);
  },
  steps: {
    handle: (m) => {
      m.deviceLine.raised[0] = 0;
      if (m.processor.inARow[0] <= FAIR_ROW) m.processor.inARow[0]++;
    },
  },
});

/** One line. No scope. */
export const storms = module<Storm, typeof stormTables>('interrupts of the device', {
  tables: stormTables,
  operations: [runThread, raiseOnce, handleLine],
});
