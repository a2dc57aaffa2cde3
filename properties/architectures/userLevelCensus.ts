/** What is held at rest by user-level drivers: of their devices and pages, of the requests of their clients, of lines. */
import type { Irqs } from '../../model/architectures/userLevel/interrupts.js';
import { ANSWERED, BROKEN, ISSUED, QUEUED, type Service } from '../../model/architectures/userLevel/service.js';
import { bitOf, DRIVER, type UserDrivers } from '../../model/architectures/userLevel/state.js';
import { ABSENT, DYING, RUNNING } from '../../model/domains.js';
import { NONE } from '../../model/kernel/index.js';
import { type Census, leaksNothing } from '../census.js';
import { isQuiescent } from '../paths.js';

function sum(of: ArrayLike<number>): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) n += of[i];
  return n;
}

/** How many entries do not have this value. */
function other(of: ArrayLike<number>, value: number): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) if (of[i] !== value) n++;
  return n;
}

const none = (): number => 0;
/** The kernel's frame and the client's. */
const two = (): number => 2;

/** A driver that has been started and has asked for nothing yet, or has given everything back: nothing is held in its name. */
export const pageCensus: Census<UserDrivers> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.domain.life[DRIVER] === RUNNING &&
    m.device.home[0] === NONE &&
    m.page.mapped.every((set) => (set & bitOf(DRIVER)) === 0),
  restarts: (m) => m.domain.generation[DRIVER],
  resources: {
    frames: { held: (m) => other(m.frame.refs, 0), needed: two },
    'references to frames': { held: (m) => sum(m.frame.refs), needed: two },
    pins: { held: (m) => sum(m.pin.count), needed: none },
    mappings: { held: (m) => other(m.mapping.kind, 0), needed: none },
    'entries of I/O page directories': { held: (m) => other(m.ioEntry.rights, 0), needed: none },
    handles: { held: (m) => other(m.handle.opens, 0), needed: none },
    'I/O page directories in use': { held: (m) => other(m.ioDomain.owner, NONE), needed: none },
    'bus masters': { held: (m) => sum(m.device.busMaster), needed: none },
    'requests in flight': { held: (m) => other(m.dma.state, 0), needed: none },
  },
};

/** Whether a request is under way: somebody waits for it. */
const underWay = (s: number): boolean => s === QUEUED || s === ISSUED || s === ANSWERED || s === BROKEN;

/** A driver that has its device open, and no request under way. */
export const serviceCensus: Census<Service> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.domain.life[DRIVER] === RUNNING &&
    m.unit.owners[DRIVER] !== 0 &&
    !m.domain.life.includes(DYING) &&
    !m.request.state.some(underWay),
  restarts: (m) => m.domain.generation[DRIVER],
  resources: {
    handles: { held: (m) => sum(m.unit.handles), needed: (m) => other(m.unit.owners, 0) },
    'bus masters': { held: (m) => sum(m.unit.busMaster), needed: (m) => other(m.unit.owners, 0) },
    'jobs at devices': { held: (m) => other(m.unit.job, NONE), needed: none },
    processes: { held: (m) => other(m.domain.life, ABSENT), needed: (m) => m.domain.rows },
  },
};

/** A driver that waits for interrupts of its line, or has none. */
export const lineCensus: Census<Irqs> = {
  atRest: (m) => isQuiescent(m) && m.domain.life[DRIVER] === RUNNING && !m.irqFile.open.includes(1),
  restarts: (m) => m.domain.generation[DRIVER],
  resources: {
    'lines with an opener': { held: (m) => sum(m.irqFile.open), needed: none },
    'lines left enabled': { held: (m) => other(m.irq.masked, 1), needed: none },
    'reads that wait': { held: (m) => sum(m.irqFile.reading), needed: none },
    'interrupts counted': { held: (m) => sum(m.irqFile.count), needed: none },
  },
};

export const pagesLeakNothing = leaksNothing('L-S4', 'census of pages, k restarts', pageCensus);
export const serviceLeaksNothing = leaksNothing('L-S5', 'census of devices, k restarts', serviceCensus);
export const linesLeakNothing = leaksNothing('L-S7', 'census of lines, k restarts', lineCensus);
