/**
 * What the device manager does behind the class interface of "Reconstructing I/O": restarts a backend, moves the service to another one,
 * puts a soft device in between or takes it out. All are one and the same change: stop, take back, provide, next epoch, reconnect.
 * Source: UCAM-CL-TR-596 (2004), R1, R3, R5, R6; recovery of the 2004 frontends (replay of block requests, loss of frames).
 * Must keep: R-S5 (the client notices delay, or with net loss), R-S4, R-L1.
 */
import { AGAIN, type Footprint, module, OK, operationOn, sort } from '../../kernel/index.js';
import { enqueue, pathOperations } from './classPath.js';
import {
  ABOVE,
  ABSENT,
  BELOW,
  type ClassPath,
  classTables,
  clearSlot,
  DEAD,
  kind,
  LOST,
  mapped,
  mayLose,
  NOTHING,
  OUTSTANDING,
  RUNNING,
  slotAt,
  TAKEN,
} from './classState.js';

const operation = operationOn<ClassPath>();

/** What a planned change does. */
export const change = sort('change', { members: ['move to another backend', 'put a soft device in', 'take it out'] });
const MOVE = 0;
const PUT_IN = 1;

/** The backend that is not absent, or -1: the service's present one. */
export function present(m: ClassPath): number {
  for (let b = 0; b < m.backend.rows; b++) if (m.backend.life[b] !== ABSENT) return b;
  return -1;
}

/** Whether the backend or the soft device has visibly failed. */
function hasFailed(m: ClassPath): boolean {
  const b = present(m);
  return m.backend.life[b] !== RUNNING || m.path.soft[0] > RUNNING;
}

/** R5: the manager learns of a death, or loses patience. */
export const notice = operation('manager.notice', {
  agent: 'manager',
  says: 'notices a failure',
  source: 'TR-596, fault recovery',
  atomic: true,
  where: { agent: (m) => m.path.suspected[0] === 0 && present(m) >= 0 && hasFailed(m) && m.path.draining[0] === 0 },
  touches: (m, _op, may) => may.write(m.path),
  steps: {
    suspect: (m) => {
      m.path.suspected[0] = 1;
    },
  },
});

/** Ends whatever the backend in a place is and has: R6, only its destruction revokes what it has mapped. */
export function destroyBackend(m: ClassPath, b: number): void {
  if (b < 0) return;
  m.backend.life[b] = ABSENT;
  for (let r = 0; r < m.asked.rows; r++) {
    m.work.stage[m.work.at(b, r)] = NOTHING;
    m.work.epoch[m.work.at(b, r)] = 0;
  }
}

/** A backend starts in the first free place other than `not`. */
function start(m: ClassPath, not: number): number {
  for (let b = 0; b < m.backend.rows; b++) {
    if (b === not || m.backend.life[b] !== ABSENT) continue;
    m.backend.life[b] = RUNNING;
    return OK;
  }
  return AGAIN;
}

/** Empties both channels, and the soft device: new rings. */
function newRings(m: ClassPath): void {
  for (let r = 0; r < m.asked.rows; r++) {
    clearSlot(m, slotAt(m, ABOVE, r));
    clearSlot(m, slotAt(m, BELOW, r));
    m.passed.on[r] = 0;
    m.passed.rights[r] = 0;
  }
}

/** The client's side of a reconnection: blocks are asked for again, frames are given up. */
export function replay(m: ClassPath): void {
  for (let r = 0; r < m.asked.rows; r++) {
    if (m.asked.state[r] !== OUTSTANDING) continue;
    if (mayLose(m)) m.asked.state[r] = LOST;
    else enqueue(m, r);
  }
}

function touchesAll(m: ClassPath, may: Footprint): void {
  may.write(m.path);
  may.writeAll(m.backend);
  may.writeAll(m.work);
  may.writeAll(m.slot);
  may.writeAll(m.passed);
  may.writeAll(m.asked);
}

const nextEpoch = (m: ClassPath): void => {
  m.path.epoch[0]++;
};
const reconnect = (m: ClassPath): void => {
  newRings(m);
  replay(m);
  m.path.connected[0] = 1;
  m.path.draining[0] = 0;
  m.path.suspected[0] = 0;
};

/** R5: a restart after a suspicion, right or wrong. */
export const restartBackend = operation('manager.restart', {
  agent: 'manager',
  says: 'restarts the service',
  source: 'TR-596, fault recovery',
  locals: ['old'],
  onFailure: 'safe',
  where: { agent: (m) => m.path.suspected[0] === 1 && m.path.draining[0] === 0 },
  touches: (m, _op, may) => touchesAll(m, may),
  steps: {
    disconnect: (m, op) => {
      op.old = present(m);
      m.path.connected[0] = 0;
    },
    'destroy the suspect': (m, op) => destroyBackend(m, op.old),
    'start another': (m, op) => {
      if (m.path.soft[0] > RUNNING) m.path.soft[0] = RUNNING;
      return start(m, op.old);
    },
    'next epoch': nextEpoch,
    reconnect,
  },
});

/** R1, R3: a planned change. The backend takes nothing any more, and is waited for. */
export const changePath = operation('manager.change', {
  agent: 'manager',
  says: 'changes the path: {change}',
  source: 'TR-596: migration between backends, soft devices',
  input: { change },
  locals: ['old'],
  onFailure: 'safe',
  where: {
    agent: (m) =>
      m.path.spare[0] > 0 && m.path.suspected[0] === 0 && m.path.connected[0] === 1 && m.path.draining[0] === 0,
    change: (m, op) => op.change === MOVE || (op.change === PUT_IN) === (m.path.soft[0] === ABSENT),
  },
  touches: (m, _op, may) => touchesAll(m, may),
  steps: {
    'stop taking': (m, op) => {
      op.old = present(m);
      m.path.draining[0] = 1;
      m.path.spare[0]--;
    },
    'wait for what is in work': (m, op) => {
      // A backend that fails while it is waited for has nothing that could be waited for.
      if (m.backend.life[op.old] !== RUNNING) return OK;
      for (let r = 0; r < m.asked.rows; r++) if (m.work.stage[m.work.at(op.old, r)] !== NOTHING) return AGAIN;
      return OK;
    },
    disconnect: (m) => {
      m.path.connected[0] = 0;
    },
    change: (m, op) => {
      if (op.change === MOVE || m.backend.life[op.old] !== RUNNING) {
        destroyBackend(m, op.old);
        start(m, op.old);
      }
      if (op.change !== MOVE) m.path.soft[0] = op.change === PUT_IN ? RUNNING : ABSENT;
      else if (m.path.soft[0] === DEAD) m.path.soft[0] = RUNNING;
    },
    'next epoch': nextEpoch,
    reconnect,
  },
});

const beginning = sort('beginning', {
  members: [
    'at the beginning',
    'behind a soft device, a request waiting',
    'after a change, a request in work, suspected wrongly',
  ],
});

/** Begins at the beginning, or where a race needs few steps; all of these can be reached from the beginning. */
function begin(m: ClassPath): void {
  m.path.connected[0] = 1;
  m.backend.life[0] = RUNNING;
  const from = m.choose(beginning);
  m.path.spare[0] = m.scope.changes - from;
  if (from === 0) return;
  m.path.epoch[0] = 1;
  m.asked.state[0] = OUTSTANDING;
  enqueue(m, 0);
  if (from === 1) {
    m.path.soft[0] = RUNNING;
    return;
  }
  m.slot.holds[slotAt(m, ABOVE, 0)] = NOTHING;
  m.work.stage[m.work.at(0, 0)] = TAKEN;
  m.work.epoch[m.work.at(0, 0)] = 1;
  m.path.suspected[0] = 1;
}

/** The module. Scope: `request`, `place`, `changes`. */
export const classPath = module<ClassPath, typeof classTables>('class interface', {
  tables: classTables,
  operations: [...pathOperations, notice, restartBackend, changePath],
  initial: (m) => {
    m.path.kind[0] = m.choose(kind, 'what is asked for');
    m.path.granularity[0] = m.scope.buffers === 1 ? m.choose(mapped, 'mapped') : 0;
    begin(m);
  },
  map: (m) => [
    ...[...m.backend.life].map((x, b) => `backend ${b}: ${['absent', 'running', 'hung', 'dead'][x]}`),
    ...[...m.asked.state].map((s, r) => `request ${r}: ${['idle', 'outstanding', 'done', 'lost'][s]}`),
  ],
});
