/**
 * State of the class interface of "Reconstructing I/O" (R1, R3): a client, perhaps a soft device, and a backend that may be replaced.
 * Source: UCAM-CL-TR-596 (2004): unified interfaces for each class of device, soft devices between guest and backend.
 *
 * A path has two levels: the client's channel, and below a soft device the one from there to the backend. Pages are the client's, one for
 * each request; what a server may do with one is written beside the request (`rights`), and is handed on no wider than it was received.
 */
import { bitsOf, gate, type Machine, oneOf, type State, sort, table, u8 } from '../../kernel/index.js';

/** What a client asks of its device. Reading and receiving write into its page. */
export const kind = sort('kind', { members: ['block read', 'block write', 'net transmit', 'net receive'] });
export const BLOCK_READ = 0;
export const BLOCK_WRITE = 1;
export const NET_TRANSMIT = 2;
export const NET_RECEIVE = 3;

export const request = sort('request');
/** Places for backends of the device's class. */
export const place = sort('place');
/** The client's channel, and the one below a soft device. */
export const level = sort('level', { members: ['the client\u2019s channel', 'the channel below the soft device'] });
/** IOMMU work of a request: none where a domain's memory is mapped once, or a mapping for each buffer. Only costs depend on it. */
export const mapped = sort('granularity', { members: ['by domain', 'by buffer'] });

export const ABSENT = 0;
export const RUNNING = 1;
export const HUNG = 2;
export const DEAD = 3;

export const IDLE = 0;
export const OUTSTANDING = 1;
export const DONE = 2;
export const LOST = 3;

export const NOTHING = 0;
export const REQUEST = 1;
export const RESPONSE = 2;

export const TAKEN = 1;
export const PERFORMED = 2;

export const READ = 1;
export const WRITE = 2;

export const COMPLETED_TWICE = 1;
export const NOT_PERFORMED = 2;
export const DUPLICATED = 4;

export const classTables = {
  path: table([], {
    kind: oneOf('block read', 'block write', 'net transmit', 'net receive'),
    granularity: oneOf('by domain', 'by buffer'),
    epoch: u8(),
    /** Changes that the scope still has. */
    spare: u8(),
    connected: oneOf('no', 'yes'),
    /** The manager has asked the backend to take no more. */
    draining: oneOf('no', 'yes'),
    suspected: oneOf('no', 'yes'),
    soft: oneOf('none', 'running', 'hung', 'dead'),
  }),
  asked: table([request], {
    state: oneOf('idle', 'outstanding', 'done', 'lost'),
    /** How often the device has performed it; 2 is more than once. */
    effect: u8(),
    wrongs: u8({ bits: ['completed twice', 'completed but not performed', 'performed twice'] }),
  }),
  slot: table([level, request], {
    holds: oneOf('nothing', 'request', 'response'),
    epoch: u8(),
    /** What the server of this level may do with the client's page. */
    rights: bitsOf('read', 'write'),
  }),
  /** What the soft device has passed down. */
  passed: table([request], { on: oneOf('no', 'yes'), rights: bitsOf('read', 'write') }),
  backend: table([place], { life: oneOf('absent', 'running', 'hung', 'dead') }),
  /** What a backend has in work, with the client's page mapped. */
  work: table([place, request], { stage: oneOf('nothing', 'taken', 'performed'), epoch: u8() }),
};

export type ClassPath = Machine & State<typeof classTables>;

/** A client takes answers of the present epoch only. The gate is that of the block frontend. */
export const epochTest = gate('epoch test');

export const ABOVE = 0;
export const BELOW = 1;

/** Rights on the client's page that a request needs. */
export function rightsFor(m: ClassPath): number {
  return m.path.kind[0] === BLOCK_READ || m.path.kind[0] === NET_RECEIVE ? READ | WRITE : READ;
}

/** Whether what is lost may be lost: frames may, blocks may not. */
export function mayLose(m: ClassPath): boolean {
  return m.path.kind[0] >= NET_TRANSMIT;
}

/** Level that the backend serves. */
export function bottom(m: ClassPath): number {
  return m.path.soft[0] === ABSENT ? ABOVE : BELOW;
}

/** Row of a request at a level. */
export function slotAt(m: ClassPath, l: number, r: number): number {
  return l * m.asked.rows + r;
}

export function clearSlot(m: ClassPath, row: number): void {
  m.slot.holds[row] = NOTHING;
  m.slot.epoch[row] = 0;
  m.slot.rights[row] = 0;
}

/** Whether something of this sort waits at a level. */
export function waits(m: ClassPath, l: number, holds: number): boolean {
  for (let r = 0; r < m.asked.rows; r++) if (m.slot.holds[slotAt(m, l, r)] === holds) return true;
  return false;
}
