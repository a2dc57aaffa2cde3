/**
 * Two-phase commit (Gray and Lamport, "Consensus on Transaction Commit", section 3 and its TLA+ module TwoPhase): the textbook model
 * whose state counts several model checkers agree on, and therefore the cheapest proof that kernel and explorer lose nothing.
 */
import {
  type Machine,
  type MachineDef,
  module,
  oneOf,
  operationOn,
  type State,
  setOf,
  sort,
  table,
} from '../kernel/index.js';

export const resourceManager = sort('rm', { symmetricFrom: 0 });

export const WORKING = 0;
export const PREPARED = 1;
export const COMMITTED = 2;
export const ABORTED = 3;

/** Transaction manager: still collecting, or it has sent its verdict. */
const INIT = 0;
const SENT_COMMIT = 1;
const SENT_ABORT = 2;

const tables = {
  rm: table([resourceManager], { state: oneOf('working', 'prepared', 'committed', 'aborted') }),
  tm: table([], {
    state: oneOf('init', 'committed', 'aborted'),
    prepared: setOf(resourceManager),
  }),
  /** Messages are never removed: sending twice is sending once. */
  sent: table([], { prepared: setOf(resourceManager), commit: oneOf('no', 'yes'), abort: oneOf('no', 'yes') }),
};

export type TwoPhase = Machine & State<typeof tables>;
const operation = operationOn<TwoPhase>();

export const tmReceivePrepared = operation('tm.receivePrepared', {
  agent: 'tm',
  says: 'learns that {rm} is prepared',
  where: { agent: (m) => m.tm.state[0] === INIT, rm: (m, op) => ((m.sent.prepared[0] >> op.rm) & 1) === 1 },
  input: { rm: resourceManager },
  touches: (m, _op, may) => {
    may.read(m.sent);
    may.write(m.tm);
  },
  steps: {
    'note it': (m, op) => {
      m.tm.prepared[0] |= 1 << op.rm;
    },
  },
});

export const tmCommit = operation('tm.commit', {
  agent: 'tm',
  says: 'decides to commit',
  where: { agent: (m) => m.tm.state[0] === INIT && m.tm.prepared[0] === (1 << m.rm.rows) - 1 },
  touches: (m, _op, may) => {
    may.write(m.tm);
    may.write(m.sent);
  },
  steps: {
    decide: (m) => {
      m.tm.state[0] = SENT_COMMIT;
      m.sent.commit[0] = 1;
    },
  },
});

export const tmAbort = operation('tm.abort', {
  agent: 'tm',
  says: 'decides to abort',
  where: { agent: (m) => m.tm.state[0] === INIT },
  touches: (m, _op, may) => {
    may.write(m.tm);
    may.write(m.sent);
  },
  steps: {
    decide: (m) => {
      m.tm.state[0] = SENT_ABORT;
      m.sent.abort[0] = 1;
    },
  },
});

export const rmPrepare = operation('rm.prepare', {
  agent: resourceManager,
  says: 'prepares',
  where: { agent: (m, op) => m.rm.state[op.agent] === WORKING },
  touches: (m, op, may) => {
    may.write(m.rm, op.agent);
    may.write(m.sent);
  },
  steps: {
    prepare: (m, op) => {
      m.rm.state[op.agent] = PREPARED;
      m.sent.prepared[0] |= 1 << op.agent;
    },
  },
});

export const rmChooseToAbort = operation('rm.chooseToAbort', {
  agent: resourceManager,
  says: 'aborts on its own',
  where: { agent: (m, op) => m.rm.state[op.agent] === WORKING },
  touches: (m, op, may) => may.write(m.rm, op.agent),
  steps: {
    abort: (m, op) => {
      m.rm.state[op.agent] = ABORTED;
    },
  },
});

export const rmReceiveCommit = operation('rm.receiveCommit', {
  agent: resourceManager,
  says: 'learns of the commit',
  where: { agent: (m) => m.sent.commit[0] === 1 },
  touches: (m, op, may) => {
    may.read(m.sent);
    may.write(m.rm, op.agent);
  },
  steps: {
    commit: (m, op) => {
      m.rm.state[op.agent] = COMMITTED;
    },
  },
});

export const rmReceiveAbort = operation('rm.receiveAbort', {
  agent: resourceManager,
  says: 'learns of the abort',
  where: { agent: (m) => m.sent.abort[0] === 1 },
  touches: (m, op, may) => {
    may.read(m.sent);
    may.write(m.rm, op.agent);
  },
  steps: {
    abort: (m, op) => {
      m.rm.state[op.agent] = ABORTED;
    },
  },
});

export const twoPhaseCommit: MachineDef = {
  name: 'two-phase commit',
  modules: [
    module<TwoPhase, typeof tables>('two-phase commit', {
      tables,
      operations: [tmReceivePrepared, tmCommit, tmAbort, rmPrepare, rmChooseToAbort, rmReceiveCommit, rmReceiveAbort],
    }),
  ],
};

/** What must hold: no resource manager commits while another aborts. */
export function consistent(m: TwoPhase): boolean {
  let committed = false;
  let aborted = false;
  for (let i = 0; i < m.rm.rows; i++) {
    if (m.rm.state[i] === COMMITTED) committed = true;
    else if (m.rm.state[i] === ABORTED) aborted = true;
  }
  return !(committed && aborted);
}
