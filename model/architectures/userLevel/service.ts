/**
 * What clients get from user-level drivers: requests by shared memory, a call only to wake. A driver dies or hangs and is killed; its
 * device is closed; a new one opens it, and clients go on.
 * Source: Leslie and Heiser 2003 (clients by IPC or shared memory); LKML on the 2005 patches (an interruption, no more).
 *
 * A client sends a block request again when its driver has died, a frame it does not. Must keep: exactly once for the client, frames at
 * most once on the wire, no effect of a dead driver’s request under its successor (L-S4), nothing left after any number of restarts.
 */
import { CONTROL, type Domains, DYING, domain, generation, RUNNING } from '../../domains.js';
import {
  AGAIN,
  type Footprint,
  flag,
  gate,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  setOf,
  sort,
  table,
  u8,
} from '../../kernel/index.js';
import { COPY, charge, hypercall } from '../../ledger.js';
import { type Irqs, responds } from './interrupts.js';

/** Requests of clients. The last is for the other driver. */
export const request = sort('request');

export const IDLE = 0;
export const QUEUED = 1;
/** The driver has given it to its device. */
export const ISSUED = 2;
export const ANSWERED = 3;
export const COMPLETE = 4;
/** The driver died with it. */
export const BROKEN = 5;
export const LOST = 6;

export const BLOCK = 0;
export const NET = 1;

export const serviceTables = {
  request: table([request], {
    kind: oneOf('block', 'net'),
    state: oneOf('idle', 'queued', 'issued', 'answered', 'complete', 'broken', 'lost'),
    /** Times that the client was told that it is complete; two means more than one. */
    completions: u8(),
    /** Times that it went out on the wire; two means more than one. */
    wire: u8(),
  }),
  /** The device of a driver; device d belongs to domain d. What it was given outlives who gave it. */
  unit: table([domain], {
    /** Processes that have it open. */
    owners: setOf(domain),
    /** Life of the owner that opened it. */
    life: u8(),
    busMaster: oneOf('no', 'yes'),
    job: ref(request),
    jobLife: u8(),
    done: oneOf('no', 'yes'),
    /** Kept for properties: a request of a dead driver took effect, or was answered, under its successor. */
    stale: oneOf('no', 'yes'),
    /** Handles in the kernel. */
    handles: u8(),
  }),
};

export type Service = Irqs & Domains & State<typeof serviceTables>;
const operation = operationOn<Service>();

/** The device is disabled and drained before it is anybody else’s. */
export const drainOnClose = gate('drain on close');
/** A driver is started again. */
export const restarting = gate('restart');

/** The driver that a request is for. */
export function driverOf(m: Service, r: number): number {
  return r === m.request.rows - 1 ? 2 : 1;
}

const hasOpen = (m: Service, d: number): boolean => m.unit.owners[d] !== 0 && responds(m, d);

/** Whether another request of the driver is in this state: then whoever is to be woken is awake. */
export function anotherIs(m: Service, r: number, state: number): boolean {
  for (let o = 0; o < m.request.rows; o++) {
    if (o !== r && m.request.state[o] === state && driverOf(m, o) === driverOf(m, r)) return true;
  }
  return false;
}

/** A device and the request that it has. */
function touchUnit(m: Service, may: Footprint, d: number): void {
  may.write(m.unit, d);
  may.write(m.request, m.unit.job[d]);
}

/** The driver opens its device. */
export const openUnit = operation('service.open', {
  agent: domain,
  says: 'opens its device',
  where: { agent: (m, op) => op.agent !== CONTROL && responds(m, op.agent) && m.unit.owners[op.agent] === 0 },
  touches: (m, op, may) => may.write(m.unit, op.agent),
  steps: {
    open: (m, op) => {
      m.unit.owners[op.agent] |= 1 << op.agent;
      m.unit.life[op.agent] = m.domain.generation[op.agent];
      m.unit.busMaster[op.agent] = 1;
      m.unit.handles[op.agent]++;
    },
  },
});

/** A client puts a request into the memory that it shares with the driver, and wakes it if nothing was there. */
export const sendRequest = operation('client.send', {
  agent: 'client',
  path: 'submit',
  says: 'sends {request}',
  input: { request },
  where: {
    request: (m, op) => {
      if (!hasOpen(m, driverOf(m, op.request))) return false;
      const { state } = m.request;
      return state[op.request] === IDLE || (state[op.request] === BROKEN && m.request.kind[op.request] === BLOCK);
    },
  },
  touches: (m, op, may) => may.write(m.request, op.request),
  steps: {
    queue: (m, op) => {
      if (!anotherIs(m, op.request, QUEUED)) hypercall(m);
      m.request.state[op.request] = QUEUED;
    },
  },
});

/** The driver gives a request to its device. */
export const issueRequest = operation('driver.issue', {
  agent: 'driver',
  path: 'submit',
  says: 'gives {request} to its device',
  input: { request },
  where: {
    request: (m, op) => {
      const d = driverOf(m, op.request);
      return m.request.state[op.request] === QUEUED && hasOpen(m, d) && m.unit.job[d] === NONE;
    },
  },
  touches: (m, op, may) => {
    may.write(m.request, op.request);
    may.write(m.unit, driverOf(m, op.request));
  },
  steps: {
    program: (m, op) => {
      const d = driverOf(m, op.request);
      m.request.state[op.request] = ISSUED;
      m.unit.job[d] = op.request;
      m.unit.jobLife[d] = m.domain.generation[d];
    },
  },
});

/** The effect of what the device was given. */
function perform(m: Service, d: number): void {
  const r = m.unit.job[d];
  if (m.unit.owners[d] !== 0 && m.unit.life[d] !== m.unit.jobLife[d]) m.unit.stale[d] = 1;
  if (m.request.kind[r] === NET && m.request.wire[r] < 2) m.request.wire[r]++;
  m.unit.done[d] = 1;
}

/** The device does what it was given. */
export const performRequest = operation('device.perform', {
  agent: 'device',
  path: 'complete',
  says: 'does what the driver of {domain} gave it',
  input: { domain },
  where: {
    domain: (m, op) => m.unit.job[op.domain] !== NONE && m.unit.done[op.domain] === 0,
  },
  touches: (m, op, may) => touchUnit(m, may, op.domain),
  steps: { perform: (m, op) => perform(m, op.domain) },
});

const forgetJob = (m: Service, d: number): void => {
  m.unit.job[d] = NONE;
  m.unit.jobLife[d] = 0;
  m.unit.done[d] = 0;
};

/** The driver finds that its device is done, and answers. */
export const answerRequest = operation('driver.answer', {
  agent: domain,
  path: 'complete',
  says: 'answers what its device has done',
  where: { agent: (m, op) => hasOpen(m, op.agent) && m.unit.done[op.agent] === 1 },
  touches: (m, op, may) => touchUnit(m, may, op.agent),
  steps: {
    answer: (m, op) => {
      const r = m.unit.job[op.agent];
      if (m.unit.jobLife[op.agent] !== m.unit.life[op.agent]) m.unit.stale[op.agent] = 1;
      if (m.request.state[r] !== COMPLETE) {
        if (!anotherIs(m, r, ANSWERED)) hypercall(m);
        m.request.state[r] = ANSWERED;
      }
      forgetJob(m, op.agent);
    },
  },
});

/** The client takes the answer; a frame is copied between its memory and the pinned ring. */
export const receiveAnswer = operation('client.receive', {
  agent: 'client',
  path: 'complete',
  says: 'takes the answer to {request}',
  input: { request },
  where: { request: (m, op) => m.request.state[op.request] === ANSWERED },
  touches: (m, op, may) => may.write(m.request, op.request),
  steps: {
    complete: (m, op) => {
      if (m.request.kind[op.request] === NET) charge(m, COPY);
      m.request.state[op.request] = COMPLETE;
      if (m.request.completions[op.request] < 2) m.request.completions[op.request]++;
    },
  },
});

/** The client begins with another request. */
export const nextRequest = operation('client.next', {
  agent: 'client',
  path: 'complete',
  says: 'is done with {request}',
  input: { request },
  where: {
    // A number stands for one request until no device has anything of it.
    request: (m, op) =>
      (m.request.state[op.request] === COMPLETE || m.request.state[op.request] === LOST) &&
      !m.unit.job.includes(op.request),
  },
  touches: (m, op, may) => may.write(m.request, op.request),
  steps: {
    forget: (m, op) => {
      m.request.state[op.request] = IDLE;
      m.request.completions[op.request] = 0;
      m.request.wire[op.request] = 0;
    },
  },
});

/** The memory that a dead driver shared is gone: the client knows which requests it has no answer to. */
export const breakRequest = operation('client.notice', {
  agent: 'client',
  says: 'notices that the driver died with {request}',
  input: { request },
  where: {
    request: (m, op) => {
      const s = m.request.state[op.request];
      return (s === QUEUED || s === ISSUED) && m.domain.life[driverOf(m, op.request)] === DYING;
    },
  },
  touches: (m, op, may) => may.write(m.request, op.request),
  steps: {
    mark: (m, op) => {
      m.request.state[op.request] = m.request.kind[op.request] === NET ? LOST : BROKEN;
    },
  },
});

/** Whether a client still has to notice the death. */
function unnoticed(m: Service, d: number): boolean {
  for (let r = 0; r < m.request.rows; r++) {
    const s = m.request.state[r];
    if (driverOf(m, r) === d && (s === QUEUED || s === ISSUED)) return true;
  }
  return false;
}

/** Close of a dying driver’s device: disable, drain, release. */
export const closeUnit = operation('service.close', {
  agent: 'vmm',
  says: 'closes the device of {domain}, which is dying',
  input: { domain },
  where: { domain: (m, op) => m.domain.life[op.domain] === DYING && m.unit.owners[op.domain] !== 0 },
  touches: (m, op, may) => touchUnit(m, may, op.domain),
  steps: {
    drain: (m, op) =>
      m.on(drainOnClose) && m.unit.job[op.domain] !== NONE && m.unit.done[op.domain] === 0 ? AGAIN : OK,
    disable: (m, op) => {
      m.unit.busMaster[op.domain] = 0;
      if (m.on(drainOnClose)) forgetJob(m, op.domain);
    },
    release: (m, op) => {
      m.unit.owners[op.domain] = 0;
      m.unit.life[op.domain] = 0;
      m.unit.handles[op.domain]--;
    },
  },
});

/** The init process starts the driver again. */
export const restartDriver = operation('service.restart', {
  agent: 'control',
  says: 'starts the driver of {domain} again',
  input: { domain },
  where: {
    domain: (m, op) =>
      m.on(restarting) &&
      op.domain !== CONTROL &&
      m.domain.life[op.domain] === 0 &&
      m.domain.generation[op.domain] + 1 < m.size(generation),
  },
  touches: (m, op, may) => may.write(m.domain, op.domain),
  steps: {
    start: (m, op) => {
      m.domain.life[op.domain] = RUNNING;
      m.domain.generation[op.domain]++;
    },
  },
});

/** Requests and devices. Scope: `domain`, `generation`, `request`. */
export const service = module<Service, typeof serviceTables>('clients of user-level drivers', {
  tables: serviceTables,
  operations: [
    openUnit,
    sendRequest,
    issueRequest,
    performRequest,
    answerRequest,
    receiveAnswer,
    nextRequest,
    breakRequest,
    closeUnit,
    restartDriver,
  ],
  initial: (m) => {
    m.unit.job.fill(NONE);
    m.request.kind[0] = m.choose(flag, 'the first request is a frame');
    if (m.choose(flag, 'the driver has its device, and the first request is at it') === 0) return;
    m.unit.owners[1] = 1 << 1;
    m.unit.busMaster[1] = 1;
    m.unit.handles[1] = 1;
    m.unit.job[1] = 0;
    m.request.state[0] = ISSUED;
  },
  holds: (m, d) => m.unit.owners[d] !== 0 || unnoticed(m, d),
  map: (m) => [...m.request.state].map((s, r) => `request ${r}: state ${s}, completed ${m.request.completions[r]}`),
});
