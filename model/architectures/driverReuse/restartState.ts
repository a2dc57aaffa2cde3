/**
 * State of crash and restart (LeVasseur et al. 2004, V2, V7): DD/OSes that run, hang, die and are booted again; clients that are attached
 * to an instance, and reattach to the next; requests with what the client notes of them and what the device really did.
 *
 * Client c is served by DD/OS c modulo their number, which drives device of the same number. A request of even number is a block request,
 * which is replayed; of odd number a net frame, which may be lost.
 */
import { generation } from '../../domains.js';
import { flag, gate, type Machine, NONE, oneOf, type State, sort, table, u8 } from '../../kernel/index.js';
import { client } from './channelState.js';

/** Driver operating systems, with a device each. */
export const ddos = sort('DD/OS');
/** Requests of a client that may be under way at a time. */
export const request = sort('request');

export const ABSENT = 0;
export const RUNNING = 1;
export const HUNG = 2;
/** Stopped: what it held is being taken back. */
export const DYING = 3;

export const DETACHED = 0;
export const ATTACHED = 1;
/** The server takes nothing new from the client; what is in flight is waited for. */
export const DETACHING = 2;

export const IDLE = 0;
/** In the client's ring. */
export const QUEUED = 1;
/** The device has it. */
export const STARTED = 2;
/** The device has done it, and the server has not said so. */
export const PERFORMED = 3;
/** The slot is the client's again. */
export const ANSWERED = 4;
/** Whoever had it in work is dead. */
export const LOST = 5;

/** Counts are kept up to here. */
export const MANY = 2;

export const restartTables = {
  ddos: table([ddos], {
    life: oneOf('absent', 'running', 'hung', 'dying'),
    /** Counts its instances. */
    generation: u8(),
    bus: oneOf('off', 'on'),
    /** What the device has in flight (client and request in one number), and the instance that started it. */
    dma: u8(),
    dmaOf: u8(),
  }),
  link: table([client], {
    state: oneOf('detached', 'attached', 'detaching'),
    /** The instance that the client is attached to. */
    generation: u8(),
    /** The shared region is mapped in the DD/OS. */
    region: oneOf('no', 'yes'),
  }),
  /** A client's request. */
  request: table([client, request], {
    stage: oneOf('idle', 'queued', 'started', 'performed', 'answered', 'lost'),
    /** Its buffer is pinned and mapped for the DD/OS. */
    pinned: oneOf('no', 'yes'),
    /** How often the device has done it since it was submitted. */
    performed: u8(),
    /** Kept for properties: told before it was done. */
    early: oneOf('no', 'yes'),
  }),
};

export type Restart = Machine & State<typeof restartTables>;

/** A dead instance's device leaves the bus, and what it has in flight is waited for. */
export const quiesceDead = gate('quiesce before reclaiming');
/** What a dead instance had pinned and mapped is taken back. */
export const reclaimDead = gate('reclaim before reboot');
/** An answer counts only when it comes from the instance that the client is attached to. */
export const epochCheck = gate('epoch check at reattachment');
/** A new instance is booted only when nothing of the old one is left. */
export const oneOwner = gate('one owner of a device');
/** A detachment waits for what is in flight. */
export const quiesceDetach = gate('quiesce before detach');
/** A DD/OS that does not answer is found out, and rebooted. */
export const hangDetection = gate('hang detection');

export const serverOf = (m: Restart, c: number): number => c % m.ddos.rows;
/** Whether the request is replayed after a restart. */
export const isBlock = (r: number): boolean => r % 2 === 0;
/** Client and request of a row of the table of requests. */
export function clientOfRow(m: Restart, row: number): number {
  const each = m.request.rows / m.link.rows;
  return (row - (row % each)) / each;
}

/** Whether the client can use its connection. */
export function usable(m: Restart, c: number): boolean {
  return m.link.state[c] === ATTACHED;
}

/** Whether the server of the client has it attached in this life. */
export function serves(m: Restart, c: number): boolean {
  const d = serverOf(m, c);
  return m.ddos.life[d] === RUNNING && m.link.state[c] !== DETACHED && m.link.generation[c] === m.ddos.generation[d];
}

/** The request is over for the client. */
export function clearRequest(m: Restart, row: number): void {
  m.request.stage[row] = IDLE;
  m.request.performed[row] = 0;
}

/** Everything of a client that a DD/OS can get at is taken from it. */
export function dropClient(m: Restart, c: number): void {
  m.link.region[c] = 0;
  const n = m.request.rows / m.link.rows;
  for (let r = 0; r < n; r++) m.request.pinned[m.request.at(c, r)] = 0;
}

/** Whether a DD/OS still holds anything of its clients, or its device is still doing something. */
export function holdsAnything(m: Restart, d: number): boolean {
  if (m.ddos.bus[d] === 1 || m.ddos.dma[d] !== NONE) return true;
  for (let c = 0; c < m.link.rows; c++) {
    if (serverOf(m, c) !== d) continue;
    if (m.link.region[c] === 1) return true;
    const n = m.request.rows / m.link.rows;
    for (let r = 0; r < n; r++) if (m.request.pinned[m.request.at(c, r)] === 1) return true;
  }
  return false;
}

/** Everybody runs and is attached; the last request of the first client may be at the device. */
export function startRestart(m: Restart): void {
  m.ddos.life.fill(RUNNING);
  m.ddos.bus.fill(1);
  m.ddos.dma.fill(NONE);
  m.ddos.dmaOf.fill(0);
  m.link.state.fill(ATTACHED);
  m.link.region.fill(1);
  if (m.choose(flag, 'a request is under way') === 0) return;
  const row = m.request.rows / m.link.rows - 1;
  m.request.stage[row] = STARTED;
  m.request.pinned[row] = 1;
  m.ddos.dma[0] = row;
}

/** How many lives a DD/OS may have in this scope. */
export const lives = (m: Restart): number => m.size(generation);
/** A DD/OS may still be booted again: only then does it fail, so that what must recover can. */
export const canReturn = (m: Restart, d: number): boolean => m.ddos.generation[d] + 1 < lives(m);
