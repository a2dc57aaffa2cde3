/** What ends a DD/OS beneath the time-multiplexed IO-MMU, and mutants of what the monitor must do then. */
import { mutant } from '../../../drivers/suite.js';
import {
  canReturn,
  rebootSpace,
  revokeBus,
  takeBackSpace,
} from '../../../model/architectures/driverReuse/muxRestart.js';
import { tick, writeCommand } from '../../../model/architectures/driverReuse/muxSlices.js';
import {
  HUNG,
  LENT,
  type Mux,
  NO_LONGER_LENT,
  RUNNING,
  resetDevice,
  STOPPED,
  space,
} from '../../../model/architectures/driverReuse/muxState.js';
import { module, omit, operationOn, reorder, replace } from '../../../model/kernel/index.js';

const operation = operationOn<Mux>();

/** The DD/OS crashes, at any moment, with whatever its device has in flight. Calls that it made are the monitor's work, and end. */
export const spaceCrash = operation('space.crash', {
  agent: space,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: {
    agent: (m, op) => {
      const life = m.space.life[op.agent];
      return (life === RUNNING || life === HUNG) && canReturn(m, op.agent);
    },
  },
  touches: (m, op, may) => may.write(m.space, op.agent),
  steps: {
    stop: (m, op) => {
      m.space.life[op.agent] = STOPPED;
    },
  },
});

/** The DD/OS stops answering; its device goes on, and it keeps its turns. */
export const spaceHang = operation('space.hang', {
  agent: space,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.space.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.space, op.agent),
  steps: {
    hang: (m, op) => {
      m.space.life[op.agent] = HUNG;
    },
  },
});

/** A DD/OS that works is taken for hung. */
export const spaceSuspected = operation('space.suspected', {
  agent: space,
  says: 'is wrongly taken for hung, and stopped',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.space.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.space, op.agent),
  steps: {
    stop: (m, op) => {
      m.space.life[op.agent] = STOPPED;
    },
  },
});

export const muxDeaths = module<Mux, Record<never, never>>('failures of a DD/OS beneath the IO-MMU', {
  tables: {},
  operations: [spaceCrash, spaceHang, spaceSuspected],
});

const ORDER = 'order of V6 and V7';

export const takenInFlight = mutant('space taken back in flight', {
  says: 'what a dead DD/OS had is taken back while its DMA is in flight',
  source: ORDER,
  edits: [omit(takeBackSpace, 'wait for drain')],
});
export const deadKeepsBus = mutant('dead space on the bus', {
  says: 'the devices of a dead DD/OS keep the bus',
  source: ORDER,
  edits: [omit(revokeBus, 'bus masters off')],
});
export const deferredOutlives = mutant('deferred enable outlives its DD/OS', {
  says: 'what the dead DD/OS asked for is granted in its slice all the same',
  source: 'V6 CfgWrite, V7',
  edits: [omit(revokeBus, 'void what is deferred')],
});
export const deadKeepsSlice = mutant('dead space keeps its slice', {
  says: 'a DD/OS that is gone has its turns still',
  source: 'V6 Tick, V7',
  edits: [omit(revokeBus, 'drop its slice')],
});
export const callsOverlooked = mutant('calls of the dead overlooked', {
  says: 'the bus is taken while a call of the dead DD/OS is under way, which may switch a device on',
  source: 'V6 CfgWrite, V7',
  edits: [omit(revokeBus, 'finish its calls')],
});
export const deadKeepsTable = mutant('table of the dead kept', {
  says: 'the table of a dead DD/OS keeps its entries',
  source: 'V6, V7',
  edits: [omit(takeBackSpace, 'empty its table')],
});
export const deadKeepsGart = mutant('GART of the dead kept', {
  says: 'the table of the dead is emptied, and what is cached of it stays',
  source: 'V6, V7; AMD K8 northbridge, GART TLB',
  edits: [omit(takeBackSpace, 'invalidate GART')],
});
export const deadKeepsPins = mutant('pins of a dead space leak', {
  says: 'client pages that a dead DD/OS had are forgotten, and stay pinned',
  source: 'V5 pin rule, V7',
  edits: [
    replace(takeBackSpace, 'unpin what was lent', (m, op) => {
      for (let f = 0; f < m.frame.rows; f++) {
        const row = m.io.at(op.space, f);
        if (m.io.lent[row] === LENT) m.io.lent[row] = NO_LONGER_LENT;
      }
    }),
  ],
});
export const freedFirst = mutant('freed before the table is emptied', {
  says: 'memory of the dead is free while its table leads there',
  source: ORDER,
  edits: [
    reorder(takeBackSpace, [
      'unpin what was lent',
      'free its memory',
      'wait for drain',
      'empty its table',
      'invalidate GART',
      'forget it',
    ]),
  ],
});
export const wishForgotten = mutant('deferred enable forgotten', {
  says: 'what a DD/OS asks for outside its slice is not noted',
  source: 'V6 CfgWrite',
  edits: [omit(writeCommand, 'note the wish')],
});
export const keepsTheBus = mutant('bus kept until the slice ends', {
  says: 'a DD/OS that switches bus mastering off waits for the end of its slice, as if it had switched it on',
  source: 'V6 CfgWrite: only enabling is deferred',
  edits: [
    replace(writeCommand, 'defer it, or grant it', (m, op) => {
      const mine = m.northbridge.current[0] === op.agent && m.northbridge.switching[0] === 0;
      if (op.on === 1 && mine) m.master.bus[op.device] = 1;
    }),
  ],
});
export const neverGranted = mutant('deferred enable never granted', {
  says: 'devices that are to have the bus do not get it when their slice begins',
  source: 'V6 Tick',
  edits: [
    replace(tick, 'bus masters on', (m, op) => {
      m.northbridge.left[0] = m.space.slice[op.next];
      m.northbridge.switching[0] = 0;
    }),
  ],
});
export const noSliceAgain = mutant('booted without a slice', {
  says: 'a DD/OS that is booted again has no turn',
  source: 'V6 AddSpace, V7',
  edits: [omit(rebootSpace, 'restore its slice')],
});
export const bootedWithoutEntry = mutant('booted without an entry', {
  says: 'the memory that a DD/OS is booted again in is not in its table',
  source: 'V6 MapHook, V7',
  edits: [omit(rebootSpace, 'map hook')],
});
export const bootedOnTheBus = mutant('booted with the bus', {
  says: 'the devices of a DD/OS that is booted again have the bus at once, whosever slice it is',
  source: 'V6 CfgWrite, V7',
  edits: [
    replace(rebootSpace, 'register its devices', (m, op) => {
      for (let v = 0; v < m.master.rows; v++) {
        if (m.master.home[v] !== op.space) continue;
        m.master.table[v] = op.space;
        m.master.bus[v] = 1;
      }
    }),
  ],
});
export const revokesAll = mutant('everybody off the bus', {
  says: 'the death of one DD/OS takes the devices of all off the bus, and what they wait for',
  source: 'V7: others are not concerned',
  edits: [
    replace(revokeBus, 'void what is deferred', (m: Mux) => {
      m.master.wanted.fill(0);
    }),
  ],
});
export const resetsAll = mutant('everybody reset', {
  says: 'the drain for one dead DD/OS resets the devices of all',
  source: 'V7: others are not concerned',
  edits: [
    replace(takeBackSpace, 'wait for drain', (m: Mux) => {
      for (let v = 0; v < m.master.rows; v++) resetDevice(m, v);
    }),
  ],
});
export const slicesDropped = mutant('all slices dropped', {
  says: 'the death of one DD/OS takes the slices of all',
  source: 'V6 Tick, V7',
  edits: [
    replace(revokeBus, 'drop its slice', (m: Mux) => {
      m.space.slice.fill(0);
    }),
  ],
});
