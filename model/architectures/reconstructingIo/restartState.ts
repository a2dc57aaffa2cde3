/**
 * State of restarts in "Reconstructing I/O" (UCAM-CL-TR-596, 2004): who drives which device and how it is, what the manager takes it for,
 * whom clients are connected to. Operations: restart.ts.
 */
import { domain, RUNNING, runs } from '../../domains.js';
import { frame } from '../../frames.js';
import { device } from '../../iommu/index.js';
import { gate, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import type { Lending } from './lending.js';

/** Clients; client c uses device c, or the only one. */
export const client = sort('client');

export const WORKING = 0;
export const CORRUPT = 1;
export const HUNG = 2;

export const NOT_SUSPECTED = 0;
export const SUSPECTED = 1;
/** The manager has switched bus mastering off, and nobody else may switch it on before the device has a new owner. */
export const QUIESCED = 2;

export const restartTables = {
  service: table([device], {
    epoch: u8(),
    /** Restarts that the scope still has for it. */
    spare: u8(),
    /** The manager takes its driver domain to have failed. */
    suspected: oneOf('no', 'yes', 'yes, and quiesced'),
    /** Memory that is set aside for its driver domain: each device is accounted on its own. */
    memory: ref(frame),
  }),
  /** What a driver domain takes itself to drive, and how it is. */
  backend: table([domain], { device: ref(device), health: oneOf('working', 'corrupt', 'hung') }),
  channel: table([client], { to: ref(domain), epoch: u8() }),
};

export type Restarts = Lending & State<typeof restartTables>;
/** A driver domain is paused before anything is taken from it: no call of it is under way any more, and it makes none. */
export const pauseFirst = gate('pause before restart');
/** While a device is being restarted, its driver domain's writes to the command register are refused. */
export const commandFilter = gate('bus-master filter');

/** Device of a client. */
export function deviceOf(m: Restarts, c: number): number {
  return c % m.device.rows;
}

/** Whether the scope has another life for the device's service. */
export function canRestart(m: Restarts, v: number): boolean {
  return m.service.spare[v] > 0;
}

/** Whether a live domain takes itself to own the device. */
export function drives(m: Restarts, d: number, v: number): boolean {
  return m.domain.life[d] === RUNNING && m.backend.device[d] === v;
}

/** Whether the device is served: its home runs and works, and nobody suspects it. */
export function isServed(m: Restarts, v: number): boolean {
  const home = m.device.home[v];
  return (
    home !== NONE && runs(m, home) && m.backend.health[home] === WORKING && m.service.suspected[v] === NOT_SUSPECTED
  );
}
