/**
 * Reattachment (V2, V7): a client whose server has died registers with the next instance. Its requests are in order before the instance sees
 * them, and the instance may die in between.
 * Source: LeVasseur et al. 2004, reattach calls. Must keep: DD-L1: a frame is sent once at most; nothing is mapped in an instance that is gone.
 */
import { OK, operationOn } from '../../kernel/index.js';
import { CONTROL_MESSAGE, charge, GRANT_MAPPING, hypercall, MAPPING } from '../../ledger.js';
import { client } from './channelState.js';
import {
  ANSWERED,
  ATTACHED,
  clearRequest,
  IDLE,
  isBlock,
  QUEUED,
  type Restart,
  RUNNING,
  request,
  serverOf,
} from './restartState.js';

const operation = operationOn<Restart>();

/** Error codes of the service. */
const RESTART_ERRORS = { EAGAIN: -11 } as const;

/** The client registers with the new instance: its requests are replayed, its frames lost. */
export const reattach = operation('client.reattach', {
  agent: client,
  says: 'reattaches',
  source: 'LeVasseur et al. 2004, V2 reattach, V7',
  errors: RESTART_ERRORS,
  onFailure: 'safe',
  where: {
    agent: (m, op) => {
      const d = serverOf(m, op.agent);
      return (
        m.link.state[op.agent] === ATTACHED &&
        m.ddos.life[d] === RUNNING &&
        m.link.generation[op.agent] !== m.ddos.generation[d]
      );
    },
  },
  touches: (m, op, may) => {
    may.write(m.link, op.agent);
    for (let r = 0; r < m.size(request); r++) may.write(m.request, m.request.at(op.agent, r));
  },
  steps: {
    // Before the new instance sees any of it: a request that it has begun is not to be begun again.
    replay: (m, op) => {
      for (let r = 0; r < m.size(request); r++) {
        const row = m.request.at(op.agent, r);
        const stage = m.request.stage[row];
        if (stage === IDLE || stage === ANSWERED) continue;
        if (isBlock(r)) m.request.stage[row] = QUEUED;
        else clearRequest(m, row);
      }
    },
    // It may have died in the meantime; its successor, once it is there, does as well.
    'new ring': (m, op) => {
      if (m.ddos.life[serverOf(m, op.agent)] !== RUNNING) return RESTART_ERRORS.EAGAIN;
      joinInstance(m, op.agent);
      return OK;
    },
  },
});

/** The region is mapped in the instance that runs. */
export function joinInstance(m: Restart, c: number): void {
  hypercall(m);
  charge(m, CONTROL_MESSAGE);
  charge(m, GRANT_MAPPING);
  charge(m, MAPPING);
  m.link.generation[c] = m.ddos.generation[serverOf(m, c)];
  m.link.region[c] = 1;
}
