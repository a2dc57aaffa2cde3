/**
 * R2, R5 and R6 of "Reconstructing I/O": every device is assigned, fails, is suspected and is restarted on its own.
 * Source: UCAM-CL-TR-596 (2004): individually virtualised devices, fault recovery. Detection is by suspicion: a crash is announced by
 * the VMM, a hang is guessed by time-out, and the guess may be wrong.
 *
 * Must keep: R-S1 and R-S2 while a driver domain is taken down with DMA in flight; R-S3 (nothing of another device's changes); R-S4 (one
 * live owner, also when the suspicion was false); R-L1 (service resumes); I9 (nothing of a former life is left), and no frame, DID or
 * domain id is lost over restarts.
 */
import { ABSENT, DYING, RUNNING, runs } from '../../domains.js';
import { isFree, putPage } from '../../frames.js';
import {
  attachNow,
  awaitCompletion,
  device,
  didOf,
  dmaRemapping,
  drain,
  freeTables,
  giveUp,
  inFlight,
  iova,
  makeRoom,
  mayFlush,
  READ,
  storeEntry,
  submitAtc,
  submitConfig,
  submitIotlbDid,
  submitWait,
  TABLE,
  WRITE,
} from '../../iommu/index.js';
import { AGAIN, type Footprint, module, NONE, OK, operationOn } from '../../kernel/index.js';
import { ALLOCATION, CONTROL_MESSAGE, charge, hypercall, INVALIDATION, MAPPING, UNMAPPING } from '../../ledger.js';
import { provideTable, takeMapping } from './lending.js';
import {
  canRestart,
  deviceOf,
  NOT_SUSPECTED,
  pauseFirst,
  QUIESCED,
  type Restarts,
  restartTables,
  SUSPECTED,
  WORKING,
} from './restartState.js';

const operation = operationOn<Restarts>();

/** Invalidation commands of a restart: config, IOTLB, ATC, wait. */
const COMMANDS = 4;

/** R5: the manager learns of a death, sees a violation or waits in vain. */
export const notice = operation('manager.notice', {
  agent: 'manager',
  says: 'notices that the driver of {device} has failed',
  source: 'TR-596, fault recovery: death of a domain, time-out',
  atomic: true,
  input: { device },
  where: {
    device: (m, op) => {
      const home = m.device.home[op.device];
      if (home === NONE || m.service.suspected[op.device] !== NOT_SUSPECTED || !canRestart(m, op.device)) return false;
      return !runs(m, home) || m.backend.health[home] !== WORKING;
    },
  },
  touches: (m, op, may) => may.write(m.service, op.device),
  steps: {
    suspect: (m, op) => {
      m.service.suspected[op.device] = SUSPECTED;
    },
  },
});

/** The driver domain of the device that is to be restarted, from the beginning of the restart. */
type Running = { agent: number; device: number; old: number; did: number; fresh: number };
type Step = (m: Restarts, op: Running) => number;

/** Takes the pins of loans back that the tables of DID d hold. */
function unpinLoans(m: Restarts, d: number, old: number): void {
  if (m.ioDirectory.kind[d] !== TABLE) return;
  for (let p = 0; p < m.size(iova); p++) {
    const e = m.ioEntry.at(d, p);
    if (m.ioEntry.rights[e] === 0) continue;
    const f = m.ioEntry.frame[e];
    if (m.frame.owner[f] !== old) m.lent.pins[f]--;
  }
}

/** What taking the entries of DID d out costs, where there is an IOMMU. */
function chargeEntries(m: Restarts, d: number): void {
  if (!m.on(dmaRemapping)) return;
  for (let p = 0; p < m.size(iova); p++) if (m.ioEntry.rights[m.ioEntry.at(d, p)] !== 0) charge(m, UNMAPPING);
}

/** Puts the invalidations of the device and its DID, and a wait, into the queue. @param iotlb false: a mutant forgets the IOTLB */
export function submitAll(m: Restarts, op: { device: number; did: number }, iotlb: boolean): number {
  const room = makeRoom(m, Math.min(COMMANDS, m.queue.rows));
  if (room !== OK) return room;
  if (m.on(dmaRemapping)) charge(m, INVALIDATION);
  submitConfig(m, op.device);
  if (iotlb) submitIotlbDid(m, op.did);
  submitAtc(m, op.device);
  return submitWait(m, op.did);
}

/** The micro-steps of a restart in the order of the paper; each is a list of steps. */
export const restartSteps = {
  'bus mastering off': {
    'bus mastering off': (m, op) => {
      m.device.busMaster[op.device] = 0;
      m.service.suspected[op.device] = QUIESCED;
      return OK;
    },
  },
  'wait for requests': { 'wait for requests in flight': (m, op) => drain(m, op.device) },
  'unmap and invalidate': {
    'clear device entry': (m, op) => {
      hypercall(m);
      m.deviceEntry.valid[op.device] = 0;
      m.deviceEntry.did[op.device] = NONE;
      return OK;
    },
    // Submitted together; hardware takes them one by one, and caches refill in between.
    invalidate: (m, op) => submitAll(m, op, true),
    completed: (m, op) => awaitCompletion(m, op.did),
    'free tables': (m, op) => {
      unpinLoans(m, op.did, op.old);
      chargeEntries(m, op.did);
      freeTables(m, op.did);
      giveUp(m, op.device, op.did);
      return OK;
    },
  },
  'destroy the old domain': {
    'destroy the old domain': (m, op) => {
      hypercall(m);
      if (m.domain.life[op.old] === RUNNING) m.domain.life[op.old] = DYING;
      m.backend.device[op.old] = NONE;
      m.backend.health[op.old] = WORKING;
      return OK;
    },
  },
  'release its frames': {
    'release its frames': (m, op) => {
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] !== op.old || m.frame.allocated[f] === 0) continue;
        m.frame.allocated[f] = 0;
        putPage(m, f);
      }
      return OK;
    },
  },
  'build a new domain': {
    'build a new domain': (m, op) => {
      const f = m.service.memory[op.device];
      const fresh = m.domain.life.indexOf(ABSENT);
      if (!isFree(m, f) || fresh < 0) return AGAIN;
      hypercall(m);
      charge(m, ALLOCATION);
      op.fresh = fresh;
      m.domain.life[fresh] = RUNNING;
      m.frame.owner[f] = fresh;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
      return OK;
    },
  },
  'assign the device': {
    'check that nobody has it and it is quiet': (m, op) => {
      const v = op.device;
      return m.device.home[v] === NONE && m.device.busMaster[v] === 0 && !inFlight(m, v) ? OK : AGAIN;
    },
    'assign the device': (m, op) => {
      const v = op.device;
      if (op.fresh === NONE) return AGAIN;
      if (attachNow(m, v, op.fresh) !== OK) return AGAIN;
      hypercall(m);
      m.backend.device[op.fresh] = v;
      m.deviceEntry.did[v] = didOf(m, op.fresh);
      m.deviceEntry.valid[v] = 1;
      return OK;
    },
    'map its memory': (m, op) => mapMemory(m, op.device),
    'bus mastering on': (m, op) => {
      m.service.suspected[op.device] = SUSPECTED;
      m.device.busMaster[op.device] = 1;
      return OK;
    },
  },
  'next epoch': {
    'next epoch': (m, op) => {
      m.service.epoch[op.device]++;
      return OK;
    },
  },
  'reconnect its clients': {
    'reconnect its clients': (m, op) => {
      for (let c = 0; c < m.channel.rows; c++) {
        if (deviceOf(m, c) !== op.device) continue;
        m.channel.to[c] = op.fresh;
        m.channel.epoch[c] = m.service.epoch[op.device];
        charge(m, CONTROL_MESSAGE);
      }
      for (let f = 0; f < m.lent.rows; f++) if (m.lent.to[f] === op.old) m.lent.to[f] = op.fresh;
      return OK;
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Step>>>>;

export type RestartStep = keyof typeof restartSteps;
/** The nine, in the paper's order. */
export const RESTART_ORDER = Object.keys(restartSteps) as RestartStep[];

/** By domain: the memory of the device's home is mapped at the first page. */
export function mapMemory(m: Restarts, v: number): number {
  const d = didOf(m, m.device.home[v]);
  const f = m.service.memory[v];
  const answer = provideTable(m, d);
  if (answer !== OK) return answer;
  const e = m.ioEntry.at(d, 0);
  if (m.ioEntry.rights[e] !== 0) return OK;
  takeMapping(m, f, READ | WRITE);
  storeEntry(m, e, f, READ | WRITE);
  if (m.on(dmaRemapping)) charge(m, MAPPING);
  return OK;
}

/** Rows that a restart may write: the device's own, what its old domain holds, what its new domain gets. */
function touchesRestart(m: Restarts, op: Running, may: Footprint): void {
  const v = op.device;
  may.write(m.device, v);
  may.write(m.deviceEntry, v);
  may.write(m.service, v);
  for (let c = 0; c < m.channel.rows; c++) if (deviceOf(m, c) === v) may.write(m.channel, c);
  for (let d = 1; d < m.domain.rows; d++) {
    if (m.device.home.indexOf(d) >= 0 && m.device.home[v] !== d) continue;
    may.write(m.domain, d);
    may.write(m.backend, d);
  }
  may.writeAll(m.dma);
  for (let d = 0; d < m.ioDomain.rows; d++) {
    const owner = m.ioDomain.owner[d];
    if (owner !== NONE && m.device.home.indexOf(owner) >= 0 && m.device.home[v] !== owner) continue;
    may.write(m.ioDomain, d);
    may.write(m.ioDirectory, d);
    for (let p = 0; p < m.size(iova); p++) may.write(m.ioEntry, m.ioEntry.at(d, p));
    mayFlush(m, may, d);
  }
  may.writeAll(m.frame);
  may.writeAll(m.content);
  may.writeAll(m.lent);
}

/** Names of the steps of the micro-steps in this order, with begin and end. */
export function stepsIn(order: readonly RestartStep[]): string[] {
  return ['begin', ...order.flatMap((micro) => Object.keys(restartSteps[micro])), 'done'];
}

function beginRestart(m: Restarts, op: Running): number {
  // The old domain is paused: what it has called the VMM for is done first.
  if (m.on(pauseFirst) && m.isBusy('vmm')) return AGAIN;
  op.old = m.device.home[op.device];
  op.did = didOf(m, op.old);
  op.fresh = NONE;
  m.service.spare[op.device]--;
  return OK;
}

function endRestart(m: Restarts, op: Running): number {
  m.service.suspected[op.device] = NOT_SUSPECTED;
  return OK;
}

/** R2: the order of the paper. */
export const restart = operation('manager.restart', {
  agent: 'manager',
  says: 'restarts the driver of {device}',
  source: 'TR-596, individually virtualised devices and fault recovery',
  input: { device },
  locals: ['old', 'did', 'fresh'],
  onFailure: 'safe',
  // A former life's id must have been released first: the new domain needs one.
  where: { device: (m, op) => m.service.suspected[op.device] === SUSPECTED && m.domain.life.includes(ABSENT) },
  touches: touchesRestart,
  steps: inPaperOrder(),
});

function inPaperOrder(): Readonly<Record<string, Step>> {
  const steps: Record<string, Step> = { begin: beginRestart };
  for (const micro of RESTART_ORDER) Object.assign(steps, restartSteps[micro]);
  steps.done = endRestart;
  return steps;
}

/** The module; the machine's start says who drives what. */
export const restarts = module<Restarts, typeof restartTables>('restarts', {
  tables: restartTables,
  operations: [notice, restart],
  initial: (m) => {
    m.service.memory.fill(NONE);
    m.backend.device.fill(NONE);
    m.channel.to.fill(NONE);
  },
  holds: (m, d) => m.backend.device[d] !== NONE && m.domain.life[d] === RUNNING,
  map: (m) =>
    [...m.service.epoch].map(
      (e, v) => `service of device ${v}: epoch ${e}${m.service.suspected[v] ? ', suspected' : ''}`,
    ),
});

export * from './restartState.js';
