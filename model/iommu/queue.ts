/**
 * The invalidation queue: commands in order, a wait with the DID as the tag of its completion, time-outs, and a queue that can be full.
 * Source: VT-d 6.5.2 queued invalidation (wait descriptor, drain, 6.5.2.11 on time-outs); AMD-Vi 2.4 command buffer, COMPLETION_WAIT;
 * SMMUv3 4.7 CMD_SYNC. Xen `xen/drivers/passthrough/vtd/qinval.c`.
 */
import { putPage, putType } from '../frames.js';
import { AGAIN, type Footprint, NONE, OK, operationOn } from '../kernel/index.js';
import {
  ATC_OF_DEVICE,
  ATC_PAGE,
  advance,
  CONFIG_OF_DEVICE,
  enqueue,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  mayPerform,
  NO_COMMAND,
  perform,
  queued,
  STRUCTURES_OF_DID,
  WAIT,
} from './commands.js';
import { completeDma } from './dmaState.js';
import {
  ABANDONED,
  atcInvalidation,
  COMPLETED,
  configInvalidation,
  DROP_PAGE,
  DROP_TABLE,
  DROP_TYPE,
  did,
  drainOnWait,
  hasAtc,
  IDLE,
  IOMMU_ERRNO,
  type Iommu,
  iotlbInvalidation,
  isSplit,
  LATE,
  queueSlot,
  SLOT_FREE,
  SLOT_WRITE,
  structureInvalidation,
  WAITING,
  waitTimeout,
} from './state.js';
import { walkTables } from './walk.js';

export { queued } from './commands.js';

const operation = operationOn<Iommu>();

/**
 * Whether a wait must be held: a request in flight passed translation under an entry that is gone. Requests that the tables still allow
 * need not be waited for.
 */
export function mustDrain(m: Iommu): boolean {
  if (!m.on(drainOnWait)) return false;
  for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && isStale(m, s)) return true;
  return false;
}

/** Whether the tables no longer allow the request in flight in slot s. */
export function isStale(m: Iommu, s: number): boolean {
  if (m.dma.bypass[s] === 1) return false;
  const v = m.dma.device[s];
  if (m.deviceEntry.valid[v] === 0) return true;
  const write = m.dma.state[s] === SLOT_WRITE ? 1 : 0;
  for (let page = 0; page < m.ioEntry.rows / m.ioDirectory.rows; page++) {
    if (walkTables(m, m.deviceEntry.did[v], page, write) === m.dma.frame[s]) return false;
  }
  return true;
}

/** Hardware takes the command at the head; requests that a wait must drain complete first. For schedules without steps in between. */
export function takeHead(m: Iommu): void {
  if (m.queue.command[0] === WAIT && m.on(drainOnWait)) {
    for (let s = 0; s < m.dma.rows; s++) if (m.dma.state[s] !== SLOT_FREE && isStale(m, s)) completeDma(m, s);
  }
  perform(m, m.queue.command[0], m.queue.target[0], m.queue.page[0]);
  advance(m);
}

/** Makes room for n commands: waits for hardware, or (when nothing moves in between) lets it work. */
export function makeRoom(m: Iommu, n: number): number {
  while (m.queue.rows - queued(m) < n) {
    if (isSplit(m)) return AGAIN;
    takeHead(m);
  }
  return OK;
}

/** Submits one command. A full queue refuses it, and the VMM tries again: a command is never dropped. */
export function submit(m: Iommu, command: number, target: number, page: number): number {
  const room = makeRoom(m, 1);
  if (room !== OK) return room;
  enqueue(m, command, target, page);
  return OK;
}

/** Step: invalidate one page of a DID. */
export function submitIotlbPage(m: Iommu, d: number, page: number): number {
  return m.on(iotlbInvalidation) ? submit(m, IOTLB_PAGE, d, page) : OK;
}

/** Step: invalidate all translations of a DID. */
export function submitIotlbDid(m: Iommu, d: number): number {
  return m.on(iotlbInvalidation) ? submit(m, IOTLB_OF_DID, d, NONE) : OK;
}

/** Step: invalidate the cached pointers to the tables of a DID. */
export function submitStructures(m: Iommu, d: number): number {
  return m.on(structureInvalidation) ? submit(m, STRUCTURES_OF_DID, d, NONE) : OK;
}

/** Step: invalidate the cached entry of a device. */
export function submitConfig(m: Iommu, v: number): number {
  return m.on(configInvalidation) ? submit(m, CONFIG_OF_DEVICE, v, NONE) : OK;
}

/** Step: invalidate a page in the ATC of every device of the DID. */
export function submitAtcs(m: Iommu, d: number, page: number): number {
  if (!m.on(atcInvalidation)) return OK;
  let n = 0;
  for (let v = 0; v < m.device.rows; v++) if (usesAtcOf(m, v, d)) n++;
  const room = makeRoom(m, n);
  if (room !== OK) return room;
  for (let v = 0; v < m.device.rows; v++) {
    if (usesAtcOf(m, v, d)) enqueue(m, ATC_PAGE, v, page);
  }
  return OK;
}

function usesAtcOf(m: Iommu, v: number, d: number): boolean {
  return hasAtc(m, v) && m.device.home[v] !== NONE && m.device.home[v] === m.ioDomain.owner[d];
}

/** Step: invalidate the ATC of one device. */
export function submitAtc(m: Iommu, v: number): number {
  return m.on(atcInvalidation) && hasAtc(m, v) ? submit(m, ATC_OF_DEVICE, v, NONE) : OK;
}

/** Step: put a wait into the queue. Its completion is tagged with the DID. */
export function submitWait(m: Iommu, d: number): number {
  const answer = submit(m, WAIT, d, NONE);
  if (answer === OK) m.flush.state[d] = WAITING;
  return answer;
}

/**
 * Step: wait for the completion that carries the tag. Either it comes, or the wait times out: then what was held back stays held back
 * until the completion comes late, and the caller gets ETIMEDOUT.
 */
export function awaitCompletion(m: Iommu, d: number): number {
  if (m.flush.state[d] !== COMPLETED) {
    if (m.fails(waitTimeout)) {
      m.flush.state[d] = ABANDONED;
      return IOMMU_ERRNO.ETIMEDOUT;
    }
    if (isSplit(m)) return AGAIN;
    while (m.flush.state[d] === WAITING) takeHead(m);
  }
  m.flush.state[d] = IDLE;
  return OK;
}

/** Gives back what was held back for the DID's flush. */
export function dropHeld(m: Iommu, d: number): void {
  const f = m.flush.frame[d];
  const drop = m.flush.drop[d];
  m.flush.frame[d] = NONE;
  m.flush.drop[d] = 0;
  if ((drop & (DROP_TYPE | DROP_TABLE)) !== 0) putType(m, f);
  if ((drop & (DROP_PAGE | DROP_TABLE)) !== 0) putPage(m, f);
}

/** Rows that submitting and waiting may touch; without steps in between the VMM's wait drives all of the hardware. */
export function mayFlush(m: Iommu, may: Footprint, d: number): void {
  may.writeAll(m.queue);
  if (isSplit(m)) {
    may.write(m.flush, d);
    return;
  }
  may.writeAll(m.flush);
  may.writeAll(m.configCache);
  may.writeAll(m.structureCache);
  may.writeAll(m.iotlb);
  may.writeAll(m.iotlbSuper);
  may.writeAll(m.atc);
  may.writeAll(m.dma);
  may.writeAll(m.content);
}

/** Rows that giving back what is held for DID d may touch. */
export function mayDrop(m: Iommu, may: Footprint, f: number): void {
  if (f === NONE) return;
  may.write(m.frame, f);
  may.write(m.content, m.content.at(f, 0));
  may.write(m.content, m.content.at(f, 1));
}

/** Whether a wait among the first n commands must be held. */
function held(m: Iommu, n: number): boolean {
  for (let i = 0; i < n; i++) if (m.queue.command[i] === WAIT && mustDrain(m)) return true;
  return false;
}

/** Hardware takes the next commands: one, or several before anybody else moves. */
export const processQueue = operation('iommu.process', {
  agent: 'iommu',
  says: 'takes commands from the head to {last}',
  source: 'VT-d 6.5.2; AMD-Vi 2.4',
  atomic: true,
  input: { last: queueSlot },
  where: { last: (m, op) => m.queue.command[op.last] !== NO_COMMAND && !held(m, op.last + 1) },
  touches: (m, op, may) => {
    may.writeAll(m.queue);
    may.readAll(m.dma);
    for (let i = 0; i <= op.last; i++) mayPerform(m, may, i);
  },
  steps: {
    'perform the commands': (m, op) => {
      for (let i = 0; i <= op.last; i++) {
        perform(m, m.queue.command[0], m.queue.target[0], m.queue.page[0]);
        advance(m);
      }
    },
  },
});

/** A completion came after its wait had timed out: what was held back for it is given back now. */
export const reap = operation('iommu.reap', {
  agent: 'vmm',
  says: 'gives back what a flush of {did} that timed out had held',
  source: 'Xen XSA-373 and its fixes',
  atomic: true,
  input: { did },
  where: { did: (m, op) => m.flush.state[op.did] === LATE },
  touches: (m, op, may) => {
    may.write(m.flush, op.did);
    mayDrop(m, may, m.flush.frame[op.did]);
  },
  steps: {
    'drop what was held': (m, op) => {
      m.flush.state[op.did] = IDLE;
      dropHeld(m, op.did);
    },
  },
});
