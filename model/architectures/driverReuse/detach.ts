/**
 * Attachment and detachment of clients (V2): a client that goes is stopped, its DMA waited for, and only then its memory taken out of the
 * DD/OS. Source: LeVasseur et al. 2004; GAP-V4: the published code does not wait. Must keep: DD-S5.
 */
import { AGAIN, NONE, OK, operationOn } from '../../kernel/index.js';
import { client } from './channelState.js';
import {
  ATTACHED,
  clearRequest,
  clientOfRow,
  DETACHED,
  DETACHING,
  ddos,
  dropClient,
  quiesceDetach,
  type Restart,
  RUNNING,
  request,
  serverOf,
  serves,
  usable,
} from './restartState.js';

const operation = operationOn<Restart>();

/** A client goes: the server takes nothing new from it, and waits for what is in flight. */
export const beginDetach = operation('client.detach', {
  agent: client,
  says: 'asks to be detached',
  source: 'LeVasseur et al. 2004, V2',
  where: { agent: (m, op) => serves(m, op.agent) && usable(m, op.agent) },
  touches: (m, op, may) => may.write(m.link, op.agent),
  steps: {
    stop: (m, op) => {
      m.link.state[op.agent] = DETACHING;
    },
  },
});

/** The server lets the client go: region and buffers leave the DD/OS, and the client may use them for something else. */
export const endDetach = operation('server.detach', {
  agent: ddos,
  says: 'detaches {client}',
  source: 'LeVasseur et al. 2004, V2; GAP-V4: the published code does not wait',
  input: { client },
  where: {
    client: (m, op) =>
      serverOf(m, op.client) === op.agent && serves(m, op.client) && m.link.state[op.client] === DETACHING,
  },
  touches: (m, op, may) => {
    may.write(m.link, op.client);
    for (let r = 0; r < m.size(request); r++) may.write(m.request, m.request.at(op.client, r));
  },
  steps: {
    'wait for DMA': (m, op) => {
      const row = m.ddos.dma[op.agent];
      return m.on(quiesceDetach) && row !== NONE && clientOfRow(m, row) === op.client ? AGAIN : OK;
    },
    'unmap and unpin': (m, op) => dropClient(m, op.client),
    // What was not answered is the client's again, with an error.
    'end requests': (m, op) => endRequests(m, op.client),
  },
});

function endRequests(m: Restart, c: number): void {
  for (let r = 0; r < m.size(request); r++) clearRequest(m, m.request.at(c, r));
  m.link.state[c] = DETACHED;
}

/** A client that was about to go when its server died is detached once nothing of the server is left. */
export const detachFromDead = operation('monitor.detach', {
  agent: 'monitor',
  says: 'detaches {client} from a server that is gone',
  source: 'LeVasseur et al. 2004, V2, V7',
  input: { client },
  where: { client: (m, op) => m.link.state[op.client] === DETACHING && m.link.region[op.client] === 0 },
  touches: (m, op, may) => {
    may.write(m.link, op.client);
    for (let r = 0; r < m.size(request); r++) may.write(m.request, m.request.at(op.client, r));
  },
  steps: { 'end requests': (m, op) => endRequests(m, op.client) },
});

/** A client comes back. */
export const attachClient = operation('client.attach', {
  agent: client,
  says: 'attaches',
  source: 'LeVasseur et al. 2004, V2 attach',
  where: { agent: (m, op) => m.link.state[op.agent] === DETACHED && m.ddos.life[serverOf(m, op.agent)] === RUNNING },
  touches: (m, op, may) => may.write(m.link, op.agent),
  steps: {
    attach: (m, op) => {
      m.link.state[op.agent] = ATTACHED;
      m.link.region[op.agent] = 1;
      m.link.generation[op.agent] = m.ddos.generation[serverOf(m, op.agent)];
    },
  },
});
