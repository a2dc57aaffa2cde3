/**
 * Faults behind the class interface of "Reconstructing I/O" (UCAM-CL-TR-596, 2004): backends and soft devices that crash, hang, are
 * suspected wrongly, or answer late; and the mistakes of whoever restarts, moves or interposes, as edits of the specification.
 */
import { mutant } from '../../drivers/suite.js';
import { changePath, restartBackend } from '../../model/architectures/reconstructingIo/classManager.js';
import { enqueue, passDown, perform } from '../../model/architectures/reconstructingIo/classPath.js';
import {
  ABOVE,
  BELOW,
  type ClassPath,
  DEAD,
  HUNG,
  NOTHING,
  OUTSTANDING,
  PERFORMED,
  place,
  READ,
  REQUEST,
  RESPONSE,
  RUNNING,
  request,
  slotAt,
  WRITE,
} from '../../model/architectures/reconstructingIo/classState.js';
import { type Edit, insertBefore, module, omit, operationOn, replace } from '../../model/kernel/index.js';
import { COPY, charge } from '../../model/ledger.js';

const operation = operationOn<ClassPath>();
const mayFail = (m: ClassPath): boolean => m.path.spare[0] > 0;

/** F10: the backend dies; what it had mapped stays mapped until it is destroyed. */
export const crashBackend = operation('backend.crash', {
  agent: place,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => m.backend.life[op.agent] === RUNNING && mayFail(m) },
  touches: (m, op, may) => {
    may.write(m.backend, op.agent);
    may.write(m.path);
  },
  steps: {
    stop: (m, op) => {
      m.backend.life[op.agent] = DEAD;
      m.path.spare[0]--;
    },
  },
});

/** F11: the backend answers nothing any more. */
export const hangBackend = operation('backend.hang', {
  agent: place,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.backend.life[op.agent] === RUNNING && mayFail(m) },
  touches: (m, op, may) => {
    may.write(m.backend, op.agent);
    may.write(m.path);
  },
  steps: {
    hang: (m, op) => {
      m.backend.life[op.agent] = HUNG;
      m.path.spare[0]--;
    },
  },
});

/** F11: a backend that works is suspected. */
export const suspectBackend = operation('manager.suspect', {
  agent: 'manager',
  says: 'suspects the backend, which works',
  fault: 'F11',
  atomic: true,
  where: { agent: (m) => m.path.suspected[0] === 0 && m.path.draining[0] === 0 && mayFail(m) },
  touches: (m, _op, may) => may.write(m.path),
  steps: {
    suspect: (m) => {
      m.path.suspected[0] = 1;
      m.path.spare[0]--;
    },
  },
});

/** F10: the soft device dies, with its private state. */
export const crashSoft = operation('soft.crash', {
  agent: 'soft device',
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m) => m.path.soft[0] === RUNNING && mayFail(m) },
  touches: (m, _op, may) => may.write(m.path),
  steps: {
    stop: (m) => {
      m.path.soft[0] = DEAD;
      m.path.spare[0]--;
    },
  },
});

/** F14: an answer of an earlier epoch shows up in the client's channel. */
export const answerLate = operation('backend.answersLate', {
  agent: 'old backend',
  says: 'has answered {request} in an earlier epoch, and the answer shows up now',
  source: 'architectures 7.2, F14',
  fault: 'F14',
  atomic: true,
  input: { request },
  where: {
    agent: (m) => m.path.epoch[0] > 0 && m.path.connected[0] === 1,
    request: (m, op) =>
      m.asked.state[op.request] === OUTSTANDING && m.slot.holds[slotAt(m, ABOVE, op.request)] === NOTHING,
  },
  touches: (m, op, may) => may.write(m.slot, slotAt(m, ABOVE, op.request)),
  steps: {
    appear: (m, op) => {
      const row = slotAt(m, ABOVE, op.request);
      m.slot.holds[row] = RESPONSE;
      m.slot.epoch[row] = m.path.epoch[0] - 1;
    },
  },
});

export const classFailures = module<ClassPath, Record<never, never>>('failures behind the class interface', {
  tables: {},
  operations: [crashBackend, hangBackend, suspectBackend, crashSoft, answerLate],
});

export const suspectLives = mutant('suspect not destroyed', {
  says: 'another backend is started beside one that is only suspected',
  source: 'TR-596 on suspicion; R-S4',
  edits: [omit(restartBackend, 'destroy the suspect')],
});

export const moveKeepsOld = mutant('old backend kept', {
  says: 'the service moves to another backend, and the old one goes on',
  source: 'R1, migration',
  edits: [
    insertBefore(changePath, 'change', 'leave the old one', (m, op) => {
      for (let b = 0; b < m.backend.rows; b++) if (b !== op.old) m.backend.life[b] = RUNNING;
    }),
    replace(changePath, 'change', () => 0),
  ],
});

export const netReplayed = mutant('frames replayed', {
  says: 'what was outstanding is asked for again whatever its class: frames are sent twice',
  source: 'TR-596; recovery of the 2004 network frontend',
  edits: [
    replace(restartBackend, 'reconnect', (m) => {
      for (let r = 0; r < m.asked.rows; r++) if (m.asked.state[r] === OUTSTANDING) enqueue(m, r);
      m.path.connected[0] = 1;
      m.path.suspected[0] = 0;
    }),
  ],
});

export const replayForgotten = mutant('blocks not replayed', {
  says: 'a reconnected client waits for answers to requests that nobody has',
  source: 'omitted step',
  edits: [
    replace(restartBackend, 'reconnect', (m) => {
      for (let row = 0; row < m.slot.rows; row++) m.slot.holds[row] = NOTHING;
      for (let r = 0; r < m.asked.rows; r++) m.passed.on[r] = 0;
      m.path.connected[0] = 1;
      m.path.suspected[0] = 0;
    }),
  ],
});

export const blocksLost = mutant('blocks given up', {
  says: 'a restart gives block requests up as if they were frames',
  source: 'R1: loss is for the network class only',
  edits: [
    insertBefore(restartBackend, 'reconnect', 'give up', (m) => {
      for (let r = 0; r < m.asked.rows; r++) if (m.asked.state[r] === OUTSTANDING) m.asked.state[r] = 3;
    }),
  ],
});

export const rightsWidened = mutant('rights widened', {
  says: 'a soft device passes every page down writable',
  source: 'R3; architectures 6.5 (persistent grants widen rights)',
  edits: [
    replace(passDown, 'pass down', (m) => {
      for (let r = 0; r < m.asked.rows; r++) {
        const above = slotAt(m, ABOVE, r);
        if (m.slot.holds[above] !== REQUEST) continue;
        const below = slotAt(m, BELOW, r);
        m.passed.on[r] = 1;
        m.passed.rights[r] = m.slot.rights[above];
        m.slot.holds[above] = NOTHING;
        m.slot.holds[below] = REQUEST;
        m.slot.epoch[below] = m.slot.epoch[above];
        m.slot.rights[below] = READ | WRITE;
      }
    }),
  ],
});

export const answeredEarly = mutant('soft device answers early', {
  says: 'a soft device answers when it has passed a request down, not when that was answered',
  source: 'R3',
  edits: [
    insertBefore(passDown, 'pass down', 'answer at once', (m) => {
      for (let r = 0; r < m.asked.rows; r++) {
        const above = slotAt(m, ABOVE, r);
        if (m.slot.holds[above] === REQUEST) m.slot.holds[above] = RESPONSE;
      }
    }),
  ],
});

export const performedTwice = mutant('performed twice', {
  says: 'a backend has its device perform a request that it has performed',
  source: 'R1',
  edits: [
    {
      kind: 'where',
      operation: perform.name,
      input: 'request',
      with: (m: ClassPath, op: { agent: number; request: number }) => {
        const stage = m.work.stage[m.work.at(op.agent, op.request)];
        return stage !== NOTHING && stage <= PERFORMED;
      },
    } as Edit,
  ],
});

export const copiesDown = mutant('soft device copies', {
  says: 'a soft device copies every page instead of passing its grant on',
  source: 'architectures 2d: no copy of the payload on the fast path',
  edits: [insertBefore(passDown, 'pass down', 'copy', (m) => charge(m, COPY))],
});
