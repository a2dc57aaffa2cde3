/**
 * Crash and restart (V7): a DD/OS stops, the monitor takes back what it had, boots it again, and its clients reattach: block requests that
 * were not answered are submitted again, frames that were under way are lost. And detachment (V2), which waits for DMA.
 * Source: LeVasseur et al. 2004: reattach calls; GAP-V4: detach and stop do not wait.
 * Must keep: no two live owners of a device; nothing of a dead instance is reachable or accounted; a client is told once of each request;
 * a frame is sent once at most; DD-S5; DD-L1.
 */
import { AGAIN, module, NONE, OK, operationOn } from '../../kernel/index.js';
import {
  ALLOCATION,
  charge,
  GRANT_UNMAPPING,
  hypercall,
  INVALIDATION,
  NOTIFICATION,
  TLB_FLUSH,
  UNMAPPING,
} from '../../ledger.js';
import { client } from './channelState.js';
import { attachClient, beginDetach, detachFromDead, endDetach } from './detach.js';
import { reattach } from './reattach.js';
import {
  ABSENT,
  ANSWERED,
  canReturn,
  clearRequest,
  DYING,
  ddos,
  dropClient,
  HUNG,
  hangDetection,
  IDLE,
  LOST,
  MANY,
  oneOwner,
  PERFORMED,
  QUEUED,
  quiesceDead,
  type Restart,
  RUNNING,
  reclaimDead,
  request,
  restartTables,
  STARTED,
  serverOf,
  serves,
  startRestart,
  usable,
} from './restartState.js';

const operation = operationOn<Restart>();

const more = (n: number): number => Math.min(n + 1, MANY);

/** The client puts a request into its ring. */
export const submitRequest = operation('client.submit', {
  agent: client,
  path: 'submit',
  says: 'submits {request}',
  input: { request },
  where: {
    agent: usableByAgent,
    request: (m, op) => m.request.stage[m.request.at(op.agent, op.request)] === IDLE,
  },
  touches: (m, op, may) => may.write(m.request, m.request.at(op.agent, op.request)),
  steps: {
    submit: (m, op) => {
      if (!anyIn(m, op.agent, QUEUED)) signal(m);
      m.request.stage[m.request.at(op.agent, op.request)] = QUEUED;
    },
  },
});

/** Whether a request of the client is in this stage: then whoever is to be woken is awake. */
function anyIn(m: Restart, c: number, stage: number): boolean {
  for (let r = 0; r < m.size(request); r++) if (m.request.stage[m.request.at(c, r)] === stage) return true;
  return false;
}

/** A wake-up, by way of the hypervisor. */
function signal(m: Restart): void {
  hypercall(m);
  charge(m, NOTIFICATION);
}

function usableByAgent(m: Restart, op: { agent: number }): boolean {
  return usable(m, op.agent);
}

/** The server starts it: the buffer is pinned, the device programmed. The DD/OS may die in between. */
export const startRequest = operation('server.start', {
  agent: ddos,
  path: 'submit',
  says: 'starts {request} of {client}',
  input: { client, request },
  where: {
    agent: (m, op) => m.ddos.dma[op.agent] === NONE,
    client: (m, op) => serverOf(m, op.client) === op.agent && serves(m, op.client) && usable(m, op.client),
    request: (m, op) => m.request.stage[m.request.at(op.client, op.request)] === QUEUED,
  },
  touches: (m, op, may) => {
    may.write(m.request, m.request.at(op.client, op.request));
    may.write(m.ddos, op.agent);
  },
  steps: {
    'pin the buffer': (m, op) => {
      m.request.pinned[m.request.at(op.client, op.request)] = 1;
    },
    'program the device': (m, op) => {
      m.ddos.dma[op.agent] = m.request.at(op.client, op.request);
      m.ddos.dmaOf[op.agent] = m.ddos.generation[op.agent];
      m.request.stage[m.request.at(op.client, op.request)] = STARTED;
    },
  },
});

/** The device has done what it was told, whoever still wants to know. */
export const finishRequest = operation('device.finish', {
  agent: ddos,
  path: 'complete',
  says: 'has its DMA take effect',
  atomic: true,
  where: { agent: (m, op) => m.ddos.dma[op.agent] !== NONE },
  touches: (m, op, may) => {
    may.write(m.ddos, op.agent);
    may.write(m.request, m.ddos.dma[op.agent]);
  },
  steps: {
    'take effect': (m, op) => {
      const row = m.ddos.dma[op.agent];
      m.ddos.dma[op.agent] = NONE;
      m.request.performed[row] = more(m.request.performed[row]);
      if (m.request.stage[row] === STARTED) m.request.stage[row] = PERFORMED;
    },
  },
});

/** The server hands the slot back. */
export const answerRequest = operation('server.answer', {
  agent: ddos,
  path: 'complete',
  says: 'answers {request} of {client}',
  input: { client, request },
  where: {
    client: (m, op) => serverOf(m, op.client) === op.agent && serves(m, op.client),
    request: (m, op) => m.request.stage[m.request.at(op.client, op.request)] === PERFORMED,
  },
  touches: (m, op, may) => may.write(m.request, m.request.at(op.client, op.request)),
  steps: {
    unpin: (m, op) => {
      m.request.pinned[m.request.at(op.client, op.request)] = 0;
    },
    'hand back': (m, op) => {
      if (!anyIn(m, op.client, ANSWERED)) signal(m);
      m.request.stage[m.request.at(op.client, op.request)] = ANSWERED;
    },
  },
});

/** The client is told. */
export const takeAnswer = operation('client.takeAnswer', {
  agent: client,
  path: 'complete',
  says: 'takes the answer to {request}',
  input: { request },
  where: { request: (m, op) => m.request.stage[m.request.at(op.agent, op.request)] === ANSWERED },
  touches: (m, op, may) => may.write(m.request, m.request.at(op.agent, op.request)),
  steps: { take: (m, op) => tell(m, m.request.at(op.agent, op.request)) },
});

/** The client learns that the request is over, whether it is or not. */
export function tell(m: Restart, row: number): void {
  if (m.request.performed[row] === 0) m.request.early[row] = 1;
  clearRequest(m, row);
}

/** A DD/OS that does not answer is stopped: the operator's, or a watchdog's, doing. */
export const stopHung = operation('monitor.stopHung', {
  agent: 'monitor',
  says: 'stops the hung {ddos}',
  source: 'LeVasseur et al. 2004, V7',
  input: { ddos },
  where: { ddos: (m, op) => m.on(hangDetection) && m.ddos.life[op.ddos] === HUNG },
  touches: (m, op, may) => may.write(m.ddos, op.ddos),
  steps: {
    stop: (m, op) => {
      m.ddos.life[op.ddos] = DYING;
      m.killThreads(op.ddos, ddos);
    },
  },
});

/** The device of a stopped DD/OS leaves the bus: it begins nothing new. */
export const leaveBus = operation('monitor.leaveBus', {
  agent: 'monitor',
  says: 'takes the device of the stopped {ddos} off the bus',
  source: 'LeVasseur et al. 2004, V6 and V7',
  input: { ddos },
  where: { ddos: (m, op) => m.ddos.life[op.ddos] === DYING && m.ddos.bus[op.ddos] === 1 },
  touches: (m, op, may) => may.write(m.ddos, op.ddos),
  steps: {
    'bus master off': (m, op) => {
      m.ddos.bus[op.ddos] = 0;
    },
  },
});

/** The monitor takes back what a stopped DD/OS had, when its device does nothing any more. */
export const reclaim = operation('monitor.reclaim', {
  agent: 'monitor',
  says: 'takes back what {ddos} had',
  source: 'LeVasseur et al. 2004, V7; order as in V6: off the bus, drain, unmap, unpin',
  input: { ddos },
  where: { ddos: (m, op) => m.ddos.life[op.ddos] === DYING },
  touches: (m, op, may) => {
    may.write(m.ddos, op.ddos);
    for (let c = op.ddos; c < m.link.rows; c += m.ddos.rows) {
      may.write(m.link, c);
      for (let r = 0; r < m.size(request); r++) may.write(m.request, m.request.at(c, r));
    }
  },
  steps: {
    'be off the bus': (m, op) => (m.ddos.bus[op.ddos] === 1 ? AGAIN : OK),
    'wait for DMA': (m, op) => (m.on(quiesceDead) && m.ddos.dma[op.ddos] !== NONE ? AGAIN : OK),
    'unmap and unpin': (m, op) => {
      if (!m.on(reclaimDead)) return;
      for (let c = op.ddos; c < m.link.rows; c += m.ddos.rows) {
        chargeClient(m, c);
        dropClient(m, c);
      }
      charge(m, TLB_FLUSH);
      charge(m, INVALIDATION);
    },
    // What the instance had in work is known to nobody now, but to the client.
    'forget it': (m, op) => {
      for (let c = op.ddos; c < m.link.rows; c += m.ddos.rows) loseWork(m, c);
      m.ddos.life[op.ddos] = ABSENT;
    },
  },
});

/** What taking a client's region and buffers out of a DD/OS costs: page table, and table of the IO-MMU. */
function chargeClient(m: Restart, c: number): void {
  let pages = m.link.region[c];
  for (let r = 0; r < m.size(request); r++) pages += m.request.pinned[m.request.at(c, r)];
  for (let i = 0; i < pages; i++) {
    charge(m, GRANT_UNMAPPING);
    charge(m, UNMAPPING);
  }
}

/** What of the client's requests was in work is in nobody's any more. */
function loseWork(m: Restart, c: number): void {
  for (let r = 0; r < m.size(request); r++) {
    const row = m.request.at(c, r);
    if (m.request.stage[row] === STARTED || m.request.stage[row] === PERFORMED) m.request.stage[row] = LOST;
  }
}

/** The virtual machine is booted again. */
export const boot = operation('monitor.boot', {
  agent: 'monitor',
  says: 'boots {ddos} again',
  source: 'LeVasseur et al. 2004, V7',
  input: { ddos },
  where: { ddos: (m, op) => canReturn(m, op.ddos) && bootable(m, op.ddos) },
  touches: (m, op, may) => may.write(m.ddos, op.ddos),
  steps: {
    'take the device': (m, op) => {
      hypercall(m);
      charge(m, ALLOCATION);
      m.ddos.bus[op.ddos] = 1;
    },
    run: (m, op) => {
      m.ddos.life[op.ddos] = RUNNING;
      m.ddos.generation[op.ddos]++;
    },
  },
});

function bootable(m: Restart, d: number): boolean {
  return m.ddos.life[d] === ABSENT || (m.ddos.life[d] === DYING && !m.on(oneOwner));
}

export const restart = module<Restart, typeof restartTables>('restart', {
  tables: restartTables,
  operations: [
    submitRequest,
    startRequest,
    finishRequest,
    answerRequest,
    takeAnswer,
    stopHung,
    leaveBus,
    reclaim,
    boot,
    reattach,
    beginDetach,
    endDetach,
    detachFromDead,
    attachClient,
  ],
  initial: startRestart,
  map: (m) => [...m.ddos.life].map((life, d) => `DD/OS ${d}: ${['absent', 'running', 'hung', 'dying'][life]}`),
});
