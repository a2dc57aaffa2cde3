/** What is held at rest in "Reconstructing I/O" (UCAM-CL-TR-596, 2004), whose devices are restarted each on its own. */
import { NOT_SUSPECTED, type Restarts } from '../../model/architectures/reconstructingIo/restart.js';
import { ABSENT, RUNNING } from '../../model/domains.js';
import { NONE } from '../../model/kernel/index.js';
import { type Census, leaksNothing } from '../census.js';
import { isQuiescent } from '../paths.js';

/** Entries of I/O tables that lead to memory of the DID's own domain, or to what was lent to it. */
function entries(m: Restarts, lent: boolean): number {
  let n = 0;
  const pages = m.ioEntry.rows / m.ioDirectory.rows;
  for (let e = 0; e < m.ioEntry.rows; e++) {
    if (m.ioEntry.rights[e] === 0) continue;
    const owner = m.ioDomain.owner[Math.floor(e / pages)];
    if ((m.frame.owner[m.ioEntry.frame[e]] !== owner) === lent) n++;
  }
  return n;
}

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

const devices = (m: Restarts): number => m.device.rows;
/** The VMM's frame and the client's; memory and a table for each device. */
const framesNeeded = (m: Restarts): number => 2 + 2 * m.device.rows;

export const deviceCensus: Census<Restarts> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.service.suspected.every((s) => s === NOT_SUSPECTED) &&
    m.domain.life.every((x) => x === RUNNING || x === ABSENT),
  restarts: (m) => m.service.epoch[0],
  resources: {
    frames: { held: (m) => other(m.frame.refs, 0), needed: framesNeeded },
    'references to frames': {
      held: (m) => sum(m.frame.refs),
      needed: (m) => framesNeeded(m) + entries(m, false) + entries(m, true),
    },
    'entries of I/O tables': { held: (m) => entries(m, false), needed: devices },
    'pins of loans': { held: (m) => sum(m.lent.pins), needed: (m) => entries(m, true) },
    DIDs: { held: (m) => other(m.ioDomain.owner, NONE), needed: devices },
    'domain ids': { held: (m) => other(m.domain.life, ABSENT), needed: (m) => 1 + m.device.rows },
  },
};

export const deviceLeaksNothing = leaksNothing('I9', 'census, k restarts', deviceCensus);
